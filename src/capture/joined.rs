//! Messages that no packet holds, as Unix sockets carry them: one entry, several packets, and before these an
//! annotation that joins them. All packets but the last carry the same number of bytes, so that any byte is found
//! without a list.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::block::{self, ANNOTATION_HEADER, DataFrame, LONGEST_TEXT, PACKET_HEADER};
use super::packet;
use super::walk::{self, Block, Content, Fault};
use super::window::Window;
use crate::model::{Direction, EntryId, Protocol, Timestamp};

/// The most bytes that one message holds: what fits the largest block that is read, with room for headers.
pub const MAX_MESSAGE: usize = 15 << 20;

/// Bytes in every packet but the last: what an IPv4 packet holds, cut so that nothing fills its block up.
const PART: usize = 65_504;

/// IPv4 and UDP. Only what stands for Unix sockets is joined, and that is IPv4.
const HEADERS: usize = 20 + 8;

/// From one packet's bytes to the next one's: options, their end, and the closing length lie between them.
const STRIDE: u64 = (PART + 12 + 4 + PACKET_HEADER + HEADERS) as u64;

/// How an entry's bytes lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// Together.
    One,
    /// In several packets, of the entry of this number.
    Many(EntryId),
}

/// What the annotation says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "joined")]
struct Joined {
    /// How many packets follow.
    packets: u32,
    /// How many bytes they carry together.
    len: u32,
}

/// The blocks of entry `id`, a message of at most [`MAX_MESSAGE`] bytes. `remarks` are options, ready made.
pub(super) fn blocks(
    id: EntryId,
    (interface, at, direction): (u32, Timestamp, Direction),
    (from, to): (SocketAddr, SocketAddr),
    bytes: &[u8],
    remarks: &[u8],
) -> Vec<u8> {
    let parts = bytes.chunks(PART);
    let joined = Joined {
        packets: parts.len() as u32,
        len: bytes.len() as u32,
    };
    let last = parts.len().saturating_sub(1);
    // Two numbers always have a JSON form.
    let json = serde_json::to_vec(&joined).unwrap_or_default();
    let mut out = block::joining(id, interface, at, &json);
    for (number, part) in parts.enumerate() {
        // Behind the last one, where they move no other.
        let remarks = if number == last { remarks } else { &[] };
        let headers = packet::datagram(from, to, part);
        let frame = DataFrame::around(interface, at, direction, &headers, part.len(), remarks.len());
        let (before, after) = frame.tails();
        for piece in [frame.head(), part, before, remarks, after] {
            out.extend_from_slice(piece);
        }
    }
    out
}

/// Whether the annotation block at `offset` joins packets.
pub(super) fn is_joining(window: &mut Window<'_>, offset: u64) -> Result<bool, Fault> {
    Ok(window.get(offset + 8, 4)? == block::MAGIC_JOINED)
}

/// The entry whose annotation is the block of `len` bytes at `offset`, as one block with its packets.
pub(super) fn block_at(
    window: &mut Window<'_>,
    offset: u64,
    len: u32,
    interfaces: usize,
) -> Result<Block, Fault> {
    let wrong = Fault::Damaged("a message is not in the packets that belong to it");
    let (id, joined) = told(window, offset, len)?;
    if joined.len as usize > MAX_MESSAGE || joined.packets as usize != (joined.len as usize).div_ceil(PART) {
        return Err(wrong);
    }
    let mut end = offset + u64::from(len);
    let mut whole: Option<Content> = None;
    for number in 0..joined.packets {
        let part = walk::block_at(window, end, interfaces)?;
        let expected = (joined.len - number * PART as u32).min(PART as u32);
        let first = whole.get_or_insert(part.content);
        if !continues(first, &part.content, number, expected) {
            return Err(wrong);
        }
        end += u64::from(part.len);
    }
    let Some(Content::Data {
        interface,
        at,
        direction,
        protocol,
        offset: first,
        ..
    }) = whole
    else {
        return Err(wrong);
    };
    Ok(Block {
        len: (end - offset) as u32,
        content: Content::Data {
            interface,
            at,
            direction,
            protocol,
            offset: first,
            len: joined.len,
            parts: Parts::Many(id),
        },
    })
}

/// What the annotation block of `len` bytes at `offset` says, and of which entry.
fn told(window: &mut Window<'_>, offset: u64, len: u32) -> Result<(EntryId, Joined), Fault> {
    let head = window.get(offset, ANNOTATION_HEADER)?;
    let Some([number @ .., l0, l1, l2, l3]) = head.last_chunk::<12>() else {
        return Err(Fault::Cut);
    };
    let id = EntryId(
        number
            .first_chunk()
            .map_or(0, |number| u64::from_le_bytes(*number)),
    );
    let json_len = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
    let room = (len as usize).saturating_sub(ANNOTATION_HEADER + 4);
    if json_len > room.min(LONGEST_TEXT) {
        return Err(Fault::Damaged("the annotation has an impossible length"));
    }
    let json = window.get(offset + ANNOTATION_HEADER as u64, json_len)?;
    let joined = serde_json::from_slice(json);
    Ok((
        id,
        joined.map_err(|_| Fault::Damaged("the annotation cannot be understood"))?,
    ))
}

