//! The synthetic IP, TCP and UDP headers in front of every payload: built for the recorder, parsed for the reader.
//!
//! Deliberately absent: which segment comes next; `stream` counts the sequence numbers.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    IpNumber, Ipv4Header, Ipv4HeaderSlice, Ipv6FlowLabel, Ipv6Header, Ipv6HeaderSlice, TcpHeader,
    TcpHeaderSlice, TcpOptionElement, UdpHeader, UdpHeaderSlice,
};

use crate::model::Protocol;

/// What of TCP's flags a segment carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flags {
    /// SYN.
    Syn,
    /// SYN and ACK.
    SynAck,
    /// ACK alone.
    Ack,
    /// PSH and ACK: bytes.
    Data,
    /// FIN and ACK.
    Fin,
    /// RST and ACK.
    Rst,
}

/// A TCP segment in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// To whom.
    pub(super) to: SocketAddr,
    /// The sequence number.
    pub(super) seq: u32,
    /// The acknowledgement number; meaningless on `Syn`.
    pub(super) ack: u32,
    /// Its flags.
    pub(super) flags: Flags,
    /// How many bytes follow the headers.
    pub(super) payload_len: usize,
}

/// The headers of one packet, on the stack.
pub(super) struct Headers {
    bytes: [u8; Headers::LARGEST],
    len: usize,
}

impl Default for Headers {
    fn default() -> Headers {
        Headers {
            bytes: [0; Headers::LARGEST],
            len: 0,
        }
    }
}

impl Headers {
    /// IPv6 and TCP with the options of a SYN.
    pub(super) const LARGEST: usize = 40 + 20 + 8;

    /// The bytes.
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// The largest window that TCP can announce, 1 GiB (RFC 7323 §2.3), so that no dissector finds it full.
const WINDOW: u16 = u16::MAX;
const WINDOW_SCALE: u8 = 14;
const MSS: u16 = 65_495;
const HOPS: u8 = 64;

impl Segment {
    /// The IP and TCP headers. Both addresses are of one family: `Stream` sees to that.
    pub(super) fn headers(&self) -> Headers {
        let tcp = self.tcp();
        let inner = (tcp.header_len() + self.payload_len) as u16;
        let mut out = Headers::default();
        if let Some(ip) = ipv4(self.from, self.to, IpNumber::TCP, inner) {
            out.push(&ip.to_bytes());
        } else {
            out.push(&ipv6(self.from, self.to, IpNumber::TCP, inner).to_bytes());
        }
        out.push(&tcp.to_bytes());
        out
    }

