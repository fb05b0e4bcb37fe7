//! A host and a port, as in `localhost:6379` or `[fe80::1%eth0]:https`: parsing and printing.
//!
//! Deliberately absent: resolving. A zone or a service stays a name here; `net` turns it into a number.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::endpoint::{EndpointError, short};

/// The host part of an authority.
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

/// The port part of an authority.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// 1 to 65,535.
    Number(u16),
    /// A service name (RFC 6335 §5.1), as in `https`.
    Service(String),
}

/// Where a server is over IP (RFC 3986 §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: Port,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address {
                ip: IpAddr::V4(ip), ..
            } => write!(f, "{ip}:{}", self.port),
            Host::Address {
                ip: IpAddr::V6(ip),
                zone: None,
            } => write!(f, "[{ip}]:{}", self.port),
            Host::Address {
                ip: IpAddr::V6(ip),
                zone: Some(zone),
            } => write!(f, "[{ip}%{zone}]:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
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

impl FromStr for Authority {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Authority, EndpointError> {
        let (host, port) = split(text)?;
        Ok(Authority {
            host,
            port: parse_port(port)?,
        })
    }
}

impl Authority {
    /// Reads where to wait: also a port alone, for the loopback addresses, and port 0.
    pub(super) fn to_listen_at(text: &str) -> Result<Authority, EndpointError> {
        let name = "localhost";
        let (host, port) = if text.contains(':') {
            split(text)?
        } else {
            (Host::Name(name.to_owned()), text)
        };
        let port = match port {
            "0" => Port::Number(0),
            port => parse_port(port)?,
        };
        Ok(Authority { host, port })
    }
}

fn split(text: &str) -> Result<(Host, &str), EndpointError> {
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
