//! The records of one TLS connection, between a wire that never waits and bytes in the clear.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConnection, Error, HandshakeKind};

use crate::model::{Agreed, Side, TlsReport, Verdict};
use crate::net::channel::Received;

use super::verify::{Observer, Seen};
use super::words;

/// What is read from the wire at once: some full records (RFC 8446 §5.1).
const WIRE: usize = 64 << 10;

/// Why a TLS connection cannot go on.
#[derive(Debug)]
pub(in crate::net) enum Fault {
    /// The wire says so; also that it has nothing to give or to take now.
    Io(io::Error),
    /// A side of TLS does.
    Tls {
        /// The side that ended it.
        by: Side,
        /// How, as the rest of a sentence that begins with the peer's address.
        why: String,
    },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

/// A TLS connection.
pub(in crate::net) struct TlsStream {
    connection: ClientConnection,
    observer: Arc<Observer>,
    server_name: String,
    /// What the server presented to an earlier connection, which counts if that one's session is resumed.
    earlier: Option<Seen>,
    /// What was read from the wire and not yet looked at.
    incoming: Incoming,
    /// The first bytes that arrived, to tell what answered if it is no TLS.
    first: Vec<u8>,
    /// Bytes that are in records already, while the wire has not taken those.
    under_way: usize,
    /// What is wrong, while there is still something to be read that arrived before.
    fault: Option<Error>,
}

/// Bytes from the wire.
struct Incoming {
    bytes: Box<[u8]>,
    from: usize,
    to: usize,
}

impl TlsStream {
    pub(super) fn new(
        connection: ClientConnection,
        observer: Arc<Observer>,
        server_name: String,
    ) -> TlsStream {
        let earlier = observer.take(&server_name);
        TlsStream {
            connection,
            observer,
            server_name,
            earlier,
            incoming: Incoming {
                bytes: vec![0; WIRE].into(),
                from: 0,
                to: 0,
            },
            first: Vec::new(),
            under_way: 0,
            fault: None,
        }
    }

