//! What in the bytes of an entry is part of a hit, for the few entries that are on the screen.

use std::ops::Range;

use super::stretch::{Reach, Stretch};
use crate::model::{
    ConnectionId, Direction, Entry, EntryId, EntryKind, Protocol, Records, RecordsError, TermSet,
};
use crate::text::Pattern;

/// How many entries are looked at on either side for the rest of a hit. One that reaches over more entries of other
/// streams is shown as far as it lies in the entry where it starts and those near it.
const NEAR: u64 = 256;

/// How many of them are read.
const PARTS: usize = 32;

/// Where in the payload of the entry at `place` hits are, in order and apart from each other: also those that start in
/// an earlier entry of its stream, or end in a later one, whether a filter shows that or not.
pub fn hits(
    records: &dyn Records,
    pattern: &Pattern,
    place: EntryId,
) -> Result<Vec<Range<u32>>, RecordsError> {
    let entry = records.entry(place)?;
    match records.unfiltered() {
        Some(all) => hits_of(all, pattern, &entry),
        None => hits_of(records, pattern, &entry),
    }
}

/// Whether a match is in the bytes of an entry or starts there, in a log where every entry stands at its number.
pub(super) fn starts_in(
    records: &dyn Records,
    pattern: &Pattern,
    entry: &Entry,
) -> Result<bool, RecordsError> {
    let around = Around::read(records, pattern, entry)?;
    Ok(around.is_some_and(|around| !around.stretch.matches(around.before, pattern).is_empty()))
}

/// In a log where every entry stands at its number.
fn hits_of(records: &dyn Records, pattern: &Pattern, entry: &Entry) -> Result<Vec<Range<u32>>, RecordsError> {
    let Some(around) = Around::read(records, pattern, entry)? else {
        return Ok(Vec::new());
    };
    let Around {
        stretch,
        before,
        own: Range { start, end },
    } = around;
    let mut found: Vec<Range<usize>> = (0..=before)
        .flat_map(|index| stretch.matches(index, pattern))
        .filter(|range| range.end > start)
        .collect();
    found.sort_by_key(|range| range.start);
    let mut out: Vec<Range<u32>> = Vec::new();
    for range in found {
        let from = (range.start.max(start) - start) as u32;
        let to = (range.end.min(end) - start) as u32;
        match out.last_mut() {
            Some(last) if last.end >= from => last.end = last.end.max(to),
            Some(_) | None => out.push(from..to),
        }
    }
    Ok(out)
}

/// An entry with the bytes of its stream around it, as far as they matter.
struct Around {
    stretch: Stretch,
    /// How many entries there are before it.
    before: usize,
    /// Where its bytes are.
    own: Range<usize>,
}

impl Around {
    /// None of an entry that has no bytes.
    fn read(records: &dyn Records, pattern: &Pattern, entry: &Entry) -> Result<Option<Around>, RecordsError> {
        let id = entry.id;
        let Some(direction) = entry.direction() else {
            return Ok(None);
        };
        let stream = Stream {
            connection: entry.connection,
            direction,
        };
        let reach = if stream.is_joined(records) {
            Reach::of(std::iter::once(pattern))
        } else {
            Reach::default()
        };
        let mut stretch = Stretch::default();
        for (number, bytes) in stream.before(records, id, reach.before)?.iter().rev() {
            stretch.push(*number, bytes, TermSet::default());
        }
        let start = stretch.len();
        if start == reach.before && start > 0 {
            stretch.skip(reach.behind);
        }
        stretch.push(id.0, &records.payload(id, 0..entry.len)?, TermSet::default());
        let end = stretch.len();
        let before = stretch.pieces().len() - 1;
        for (number, bytes) in stream.after(records, id, reach.after)? {
            stretch.push(number, &bytes, TermSet::default());
        }
        Ok(Some(Around {
            stretch,
            before,
            own: start..end,
        }))
    }
}

/// One direction of one connection.
#[derive(Clone, Copy)]
struct Stream {
    connection: ConnectionId,
    direction: Direction,
}

/// What an entry is to a stream.
enum Part {
    /// It is of another one.
    None,
    /// Its bytes follow.
    Bytes,
    /// Bytes are missing.
    Missing,
}

impl Stream {
    /// Whether its entries follow each other, and are not messages of their own.
    fn is_joined(self, records: &dyn Records) -> bool {
        let found = records.conversation(self.connection);
        found.is_none_or(|found| found.protocol == Protocol::Tcp)
    }

    fn part(self, entry: &Entry) -> Part {
        if entry.connection != self.connection {
            return Part::None;
        }
        match entry.kind {
            EntryKind::Data { direction } if direction == self.direction => Part::Bytes,
            EntryKind::Gap { direction, .. } if direction == self.direction => Part::Missing,
            EntryKind::Data { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Note { .. } => Part::None,
        }
    }

    /// The last `need` bytes before entry `id`, the latest entry first.
    fn before(
        self,
        records: &dyn Records,
        id: EntryId,
        need: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, RecordsError> {
        self.collect(
            records,
            (id.0.saturating_sub(NEAR).max(records.first().0)..id.0).rev(),
            need,
            |len, take| len - take..len,
        )
    }

    /// The first `need` bytes after it.
    fn after(
        self,
        records: &dyn Records,
        id: EntryId,
        need: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, RecordsError> {
        let end = records.len().min(id.0.saturating_add(1 + NEAR));
        self.collect(records, id.0 + 1..end, need, |_, take| 0..take)
    }

    fn collect(
        self,
        records: &dyn Records,
        numbers: impl Iterator<Item = u64>,
        need: usize,
        part: impl Fn(u32, u32) -> Range<u32>,
    ) -> Result<Vec<(u64, Vec<u8>)>, RecordsError> {
        let mut left = u32::try_from(need).unwrap_or(u32::MAX);
        let mut found = Vec::new();
        for number in numbers {
            if left == 0 || found.len() >= PARTS {
                break;
            }
            let entry = match records.entry(EntryId(number)) {
                // It went meanwhile.
                Err(RecordsError::Removed) => break,
                entry => entry?,
            };
            match self.part(&entry) {
                Part::None => {}
                Part::Missing => break,
                Part::Bytes => {
                    let take = entry.len.min(left);
                    left -= take;
                    found.push((number, records.payload(EntryId(number), part(entry.len, take))?));
                }
            }
        }
        Ok(found)
    }
}
