//! From a captured frame to the IP packet in it: the link types that carry IP, tags of VLANs and of backbones, SNAP, MPLS
//! labels, and PPP.
//!
//! Source: <https://www.tcpdump.org/linktypes.html>.

use std::fmt;

use etherparse::ether_type;

/// Tags that are looked through: those of a provider's backbone around those of Q-in-Q, and one more.
const MOST_TAGS: usize = 5;

/// A tag of a backbone, and what follows it there: the service, and a whole Ethernet frame up to its own `EtherType`
/// (IEEE 802.1ah).
const BACKBONE: u16 = 0x88e7;
const BACKBONE_TAG: usize = 2 + 4 + 12;

/// The most that stands in place of an `EtherType` and is a length (IEEE 802.3 §3.2.6).
const LONGEST: u16 = 1500;

/// What stands between such a length and an `EtherType` (RFC 1042).
const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];

/// MPLS labels that are looked through.
const MOST_LABELS: usize = 8;

/// The tags of VLANs (IEEE 802.1Q).
const VLAN: [u16; 3] = [
    ether_type::VLAN_TAGGED_FRAME.0,
    ether_type::PROVIDER_BRIDGING.0,
    ether_type::VLAN_DOUBLE_TAGGED_FRAME.0,
];

/// MPLS to one receiver, and to several (RFC 5332).
const MPLS: [u16; 2] = [0x8847, 0x8848];

/// How the frames of an interface begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// `LINKTYPE_ETHERNET`.
    Ethernet,
    /// `LINKTYPE_LINUX_SLL`.
    Cooked,
    /// `LINKTYPE_LINUX_SLL2`.
    Cooked2,
    /// `LINKTYPE_RAW` and its relatives: nothing before the IP header.
    Raw,
    /// `LINKTYPE_PPP` and its relatives.
    Ppp,
    /// `LINKTYPE_PPP_ETHER`: a `PPPoE` session.
    PppEther,
    /// `LINKTYPE_C_HDLC`: Cisco's HDLC.
    Hdlc,
    /// `LINKTYPE_NULL` and `LINKTYPE_LOOP`: four bytes that name the address family, in either byte order.
    Loopback,
    /// One that is not read.
    Other(u16),
}

impl Link {
    /// The link type of that number.
    pub(super) fn new(number: u16) -> Link {
        match number {
            0 | 108 => Link::Loopback,
            1 => Link::Ethernet,
            9 | 50 => Link::Ppp,
            51 => Link::PppEther,
            104 => Link::Hdlc,
            12 | 14 | 101 | 228 | 229 => Link::Raw,
            113 => Link::Cooked,
            276 => Link::Cooked2,
            other => Link::Other(other),
        }
    }

    /// The IP packet in `frame`, with whatever padding follows it; `None` if it carries something else.
    pub(super) fn ip(self, frame: &[u8]) -> Option<&[u8]> {
        match self {
            Link::Ethernet => tagged(frame, 12),
            Link::Cooked => tagged(frame, 14),
            // The protocol comes first, the packet after 20 bytes.
            Link::Cooked2 => is_ip(word(frame, 0)?).then(|| frame.get(20..)).flatten(),
            Link::Raw => Some(frame),
            Link::Ppp if frame.first().is_some_and(|first| CISCO.contains(first)) => tagged(frame, 2),
            // Address and control may have been negotiated away (RFC 1661 §6.6).
            Link::Ppp => ppp(frame.strip_prefix(&[0xff, 3]).unwrap_or(frame)),
            Link::PppEther => pppoe(frame),
            Link::Hdlc => tagged(frame, 2),
            // The number of AF_INET6 differs between systems; the packet itself tells its version.
            Link::Loopback => frame.get(4..),
            Link::Other(_) => None,
        }
        .filter(|packet| matches!(packet.first().map(|first| first >> 4), Some(4 | 6)))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Link::Ethernet => f.write_str("Ethernet"),
            Link::Cooked | Link::Cooked2 => f.write_str("Linux cooked"),
            Link::Raw => f.write_str("raw IP"),
            Link::Ppp | Link::PppEther => f.write_str("PPP"),
            Link::Hdlc => f.write_str("Cisco HDLC"),
            Link::Loopback => f.write_str("loopback"),
            Link::Other(number) => write!(f, "link type {number}"),
        }
    }
}

/// How frames of Cisco's HDLC begin, which captures of serial lines call PPP: to one, or to all.
const CISCO: [u8; 2] = [0x0f, 0x8f];

/// The `EtherType` of a `PPPoE` session, and its header: version, code, session, length (RFC 2516 §4).
const PPPOE_SESSION: u16 = 0x8864;
const PPPOE_HEADER: usize = 6;

/// The packet in a `PPPoE` session. Its length counts, and not that of a packet which was padded before it was put in.
fn pppoe(frame: &[u8]) -> Option<&[u8]> {
    let len = usize::from(word(frame, PPPOE_HEADER - 2)?);
    let rest = frame.get(PPPOE_HEADER..)?;
    ppp(rest.get(..len).unwrap_or(rest))
}

