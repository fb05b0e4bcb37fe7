//! The records of one TLS connection, between a wire that never waits and bytes in the clear. It may be the client's or
//! the server's end.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::server::ServerConnection;
use rustls::{ClientConnection, Connection, Error, HandshakeKind};

use crate::model::{Agreed, TlsReport, TlsRole, Verdict};
use crate::net::channel::Received;

use super::clients::Doorkeeper;
use super::fault::{Fault, Situation};
use super::incoming::Incoming;
use super::seen::Seen;
use super::verify::Observer;
use super::words;

/// A TLS connection.
pub struct TlsStream {
    connection: Connection,
    part: Part,
    /// What the other side presented in this handshake.
    seen: Option<Seen>,
    /// What was read from the wire and not yet looked at.
    incoming: Incoming,
    /// What the library has ready to be read, when it was asked last: bytes in the clear, or the end.
    ready: Ready,
    /// Bytes that are in records already, while the wire has not taken those.
    under_way: usize,
    /// What is wrong, while there is still something to be read that arrived before.
    fault: Option<Error>,
}

/// What can be read without the wire.
#[derive(Clone, Copy, Debug, Default)]
struct Ready {
    /// Bytes in the clear.
    bytes: usize,
    /// Whether the other side said that nothing more will come.
    ended: bool,
}

/// What only one side has.
enum Part {
    Client {
        observer: Arc<Observer>,
        /// The name or address that the certificate has to be for.
        server_name: String,
    },
    Server {
        /// Who checks clients' certificates, where they are asked for.
        doorkeeper: Option<Arc<Doorkeeper>>,
    },
}

impl TlsStream {
    /// The client's end, before the handshake.
    pub(super) fn client(
        connection: ClientConnection,
        observer: Arc<Observer>,
        server_name: String,
    ) -> TlsStream {
        let part = Part::Client {
            observer,
            server_name,
        };
        TlsStream::new(connection.into(), part, Incoming::default())
    }

    /// The server's end, before the handshake, or behind the client's first message; `incoming` is what came from the
    /// wire after that.
    pub(super) fn server(
        connection: ServerConnection,
        doorkeeper: Option<Arc<Doorkeeper>>,
        incoming: Incoming,
    ) -> TlsStream {
        TlsStream::new(connection.into(), Part::Server { doorkeeper }, incoming)
    }

    fn new(connection: Connection, part: Part, incoming: Incoming) -> TlsStream {
        TlsStream {
            connection,
            part,
            seen: None,
            incoming,
            ready: Ready::default(),
            under_way: 0,
            fault: None,
        }
    }

