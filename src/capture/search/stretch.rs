//! A stretch of one direction of a connection: bytes of entries that follow each other, and what is found in them.
//!
//! # What is a hit
//!
//! An entry is a hit if there is a match in its bytes alone, where its ends count as the ends of lines; or if a match
//! starts in it and ends in a later entry of the same stream. Such a match lies whole in the [`FAR`] bytes before the
//! entry's end and the [`FAR`] bytes behind it, unless its length is bounded: then it is always found. Where what
//! stands behind a match decides (`$`, `\b`), a match that ends where the stream ends so far is none yet. All this
//! depends on the stream alone, and not on how it is read or how fast it grows.

use std::ops::Range;

use crate::model::TermSet;
use crate::text::Pattern;

/// How far a match of any length is followed over the end of its entry, each way.
pub(super) const FAR: usize = 4096;

/// Bytes on one side of a match that can matter to it: one character.
const CHARACTER: usize = 4;

/// How far around an entry its stream matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Bytes before it.
    pub(super) before: usize,
    /// How many of them are only looked back at: no match starts there.
    pub(super) behind: usize,
    /// Bytes behind it.
    pub(super) after: usize,
}

impl Reach {
    /// What is enough for all of these patterns.
    pub(super) fn of<'p>(patterns: impl Iterator<Item = &'p Pattern>) -> Reach {
        let mut reach = Reach::default();
        for pattern in patterns {
            let (before, after) = match bound(pattern) {
                Some(longest) => (longest - 1, longest - 1),
                None => (2 * FAR, FAR),
            };
            // A match that is not settled yet waits for what stands behind it.
            let waiting = if pattern.looks_ahead() { CHARACTER } else { 0 };
            reach.before = reach.before.max(before + waiting);
            reach.after = reach.after.max(after);
            if pattern.looks_around() {
                reach.behind = CHARACTER;
            }
        }
        Reach {
            before: reach.before + reach.behind,
            after: reach.after + reach.behind,
            ..reach
        }
    }
}

/// The length that no match exceeds, if that makes following all of them cheap.
fn bound(pattern: &Pattern) -> Option<usize> {
    pattern.longest().filter(|longest| (1..=FAR).contains(longest))
}

/// The bytes of one entry in a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The entry's number.
    pub(super) id: u64,
    /// Where its bytes end.
    pub(super) end: usize,
    /// What is known to hold for it.
    pub(super) terms: TermSet,
    /// Whether it was said to be a hit.
    pub(super) shown: bool,
    /// Whether it was searched before.
    searched: bool,
}

/// Bytes that follow each other in a stream, entry by entry.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    bytes: Vec<u8>,
    /// Where the first piece starts: bytes before it are only looked back at.
    start: usize,
    pieces: Vec<Piece>,
}

