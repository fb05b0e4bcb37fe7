//! Names to addresses: one `getaddrinfo` call for each family on a thread of its own, errors told apart
//! (getaddrinfo(3), RFC 3493 §6.1).

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::{Duration, Instant};

use dns_lookup::{AddrFamily, AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};
use nix::net::if_::if_nametoindex;

use crate::model::{Authority, Family, Host, Lookup, Port};

/// `EAI_NODATA` and `EAI_ADDRFAMILY` of Linux, which dns-lookup has no names for everywhere.
const NO_ADDRESS: [i32; 2] = [-5, -9];

/// What is to be looked up, owned, so that a hung resolver keeps nothing of ours.
#[derive(Clone, Debug)]
struct Question {
    host: String,
    service: String,
    zone: Option<u32>,
    family: Family,
}

/// The families to ask for, in the order of preference.
pub(super) fn families(authority: &Authority, only: Option<Family>) -> Result<Vec<Family>, String> {
    let literal = match &authority.host {
        Host::Address {
            ip: IpAddr::V4(_), ..
        } => Some(Family::V4),
        Host::Address {
            ip: IpAddr::V6(_), ..
        } => Some(Family::V6),
        Host::Name(_) => None,
    };
    match (literal, only) {
        (Some(Family::V4), Some(Family::V6)) => Err(format!(
            "{authority} is an IPv4 address, and -6 asks for IPv6 only"
        )),
        (Some(Family::V6), Some(Family::V4)) => Err(format!(
            "{authority} is an IPv6 address, and -4 asks for IPv4 only"
        )),
        (Some(family), _) | (None, Some(family)) => Ok(vec![family]),
        (None, None) => Ok(vec![Family::V6, Family::V4]),
    }
}

/// The authority's address, if it needs no lookup at all.
pub(super) fn literal(authority: &Authority) -> Result<Option<SocketAddr>, String> {
    let (Host::Address { ip, zone }, Port::Number(port)) = (&authority.host, &authority.port) else {
        return Ok(None);
    };
    match ip {
        IpAddr::V4(ip) => Ok(Some(SocketAddr::from((*ip, *port)))),
        IpAddr::V6(ip) => {
            let scope = zone.as_deref().map(interface).transpose()?.unwrap_or(0);
            Ok(Some(SocketAddr::V6(SocketAddrV6::new(*ip, *port, 0, scope))))
        }
    }
}

/// Looks a name up for one family. The thread goes on alone if the caller stops waiting.
pub(super) async fn lookup(authority: Authority, family: Family) -> Lookup {
    let name = authority.to_string();
    let start = Instant::now();
    let answer = tokio::task::spawn_blocking(move || ask(&authority, family)).await;
    // A task can only fail by panicking or by the end of the program; neither is worth more words.
    let result = answer.unwrap_or_else(|e| Err(format!("the resolver failed: {e}")));
    Lookup {
        name,
        family,
        took: start.elapsed(),
        result,
    }
}

/// How a lookup that is given up is recorded.
pub(super) fn timed_out(authority: &Authority, family: Family, took: Duration) -> Lookup {
    let result =
        Err("no answer from the resolver in time: check the network and /etc/resolv.conf".to_owned());
    Lookup {
        name: authority.to_string(),
        family,
        took,
        result,
    }
}

fn ask(authority: &Authority, family: Family) -> Result<Vec<SocketAddr>, String> {
    let question = question(authority, family)?;
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        address: match family {
            Family::V4 => AddrFamily::Inet.into(),
            Family::V6 => AddrFamily::Inet6.into(),
        },
        ..AddrInfoHints::default()
    };
    let found = getaddrinfo(Some(&question.host), Some(&question.service), Some(hints))
        .map_err(|error| words(&question, &error))?;
    let addresses = found
        .filter_map(Result::ok)
        .map(|info| zoned(info.sockaddr, question.zone));
    let addresses: Vec<SocketAddr> = addresses.collect();
    if addresses.is_empty() {
        Err(no_address(&question))
    } else {
        Ok(addresses)
    }
}

fn question(authority: &Authority, family: Family) -> Result<Question, String> {
    let (host, zone) = match &authority.host {
        Host::Name(name) => (name.clone(), None),
        Host::Address { ip, zone } => (ip.to_string(), zone.as_deref().map(interface).transpose()?),
    };
    Ok(Question {
        host,
        service: authority.port.to_string(),
        zone,
        family,
    })
}