    fn tcp(&self) -> TcpHeader {
        let mut tcp = TcpHeader::new(self.from.port(), self.to.port(), self.seq, WINDOW);
        tcp.syn = matches!(self.flags, Flags::Syn | Flags::SynAck);
        tcp.ack = self.flags != Flags::Syn;
        tcp.psh = self.flags == Flags::Data;
        tcp.fin = self.flags == Flags::Fin;
        tcp.rst = self.flags == Flags::Rst;
        if tcp.ack {
            tcp.acknowledgment_number = self.ack;
        }
        if tcp.syn {
            let options = [
                TcpOptionElement::MaximumSegmentSize(MSS),
                TcpOptionElement::Noop,
                TcpOptionElement::WindowScale(WINDOW_SCALE),
            ];
            // Four, one and three bytes: they fit the 40 that there are.
            let fits = tcp.set_options(&options);
            debug_assert!(fits.is_ok());
        }
        tcp
    }
}

/// The most bytes that a UDP datagram from this address holds.
pub(super) fn largest_datagram(from: SocketAddr) -> usize {
    let ip = if from.is_ipv4() { Ipv4Header::MIN_LEN } else { 0 };
    usize::from(u16::MAX) - ip - UdpHeader::LEN
}

/// The headers of a UDP datagram of at most as many bytes as [`largest_datagram`] says. Over IPv6 it has its checksum (RFC 8200 §8.1).
pub(super) fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Headers {
    let inner = (UdpHeader::LEN + payload.len()) as u16;
    let mut udp = UdpHeader {
        source_port: from.port(),
        destination_port: to.port(),
        length: inner,
        checksum: 0,
    };
    let mut out = Headers::default();
    if let Some(ip) = ipv4(from, to, IpNumber::UDP, inner) {
        out.push(&ip.to_bytes());
    } else {
        let ip = ipv6(from, to, IpNumber::UDP, inner);
        udp.checksum = udp.calc_checksum_ipv6(&ip, payload).unwrap_or_default();
        out.push(&ip.to_bytes());
    }
    out.push(&udp.to_bytes());
    out
}

/// The IPv4 header in front of `inner` bytes, if both addresses are IPv4.
fn ipv4(from: SocketAddr, to: SocketAddr, protocol: IpNumber, inner: u16) -> Option<Ipv4Header> {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (from.ip(), to.ip()) else {
        return None;
    };
    let mut ip = Ipv4Header {
        total_len: Ipv4Header::MIN_LEN_U16 + inner,
        dont_fragment: true,
        time_to_live: HOPS,
        protocol,
        source: from.octets(),
        destination: to.octets(),
        ..Ipv4Header::default()
    };
    ip.header_checksum = ip.calc_header_checksum();
    Some(ip)
}

fn ipv6(from: SocketAddr, to: SocketAddr, protocol: IpNumber, inner: u16) -> Ipv6Header {
    Ipv6Header {
        traffic_class: 0,
        flow_label: Ipv6FlowLabel::ZERO,
        payload_length: inner,
        next_header: protocol,
        hop_limit: HOPS,
        source: v6(from).octets(),
        destination: v6(to).octets(),
    }
}

fn v6(address: SocketAddr) -> std::net::Ipv6Addr {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

const NOT_WHOLE: &str = "the packet is not one whole TCP segment or UDP datagram";

/// How many bytes of a packet hold all that `header_len` looks at.
pub(super) const LONGEST_HEADERS: usize = 60 + 60;

/// The length of the IP and TCP or UDP headers of a packet of `captured` bytes that starts with `bytes`, and which
/// it is; all that follows them is payload.
pub(super) fn header_len(bytes: &[u8], captured: usize) -> Result<(usize, Protocol), &'static str> {
    let (ip_len, total, carried) = match bytes.first().map(|first| first >> 4) {
        Some(4) => {
            let ip = Ipv4HeaderSlice::from_slice(bytes).map_err(|_| "the IPv4 header is damaged")?;
            if ip.is_fragmenting_payload() {
                return Err(NOT_WHOLE);
            }
            (ip.slice().len(), usize::from(ip.total_len()), ip.protocol())
        }
        Some(6) => {
            let ip = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| "the IPv6 header is damaged")?;
            (
                Ipv6Header::LEN,
                Ipv6Header::LEN + usize::from(ip.payload_length()),
                ip.next_header(),
            )
        }
        Some(_) | None => return Err("the packet is neither IPv4 nor IPv6"),
    };
    let rest = bytes.get(ip_len..).unwrap_or_default();
    let (inner, protocol) = match carried {
        IpNumber::TCP => {
            let tcp = TcpHeaderSlice::from_slice(rest).map_err(|_| "the TCP header is damaged")?;
            (tcp.slice().len(), Protocol::Tcp)
        }
        IpNumber::UDP => (udp_header_len(rest, total, ip_len)?, Protocol::Udp),
        _ => return Err(NOT_WHOLE),
    };
    let len = ip_len + inner;
    if total != captured || len > captured {
        return Err("the packet is not as long as its headers say");
    }
    Ok((len, protocol))
}

/// The length of the UDP header that `rest` starts with, in a packet of `total` bytes.
fn udp_header_len(rest: &[u8], total: usize, ip_len: usize) -> Result<usize, &'static str> {
    let damaged = "the UDP header is damaged";
    let udp = UdpHeaderSlice::from_slice(rest).map_err(|_| damaged)?;
    if Some(usize::from(udp.length())) != total.checked_sub(ip_len) {
        return Err(damaged);
    }
    Ok(UdpHeader::LEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(from: &str, to: &str, flags: Flags, payload_len: usize) -> Segment {
        Segment {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            seq: 7,
            ack: 9,
            flags,
            payload_len,
        }
    }

    fn check(segment: &Segment, expected: usize) {
        let headers = segment.headers();
        let bytes = headers.as_slice();
        assert_eq!(bytes.len(), expected);
        let whole = header_len(bytes, expected + segment.payload_len);
        assert_eq!(whole, Ok((expected, Protocol::Tcp)));
        assert!(header_len(bytes, expected + segment.payload_len + 1).is_err());
        for cut in 0..bytes.len() {
            assert!(header_len(&bytes[..cut], expected + segment.payload_len).is_err());
        }
    }

    #[test]
    fn headers_are_as_long_as_they_say() {
        check(&segment("127.0.0.1:1", "127.0.0.2:2", Flags::Data, 65_495), 40);
        check(&segment("127.0.0.1:1", "127.0.0.2:2", Flags::Syn, 0), 48);
        check(&segment("[::1]:1", "[fe80::1%3]:2", Flags::Data, 65_495), 60);
        check(&segment("[::1]:1", "[::2]:2", Flags::SynAck, 0), 68);
    }

    #[test]
    fn the_ipv4_checksum_is_right() {
        let headers = segment("192.0.2.1:1", "198.51.100.7:2", Flags::Data, 5).headers();
        let ip = Ipv4HeaderSlice::from_slice(headers.as_slice())
            .unwrap()
            .to_header();
        assert_eq!(ip.header_checksum, ip.calc_header_checksum());
        assert_ne!(ip.header_checksum, 0);
    }

    #[test]
    fn other_packets_are_refused() {
        for first in 0..=255u8 {
            let mut bytes = [0; LONGEST_HEADERS];
            bytes[0] = first;
            assert!(header_len(&bytes, 40).is_err(), "{first:#x}");
        }
    }
}
