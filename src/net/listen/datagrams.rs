//! Datagrams from anybody: each sender has a lane of its own, so that it is a connection like any other.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::accept::{Arrival, canonical};
use crate::capture::MAX_DATAGRAM;
use crate::model::SocketOptions;
use crate::net::datagram;
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
        datagram::prepare(&socket, address.is_ipv6())?;
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
            let taken = self.socket.try_io(Interest::READABLE, || {
                datagram::take(&self.socket, &mut self.buffer)
            });
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