fn zoned(address: SocketAddr, zone: Option<u32>) -> SocketAddr {
    match (address, zone) {
        (SocketAddr::V6(v6), Some(scope)) => {
            SocketAddr::V6(SocketAddrV6::new(*v6.ip(), v6.port(), v6.flowinfo(), scope))
        }
        (other, _) => other,
    }
}

/// The index of a zone (RFC 4007 §11.2): an interface's name, or the index itself.
fn interface(zone: &str) -> Result<u32, String> {
    if let Ok(index) = zone.parse() {
        return Ok(index);
    }
    if_nametoindex(zone).map_err(|_| format!("there is no network interface {zone:?}: `ip link` lists them"))
}

fn words(question: &Question, error: &LookupError) -> String {
    let Question { host, service, .. } = question;
    if NO_ADDRESS.contains(&error.error_num()) {
        return no_address(question);
    }
    match error.kind() {
        // One answer for both: getaddrinfo does not tell an unknown name from one without such an address.
        LookupErrorKind::NoName if service.parse::<u16>().is_ok() => unknown(host, question.family),
        LookupErrorKind::NoName => {
            format!("there is no host {host:?} with a service {service:?}: check both names")
        }
        LookupErrorKind::NoData => no_address(question),
        LookupErrorKind::Service => format!("there is no TCP service {service:?}: write the port's number"),
        LookupErrorKind::Again => {
            format!("the resolver cannot answer for {host:?} now: check the network and /etc/resolv.conf")
        }
        LookupErrorKind::Fail => format!("the resolver failed for {host:?}: check /etc/resolv.conf"),
        LookupErrorKind::Badflags
        | LookupErrorKind::Family
        | LookupErrorKind::Socktype
        | LookupErrorKind::Memory
        | LookupErrorKind::System
        | LookupErrorKind::Unknown
        | LookupErrorKind::IO => format!("cannot look up {host:?}: {}", system(error)),
    }
}

fn system(error: &LookupError) -> String {
    let os = io::Error::last_os_error();
    if matches!(error.kind(), LookupErrorKind::System) && os.raw_os_error() != Some(0) {
        return os.to_string();
    }
    format!("the resolver's error {}", error.error_num())
}

fn no_address(question: &Question) -> String {
    format!("{:?} has no {} address", question.host, name(question.family))
}

/// What is said of a name that one lookup does not know.
pub(super) fn unknown(host: &str, family: Family) -> String {
    format!("{host:?} has no {} address, or is unknown", name(family))
}

/// The family's name.
pub(super) fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> Authority {
        text.parse().unwrap()
    }

    #[test]
    fn a_literal_needs_no_lookup() {
        assert_eq!(
            literal(&authority("127.0.0.1:80")),
            Ok(Some("127.0.0.1:80".parse().unwrap()))
        );
        assert_eq!(
            literal(&authority("[::1]:80")),
            Ok(Some("[::1]:80".parse().unwrap()))
        );
        assert_eq!(literal(&authority("localhost:80")), Ok(None));
        assert_eq!(literal(&authority("127.0.0.1:http")), Ok(None));
        let zoned = literal(&authority("[fe80::1%lo]:80")).unwrap().unwrap();
        assert!(matches!(zoned, SocketAddr::V6(v6) if v6.scope_id() != 0));
        assert!(
            literal(&authority("[fe80::1%nowhere0]:80"))
                .unwrap_err()
                .contains("nowhere0")
        );
    }

    #[test]
    fn the_family_that_was_asked_for_must_fit() {
        assert_eq!(
            families(&authority("localhost:1"), None),
            Ok(vec![Family::V6, Family::V4])
        );
        assert_eq!(
            families(&authority("localhost:1"), Some(Family::V4)),
            Ok(vec![Family::V4])
        );
        assert!(families(&authority("127.0.0.1:1"), Some(Family::V6)).is_err());
        assert!(families(&authority("[::1]:1"), Some(Family::V4)).is_err());
    }

    #[test]
    fn names_of_this_host_are_found_and_others_are_named() {
        assert_eq!(
            ask(&authority("localhost:7"), Family::V4),
            Ok(vec!["127.0.0.1:7".parse().unwrap()])
        );
        // RFC 6761 §6.4: this name never exists. Without a resolver the answer is another, and a sentence too.
        let error = ask(&authority("nowhere.invalid:80"), Family::V4).unwrap_err();
        assert!(error.contains("nowhere.invalid"), "{error}");
    }
}
