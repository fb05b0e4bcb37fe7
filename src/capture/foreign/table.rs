//! The entries of a foreign capture as a table on disk: fixed records, so that any entry is one read away and
//! memory does not grow with the capture.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::tcp::Place;
use crate::model::{ConnectionId, Direction, Timestamp};

/// Bytes of a record: time, place and tag, connection, length.
pub(super) const RECORD: usize = 8 + 8 + 4 + 4;

/// Records read at a time: a screen and what lies around it.
const BLOCK: u64 = 512;

/// Blocks kept.
const KEPT: usize = 16;

/// Bits of the offset in its field; the tag has the others.
const OFFSET_BITS: u32 = 56;

const RECEIVED: u64 = 1;
const SPOOLED: u64 = 2;
const EVENT: u64 = 4;
const DATAGRAM: u64 = 8;

/// An entry, and where the bytes of it are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// When it was captured.
    pub(crate) at: Timestamp,
    /// Its conversation.
    pub(crate) connection: ConnectionId,
    /// What it is.
    pub(crate) kind: RecordKind,
    /// Where its bytes are.
    pub(crate) offset: u64,
    /// How many they are.
    pub(crate) len: u32,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// A part of a stream.
    Stream(Direction, Place),
    /// A datagram: what stands next to it is no part of it.
    Datagram(Direction, Place),
    /// An event, as JSON text in the spool.
    Event,
}

impl Record {
    /// The record as it stands in the table.
    pub(super) fn encode(&self) -> [u8; RECORD] {
        let direction = |direction| match direction {
            Direction::Sent => 0,
            Direction::Received => RECEIVED,
        };
        let place = |place| match place {
            Place::File => 0,
            Place::Spool => SPOOLED,
        };
        let tag = match self.kind {
            RecordKind::Stream(way, file) => direction(way) | place(file),
            RecordKind::Datagram(way, file) => direction(way) | place(file) | DATAGRAM,
            RecordKind::Event => EVENT | SPOOLED,
        };
        let mut record = [0; RECORD];
        let (time, rest) = record.split_at_mut(8);
        let (offset, rest) = rest.split_at_mut(8);
        let (connection, len) = rest.split_at_mut(4);
        time.copy_from_slice(&self.at.0.to_le_bytes());
        // No file has 2⁵⁶ bytes.
        offset.copy_from_slice(&(self.offset | tag << OFFSET_BITS).to_le_bytes());
        connection.copy_from_slice(&self.connection.0.to_le_bytes());
        len.copy_from_slice(&self.len.to_le_bytes());
        record
    }

    fn decode(record: &[u8; RECORD]) -> Record {
        let (words, rest) = record.as_chunks::<8>();
        let long = |place: usize| words.get(place).map_or(0, |field| u64::from_le_bytes(*field));
        debug_assert!(rest.is_empty());
        let (at, offset, both) = (long(0), long(1), long(2));
        let tag = offset >> OFFSET_BITS;
        let direction = if tag & RECEIVED == 0 {
            Direction::Sent
        } else {
            Direction::Received
        };
        let place = if tag & SPOOLED == 0 {
            Place::File
        } else {
            Place::Spool
        };
        let kind = if tag & EVENT != 0 {
            RecordKind::Event
        } else if tag & DATAGRAM != 0 {
            RecordKind::Datagram(direction, place)
        } else {
            RecordKind::Stream(direction, place)
        };
        Record {
            at: Timestamp(at),
            connection: ConnectionId(both as u32),
            kind,
            offset: offset & ((1 << OFFSET_BITS) - 1),
            len: (both >> 32) as u32,
        }
    }
}

/// The parts of the table that were read last, the latest at the end.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    kept: Vec<(u64, Vec<[u8; RECORD]>)>,
}

impl Blocks {
    /// Record `number` of a table that has `count`.
    pub(super) fn record(&mut self, table: &File, number: u64, count: u64) -> io::Result<Record> {
        let block = number / BLOCK;
        let within = (number % BLOCK) as usize;
        let place = self.kept.iter().rposition(|(kept, _)| *kept == block);
        if let Some(place) = place
            && let Some(record) = self.kept[place].1.get(within)
        {
            let record = Record::decode(record);
            self.kept[place..].rotate_left(1);
            return Ok(record);
        }
        // A block that was read while it was still growing lacks its newest records.
        let mut records = match place {
            Some(place) => self.kept.remove(place).1,
            None if self.kept.len() >= KEPT => self.kept.remove(0).1,
            None => Vec::new(),
        };
        let wanted = count.saturating_sub(block * BLOCK).min(BLOCK) as usize;
        records.clear();
        records.resize(wanted, [0; RECORD]);
        table.read_exact_at(records.as_flattened_mut(), block * BLOCK * RECORD as u64)?;
        let record = records.get(within).map(Record::decode);
        self.kept.push((block, records));
        record.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn sample(number: u64) -> Record {
        let direction = if number.is_multiple_of(2) {
            Direction::Sent
        } else {
            Direction::Received
        };
        let place = if number.is_multiple_of(3) {
            Place::File
        } else {
            Place::Spool
        };
        Record {
            at: Timestamp(u64::MAX - number),
            connection: ConnectionId(u32::MAX - number as u32),
            kind: match number % 5 {
                0 => RecordKind::Event,
                1 => RecordKind::Datagram(direction, place),
                _ => RecordKind::Stream(direction, place),
            },
            offset: (1 << OFFSET_BITS) - 1 - number,
            len: u32::MAX - number as u32,
        }
    }

    #[test]
    fn records_are_what_was_written_also_while_the_table_grows() {
        let mut file = tempfile::tempfile().unwrap();
        let mut blocks = Blocks::default();
        let mut count = 0;
        for step in [1, 600, 3, 20_000] {
            for number in count..count + step {
                file.write_all(&sample(number).encode()).unwrap();
            }
            count += step;
            for number in (0..count).rev().step_by(7).chain(0..count.min(2000)) {
                let record = blocks.record(&file, number, count).unwrap();
                assert_eq!(record, sample(number));
            }
            assert!(blocks.record(&file, count, count).is_err());
        }
        assert!(blocks.kept.len() <= KEPT);
    }
}
