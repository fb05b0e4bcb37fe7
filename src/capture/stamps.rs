//! The kernel's time stamps of entries in a session file: blocks of them for many entries each, which the file gets
//! when they are known. In memory is only where those blocks are.
//!
//! Deliberately absent: how they are learnt.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::model::{EntryId, Stamped, Stamps, Timestamp};

/// Entries in a block at most, so that reading one of them reads little.
const MOST: usize = 128;

/// How many entries the first and the last one of a block are apart at most, so that few blocks are in question for
/// an entry.
const SPAN: u64 = 256;

/// Blocks of one file of which it is known where they are: some 48 bytes of memory each.
const MOST_BLOCKS: usize = 1 << 20;

/// Blocks that are looked at for an entry: its own stamps are told twice or so, and a hostile file may try.
const LOOKED_AT: usize = 1024;

/// A block as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    stamps: Vec<Line>,
}

/// The stamps of an entry, in nanoseconds from the time of the entry.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    entry: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queued: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheduled: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_wire: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrived: Option<i64>,
}

impl Line {
    fn of(stamped: &Stamped) -> Line {
        let Stamped { entry, at, stamps } = stamped;
        let from = |when: Option<Timestamp>| when.map(|when| when.0.wrapping_sub(at.0).cast_signed());
        Line {
            entry: entry.0,
            queued: from(stamps.queued),
            scheduled: from(stamps.scheduled),
            on_wire: from(stamps.on_wire),
            acknowledged: from(stamps.acknowledged),
            arrived: from(stamps.arrived),
        }
    }

    fn stamps(&self, at: Timestamp) -> Stamps {
        let when = |from: Option<i64>| from.map(|from| Timestamp(at.0.saturating_add_signed(from)));
        Stamps {
            queued: when(self.queued),
            scheduled: when(self.scheduled),
            on_wire: when(self.on_wire),
            acknowledged: when(self.acknowledged),
            arrived: when(self.arrived),
        }
    }
}

/// The JSON text of a block.
pub(super) fn to_json(stamped: &[Stamped]) -> Vec<u8> {
    let stamps = stamped.iter().map(Line::of).collect();
    // Numbers always have a JSON form.
    serde_json::to_vec(&Written { stamps }).unwrap_or_default()
}

/// Cuts stamps, which are sorted by their entries, into those of one block each.
pub(super) fn cut(mut stamped: &[Stamped]) -> impl Iterator<Item = &[Stamped]> {
    std::iter::from_fn(move || {
        let first = stamped.first()?.entry.0;
        let near = stamped.partition_point(|next| next.entry.0 < first.saturating_add(SPAN));
        let (block, rest) = stamped.split_at(near.clamp(1, MOST));
        stamped = rest;
        Some(block)
    })
}

/// Where a block is, and of which entries it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The first of them.
    pub(super) first: EntryId,
    /// The last of them.
    pub(super) last: EntryId,
    /// Where its JSON text is in the file.
    pub(super) offset: u64,
    /// How long that is.
    pub(super) len: u32,
}

/// Where the blocks of a file are.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By their first entries, and then as they stand in the file.
    sorted: RwLock<BTreeMap<(EntryId, u64), About>>,
}

/// What a block tells of.
#[derive(Clone, Copy, Debug)]
struct About {
    last: EntryId,
    /// How long its text is.
    len: u32,
    /// How much higher the entries are numbered than the text says.
    shift: u64,
}

impl Places {
    /// Takes in a block, whose entries have numbers that are higher by `shift` than it says: those of a recording that
    /// stands behind another in the file.
    pub(super) fn add(&self, place: Place, shift: u64) {
        let mut sorted = self.sorted.write().unwrap_or_else(PoisonError::into_inner);
        let spans = place.last.0.checked_sub(place.first.0);
        let ends = place
            .first
            .0
            .checked_add(shift)
            .zip(place.last.0.checked_add(shift));
        if sorted.len() < MOST_BLOCKS
            && spans.is_some_and(|span| span < SPAN)
            && let Some((first, last)) = ends
        {
            let (last, len) = (EntryId(last), place.len);
            sorted.insert((EntryId(first), place.offset), About { last, len, shift });
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        let sorted = self.sorted.read().unwrap_or_else(PoisonError::into_inner);
        sorted.is_empty()
    }

    /// The stamps of an entry that happened at that time: those that were written last. The file is that of the
    /// segment of this number.
    pub(super) fn read(
        &self,
        (number, file): (u32, &File),
        (entry, at): (EntryId, Timestamp),
        recent: &mut Recent,
    ) -> Option<Stamps> {
        let mut places = self.about(entry);
        places.sort_by_key(|(offset, _)| *offset);
        places
            .iter()
            .rev()
            .find_map(|(offset, About { len, shift, .. })| {
                let block = recent.block((number, *offset), || {
                    let mut json = vec![0; *len as usize];
                    file.read_exact_at(&mut json, *offset).ok()?;
                    serde_json::from_slice(&json).ok()
                })?;
                let line = block
                    .stamps
                    .iter()
                    .rev()
                    .find(|line| Some(line.entry) == entry.0.checked_sub(*shift))?;
                Some(line.stamps(at))
            })
    }

    /// The texts that may tell of an entry, and where they are.
    fn about(&self, entry: EntryId) -> Vec<(u64, About)> {
        let sorted = self.sorted.read().unwrap_or_else(PoisonError::into_inner);
        let first = EntryId(entry.0.saturating_sub(SPAN));
        let near = sorted.range((first, 0)..=(entry, u64::MAX)).rev();
        near.take(LOOKED_AT)
            .filter(|(_, about)| about.last >= entry)
            .map(|((_, offset), about)| (*offset, *about))
            .collect()
    }
}

/// The blocks that were read last: a screenful of entries is in few.
#[derive(Debug, Default)]
pub(super) struct Recent {
    blocks: Vec<((u32, u64), Written)>,
}

impl Recent {
    /// Blocks that are kept.
    const KEPT: usize = 8;

