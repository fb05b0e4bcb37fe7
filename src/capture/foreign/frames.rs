//! The frames in a pcap or pcapng file, one after the other, with every length checked.
//!
//! Sources: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-06.html> and draft-ietf-opsawg-pcapng.

use super::link::Link;
use super::pcapng::Pcapng;
use crate::capture::walk::{Fault, LARGEST_PACKET};
use crate::capture::window::Window;
use crate::model::Timestamp;

/// The header of a pcap file.
const FILE_HEADER: usize = 24;
/// The header of a packet in it.
const PACKET_HEADER: usize = 16;
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;

/// The byte order of the machine that wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    /// The 32-bit word at `at`.
    pub(super) fn word(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Big => u32::from_be_bytes(field),
            Order::Little => u32::from_le_bytes(field),
        })
    }

    /// The 16-bit word at `at`.
    pub(super) fn half_word(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Big => u16::from_be_bytes(field),
            Order::Little => u16::from_le_bytes(field),
        })
    }
}

/// A captured frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// How it begins.
    pub(super) link: Link,
    /// When it was captured.
    pub(super) at: Timestamp,
    /// Where it is in the file.
    pub(super) offset: u64,
    /// How many bytes of it are there.
    pub(super) captured: u32,
    /// How many bytes of it are not.
    pub(super) cut: u32,
}

/// A record or block of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Its length, so that the next one starts there.
    pub(super) len: u64,
    /// The frame in it, if there is one.
    pub(super) frame: Option<Frame>,
}

/// Reads one kind of file.
#[derive(Debug)]
pub(super) enum Frames {
    /// A pcap file.
    Pcap(Pcap),
    /// A pcapng file.
    Pcapng(Pcapng),
}

impl Frames {
    /// The record or block at `offset`.
    pub(super) fn step(&mut self, window: &mut Window<'_>, offset: u64) -> Result<Step, Fault> {
        match self {
            Frames::Pcap(pcap) => pcap.step(window, offset),
            Frames::Pcapng(pcapng) => pcapng.step(window, offset),
        }
    }
}

/// What the header of a pcap file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pcap {
    order: Order,
    /// Nanoseconds in a unit of the second time field.
    unit: u64,
    link: Link,
}

impl Default for Pcap {
    /// Before the header of the file was read.
    fn default() -> Pcap {
        Pcap {
            order: Order::Little,
            unit: 1,
            link: Link::Raw,
        }
    }
}

impl Pcap {
    /// What such a file begins with.
    pub(crate) const MAGICS: [[u8; 4]; 4] = [
        MICROSECONDS.to_le_bytes(),
        MICROSECONDS.to_be_bytes(),
        NANOSECONDS.to_le_bytes(),
        NANOSECONDS.to_be_bytes(),
    ];

    /// Reads the header of the file.
    pub(super) fn new(header: &[u8]) -> Option<Pcap> {
        let (order, unit) = order_and_unit(*header.first_chunk()?)?;
        // The upper half tells of frame check sequences, which the length fields of IP leave out anyway.
        let link = order.word(header, 20)? as u16;
        Some(Pcap {
            order,
            unit,
            link: Link::new(link),
        })
    }

    fn step(&mut self, window: &mut Window<'_>, offset: u64) -> Result<Step, Fault> {
        if offset == 0 {
            let header = window.get(0, FILE_HEADER)?;
            *self = Pcap::new(header).ok_or(Fault::Damaged("the file header is damaged"))?;
            return Ok(Step {
                len: FILE_HEADER as u64,
                frame: None,
            });
        }
        let header = window.get(offset, PACKET_HEADER)?;
        let word = |at| self.order.word(header, at).unwrap_or_default();
        let (seconds, fraction, captured, original) = (word(0), word(4), word(8), word(12));
        if captured > LARGEST_PACKET {
            return Err(Fault::Damaged("the packet has an impossible length"));
        }
        let at = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit;
        let start = offset + PACKET_HEADER as u64;
        // Reading it here tells whether it is whole.
        window.get(start, captured as usize)?;
        Ok(Step {
            len: PACKET_HEADER as u64 + u64::from(captured),
            frame: Some(Frame {
                link: self.link,
                at: Timestamp(at),
                offset: start,
                captured,
                cut: original.saturating_sub(captured),
            }),
        })
    }
}

fn order_and_unit(magic: [u8; 4]) -> Option<(Order, u64)> {
    let unit = |word| match word {
        MICROSECONDS => Some(1000),
        NANOSECONDS => Some(1),
        _ => None,
    };
    let big = unit(u32::from_be_bytes(magic)).map(|unit| (Order::Big, unit));
    big.or_else(|| unit(u32::from_le_bytes(magic)).map(|unit| (Order::Little, unit)))
}
