//! The rows of the log as values: the same code counts them for scrolling and hands them out for painting.
//!
//! Deliberately absent: colours, arrows, the formatting of times and sizes (all of that is drawing), and any memory
//! of entries.

mod columns;
mod kinds;
mod sentence;

pub use columns::HeadColumns;
pub use kinds::{Head, HexRow, RowKind, TextUnits, VisibleRow};

use super::{Purpose, TimeColumn, View};
use crate::model::{
    Entry, EntryId, EntryKind, LABEL, Records, RecordsError, Sides, Surroundings, Waterfall, chart, details,
    sentence, timeline,
};
use crate::text::{HexLayout, Policy, Shown, Source, TextRows, gutter};

/// Cells of the sign before each row of a comment.
pub const COMMENT_SIGN: u16 = 2;

/// How far bytes and the continuation of sentences stand to the right of the heads.
pub const INDENT: u16 = 2;

/// Cells of the mark, the size and the blanks around them, before a text that stands in the head.
pub const TEXT_COLUMN: u16 = 10;

/// A head whose room for text is smaller has none, so that the texts stand below each other in a narrow window.
const LEAST_TEXT: u16 = 24;

/// Entries cut into rows of a width.
#[derive(Clone, Copy)]
pub struct Sheet<'a> {
    /// The log.
    pub records: &'a dyn Records,
    /// The place of the first entry that is kept.
    pub first: EntryId,
    /// The place behind the last entry that is looked at: the log may grow meanwhile.
    pub len: u64,
    /// Cells in a row.
    pub width: u16,
    /// How bytes are shown.
    pub view: View,
    /// What the time column shows.
    pub time: TimeColumn,
    /// Digits of the numbers of connections; 0 where all entries are of the same one.
    pub digits: u16,
    /// Which characters may be shown as they are.
    pub policy: Policy,
    /// Whose traffic it is: ours, or that of others.
    pub purpose: Purpose,
    /// Whether all is told of an event, not only its sentence.
    pub detailed: bool,
}

