//! A UDP socket that is not connected, because whoever answers has another address than what was written to: a
//! multicast group, or everybody in a network (RFC 1112, RFC 919).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, InterfaceIndexOrAddress, SockRef, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::datagram::{self, Datagram};
use super::reach::{Error, Means, receive_buffer};
use super::sockopt::apply;
use super::{Bind, interface, reach};
use crate::model::{Group, SocketOption};

/// A socket that sends to one address and hears others.
#[derive(Debug)]
pub(super) struct GroupSocket {
    socket: UdpSocket,
    /// Where it sends to.
    target: SocketAddr,
    /// Our address, as those who answer see it.
    local: SocketAddr,
}

/// Whether nobody answers from that address itself.
pub(super) fn is_for_many(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_multicast() || interface::is_broadcast(ip),
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}

impl GroupSocket {
    /// Makes one that sends to `target`, and joins what is to be joined. It has the port of the target where groups are
    /// joined, whose datagrams go there, unless another one is asked for.
    pub(super) fn open(target: SocketAddr, means: &Means) -> Result<GroupSocket, Error> {
        let socket = unbound(target, means)?;
        let port = if means.join.is_empty() { 0 } else { target.port() };
        let any = Bind { ip: None, port };
        let from = reach::local(target, Some(means.bind.unwrap_or(any))).unwrap_or(target);
        if !means.join.is_empty() {
            // Every program on this machine that has joined gets a copy.
            socket.set_reuse_address(true).map_err(Error::Bind)?;
        }
        socket.bind(&from.into()).map_err(Error::Bind)?;
        for group in &means.join {
            join(&SockRef::from(&socket), group, target.is_ipv6())
                .map_err(|error| Error::Join(group.clone(), error))?;
        }
        let socket = UdpSocket::from_std(socket.into()).map_err(Error::Connect)?;
        let mut local = socket.local_addr().map_err(Error::Connect)?;
        if local.ip().is_unspecified() {
            let port = local.port();
            local = source(target, means)?;
            local.set_port(port);
        }
        Ok(GroupSocket {
            socket,
            target,
            local,
        })
    }

    /// Our address.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// The socket.
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Sends to the target.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.try_io(Interest::WRITABLE, || {
            SockRef::from(&self.socket).send_to(bytes, &self.target.into())
        })
    }

    /// Takes the next datagram, whoever sent it.
    pub(super) fn take(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        self.socket
            .try_io(Interest::READABLE, || datagram::take(&self.socket, buffer))
    }
}

impl AsFd for GroupSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn unbound(target: SocketAddr, means: &Means) -> Result<socket2::Socket, Error> {
    let socket =
        socket2::Socket::new(Domain::for_address(target), Type::DGRAM, None).map_err(Error::Connect)?;
    socket.set_nonblocking(true).map_err(Error::Connect)?;
    socket.set_broadcast(true).map_err(Error::Connect)?;
    receive_buffer(&socket);
    datagram::prepare(&socket, target.is_ipv6()).map_err(Error::Connect)?;
    // Only what was joined: by default Linux delivers what any program of the machine has joined (ip(7)).
    #[cfg(target_os = "linux")]
    if target.is_ipv6() {
        socket.set_multicast_all_v6(false).map_err(Error::Connect)?;
    } else {
        socket.set_multicast_all_v4(false).map_err(Error::Connect)?;
    }
    choose_interface(&socket, target, means)?;
    apply(&means.sockets, &SockRef::from(&socket)).map_err(Error::Option)?;
    Ok(socket)
}

/// Sends through the interface that was named, where none is named for that alone.
fn choose_interface(socket: &socket2::Socket, target: SocketAddr, means: &Means) -> Result<(), Error> {
    if means.sockets.of(SocketOption::MulticastInterface).is_some() {
        return Ok(());
    }
    if let SocketAddr::V6(target) = target
        && target.scope_id() != 0
    {
        return socket
            .set_multicast_if_v6(target.scope_id())
            .map_err(Error::Connect);
    }
    let named = means.join.iter().find(|group| group.interface.is_some());
    let Some((group, name)) = named.and_then(|group| Some((group, group.interface.as_deref()?))) else {
        return Ok(());
    };
    let chosen = if target.is_ipv6() {
        interface::index_of(name).and_then(|index| socket.set_multicast_if_v6(index))
    } else {
        interface::v4_of(name).and_then(|ip| socket.set_multicast_if_v4(&ip))
    };
    chosen.map_err(|error| Error::Join(group.clone(), error))
}

fn join(socket: &SockRef<'_>, group: &Group, is_v6: bool) -> io::Result<()> {
    let index = group.interface.as_deref().map_or(Ok(0), interface::index_of)?;
    match group.ip {
        IpAddr::V4(ip) if !is_v6 => socket.join_multicast_v4_n(&ip, &InterfaceIndexOrAddress::Index(index)),
        IpAddr::V6(ip) if is_v6 => socket.join_multicast_v6(&ip, index),
        IpAddr::V4(_) | IpAddr::V6(_) => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The address that the system sends from: that of a socket which is connected, with all else alike.
fn source(target: SocketAddr, means: &Means) -> Result<SocketAddr, Error> {
    let probe = unbound(target, means)?;
    probe.connect(&target.into()).map_err(Error::Connect)?;
    let local = probe.local_addr().map_err(Error::Connect)?;
    Ok(local.as_socket().unwrap_or(target))
}
