//! The stretches of all streams that are under way, in bounded memory.

use std::collections::HashMap;

use super::hits::Hits;
use super::judge::Judge;
use super::stretch::Stretch;
use crate::model::{ConnectionId, Direction, TermSet};

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
}

/// What was read and what of it has to be remembered.
#[derive(Debug)]
pub(super) struct Streams {
    judge: Judge,
    hits: Hits,
    pairs: HashMap<ConnectionId, Pair>,
    /// Connections with something new.
    touched: Vec<ConnectionId>,
    round: u64,
    memory: usize,
}

impl Streams {
    pub(super) fn new(judge: Judge, hits: Hits) -> Streams {
        Streams {
            judge,
            hits,
            pairs: HashMap::new(),
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
    pub(super) fn decide(&self, id: u64, terms: TermSet) {
        if self.judge.holds(terms) {
            self.hits.set(id, true);
        }
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
        let pair = self.pairs.entry(connection).or_default();
        if pair.round != self.round {
            pair.round = self.round;
            self.touched.push(connection);
        }
        let stretch = pair.of(direction);
        stretch.push(id, bytes, terms);
        if stretch.len() >= STRETCH {
            search(stretch, &self.judge, &self.hits);
        }
    }

    /// Bytes are missing here: what comes next does not follow what was before.
    pub(super) fn interrupt(&mut self, connection: ConnectionId, direction: Direction) {
        if let Some(pair) = self.pairs.get_mut(&connection) {
            let stretch = pair.of(direction);
            search(stretch, &self.judge, &self.hits);
            *stretch = Stretch::default();
        }
    }

    /// The memory that all streams take.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// Searches all that is new.
    pub(super) fn settle(&mut self) {
        for connection in self.touched.drain(..) {
            if let Some(pair) = self.pairs.get_mut(&connection) {
                search(&mut pair.sent, &self.judge, &self.hits);
                search(&mut pair.received, &self.judge, &self.hits);
                let memory = EACH + pair.sent.memory() + pair.received.memory();
                self.memory += memory;
                self.memory -= pair.memory;
                pair.memory = memory;
            }
        }
        self.round += 1;
        if self.memory > MEMORY {
            self.economize();
        }
    }

    /// Gives memory back, of what is not used first, then of what was quiet for longest.
    fn economize(&mut self) {
        self.memory = 0;
        for pair in self.pairs.values_mut() {
            pair.sent.shrink();
            pair.received.shrink();
            pair.memory = EACH + pair.sent.memory() + pair.received.memory();
            self.memory += pair.memory;
        }
        if self.memory <= MEMORY / 2 {
            return;
        }
        let mut rounds: Vec<(u64, usize)> = self
            .pairs
            .values()
            .map(|pair| (pair.round, pair.memory))
            .collect();
        rounds.sort_unstable();
        let mut left = self.memory;
        let mut oldest_kept = 0;
        for (round, memory) in rounds {
            if left <= MEMORY / 2 {
                break;
            }
            left -= memory;
            oldest_kept = round + 1;
        }
        self.pairs.retain(|_, pair| pair.round >= oldest_kept);
        self.memory = self.pairs.values().map(|pair| pair.memory).sum();
    }
}

/// Looks for everything in a stretch, and forgets what cannot become part of a hit any more.
fn search(stretch: &mut Stretch, judge: &Judge, hits: &Hits) {
    for (term, pattern) in judge.patterns() {
        stretch.search(*term, pattern);
    }
    for piece in stretch.pieces() {
        let holds = judge.holds(piece.terms);
        if holds != piece.shown {
            piece.shown = holds;
            hits.set(piece.id, holds);
        }
    }
    stretch.trim(judge.reach());
}
