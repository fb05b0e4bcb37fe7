//! Reading one block after the other, with every length checked: what arrives here may be damaged or hostile.
//!
//! Deliberately absent: the meaning of JSON texts; only whoever needs an event parses it.

mod added;

use std::io;
use std::net::SocketAddr;

use super::block::{
    ANNOTATION, ANNOTATION_HEADER, APPLICATION, BYTE_ORDER_MAGIC, EPB_FLAGS, IF_DESCRIPTION, IF_NAME,
    IF_TSRESOL, INBOUND, INTERFACE, LARGEST, LINKTYPE_RAW, LONGEST_TEXT, MAGIC, MAGIC_ABOUT, MAGIC_STAMPS,
    NANOSECONDS, OPT_END, OPT_OURS, OUTBOUND, PACKET, PACKET_HEADER, SECTION, SECTION_HEADER, SHB_USERAPPL,
    SMALLEST, padding,
};
use super::joined::{self, Parts};
use super::packet::{LONGEST_HEADERS, header_len};
use super::stamps::Place;
use super::window::Window;
use crate::model::{Direction, EntryId, Protocol, Role, Timestamp};

/// The most bytes a packet may have (Wireshark's `WTAP_MAX_PACKET_SIZE_STANDARD`).
pub(super) const LARGEST_PACKET: u32 = 262_144;

/// The largest number that the first entry of a section can have: so that those behind it can be counted.
const LAST: u64 = u64::MAX >> 1;

/// A block, and how long it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its length in bytes, so that the next one starts there.
    pub(super) len: u32,
    /// What it holds.
    pub(super) content: Content,
}

/// What a block holds. Offsets are from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A connection was announced, or goes on as another interface.
    Interface {
        /// When dialing started.
        started: Timestamp,
        /// What the program that recorded it was to it.
        role: Role,
        /// The interface before it, with whose connection it goes on.
        goes_on: Option<u32>,
    },
    /// A data entry.
    Data {
        /// Of which interface: the number of its connection within the file.
        interface: u32,
        /// When.
        at: Timestamp,
        /// Which way.
        direction: Direction,
        /// Whether it is a part of a stream or a datagram.
        protocol: Protocol,
        /// Where the payload is.
        offset: u64,
        /// How long it is.
        len: u32,
        /// Whether it lies together.
        parts: Parts,
    },
    /// An entry without bytes.
    Event {
        /// Its own number, where the file says it.
        id: Option<EntryId>,
        /// Of which interface: the number of its connection within the file.
        interface: u32,
        /// When.
        at: Timestamp,
        /// Where its JSON text is.
        offset: u64,
        /// How long that is.
        len: u32,
    },
    /// The user added something to an entry before it.
    About {
        /// The entry.
        id: EntryId,
        /// Where the JSON text is.
        offset: u64,
        /// How long that is.
        len: u32,
    },
    /// Time stamps of entries before it.
    Stamps(Place),
    /// The section header that a file starts with, or that of another recording behind it.
    Section {
        /// The number of its first entry: only a file of a ring says it.
        first: Option<EntryId>,
    },
    /// A packet that only serves those who follow the packets, or a block that is not ours.
    Nothing,
}

/// Why there is no block.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file cannot be read.
    Io(io::Error),
    /// The file ends within the block.
    Cut,
    /// The block is not what it should be.
    Damaged(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Fault::Cut
        } else {
            Fault::Io(error)
        }
    }
}

const CUT: Fault = Fault::Damaged("the block is shorter than its fields");

const OTHER_SECTION: Fault = Fault::Damaged(
    "another program wrote what starts there; tail -c prints it, and sockscope open - shows it",
);

/// The block at `offset`, of a file with `interfaces` interfaces so far.
pub(super) fn block_at(window: &mut Window<'_>, offset: u64, interfaces: usize) -> Result<Block, Fault> {
    let head = window.get(offset, 8)?;
    let kind = word(head, 0).ok_or(CUT)?;
    let len = word(head, 4).ok_or(CUT)?;
    if kind == SECTION && word(window.get(offset, 12)?, 8) == Some(BYTE_ORDER_MAGIC.swap_bytes()) {
        // Its length means something else then, and nothing of ours is written so.
        return Err(OTHER_SECTION);
    }
    if !(SMALLEST..=LARGEST).contains(&len) || !len.is_multiple_of(4) {
        return Err(Fault::Damaged("the block has an impossible length"));
    }
    let span = Span { offset, len };
    let mut fields = Fields { window, span };
    let content = match kind {
        SECTION => section(&mut fields)?,
        INTERFACE => interface(&mut fields)?,
        PACKET => packet(&mut fields, interfaces)?,
        ANNOTATION => annotation(&mut fields, interfaces)?,
        _ => Content::Nothing,
    };
    // It comes last: the fields before it are mostly in the window already.
    let closing = window.get(offset + u64::from(len) - 4, 4)?;
    if word(closing, 0) != Some(len) {
        return Err(Fault::Damaged("the two lengths of the block differ"));
    }
    if kind == ANNOTATION && joined::is_joining(window, offset)? {
        return joined::block_at(window, offset, len, interfaces);
    }
    Ok(Block { len, content })
}

