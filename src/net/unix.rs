//! Connecting to Unix sockets, and who is at the other end (unix(7)).

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Domain, SockAddr, SockRef, Type};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use crate::model::{ConnectionId, SocketOptions, UnixAddress};
use crate::text::format;

use super::dial::Failure;
use super::reach::Error;
use super::sockopt::apply;
use super::words;

/// How long a server is left alone whose queue of connections is full.
const QUEUE: Duration = Duration::from_millis(50);

/// Connects to a stream socket.
pub(super) async fn connect(
    address: &UnixAddress,
    sockets: &SocketOptions,
    limit: Duration,
) -> Result<UnixStream, Failure> {
    let deadline = Instant::now() + limit;
    loop {
        match attempt(address, sockets) {
            Ok(stream) => return Ok(stream),
            Err(Error::Connect(error)) if words::errno(&error) == Some(Errno::EAGAIN) => {
                if Instant::now() >= deadline {
                    return Err(Failure {
                        reason: format!(
                            "unix:{address} did not accept the connection within {}: its server is busy or stopped",
                            format::took(limit)
                        ),
                        errno: None,
                        timed_out: true,
                    });
                }
                sleep(QUEUE).await;
            }
            Err(error) => return Err(failure(address, error)),
        }
    }
}

fn attempt(address: &UnixAddress, sockets: &SocketOptions) -> Result<UnixStream, Error> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).map_err(Error::Connect)?;
    socket.set_nonblocking(true).map_err(Error::Connect)?;
    apply(sockets, &SockRef::from(&socket)).map_err(Error::Option)?;
    let address = kernel_address(address).map_err(Error::Connect)?;
    socket.connect(&address).map_err(Error::Connect)?;
    UnixStream::from_std(socket.into()).map_err(Error::Connect)
}

fn kernel_address(address: &UnixAddress) -> io::Result<SockAddr> {
    match address {
        UnixAddress::Path(path) => SockAddr::unix(path),
        // The name of an abstract socket begins with a zero byte.
        UnixAddress::Abstract(name) => SockAddr::unix(format!("\0{name}")),
    }
}

/// Why there is no connection, and what the system said.
fn failure(address: &UnixAddress, error: Error) -> Failure {
    let (reason, error) = match error {
        Error::Option(refused) => (words::option(&refused.setting, &refused.error), refused.error),
        Error::Bind(error) | Error::Connect(error) => (why(address, &error), error),
    };
    Failure {
        reason,
        errno: error.raw_os_error(),
        timed_out: false,
    }
}

fn why(address: &UnixAddress, error: &io::Error) -> String {
    match words::errno(error) {
        Some(Errno::ENOENT) => {
            format!("there is no socket unix:{address}: check the path, or start the server")
        }
        Some(Errno::ECONNREFUSED) => match address {
            UnixAddress::Path(_) => {
                format!("nobody listens at unix:{address}: its server has ended, or it is no socket")
            }
            UnixAddress::Abstract(_) => format!("nobody listens at unix:{address}: start the server"),
        },
        Some(Errno::EACCES | Errno::EPERM) => {
            format!("not permitted to connect to unix:{address}: it belongs to another user or group")
        }
        Some(Errno::EPROTOTYPE) => format!("unix:{address} is a socket for datagrams, not for a stream"),
        Some(_) | None => format!("cannot connect to unix:{address}: {}", words::plain(error)),
    }
}

/// Who listens, as the kernel knows it (`SO_PEERCRED`).
pub(super) fn peer(stream: &UnixStream) -> Option<String> {
    let who = stream.peer_cred().ok()?;
    let process = match who.pid() {
        Some(pid) => match name_of(pid) {
            Some(name) => format!("process {pid} ({name}) of "),
            None => format!("process {pid} of "),
        },
        None => String::new(),
    };
    Some(format!(
        "the peer is {process}user {}, group {}",
        who.uid(),
        who.gid()
    ))
}

/// What a process calls itself (proc(5)).
fn name_of(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
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
        let of = |text: &str, id| stand_ins(&text.parse().unwrap(), ConnectionId(id));
        assert_eq!(of("/run/a.sock", 0), of("/run/a.sock", 0));
        assert_ne!(of("/run/a.sock", 0).0, of("/run/a.sock", 1).0);
        assert_ne!(of("/run/a.sock", 0).1, of("/run/b.sock", 0).1);
        for name in 0..1000 {
            let (_, server) = of(&format!("@{name}"), 0);
            assert!(server.ip().is_loopback() && server.ip() != Ipv4Addr::LOCALHOST);
        }
    }
}
