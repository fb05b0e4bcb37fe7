//! The blocks of any pcapng file: both byte orders, several sections and interfaces, every resolution of times.
//!
//! Source: draft-ietf-opsawg-pcapng. Names, statistics, secrets and comments are passed over.

use super::frames::{Frame, Order, Step};
use super::link::Link;
use crate::capture::block::{
    BYTE_ORDER_MAGIC, IF_TSRESOL, INTERFACE, LARGEST, PACKET, PACKET_HEADER, SECTION, SMALLEST, padding,
};
use crate::capture::walk::{Fault, LARGEST_PACKET};
use crate::capture::window::Window;
use crate::model::Timestamp;

/// What the format has been since it began; another one would mean other blocks.
const MAJOR_VERSION: u16 = 1;
/// Simple Packet Block.
const SIMPLE_PACKET: u32 = 3;
/// The obsolete Packet Block.
const OLD_PACKET: u32 = 2;
/// `if_tsoffset`: seconds that are added to every time.
const IF_TSOFFSET: u16 = 14;
/// Interfaces of a section: 32 bytes each (SAFETY §4 allows twice as much).
const MOST_INTERFACES: usize = 16 << 20;

const CUT: Fault = Fault::Damaged("the block is shorter than its fields");

/// What is known of the section that is being read.
#[derive(Debug)]
pub(super) struct Pcapng {
    order: Order,
    interfaces: Vec<Interface>,
    /// The time of the last packet that had one: simple packets have none.
    latest: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Link,
    /// The most bytes of a packet; 0 is no limit.
    snap: u32,
    scale: Scale,
    /// `if_tsoffset`.
    offset: i64,
}

/// How the units of an interface become nanoseconds (`if_tsresol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// A unit is this many.
    Multiply(u64),
    /// This many units are one.
    Divide(u64),
    /// A unit is 2⁻ⁿ seconds.
    Shift(u32),
}

impl Scale {
    fn new(resolution: u8) -> Scale {
        let exponent = u32::from(resolution & 0x7f);
        match (resolution >> 7, exponent) {
            (0, 0..=9) => Scale::Multiply(10u64.pow(9 - exponent)),
            // More than 19 digits behind the nanosecond leave nothing of 64 bits.
            (0, _) => Scale::Divide(10u64.checked_pow(exponent - 9).unwrap_or(u64::MAX)),
            (_, _) => Scale::Shift(exponent),
        }
    }

    fn nanoseconds(self, units: u64) -> u64 {
        match self {
            Scale::Multiply(factor) => units.saturating_mul(factor),
            Scale::Divide(divisor) => units / divisor,
            Scale::Shift(bits) => {
                let scaled = (u128::from(units) * 1_000_000_000) >> bits;
                u64::try_from(scaled).unwrap_or(u64::MAX)
            }
        }
    }
}

impl Pcapng {
    /// At the start of a file.
    pub(super) fn new() -> Pcapng {
        Pcapng {
            order: Order::Little,
            interfaces: Vec::new(),
            latest: Timestamp(0),
        }
    }

    /// The block at `offset`.
    pub(super) fn step(&mut self, window: &mut Window<'_>, offset: u64) -> Result<Step, Fault> {
        let head = window.get(offset, 8)?;
        // The type of a section header is the same in both byte orders; its next field tells which one it is.
        if self.order.word(head, 0) == Some(SECTION) {
            self.section(window, offset)?;
        }
        let head = window.get(offset, 8)?;
        let kind = self.order.word(head, 0).ok_or(CUT)?;
        let len = self.order.word(head, 4).ok_or(CUT)?;
        if !(SMALLEST..=LARGEST).contains(&len) || !len.is_multiple_of(4) {
            return Err(Fault::Damaged("the block has an impossible length"));
        }
        let block = window.get(offset, len as usize)?;
        if self.order.word(block, len as usize - 4) != Some(len) {
            return Err(Fault::Damaged("the two lengths of the block differ"));
        }
        let body = &block[..len as usize - 4];
        let frame = match kind {
            INTERFACE => {
                self.interface(body)?;
                None
            }
            PACKET => Some(self.packet(body, offset)?),
            OLD_PACKET => Some(self.old_packet(body, offset)?),
            SIMPLE_PACKET => Some(self.simple_packet(body, offset)?),
            _ => None,
        };
        Ok(Step {
            len: u64::from(len),
            frame,
        })
    }

