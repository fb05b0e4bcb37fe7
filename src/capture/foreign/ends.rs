//! Whom an IP packet is from and to in the end, where the header names somebody on the way: IPv6's home address and
//! routing headers. The checksums of TCP and UDP are over these addresses too (RFC 8200 §8.1, RFC 6275 §11.3.1).

use std::net::{IpAddr, Ipv6Addr};

use etherparse::{Ipv6ExtensionSlice, LaxIpSlice};

use super::extensions::extensions;

/// A padding option of one byte (RFC 8200 §4.2).
const PAD1: u8 = 0;

/// The home address of a mobile node (RFC 6275 §6.3).
const HOME_ADDRESS: u8 = 0xc9;

/// An address in a header.
const ADDRESS: usize = 16;

/// The first sender's and the last receiver's address.
pub(super) fn ends(ip: &LaxIpSlice<'_>) -> [IpAddr; 2] {
    let mut ends = [ip.source_addr(), ip.destination_addr()];
    let LaxIpSlice::Ipv6(v6) = ip else {
        return ends;
    };
    for extension in extensions(v6) {
        match extension {
            Ipv6ExtensionSlice::DestinationOptions(options) => {
                if let Some(home) = home_address(options.payload()) {
                    ends[0] = home.into();
                }
            }
            Ipv6ExtensionSlice::Routing(route) => {
                if let Some(last) = last_segment(route.payload()) {
                    ends[1] = last.into();
                }
            }
            Ipv6ExtensionSlice::HopByHop(_)
            | Ipv6ExtensionSlice::Fragment(_)
            | Ipv6ExtensionSlice::Authentication(_) => {}
        }
    }
    ends
}

/// The home address among destination options, which are types, lengths and values (RFC 8200 §4.2).
fn home_address(mut options: &[u8]) -> Option<Ipv6Addr> {
    loop {
        let (kind, after) = options.split_first()?;
        if *kind == PAD1 {
            options = after;
            continue;
        }
        let (len, after) = after.split_first()?;
        let (value, after) = after.split_at_checked(usize::from(*len))?;
        if *kind == HOME_ADDRESS {
            return address(value);
        }
        options = after;
    }
}

/// The last address of a route that is not yet at its end. `route` starts at the routing type.
fn last_segment(route: &[u8]) -> Option<Ipv6Addr> {
    let ([kind, left, _, _, _, _], segments) = route.split_first_chunk::<6>()?;
    match (kind, left) {
        (_, 0) => None,
        // In the order of travel (RFC 2460 §4.4, RFC 6275 §6.4).
        (0 | 2, _) => segments.rchunks_exact(ADDRESS).next().and_then(address),
        // Against the order of travel (RFC 8754 §2).
        (4, _) => segments.get(..ADDRESS).and_then(address),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<Ipv6Addr> {
    <[u8; ADDRESS]>::try_from(bytes).ok().map(Ipv6Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARE_OF: &str = "2001:db8::c";
    const ON_THE_WAY: &str = "2001:db8::a";
    const FIRST: &str = "2001:db8::1";
    const SECOND: &str = "2001:db8::2";

    fn octets(text: &str) -> [u8; ADDRESS] {
        text.parse::<Ipv6Addr>().unwrap().octets()
    }

    /// An IPv6 packet with one extension header in front of an empty UDP datagram.
    fn check(kind: u8, extension: &[u8], expected: [&str; 2]) {
        let mut header = vec![17, (extension.len() / 8) as u8];
        header.extend(extension);
        assert_eq!(header.len() % 8, 0, "headers come in units of 8 bytes");
        let mut packet = vec![0x60, 0, 0, 0, 0, (header.len() + 8) as u8, kind, 64];
        packet.extend(octets(CARE_OF));
        packet.extend(octets(ON_THE_WAY));
        packet.extend(header);
        packet.extend([0, 1, 0, 2, 0, 8, 0, 0]);
        let (ip, _) = LaxIpSlice::from_slice(&packet).unwrap();
        let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
        assert_eq!(ends(&ip), expected, "{extension:02x?}");
    }

    fn route(kind: u8, left: u8, segments: &[&str]) -> Vec<u8> {
        let mut route = vec![kind, left, 0, 0, 0, 0];
        route.extend(segments.iter().flat_map(|segment| octets(segment)));
        route
    }

    #[test]
    fn a_mobile_node_speaks_from_its_home_address() {
        let mut options = vec![1, 2, 0, 0, HOME_ADDRESS, 16];
        options.extend(octets(FIRST));
        check(60, &options, [FIRST, ON_THE_WAY]);
        check(60, &[PAD1, PAD1, PAD1, PAD1, 1, 0], [CARE_OF, ON_THE_WAY]);
        check(60, &[1, 0, HOME_ADDRESS, 2, 0, 0], [CARE_OF, ON_THE_WAY]);
        check(60, &[1, 0, HOME_ADDRESS, 16, 0, 0], [CARE_OF, ON_THE_WAY]);
    }

    #[test]
    fn a_packet_on_its_way_is_for_the_last_of_its_route() {
        check(43, &route(0, 2, &[FIRST, SECOND]), [CARE_OF, SECOND]);
        check(43, &route(2, 1, &[FIRST]), [CARE_OF, FIRST]);
        check(43, &route(4, 1, &[FIRST, SECOND]), [CARE_OF, FIRST]);
        check(43, &route(0, 0, &[FIRST, SECOND]), [CARE_OF, ON_THE_WAY]);
        check(43, &route(3, 1, &[FIRST]), [CARE_OF, ON_THE_WAY]);
        check(43, &route(4, 1, &[]), [CARE_OF, ON_THE_WAY]);
    }
}
