//! What in the bytes of an entry is part of a hit, for the few entries that are on the screen.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use super::stretch::{FAR, Reach, Stretch};
use crate::model::{
    ConnectionId, Direction, Entry, EntryId, EntryKind, Protocol, Records, RecordsError, TermSet, whole,
};
use crate::text::Pattern;

/// How many entries are looked at on either side for the rest of a hit. One that reaches over more entries of other
/// streams is shown as far as it lies in the entry where it starts and those near it.
const NEAR: u64 = 256;

/// How many of them are read.
const PARTS: usize = 32;

/// What is found in entries that are on the screen together: what lies around several of them is read once.
pub struct Highlights<'a> {
    records: &'a dyn Records,
    pattern: &'a Pattern,
    entries: HashMap<EntryId, Entry>,
    payloads: HashMap<(EntryId, Range<u32>), Rc<[u8]>>,
}

impl fmt::Debug for Highlights<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Highlights")
            .field("pattern", &self.pattern)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Highlights<'a> {
    /// For entries of this log, or of the one that it is filtered from.
    pub fn new(records: &'a dyn Records, pattern: &'a Pattern) -> Highlights<'a> {
        Highlights {
            records: whole(records),
            pattern,
            entries: HashMap::new(),
            payloads: HashMap::new(),
        }
    }

    /// Where in the payload of an entry hits are, in order and apart from each other: also those that start in an
    /// earlier entry of its stream, or end in a later one, whether a filter shows that or not.
    pub fn of(&mut self, number: EntryId) -> Result<Vec<Range<u32>>, RecordsError> {
        let Some(around) = self.around(number)? else {
            return Ok(Vec::new());
        };
        let Around {
            stretch,
            before,
            own: Range { start, end },
        } = around;
        let mut found = stretch.reaching(before, self.pattern);
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

    /// Whether a match is in the bytes of an entry or starts there.
    pub(super) fn starts_in(&mut self, number: EntryId) -> Result<bool, RecordsError> {
        let around = self.around(number)?;
        Ok(around.is_some_and(|around| !around.stretch.matches(around.before, self.pattern).is_empty()))
    }

    /// None of an entry that has no bytes.
    fn around(&mut self, number: EntryId) -> Result<Option<Around>, RecordsError> {
        let entry = self.entry(number)?;
        let Some(direction) = entry.direction() else {
            return Ok(None);
        };
        let stream = Stream {
            connection: entry.connection,
            direction,
        };
        let reach = if stream.is_joined(self.records) {
            Reach::of(std::iter::once(self.pattern))
        } else {
            Reach::default()
        };
        let mut stretch = Stretch::default();
        for (number, bytes) in self.before(stream, number, reach.before)?.iter().rev() {
            stretch.push(number.0, bytes, TermSet::default());
        }
        let start = stretch.len();
        if start == reach.before && start > 0 {
            stretch.skip(reach.behind);
        }
        let own = self.payload(number, 0..entry.len)?;
        stretch.push(number.0, &own, TermSet::default());
        let end = stretch.len();
        let before = stretch.pieces().len() - 1;
        for (number, bytes) in self.after(stream, number, reach.after)? {
            stretch.push(number.0, &bytes, TermSet::default());
        }
        Ok(Some(Around {
            stretch,
            before,
            own: start..end,
        }))
    }

    /// The last `need` bytes of a stream before an entry, the latest entry first.
    fn before(&mut self, stream: Stream, number: EntryId, need: usize) -> Result<Parts, RecordsError> {
        let first = number.0.saturating_sub(NEAR).max(self.records.first().0);
        self.collect(stream, (first..number.0).rev(), need, |len, take| len - take..len)
    }

    /// The first `need` bytes of a stream after an entry.
    fn after(&mut self, stream: Stream, number: EntryId, need: usize) -> Result<Parts, RecordsError> {
        let end = self.records.len().min(number.0.saturating_add(1 + NEAR));
        self.collect(stream, number.0 + 1..end, need, |_, take| 0..take)
    }

    fn collect(
        &mut self,
        stream: Stream,
        numbers: impl Iterator<Item = u64>,
        need: usize,
        part: impl Fn(u32, u32) -> Range<u32>,
    ) -> Result<Parts, RecordsError> {
        let mut left = u32::try_from(need).unwrap_or(u32::MAX);
        let mut found = Vec::new();
        for number in numbers.map(EntryId) {
            if left == 0 || found.len() >= PARTS {
                break;
            }
            let entry = match self.entry(number) {
                // It went meanwhile.
                Err(RecordsError::Removed) => break,
                entry => entry?,
            };
            match stream.part(&entry) {
                Part::None => {}
                Part::Missing => break,
                Part::Bytes => {
                    let take = entry.len.min(left);
                    left -= take;
                    found.push((number, self.payload(number, part(entry.len, take))?));
                }
            }
        }
        Ok(found)
    }

    fn entry(&mut self, number: EntryId) -> Result<Entry, RecordsError> {
        if let Some(entry) = self.entries.get(&number) {
            return Ok(entry.clone());
        }
        let entry = self.records.entry(number)?;
        self.entries.insert(number, entry.clone());
        Ok(entry)
    }

    fn payload(&mut self, number: EntryId, range: Range<u32>) -> Result<Rc<[u8]>, RecordsError> {
        let key = (number, range);
        if let Some(bytes) = self.payloads.get(&key) {
            return Ok(bytes.clone());
        }
        let bytes: Rc<[u8]> = self.records.payload(key.0, key.1.clone())?.into();
        // Others need no more of it than lies near them.
        if bytes.len() <= 2 * FAR {
            self.payloads.insert(key, bytes.clone());
        }
        Ok(bytes)
    }
}

/// Bytes of entries, each with its number.
type Parts = Vec<(EntryId, Rc<[u8]>)>;

/// An entry with the bytes of its stream around it, as far as they matter.
struct Around {
    stretch: Stretch,
    /// How many entries there are before it.
    before: usize,
    /// Where its bytes are.
    own: Range<usize>,
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
}