impl Sheet<'_> {
    /// The place of the last entry, if there is any.
    pub fn last(&self) -> Option<EntryId> {
        let last = EntryId(self.len.checked_sub(1)?);
        (last >= self.first).then_some(last)
    }

    /// The place of the entry of that number, or of the one that is shown in its stead: the next one, else the last.
    pub fn near(&self, number: EntryId) -> Option<EntryId> {
        let last = self.last()?;
        Some(self.records.place_of(number).clamp(self.first, last))
    }

    /// How many rows the entry takes; counting stops at `most`.
    pub fn count(&self, id: EntryId, most: u32) -> u32 {
        let Ok(entry) = self.records.entry(id) else {
            return 1;
        };
        let data = match entry.kind {
            EntryKind::Data { .. } if self.text_beside(id, &entry).is_some() => 0,
            EntryKind::Data { .. } => self.count_data(id, &entry, most),
            EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => 0,
        };
        let (_, lead) = self.lead(&entry);
        (1 + lead.len() as u32 + data).min(most)
    }

    /// The rows `first..` of the entry, at most `most`.
    pub fn rows(&self, id: EntryId, first: u32, most: u32) -> Vec<RowKind> {
        match self.try_rows(id, first, most) {
            Ok(rows) => rows,
            Err(error) => vec![self.unreadable(&error)],
        }
    }

    /// The first byte that a row shows; none for heads and events.
    pub fn offset(&self, id: EntryId, row: u32) -> Option<u32> {
        match self.rows(id, row, 1).first()? {
            RowKind::Hex(hex) => Some(hex.offset),
            RowKind::Text(text) => text.units.first().map(|unit| unit.start as u32),
            RowKind::Head(head) if head.text.is_some() => Some(0),
            RowKind::Head(_)
            | RowKind::Sentence(_)
            | RowKind::Detail(_)
            | RowKind::Comment(_)
            | RowKind::Unreadable(_) => None,
        }
    }

    /// The row that shows a byte of the entry.
    pub fn row_of(&self, id: EntryId, offset: u32) -> u32 {
        let Ok(entry) = self.records.entry(id) else {
            return 0;
        };
        if entry.len == 0 || self.text_beside(id, &entry).is_some() {
            return 0;
        }
        let at = offset.min(entry.len - 1) as usize;
        let row = match self.view {
            View::Hex | View::Both => at / usize::from(self.hex_layout().per_row),
            View::Text => self
                .with_source(id, &entry, |source| {
                    TextRows::new(source, self.inner())
                        .take_while(|row| row.bytes.end <= at)
                        .count()
                })
                .unwrap_or(0),
        };
        let (_, lead) = self.lead(&entry);
        (1 + lead.len() + row) as u32
    }

    /// How a hexdump is laid out here.
    pub fn hex_layout(&self) -> HexLayout {
        HexLayout::fitting(self.inner(), self.view == View::Both)
    }

    fn columns(&self) -> HeadColumns {
        HeadColumns::fitting(self.width, self.time, self.digits)
    }

    fn inner(&self) -> u16 {
        self.width.saturating_sub(INDENT).max(1)
    }

    fn count_data(&self, id: EntryId, entry: &Entry, most: u32) -> u32 {
        match self.view {
            View::Hex | View::Both => self.hex_layout().rows(entry.len as usize) as u32,
            View::Text => self
                .with_source(id, entry, |source| {
                    TextRows::new(source, self.inner()).take(most as usize).count() as u32
                })
                .unwrap_or(1),
        }
    }

    fn try_rows(&self, id: EntryId, first: u32, most: u32) -> Result<Vec<RowKind>, RecordsError> {
        let entry = self.records.entry(id)?;
        let (sentence, lead) = self.lead(&entry);
        let above = 1 + lead.len();
        let beside = self.text_beside(id, &entry);
        let is_all = beside.is_some();
        let head = RowKind::Head(self.head(id, &entry, sentence, beside));
        let lead = std::iter::once(head).chain(lead);
        let mut rows: Vec<RowKind> = lead.skip(first as usize).take(most as usize).collect();
        let from = (first as usize).saturating_sub(above);
        let room = most as usize - rows.len();
        if !is_all && matches!(entry.kind, EntryKind::Data { .. }) {
            // The head was readable, so it stays above the reason why the bytes are not.
            if let Err(error) = self.data_rows(id, &entry, from, room, &mut rows) {
                rows.push(self.unreadable(&error));
            }
        }
        Ok(rows)
    }

    /// What stands in the head of an entry besides times, and the rows between the head and the bytes: the rest of
    /// what happened, and the comment.
    fn lead(&self, entry: &Entry) -> (Shown, Vec<RowKind>) {
        let mut sentence = match entry.kind {
            EntryKind::Data { .. } => Vec::new(),
            EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => self.sentence_rows(entry),
        }
        .into_iter();
        let head = sentence.next().unwrap_or_default();
        let details = self.detail_rows(entry).into_iter();
        let comment = self.comment_rows(entry.id).into_iter();
        let lead = sentence
            .map(RowKind::Sentence)
            .chain(details.map(RowKind::Detail))
            .chain(comment.map(RowKind::Comment));
        (head, lead.collect())
    }

    /// What the user said about an entry, cut into rows.
    fn comment_rows(&self, number: EntryId) -> Vec<Shown> {
        let annotation = self.records.annotation(number);
        let comment = annotation.and_then(|annotation| annotation.comment);
        let width = self.inner().saturating_sub(COMMENT_SIGN).max(1);
        comment.map_or(Vec::new(), |text| sentence::wrapped(&text, width, self.policy))
    }

    fn unreadable(&self, error: &RecordsError) -> RowKind {
        RowKind::Unreadable(Shown::of(&error.to_string(), self.policy))
    }

    /// The text of an entry, if the text view is on and all of it has room beside the size.
    fn text_beside(&self, id: EntryId, entry: &Entry) -> Option<TextUnits> {
        // The number and its mark at the right, with two blanks before them.
        let mark = if self.is_marked(entry) { 2 } else { 0 };
        let number = 3 + (entry.id.0 + 1).ilog10() as u16 + 1 + mark;
        let before = self.columns().width() + TEXT_COLUMN;
        let width = self.width.checked_sub(before + number)?;
        // A character has at most four bytes and at least a cell, and marks on it are not worth the search.
        let is_short = entry.len > 0 && entry.len <= 4 * u32::from(width);
        if self.view != View::Text || width < LEAST_TEXT || !is_short {
            return None;
        }
        let units = self.with_source(id, entry, |source| {
            let only = TextRows::new(source, width).nth(1).is_none();
            only.then(|| source.units().collect())
        });
        let units = units.ok()??;
        Some(TextUnits { units, width })
    }

    fn head(&self, id: EntryId, entry: &Entry, sentence: Shown, text: Option<TextUnits>) -> Head {
        let previous = id.0.checked_sub(1).map(EntryId);
        Head {
            entry: entry.clone(),
            previous: previous
                .and_then(|id| self.records.entry(id).ok())
                .map(|entry| entry.at),
            started: self.records.started(entry.connection),
            sentence,
            text,
            columns: self.columns(),
            marked: self.is_marked(entry),
            stamps: match self.time {
                TimeColumn::Kernel => self.records.stamps(entry.id).map(Box::new),
                TimeColumn::Absolute | TimeColumn::SinceStart | TimeColumn::Delta => None,
            },
        }
    }

    fn is_marked(&self, entry: &Entry) -> bool {
        let annotation = self.records.annotation(entry.id);
        annotation.is_some_and(|annotation| annotation.marked)
    }

    /// All that there is to say of an event beyond its sentence, where that is wanted.
    fn detail_rows(&self, entry: &Entry) -> Vec<Shown> {
        if !self.detailed {
            return Vec::new();
        }
        let labelled = details(&entry.kind, entry.at).into_iter();
        let labelled = labelled.map(|line| (line, LABEL as u16));
        let mut lines: Vec<String> = timeline(self.records, entry).into_iter().collect();
        if let Some(phases) = Waterfall::ending_with(self.records, entry) {
            lines.push(String::new());
            lines.extend(chart(&phases, entry.at, self.inner()));
        }
        let lines = labelled.chain(lines.into_iter().map(|line| (line, 0)));
        let cut = lines
            .map(|(line, hang)| sentence::hanging(&self.in_range(line), hang, self.inner(), self.policy));
        // A line without words keeps apart what stands above and below it.
        let cut = cut.map(|rows| {
            if rows.is_empty() {
                vec![Shown::default()]
            } else {
                rows
            }
        });
        cut.flatten().collect()
    }

    /// What happened, cut into rows that stand beside the times.
    fn sentence_rows(&self, entry: &Entry) -> Vec<Shown> {
        // The mark of the event and a blank stand before the sentence.
        let prefix = self.columns().width() + 2;
        let width = self.width.saturating_sub(prefix).max(1);
        let sides = Sides::of(self.purpose, self.records.role(entry.connection));
        let text = self.in_range(sentence(&entry.kind, sides));
        sentence::wrapped(&text, width, self.policy)
    }

    /// The two signs of our own words that are not in seven bits, where those are wanted.
    fn in_range(&self, text: String) -> String {
        if self.policy.ascii {
            text.replace('→', "->").replace('µ', "u")
        } else {
            text
        }
    }

    fn data_rows(
        &self,
        id: EntryId,
        entry: &Entry,
        from: usize,
        most: usize,
        rows: &mut Vec<RowKind>,
    ) -> Result<(), RecordsError> {
        if most == 0 || entry.len == 0 {
            return Ok(());
        }
        match self.view {
            View::Hex | View::Both => self.hex_rows(id, entry, from, most, rows),
            View::Text => {
                let text = self.with_source(id, entry, |source| {
                    let cut = TextRows::new(source, self.inner()).skip(from).take(most);
                    cut.map(|row| {
                        let units = source.units_from(row.bytes.start);
                        RowKind::Text(TextUnits {
                            units: units.take_while(|unit| unit.start < row.bytes.end).collect(),
                            width: self.inner(),
                        })
                    })
                    .collect::<Vec<_>>()
                })?;
                rows.extend(text);
                Ok(())
            }
        }
    }

    fn hex_rows(
        &self,
        id: EntryId,
        entry: &Entry,
        from: usize,
        most: usize,
        rows: &mut Vec<RowKind>,
    ) -> Result<(), RecordsError> {
        let layout = self.hex_layout();
        let len = entry.len as usize;
        let last = layout.rows(len).min(from.saturating_add(most));
        if from >= last {
            return Ok(());
        }
        let start = layout.bytes(from, len).start;
        let end = layout.bytes(last - 1, len).end;
        // Characters may begin or end up to three bytes outside of what is visible.
        let window = start.saturating_sub(3)..(end + 3).min(len);
        let payload = self.records.payload(id, window.start as u32..window.end as u32)?;
        let around = self.records.surroundings(id)?;
        let source = self.source(&payload, &around, window.start == 0, window.end == len);
        for row in from..last {
            let range = layout.bytes(row, len);
            let within = range.start - window.start..(range.end - window.start).min(payload.len());
            let Some(bytes) = payload.get(within.clone()) else {
                break;
            };
            rows.push(RowKind::Hex(HexRow {
                offset: range.start as u32,
                bytes: bytes.to_vec(),
                gutter: if layout.gutter {
                    gutter(source, within)
                } else {
                    Vec::new()
                },
                layout,
            }));
        }
        Ok(())
    }

    fn with_source<T>(
        &self,
        id: EntryId,
        entry: &Entry,
        read: impl FnOnce(Source<'_>) -> T,
    ) -> Result<T, RecordsError> {
        let payload = self.records.payload(id, 0..entry.len)?;
        let around = self.records.surroundings(id)?;
        Ok(read(self.source(&payload, &around, true, true)))
    }

    fn source<'b>(&self, bytes: &'b [u8], around: &'b Surroundings, first: bool, last: bool) -> Source<'b> {
        Source {
            before: if first { around.before.as_slice() } else { &[] },
            bytes,
            after: if last { around.after.as_slice() } else { &[] },
            policy: self.policy,
        }
    }
}
