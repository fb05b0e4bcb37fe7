//! From an IP packet to the TCP segment or UDP datagram in it, also through tunnels of IP in IP. `etherparse` reads
//! the headers; what the capture cut off is counted rather than refused.

use std::net::SocketAddr;

use etherparse::{
    EtherType, IpNumber, Ipv6ExtensionSlice, LaxIpSlice, LenSource, TcpHeader, TcpHeaderSlice, UdpHeader,
    UdpHeaderSlice, ether_type,
};

use super::ends::ends;
use super::extensions::extensions;
use super::fragments::Fragment;
use super::link::Link;

/// An Ethernet frame as the payload of something else.
const BRIDGED_ETHERNET: EtherType = EtherType(0x6558);

/// PPP in the GRE of PPTP.
const PPP: EtherType = EtherType(0x880b);

/// Tunnels in tunnels that are looked through.
const MOST_TUNNELS: usize = 4;

/// The payload of an IP packet.
#[derive(Debug)]
pub(super) struct Packet<'a> {
    /// The sender's and the receiver's address; the ports are in the payload.
    pub(super) ends: [std::net::IpAddr; 2],
    /// What the payload is.
    pub(super) protocol: IpNumber,
    /// The payload, as far as it was captured.
    pub(super) payload: &'a [u8],
    /// Bytes of the payload that were on the wire and were not captured.
    pub(super) missing: usize,
    /// Bytes that the header speaks of and that are not there, for whatever reason.
    pub(super) short: usize,
    /// Which part of a datagram it is, if it is not whole.
    pub(super) fragment: Option<Fragment>,
}

/// What TCP's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The sequence number.
    pub(super) seq: u32,
    /// The acknowledgement number, if there is one.
    pub(super) ack: Option<u32>,
    /// SYN.
    pub(super) syn: bool,
    /// FIN.
    pub(super) fin: bool,
    /// RST.
    pub(super) rst: bool,
}

/// The protocol over IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A TCP segment.
    Tcp(Header),
    /// A UDP datagram.
    Udp,
}

/// A segment or datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transport {
    /// The sender.
    pub(super) from: SocketAddr,
    /// The receiver.
    pub(super) to: SocketAddr,
    /// What it is.
    pub(super) kind: Kind,
    /// Where its payload starts, from the start of the IP packet's payload.
    pub(super) start: usize,
    /// How many bytes of payload were captured.
    pub(super) captured: u32,
    /// How many there were.
    pub(super) len: u32,
}

/// Reads the IP headers and their extensions, the innermost if it is a tunnel (RFC 2003, RFC 4213, RFC 2784). `cut`
/// is how many bytes of the frame were not captured.
pub(super) fn packet(bytes: &[u8], cut: u32) -> Option<Packet<'_>> {
    single(bytes, cut as usize).map(innermost)
}

/// The innermost packet of a whole one.
pub(super) fn innermost(mut packet: Packet<'_>) -> Packet<'_> {
    for _ in 0..MOST_TUNNELS {
        let inner = match packet.protocol {
            _ if packet.fragment.is_some() => None,
            IpNumber::IPV4 | IpNumber::IPV6 => Some(packet.payload),
            IpNumber::GRE => gre(packet.payload),
            _ => None,
        };
        match inner.and_then(|bytes| single(bytes, packet.missing)) {
            Some(inner) => packet = inner,
            None => break,
        }
    }
    packet
}

/// The IP packet behind GRE's header (RFC 2784 §2.1, RFC 2890 §2), or in the Ethernet (RFC 7637) or PPP frame
/// (RFC 2637 §4.1) behind it.
fn gre(bytes: &[u8]) -> Option<&[u8]> {
    const CHECKSUM_KEY_SEQUENCE: [u8; 3] = [0x80, 0x20, 0x10];
    const VERSION: u8 = 7;
    const ACKNOWLEDGEMENT: u8 = 0x80;
    let ([flags, version, kind @ ..], _) = bytes.split_first_chunk::<4>()?;
    let fields = CHECKSUM_KEY_SEQUENCE.iter().filter(|flag| flags & **flag != 0);
    let pptp = usize::from(version & ACKNOWLEDGEMENT != 0);
    let inner = bytes.get(4 + 4 * (fields.count() + pptp)..)?;
    match (version & VERSION, EtherType(u16::from_be_bytes(*kind))) {
        (0, ether_type::IPV4 | ether_type::IPV6) => Some(inner),
        (0, BRIDGED_ETHERNET) => Link::Ethernet.ip(inner),
        (1, PPP) => Link::Ppp.ip(inner),
        _ => None,
    }
}

fn single(bytes: &[u8], cut: usize) -> Option<Packet<'_>> {
    let (ip, _) = LaxIpSlice::from_slice(bytes).ok()?;
    let said = match &ip {
        LaxIpSlice::Ipv4(v4) => usize::from(v4.header().total_len()),
        LaxIpSlice::Ipv6(v6) => 40 + usize::from(v6.header().payload_length()),
    };
    let payload = ip.payload();
    let short = if payload.incomplete {
        said.saturating_sub(bytes.len())
    } else {
        0
    };
    let missing = if payload.incomplete {
        // What the capture did not cut is not missing, however long the header says that the packet was.
        short.min(cut)
    } else if payload.len_source == LenSource::Slice {
        // Segmentation offload leaves the length 0: all that was sent belongs to it.
        cut
    } else {
        0
    };
    Some(Packet {
        ends: ends(&ip),
        protocol: payload.ip_number,
        payload: payload.payload,
        missing,
        short,
        fragment: payload.fragmented.then(|| fragment(&ip)).flatten(),
    })
}

