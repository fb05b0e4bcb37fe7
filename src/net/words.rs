//! Errors of the operating system in sentences: what was tried, what happened, what to do.

use std::io;
use std::net::SocketAddr;

use nix::errno::Errno;

use super::Bind;
use crate::model::{Group, Setting, SocketOption};
use crate::text::format;

/// Why an attempt to reach `remote` failed.
pub(super) fn attempt(remote: SocketAddr, error: &io::Error) -> String {
    match errno(error) {
        Some(Errno::ECONNREFUSED) => {
            format!(
                "{remote} refused the connection: nothing listens there; check the port, or start the server"
            )
        }
        Some(Errno::ETIMEDOUT) => {
            format!("{remote} did not answer: the host is down, or a firewall drops packets")
        }
        Some(Errno::ENETUNREACH) => {
            format!("no route to {remote}: check this machine's network and the address")
        }
        Some(Errno::EHOSTUNREACH) => {
            format!("{remote} cannot be reached: the host is down or behind a firewall")
        }
        Some(Errno::EACCES | Errno::EPERM) => {
            format!("not permitted to connect to {remote}: a local firewall or policy forbids it")
        }
        Some(Errno::EADDRNOTAVAIL) => {
            format!(
                "no local address or port is left for {remote}: check --bind, or wait for old connections"
            )
        }
        Some(Errno::EMFILE | Errno::ENFILE) => {
            format!("cannot open a socket for {remote}: too many open files; raise `ulimit -n`")
        }
        Some(Errno::EINVAL) => {
            format!("{remote} is not an address to connect to: a link-local one needs its zone")
        }
        Some(_) | None => format!("cannot connect to {remote}: {}", plain(error)),
    }
}

/// Why the local end could not be bound.
pub(super) fn bind(bind: Bind, error: &io::Error) -> String {
    let end = match (bind.ip, bind.port) {
        (Some(ip), port) => SocketAddr::new(ip, port).to_string(),
        (None, port) => format!("port {port}"),
    };
    match errno(error) {
        Some(Errno::EACCES | Errno::EPERM) => {
            format!("not permitted to bind to {end}: ports below 1024 need privileges; choose another --bind")
        }
        Some(Errno::EADDRINUSE) => format!("{end} is in use: choose another --bind"),
        Some(Errno::EADDRNOTAVAIL) => {
            format!("{end} is not an address of this machine: choose another --bind")
        }
        Some(_) | None => format!("cannot bind to {end}: {}", plain(error)),
    }
}

/// Why an option of the socket could not be set.
pub(super) fn option(setting: &Setting, error: &io::Error) -> String {
    let constant = setting.option.info().constant;
    let why = match (errno(error), setting.option) {
        (Some(Errno::EPERM | Errno::EACCES), SocketOption::Device) => {
            "it is not permitted, which needs CAP_NET_RAW where the socket has an interface already"
                .to_owned()
        }
        (Some(Errno::EPERM | Errno::EACCES), SocketOption::Mark) => {
            "it is not permitted: that needs CAP_NET_ADMIN or CAP_NET_RAW".to_owned()
        }
        (Some(Errno::EPERM | Errno::EACCES), SocketOption::Priority) => {
            "it is not permitted: more than 6 needs CAP_NET_ADMIN".to_owned()
        }
        (Some(Errno::EPERM | Errno::EACCES), SocketOption::Congestion) => {
            "it is not permitted: sysctl net.ipv4.tcp_allowed_congestion_control lists those that are"
                .to_owned()
        }
        (Some(Errno::ENOENT), SocketOption::Congestion) => {
            "it does not have it: sysctl net.ipv4.tcp_available_congestion_control lists those that it has"
                .to_owned()
        }
        (Some(Errno::ENODEV | Errno::ENXIO), _) => {
            "there is no such interface: ip link lists them".to_owned()
        }
        (Some(Errno::ENOPROTOOPT), _) => "it does not have this option".to_owned(),
        (None, _) if error.kind() == io::ErrorKind::Unsupported => {
            "this system does not have the option".to_owned()
        }
        (None, _) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            "the interface has no IPv4 address".to_owned()
        }
        (Some(_) | None, _) => plain(error),
    };
    format!("the kernel refused the socket option {setting} ({constant}): {why}")
}

