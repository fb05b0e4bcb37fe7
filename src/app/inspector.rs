//! Where the Inspector stands: which entry it shows and from which row on. Its rows come from `rows`.

use super::actions::Scroll;
use super::rows::{Sheet, VisibleRow};
use crate::model::EntryId;

/// The Inspector: one entry in full, as a hexdump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspector {
    /// The number of the entry.
    pub entry: EntryId,
    /// The row at the top.
    pub top: u32,
}

impl Inspector {
    /// The entry from its first row on.
    pub fn new(entry: EntryId) -> Inspector {
        Inspector { entry, top: 0 }
    }

    /// The rows that `height` rows of screen show.
    pub fn visible_rows(&self, sheet: &Sheet<'_>, height: u16) -> Vec<VisibleRow> {
        let top = self.top.min(self.last_top(sheet, height));
        let rows = sheet.rows(self.place(sheet), top, u32::from(height)).into_iter();
        rows.map(|kind| VisibleRow {
            number: self.entry,
            selected: false,
            kind,
            hits: Vec::new(),
        })
        .collect()
    }

    /// One move.
    pub fn scroll(&mut self, scroll: Scroll, sheet: &Sheet<'_>, height: u16) {
        let page = u32::from(height.max(1));
        let last = self.last_top(sheet, height);
        let top = self.top.min(last);
        self.top = match scroll {
            Scroll::Down => top + 1,
            Scroll::Up => top.saturating_sub(1),
            Scroll::HalfPageDown => top + page.div_ceil(2),
            Scroll::HalfPageUp => top.saturating_sub(page.div_ceil(2)),
            Scroll::PageDown => top + page,
            Scroll::PageUp => top.saturating_sub(page),
            Scroll::First => 0,
            Scroll::Last => last,
        }
        .min(last);
    }

    fn last_top(&self, sheet: &Sheet<'_>, height: u16) -> u32 {
        sheet
            .count(self.place(sheet), u32::MAX)
            .saturating_sub(u32::from(height))
    }

    fn place(&self, sheet: &Sheet<'_>) -> EntryId {
        sheet.records.place_of(self.entry)
    }
}
