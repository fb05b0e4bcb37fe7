//! Connecting to Unix sockets of every kind (unix(7)).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Domain, SockAddr, SockRef, Type};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use crate::model::{ConnectionId, Endpoint, SocketOptions, UnixAddress};
use crate::text::format;

use super::credentials::Credentials;
use super::dial::Failure;
use super::messages::{Kind, Messages};
use super::reach::Error;
use super::socket::Socket;
use super::sockopt::apply;
use super::words;

/// How long a server is left alone whose queue of connections is full.
const QUEUE: Duration = Duration::from_millis(50);

/// What is to be connected to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    endpoint: &'a Endpoint,
    pub(super) address: &'a UnixAddress,
    kind: Type,
}

impl<'a> Target<'a> {
    /// The target, if it is a Unix socket.
    pub(super) fn of(endpoint: &'a Endpoint) -> Option<Target<'a>> {
        let (address, kind) = match endpoint {
            Endpoint::Unix(address) => (address, Type::STREAM),
            Endpoint::UnixDatagram(address) => (address, Type::DGRAM),
            Endpoint::UnixSeqpacket(address) => (address, Type::SEQPACKET),
            Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Udp(_) => return None,
        };
        Some(Target {
            endpoint,
            address,
            kind,
        })
    }
}

/// Connects.
pub(super) async fn connect(
    target: Target<'_>,
    sockets: &SocketOptions,
    limit: Duration,
) -> Result<Socket, Failure> {
    let deadline = Instant::now() + limit;
    loop {
        match attempt(target, sockets) {
            Ok(socket) => return Ok(socket),
            Err(Error::Connect(error)) if words::errno(&error) == Some(Errno::EAGAIN) => {
                if Instant::now() >= deadline {
                    return Err(Failure {
                        reason: format!(
                            "{} did not accept the connection within {}: its server is busy or stopped",
                            target.endpoint,
                            format::took(limit)
                        ),
                        errno: None,
                        timed_out: true,
                    });
                }
                sleep(QUEUE).await;
            }
            Err(error) => return Err(failure(target, error)),
        }
    }
}

fn attempt(target: Target<'_>, sockets: &SocketOptions) -> Result<Socket, Error> {
    let socket = socket2::Socket::new(Domain::UNIX, target.kind, None).map_err(Error::Connect)?;
    socket.set_nonblocking(true).map_err(Error::Connect)?;
    apply(sockets, &SockRef::from(&socket)).map_err(Error::Option)?;
    if target.kind != Type::STREAM {
        Credentials::ask_for(&socket);
    }
    if target.kind == Type::DGRAM {
        bind(&socket).map_err(Error::Bind)?;
    }
    let address = kernel_address(target.address).map_err(Error::Connect)?;
    socket.connect(&address).map_err(Error::Connect)?;
    let connected = match target.kind {
        Type::STREAM => UnixStream::from_std(socket.into()).map(Socket::Unix),
        Type::SEQPACKET => Messages::new(socket, Kind::Seqpacket).map(Socket::Messages),
        _ => Messages::new(socket, Kind::Datagram).map(Socket::Messages),
    };
    connected.map_err(Error::Connect)
}

/// Gives a socket for datagrams an address of its own, without which nobody could answer: a name that the kernel
/// chooses in its abstract namespace, so that no file is left behind.
fn bind(socket: &socket2::Socket) -> io::Result<()> {
    // Only Linux has that namespace; elsewhere nothing answers.
    #[cfg(target_os = "linux")]
    socket.bind(&SockAddr::unix("")?)?;
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
    Ok(())
}

fn kernel_address(address: &UnixAddress) -> io::Result<SockAddr> {
    match address {
        UnixAddress::Path(path) => SockAddr::unix(path),
        // The name of an abstract socket begins with a zero byte.
        UnixAddress::Abstract(name) => SockAddr::unix(format!("\0{name}")),
    }
}

/// Why there is no connection, and what the system said.
fn failure(target: Target<'_>, error: Error) -> Failure {
    let (reason, error) = match error {
        Error::Option(refused) => (words::option(&refused.setting, &refused.error), refused.error),
        Error::Bind(error) | Error::Join(_, error) | Error::Connect(error) => (why(target, &error), error),
    };
    Failure {
        reason,
        errno: error.raw_os_error(),
        timed_out: false,
    }
}

fn why(target: Target<'_>, error: &io::Error) -> String {
    let Target {
        endpoint, address, ..
    } = target;
    match words::errno(error) {
        Some(Errno::ENOENT) => {
            format!("there is no socket {endpoint}: check the path, or start the server")
        }
        Some(Errno::ECONNREFUSED) => match address {
            UnixAddress::Path(_) => {
                format!("nobody listens at {endpoint}: its server has ended, or it is no socket")
            }
            UnixAddress::Abstract(_) => format!("nobody listens at {endpoint}: start the server"),
        },
        Some(Errno::EACCES | Errno::EPERM) => {
            format!("not permitted to connect to {endpoint}: it belongs to another user or group")
        }
        Some(Errno::EPROTOTYPE) => wrong_kind(target),
        Some(_) | None => format!("cannot connect to {endpoint}: {}", words::plain(error)),
    }
}

/// The socket is there, and of another kind, which the kernel lists (proc(5), `/proc/net/unix`).
fn wrong_kind(target: Target<'_>) -> String {
    let address = target.address.to_string();
    let listed = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let kind = listed.lines().find_map(|line| kind_in(line, &address));
    let (is, endpoint) = match kind {
        Some("0001") => ("a stream", Endpoint::Unix(target.address.clone())),
        Some("0002") => (
            "a socket for datagrams",
            Endpoint::UnixDatagram(target.address.clone()),
        ),
        Some("0005") => (
            "a socket for messages",
            Endpoint::UnixSeqpacket(target.address.clone()),
        ),
        Some(_) | None => {
            return format!(
                "{} is a socket of another kind: try unix:, unix-dgram: or unix-seqpacket: with {address}",
                target.endpoint
            );
        }
    };
    format!("{} is {is}: write {endpoint}", target.endpoint)
}

/// The kind in a line of that list, if it is about the socket of this address.
fn kind_in<'l>(line: &'l str, address: &str) -> Option<&'l str> {
    // Num, RefCount, Protocol, Flags, Type, St, Inode, and behind one blank the path, which may have more of them.
    let mut rest = line;
    let mut kind = "";
    for field in 0..7 {
        let (word, behind) = rest.trim_start().split_once(' ')?;
        if field == 4 {
            kind = word;
        }
        rest = behind;
    }
    (rest == address).then_some(kind)
}