/// Why a group could not be joined.
pub(super) fn join(group: &Group, error: &io::Error) -> String {
    let why = match (errno(error), &group.interface) {
        (Some(Errno::ENODEV | Errno::ENXIO | Errno::EADDRNOTAVAIL), Some(_)) => {
            "there is no such interface, or none that takes part: ip link lists them".to_owned()
        }
        (Some(Errno::ENODEV | Errno::EADDRNOTAVAIL), None) => {
            format!("no interface leads there; name one, as in --join {group}%eth0: ip link lists them")
        }
        (Some(Errno::EADDRINUSE), _) => "it is joined already: name it once".to_owned(),
        (Some(Errno::ENOBUFS), _) => {
            "those are too many: sysctl net.ipv4.igmp_max_memberships sets the limit".to_owned()
        }
        (None, _) if error.kind() == io::ErrorKind::InvalidInput => {
            "it is of another address family than the target".to_owned()
        }
        (None, Some(_)) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            "its interface has no IPv4 address".to_owned()
        }
        (Some(_) | None, _) => plain(error),
    };
    format!("cannot join {group}: {why}")
}

/// Why an open connection to `peer` broke.
pub(super) fn broken(peer: &str, error: &io::Error) -> String {
    match errno(error) {
        Some(Errno::ECONNRESET | Errno::EPIPE) => format!("{peer} reset the connection (RST)"),
        Some(Errno::ETIMEDOUT) => format!("{peer} stopped answering: the connection timed out"),
        Some(Errno::EHOSTUNREACH | Errno::ENETUNREACH) => format!("the network to {peer} is gone"),
        Some(_) | None => format!("the connection to {peer} broke: {}", plain(error)),
    }
}

/// What the kernel's count of datagrams that it dropped says.
pub(super) fn dropped(count: u32) -> String {
    let datagrams = if count == 1 { "datagram" } else { "datagrams" };
    format!(
        "the kernel dropped {} {datagrams} before this one: they came faster than they were read",
        format::count(count.into())
    )
}

/// What an error says of a datagram.
pub(super) fn undelivered(peer: &str, error: &io::Error) -> String {
    match errno(error) {
        Some(Errno::ECONNREFUSED) => {
            format!("nothing listens at {peer} (ICMP port unreachable): check the port, or start the server")
        }
        Some(Errno::EMSGSIZE) => {
            "the datagram is too large: at most 65,507 bytes fit over IPv4, or what the path takes".to_owned()
        }
        Some(Errno::EHOSTUNREACH | Errno::ENETUNREACH) => {
            format!("{peer} cannot be reached: check this machine's network and the address")
        }
        Some(_) | None => format!("a datagram to {peer} failed: {}", plain(error)),
    }
}

/// Why a connection to a Unix socket broke.
pub(super) fn broken_unix(peer: &str, error: &io::Error) -> String {
    match errno(error) {
        Some(Errno::ECONNRESET | Errno::EPIPE) => {
            format!("{peer} closed the connection without reading all of it")
        }
        Some(Errno::ECONNREFUSED | Errno::ENOTCONN) => {
            format!("nobody receives at {peer} any more: its server has ended; connect again once it is back")
        }
        Some(_) | None => format!("the connection to {peer} broke: {}", plain(error)),
    }
}

/// What an error says of a message to a Unix socket.
pub(super) fn undelivered_unix(peer: &str, error: &io::Error) -> String {
    match errno(error) {
        Some(Errno::EMSGSIZE) => {
            "the message is larger than the send buffer: set a larger one, as with -o sndbuf=1M".to_owned()
        }
        Some(Errno::EACCES | Errno::EPERM) => {
            format!("{peer} takes no messages from this socket: it has a peer of its own")
        }
        Some(_) | None => format!("a message to {peer} failed: {}", plain(error)),
    }
}

/// The error number, if the operating system gave one.
pub(super) fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

/// The system's words without Rust's "(os error N)", in lower case as all our sentences go on.
pub(super) fn plain(error: &io::Error) -> String {
    errno(error).map_or_else(|| error.to_string(), |errno| errno.desc().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_says_what_to_do() {
        let remote = "127.0.0.1:1".parse().unwrap();
        let check = |errno: Errno, expected: &str| {
            assert_eq!(
                attempt(remote, &io::Error::from_raw_os_error(errno as i32)),
                expected
            );
        };
        check(
            Errno::ECONNREFUSED,
            "127.0.0.1:1 refused the connection: nothing listens there; check the port, or start the server",
        );
        check(
            Errno::ENETUNREACH,
            "no route to 127.0.0.1:1: check this machine's network and the address",
        );
        check(Errno::EIO, "cannot connect to 127.0.0.1:1: i/o error");
    }
}
