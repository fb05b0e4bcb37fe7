//! An open connection as the session sees it: bytes in the clear, read and written without ever waiting.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, recv};
use socket2::SockRef;
use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;

use crate::model::{ConnectionId, TlsReport};

use super::kernel::{Kernel, Watch};
use super::tls::{Fault, TlsStream};

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// So many bytes.
    Bytes(usize),
    /// The end of what the peer sends.
    End,
    /// The end of the wire, while TLS had not said that it is the end: what was sent may be cut short.
    Cut,
}

/// An open connection.
pub(super) struct Channel {
    /// Declared first, so that it is dropped before the socket is: nobody asks about a closed descriptor.
    _watch: Watch,
    wire: Wire,
    tls: Option<Box<TlsStream>>,
}

/// A connected socket.
struct Wire(TcpStream);

impl Channel {
    /// Takes over a connected stream, about which the kernel can be asked from now on.
    pub(super) fn new(socket: TcpStream, id: ConnectionId, kernel: &Kernel) -> Channel {
        Channel {
            _watch: kernel.watch(id, socket.as_fd()),
            wire: Wire(socket),
            tls: None,
        }
    }

    /// Makes it a TLS connection; what came of the handshake is told also when it failed.
    pub(super) async fn secure(&mut self, mut tls: Box<TlsStream>) -> (TlsReport, Result<(), Fault>) {
        let start = Instant::now();
        let result = loop {
            match tls.shake(&mut self.wire) {
                Ok(true) => break Ok(()),
                Ok(false) => {}
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(fault) => break Err(fault),
            }
            let interest = if tls.wants_write() {
                Interest::READABLE | Interest::WRITABLE
            } else {
                Interest::READABLE
            };
            self.ready(interest).await;
        };
        let report = tls.report(start.elapsed());
        self.tls = Some(tls);
        (report, result)
    }

    /// Our address.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.wire.0.local_addr().ok()
    }

    /// Waits until something of `interest` is worth trying.
    pub(super) async fn ready(&self, interest: Interest) -> Ready {
        // A failing call means that the reactor is gone: reading will say so.
        self.wire.0.ready(interest).await.unwrap_or(Ready::READABLE)
    }

    /// Whether something waits to be written, whatever is to be sent.
    pub(super) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Reads what is there.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, Fault> {
        match &mut self.tls {
            Some(tls) => tls.receive(&mut self.wire, buffer),
            None => match self.wire.read(buffer)? {
                0 => Ok(Received::End),
                count => Ok(Received::Bytes(count)),
            },
        }
    }

    /// Writes; how many bytes the kernel took. What it has not taken has to be offered again first.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => tls.send(&mut self.wire, bytes),
            None => self.wire.write(bytes),
        }
    }

    /// Writes what TLS itself has to say.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.flush(&mut self.wire),
            None => Ok(()),
        }
    }

    /// Says that nothing more will be sent: FIN, behind TLS's own word for it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.finish(&mut self.wire)?;
        }
        SockRef::from(&self.wire.0).shutdown(Shutdown::Write)
    }

    /// Makes the end that follows a reset: RST.
    pub(super) fn reset(&self) {
        // An error would mean that the socket is gone already.
        drop(SockRef::from(&self.wire.0).set_linger(Some(Duration::ZERO)));
    }

    /// The error that the socket has in store.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.wire.0.take_error()
    }
}

impl Read for Wire {
    /// A read that leaves room in the buffer has emptied the socket, and the reactor is told so at once (as tokio's
    /// own `poll_read` does): asking the socket again would cost every message a system call.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut taken = None;
        let tried = self.0.try_io(Interest::READABLE, || {
            let count = recv(self.0.as_raw_fd(), buffer, MsgFlags::empty())?;
            taken = Some(count);
            if count > 0 && count < buffer.len() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(count)
        });
        taken.map_or(tried, Ok)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
