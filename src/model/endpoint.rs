//! What can be dialed: parsing and printing of targets such as `localhost:6379` or `tcp://[::1]:https`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::authority::Authority;
use super::conversation::Protocol;

/// The most bytes of a Unix socket's address: `sun_path` without the byte that ends it, or begins it (unix(7)).
const LONGEST_UNIX: usize = 107;

/// What can be connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A TCP server (RFC 9293).
    Tcp(Authority),
    /// A TCP server that speaks TLS from the start (RFC 8446).
    Tls(Authority),
    /// Datagrams to a UDP server (RFC 768).
    Udp(Authority),
    /// A Unix stream socket (unix(7)).
    Unix(UnixAddress),
    /// A Unix socket for datagrams.
    UnixDatagram(UnixAddress),
    /// A Unix socket that is connected and keeps the boundaries of messages.
    UnixSeqpacket(UnixAddress),
}

/// Where a Unix socket is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnixAddress {
    /// In the file system.
    Path(PathBuf),
    /// In Linux's abstract namespace, under this name.
    Abstract(String),
}

/// Why a text is no endpoint; each says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing was written.
    #[error("the target is empty: write HOST:PORT, as in localhost:6379")]
    Empty,
    /// No port.
    #[error("{0:?} has no port: write HOST:PORT, as in localhost:6379 or [::1]:80")]
    NoPort(String),
    /// No host before the colon.
    #[error("{0:?} has no host: write HOST:PORT, as in localhost:6379")]
    NoHost(String),
    /// An IPv6 address without brackets.
    #[error("{0:?} is ambiguous: write an IPv6 address in brackets, as in [::1]:80")]
    Unbracketed(String),
    /// Brackets around something else, or not closed.
    #[error("{0:?} is not an IPv6 address in brackets: write it as in [::1]:80 or [fe80::1%eth0]:80")]
    BadAddress(String),
    /// Not a host name.
    #[error("{0:?} is not a host name")]
    BadName(String),
    /// Neither a number from 1 to 65,535 nor a service name.
    #[error("{0:?} is not a port: write a number from 1 to 65535 or a service name, as in https")]
    BadPort(String),
    /// No path of a Unix socket.
    #[error("{0}: needs a path: write {0}:/PATH, or {0}:@NAME for an abstract socket")]
    NoPath(String),
    /// A path that no Unix socket can have.
    #[error("{0:?} cannot be the address of a Unix socket: it has more than 107 bytes, or a zero byte")]
    BadPath(String),
    /// A scheme that this version does not speak.
    #[error(
        "{0:?} is not supported: write HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, unix:/PATH, \
        unix-dgram:/PATH or unix-seqpacket:/PATH"
    )]
    BadScheme(String),
}

impl Endpoint {
    /// As short as it can be written, as the tables show it: `HOST:PORT` for TCP.
    pub fn brief(&self) -> String {
        match self {
            Endpoint::Tcp(authority) => authority.to_string(),
            Endpoint::Tls(_)
            | Endpoint::Udp(_)
            | Endpoint::Unix(_)
            | Endpoint::UnixDatagram(_)
            | Endpoint::UnixSeqpacket(_) => self.to_string(),
        }
    }

    /// How what crosses is recorded: as one stream of bytes, or as messages with boundaries.
    pub fn protocol(&self) -> Protocol {
        match self {
            Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Unix(_) => Protocol::Tcp,
            Endpoint::Udp(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) => Protocol::Udp,
        }
    }

    /// Whether it has addresses of IP.
    pub fn is_over_ip(&self) -> bool {
        match self {
            Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Udp(_) => true,
            Endpoint::Unix(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) => false,
        }
    }

    /// Whether datagrams cross, each for itself: there is no connection, and no end that could be told.
    pub fn is_connectionless(&self) -> bool {
        match self {
            Endpoint::Udp(_) | Endpoint::UnixDatagram(_) => true,
            Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Unix(_) | Endpoint::UnixSeqpacket(_) => false,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(authority) => write!(f, "tcp://{authority}"),
            Endpoint::Tls(authority) => write!(f, "tls://{authority}"),
            Endpoint::Udp(authority) => write!(f, "udp://{authority}"),
            Endpoint::Unix(address) => write!(f, "{UNIX}:{address}"),
            Endpoint::UnixDatagram(address) => write!(f, "{UNIX_DATAGRAM}:{address}"),
            Endpoint::UnixSeqpacket(address) => write!(f, "{UNIX_SEQPACKET}:{address}"),
        }
    }
}

impl fmt::Display for UnixAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnixAddress::Path(path) => write!(f, "{}", path.display()),
            UnixAddress::Abstract(name) => write!(f, "@{name}"),
        }
    }
}

/// What names of Unix sockets begin with, before a colon; what follows it is no port but a path.
const UNIX: &str = "unix";
const UNIX_DATAGRAM: &str = "unix-dgram";
const UNIX_SEQPACKET: &str = "unix-seqpacket";

