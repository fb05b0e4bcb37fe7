//! The sections of session files: one recording each, or a part of one that goes on in the next.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::model::{EntryId, Timestamp};
use crate::text::format::counted;

/// Where files of a ring do not follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seams {
    /// How often there is a file later than the one that should follow.
    gaps: u64,
    /// Entries that are missing there.
    missing: u64,
    /// How often there is an earlier one.
    disorder: u64,
}

impl Seams {
    /// What is missing, in words.
    pub(super) fn remarks(self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.gaps > 0 {
            remarks.push(format!(
                "files of the ring are missing, with {}: what connections said across them is not joined",
                counted(self.missing, "entry", "entries")
            ));
        }
        if self.disorder > 0 {
            remarks.push(
                "the files of the ring are not in their order: what connections said is not joined".into(),
            );
        }
        remarks
    }
}

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

    /// Puts the next one, which is behind entry number `end`, in its place. Only where the numbers of a ring go on, its
    /// connections do; anything else is a seam.
    pub(super) fn go_on(&mut self, mut next: Section, end: u64, seams: &mut Seams) {
        if next.ring.is_some() && self.ring.is_some() {
            match next.first.cmp(&end) {
                Ordering::Equal => next.ring = self.ring.take(),
                // Another recording begins.
                Ordering::Less if next.first == 0 => {}
                Ordering::Less => seams.disorder += 1,
                Ordering::Greater => {
                    seams.gaps += 1;
                    seams.missing = seams.missing.saturating_add(next.first - end);
                }
            }
        }
        if let Some(ring) = &mut next.ring {
            ring.section += 1;
        }
        *self = next;
    }
}

/// The connections of a ring, whose files count them each for itself.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// By when their dialing started and their name without its scheme, which an upgrade to TLS changes: their places,
    /// and in which section each was announced last.
    places: HashMap<(Timestamp, String), Vec<(u32, u32)>>,
    /// How many sections there were.
    section: u32,
}

impl Ring {
    /// The place of a connection that is announced in this section; `new` if it was never announced before.
    pub(super) fn place(&mut self, started: Timestamp, name: &str, new: u32) -> u32 {
        let (_, target) = name.split_once("://").unwrap_or(("", name));
        let places = self.places.entry((started, target.to_owned())).or_default();
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
