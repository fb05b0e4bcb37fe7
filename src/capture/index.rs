//! The sparse index: where every 64th entry starts, and what reading from there has to know.
//!
//! The recorder appends to it and readers look things up at the same time; neither waits for the other longer
//! than one such step takes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::model::{ConnectionId, Direction, Tail};

/// Entries between two checkpoints.
pub(super) const GROUP: u64 = 64;

/// Checkpoints that are allocated at a time: growing never copies what is there, so it never holds up anybody.
const PAGE: usize = 4096;

/// The last bytes of both directions of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tails {
    sent: Tail,
    received: Tail,
}

impl Tails {
    /// The last bytes of one direction.
    pub(super) fn of(self, direction: Direction) -> Tail {
        match direction {
            Direction::Sent => self.sent,
            Direction::Received => self.received,
        }
    }

    /// Takes in what follows.
    pub(super) fn push(&mut self, direction: Direction, bytes: &[u8]) {
        let tail = match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        };
        *tail = join(*tail, bytes);
    }
}

/// The last bytes of `before` followed by `bytes`.
fn join(before: Tail, bytes: &[u8]) -> Tail {
    if bytes.len() >= 3 {
        return Tail::last_of(bytes);
    }
    let mut both = [0; 6];
    let first = before.as_slice();
    let len = first.len() + bytes.len();
    both[..first.len()].copy_from_slice(first);
    both[first.len()..len].copy_from_slice(bytes);
    Tail::last_of(&both[..len])
}

/// What stands before an entry whose number is a multiple of [`GROUP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    /// Where the entry's block, or a block before it that is no entry, starts.
    pub(super) offset: u64,
    /// The entry's connection.
    pub(super) connection: ConnectionId,
    /// The last bytes of that connection before the entry.
    pub(super) tails: Tails,
}

/// The index of one file: some 24 bytes for 64 entries. Entries are counted from the first one of the file.
#[derive(Debug, Default)]
pub(super) struct Index {
    pages: RwLock<Vec<Vec<Checkpoint>>>,
    entries: AtomicU64,
    end: AtomicU64,
}

impl Index {
    /// How many entries there are.
    pub(super) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Acquire)
    }

    /// Where the last whole block ends. Covers every entry that [`Index::entries`] told of before.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// The checkpoint of a group of entries.
    pub(super) fn checkpoint(&self, group: u64) -> Option<Checkpoint> {
        let group = usize::try_from(group).ok()?;
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        pages.get(group / PAGE)?.get(group % PAGE).copied()
    }

    /// Adds the next entry if it is the first of a group; `number` is its own.
    pub(super) fn add_entry(&self, number: u64, checkpoint: Checkpoint) {
        if !number.is_multiple_of(GROUP) {
            return;
        }
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.last_mut().filter(|page| page.len() < PAGE) {
            page.push(checkpoint);
            return;
        }
        let mut page = Vec::with_capacity(PAGE);
        page.push(checkpoint);
        pages.push(page);
    }

    /// Shows readers what is in the file now: first how far it goes, then how many entries that is.
    pub(super) fn publish(&self, entries: u64, end: u64) {
        self.end.store(end, Ordering::Release);
        self.entries.store(entries, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_join_over_small_reads() {
        let mut tails = Tails::default();
        for (bytes, expected) in [
            (&b"a"[..], &b"a"[..]),
            (b"b", b"ab"),
            (b"", b"ab"),
            (b"cd", b"bcd"),
            (b"e", b"cde"),
            (b"fghi", b"ghi"),
        ] {
            tails.push(Direction::Received, bytes);
            assert_eq!(tails.of(Direction::Received).as_slice(), expected);
        }
        assert_eq!(tails.of(Direction::Sent).as_slice(), b"");
    }

    #[test]
    fn every_64th_entry_has_a_checkpoint() {
        let index = Index::default();
        let entries = GROUP * (PAGE as u64 + 3) + 1;
        for number in 0..entries {
            let checkpoint = Checkpoint {
                offset: number,
                connection: ConnectionId(0),
                tails: Tails::default(),
            };
            index.add_entry(number, checkpoint);
        }
        for group in 0..PAGE as u64 + 4 {
            assert_eq!(index.checkpoint(group).unwrap().offset, group * GROUP);
        }
        assert_eq!(index.checkpoint(PAGE as u64 + 4), None);
        assert_eq!(index.checkpoint(u64::MAX), None);
    }

    #[test]
    fn a_hundred_million_entries_take_tens_of_mebibytes() {
        assert!(size_of::<Checkpoint>() as u64 * 100_000_000 / GROUP <= 40 << 20);
    }
}
