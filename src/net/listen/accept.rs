//! Accepting: what arrives at a listening socket, and what to do when there is no descriptor left for it.

use std::fs::File;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use nix::errno::Errno;
use tokio::net::{TcpStream, UnixStream};

use super::bind::{Listener, set_up};
use crate::model::{ConnectionId, UnixAddress};
use crate::net::credentials::Credentials;
use crate::net::socket::Socket;
use crate::net::{unix, words};

/// A connection that was accepted, or somebody who sent a datagram.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) socket: Socket,
    /// Our address; of what has none over IP any.
    pub(super) local: SocketAddr,
    /// The peer's.
    pub(super) remote: SocketAddr,
    /// Who it is, where addresses do not say it.
    pub(super) who: Option<String>,
}

/// What happened at a listening socket.
#[derive(Debug)]
pub(super) enum Happened {
    /// Somebody came.
    Arrived(Vec<Arrival>),
    /// Somebody came and was turned away for want of descriptors; who it was, if that is known.
    TurnedAway(Option<SocketAddr>),
    /// The call failed.
    Failed(io::Error),
}

/// A descriptor in reserve. Without one, a connection that cannot be accepted would stay in the queue of the socket,
/// which would be ready for ever.
#[derive(Debug)]
pub(super) struct Reserve(Option<File>);

impl Reserve {
    pub(super) fn new() -> Reserve {
        Reserve(File::open("/dev/null").ok())
    }
}

/// Waits until something happens at one of them.
pub(super) async fn any(listeners: &mut [Listener], reserve: &mut Reserve) -> Happened {
    future::poll_fn(|context| {
        for listener in &mut *listeners {
            let happened = match poll(listener, context) {
                Poll::Ready(Ok(arrivals)) => Happened::Arrived(arrivals),
                Poll::Ready(Err(error)) if wants_descriptor(&error) => {
                    match turn_away(listener, reserve, context, error) {
                        Poll::Ready(happened) => happened,
                        Poll::Pending => continue,
                    }
                }
                Poll::Ready(Err(error)) => Happened::Failed(error),
                Poll::Pending => continue,
            };
            return Poll::Ready(happened);
        }
        Poll::Pending
    })
    .await
}

fn poll(listener: &mut Listener, context: &mut Context<'_>) -> Poll<io::Result<Vec<Arrival>>> {
    match listener {
        Listener::Tcp(listener) => {
            let accepted = ready!(listener.poll_accept(context));
            Poll::Ready(accepted.and_then(|(stream, remote)| Ok(vec![arrival(stream, remote)?])))
        }
        Listener::Unix(listener) => {
            let accepted = ready!(listener.poll_accept(context));
            Poll::Ready(accepted.map(|(stream, _)| vec![of_unix(stream)]))
        }
        Listener::Udp(sorter) => loop {
            ready!(sorter.socket().poll_recv_ready(context))?;
            match sorter.sort() {
                // Who is known has got what came.
                Ok(arrivals) if arrivals.is_empty() => {}
                arrivals => return Poll::Ready(arrivals),
            }
        },
    }
}

fn arrival(stream: TcpStream, remote: SocketAddr) -> io::Result<Arrival> {
    set_up(&stream)?;
    let local = stream.local_addr()?;
    Ok(Arrival {
        local: canonical(local),
        remote: canonical(remote),
        socket: Socket::Tcp(stream),
        who: None,
    })
}

fn of_unix(stream: UnixStream) -> Arrival {
    // They are replaced by stand-ins as soon as the connection has a number.
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Arrival {
        local: nowhere,
        remote: nowhere,
        who: Credentials::of_peer(&stream).map(|who| who.words()),
        socket: Socket::Unix(stream),
    }
}

/// The addresses that stand for ours and for the peer's in the packets of the session file.
pub(super) fn stand_ins(address: &UnixAddress, id: ConnectionId) -> (SocketAddr, SocketAddr) {
    let (client, server) = unix::stand_ins(address, id);
    (server, client)
}

/// A socket for both families writes IPv4 addresses as such of IPv6.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// accept(2): no descriptor, or no memory for one.
fn wants_descriptor(error: &io::Error) -> bool {
    matches!(
        words::errno(error),
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM)
    )
}

/// Accepts with the descriptor in reserve, and closes at once. Linux asks for the descriptor before it looks whether
/// anybody waits, so the call may have failed for nobody: then it is pending.
fn turn_away(
    listener: &mut Listener,
    reserve: &mut Reserve,
    context: &mut Context<'_>,
    error: io::Error,
) -> Poll<Happened> {
    drop(reserve.0.take());
    let accepted = match listener {
        Listener::Tcp(listener) => listener
            .poll_accept(context)
            .map_ok(|(_, from)| Some(canonical(from))),
        Listener::Unix(listener) => listener.poll_accept(context).map_ok(|_| None),
        // A datagram waits in its queue.
        Listener::Udp(_) => Poll::Ready(Err(error)),
    };
    *reserve = Reserve::new();
    accepted.map(|accepted| accepted.map_or_else(Happened::Failed, Happened::TurnedAway))
}
