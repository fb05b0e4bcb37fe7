//! The blocks of pcapng that a session file consists of: how they are built. `walk` reads them.
//!
//! Source: draft-ietf-opsawg-pcapng. Everything is little-endian; other byte orders are neither written nor read.

use std::net::SocketAddr;

use crate::capture::packet::{Headers, Segment};
use crate::model::{Direction, EntryId, Timestamp};

/// Section Header Block.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
/// Interface Description Block.
pub(super) const INTERFACE: u32 = 1;
/// Enhanced Packet Block.
pub(super) const PACKET: u32 = 6;
/// Our annotations: a block type from the range for local use (the most significant bit is set).
pub(super) const ANNOTATION: u32 = 0x8053_4b53;
/// Our option of packets and interfaces, from the range for local use.
pub(super) const OPT_OURS: u16 = 0xd353;
/// Marks blocks and options for local use as ours, since anybody may use the same numbers.
pub(super) const MAGIC: [u8; 4] = *b"sksc";

/// Marks an annotation block that is no entry, but says something of one.
pub(super) const MAGIC_ABOUT: [u8; 4] = *b"skab";

/// Marks an annotation block that makes one entry of the packets behind it.
pub(super) const MAGIC_JOINED: [u8; 4] = *b"skjn";

/// Marks an annotation block that is no entry, but holds time stamps of several.
pub(super) const MAGIC_STAMPS: [u8; 4] = *b"skts";

pub(super) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
pub(super) const LINKTYPE_RAW: u16 = 101;
/// `if_tsresol`: times are in units of 10⁻⁹ s.
pub(super) const NANOSECONDS: u8 = 9;
pub(super) const OPT_END: u16 = 0;
const OPT_COMMENT: u16 = 1;
pub(super) const SHB_USERAPPL: u16 = 4;
pub(super) const IF_NAME: u16 = 2;
pub(super) const IF_DESCRIPTION: u16 = 3;
pub(super) const IF_TSRESOL: u16 = 9;
pub(super) const EPB_FLAGS: u16 = 2;
pub(super) const INBOUND: u32 = 1;
pub(super) const OUTBOUND: u32 = 2;

/// Type, length, byte order, version, length of the section.
pub(super) const SECTION_HEADER: usize = 24;
/// Type, length, interface, time high and low, captured and original length.
pub(super) const PACKET_HEADER: usize = 28;
/// Type, length, magic, interface, time high and low, entry number low and high, length of the JSON text.
pub(super) const ANNOTATION_HEADER: usize = 36;
/// Where in a packet block its interface is.
const PACKET_INTERFACE: usize = 8;
/// Where in an annotation block its interface is, behind the magic.
const ANNOTATION_INTERFACE: usize = 12;
/// Type, length, magic, entry number low and high, length of the JSON text.
pub(super) const ABOUT_HEADER: usize = 24;
/// Type, length, magic, numbers of the first and the last entry low and high, length of the JSON text.
pub(super) const STAMPS_HEADER: usize = 32;
/// Type, length, and the length again at the end.
pub(super) const SMALLEST: u32 = 12;
/// SAFETY: blocks over 16 MiB are damage or an attack.
pub(super) const LARGEST: u32 = 16 << 20;
/// The most JSON text of one entry; far more than any sentence, far less than a block may have.
pub(super) const LONGEST_TEXT: usize = 1 << 20;

/// What `shb_userappl` starts with; the version follows.
pub(super) const APPLICATION: &str = "sockscope ";

const SYNTHETIC: &str = "The packet headers in this file are synthetic: sockscope recorded what its sockets read and \
                         wrote, not packets on a wire. TCP checksums are zero.";

/// Bytes that fill `len` up to a multiple of four.
pub(super) fn padding(len: usize) -> usize {
    len.wrapping_neg() % 4
}

/// The section header block that opens a file.
pub(super) fn section() -> Vec<u8> {
    section_with(None, None)
}

/// The section header block of a file of a ring, whose first entry has this number.
pub(super) fn section_from(first: EntryId) -> Vec<u8> {
    section_with(None, Some(first))
}

/// The section header block of a part of a recording, with what there is to say about it: the first entry has this
/// number.
pub(super) fn section_of(remark: &str, first: EntryId) -> Vec<u8> {
    // Without a number, entries count from 0.
    section_with(Some(remark), Some(first).filter(|first| first.0 > 0))
}

fn section_with(remark: Option<&str>, first: Option<EntryId>) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
    body.extend(1u16.to_le_bytes());
    body.extend(0u16.to_le_bytes());
    body.extend(u64::MAX.to_le_bytes()); // section length: unknown, the file grows
    option(
        &mut body,
        SHB_USERAPPL,
        concat!("sockscope ", env!("CARGO_PKG_VERSION")).as_bytes(),
    );
    option(&mut body, OPT_COMMENT, SYNTHETIC.as_bytes());
    body.extend(remarks(remark.iter().copied()));
    if let Some(first) = first {
        option(&mut body, OPT_OURS, &ours(&first.0.to_le_bytes()));
    }
    option(&mut body, OPT_END, &[]);
    block(SECTION, &body)
}

