//! Unix sockets that keep the boundaries of messages (unix(7)): for datagrams, and connected ones (`SOCK_SEQPACKET`).

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

use nix::sys::socket::{MsgFlags, recv, recvmsg};
use tokio::io::{Interest, Ready};
use tokio::net::UnixDatagram;

use crate::capture::MAX_MESSAGE;

use super::credentials::Credentials;

/// Whether there is a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// None: every datagram is for itself.
    Datagram,
    /// There is one, and its end is told.
    Seqpacket,
}

/// A socket of that kind, with one peer.
#[derive(Debug)]
pub(super) struct Messages {
    /// Of either kind: what differs is only what the calls below find.
    socket: UnixDatagram,
    kind: Kind,
}

/// What a look at the socket found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A message.
    Message {
        /// How many of its bytes are in the buffer.
        count: usize,
        /// How many it had: more only if it is larger than anything that is recorded.
        len: usize,
        /// Who sent it.
        sender: Option<Credentials>,
    },
    /// The end of what the peer sends.
    End,
}

impl Messages {
    /// Takes over a socket that does not block.
    pub(super) fn new(socket: socket2::Socket, kind: Kind) -> io::Result<Messages> {
        Ok(Messages {
            socket: UnixDatagram::from_std(socket.into())?,
            kind,
        })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Waits until something of `interest` is worth trying.
    pub(super) async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.socket.ready(interest).await
    }

    /// Calls the kernel where the reactor says that it is worth it, and tells the reactor when it was not.
    pub(super) fn try_io<R>(
        &self,
        interest: Interest,
        call: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        self.socket.try_io(interest, call)
    }

    /// Takes the next message into a buffer that is made as large as it has to be.
    pub(super) fn take(&self, buffer: &mut Vec<u8>) -> io::Result<Taken> {
        let fd = self.socket.as_fd().as_raw_fd();
        self.try_io(Interest::READABLE, || {
            // The kernel has the message in memory as well; MSG_TRUNC asks for its length.
            let len = recv(fd, &mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC)?;
            if buffer.len() < len {
                buffer.resize(len.min(MAX_MESSAGE), 0);
            }
            let mut control = Credentials::space();
            let mut parts = [IoSliceMut::new(buffer)];
            let message = recvmsg::<()>(fd, &mut parts, Some(&mut control), MsgFlags::empty())?;
            let sender = Credentials::among(&message);
            // An end carries nothing, not even who sent it; an empty message has a sender.
            if message.bytes == 0 && sender.is_none() && self.kind == Kind::Seqpacket {
                return Ok(Taken::End);
            }
            let count = message.bytes;
            let len = len.max(count);
            Ok(Taken::Message { count, len, sender })
        })
    }
}

impl AsFd for Messages {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
