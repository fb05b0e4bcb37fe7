//! What the rows of the log are, as values. How entries are cut into them is in the parent.

use std::ops::Range;

use super::HeadColumns;
use crate::model::{Entry, EntryId, Stamps, Timestamp};
use crate::text::{GutterCell, HexLayout, Shown, Unit};

/// A row of the log, ready to be painted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleRow {
    /// The number of the entry that it belongs to.
    pub number: EntryId,
    /// Whether that entry is selected.
    pub selected: bool,
    /// What it shows.
    pub kind: RowKind,
    /// The bytes of the entry that are searched for and found; without those in other rows where that is known.
    pub hits: Vec<Range<u32>>,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// The first row of an entry.
    Head(Head),
    /// The continuation of an event's sentence; it starts below the sentence's first row.
    Sentence(Shown),
    /// More about an event, indented by [`super::INDENT`].
    Detail(Shown),
    /// Bytes as hex digits, indented by [`super::INDENT`].
    Hex(HexRow),
    /// Bytes as text, indented by [`super::INDENT`].
    Text(TextUnits),
    /// A row of the comment on the entry, indented by [`super::INDENT`].
    Comment(Shown),
    /// The entry could not be read; this says why.
    Unreadable(Shown),
}

/// The first row of an entry: times, direction and size, or the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The entry.
    pub entry: Entry,
    /// When the entry before it happened.
    pub previous: Option<Timestamp>,
    /// When the dialing of its connection started.
    pub started: Option<Timestamp>,
    /// The first row of what happened, for events; empty for bytes.
    pub sentence: Shown,
    /// The bytes as text, where all of them fit beside the size; a head with them is the only row of its entry.
    pub text: Option<TextUnits>,
    /// The columns before what happened.
    pub columns: HeadColumns,
    /// Whether the user marked the entry.
    pub marked: bool,
    /// The kernel's time stamps, where the time column shows them.
    pub stamps: Option<Box<Stamps>>,
}

/// A row of a hexdump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexRow {
    /// The offset of its first byte in the entry.
    pub offset: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// One cell a byte; empty if there is no gutter.
    pub gutter: Vec<GutterCell>,
    /// Where things stand in the row.
    pub layout: HexLayout,
}

/// A row of the text view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextUnits {
    /// What it shows, in order.
    pub units: Vec<Unit>,
    /// The cells that it may take.
    pub width: u16,
}
