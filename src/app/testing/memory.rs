//! A log in memory, all of it or what a filter shows: only for tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut, Range};

use crate::model::{
    Annotation, ConnectionId, Direction, Entry, EntryId, EntryKind, Records, RecordsError, Stamps,
    Surroundings, Tail, Timestamp,
};

/// Entries in memory, of which not all may be shown.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    all: Whole,
    /// The numbers of the entries that a filter shows; without it, all.
    pub(crate) shown: Option<Vec<u64>>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    entries: Vec<(EntryKind, Vec<u8>)>,
    /// How many entries are not kept any more.
    pub(crate) gone: u64,
    /// How often entries were looked at, to show that work is bounded.
    pub(crate) looks: RefCell<u64>,
    /// What was added to entries.
    pub(crate) annotations: BTreeMap<u64, Annotation>,
    pub(crate) stamps: BTreeMap<u64, Stamps>,
}

impl Deref for Memory {
    type Target = Whole;

    fn deref(&self) -> &Whole {
        &self.all
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut Whole {
        &mut self.all
    }
}

impl Whole {
    pub(crate) fn data(&mut self, direction: Direction, bytes: &[u8]) {
        self.entries.push((EntryKind::Data { direction }, bytes.to_vec()));
    }

    pub(crate) fn event(&mut self, kind: EntryKind) {
        self.entries.push((kind, Vec::new()));
    }

    fn line(&self, id: EntryId) -> Result<&(EntryKind, Vec<u8>), RecordsError> {
        if id.0 < self.gone {
            return Err(RecordsError::Removed);
        }
        self.entries.get(id.0 as usize).ok_or(RecordsError::Missing(id))
    }
}

impl Records for Whole {
    fn first(&self) -> EntryId {
        EntryId(self.gone)
    }

    fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        *self.looks.borrow_mut() += 1;
        let (kind, bytes) = self.line(id)?;
        Ok(Entry {
            id,
            connection: ConnectionId(0),
            at: Timestamp(id.0 * 1_000),
            kind: kind.clone(),
            len: bytes.len() as u32,
        })
    }

    fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        let (_, bytes) = self.line(id)?;
        let end = (range.end as usize).min(bytes.len());
        Ok(bytes[(range.start as usize).min(end)..end].to_vec())
    }

    fn surroundings(&self, id: EntryId) -> Result<Surroundings, RecordsError> {
        let (kind, _) = self.line(id)?;
        let at = id.0 as usize;
        let same = |(_, (other, _)): &(usize, &(EntryKind, Vec<u8>))| other == kind;
        let before = self.entries.iter().enumerate().take(at).rfind(same);
        let after = self.entries.iter().enumerate().skip(at + 1).find(same);
        Ok(Surroundings {
            before: before.map_or(Tail::default(), |(_, (_, bytes))| Tail::last_of(bytes)),
            after: after.map_or(Tail::default(), |(_, (_, bytes))| Tail::first_of(bytes)),
        })
    }

    fn started(&self, _: ConnectionId) -> Option<Timestamp> {
        Some(Timestamp(0))
    }

    fn stamps(&self, number: EntryId) -> Option<Stamps> {
        self.stamps.get(&number.0).copied()
    }

    fn has_stamps(&self) -> bool {
        !self.stamps.is_empty()
    }

    fn annotation(&self, number: EntryId) -> Option<Annotation> {
        self.annotations.get(&number.0).cloned()
    }

    fn annotations(&self) -> u64 {
        self.annotations.len() as u64
    }

    fn annotated(&self, page: Range<u64>) -> Vec<EntryId> {
        let all = self.annotations.keys().map(|number| EntryId(*number));
        all.skip(page.start as usize)
            .take((page.end - page.start) as usize)
            .collect()
    }

    fn annotated_after(&self, number: EntryId) -> Option<EntryId> {
        let mut after = self.annotations.range(number.0 + 1..);
        after.next().map(|(number, _)| EntryId(*number))
    }

    fn annotated_before(&self, number: EntryId) -> Option<EntryId> {
        let mut before = self.annotations.range(..number.0);
        before.next_back().map(|(number, _)| EntryId(*number))
    }
}

impl Memory {
    fn number(&self, place: EntryId) -> Result<EntryId, RecordsError> {
        match &self.shown {
            Some(shown) => shown.get(place.0 as usize).copied().map(EntryId),
            None => Some(place),
        }
        .ok_or(RecordsError::Missing(place))
    }
}

impl Records for Memory {
    fn first(&self) -> EntryId {
        self.place_of(self.all.first())
    }

    fn len(&self) -> u64 {
        let shown = self.shown.as_ref().map(|shown| shown.len() as u64);
        shown.unwrap_or(self.all.len())
    }

    fn unfiltered(&self) -> Option<&dyn Records> {
        self.shown.as_ref().map(|_| &self.all as &dyn Records)
    }

    fn place_of(&self, number: EntryId) -> EntryId {
        let before = |shown: &Vec<u64>| EntryId(shown.partition_point(|at| *at < number.0) as u64);
        self.shown.as_ref().map_or(number, before)
    }

    fn number_of(&self, place: EntryId) -> Option<EntryId> {
        let number = self.number(place).ok()?;
        self.all.number_of(number)
    }

    fn entry(&self, place: EntryId) -> Result<Entry, RecordsError> {
        self.all.entry(self.number(place)?)
    }

    fn payload(&self, place: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        self.all.payload(self.number(place)?, range)
    }

    fn surroundings(&self, place: EntryId) -> Result<Surroundings, RecordsError> {
        self.all.surroundings(self.number(place)?)
    }

    fn started(&self, connection: ConnectionId) -> Option<Timestamp> {
        self.all.started(connection)
    }

    fn stamps(&self, number: EntryId) -> Option<Stamps> {
        Records::stamps(&self.all, number)
    }

    fn has_stamps(&self) -> bool {
        self.all.has_stamps()
    }

    fn annotation(&self, number: EntryId) -> Option<Annotation> {
        self.all.annotation(number)
    }

    fn annotations(&self) -> u64 {
        Records::annotations(&self.all)
    }

    fn annotated(&self, page: Range<u64>) -> Vec<EntryId> {
        self.all.annotated(page)
    }

    fn annotated_after(&self, number: EntryId) -> Option<EntryId> {
        let mut after = self.all.annotations.range(number.0 + 1..);
        after.find_map(|(number, _)| self.place_exactly(EntryId(*number)).map(|_| EntryId(*number)))
    }

    fn annotated_before(&self, number: EntryId) -> Option<EntryId> {
        let mut before = self.all.annotations.range(..number.0).rev();
        before.find_map(|(number, _)| self.place_exactly(EntryId(*number)).map(|_| EntryId(*number)))
    }
}
