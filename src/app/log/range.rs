//! Several entries that are selected together: from where a range was begun to the current entry.

use std::ops::RangeInclusive;

use super::Log;
use crate::app::rows::Sheet;
use crate::model::EntryId;

impl Log {
    /// The entries that are selected together, if a range was begun.
    pub fn range(&self, sheet: &Sheet<'_>) -> Option<RangeInclusive<EntryId>> {
        let last = sheet.last()?;
        let from = self.range_from?.clamp(sheet.first, last);
        let to = self.current(sheet)?;
        Some(from.min(to)..=from.max(to))
    }

    /// Where the range begins.
    pub fn range_from(&self) -> Option<EntryId> {
        self.range_from
    }

    /// Begins a range at the current entry, or ends the one that there is.
    pub fn toggle_range(&mut self, sheet: &Sheet<'_>, height: u16) {
        if self.end_range() {
            return;
        }
        if let Some(current) = self.current(sheet) {
            self.select(current, sheet, height);
            self.range_from = Some(current);
        }
    }

    /// Ends the range; whether there was one.
    pub fn end_range(&mut self) -> bool {
        self.range_from.take().is_some()
    }
}