    /// Goes on with the handshake as far as the wire lets it; whether it is through.
    pub fn shake(&mut self, wire: &mut (impl Read + Write)) -> Result<bool, Fault> {
        loop {
            if let Some(error) = self.fault.take() {
                // The alert that tells the peer why; that it cannot be told any more changes nothing.
                drop(self.flush(wire));
                return Err(self.situation().fault(&error));
            }
            self.flush(wire)?;
            if !self.connection.is_handshaking() {
                return Ok(true);
            }
            match self.take_in(wire) {
                Ok(0) => return Err(self.situation().cut()),
                Ok(_) => {}
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Whether something waits to be written, whatever is to be sent.
    pub fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Whether there is something to be read, whatever the wire has: it may have nothing more to say.
    pub fn wants_reading(&self) -> bool {
        self.ready.bytes > 0 || self.ready.ended || !self.incoming.is_empty() || self.fault.is_some()
    }

    /// Reads what is there, in the clear.
    pub fn receive(&mut self, wire: &mut (impl Read + Write), buffer: &mut [u8]) -> Result<Received, Fault> {
        let mut filled = 0;
        loop {
            match self.connection.reader().read(&mut buffer[filled..]) {
                Ok(0) if filled == 0 => return Ok(Received::End),
                Ok(0) => return Ok(Received::Bytes(filled)),
                Ok(count) => {
                    filled += count;
                    self.ready.bytes = self.ready.bytes.saturating_sub(count);
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
                return Err(self.situation().fault(&error));
            }
            self.take_in(wire)?;
        }
    }

    /// Writes; how many of `bytes` the wire took, in whole records. What it has not taken of them yet has to be
    /// offered again first.
    pub fn send(&mut self, wire: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
        if self.under_way == 0 {
            self.flush(wire)?;
            self.under_way = self.connection.writer().write(bytes)?;
        }
        self.flush(wire)?;
        Ok(std::mem::take(&mut self.under_way))
    }

    /// Says that nothing more will be sent: `close_notify` (RFC 8446 §6.1).
    pub fn finish(&mut self, wire: &mut impl Write) -> io::Result<()> {
        self.connection.send_close_notify();
        self.flush(wire)
    }

    /// Writes what waits to be written.
    pub fn flush(&mut self, wire: &mut impl Write) -> io::Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(wire)?;
        }
        Ok(())
    }

    /// The application protocol that was agreed on (RFC 7301).
    pub fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Whether bytes that were offered are in records already, and have to be offered again before any others.
    pub fn is_sending(&self) -> bool {
        self.under_way > 0
    }

    /// What was agreed on, and whom the other side said to be.
    pub fn report(&self, took: Duration) -> TlsReport {
        let agreed = self.agreed();
        let resumed = agreed.as_ref().is_some_and(|agreed| agreed.resumed);
        let (role, server_name, earlier) = match (&self.part, &self.connection) {
            (
                Part::Client {
                    observer,
                    server_name,
                },
                _,
            ) => {
                let earlier = observer.earlier(server_name).filter(|_| resumed);
                (TlsRole::Client, server_name.clone(), earlier)
            }
            (Part::Server { .. }, Connection::Server(connection)) => {
                let name = connection.server_name().unwrap_or_default();
                (TlsRole::Server, name.to_owned(), None)
            }
            (Part::Server { .. }, Connection::Client(_)) => (TlsRole::Server, String::new(), None),
        };
        let seen = self.seen.clone().or(earlier);
        let (verdict, chain) = seen.map_or((Verdict::Unchecked, Vec::new()), |seen| {
            (seen.verdict, seen.chain)
        });
        TlsReport {
            role,
            server_name,
            took,
            agreed,
            verdict,
            chain,
        }
    }

    fn agreed(&self) -> Option<Agreed> {
        let connection = &self.connection;
        let (version, suite) = connection
            .protocol_version()
            .zip(connection.negotiated_cipher_suite())
            .filter(|_| !connection.is_handshaking())?;
        let group = connection.negotiated_key_exchange_group();
        let alpn = connection.alpn_protocol();
        Some(Agreed {
            version: words::version(version),
            cipher: words::cipher(suite.suite()),
            group: group.map(|group| words::group(group.name())),
            alpn: alpn.map(|name| String::from_utf8_lossy(name).into_owned()),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        })
    }

    /// Reads from the wire if there is nothing left to look at, and looks; 0 at the end of what the wire gives.
    fn take_in(&mut self, wire: &mut impl Read) -> Result<usize, Fault> {
        if self.incoming.is_empty() {
            self.incoming.fill(wire)?;
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
        self.incoming.skip(taken);
        let handshaking = self.connection.is_handshaking();
        match self.connection.process_new_packets() {
            Ok(state) => {
                self.ready = Ready {
                    bytes: state.plaintext_bytes_to_read(),
                    ended: state.peer_has_closed(),
                };
            }
            Err(error) => self.fault = Some(error),
        }
        if handshaking {
            let latest = match &self.part {
                Part::Client { observer, .. } => observer.take_latest(),
                Part::Server { doorkeeper } => doorkeeper.as_ref().and_then(|keeper| keeper.take_latest()),
            };
            self.seen = latest.or(self.seen.take());
        }
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            role: match self.part {
                Part::Client { .. } => TlsRole::Client,
                Part::Server { .. } => TlsRole::Server,
            },
            handshaking: self.connection.is_handshaking(),
            first: self.incoming.first(),
        }
    }
}
