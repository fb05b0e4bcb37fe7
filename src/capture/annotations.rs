//! What the user added to entries, in memory: little beside the log, but looked at in every frame.
//!
//! Deliberately absent: where it is kept (see `annotator`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use serde::{Deserialize, Serialize};

use crate::model::{Annotation, EntryId};

/// The most entries with an annotation: no person gets there, a hostile file may try.
const MOST: usize = 1 << 20;

/// The most bytes of all comments.
const MOST_TEXT: usize = 64 << 20;

/// Bytes that a comment may have.
pub(super) const LONGEST: usize = 64 << 10;

/// An annotation as JSON; `entry` where no block says it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) mark: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Written {
    /// What is written of an annotation.
    pub(super) fn of(entry: Option<EntryId>, annotation: &Annotation) -> Written {
        Written {
            entry: entry.map(|entry| entry.0),
            mark: annotation.marked,
            comment: annotation.comment.clone(),
        }
    }

    /// The annotation that it tells of.
    pub(super) fn annotation(self) -> Annotation {
        Annotation {
            marked: self.mark,
            comment: self.comment.filter(|text| !text.is_empty()),
        }
    }
}

/// There is no room for more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// All of them, by the number of their entry.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_entry: BTreeMap<u64, Annotation>,
    text: usize,
    /// How many changes there were.
    changes: u64,
    /// Which of them was the last of each entry, of those too from which everything was taken again.
    changed: BTreeMap<u64, u64>,
}

impl Annotations {
    /// Takes the place of what was there of this entry.
    pub(super) fn set(&self, number: EntryId, annotation: Annotation) -> Result<(), TooMany> {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let before = kept.by_entry.get(&number.0);
        let text = kept.text - before.map_or(0, text) + text(&annotation);
        let full = before.is_none() && kept.by_entry.len() >= MOST;
        if !annotation.is_empty() && (full || text > MOST_TEXT) {
            return Err(TooMany);
        }
        kept.text = text;
        // No person gets there; a file that does is not followed in it.
        if kept.changed.len() < MOST || kept.changed.contains_key(&number.0) {
            kept.changes += 1;
            let change = kept.changes;
            kept.changed.insert(number.0, change);
        }
        if annotation.is_empty() {
            kept.by_entry.remove(&number.0);
        } else {
            kept.by_entry.insert(number.0, annotation);
        }
        Ok(())
    }

    /// Forgets those of the entries before `first`, which are not kept any more.
    pub(super) fn forget_before(&self, first: EntryId) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let rest = kept.by_entry.split_off(&first.0);
        let gone = std::mem::replace(&mut kept.by_entry, rest);
        kept.changed = kept.changed.split_off(&first.0);
        kept.text -= gone.values().map(text).sum::<usize>();
    }

    /// The entries that changed behind so many changes, in their order, and how many changes there are now.
    pub(super) fn changed_since(&self, changes: u64) -> (Vec<EntryId>, u64) {
        let kept = self.read();
        if kept.changes == changes {
            return (Vec::new(), changes);
        }
        let later = kept.changed.iter().filter(|(_, change)| **change > changes);
        (later.map(|(number, _)| EntryId(*number)).collect(), kept.changes)
    }

    /// What was added to this entry.
    pub(super) fn of(&self, number: EntryId) -> Option<Annotation> {
        self.read().by_entry.get(&number.0).cloned()
    }

    /// How many entries there are with something.
    pub(super) fn count(&self) -> u64 {
        self.read().by_entry.len() as u64
    }

    /// A part of the list of them, in the order of the log.
    pub(super) fn page(&self, page: Range<u64>) -> Vec<EntryId> {
        let first = usize::try_from(page.start).unwrap_or(usize::MAX);
        let len = usize::try_from(page.end.saturating_sub(page.start)).unwrap_or(usize::MAX);
        let kept = self.read();
        kept.by_entry
            .keys()
            .skip(first)
            .take(len)
            .map(|number| EntryId(*number))
            .collect()
    }

    /// The first one behind an entry for which that holds.
    pub(super) fn after(&self, number: EntryId, holds: impl Fn(EntryId) -> bool) -> Option<EntryId> {
        let next = number.0.checked_add(1)?;
        let kept = self.read();
        let mut behind = kept.by_entry.range(next..).map(|(number, _)| EntryId(*number));
        behind.find(|number| holds(*number))
    }

    /// The last one before it for which that holds.
    pub(super) fn before(&self, number: EntryId, holds: impl Fn(EntryId) -> bool) -> Option<EntryId> {
        let kept = self.read();
        let mut before = kept
            .by_entry
            .range(..number.0)
            .map(|(number, _)| EntryId(*number));
        before.rfind(|number| holds(*number))
    }

    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(annotation: &Annotation) -> usize {
    annotation.comment.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Annotation {
        Annotation {
            marked: true,
            comment: None,
        }
    }

    #[test]
    fn the_last_word_counts_and_nothing_is_no_annotation() {
        let all = Annotations::default();
        for number in [7, 3, 9] {
            all.set(EntryId(number), mark()).unwrap();
        }
        let comment = Annotation {
            marked: false,
            comment: Some("slow".into()),
        };
        all.set(EntryId(3), comment.clone()).unwrap();
        assert_eq!(all.of(EntryId(3)), Some(comment));
        assert_eq!(all.page(0..10), [EntryId(3), EntryId(7), EntryId(9)]);
        assert_eq!(all.page(1..2), [EntryId(7)]);
        assert_eq!(
            (all.after(EntryId(3), |_| true), all.after(EntryId(9), |_| true)),
            (Some(EntryId(7)), None)
        );
        assert_eq!(
            (all.before(EntryId(7), |_| true), all.before(EntryId(3), |_| true)),
            (Some(EntryId(3)), None)
        );
        all.set(EntryId(3), Annotation::default()).unwrap();
        assert_eq!((all.of(EntryId(3)), all.count()), (None, 2));
    }

    #[test]
    fn comments_have_a_bound() {
        let all = Annotations::default();
        let long = Annotation {
            marked: false,
            comment: Some("x".repeat(MOST_TEXT)),
        };
        all.set(EntryId(1), long.clone()).unwrap();
        assert_eq!(all.set(EntryId(2), long.clone()), Err(TooMany));
        all.set(EntryId(1), mark()).unwrap();
        all.set(EntryId(2), long).unwrap();
    }
}
