//! The entries that are exported, in order with their bytes: in bulk where they are many, one by one where they are
//! few.

use std::ops::{ControlFlow, Range};

use crate::capture::Session;
use crate::capture::bulk::{Bulk, Want};
use crate::capture::search::Hits;
use crate::model::{Entry, EntryId, Portion, Records as _, RecordsError};

/// From one chosen entry in so many on, reading all of them costs less than looking each up.
const SPARSE: u64 = 16;

/// Bytes that looking an entry up costs, beside its own.
const EACH: u64 = 64;

/// Whoever takes the entries; breaking off ends the reading behind the entry.
pub(super) type Take<'a> = dyn FnMut(&Entry, &[u8]) -> ControlFlow<()> + 'a;

/// A place among the chosen entries.
#[derive(Debug)]
pub(super) struct Chosen {
    session: Session,
    which: Which,
    /// Where they end, if the log does not end before.
    last: u64,
    bulk: Bulk,
    /// The entry of the log that comes next.
    next: u64,
}

#[derive(Debug)]
enum Which {
    All,
    Hits(Hits),
    /// A part of the log, in which each is looked up, or those among these.
    Part(Option<Hits>),
}

impl Chosen {
    /// The first of them; those that a query holds for are in `hits`.
    pub(super) fn new(session: Session, portion: &Portion, hits: Hits) -> Chosen {
        let (which, Range { start, end }) = match portion {
            Portion::All => (Which::All, 0..u64::MAX),
            Portion::Query(_) => (Which::Hits(hits), 0..u64::MAX),
            Portion::Within(range, _) => (Which::Part(Some(hits)), range.clone()),
            Portion::Entries(range) => (Which::Part(None), range.clone()),
        };
        Chosen {
            bulk: Bulk::new(session.clone(), Want::Payloads),
            session,
            which,
            next: start,
            last: end,
        }
    }

    /// The entry of the log that comes next, chosen or not.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Where they end, of `entries` that there are.
    pub(super) fn end(&self, entries: u64) -> u64 {
        self.last.min(entries)
    }

    /// Hands out those before entry `until`, or as many as have some `budget` bytes.
    pub(super) fn read(&mut self, until: u64, budget: u64, take: &mut Take<'_>) -> Result<(), RecordsError> {
        let hits = match &self.which {
            Which::All => None,
            Which::Hits(hits) => {
                let left =
                    hits.rank(EntryId(until)) - hits.rank(EntryId(self.next)).min(hits.rank(EntryId(until)));
                if left.saturating_mul(SPARSE) < until.saturating_sub(self.next) {
                    return self.each(until, budget, take);
                }
                Some(hits)
            }
            Which::Part(_) => return self.each(until, budget, take),
        };
        let from = self.next;
        let bulk = &mut self.bulk;
        let result = bulk.read(until, budget, &mut |passed| {
            let id = passed.entry.id;
            // The bulk may be behind, where entries were looked up one by one before.
            if id.0 < from || hits.is_some_and(|hits| !hits.contains(id)) {
                return ControlFlow::Continue(());
            }
            take(passed.entry, passed.bytes)
        });
        self.next = self.next.max(bulk.next());
        result
    }

    fn look_up(&self, id: EntryId) -> Result<(Entry, Vec<u8>), RecordsError> {
        let entry = self.session.entry(id)?;
        let bytes = match entry.direction() {
            Some(_) => self.session.payload(id, 0..entry.len)?,
            None => Vec::new(),
        };
        Ok((entry, bytes))
    }

    /// One by one.
    fn each(&mut self, until: u64, budget: u64, take: &mut Take<'_>) -> Result<(), RecordsError> {
        let mut passed = 0;
        while self.next < until && passed < budget {
            let next = match &self.which {
                Which::Hits(hits) | Which::Part(Some(hits)) => hits.at_or_after(EntryId(self.next)),
                Which::All | Which::Part(None) => Some(EntryId(self.next)),
            };
            let Some(id) = next.filter(|id| id.0 < until) else {
                self.next = until;
                return Ok(());
            };
            let (entry, bytes) = match self.look_up(id) {
                // Its ring file went.
                Err(RecordsError::Removed) => {
                    self.next = self.session.first().0.max(id.0 + 1);
                    continue;
                }
                found => found?,
            };
            self.next = id.0 + 1;
            passed += EACH + bytes.len() as u64;
            if take(&entry, &bytes).is_break() {
                break;
            }
        }
        Ok(())
    }
}
