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

/// The number of the interface of that name, or that is written as a number.
pub(super) fn index_of(written: &str) -> io::Result<u32> {
    match written.parse() {
        Ok(number) => Ok(number),
        Err(_) => index(written),
    }
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
    let found = addresses()?.find(|(interface, _, _)| interface == name);
    // The interface is there, and cannot be used in this way.
    found
        .map(|(_, address, _)| address)
        .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// The name of the interface that has this IPv4 address.
pub(super) fn with_v4(wanted: Ipv4Addr) -> Option<String> {
    let found = addresses().ok()?.find(|(_, address, _)| *address == wanted);
    found.map(|(name, _, _)| name)
}

/// Whether datagrams to this address go to everybody in a network of this machine (RFC 919).
pub(super) fn is_broadcast(address: Ipv4Addr) -> bool {
    let all = |(_, own, mask): (String, Ipv4Addr, Ipv4Addr)| broadcast_of(own, mask) == Some(address);
    address.is_broadcast() || addresses().is_ok_and(|mut addresses| addresses.any(all))
}

/// The last address of a network; networks of two addresses have none for everybody (RFC 3021).
fn broadcast_of(own: Ipv4Addr, mask: Ipv4Addr) -> Option<Ipv4Addr> {
    let host = !u32::from(mask);
    (host > 1).then(|| Ipv4Addr::from(u32::from(own) | host))
}

/// Interface, address and mask.
fn addresses() -> io::Result<impl Iterator<Item = (String, Ipv4Addr, Ipv4Addr)>> {
    let v4 = |address: Option<SockaddrStorage>| address.as_ref()?.as_sockaddr_in().map(SockaddrIn::ip);
    Ok(getifaddrs()?.filter_map(move |interface: InterfaceAddress| {
        Some((
            interface.interface_name,
            v4(interface.address)?,
            v4(interface.netmask)?,
        ))
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

    #[test]
    fn the_last_address_of_a_network_is_for_everybody() {
        let check = |own: [u8; 4], mask: [u8; 4], expected: Option<[u8; 4]>| {
            assert_eq!(
                broadcast_of(own.into(), mask.into()),
                expected.map(Ipv4Addr::from)
            );
        };
        check([192, 168, 1, 7], [255, 255, 255, 0], Some([192, 168, 1, 255]));
        check([10, 1, 2, 3], [255, 255, 255, 252], Some([10, 1, 2, 3]));
        check([10, 1, 2, 3], [255, 255, 255, 254], None);
        check([10, 1, 2, 3], [255, 255, 255, 255], None);
        assert!(is_broadcast(Ipv4Addr::BROADCAST));
        assert!(is_broadcast(Ipv4Addr::new(127, 255, 255, 255)));
        assert!(!is_broadcast(Ipv4Addr::LOCALHOST));
    }
}
