//! A part of the sequence space, and what is left of it where others overlap it.

use super::Bytes;
use crate::model::Timestamp;

/// A part of the sequence space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) seq: u32,
    pub(super) at: Timestamp,
    pub(super) content: Content,
}

/// What it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// Bytes.
    Bytes(Bytes),
    /// The end, which takes one sequence number.
    Fin,
}

impl Piece {
    /// Sequence numbers that it takes.
    pub(super) fn len(&self) -> u32 {
        match self.content {
            Content::Bytes(bytes) => bytes.len,
            Content::Fin => 1,
        }
    }

    /// Without its first `count`, which are fewer than it has.
    pub(super) fn without(mut self, count: u32) -> Piece {
        self.seq = self.seq.wrapping_add(count);
        if let Content::Bytes(bytes) = &mut self.content {
            let gone = count.min(bytes.captured);
            bytes.offset += u64::from(gone);
            bytes.captured -= gone;
            bytes.len -= count;
        }
        self
    }

    /// Its first `count`.
    pub(super) fn first(mut self, count: u32) -> Piece {
        if let Content::Bytes(bytes) = &mut self.content {
            bytes.len = count;
            bytes.captured = bytes.captured.min(count);
        }
        self
    }
}