/// The packet behind PPP's protocol field, whose first byte may have been negotiated away (RFC 1661 §6.5).
fn ppp(frame: &[u8]) -> Option<&[u8]> {
    const IPV4: u8 = 0x21;
    const IPV6: u8 = 0x57;
    const LABELS: [[u8; 2]; 2] = [[2, 0x81], [2, 0x83]];
    if let Some((kind, labels)) = frame.split_first_chunk()
        && LABELS.contains(kind)
    {
        return labelled(labels);
    }
    let field = frame.strip_prefix(&[0]).unwrap_or(frame);
    let (protocol, packet) = field.split_first()?;
    [IPV4, IPV6].contains(protocol).then_some(packet)
}

/// The packet behind MPLS labels (RFC 3032 §2.1): nothing tells what it is but its own first bits.
fn labelled(mut frame: &[u8]) -> Option<&[u8]> {
    for _ in 0..MOST_LABELS {
        let ([.., bottom, _], rest) = frame.split_first_chunk::<4>()?;
        if bottom & 1 == 1 {
            return Some(rest);
        }
        frame = rest;
    }
    None
}

/// The packet behind the `EtherType` at `at`, or behind those that follow tags.
fn tagged(frame: &[u8], mut at: usize) -> Option<&[u8]> {
    for _ in 0..=MOST_TAGS {
        let kind = word(frame, at)?;
        if is_ip(kind) {
            return frame.get(at + 2..);
        }
        if MPLS.contains(&kind) {
            return labelled(frame.get(at + 2..)?);
        }
        if kind == PPPOE_SESSION {
            return pppoe(frame.get(at + 2..)?);
        }
        at += match kind {
            BACKBONE => BACKBONE_TAG,
            ..=LONGEST if frame.get(at + 2..)?.starts_with(&SNAP) => 2 + SNAP.len(),
            _ if VLAN.contains(&kind) => 4,
            _ => return None,
        };
    }
    None
}

fn is_ip(kind: u16) -> bool {
    kind == ether_type::IPV4.0 || kind == ether_type::IPV6.0
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: u16, header: &str, found: bool) {
        let mut frame = hex::decode(header.replace(' ', "")).unwrap();
        let start = frame.len();
        frame.extend([0x45, 0, 0, 20]);
        let expected = found.then(|| &frame[start..]);
        assert_eq!(Link::new(number).ip(&frame), expected, "{number}: {header}");
        for cut in 0..=start {
            assert_eq!(
                Link::new(number).ip(&frame[..cut]),
                None,
                "{number}: cut at {cut}"
            );
        }
    }

    #[test]
    fn the_packet_is_found_behind_every_link_header() {
        check(1, "000000000000 000000000000 0800", true);
        check(1, "000000000000 000000000000 8100 0001 0800", true);
        check(1, "000000000000 000000000000 88a8 0001 8100 0002 0800", true);
        check(1, "000000000000 000000000000 9100 0001 8100 0002 0800", true);
        check(1, "000000000000 000000000000 0806", false);
        check(1, "000000000000 000000000000 0026", false);
        check(1, "000000000000 000000000000 0024 aaaa03000000 0800", true);
        check(1, "000000000000 000000000000 0024 aaaa03000000 8137", false);
        check(1, "000000000000 000000000000 0024 424203 0800", false);
        check(
            1,
            "000000000000 000000000000 8100 0fd3 88e7 001ebb44 000000000000 000000000000 8100 0fb4 0800",
            true,
        );
        check(113, "0000 0304 0006 0000000000000000 0800", true);
        check(
            113,
            "0000 0304 0006 0000000000000000 0004 aaaa03000000 0800",
            true,
        );
        check(113, "0000 0304 0006 0000000000000000 0004", false);
        check(276, "0800 0000 00000001 0304 00 06 0000000000000000", true);
        check(276, "0806 0000 00000001 0304 00 06 0000000000000000", false);
        check(1, "000000000000 000000000000 8847 00012 040 00010 140", true);
        check(1, "000000000000 000000000000 8864 11 00 0001 0016 0021", true);
        check(1, "000000000000 000000000000 8864 11 00 0001 0016 c021", false);
        check(9, "ff03 0021", true);
        check(9, "ff03 0281 00012040 00010140", true);
        check(9, "0057", true);
        check(9, "21", true);
        check(50, "ff03 c021", false);
        check(50, "0f00 0800", true);
        check(51, "11 00 0001 0016 0021", true);
        check(104, "0f00 0800", true);
        check(101, "", true);
        check(12, "", true);
        check(14, "", true);
        check(0, "02000000", true);
        check(108, "00000002", true);
        check(147, "", false);
    }

    #[test]
    fn padding_within_a_session_is_left_out() {
        let frame = hex::decode("1100000100060021450000ff0000").unwrap();
        assert_eq!(Link::PppEther.ip(&frame), Some(&frame[8..12]));
    }

    #[test]
    fn tags_without_end_are_given_up() {
        let frame = [0x81, 0].repeat(1000);
        assert_eq!(Link::Ethernet.ip(&frame), None);
    }
}
