//! The kill ring: what was cut, newest first, as in readline. Never holds hidden input.

use std::collections::VecDeque;

/// How many cuts are kept; readline keeps ten.
const CUTS: usize = 10;

/// Where a cut joins the one right before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It was cut to the left of the cursor.
    Left,
    /// It was cut to the right of the cursor.
    Right,
}

/// What was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillRing {
    cuts: VecDeque<String>,
    turn: usize,
}

impl KillRing {
    /// A new cut.
    pub fn push(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        self.cuts.push_front(text);
        self.cuts.truncate(CUTS);
    }

    /// A cut right after another one: they become one.
    pub fn join(&mut self, text: String, side: Side) {
        match (self.cuts.front_mut(), side) {
            (None, _) => self.push(text),
            (Some(last), Side::Left) => last.insert_str(0, &text),
            (Some(last), Side::Right) => last.push_str(&text),
        }
    }

    /// The last cut.
    pub fn yank(&mut self) -> Option<&str> {
        self.turn = 0;
        self.cuts.front().map(String::as_str)
    }

    /// The cut before the one that was returned last, around the ring.
    pub fn turn(&mut self) -> Option<&str> {
        self.turn = (self.turn + 1) % self.cuts.len().max(1);
        self.cuts.get(self.turn).map(String::as_str)
    }
}
