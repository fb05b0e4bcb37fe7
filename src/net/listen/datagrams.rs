//! Datagrams from anybody: each sender has a lane of its own, so that it is a connection like any other.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
#[cfg(target_os = "linux")]
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockRef, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::accept::{Arrival, canonical};
use crate::capture::MAX_DATAGRAM;
use crate::model::SocketOptions;
use crate::net::lane::{Inlet, Lane};
use crate::net::socket::Socket;
use crate::net::sockopt::apply;

/// The bytes of datagrams that may wait to be read, if the system allows as many.
const BUFFER: usize = 4 << 20;

/// Datagrams that are taken from the socket before others have their turn.
const BATCH: usize = 256;

/// Senders that are remembered before those are looked for that have gone.
const REMEMBERED: usize = 256;

/// A socket at which datagrams from anybody arrive.
#[derive(Debug)]
pub(super) struct Sorter {
    socket: Arc<UdpSocket>,
    buffer: Vec<u8>,
    inlets: HashMap<SocketAddr, Inlet>,
    /// When so many are remembered, it is time to forget some.
    most: usize,
    /// How many datagrams the kernel has dropped so far.
    dropped: u32,
}

impl Sorter {
    /// Binds a socket.
    pub(super) fn bind(address: SocketAddr, sockets: &SocketOptions) -> io::Result<Sorter> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_broadcast(true)?;
        // As much as the system allows: what does not fit the buffer is dropped by the kernel.
        drop(socket.set_recv_buffer_size(BUFFER));
        #[cfg(target_os = "linux")]
        {
            // Where the kernel does not count what it drops, nothing is said of it.
            let _ = setsockopt(&socket, sockopt::RxqOvfl, &1);
            // Which of our addresses a datagram was sent to, where there are several.
            if address.is_ipv6() {
                setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
            } else {
                setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
            }
        }
        apply(sockets, &SockRef::from(&socket))?;
        socket.bind(&address.into())?;
        Ok(Sorter {
            socket: Arc::new(UdpSocket::from_std(socket.into())?),
            buffer: vec![0; MAX_DATAGRAM],
            inlets: HashMap::new(),
            most: REMEMBERED,
            dropped: 0,
        })
    }

    /// The socket.
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Takes what is there, and puts it where it belongs. Who is new comes back, without the datagram, which is in its
    /// lane already.
    pub(super) fn sort(&mut self) -> io::Result<Vec<Arrival>> {
        let mut arrivals = Vec::new();
        for _ in 0..BATCH {
            let taken = self
                .socket
                .try_io(Interest::READABLE, || take(&self.socket, &mut self.buffer));
            let taken = match taken {
                Ok(taken) => taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if arrivals.is_empty() => return Err(error),
                Err(_) => break,
            };
            let bytes = self.buffer.get(..taken.count).unwrap_or_default();
            let dropped = taken.dropped.map_or(0, |count| count.wrapping_sub(self.dropped));
            self.dropped = self.dropped.wrapping_add(dropped);
            let known = self.inlets.get(&taken.remote);
            if known.is_none_or(|inlet| !inlet.put(bytes, dropped)) {
                let mut local = self.socket.local_addr()?;
                if let Some(ip) = taken.local.filter(|ip| ip.is_ipv4() == local.is_ipv4()) {
                    local.set_ip(ip);
                }
                let (lane, inlet) = Lane::new(Arc::clone(&self.socket), local, taken.remote);
                inlet.put(bytes, dropped);
                self.inlets.insert(taken.remote, inlet);
                arrivals.push(Arrival {
                    local: canonical(local),
                    remote: canonical(taken.remote),
                    socket: Socket::Lane(lane),
                    who: None,
                });
            }
        }
        if self.inlets.len() > self.most {
            self.inlets.retain(|_, inlet| !inlet.is_over());
            self.most = (2 * self.inlets.len()).max(REMEMBERED);
        }
        Ok(arrivals)
    }
}

/// A datagram that was taken.
struct Taken {
    count: usize,
    remote: SocketAddr,
    /// Which of our addresses it was sent to.
    local: Option<IpAddr>,
    /// How many the kernel has dropped so far (socket(7), `SO_RXQ_OVFL`).
    dropped: Option<u32>,
}

fn take(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Taken> {
    let mut control = cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo, u32);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::empty(),
    )?;
    let remote = message.address.as_ref().and_then(address_of);
    let mut taken = Taken {
        count: message.bytes,
        remote: remote.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?,
        local: None,
        dropped: None,
    };
    for one in message.cmsgs().into_iter().flatten() {
        match one {
            #[cfg(target_os = "linux")]
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                taken.local = Some(IpAddr::from(info.ipi_addr.s_addr.to_ne_bytes()));
            }
            #[cfg(target_os = "linux")]
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                taken.local = Some(IpAddr::from(info.ipi6_addr.s6_addr));
            }
            #[cfg(target_os = "linux")]
            ControlMessageOwned::RxqOvfl(count) => taken.dropped = Some(count),
            _ => {}
        }
    }
    Ok(taken)
}

fn address_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
