//! One sender's datagrams out of a socket that everybody sends to: taken in by whoever reads that socket, read here as
//! if it were a socket of its own. The order is that in which the kernel delivered them.
//!
//! Deliberately absent: a connected socket for each sender. Between its binding and its connecting it would take the
//! datagrams of others, and each would hold a descriptor.

use std::collections::VecDeque;
use std::future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nix::libc;
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg};
use tokio::io::{Interest, Ready};
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use super::socket::Datagram;

/// Bytes of datagrams that may wait until the session takes them; as the kernel does, what is more is dropped.
const MOST: usize = 4 << 20;

/// What a datagram that waits takes beside its bytes.
const OVERHEAD: usize = 64;

/// The datagrams of one sender.
#[derive(Debug)]
pub(super) struct Lane {
    socket: Arc<UdpSocket>,
    /// Our address, as the sender knows it.
    local: SocketAddr,
    remote: SocketAddr,
    queue: Arc<Queue>,
}

/// Where its datagrams are put.
#[derive(Debug)]
pub(super) struct Inlet(Weak<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    datagrams: VecDeque<Vec<u8>>,
    bytes: usize,
    /// How many were dropped, by us or by the kernel, in all.
    dropped: u32,
}

impl Lane {
    /// A lane for the datagrams between those addresses, and where what arrives is put.
    pub(super) fn new(socket: Arc<UdpSocket>, local: SocketAddr, remote: SocketAddr) -> (Lane, Inlet) {
        let queue = Arc::new(Queue::default());
        let inlet = Inlet(Arc::downgrade(&queue));
        let lane = Lane {
            socket,
            local,
            remote,
            queue,
        };
        (lane, inlet)
    }

    /// Our address.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// The socket that it shares.
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Waits until something of `interest` is worth trying.
    pub(super) async fn ready(&self, interest: Interest) -> Ready {
        let arrived = async {
            if !interest.is_readable() {
                return future::pending().await;
            }
            while self.queue.waiting().datagrams.is_empty() {
                self.queue.arrived.notified().await;
            }
            Ready::READABLE
        };
        let room = async {
            if !interest.is_writable() {
                return future::pending().await;
            }
            // A failing call means that the reactor is gone: writing will say so.
            drop(self.socket.writable().await);
            Ready::WRITABLE
        };
        tokio::select! {
            biased;
            ready = arrived => ready,
            ready = room => ready,
        }
    }

    /// Takes the next datagram, cut if it does not fit.
    pub(super) fn take(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        let mut waiting = self.queue.waiting();
        let datagram = waiting.datagrams.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        waiting.bytes -= datagram.len() + OVERHEAD;
        let count = datagram.len().min(buffer.len());
        buffer[..count].copy_from_slice(&datagram[..count]);
        Ok(Datagram {
            len: count,
            dropped: Some(waiting.dropped),
            arrived: None,
        })
    }

    /// Sends a datagram from the address that the sender knows.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let to = SockaddrStorage::from(self.remote);
        let parts = [IoSlice::new(bytes)];
        self.socket.try_io(Interest::WRITABLE, || {
            let fd = self.socket.as_raw_fd();
            let sent = match self.local.ip() {
                #[cfg(target_os = "linux")]
                IpAddr::V4(ip) => {
                    let info = libc::in_pktinfo {
                        ipi_ifindex: 0,
                        ipi_spec_dst: libc::in_addr {
                            s_addr: u32::from_ne_bytes(ip.octets()),
                        },
                        ipi_addr: libc::in_addr { s_addr: 0 },
                    };
                    sendmsg(
                        fd,
                        &parts,
                        &[ControlMessage::Ipv4PacketInfo(&info)],
                        MsgFlags::empty(),
                        Some(&to),
                    )
                }
                #[cfg(target_os = "linux")]
                IpAddr::V6(ip) => {
                    let info = libc::in6_pktinfo {
                        ipi6_addr: libc::in6_addr { s6_addr: ip.octets() },
                        ipi6_ifindex: 0,
                    };
                    sendmsg(
                        fd,
                        &parts,
                        &[ControlMessage::Ipv6PacketInfo(&info)],
                        MsgFlags::empty(),
                        Some(&to),
                    )
                }
                #[cfg(not(target_os = "linux"))]
                IpAddr::V4(_) | IpAddr::V6(_) => sendmsg(fd, &parts, &[], MsgFlags::empty(), Some(&to)),
            };
            Ok(sent?)
        })
    }
}

impl Inlet {
    /// Puts a datagram there; whether anybody is there to take it. `dropped` is how many more the kernel has dropped.
    pub(super) fn put(&self, datagram: &[u8], dropped: u32) -> bool {
        let Some(queue) = self.0.upgrade() else {
            return false;
        };
        let mut waiting = queue.waiting();
        waiting.dropped = waiting.dropped.wrapping_add(dropped);
        if waiting.bytes + datagram.len() + OVERHEAD > MOST {
            waiting.dropped = waiting.dropped.wrapping_add(1);
        } else {
            waiting.bytes += datagram.len() + OVERHEAD;
            waiting.datagrams.push_back(datagram.to_vec());
        }
        drop(waiting);
        queue.arrived.notify_one();
        true
    }

    /// Whether nobody takes what is put there any more.
    pub(super) fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A queue is never left half-way: nothing here panics between two changes.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