    /// Goes on with the handshake as far as the wire lets it; whether it is through.
    pub(in crate::net) fn shake(&mut self, wire: &mut (impl Read + Write)) -> Result<bool, Fault> {
        loop {
            if let Some(error) = self.fault.take() {
                // The alert that tells the peer why; that it cannot be told any more changes nothing.
                drop(self.flush(wire));
                return Err(self.failed(&error));
            }
            self.flush(wire)?;
            if !self.connection.is_handshaking() {
                return Ok(true);
            }
            match self.take_in(wire) {
                Ok(0) => {
                    return Err(Fault::Tls {
                        by: Side::Peer,
                        why: "ended the connection during the TLS handshake: is TLS spoken on this port?"
                            .into(),
                    });
                }
                Ok(_) => {}
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Whether something waits to be written, whatever is to be sent.
    pub(in crate::net) fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Reads what is there, in the clear.
    pub(in crate::net) fn receive(
        &mut self,
        wire: &mut (impl Read + Write),
        buffer: &mut [u8],
    ) -> Result<Received, Fault> {
        let mut filled = 0;
        loop {
            match self.connection.reader().read(&mut buffer[filled..]) {
                Ok(0) if filled == 0 => return Ok(Received::End),
                Ok(0) => return Ok(Received::Bytes(filled)),
                Ok(count) => {
                    filled += count;
                    // What is here already belongs to the same read.
                    if filled < buffer.len() && !self.incoming.is_empty() && self.fault.is_none() {
                        self.decrypt();
                        continue;
                    }
                    return Ok(Received::Bytes(filled));
                }
                Err(_) if filled > 0 => return Ok(Received::Bytes(filled)),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Received::Cut),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(error) = self.fault.take() {
                // The alert that tells the peer why; that it cannot be told any more changes nothing.
                drop(self.flush(wire));
                return Err(self.failed(&error));
            }
            self.take_in(wire)?;
        }
    }

    /// Writes; how many of `bytes` the wire took, in whole records. What it has not taken of them yet has to be
    /// offered again first.
    pub(in crate::net) fn send(&mut self, wire: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
        if self.under_way == 0 {
            self.flush(wire)?;
            self.under_way = self.connection.writer().write(bytes)?;
        }
        self.flush(wire)?;
        Ok(std::mem::take(&mut self.under_way))
    }

    /// Says that nothing more will be sent: `close_notify` (RFC 8446 §6.1).
    pub(in crate::net) fn finish(&mut self, wire: &mut impl Write) -> io::Result<()> {
        self.connection.send_close_notify();
        self.flush(wire)
    }

    /// Writes what waits to be written.
    pub(in crate::net) fn flush(&mut self, wire: &mut impl Write) -> io::Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(wire)?;
        }
        Ok(())
    }

    /// What was agreed on, and whom the server said to be.
    pub(in crate::net) fn report(&self, took: Duration) -> TlsReport {
        let resumed = self.connection.handshake_kind() == Some(HandshakeKind::Resumed);
        let agreed = match (
            self.connection.protocol_version(),
            self.connection.negotiated_cipher_suite(),
        ) {
            (Some(version), Some(suite)) if !self.connection.is_handshaking() => Some(Agreed {
                version: words::version(version),
                cipher: words::cipher(suite.suite()),
                group: self
                    .connection
                    .negotiated_key_exchange_group()
                    .map(|group| words::group(group.name())),
                alpn: self
                    .connection
                    .alpn_protocol()
                    .map(|name| String::from_utf8_lossy(name).into_owned()),
                resumed,
            }),
            _ => None,
        };
        if let Some(earlier) = self.earlier.as_ref().filter(|_| resumed) {
            self.observer.keep(&self.server_name, earlier.clone());
        }
        let seen = self.observer.seen(&self.server_name);
        let (verdict, chain) = seen.map_or((Verdict::Unchecked, Vec::new()), |seen| {
            (seen.verdict, seen.chain)
        });
        TlsReport {
            server_name: self.server_name.clone(),
            took,
            agreed,
            verdict,
            chain,
        }
    }

    /// Reads from the wire if there is nothing left to look at, and looks; 0 at the end of what the wire gives.
    fn take_in(&mut self, wire: &mut impl Read) -> Result<usize, Fault> {
        if self.incoming.is_empty() {
            let count = wire.read(&mut self.incoming.bytes)?;
            self.incoming.from = 0;
            self.incoming.to = count;
            if self.first.len() < 64 && self.connection.is_handshaking() {
                let room = 64 - self.first.len();
                self.first.extend(self.incoming.rest().iter().take(room));
            }
        }
        let count = self.incoming.rest().len();
        self.decrypt();
        Ok(count)
    }

    /// Looks at a part of what came from the wire, or at its end if nothing came.
    fn decrypt(&mut self) {
        let mut rest = self.incoming.rest();
        // From memory, and with what was decrypted read before: neither can fail.
        let taken = self.connection.read_tls(&mut rest).unwrap_or(0);
        self.incoming.from += taken;
        if let Err(error) = self.connection.process_new_packets() {
            self.fault = Some(error);
        }
    }

    fn failed(&self, error: &Error) -> Fault {
        let handshaking = self.connection.is_handshaking();
        if let Error::AlertReceived(alert) = error {
            let name = words::alert(*alert);
            return Fault::Tls {
                by: Side::Peer,
                why: match words::advice(*alert).filter(|_| handshaking) {
                    Some(advice) => format!("refused TLS with the alert {name}: {advice}"),
                    None => format!("ended TLS with the alert {name}"),
                },
            };
        }
        let why = if let Error::InvalidCertificate(_) = error {
            format!(
                "has a certificate that is not trusted: {}; --ca FILE trusts its issuer, --insecure connects all the \
                 same",
                words::doubt(error)
            )
        } else {
            match words::instead(&self.first).filter(|_| handshaking) {
                Some(instead) => format!("does not speak TLS here: {instead}"),
                None => format!("broke the rules of TLS: {error}"),
            }
        };
        let by = Side::Local;
        Fault::Tls { by, why }
    }
}

impl Incoming {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.from >= self.to
    }
}
