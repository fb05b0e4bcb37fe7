//! A connected socket of any kind that carries bytes, never waiting.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, RawFd};
use std::thread;
use std::time::Duration;

use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
#[cfg(target_os = "linux")]
use nix::sys::socket::ControlMessageOwned;
use nix::sys::socket::{MsgFlags, recv, recvmsg};
use socket2::SockRef;
use tokio::io::{Interest, Ready};
use tokio::net::{TcpStream, UdpSocket, UnixStream};

use super::group::GroupSocket;
use super::lane::Lane;
use super::messages::{Kind, Messages};
#[cfg(target_os = "linux")]
use super::stamping::linux::arrival;
use crate::model::Timestamp;

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

/// A datagram that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    /// Its bytes.
    pub(super) len: usize,
    /// How many the kernel has dropped so far for want of room (socket(7), `SO_RXQ_OVFL`).
    pub(super) dropped: Option<u32>,
    /// When it arrived in the kernel by the wall clock, if that was asked for.
    pub(super) arrived: Option<Timestamp>,
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

    /// Another descriptor of the same socket, with a registration of its own.
    pub(super) fn copy(&self) -> io::Result<Socket> {
        let copy = self.as_fd().try_clone_to_owned()?;
        Ok(match self {
            Socket::Tcp(_) => Socket::Tcp(TcpStream::from_std(copy.into())?),
            Socket::Udp(_) => Socket::Udp(UdpSocket::from_std(copy.into())?),
            Socket::Unix(_) => Socket::Unix(UnixStream::from_std(copy.into())?),
            Socket::Lane(_) | Socket::Group(_) | Socket::Messages(_) => {
                return Err(io::ErrorKind::Unsupported.into());
            }
        })
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

    /// Takes the next datagram.
    pub(super) fn take_datagram(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        if let Socket::Lane(lane) = self {
            return lane.take(buffer);
        }
        self.try_io(Interest::READABLE, || {
            let mut control = cmsg_space!(u32, [i64; 6]);
            let mut parts = [IoSliceMut::new(buffer)];
            let fd = self.as_fd().as_raw_fd();
            let message = recvmsg::<()>(fd, &mut parts, Some(&mut control), MsgFlags::empty())?;
            let mut datagram = Datagram {
                len: message.bytes,
                dropped: None,
                arrived: None,
            };
            #[cfg(target_os = "linux")]
            for one in message.cmsgs().into_iter().flatten() {
                if let ControlMessageOwned::RxqOvfl(count) = one {
                    datagram.dropped = Some(count);
                }
                datagram.arrived = datagram.arrived.or(arrival(&one));
            }
            Ok(datagram)
        })
    }

    /// Reads from a stream, and says when the last byte arrived in the kernel, if that was asked for.
    pub(super) fn read_stamped(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<Timestamp>)> {
        let mut arrived = None;
        let count = self.read_by(buffer, |fd, buffer| {
            let mut control = cmsg_space!([i64; 6]);
            let mut parts = [IoSliceMut::new(buffer)];
            let message = recvmsg::<()>(fd, &mut parts, Some(&mut control), MsgFlags::empty())?;
            #[cfg(target_os = "linux")]
            for one in message.cmsgs().into_iter().flatten() {
                arrived = arrived.or(arrival(&one));
            }
            Ok(message.bytes)
        })?;
        Ok((count, arrived))
    }

    /// Does what is to be done about errors that the reactor has told of, and lets it know that they were heard.
    /// Nothing is done where it has told of none.
    pub(super) fn heard_errors(&self, hear: impl FnOnce()) {
        let heard: io::Result<()> = self.try_io(Interest::ERROR, || {
            hear();
            Err(io::ErrorKind::WouldBlock.into())
        });
        drop(heard);
    }

    /// Whether neither direction is open any more.
    pub(super) fn is_hung_up(&self) -> bool {
        let mut asked = [PollFd::new(self.as_fd(), PollFlags::empty())];
        let told = poll(&mut asked, PollTimeout::ZERO).is_ok();
        let [asked] = asked;
        told && asked
            .revents()
            .is_some_and(|told| told.contains(PollFlags::POLLHUP))
    }

    /// Reads what has arrived without asking the reactor, which may not have heard of it yet; none if nothing has.
    pub(super) fn waiting(&self, buffer: &mut [u8]) -> Option<usize> {
        let read = recv(self.as_fd().as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT);
        // An end or an error is found again by whoever reads next.
        read.ok().filter(|count| *count > 0)
    }

    /// The error that came back for a datagram, of which the reactor is told that it was heard.
    pub(super) fn take_refusal(&self) -> Option<io::Error> {
        let mut refusal = None;
        self.heard_errors(|| refusal = self.take_error().ok().flatten());
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
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_by(buffer, |fd, buffer| recv(fd, buffer, MsgFlags::empty()))
    }
}

impl Socket {
    /// A read that leaves room in the buffer has emptied the socket, and the reactor is told so at once (as tokio's
    /// own `poll_read` does): asking the socket again would cost every message a system call.
    fn read_by(
        &self,
        buffer: &mut [u8],
        read: impl FnOnce(RawFd, &mut [u8]) -> nix::Result<usize>,
    ) -> io::Result<usize> {
        let mut taken = None;
        let tried = self.try_io(Interest::READABLE, || {
            let count = read(self.as_fd().as_raw_fd(), buffer)?;
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
