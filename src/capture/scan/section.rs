//! A recording, or a part of it, within what is walked: where its numbers begin, and what goes on in the next one.

use std::collections::HashMap;

use crate::model::{EntryId, Timestamp};

/// One recording, or a part of it, as it stands in a file.
#[derive(Debug)]
pub(super) struct Section {
    /// The number of its first entry, as it says itself.
    pub(super) first: u64,
    /// How many entries of the file are before it.
    pub(super) before: u64,
    /// What can go on in the next section: only files of a ring do.
    pub(super) ring: Option<Ring>,
}

impl Section {
    /// One whose first entry has the number `first`, if it says so, behind that many entries of the file.
    pub(super) fn new(first: Option<EntryId>, before: u64) -> Section {
        Section {
            first: first.unwrap_or_default().0,
            before,
            ring: first.map(|_| Ring::default()),
        }
    }
}

/// The connections of a ring, whose files count them each for itself.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// By when their dialing started and their name: their places, and in which section each was announced last.
    pub(super) places: HashMap<(Timestamp, String), Vec<(u32, u32)>>,
    /// How many sections there were.
    pub(super) section: u32,
}

impl Ring {
    /// The place of a connection that is announced in this section; `new` if it was never announced before.
    pub(super) fn place(&mut self, started: Timestamp, name: String, new: u32) -> u32 {
        let places = self.places.entry((started, name)).or_default();
        // No section announces a connection twice: another one started at the same moment.
        match places.iter_mut().find(|(_, section)| *section != self.section) {
            Some((place, section)) => {
                *section = self.section;
                *place
            }
            None => {
                places.push((new, self.section));
                new
            }
        }
    }
}
