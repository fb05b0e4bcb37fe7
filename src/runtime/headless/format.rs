//! What is printed of an entry: a line of text, a hexdump, JSON, or its bytes alone. Knows nothing of where it goes
//! or when.

use std::io::{self, Write};

use crate::capture::{Piece, Wording};
use crate::model::{Direction, Entry};

/// What is printed on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One line an entry: time, direction, size, decoded text.
    #[default]
    Text,
    /// The same line without the text, and a hexdump below it.
    Hex,
    /// One JSON object an entry.
    Jsonl,
    /// The received bytes, unchanged.
    Raw,
    /// The recording itself, as pcapng.
    Capture,
    /// Nothing.
    None,
}

/// How entries are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) format: Format,
    pub(super) wording: Wording,
}

impl Style {
    /// Writes an entry.
    pub(super) fn write(self, out: &mut impl Write, piece: &Piece<'_>) -> io::Result<()> {
        match self.format {
            Format::Text => piece.write_text(out, self.wording),
            Format::Hex => piece.write_hexdump(out, self.wording),
            Format::Jsonl => piece.write_json(out),
            Format::Raw => out.write_all(piece.bytes),
            Format::Capture | Format::None => Ok(()),
        }
    }
}

impl Format {
    /// Whether bytes are decoded as text, so that a character split over two reads matters.
    pub(super) fn decodes(self) -> bool {
        match self {
            Format::Text | Format::Hex => true,
            Format::Jsonl | Format::Raw | Format::Capture | Format::None => false,
        }
    }

    /// Whether the bytes of an entry are printed.
    pub(super) fn wants(self, entry: &Entry) -> bool {
        match self {
            Format::Text | Format::Hex | Format::Jsonl => true,
            Format::Raw => entry.direction() == Some(Direction::Received),
            // It is copied block by block, and not written entry by entry.
            Format::Capture | Format::None => false,
        }
    }
}
