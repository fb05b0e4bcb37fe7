//! A connected socket, read and written without ever waiting.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use nix::sys::socket::{MsgFlags, recv};
use socket2::SockRef;
use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;

use crate::model::ConnectionId;

use super::kernel::{Kernel, Watch};

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// So many bytes.
    Bytes(usize),
    /// The end of what the peer sends.
    End,
}

/// A connected socket.
pub(super) struct Channel {
    /// Declared first, so that it is dropped before the socket is: nobody asks about a closed descriptor.
    _watch: Watch,
    socket: TcpStream,
}

impl Channel {
    /// Takes over a connected stream, about which the kernel can be asked from now on.
    pub(super) fn new(socket: TcpStream, id: ConnectionId, kernel: &Kernel) -> Channel {
        Channel {
            _watch: kernel.watch(id, socket.as_fd()),
            socket,
        }
    }

    /// Our address.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// Waits until something of `interest` is worth trying.
    pub(super) async fn ready(&self, interest: Interest) -> Ready {
        // A failing call means that the reactor is gone: reading will say so.
        self.socket.ready(interest).await.unwrap_or(Ready::READABLE)
    }

    /// Reads what is there. A read that leaves room in the buffer has emptied the socket, and the reactor is told so
    /// at once (as tokio's own `poll_read` does): asking the socket again would cost every message a system call.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let mut taken = None;
        let tried = self.socket.try_io(Interest::READABLE, || {
            let count = recv(self.socket.as_raw_fd(), buffer, MsgFlags::empty())?;
            taken = Some(count);
            if count > 0 && count < buffer.len() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(count)
        });
        Ok(match taken.map_or(tried, Ok)? {
            0 => Received::End,
            count => Received::Bytes(count),
        })
    }

    /// Writes; how many bytes the kernel took.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.try_write(bytes)
    }

    /// Says that nothing more will be sent: FIN.
    pub(super) fn finish(&self) -> io::Result<()> {
        SockRef::from(&self.socket).shutdown(Shutdown::Write)
    }

    /// Makes the end that follows a reset: RST.
    pub(super) fn reset(&self) {
        // An error would mean that the socket is gone already.
        drop(SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)));
    }

    /// The error that the socket has in store.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }
}