    fn section(&mut self, window: &mut Window<'_>, offset: u64) -> Result<(), Fault> {
        let head = window.get(offset, 14)?;
        self.order = [Order::Little, Order::Big]
            .into_iter()
            .find(|order| order.word(head, 8) == Some(BYTE_ORDER_MAGIC))
            .ok_or(Fault::Damaged("the section has no byte order"))?;
        if self.order.half_word(head, 12) != Some(MAJOR_VERSION) {
            return Err(Fault::Damaged(
                "the section is of a version of pcapng that is not known",
            ));
        }
        self.interfaces.clear();
        Ok(())
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), Fault> {
        if self.interfaces.len() >= MOST_INTERFACES {
            return Err(Fault::Damaged("there are too many interfaces"));
        }
        let options = body.get(16..).ok_or(CUT)?;
        let resolution = self.option(options, IF_TSRESOL).and_then(|value| value.first());
        let seconds = self.option(options, IF_TSOFFSET).and_then(|value| {
            let bytes = *value.first_chunk()?;
            Some(match self.order {
                Order::Big => i64::from_be_bytes(bytes),
                Order::Little => i64::from_le_bytes(bytes),
            })
        });
        let interface = Interface {
            link: Link::new(self.order.half_word(body, 8).ok_or(CUT)?),
            snap: self.order.word(body, 12).ok_or(CUT)?,
            scale: Scale::new(resolution.copied().unwrap_or(6)),
            offset: seconds.unwrap_or_default(),
        };
        self.interfaces.push(interface);
        Ok(())
    }

    /// The value of the first option `wanted`.
    fn option<'a>(&self, mut options: &'a [u8], wanted: u16) -> Option<&'a [u8]> {
        loop {
            let code = self.order.half_word(options, 0)?;
            let len = usize::from(self.order.half_word(options, 2)?);
            if code == 0 {
                return None;
            }
            if code == wanted {
                return options.get(4..4 + len);
            }
            options = options.get(4 + len + padding(len)..)?;
        }
    }

    fn packet(&mut self, body: &[u8], offset: u64) -> Result<Frame, Fault> {
        let interface = self.order.word(body, 8).ok_or(CUT)?;
        self.timed_packet(body, offset, interface)
    }

    fn old_packet(&mut self, body: &[u8], offset: u64) -> Result<Frame, Fault> {
        let interface = self.order.half_word(body, 8).ok_or(CUT)?;
        self.timed_packet(body, offset, u32::from(interface))
    }

    /// The two blocks with a time differ only in how they name the interface.
    fn timed_packet(&mut self, body: &[u8], offset: u64, interface: u32) -> Result<Frame, Fault> {
        let interface = self.named(interface)?;
        let word = |at| self.order.word(body, at).ok_or(CUT);
        let units = u64::from(word(12)?) << 32 | u64::from(word(16)?);
        let nanoseconds =
            i128::from(interface.scale.nanoseconds(units)) + i128::from(interface.offset) * 1_000_000_000;
        let at = u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX);
        self.latest = Timestamp(at);
        let (captured, original) = (word(20)?, word(24)?);
        self.frame(body, offset, interface.link, PACKET_HEADER, captured, original)
    }

    fn simple_packet(&mut self, body: &[u8], offset: u64) -> Result<Frame, Fault> {
        const HEADER: usize = 12;
        let interface = self.named(0)?;
        let original = self.order.word(body, 8).ok_or(CUT)?;
        let room = body.len().saturating_sub(HEADER) as u32;
        let snap = if interface.snap == 0 {
            u32::MAX
        } else {
            interface.snap
        };
        self.frame(
            body,
            offset,
            interface.link,
            HEADER,
            original.min(snap).min(room),
            original,
        )
    }

    fn frame(
        &self,
        body: &[u8],
        offset: u64,
        link: Link,
        header: usize,
        captured: u32,
        original: u32,
    ) -> Result<Frame, Fault> {
        if captured > LARGEST_PACKET || captured as usize > body.len().saturating_sub(header) {
            return Err(Fault::Damaged("the packet has an impossible length"));
        }
        Ok(Frame {
            link,
            at: self.latest,
            offset: offset + header as u64,
            captured,
            cut: original.saturating_sub(captured),
        })
    }

    fn named(&self, interface: u32) -> Result<Interface, Fault> {
        self.interfaces
            .get(interface as usize)
            .copied()
            .ok_or(Fault::Damaged(
                "the packet belongs to an interface that was not announced",
            ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(resolution: u8, units: u64, expected: u64) {
        assert_eq!(
            Scale::new(resolution).nanoseconds(units),
            expected,
            "{resolution:#x} × {units}"
        );
    }

    #[test]
    fn every_resolution_becomes_nanoseconds() {
        check(6, 1, 1_000);
        check(9, 7, 7);
        check(0, 2, 2_000_000_000);
        check(3, 5, 5_000_000);
        check(12, 7_999, 7);
        check(28, u64::MAX, 1);
        check(29, 1 << 63, 0);
        check(127, 1 << 63, 0);
        check(0, u64::MAX, u64::MAX);
        check(0x80, 3, 3_000_000_000);
        check(0x80 | 0x0a, 1024, 1_000_000_000);
        check(0x80 | 0x1e, 1 << 29, 500_000_000);
        check(0xff, u64::MAX, 0);
    }
}
