//! The extension headers of an IPv6 packet (RFC 8200 §4), as far as they are whole.

use etherparse::{Ipv6ExtensionSlice, LaxIpv6Slice};

/// The extension headers that were captured whole.
///
/// The iterator of `etherparse` knows the kind of the header that follows the last whole one, and reads it unchecked,
/// past the end of the packet. So it is not asked for more than there is.
pub(super) fn extensions<'a>(
    v6: &LaxIpv6Slice<'a>,
) -> impl Iterator<Item = Ipv6ExtensionSlice<'a>> + use<'a> {
    let mut left = v6.extensions().slice().len();
    let mut headers = v6.extensions().clone().into_iter();
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let header = headers.next()?;
        left = left.saturating_sub(len(&header));
        Some(header)
    })
}

fn len(header: &Ipv6ExtensionSlice<'_>) -> usize {
    match header {
        Ipv6ExtensionSlice::HopByHop(slice)
        | Ipv6ExtensionSlice::Routing(slice)
        | Ipv6ExtensionSlice::DestinationOptions(slice) => slice.slice().len(),
        Ipv6ExtensionSlice::Fragment(slice) => slice.slice().len(),
        Ipv6ExtensionSlice::Authentication(slice) => slice.slice().len(),
    }
}

#[cfg(test)]
mod tests {
    use etherparse::LaxIpSlice;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The kinds that there are: hop-by-hop, routing, fragment, authentication, destination options, and UDP.
    const KINDS: [u8; 6] = [0, 43, 44, 51, 60, 17];

    /// An IPv6 packet whose headers say that these kinds follow one another, each header of eight bytes.
    fn packet(kinds: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, (8 * (kinds.len() - 1)) as u8, kinds[0], 64];
        packet.extend([0xfd; 32]);
        for next in &kinds[1..] {
            packet.extend([*next, 0, 0, 0, 0, 0, 0, 0]);
        }
        packet
    }

    fn check(packet: &[u8], expected: usize) {
        let (ip, _) = LaxIpSlice::from_slice(packet).unwrap();
        let LaxIpSlice::Ipv6(v6) = ip else {
            unreachable!("it says that it is IPv6")
        };
        assert_eq!(extensions(&v6).count(), expected, "{packet:02x?}");
    }

    #[test]
    fn nothing_is_read_past_the_last_whole_header() {
        check(&packet(&[17]), 0);
        check(&packet(&[60, 43, 44, 17]), 3);
        // What follows is not there, cut short, longer than the packet, or at a place where it must not be.
        check(&packet(&[60]), 0);
        check(&packet(&[60, 60]), 1);
        check(&packet(&[60, 60, 17])[..50], 1);
        check(&packet(&[44, 51]), 1);
        check(&packet(&[60, 0, 17]), 1);
        let mut long = packet(&[60, 43, 17]);
        long[49] = 255;
        check(&long, 1);
    }

    proptest! {
        #[test]
        fn any_headers_cut_anywhere_are_read_within_the_packet(
            kinds in vec(prop::sample::select(KINDS.as_slice()), 1..6),
            lengths in vec(0..4u8, 5),
            cut in 0..60usize,
        ) {
            let mut packet = packet(&kinds);
            for (place, len) in (41..packet.len()).step_by(8).zip(lengths) {
                packet[place] = len;
            }
            let len = packet.len().saturating_sub(cut).max(40);
            let (ip, _) = LaxIpSlice::from_slice(&packet[..len]).unwrap();
            let LaxIpSlice::Ipv6(v6) = ip else {
                unreachable!("it says that it is IPv6")
            };
            let read: usize = extensions(&v6).map(|header| super::len(&header)).sum();
            prop_assert_eq!(read, v6.extensions().slice().len());
        }
    }
}
