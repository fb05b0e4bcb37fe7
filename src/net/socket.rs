//! A connected socket of any kind that carries bytes, never waiting.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::thread;
use std::time::Duration;

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recv, recvmsg};
use socket2::SockRef;
use tokio::io::{Interest, Ready};
use tokio::net::{TcpStream, UdpSocket, UnixStream};

use super::group::GroupSocket;
use super::lane::Lane;
use super::messages::{Kind, Messages};

/// A connected socket.
#[derive(Debug)]
pub(super) enum Socket {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A UDP socket that has one peer.
    Udp(UdpSocket),
    /// A UDP socket that sends to many.
    Group(GroupSocket),
    /// One sender's part of a UDP socket.
    Lane(Lane),
    /// A Unix stream.
    Unix(UnixStream),
    /// A Unix socket that keeps the boundaries of messages.
    Messages(Messages),
}

/// What crosses a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// Bytes, of which each side may say that they have ended.
    Stream,
    /// Messages with boundaries, of which each side may say that they have ended.
    Messages,
    /// Datagrams, each for itself: there is no connection that could end.
    Datagrams,
}

impl Socket {
    /// What crosses it.
    pub(super) fn carries(&self) -> Carries {
        match self {
            Socket::Tcp(_) | Socket::Unix(_) => Carries::Stream,
            Socket::Udp(_) | Socket::Lane(_) | Socket::Group(_) => Carries::Datagrams,
            Socket::Messages(messages) => match messages.kind() {
                Kind::Datagram => Carries::Datagrams,
                Kind::Seqpacket => Carries::Messages,
            },
        }
    }

    /// Our address, if it is one of IP.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(stream) => stream.local_addr().ok(),
            Socket::Udp(socket) => socket.local_addr().ok(),
            Socket::Lane(lane) => Some(lane.local()),
            Socket::Group(group) => Some(group.local()),
            Socket::Unix(_) | Socket::Messages(_) => None,
        }
    }

    /// Waits until something of `interest` is worth trying.
    pub(super) async fn ready(&self, interest: Interest) -> Ready {
        let ready = match self {
            Socket::Tcp(stream) => stream.ready(interest).await,
            Socket::Udp(socket) => socket.ready(interest).await,
            Socket::Lane(lane) => return lane.ready(interest).await,
            Socket::Group(group) => group.socket().ready(interest).await,
            Socket::Unix(stream) => stream.ready(interest).await,
            Socket::Messages(messages) => messages.ready(interest).await,
        };
        // A failing call means that the reactor is gone: reading will say so.
        ready.unwrap_or(Ready::READABLE)
    }

    /// Takes the next datagram, and how many the kernel has dropped so far for want of room (socket(7), `SO_RXQ_OVFL`).
    pub(super) fn take_datagram(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<u32>)> {
        if let Socket::Lane(lane) = self {
            return lane.take(buffer);
        }
        self.try_io(Interest::READABLE, || {
            let mut control = cmsg_space!(u32);
            let mut parts = [IoSliceMut::new(buffer)];
            let fd = self.as_fd().as_raw_fd();
            let message = recvmsg::<()>(fd, &mut parts, Some(&mut control), MsgFlags::empty())?;
            let dropped = message.cmsgs().ok().and_then(|mut all| {
                all.find_map(|one| match one {
                    #[cfg(target_os = "linux")]
                    ControlMessageOwned::RxqOvfl(count) => Some(count),
                    _ => None,
                })
            });
            Ok((message.bytes, dropped))
        })
    }

    /// The error that came back for a datagram, of which the reactor is told that it was heard.
    pub(super) fn take_refusal(&self) -> Option<io::Error> {
        let mut refusal = None;
        let heard: io::Result<()> = self.try_io(Interest::ERROR, || {
            refusal = self.take_error()?;
            Err(io::ErrorKind::WouldBlock.into())
        });
        drop(heard);
        refusal
    }

    /// Says that nothing more will be sent.
    pub(super) fn finish(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }

    /// Makes the end that follows a reset.
    pub(super) fn reset(&self) {
        // An error would mean that the socket is gone already.
        drop(SockRef::from(self).set_linger(Some(Duration::ZERO)));
    }

    /// Closes it. A close that lingers (socket(7), `SO_LINGER`) waits for the peer, and nothing else waits for it.
    pub(super) fn close(self) {
        let lingers = SockRef::from(&self).linger();
        let lingers = lingers.is_ok_and(|time| time.is_some_and(|time| !time.is_zero()));
        if let Socket::Tcp(stream) = self
            && lingers
            && let Ok(stream) = stream.into_std()
        {
            // Without a thread it is dropped here, and everything waits.
            drop(
                thread::Builder::new()
                    .name("linger".to_owned())
                    .spawn(move || drop(stream)),
            );
        }
    }

    /// The error that the socket has in store.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        SockRef::from(self).take_error()
    }

    fn try_io<R>(&self, interest: Interest, call: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        match self {
            Socket::Tcp(stream) => stream.try_io(interest, call),
            Socket::Udp(socket) => socket.try_io(interest, call),
            Socket::Lane(lane) => lane.socket().try_io(interest, call),
            Socket::Group(group) => group.socket().try_io(interest, call),
            Socket::Unix(stream) => stream.try_io(interest, call),
            Socket::Messages(messages) => messages.try_io(interest, call),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Udp(socket) => socket.as_fd(),
            Socket::Lane(lane) => lane.socket().as_fd(),
            Socket::Group(group) => group.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
            Socket::Messages(messages) => messages.as_fd(),
        }
    }
}

impl Read for Socket {
    /// A read that leaves room in the buffer has emptied the socket, and the reactor is told so at once (as tokio's
    /// own `poll_read` does): asking the socket again would cost every message a system call.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut taken = None;
        let tried = self.try_io(Interest::READABLE, || {
            let count = recv(self.as_fd().as_raw_fd(), buffer, MsgFlags::empty())?;
            taken = Some(count);
            if count > 0 && count < buffer.len() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(count)
        });
        taken.map_or(tried, Ok)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Socket::Lane(lane) = self {
            return lane.send(bytes);
        }
        if let Socket::Group(group) = self {
            return group.send(bytes);
        }
        self.try_io(Interest::WRITABLE, || SockRef::from(&*self).send(bytes))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_io(Interest::WRITABLE, || SockRef::from(&*self).send_vectored(parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