    /// The block of that file and place, read if it is not here.
    fn block(&mut self, key: (u32, u64), read: impl FnOnce() -> Option<Written>) -> Option<&Written> {
        if let Some(at) = self.blocks.iter().position(|(known, _)| *known == key) {
            // Whatever was used last goes last.
            let block = self.blocks.remove(at);
            self.blocks.push(block);
        } else {
            let block = read()?;
            if self.blocks.len() >= Recent::KEPT {
                self.blocks.remove(0);
            }
            self.blocks.push((key, block));
        }
        self.blocks.last().map(|(_, block)| block)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn stamped(entry: u64, acknowledged: Option<u64>) -> Stamped {
        Stamped {
            entry: EntryId(entry),
            at: Timestamp(1_000),
            stamps: Stamps {
                queued: Some(Timestamp(980)),
                acknowledged: acknowledged.map(Timestamp),
                ..Stamps::default()
            },
        }
    }

    #[test]
    fn blocks_hold_entries_that_are_near() {
        let check = |entries: &[u64], expected: &[usize]| {
            let all: Vec<Stamped> = entries.iter().map(|entry| stamped(*entry, None)).collect();
            let lens: Vec<usize> = cut(&all).map(<[Stamped]>::len).collect();
            assert_eq!(lens, expected);
        };
        check(&[], &[]);
        check(&[1, 2, 9], &[3]);
        check(&[1, 2, 256, 257, 1000], &[3, 1, 1]);
        check(&[u64::MAX - 1, u64::MAX], &[1, 1]);
        check(&(0..300).collect::<Vec<_>>(), &[128, 128, 44]);
    }

    #[test]
    fn the_last_word_of_an_entry_is_found() {
        let mut file = tempfile::tempfile().unwrap();
        let places = Places::default();
        let mut end = 0;
        let mut append = |all: &[Stamped]| {
            let json = to_json(all);
            file.write_all(&json).unwrap();
            places.add(
                Place {
                    first: all.first().unwrap().entry,
                    last: all.last().unwrap().entry,
                    offset: end,
                    len: json.len() as u32,
                },
                0,
            );
            end += json.len() as u64;
        };
        append(&[stamped(5, None), stamped(6, Some(1_500))]);
        append(&[stamped(40, Some(2_000))]);
        append(&[stamped(4, Some(1_300)), stamped(5, Some(3_000)), stamped(9, None)]);
        append(&[stamped(41, None)]);
        let mut recent = Recent::default();
        let mut check = |entry, expected: Option<Stamped>| {
            let found = places.read((0, &file), (EntryId(entry), Timestamp(1_000)), &mut recent);
            assert_eq!(found, expected.map(|stamped| stamped.stamps), "{entry}");
        };
        check(3, None);
        check(4, Some(stamped(4, Some(1_300))));
        check(5, Some(stamped(5, Some(3_000))));
        check(6, Some(stamped(6, Some(1_500))));
        check(7, None);
        check(9, Some(stamped(9, None)));
        check(40, Some(stamped(40, Some(2_000))));
        check(41, Some(stamped(41, None)));
        check(99, None);
    }

    #[test]
    fn what_is_no_block_is_no_stamp() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(br#"{"stamps":[{"entry":1,"arrived":"late"}]}"#)
            .unwrap();
        let places = Places::default();
        let place = Place {
            first: EntryId(1),
            last: EntryId(1),
            offset: 0,
            len: 41,
        };
        places.add(place, 0);
        // Behind the end of the file, and the wrong way round.
        places.add(Place { offset: 40, ..place }, 0);
        places.add(
            Place {
                first: EntryId(2),
                ..place
            },
            0,
        );
        let read = |entry| places.read((0, &file), (EntryId(entry), Timestamp(9)), &mut Recent::default());
        assert_eq!((read(1), read(2)), (None, None));
        let line = Line {
            arrived: Some(i64::MIN),
            ..Line::of(&stamped(1, None))
        };
        assert_eq!(line.stamps(Timestamp(5)).arrived, Some(Timestamp(0)));
    }
}