/// What stands in an interface description block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface<'a> {
    /// `if_name`: what was dialed.
    pub(super) name: &'a str,
    /// `if_description`: what this program is to it.
    pub(super) description: &'a str,
    /// When dialing started.
    pub(super) started: Timestamp,
    /// Who talks to whom, where no entry tells it.
    pub(super) addresses: Option<(SocketAddr, SocketAddr)>,
    /// The interface before it, with whose connection this one goes on.
    pub(super) goes_on: Option<u32>,
}

/// The interface description block of a connection; when it started travels in an option of ours, since an
/// interface has no time, and so do the addresses, and the interface with which it goes on, as words.
pub(super) fn interface(about: &Interface<'_>) -> Vec<u8> {
    let Interface {
        name,
        description,
        started,
        addresses,
        goes_on,
    } = about;
    let addresses = addresses.iter().flat_map(|(local, remote)| [local, remote]);
    let words = addresses.map(ToString::to_string);
    let words: Vec<String> = words.chain(goes_on.map(|number| number.to_string())).collect();
    let mut value = started.0.to_le_bytes().to_vec();
    value.extend(words.join(" ").as_bytes());
    let mut body = Vec::new();
    body.extend(LINKTYPE_RAW.to_le_bytes());
    body.extend(0u16.to_le_bytes());
    body.extend(0u32.to_le_bytes()); // snaplen: no limit
    option(&mut body, IF_NAME, name.as_bytes());
    option(&mut body, IF_DESCRIPTION, description.as_bytes());
    option(&mut body, IF_TSRESOL, &[NANOSECONDS]);
    option(&mut body, OPT_OURS, &ours(&value));
    option(&mut body, OPT_END, &[]);
    block(INTERFACE, &body)
}

/// Puts blocks that were built as those of another interface under this one.
pub(super) fn put_under(interface: u32, mut blocks: &mut [u8]) {
    while let Some((head, _)) = blocks.split_first_chunk::<8>() {
        let [k0, k1, k2, k3, l0, l1, l2, l3] = *head;
        let at = match u32::from_le_bytes([k0, k1, k2, k3]) {
            PACKET => PACKET_INTERFACE,
            ANNOTATION => ANNOTATION_INTERFACE,
            _ => return,
        };
        if let Some(field) = blocks.get_mut(at..at + 4) {
            field.copy_from_slice(&interface.to_le_bytes());
        }
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        blocks = blocks.get_mut(len..).unwrap_or_default();
    }
}

/// The annotation block of entry `id`.
pub(super) fn annotation(id: EntryId, interface: u32, at: Timestamp, json: &[u8]) -> Vec<u8> {
    annotated(MAGIC, id, interface, at, json)
}

/// The annotation block that joins the packets of entry `id`.
pub(super) fn joining(id: EntryId, interface: u32, at: Timestamp, json: &[u8]) -> Vec<u8> {
    annotated(MAGIC_JOINED, id, interface, at, json)
}

fn annotated(magic: [u8; 4], id: EntryId, interface: u32, at: Timestamp, json: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(ANNOTATION_HEADER + json.len());
    body.extend(magic);
    body.extend(interface.to_le_bytes());
    body.extend(((at.0 >> 32) as u32).to_le_bytes());
    body.extend((at.0 as u32).to_le_bytes());
    body.extend(id.0.to_le_bytes());
    body.extend((json.len() as u32).to_le_bytes());
    body.extend(json);
    body.resize(body.len() + padding(json.len()), 0);
    block(ANNOTATION, &body)
}

/// The annotation block that says something of entry `id`, which stands before it.
pub(super) fn about(id: EntryId, json: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(ABOUT_HEADER + json.len());
    body.extend(MAGIC_ABOUT);
    body.extend(id.0.to_le_bytes());
    body.extend((json.len() as u32).to_le_bytes());
    body.extend(json);
    body.resize(body.len() + padding(json.len()), 0);
    block(ANNOTATION, &body)
}

/// The annotation block with time stamps of entries from `first` to `last`, which stand before it.
pub(super) fn stamps(first: EntryId, last: EntryId, json: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(STAMPS_HEADER + json.len());
    body.extend(MAGIC_STAMPS);
    body.extend(first.0.to_le_bytes());
    body.extend(last.0.to_le_bytes());
    body.extend((json.len() as u32).to_le_bytes());
    body.extend(json);
    body.resize(body.len() + padding(json.len()), 0);
    block(ANNOTATION, &body)
}

/// Comments of people on a packet, as options.
pub(super) fn remarks<'a>(comments: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut body = Vec::new();
    for comment in comments {
        // The field has 16 bits, and a character is kept or left out as a whole.
        let end = comment.floor_char_boundary(usize::from(u16::MAX));
        option(&mut body, OPT_COMMENT, &comment.as_bytes()[..end]);
    }
    body
}

