//! The stretches of all streams that are under way, in bounded memory.

use std::collections::HashMap;

use super::hits::{Hits, Marks};
use super::judge::Judge;
use super::stretch::Stretch;
use crate::model::{ConnectionId, Direction, Entry, TermSet};

/// Bytes of a stream that are searched at once: small enough to be still in the processor's cache.
const STRETCH: usize = 128 << 10;

/// The most memory of all streams together. With more, those that were quiet for longest are forgotten, and what
/// starts in them and ends later is not found.
const MEMORY: usize = 16 << 20;

/// What a stream takes beside its bytes.
const EACH: usize = 256;

/// Both directions of a connection.
#[derive(Debug, Default)]
struct Pair {
    connection: ConnectionId,
    sent: Stretch,
    received: Stretch,
    /// The last round in which there was something new.
    round: u64,
    memory: usize,
}

impl Pair {
    fn of(&mut self, direction: Direction) -> &mut Stretch {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    fn measure(&self) -> usize {
        EACH + self.sent.memory() + self.received.memory()
    }
}

/// What was read and what of it has to be remembered.
#[derive(Debug)]
pub(super) struct Streams {
    judge: Judge,
    marks: Marks,
    pairs: Vec<Pair>,
    /// Where in `pairs` a connection is.
    places: HashMap<ConnectionId, usize>,
    /// The connection that was asked for last; mostly it is asked for again.
    last: Option<(ConnectionId, usize)>,
    /// Which of `pairs` have something new.
    touched: Vec<usize>,
    round: u64,
    memory: usize,
}

impl Streams {
    pub(super) fn new(judge: Judge, hits: Hits) -> Streams {
        Streams {
            judge,
            marks: Marks::new(hits),
            pairs: Vec::new(),
            places: HashMap::new(),
            last: None,
            touched: Vec::new(),
            round: 1,
            memory: 0,
        }
    }

    /// Decides what is sought.
    pub(super) fn judge(&self) -> &Judge {
        &self.judge
    }

    /// Takes in an entry that can be decided at once.
    pub(super) fn decide(&mut self, id: u64, terms: TermSet) {
        if self.judge.holds(terms) {
            self.marks.set(id, true);
        }
    }

    /// Decides anew about an entry for which these terms hold, if one of the streams that are under way still has it:
    /// what was found in its bytes goes on to hold. Returns whether it has.
    pub(super) fn renew(&mut self, entry: &Entry, terms: TermSet) -> bool {
        let Streams {
            judge,
            marks,
            pairs,
            places,
            ..
        } = self;
        let (Some(place), Some(direction)) = (places.get(&entry.connection), entry.direction()) else {
            return false;
        };
        let pieces = pairs[*place].of(direction).pieces();
        let Ok(found) = pieces.binary_search_by_key(&entry.id.0, |piece| piece.id) else {
            return false;
        };
        let piece = &mut pieces[found];
        let in_bytes = judge.patterns().iter().map(|(term, _)| *term);
        let terms = in_bytes
            .filter(|term| piece.terms.contains(*term))
            .fold(terms, |mut terms, term| {
                terms.insert(term);
                terms
            });
        piece.terms = terms;
        piece.shown = judge.holds(terms);
        marks.set(piece.id, piece.shown);
        true
    }

    /// Says anew whether an entry, of which nothing is under way any more, is a hit.
    pub(super) fn decide_again(&mut self, id: u64, terms: TermSet) {
        self.marks.set(id, self.judge.holds(terms));
    }

    /// Shows everybody what was decided.
    pub(super) fn flush(&mut self) {
        self.marks.flush();
    }

    /// Takes in the bytes of an entry.
    pub(super) fn push(
        &mut self,
        connection: ConnectionId,
        direction: Direction,
        id: u64,
        bytes: &[u8],
        terms: TermSet,
    ) {
        let place = self.place(connection);
        let pair = &mut self.pairs[place];
        if pair.round != self.round {
            pair.round = self.round;
            self.touched.push(place);
        }
        let stretch = pair.of(direction);
        stretch.push(id, bytes, terms);
        if stretch.len() >= STRETCH {
            search(stretch, &self.judge, &mut self.marks);
        }
    }

    /// Bytes are missing here: what comes next does not follow what was before.
    pub(super) fn interrupt(&mut self, connection: ConnectionId, direction: Direction) {
        if let Some(place) = self.places.get(&connection) {
            let stretch = self.pairs[*place].of(direction);
            search(stretch, &self.judge, &mut self.marks);
            stretch.clear();
        }
    }

    /// Forgets all streams: what comes next does not follow what was before.
    pub(super) fn forget(&mut self) {
        self.settle();
        self.pairs.clear();
        self.places.clear();
        self.last = None;
        self.memory = 0;
    }

    /// Searches all that is new.
    pub(super) fn settle(&mut self) {
        for place in self.touched.drain(..) {
            let pair = &mut self.pairs[place];
            search(&mut pair.sent, &self.judge, &mut self.marks);
            search(&mut pair.received, &self.judge, &mut self.marks);
            let memory = pair.measure();
            self.memory = self.memory + memory - pair.memory;
            pair.memory = memory;
        }
        self.marks.flush();
        self.round += 1;
        if self.memory > MEMORY {
            self.economize();
        }
    }

    /// The memory that all streams take.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    fn place(&mut self, connection: ConnectionId) -> usize {
        if let Some((last, place)) = self.last
            && last == connection
        {
            return place;
        }
        let place = *self.places.entry(connection).or_insert_with(|| {
            self.pairs.push(Pair {
                connection,
                ..Pair::default()
            });
            self.pairs.len() - 1
        });
        self.last = Some((connection, place));
        place
    }

    /// Gives memory back, of what is not used first, then of what was quiet for longest.
    fn economize(&mut self) {
        for pair in &mut self.pairs {
            pair.sent.shrink();
            pair.received.shrink();
            pair.memory = pair.measure();
        }
        self.memory = self.pairs.iter().map(|pair| pair.memory).sum();
        if self.memory <= MEMORY / 2 {
            return;
        }
        let mut rounds: Vec<(u64, usize)> = self.pairs.iter().map(|pair| (pair.round, pair.memory)).collect();
        rounds.sort_unstable();
        let mut oldest_kept = 0;
        for (round, memory) in rounds {
            if self.memory <= MEMORY / 2 {
                break;
            }
            self.memory -= memory;
            oldest_kept = round + 1;
        }
        self.pairs.retain(|pair| pair.round >= oldest_kept);
        self.pairs.shrink_to_fit();
        self.memory = self.pairs.iter().map(|pair| pair.memory).sum();
        self.last = None;
        self.places = self
            .pairs
            .iter()
            .enumerate()
            .map(|(place, pair)| (pair.connection, place))
            .collect();
    }
}

/// Looks for everything in a stretch, and forgets what cannot become part of a hit any more.
fn search(stretch: &mut Stretch, judge: &Judge, marks: &mut Marks) {
    for (term, pattern) in judge.patterns() {
        stretch.search(*term, pattern);
    }
    for piece in stretch.pieces() {
        let holds = judge.holds(piece.terms);
        if holds != piece.shown {
            piece.shown = holds;
            marks.set(piece.id, holds);
        }
    }
    stretch.trim(judge.reach());
}