impl UnixAddress {
    /// Reads what follows the scheme and its colon.
    fn parse(scheme: &str, text: &str) -> Result<UnixAddress, EndpointError> {
        let (address, name) = match text.strip_prefix('@') {
            Some(name) => (UnixAddress::Abstract(name.to_owned()), name),
            None => (UnixAddress::Path(PathBuf::from(text)), text),
        };
        match name.len() {
            0 => Err(EndpointError::NoPath(scheme.to_owned())),
            1..=LONGEST_UNIX if !name.contains('\0') => Ok(address),
            _ => Err(EndpointError::BadPath(short(name))),
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EndpointError::Empty);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest.strip_suffix('/').unwrap_or(rest)),
            None => match text.split_once(':') {
                Some((UNIX, path)) => return UnixAddress::parse(UNIX, path).map(Endpoint::Unix),
                Some((UNIX_DATAGRAM, path)) => {
                    return UnixAddress::parse(UNIX_DATAGRAM, path).map(Endpoint::UnixDatagram);
                }
                Some((UNIX_SEQPACKET, path)) => {
                    return UnixAddress::parse(UNIX_SEQPACKET, path).map(Endpoint::UnixSeqpacket);
                }
                Some(_) | None => ("tcp", text),
            },
        };
        match scheme.to_ascii_lowercase().as_str() {
            "tcp" => rest.parse().map(Endpoint::Tcp),
            "tls" => rest.parse().map(Endpoint::Tls),
            "udp" => rest.parse().map(Endpoint::Udp),
            _ => Err(EndpointError::BadScheme(short(&format!("{scheme}://")))),
        }
    }
}

/// What is quoted in an error: of a long text its start.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(input: &str, expected: &str) {
        let endpoint: Endpoint = input.parse().unwrap();
        assert_eq!(endpoint.to_string(), expected);
        assert_eq!(
            expected.parse::<Endpoint>().unwrap(),
            endpoint,
            "printing is reversible"
        );
    }

    fn fails(input: &str, expected: &str) {
        assert_eq!(input.parse::<Endpoint>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn endpoints_are_read_and_printed() {
        prints("localhost:6379", "tcp://localhost:6379");
        prints("tcp://localhost:6379/", "tcp://localhost:6379");
        prints("TCP://10.0.0.1:1", "tcp://10.0.0.1:1");
        prints("TLS://localhost:https/", "tls://localhost:https");
        prints("udp://localhost:53", "udp://localhost:53");
        prints("unix:/run/a b:c.sock", "unix:/run/a b:c.sock");
        prints("unix:relative", "unix:relative");
        prints("unix:@name", "unix:@name");
        prints("unix-dgram:/dev/log", "unix-dgram:/dev/log");
        prints("unix-dgram:@name", "unix-dgram:@name");
        prints("unix-seqpacket:/run/a.sock", "unix-seqpacket:/run/a.sock");
        prints("[::1]:80", "tcp://[::1]:80");
        prints("[fe80::1%eth0]:https", "tcp://[fe80::1%eth0]:https");
        prints("my_service:http", "tcp://my_service:http");
        prints("bücher.example:80", "tcp://xn--bcher-kva.example:80");
        prints("  host:65535 ", "tcp://host:65535");
    }

    #[test]
    fn a_wrong_target_says_what_to_write() {
        fails("", "the target is empty: write HOST:PORT, as in localhost:6379");
        fails(
            "host",
            "\"host\" has no port: write HOST:PORT, as in localhost:6379 or [::1]:80",
        );
        fails(
            ":80",
            "\":80\" has no host: write HOST:PORT, as in localhost:6379",
        );
        fails(
            "::1:80",
            "\"::1:80\" is ambiguous: write an IPv6 address in brackets, as in [::1]:80",
        );
        fails(
            "[::1]",
            "\"[::1]\" has no port: write HOST:PORT, as in localhost:6379 or [::1]:80",
        );
        fails(
            "[fe80::1%]:80",
            "\"[fe80::1%]\" is not an IPv6 address in brackets: write it as in [::1]:80 or [fe80::1%eth0]:80",
        );
        fails("a b:80", "\"a b\" is not a host name");
        fails(
            "h:0",
            "\"0\" is not a port: write a number from 1 to 65535 or a service name, as in https",
        );
        fails(
            "h:65536",
            "\"65536\" is not a port: write a number from 1 to 65535 or a service name, as in https",
        );
        fails(
            "h:",
            "\"\" is not a port: write a number from 1 to 65535 or a service name, as in https",
        );
        fails(
            "ssh://h:1",
            "\"ssh://\" is not supported: write HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, unix:/PATH, \
             unix-dgram:/PATH or unix-seqpacket:/PATH",
        );
    }

    #[test]
    fn unix_addresses_fit_the_kernel() {
        let no_path = "unix: needs a path: write unix:/PATH, or unix:@NAME for an abstract socket";
        fails("unix:", no_path);
        fails("unix:@", no_path);
        fails(
            "unix-dgram:",
            "unix-dgram: needs a path: write unix-dgram:/PATH, or unix-dgram:@NAME for an abstract socket",
        );
        prints(
            &format!("unix:{}", "x".repeat(107)),
            &format!("unix:{}", "x".repeat(107)),
        );
        assert!(format!("unix:{}", "x".repeat(108)).parse::<Endpoint>().is_err());
        assert!("unix:/a\0b".parse::<Endpoint>().is_err());
    }
}
