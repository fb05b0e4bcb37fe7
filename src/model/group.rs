//! Multicast groups, as in `239.1.2.3` or `ff02::fb%eth0`: parsing and printing.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::endpoint::short;

/// A group whose datagrams are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Its address.
    pub ip: IpAddr,
    /// The interface, by name or number; `None` lets the system choose.
    pub interface: Option<String>,
}

/// A text that is no group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no multicast group: write one of 224.0.0.0 to 239.255.255.255 or of ff00::/8, as in 239.1.2.3 or \
     ff02::fb%eth0"
)]
pub struct GroupError(String);

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{}%{interface}", self.ip),
            None => self.ip.fmt(f),
        }
    }
}

impl FromStr for Group {
    type Err = GroupError;

    fn from_str(text: &str) -> Result<Group, GroupError> {
        let wrong = || GroupError(short(text));
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let (ip, interface) = match inner.unwrap_or(text).split_once('%') {
            Some((_, "")) => return Err(wrong()),
            Some((ip, interface)) => (ip, Some(interface.to_owned())),
            None => (inner.unwrap_or(text), None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
        ip.is_multicast()
            .then_some(Group { ip, interface })
            .ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_and_printed() {
        let check = |text: &str, expected: &str| {
            let group: Group = text.parse().unwrap();
            assert_eq!(group.to_string(), expected);
            assert_eq!(expected.parse::<Group>().unwrap(), group);
        };
        check("239.1.2.3", "239.1.2.3");
        check("224.0.0.251%eth0", "224.0.0.251%eth0");
        check("ff02::fb%2", "ff02::fb%2");
        check("[ff02::fb%eth0]", "ff02::fb%eth0");
        for wrong in ["", "127.0.0.1", "fe80::1", "239.1.2.3%", "239.1.2.3:5000", "mdns"] {
            assert!(wrong.parse::<Group>().is_err(), "{wrong}");
        }
    }
}
