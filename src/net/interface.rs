//! The interfaces of this machine: their names, numbers and IPv4 addresses.

use std::io;
use std::net::Ipv4Addr;

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::{if_indextoname, if_nametoindex};
use nix::sys::socket::{SockaddrIn, SockaddrStorage};

/// The number of the interface of that name.
pub(super) fn index(name: &str) -> io::Result<u32> {
    Ok(if_nametoindex(name)?)
}

/// The name of the interface of that number; none is 0, and any.
pub(super) fn name(index: u32) -> Option<String> {
    let name = if_indextoname(index).ok()?;
    // The library takes a failure for an empty name.
    (!name.is_empty()).then(|| name.to_string_lossy().into_owned())
}

/// The first IPv4 address of the interface of that name.
pub(super) fn v4_of(name: &str) -> io::Result<Ipv4Addr> {
    index(name)?;
    let found = addresses()?.find(|(interface, _)| interface == name);
    // The interface is there, and cannot be used in this way.
    found
        .map(|(_, address)| address)
        .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// The name of the interface that has this IPv4 address.
pub(super) fn with_v4(wanted: Ipv4Addr) -> Option<String> {
    let found = addresses().ok()?.find(|(_, address)| *address == wanted);
    found.map(|(name, _)| name)
}

/// Interface and address.
fn addresses() -> io::Result<impl Iterator<Item = (String, Ipv4Addr)>> {
    let v4 = |address: Option<SockaddrStorage>| address.as_ref()?.as_sockaddr_in().map(SockaddrIn::ip);
    Ok(getifaddrs()?.filter_map(move |interface: InterfaceAddress| {
        Some((interface.interface_name, v4(interface.address)?))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_known() {
        let lo = with_v4(Ipv4Addr::LOCALHOST).unwrap();
        assert_eq!(name(index(&lo).unwrap()), Some(lo.clone()));
        assert_eq!(v4_of(&lo).unwrap(), Ipv4Addr::LOCALHOST);
        assert!(index("no-such-if").is_err() && v4_of("no-such-if").is_err());
        assert_eq!(name(0), None);
    }
}
