//! One address: the socket that is to reach it, made and connected.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[cfg(target_os = "linux")]
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, SockRef, Type};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use super::Bind;
use super::group::{GroupSocket, is_for_many};
use super::socket::Socket;
use super::sockopt::{Refused, apply};
use crate::model::{Group, SocketOptions};

/// The bytes of datagrams that may wait to be read, if the system allows as many.
const DATAGRAMS: usize = 4 << 20;

/// An address that was tried, and what came of it.
pub(super) type Tried = (SocketAddr, Result<Socket, Error>);

/// What is connected over IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Udp,
}

/// How addresses are tried.
#[derive(Clone, Debug)]
pub(super) struct Means {
    /// Over what.
    pub(super) transport: Transport,
    /// From where.
    pub(super) bind: Option<Bind>,
    /// With which options of the socket.
    pub(super) sockets: SocketOptions,
    /// What groups datagrams are wanted of.
    pub(super) join: Vec<Group>,
}

/// Why an attempt failed: the words depend on which call did.
#[derive(Debug)]
pub(super) enum Error {
    Bind(io::Error),
    Option(Refused),
    Join(Group, io::Error),
    Connect(io::Error),
}

/// Tries an address.
pub(super) async fn connect(remote: SocketAddr, means: Means) -> Tried {
    let connected = match means.transport {
        Transport::Tcp => connect_tcp(remote, &means).await.map(Socket::Tcp),
        Transport::Udp if is_for_many(remote.ip()) || !means.join.is_empty() => {
            GroupSocket::open(remote, &means).map(Socket::Group)
        }
        Transport::Udp => connect_udp(remote, &means).await.map(Socket::Udp),
    };
    (remote, connected)
}

/// The local address to bind to, if one has to be.
pub(super) fn local(remote: SocketAddr, bind: Option<Bind>) -> Option<SocketAddr> {
    let bind = bind?;
    let any: IpAddr = if remote.is_ipv6() {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    };
    Some(SocketAddr::new(bind.ip.unwrap_or(any), bind.port))
}

/// As large as the system allows: what does not fit it is dropped by the kernel.
pub(super) fn receive_buffer(socket: &socket2::Socket) {
    drop(socket.set_recv_buffer_size(DATAGRAMS));
}

async fn connect_udp(remote: SocketAddr, means: &Means) -> Result<UdpSocket, Error> {
    let any = Bind::default();
    let from = local(remote, Some(means.bind.unwrap_or(any))).unwrap_or(remote);
    let socket =
        socket2::Socket::new(Domain::for_address(remote), Type::DGRAM, None).map_err(Error::Connect)?;
    socket.set_nonblocking(true).map_err(Error::Connect)?;
    socket.set_broadcast(true).map_err(Error::Connect)?;
    receive_buffer(&socket);
    // Where the kernel does not count what it drops, nothing is said of it.
    #[cfg(target_os = "linux")]
    let _ = setsockopt(&socket, sockopt::RxqOvfl, &1);
    apply(&means.sockets, &SockRef::from(&socket)).map_err(Error::Option)?;
    socket.bind(&from.into()).map_err(Error::Bind)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(Error::Connect)?;
    socket.connect(remote).await.map_err(Error::Connect)?;
    Ok(socket)
}

async fn connect_tcp(remote: SocketAddr, means: &Means) -> Result<TcpStream, Error> {
    let socket = if remote.is_ipv6() {
        TcpSocket::new_v6()
    } else {
        TcpSocket::new_v4()
    };
    let socket = socket.map_err(Error::Connect)?;
    let from = local(remote, means.bind);
    if from.is_some() {
        // A fixed port is wanted again right after the last connection from it ended.
        socket.set_reuseaddr(true).map_err(Error::Bind)?;
    }
    // What is typed goes out at once; joining small writes would show boundaries that nobody chose.
    socket.set_nodelay(true).map_err(Error::Connect)?;
    // Urgent data stands where it was sent (RFC 6093 §4): anywhere else it would be nowhere in the log.
    SockRef::from(&socket)
        .set_out_of_band_inline(true)
        .map_err(Error::Connect)?;
    apply(&means.sockets, &SockRef::from(&socket)).map_err(Error::Option)?;
    if let Some(from) = from {
        socket.bind(from).map_err(Error::Bind)?;
    }
    socket.connect(remote).await.map_err(Error::Connect)
}