/// Where a block lies.
#[derive(Clone, Copy)]
struct Span {
    offset: u64,
    len: u32,
}

/// The bytes of a block, as far as they are asked for, so that jumping over large messages costs little.
struct Fields<'a, 'w> {
    window: &'a mut Window<'w>,
    span: Span,
}

impl Fields<'_, '_> {
    /// Bytes `from` to `to` of the block, cut to what stands before its closing length.
    fn get(&mut self, from: usize, to: usize) -> Result<&[u8], Fault> {
        let to = to.min(self.span.len as usize - 4);
        let len = to.checked_sub(from).ok_or(CUT)?;
        Ok(self.window.get(self.span.offset + from as u64, len)?)
    }
}

fn section(fields: &mut Fields<'_, '_>) -> Result<Content, Fault> {
    let block = fields.get(0, usize::MAX)?;
    if word(block, 8) != Some(BYTE_ORDER_MAGIC) {
        return Err(Fault::Damaged("the section has no byte order"));
    }
    let options = block.get(SECTION_HEADER..).ok_or(CUT)?;
    if !is_ours(options) {
        return Err(OTHER_SECTION);
    }
    Ok(Content::Section {
        first: first_entry(options)?,
    })
}

/// Whether a section header with these options is ours.
pub(super) fn is_ours(options: &[u8]) -> bool {
    find(options, SHB_USERAPPL).is_some_and(|name| name.starts_with(APPLICATION.as_bytes()))
}

/// The number of the first entry of a section, where its options say it.
pub(super) fn first_entry(options: &[u8]) -> Result<Option<EntryId>, Fault> {
    let Some(first) = find_ours(options).and_then(|value| value.first_chunk()) else {
        return Ok(None);
    };
    match u64::from_le_bytes(*first) {
        first if first <= LAST => Ok(Some(EntryId(first))),
        _ => Err(Fault::Damaged("its first entry has an impossible number")),
    }
}

fn interface(fields: &mut Fields<'_, '_>) -> Result<Content, Fault> {
    let body = fields.get(8, usize::MAX)?;
    if half_word(body, 0) != Some(LINKTYPE_RAW) {
        return Err(Fault::Damaged("the interface does not carry IP packets"));
    }
    let options = body.get(8..).ok_or(CUT)?;
    if find(options, IF_TSRESOL) != Some(&[NANOSECONDS]) {
        return Err(Fault::Damaged("the interface does not count nanoseconds"));
    }
    let (started, words) = find_ours(options)
        .and_then(<[u8]>::split_first_chunk)
        .ok_or(Fault::Damaged("the interface does not say when it started"))?;
    Ok(Content::Interface {
        started: Timestamp(u64::from_le_bytes(*started)),
        role: Role::named(find(options, IF_DESCRIPTION).unwrap_or_default()),
        goes_on: goes_on(words),
    })
}

/// The number behind the addresses, if there is one.
fn goes_on(words: &[u8]) -> Option<u32> {
    let last = words.rsplit(|byte| *byte == b' ').next()?;
    std::str::from_utf8(last).ok()?.parse().ok()
}

/// What an interface description block says of its connection.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// What was dialed.
    pub(super) name: String,
    /// Its addresses, where no entry tells them.
    pub(super) addresses: Option<(SocketAddr, SocketAddr)>,
}

/// What the interface description block at `offset` says.
pub(super) fn announced(window: &mut Window<'_>, offset: u64) -> Result<Announced, Fault> {
    let len = word(window.get(offset, 8)?, 4)
        .filter(|len| (SMALLEST..=LARGEST).contains(len))
        .ok_or(CUT)?;
    let span = Span { offset, len };
    let mut block = Fields { window, span };
    let body = block.get(8, usize::MAX)?;
    let options = body.get(8..).unwrap_or_default();
    let name = find(options, IF_NAME).unwrap_or_default();
    let addresses = find_ours(options).and_then(|value| {
        let text = std::str::from_utf8(value.get(8..)?).ok()?;
        let mut words = text.split(' ');
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    });
    Ok(Announced {
        name: String::from_utf8_lossy(name).into_owned(),
        addresses,
    })
}