/// Whether a block is packet `number` of the message that `first` begins, with as many bytes as expected.
fn continues(first: &Content, part: &Content, number: u32, expected: u32) -> bool {
    let Content::Data {
        interface,
        direction,
        protocol: Protocol::Udp,
        offset,
        ..
    } = first
    else {
        return false;
    };
    let place = *offset + u64::from(number) * STRIDE;
    matches!(part, Content::Data { interface: i, direction: d, protocol: Protocol::Udp, offset: o, len, parts: Parts::One, .. }
        if i == interface && d == direction && *o == place && *len == expected)
}

/// Fills `bytes` from the byte `from` of an entry on, whose first byte is at `first`; `read` fills from a place in
/// the file.
pub(super) fn read<E>(
    parts: Parts,
    first: u64,
    from: u64,
    bytes: &mut [u8],
    mut read: impl FnMut(&mut [u8], u64) -> Result<(), E>,
) -> Result<(), E> {
    if parts == Parts::One {
        return read(bytes, first + from);
    }
    let (mut from, mut rest) = (from, bytes);
    while !rest.is_empty() {
        let (number, within) = (from / PART as u64, from % PART as u64);
        let here = (PART - within as usize).min(rest.len());
        let (part, behind) = rest.split_at_mut(here);
        read(part, first + number * STRIDE + within)?;
        from += here as u64;
        rest = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn message(len: usize, remarks: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let ends = ("127.0.0.1:1".parse().unwrap(), "127.9.8.7:1".parse().unwrap());
        let head = (2, Timestamp(7), Direction::Received);
        let file = blocks(EntryId(5), head, ends, &bytes, remarks);
        (bytes, file)
    }

    fn walked(file: &[u8]) -> Result<Block, Fault> {
        let mut on_disk = tempfile::tempfile().unwrap();
        on_disk.write_all(file).unwrap();
        let mut buffer = Vec::new();
        let mut window = Window::new(&on_disk, file.len() as u64, 64, &mut buffer);
        walk::block_at(&mut window, 0, 4)
    }

    #[test]
    fn a_message_of_any_size_is_one_block_and_read_from_any_byte() {
        let remarks = block::remarks(["a comment"].into_iter());
        for len in [65_508, 2 * PART, 2 * PART + 1, 200_003] {
            let (bytes, file) = message(len, &remarks);
            let block = walked(&file).unwrap();
            assert_eq!(block.len as usize, file.len(), "{len}");
            let Content::Data {
                interface,
                at,
                direction,
                protocol,
                offset,
                len: told,
                parts,
            } = block.content
            else {
                unreachable!("it is data");
            };
            assert_eq!((interface, at, direction), (2, Timestamp(7), Direction::Received));
            assert_eq!(
                (protocol, told as usize, parts),
                (Protocol::Udp, len, Parts::Many(EntryId(5)))
            );
            let mut on_disk = tempfile::tempfile().unwrap();
            on_disk.write_all(&file).unwrap();
            for range in [
                0..len,
                0..1,
                PART - 1..PART + 1,
                len - 3..len,
                70_000.min(len)..len,
            ] {
                let mut got = vec![0; range.len()];
                let from = range.start as u64;
                read(parts, offset, from, &mut got, |bytes, at| {
                    on_disk.read_exact_at(bytes, at)
                })
                .unwrap();
                assert_eq!(got, bytes[range]);
            }
        }
    }

    #[test]
    fn a_cut_message_is_cut_as_a_whole_and_damage_is_found() {
        let (_, file) = message(140_000, &[]);
        for cut in [1, 40, 100, 66_000, 131_500, file.len() - 1] {
            assert!(matches!(walked(&file[..cut]), Err(Fault::Cut)), "cut at {cut}");
        }
        // The second packet's length, and how much of it was captured.
        let second = file.len() - (140_000 - 2 * PART) - 2 * (PACKET_HEADER + HEADERS + 16) - PART;
        for at in [9, 33, 63, 72, 84, second + 4, second + 20, file.len() - 2] {
            let mut damaged = file.clone();
            damaged[at] ^= 0x11;
            let whole = walked(&damaged).is_ok_and(|block| block.len as usize == file.len());
            assert!(!whole, "damaged at {at}");
        }
    }
}
