//! Data blocks as we write them, read in one look. Anything else is left to `walk`, which knows all blocks.

use std::ops::Range;

use crate::capture::block::{EPB_FLAGS, INBOUND, OUTBOUND, PACKET, PACKET_HEADER, padding};
use crate::model::{Direction, Timestamp};

/// Bytes of a block that tell how long it is.
pub(super) const HEAD: usize = 8;

/// Longer blocks are none of ours: the largest packet with its header and options.
const LONGEST: usize = 128 << 10;

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const TCP: u8 = 6;

/// One data block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// How long the block is.
    pub(super) len: u32,
    /// Of which interface.
    pub(super) interface: u32,
    /// When.
    pub(super) at: Timestamp,
    /// Which way.
    pub(super) direction: Direction,
    /// Where in the block the payload is.
    pub(super) payload: Range<usize>,
}

/// How long the block is that `bytes` start with, if [`read`] could read it; else 0.
pub(super) fn block_len(bytes: &[u8]) -> usize {
    match (word(bytes, 0), word(bytes, 4)) {
        (Some(PACKET), Some(len)) if len as usize <= LONGEST => len as usize,
        _ => 0,
    }
}

/// Reads the data block that `bytes` start with, of a file with `interfaces` interfaces; `None` if it is anything
/// else, or not whole.
#[inline]
pub(super) fn read(bytes: &[u8], interfaces: usize) -> Option<Frame> {
    let len = block_len(bytes);
    let block = bytes.get(..len)?;
    let (head, rest) = block.split_first_chunk::<PACKET_HEADER>()?;
    let interface = word(head, 8).filter(|number| (*number as usize) < interfaces)?;
    let captured = word(head, 20).filter(|captured| word(head, 24) == Some(*captured))? as usize;
    let packet = rest.get(..captured)?;
    let headers = headers(packet)?;
    let tail = rest.get(captured + padding(captured)..)?.first_chunk::<12>()?;
    // One option of four bytes, then the end of options or another one.
    if u16::from_le_bytes([tail[0], tail[1]]) != EPB_FLAGS || u16::from_le_bytes([tail[2], tail[3]]) != 4 {
        return None;
    }
    let direction = match word(tail, 4)? & 3 {
        INBOUND => Direction::Received,
        OUTBOUND => Direction::Sent,
        _ => return None,
    };
    if word(block, len - 4) != Some(len as u32) || headers >= captured {
        return None;
    }
    let (high, low) = (word(head, 12)?, word(head, 16)?);
    Some(Frame {
        len: len as u32,
        interface,
        at: Timestamp(u64::from(high) << 32 | u64::from(low)),
        direction,
        payload: PACKET_HEADER + headers..PACKET_HEADER + captured,
    })
}

/// The length of plain IP and TCP headers that say what the packet is.
fn headers(packet: &[u8]) -> Option<usize> {
    let ip = match packet.first()? {
        0x45 => {
            let ip = packet.first_chunk::<IPV4_HEADER>()?;
            let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
            // More fragments, or not the first one.
            let fragmented = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff != 0;
            (ip[9] == TCP && total == packet.len() && !fragmented).then_some(IPV4_HEADER)?
        }
        0x60..=0x6f => {
            let ip = packet.first_chunk::<IPV6_HEADER>()?;
            let payload = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
            (ip[6] == TCP && IPV6_HEADER + payload == packet.len()).then_some(IPV6_HEADER)?
        }
        _ => return None,
    };
    // Five words: no options.
    (packet.get(ip + 12)? >> 4 == 5 && ip + TCP_HEADER <= packet.len()).then_some(ip + TCP_HEADER)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*field))
}