fn packet(block: &mut Fields<'_, '_>, interfaces: usize) -> Result<Content, Fault> {
    let start = block.span.offset;
    let fields = block.get(0, PACKET_HEADER + LONGEST_HEADERS)?;
    let interface = known(word(fields, 8), interfaces)?;
    let at = timestamp(fields, 12).ok_or(CUT)?;
    let captured = word(fields, 20).ok_or(CUT)?;
    if captured > LARGEST_PACKET || word(fields, 24) != Some(captured) {
        return Err(Fault::Damaged("the packet has an impossible length"));
    }
    let captured = captured as usize;
    let packet = fields.get(PACKET_HEADER..).ok_or(CUT)?;
    let packet = packet.get(..captured).unwrap_or(packet);
    let (headers, protocol) = header_len(packet, captured).map_err(Fault::Damaged)?;
    let after = PACKET_HEADER + captured + padding(captured);
    let options = block.get(after, usize::MAX)?;
    // An empty segment only serves those who follow the packets; an empty datagram was sent.
    if captured > headers || protocol == Protocol::Udp {
        return Ok(Content::Data {
            interface,
            at,
            direction: direction(options).ok_or(Fault::Damaged("the packet has no direction"))?,
            protocol,
            offset: start + (PACKET_HEADER + headers) as u64,
            len: (captured - headers) as u32,
            parts: Parts::One,
        });
    }
    let Some(json) = find_ours(options) else {
        return Ok(Content::Nothing);
    };
    let at_option = json.as_ptr().addr() - options.as_ptr().addr();
    Ok(Content::Event {
        id: None,
        interface,
        at,
        offset: start + (after + at_option) as u64,
        len: json.len() as u32,
    })
}

fn annotation(block: &mut Fields<'_, '_>, interfaces: usize) -> Result<Content, Fault> {
    let span = block.span;
    let fields = block.get(0, ANNOTATION_HEADER)?;
    if fields.get(8..12) == Some(&MAGIC_ABOUT) {
        return added::about(fields, span);
    }
    if fields.get(8..12) == Some(&MAGIC_STAMPS) {
        return added::stamps(fields, span);
    }
    if fields.get(8..12) != Some(&MAGIC) {
        return Ok(Content::Nothing);
    }
    let interface = known(word(fields, 12), interfaces)?;
    let at = timestamp(fields, 16).ok_or(CUT)?;
    let (low, high) = (word(fields, 24).ok_or(CUT)?, word(fields, 28).ok_or(CUT)?);
    let len = word(fields, 32).ok_or(CUT)?;
    let room = span.len as usize - 4 - ANNOTATION_HEADER;
    if len as usize > room.min(LONGEST_TEXT) {
        return Err(Fault::Damaged("the annotation has an impossible length"));
    }
    Ok(Content::Event {
        id: Some(EntryId(u64::from(high) << 32 | u64::from(low))),
        interface,
        at,
        offset: span.offset + ANNOTATION_HEADER as u64,
        len,
    })
}

fn known(number: Option<u32>, interfaces: usize) -> Result<u32, Fault> {
    number
        .filter(|number| (*number as usize) < interfaces)
        .ok_or(Fault::Damaged(
            "the block belongs to a connection that was not announced",
        ))
}

/// The little-endian 32-bit word at `at`.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