/// An enhanced packet block without payload. `json` makes it an entry; without it, it only serves those who
/// follow the packets. `remarks` are options, ready made.
pub(super) fn bare_packet(
    interface: u32,
    at: Timestamp,
    direction: Direction,
    segment: &Segment,
    json: Option<&[u8]>,
    remarks: &[u8],
) -> Vec<u8> {
    let headers = segment.headers();
    let mut body = Vec::new();
    body.extend(interface.to_le_bytes());
    body.extend(((at.0 >> 32) as u32).to_le_bytes());
    body.extend((at.0 as u32).to_le_bytes());
    let len = headers.as_slice().len();
    body.extend((len as u32).to_le_bytes());
    body.extend((len as u32).to_le_bytes());
    body.extend(headers.as_slice());
    body.resize(body.len() + padding(len), 0);
    option(&mut body, EPB_FLAGS, &flags(direction).to_le_bytes());
    if let Some(json) = json {
        option(&mut body, OPT_OURS, &ours(json));
    }
    body.extend(remarks);
    option(&mut body, OPT_END, &[]);
    block(PACKET, &body)
}

/// Where a JSON text of `len` bytes starts in `blocks`, the last of which is a bare packet that carries it.
pub(super) fn text_in_last(blocks: &[u8], len: usize) -> Option<u64> {
    // The end of the options and the closing length follow it.
    let behind = len + padding(MAGIC.len() + len) + 4 + 4;
    blocks.len().checked_sub(behind).map(|offset| offset as u64)
}

fn ours(value: &[u8]) -> Vec<u8> {
    [&MAGIC, value].concat()
}

fn flags(direction: Direction) -> u32 {
    match direction {
        Direction::Received => INBOUND,
        Direction::Sent => OUTBOUND,
    }
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    // Ours are short; the field has 16 bits, so a longer one would be cut rather than break the block.
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    body.resize(body.len() + padding(value.len()), 0);
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = (SMALLEST as usize + body.len()) as u32;
    let mut out = Vec::with_capacity(len as usize);
    out.extend(kind.to_le_bytes());
    out.extend(len.to_le_bytes());
    out.extend(body);
    out.extend(len.to_le_bytes());
    out
}

/// What stands around the payload of a data entry, on the stack: recording allocates nothing per entry.
pub(super) struct DataFrame {
    head: [u8; PACKET_HEADER + Headers::LARGEST],
    head_len: usize,
    tail: [u8; 3 + OPTIONS + 4],
    tail_len: usize,
}

/// `epb_flags` and `opt_endofopt`.
const OPTIONS: usize = 12;

impl DataFrame {
    /// The frame of `segment`, which says how long its payload is.
    pub(super) fn new(interface: u32, at: Timestamp, direction: Direction, segment: &Segment) -> DataFrame {
        DataFrame::around(
            interface,
            at,
            direction,
            &segment.headers(),
            segment.payload_len,
            0,
        )
    }

    /// The frame of `payload_len` bytes behind `headers`. `remarks` bytes of options stand between the parts of
    /// [`DataFrame::tails`].
    pub(super) fn around(
        interface: u32,
        at: Timestamp,
        direction: Direction,
        headers: &Headers,
        payload_len: usize,
        remarks: usize,
    ) -> DataFrame {
        let headers = headers.as_slice();
        let packet = headers.len() + payload_len;
        let pad = padding(packet);
        let total = (PACKET_HEADER + packet + pad + OPTIONS + remarks + 4) as u32;
        let mut head = [0; PACKET_HEADER + Headers::LARGEST];
        let words = [
            PACKET,
            total,
            interface,
            (at.0 >> 32) as u32,
            at.0 as u32,
            packet as u32,
            packet as u32,
        ];
        for (field, word) in head.chunks_exact_mut(4).zip(words) {
            field.copy_from_slice(&word.to_le_bytes());
        }
        let head_len = PACKET_HEADER + headers.len();
        head[PACKET_HEADER..head_len].copy_from_slice(headers);
        let mut tail = [0; 3 + OPTIONS + 4];
        tail[pad..pad + 2].copy_from_slice(&EPB_FLAGS.to_le_bytes());
        tail[pad + 2..pad + 4].copy_from_slice(&4u16.to_le_bytes());
        tail[pad + 4..pad + 8].copy_from_slice(&flags(direction).to_le_bytes());
        tail[pad + OPTIONS..pad + OPTIONS + 4].copy_from_slice(&total.to_le_bytes());
        DataFrame {
            head,
            head_len,
            tail,
            tail_len: pad + OPTIONS + 4,
        }
    }

    /// Puts it under another interface.
    pub(super) fn put_under(&mut self, interface: u32) {
        let field = &mut self.head[PACKET_INTERFACE..PACKET_INTERFACE + 4];
        field.copy_from_slice(&interface.to_le_bytes());
    }

    /// The bytes before the payload: block header and packet headers.
    pub(super) fn head(&self) -> &[u8] {
        &self.head[..self.head_len]
    }

    /// The bytes after it: padding, options and the closing length.
    pub(super) fn tail(&self) -> &[u8] {
        &self.tail[..self.tail_len]
    }

    /// The same in two parts, between which remarks stand.
    pub(super) fn tails(&self) -> (&[u8], &[u8]) {
        // The end of the options and the closing length.
        self.tail().split_at(self.tail_len - 8)
    }
}
