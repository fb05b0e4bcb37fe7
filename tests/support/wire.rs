//! Captures made by hand: packets of conversations, and the files that hold them in every format and link type.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "every test crate uses a part of it, and none the whole"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use etherparse::PacketBuilder;
use sockscope::capture::{Opening, open_in_background};
use sockscope::model::{EntryId, EntryKind, FileReport, FileState, Records, Timestamp};

/// When the first packet is captured, in nanoseconds.
pub(crate) const START: u64 = 1_790_000_000_123_456_000;

/// Time between two packets.
pub(crate) const STEP: u64 = 1_000_000;

/// An IP packet and when it was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) at: u64,
    pub(crate) ip: Vec<u8>,
}

/// A TCP flag besides ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    None,
    Syn,
    Fin,
    Rst,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Client,
    Server,
}

/// A TCP connection, packet by packet.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    client: SocketAddr,
    server: SocketAddr,
    seq: [u32; 2],
    pub(crate) now: u64,
    pub(crate) packets: Vec<Packet>,
}

impl Talk {
    /// Nothing was sent yet.
    pub(crate) fn new(client: &str, server: &str, initial: [u32; 2]) -> Talk {
        Talk {
            client: client.parse().unwrap(),
            server: server.parse().unwrap(),
            seq: initial,
            now: START,
            packets: Vec::new(),
        }
    }

    /// SYN, SYN/ACK, ACK.
    pub(crate) fn open(&mut self) {
        self.send(From::Client, Flag::Syn, b"");
        self.send(From::Server, Flag::Syn, b"");
        self.send(From::Client, Flag::None, b"");
    }

    /// A segment.
    pub(crate) fn send(&mut self, from: From, flag: Flag, bytes: &[u8]) {
        let (source, target, own, other) = match from {
            From::Client => (self.client, self.server, 0, 1),
            From::Server => (self.server, self.client, 1, 0),
        };
        let first = flag == Flag::Syn && from == From::Client;
        let ack = (!first).then_some(self.seq[other]);
        let ip = tcp(source, target, self.seq[own], ack, flag, bytes);
        self.packets.push(Packet { at: self.now, ip });
        self.now += STEP;
        let numbers = bytes.len() as u32 + u32::from(matches!(flag, Flag::Syn | Flag::Fin));
        self.seq[own] = self.seq[own].wrapping_add(numbers);
    }

    /// Bytes from the client.
    pub(crate) fn ask(&mut self, bytes: &[u8]) {
        self.send(From::Client, Flag::None, bytes);
    }

    /// Bytes from the server.
    pub(crate) fn answer(&mut self, bytes: &[u8]) {
        self.send(From::Server, Flag::None, bytes);
    }

    /// FIN from the client, then from the server.
    pub(crate) fn close(&mut self) {
        self.send(From::Client, Flag::Fin, b"");
        self.send(From::Server, Flag::Fin, b"");
        self.send(From::Client, Flag::None, b"");
    }
}

/// An IP packet with a TCP segment.
pub(crate) fn tcp(
    from: SocketAddr,
    to: SocketAddr,
    seq: u32,
    ack: Option<u32>,
    flag: Flag,
    bytes: &[u8],
) -> Vec<u8> {
    let builder = ip(from, to).tcp(from.port(), to.port(), seq, 65_000);
    let builder = match ack {
        Some(ack) => builder.ack(ack),
        None => builder,
    };
    let builder = match flag {
        Flag::None => builder,
        Flag::Syn => builder.syn(),
        Flag::Fin => builder.fin(),
        Flag::Rst => builder.rst(),
    };
    let mut packet = Vec::new();
    builder.write(&mut packet, bytes).unwrap();
    packet
}

/// An IP packet with a UDP datagram.
pub(crate) fn udp(from: &str, to: &str, bytes: &[u8]) -> Vec<u8> {
    let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let mut packet = Vec::new();
    let builder = ip(from, to).udp(from.port(), to.port());
    builder.write(&mut packet, bytes).unwrap();
    packet
}

fn ip(from: SocketAddr, to: SocketAddr) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
    match (from, to) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => {
            PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), 64)
        }
        (SocketAddr::V6(from), SocketAddr::V6(to)) => {
            PacketBuilder::ipv6(from.ip().octets(), to.ip().octets(), 64)
        }
        (SocketAddr::V4(_), SocketAddr::V6(_)) | (SocketAddr::V6(_), SocketAddr::V4(_)) => {
            unreachable!("one family")
        }
    }
}

/// The byte order of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn word(self, value: u32) -> [u8; 4] {
        match self {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        }
    }

    pub(crate) fn half(self, value: u16) -> [u8; 2] {
        match self {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        }
    }
}

/// What stands before the IP packet in a frame.
pub(crate) fn link_header(link: u16, ip: &[u8]) -> Vec<u8> {
    let kind: &[u8] = if ip[0] >> 4 == 6 { &[0x86, 0xdd] } else { &[8, 0] };
    match link {
        0 => [2, 0, 0, 0].to_vec(),
        1 => [&[0; 12], kind].concat(),
        108 => [0, 0, 0, 2].to_vec(),
        113 => [&[0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], kind].concat(),
        276 => [kind, &[0; 18]].concat(),
        _ => Vec::new(),
    }
}

/// The frame of a packet.
pub(crate) fn frame(link: u16, ip: &[u8]) -> Vec<u8> {
    [link_header(link, ip), ip.to_vec()].concat()
}