fn half_word(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

/// The time in two words at `at`, high word first.
#[inline]
fn timestamp(bytes: &[u8], at: usize) -> Option<Timestamp> {
    let (high, low) = (word(bytes, at)?, word(bytes, at.checked_add(4)?)?);
    Some(Timestamp(u64::from(high) << 32 | u64::from(low)))
}

fn direction(options: &[u8]) -> Option<Direction> {
    match word(find(options, EPB_FLAGS)?, 0)? & 3 {
        INBOUND => Some(Direction::Received),
        OUTBOUND => Some(Direction::Sent),
        _ => None,
    }
}

/// The value of our own option, if it is there and ours.
pub(super) fn find_ours(options: &[u8]) -> Option<&[u8]> {
    find(options, OPT_OURS)?.strip_prefix(&MAGIC)
}

/// The value of the first option `wanted`.
pub(super) fn find(mut options: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let code = half_word(options, 0)?;
        let len = usize::from(half_word(options, 2)?);
        if code == OPT_END {
            return None;
        }
        if code == wanted {
            return options.get(4..4 + len);
        }
        options = options.get(4 + len + padding(len)..)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::capture::block;
    use crate::capture::packet::{Flags, Segment};

    fn read(bytes: &[u8]) -> Result<Block, Fault> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut buffer = Vec::new();
        let mut window = Window::new(&file, bytes.len() as u64, 64, &mut buffer);
        block_at(&mut window, 0, 4)
    }

    fn interface(addresses: Option<(SocketAddr, SocketAddr)>, goes_on: Option<u32>) -> Vec<u8> {
        block::interface(&block::Interface {
            name: "tcp://[::1]:80",
            description: "client",
            started: Timestamp(17),
            addresses,
            goes_on,
        })
    }

    fn segment(flags: Flags, payload_len: usize) -> Segment {
        Segment {
            from: "127.0.0.1:1".parse().unwrap(),
            to: "127.0.0.1:2".parse().unwrap(),
            seq: 0,
            ack: 0,
            flags,
            payload_len,
        }
    }

    fn data_block(len: usize) -> Vec<u8> {
        let frame = block::DataFrame::new(
            3,
            Timestamp(1 << 40),
            Direction::Received,
            &segment(Flags::Data, len),
        );
        [frame.head(), &vec![7; len], frame.tail()].concat()
    }

    fn check(bytes: &[u8], expected: Content) {
        let block = read(bytes).unwrap();
        assert_eq!((block.len as usize, block.content), (bytes.len(), expected));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_built_is_read() {
        check(&block::section(), Content::Section { first: None });
        check(
            &block::section_from(EntryId(7)),
            Content::Section {
                first: Some(EntryId(7)),
            },
        );
        check(
            &interface(None, None),
            Content::Interface {
                started: Timestamp(17),
                role: Role::Client,
                goes_on: None,
            },
        );
        let addresses = Some(("127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()));
        for (addresses, goes_on) in [(addresses, None), (addresses, Some(70_000)), (None, Some(0))] {
            check(
                &interface(addresses, goes_on),
                Content::Interface {
                    started: Timestamp(17),
                    role: Role::Client,
                    goes_on,
                },
            );
        }
        check(
            &block::annotation(EntryId(5 << 32), 2, Timestamp(9), b"{}"),
            Content::Event {
                id: Some(EntryId(5 << 32)),
                interface: 2,
                at: Timestamp(9),
                offset: 36,
                len: 2,
            },
        );
        check(
            &block::stamps(EntryId(7 << 32), EntryId(8 << 32), b"{}"),
            Content::Stamps(Place {
                first: EntryId(7 << 32),
                last: EntryId(8 << 32),
                offset: 32,
                len: 2,
            }),
        );
        for len in 1..9 {
            check(
                &data_block(len),
                Content::Data {
                    interface: 3,
                    at: Timestamp(1 << 40),
                    direction: Direction::Received,
                    protocol: Protocol::Tcp,
                    offset: 68,
                    len: len as u32,
                    parts: Parts::One,
                },
            );
        }
    }

    #[test]
    fn a_bare_packet_is_an_entry_if_it_says_so() {
        let build = |json| {
            block::bare_packet(
                0,
                Timestamp(1),
                Direction::Sent,
                &segment(Flags::Fin, 0),
                json,
                &[],
            )
        };
        check(&build(None), Content::Nothing);
        check(
            &build(Some(b"{\"a\":1}")),
            Content::Event {
                id: None,
                interface: 0,
                at: Timestamp(1),
                offset: 28 + 40 + 8 + 4 + 4,
                len: 7,
            },
        );
    }

    #[test]
    fn damage_is_found() {
        let whole = data_block(20);
        let flip = |at: usize, bit: u8| {
            let mut bytes = whole.clone();
            bytes[at] ^= bit;
            read(&bytes)
        };
        for at in [4, 7, 8, 11, 20, 24, 28, 30, 60, whole.len() - 1] {
            assert!(flip(at, 0x80).is_err(), "byte {at}");
        }
    }

    #[test]
    fn any_bytes_are_harmless() {
        proptest::proptest!(|(kind in 0..5usize, at in 0..400usize, noise in proptest::collection::vec(0..=255u8, 1..8))| {
            let mut bytes = match kind {
                0 => block::section(),
                1 => interface(None, None),
                2 => block::annotation(EntryId(0), 0, Timestamp(0), b"{}"),
                3 => block::stamps(EntryId(0), EntryId(0), b"{}"),
                _ => data_block(40),
            };
            let at = at % bytes.len();
            for (place, byte) in bytes[at..].iter_mut().zip(noise) {
                *place = byte;
            }
            drop(read(&bytes));
        });
    }
}