impl Stretch {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The memory that it takes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<Piece>()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
        self.start = 0;
    }

    /// Gives memory back that is not used.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.pieces.shrink_to_fit();
    }

    /// Adds the bytes of the next entry.
    pub(super) fn push(&mut self, id: u64, bytes: &[u8], terms: TermSet) {
        self.bytes.extend_from_slice(bytes);
        self.pieces.push(Piece {
            id,
            end: self.bytes.len(),
            terms,
            shown: false,
            searched: false,
        });
    }

    /// Looks for a pattern everywhere where it was not found yet.
    pub(super) fn search(&mut self, term: usize, pattern: &Pattern) {
        if pattern.looks_around() {
            self.search_alone(term, pattern);
        }
        let bound = bound(pattern);
        let mut index = self.unmarked(0, term);
        while let Some(piece) = self.pieces.get(index) {
            let from = self.range(index).start;
            let Some(found) = pattern.find_in(&self.bytes, from) else {
                return;
            };
            if found.start >= piece.end {
                index = self.pieces.partition_point(|piece| piece.end <= found.start);
            }
            if self
                .pieces
                .get(index)
                .is_none_or(|piece| piece.terms.contains(term))
            {
                index = self.unmarked(index, term);
                continue;
            }
            if bound.is_none() && found.len() > FAR {
                // From here on every such match would be followed to the end, again and again.
                return self.search_closely(index, term, pattern);
            }
            let hit = if found.end > self.pieces[index].end {
                settled(pattern, &found, self.bytes.len())
            } else {
                // Where the ends of a piece matter, what is within it was decided by itself.
                !pattern.looks_around() || self.crossing(index, pattern).is_some()
            };
            if hit {
                self.pieces[index].terms.insert(term);
            }
            index = self.unmarked(index + 1, term);
        }
    }

    /// What a pattern matches in a piece, and what it matches from there into later ones.
    pub(super) fn matches(&self, index: usize, pattern: &Pattern) -> Vec<Range<usize>> {
        let piece = self.range(index);
        let alone = &self.bytes[piece.clone()];
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(range) = pattern.find_in(alone, from) {
            from = range.end;
            found.push(piece.start + range.start..piece.start + range.end);
        }
        found.extend(self.crossing(index, pattern));
        found
    }

    /// What a pattern matches in a piece, from there into later ones, and from earlier ones into it.
    pub(super) fn reaching(&self, index: usize, pattern: &Pattern) -> Vec<Range<usize>> {
        let start = self.range(index).start;
        let mut found = Vec::new();
        let mut earlier = 0;
        while earlier < index {
            // Where nothing starts, nothing has to be followed. What stands at the end of what is known may match though
            // nothing does once more is known; that is for each piece to say.
            if !pattern.looks_ahead() {
                let Some(next) = pattern.find_in(&self.bytes, self.range(earlier).start) else {
                    break;
                };
                earlier = self.pieces.partition_point(|piece| piece.end <= next.start);
                if earlier >= index {
                    break;
                }
            }
            let crossing = self.crossing(earlier, pattern);
            found.extend(crossing.filter(|range| range.end > start));
            earlier += 1;
        }
        found.extend(self.matches(index, pattern));
        found
    }

    /// Leaves the first `behind` bytes to be looked back at only, as after [`Stretch::trim`].
    pub(super) fn skip(&mut self, behind: usize) {
        self.start = behind;
    }

    /// The pieces, in order.
    pub(super) fn pieces(&mut self) -> &mut [Piece] {
        &mut self.pieces
    }

    /// Forgets all but those bytes which what follows can still make part of a hit.
    pub(super) fn trim(&mut self, reach: Reach) {
        for piece in &mut self.pieces {
            piece.searched = true;
        }
        let cut = self.bytes.len().saturating_sub(reach.before);
        if cut == 0 {
            return;
        }
        let gone = self.pieces.partition_point(|piece| piece.end <= cut);
        let start = if gone == 0 {
            self.start
        } else {
            self.pieces[gone - 1].end
        };
        // What is left of the first piece begins behind the bytes that are only looked back at.
        self.start = start.saturating_sub(cut).max(reach.behind);
        self.pieces.drain(..gone);
        for piece in &mut self.pieces {
            piece.end -= cut;
        }
        self.bytes.drain(..cut);
    }

    fn range(&self, index: usize) -> Range<usize> {
        let end = self.pieces[index].end;
        let start = match index {
            0 => self.start,
            _ => self.pieces[index - 1].end,
        };
        start.min(end)..end
    }

    /// The first piece from `index` on in which a term was not found.
    fn unmarked(&self, index: usize, term: usize) -> usize {
        let rest = self.pieces.get(index..).unwrap_or_default();
        index + rest.iter().take_while(|piece| piece.terms.contains(term)).count()
    }

    /// Looks into each new piece by itself, because its ends matter.
    fn search_alone(&mut self, term: usize, pattern: &Pattern) {
        for index in 0..self.pieces.len() {
            if !self.pieces[index].searched && pattern.find_in(&self.bytes[self.range(index)], 0).is_some() {
                self.pieces[index].terms.insert(term);
            }
        }
    }

    /// Looks into each piece and right behind it, but not further.
    fn search_closely(&mut self, first: usize, term: usize, pattern: &Pattern) {
        for index in first..self.pieces.len() {
            let piece = self.range(index);
            let alone = || pattern.find_in(&self.bytes[piece.clone()], 0).is_some();
            if !self.pieces[index].terms.contains(term)
                && (alone() || self.crossing(index, pattern).is_some())
            {
                self.pieces[index].terms.insert(term);
            }
        }
    }

    /// A match that starts in a piece and ends behind it.
    fn crossing(&self, index: usize, pattern: &Pattern) -> Option<Range<usize>> {
        let piece = self.range(index);
        let (before, after) = match bound(pattern) {
            Some(longest) => (longest - 1, self.bytes.len()),
            None => (FAR, FAR),
        };
        let stop = self.bytes.len().min(piece.end.saturating_add(after));
        let mut from = piece.start.max(piece.end.saturating_sub(before));
        while let Some(found) = pattern.find_in(&self.bytes[..stop], from) {
            if found.start >= piece.end {
                return None;
            }
            if found.end > piece.end {
                return settled(pattern, &found, stop).then_some(found);
            }
            // A match within the piece can hide one that starts in it.
            from = found.start + 1;
        }
        None
    }
}

/// Whether nothing that follows can change that this is a match.
fn settled(pattern: &Pattern, found: &Range<usize>, stop: usize) -> bool {
    !pattern.looks_ahead() || found.end < stop
}