fn fragment(ip: &LaxIpSlice<'_>) -> Option<Fragment> {
    match ip {
        LaxIpSlice::Ipv4(v4) => {
            let header = v4.header();
            Some(Fragment {
                number: u32::from(header.identification()),
                offset: header.fragments_offset(),
                more: header.more_fragments(),
            })
        }
        LaxIpSlice::Ipv6(v6) => extensions(v6).find_map(|extension| {
            if let Ipv6ExtensionSlice::Fragment(slice) = extension {
                let header = slice.to_header();
                Some(Fragment {
                    number: header.identification,
                    offset: header.fragment_offset,
                    more: header.more_fragments,
                })
            } else {
                None
            }
        }),
    }
}

/// Reads the TCP or UDP header of a whole datagram; `None` for other protocols and for what is damaged or cut
/// before its ports.
pub(super) fn transport(packet: &Packet<'_>) -> Option<Transport> {
    match packet.protocol {
        IpNumber::TCP => tcp(packet),
        IpNumber::UDP => udp(packet),
        _ => None,
    }
}

fn tcp(packet: &Packet<'_>) -> Option<Transport> {
    // Short captures often end within TCP's options, which nothing here looks at.
    let mut padded = [0; TcpHeader::MAX_LEN];
    let tcp = if let Ok(tcp) = TcpHeaderSlice::from_slice(packet.payload) {
        tcp
    } else {
        let fixed = packet.payload.get(..TcpHeader::MIN_LEN)?;
        padded.get_mut(..TcpHeader::MIN_LEN)?.copy_from_slice(fixed);
        TcpHeaderSlice::from_slice(&padded).ok()?
    };
    let start = tcp.slice().len();
    let total = packet.payload.len() + packet.missing;
    let header = Header {
        seq: tcp.sequence_number(),
        ack: tcp.ack().then(|| tcp.acknowledgment_number()),
        // A reset opens and finishes nothing, whatever else is set (RFC 9293 §3.10.7). What opens a stream does not end
        // it: such segments are made by port scanners, and most systems drop them.
        syn: tcp.syn() && !tcp.rst(),
        fin: tcp.fin() && !tcp.syn() && !tcp.rst(),
        rst: tcp.rst(),
    };
    Some(Transport {
        from: SocketAddr::new(packet.ends[0], tcp.source_port()),
        to: SocketAddr::new(packet.ends[1], tcp.destination_port()),
        kind: Kind::Tcp(header),
        start,
        captured: packet.payload.len().saturating_sub(start) as u32,
        len: total.checked_sub(start)? as u32,
    })
}

fn udp(packet: &Packet<'_>) -> Option<Transport> {
    let udp = UdpHeaderSlice::from_slice(packet.payload).ok()?;
    let total = packet.payload.len() + packet.missing;
    let said = usize::from(udp.length());
    // Zero stands for a jumbogram (RFC 2675 §4), or for a length that the network card fills in.
    let len = if said < UdpHeader::LEN {
        total
    } else {
        said.min(total)
    } - UdpHeader::LEN;
    Some(Transport {
        from: SocketAddr::new(packet.ends[0], udp.source_port()),
        to: SocketAddr::new(packet.ends[1], udp.destination_port()),
        kind: Kind::Udp,
        start: UdpHeader::LEN,
        captured: len.min(packet.payload.len() - UdpHeader::LEN) as u32,
        len: len as u32,
    })
}