/// Addresses of IP that stand for ours and the server's in the session file, whose packets need some. That of a server
/// is the same each time.
pub(super) fn stand_ins(address: &UnixAddress, id: ConnectionId) -> (SocketAddr, SocketAddr) {
    // FNV-1a, 64 bits.
    let hash = address
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let [.., a, b, c] = (hash ^ (hash >> 32)).to_be_bytes();
    // Neither 127.0.0.x, which is what other connections have, nor a broadcast address.
    let server = Ipv4Addr::new(127, a | 1, b, c.clamp(1, 254));
    let ours = 32_768 + (id.0 % 28_000) as u16;
    (
        SocketAddr::from((Ipv4Addr::LOCALHOST, ours)),
        SocketAddr::from((server, 1)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_stable_and_differ() {
        let of = |name: &str, id| {
            let endpoint: Endpoint = format!("unix:{name}").parse().unwrap();
            stand_ins(Target::of(&endpoint).unwrap().address, ConnectionId(id))
        };
        assert_eq!(of("/run/a.sock", 0), of("/run/a.sock", 0));
        assert_ne!(of("/run/a.sock", 0).0, of("/run/a.sock", 1).0);
        assert_ne!(of("/run/a.sock", 0).1, of("/run/b.sock", 0).1);
        for name in 0..1000 {
            let (_, server) = of(&format!("@{name}"), 0);
            assert!(server.ip().is_loopback() && server.ip() != Ipv4Addr::LOCALHOST);
        }
    }

    #[test]
    fn the_kind_of_a_listed_socket_is_known() {
        let line = "0000000000000000: 00000002 00000000 00010000 0005 01 26539 /run/a b/socket";
        assert_eq!(kind_in(line, "/run/a b/socket"), Some("0005"));
        assert_eq!(kind_in(line, "b/socket"), None);
        let padded = "0000000000000000: 00000002 00000000 00010000 0002 01    12 @name";
        assert_eq!(kind_in(padded, "@name"), Some("0002"));
        assert_eq!(
            kind_in("0000000000000000: 00000003 00000000 00000000 0001 03 895716", "x"),
            None
        );
    }
}
