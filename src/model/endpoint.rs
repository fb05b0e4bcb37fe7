//! What can be dialed: parsing and printing of targets such as `localhost:6379` or `tcp://[fe80::1%eth0]:https`.
//!
//! Deliberately absent: resolving. A zone or a service stays a name here; `net` turns it into a number.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The host part of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address literal, for IPv6 with its zone (RFC 4007 §11), as in `fe80::1%eth0`.
    Address {
        /// The address.
        ip: IpAddr,
        /// The zone as it was written: an interface's name or number.
        zone: Option<String>,
    },
    /// A name to be looked up, in its ASCII form (RFC 5890 A-labels).
    Name(String),
}

/// The port part of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// 1 to 65,535.
    Number(u16),
    /// A service name (RFC 6335 §5.1), as in `https`.
    Service(String),
}

/// Something to connect to over TCP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: Port,
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
    /// A scheme that this version does not speak.
    #[error("{0:?} is not supported: write tcp://HOST:PORT or HOST:PORT")]
    BadScheme(String),
}

impl Endpoint {
    /// `HOST:PORT` without the scheme, as the tables show it.
    pub fn authority(&self) -> String {
        match &self.host {
            Host::Address {
                ip: IpAddr::V4(ip), ..
            } => format!("{ip}:{}", self.port),
            Host::Address {
                ip: IpAddr::V6(ip),
                zone: None,
            } => format!("[{ip}]:{}", self.port),
            Host::Address {
                ip: IpAddr::V6(ip),
                zone: Some(zone),
            } => format!("[{ip}%{zone}]:{}", self.port),
            Host::Name(name) => format!("{name}:{}", self.port),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp://{}", self.authority())
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Number(number) => write!(f, "{number}"),
            Port::Service(name) => f.write_str(name),
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
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tcp") => {
                rest.strip_suffix('/').unwrap_or(rest)
            }
            Some((scheme, _)) => return Err(EndpointError::BadScheme(short(&format!("{scheme}://")))),
            None if text.starts_with("unix:") => return Err(EndpointError::BadScheme("unix:".into())),
            None => text,
        };
        let (host, port) = split_authority(rest)?;
        Ok(Endpoint {
            host,
            port: parse_port(port)?,
        })
    }
}

fn split_authority(text: &str) -> Result<(Host, &str), EndpointError> {
    if let Some(inner) = text.strip_prefix('[') {
        let (address, rest) = inner
            .split_once(']')
            .ok_or_else(|| EndpointError::BadAddress(short(text)))?;
        let host =
            parse_v6(address).ok_or_else(|| EndpointError::BadAddress(short(&format!("[{address}]"))))?;
        let port = rest
            .strip_prefix(':')
            .ok_or_else(|| EndpointError::NoPort(short(text)))?;
        return Ok((host, port));
    }
    let (host, port) = text
        .rsplit_once(':')
        .ok_or_else(|| EndpointError::NoPort(short(text)))?;
    if host.is_empty() {
        return Err(EndpointError::NoHost(short(text)));
    }
    if host.contains(':') {
        return Err(EndpointError::Unbracketed(short(text)));
    }
    Ok((parse_host(host)?, port))
}

fn parse_v6(text: &str) -> Option<Host> {
    let (address, zone) = match text.split_once('%') {
        Some((_, "")) => return None,
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    // Interface names hold no slash and no white space (Linux dev_valid_name).
    let clean = |zone: &str| zone.chars().all(|c| c.is_ascii_graphic() && c != '/');
    if !zone.is_none_or(clean) {
        return None;
    }
    let ip = address.parse::<Ipv6Addr>().ok()?;
    Some(Host::Address {
        ip: IpAddr::V6(ip),
        zone: zone.map(str::to_owned),
    })
}

fn parse_host(text: &str) -> Result<Host, EndpointError> {
    if let Ok(ip) = text.parse() {
        return Ok(Host::Address {
            ip: IpAddr::V4(ip),
            zone: None,
        });
    }
    let bad = || EndpointError::BadName(short(text));
    let ascii = idna::domain_to_ascii(text).map_err(|_| bad())?;
    // Underscores are no host name in RFC 952, but names such as `my_service` are common in containers.
    let letters = ascii
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    // 253 is the longest name that fits a DNS message (RFC 1035 §2.3.4).
    if ascii.is_empty() || ascii.len() > 253 || !letters {
        return Err(bad());
    }
    Ok(Host::Name(ascii))
}

fn parse_port(text: &str) -> Result<Port, EndpointError> {
    let bad = || EndpointError::BadPort(short(text));
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.parse() {
            Ok(0) | Err(_) => Err(bad()),
            Ok(number) => Ok(Port::Number(number)),
        };
    }
    let letters = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'.'));
    // RFC 6335 §5.1: at least one letter, and no hyphen first; a sign before a number is no name either.
    let named = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.contains(|c: char| c.is_ascii_alphabetic());
    if !letters || !named {
        return Err(bad());
    }
    Ok(Port::Service(text.to_ascii_lowercase()))
}

/// What is quoted in an error: of a long text its start.
fn short(text: &str) -> String {
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
            "udp://h:1",
            "\"udp://\" is not supported: write tcp://HOST:PORT or HOST:PORT",
        );
    }
}