/// A pcap file; of each frame at most `snap` bytes.
pub(crate) fn pcap(order: Order, nanos: bool, link: u16, snap: usize, packets: &[Packet]) -> Vec<u8> {
    let (magic, unit) = if nanos {
        (0xa1b2_3c4d, 1)
    } else {
        (0xa1b2_c3d4, 1000)
    };
    let mut file = Vec::new();
    for word in [magic, 0, 0, 0, snap as u32, u32::from(link)] {
        file.extend(order.word(word));
    }
    // The version is two half words; readers hardly look at it.
    file[4..8].copy_from_slice(&[order.half(2), order.half(4)].concat());
    for packet in packets {
        file.extend(pcap_record(order, unit, link, snap, packet));
    }
    file
}

/// One packet of a pcap file.
pub(crate) fn pcap_record(order: Order, unit: u64, link: u16, snap: usize, packet: &Packet) -> Vec<u8> {
    let frame = frame(link, &packet.ip);
    let captured = frame.len().min(snap);
    let (seconds, fraction) = (packet.at / 1_000_000_000, packet.at % 1_000_000_000 / unit);
    let mut record = Vec::new();
    for word in [
        seconds as u32,
        fraction as u32,
        captured as u32,
        frame.len() as u32,
    ] {
        record.extend(order.word(word));
    }
    record.extend(&frame[..captured]);
    record
}

/// A block of a pcapng file.
pub(crate) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().wrapping_neg() % 4;
    let len = (12 + body.len() + padding) as u32;
    [
        &order.word(kind)[..],
        &order.word(len),
        body,
        &[0; 3][..padding],
        &order.word(len),
    ]
    .concat()
}

/// A section header block.
pub(crate) fn section(order: Order) -> Vec<u8> {
    let fields: [&[u8]; 4] = [
        &order.word(0x1a2b_3c4d),
        &order.half(1),
        &order.half(0),
        &[0xff; 8],
    ];
    block(order, 0x0a0d_0d0a, &fields.concat())
}

/// An interface description block, with options.
pub(crate) fn interface(order: Order, link: u16, snap: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [&order.half(link)[..], &[0, 0], &order.word(snap)].concat();
    for (code, value) in options {
        body.extend(order.half(*code));
        body.extend(order.half(value.len() as u16));
        body.extend(*value);
        body.resize(body.len() + value.len().wrapping_neg() % 4, 0);
    }
    if !options.is_empty() {
        body.extend([0; 4]);
    }
    block(order, 1, &body)
}

/// An enhanced packet block at a time in the interface's units.
pub(crate) fn enhanced(order: Order, interface: u32, units: u64, frame: &[u8], snap: usize) -> Vec<u8> {
    let captured = frame.len().min(snap);
    let mut body = Vec::new();
    for word in [
        interface,
        (units >> 32) as u32,
        units as u32,
        captured as u32,
        frame.len() as u32,
    ] {
        body.extend(order.word(word));
    }
    body.extend(&frame[..captured]);
    block(order, 6, &body)
}

/// A pcapng file with one section and one interface, times in microseconds.
pub(crate) fn pcapng(order: Order, link: u16, packets: &[Packet]) -> Vec<u8> {
    let mut file = [section(order), interface(order, link, 0, &[])].concat();
    for packet in packets {
        file.extend(enhanced(
            order,
            0,
            packet.at / 1000,
            &frame(link, &packet.ip),
            usize::MAX,
        ));
    }
    file
}

/// Writes a file that nobody has touched for an hour, so that it counts as finished.
pub(crate) fn write_old(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    age(path);
}

/// Makes a file look as if it had not changed for long.
pub(crate) fn age(path: &Path) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(1))
        .unwrap();
}

/// Waits for a report.
pub(crate) fn wait(opening: &Opening, wanted: impl FnMut(&FileReport) -> bool) -> FileReport {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut reports = opening.reports.clone();
    let last = opening.reports.clone();
    runtime.block_on(async {
        match tokio::time::timeout(Duration::from_mins(1), reports.wait_for(wanted)).await {
            Ok(Ok(report)) => report.clone(),
            Ok(Err(_)) => last.borrow().clone(),
            Err(_) => unreachable!("no such report within a minute: {:?}", last.borrow()),
        }
    })
}

/// Opens a file and waits until all of it is indexed.
pub(crate) fn open(path: &Path) -> (Opening, FileReport) {
    let opening = open_in_background(path).unwrap();
    let report = wait(&opening, |report| report.state != FileState::Indexing);
    (opening, report)
}

/// An entry in words: conversation, time since `START` in steps, what happened, and its bytes.
pub(crate) fn lines(records: &dyn Records) -> Vec<String> {
    (0..records.len())
        .map(|number| {
            let id = EntryId(number);
            let entry = records.entry(id).unwrap();
            let bytes = records.payload(id, 0..u32::MAX).unwrap();
            assert_eq!(bytes.len() as u32, entry.len);
            let what = match entry.kind {
                EntryKind::Data { direction } => format!("{direction:?} {}", String::from_utf8_lossy(&bytes)),
                EntryKind::Open { local, remote } => format!("Open {local} {remote}"),
                EntryKind::Close(end) => format!("Close {:?} {:?}", end.by, end.how),
                EntryKind::HalfClose { by } => format!("HalfClose {by:?}"),
                EntryKind::Tls(report) => format!("Tls {report:?}"),
                EntryKind::Attempt(attempt) => format!("Attempt {} {:?}", attempt.remote, attempt.outcome),
                EntryKind::Gap { direction, bytes } => format!("Gap {direction:?} {bytes}"),
                EntryKind::Note { text } => format!("Note {text}"),
                EntryKind::Lookup(_) | EntryKind::Error { .. } => unreachable!("not in a capture"),
            };
            format!("{} {} {what}", entry.connection.0, steps(entry.at))
        })
        .collect()
}

fn steps(at: Timestamp) -> i64 {
    (at.0.cast_signed() - START.cast_signed()) / STEP.cast_signed()
}
