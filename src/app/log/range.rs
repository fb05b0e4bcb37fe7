//! Several entries that are selected together: from where a range was begun to the current entry.

use std::ops::RangeInclusive;

use super::Log;
use crate::app::rows::Sheet;
use crate::model::EntryId;

impl Log {
    /// The places of the entries that are selected together, if a range was begun.
    pub fn range(&self, sheet: &Sheet<'_>) -> Option<RangeInclusive<EntryId>> {
        let from = sheet.near(self.range_from?)?;
        let to = self.current(sheet)?;
        Some(from.min(to)..=from.max(to))
    }

    /// The numbers of the first and the last entry that are selected together, and what lies between.
    pub fn range_of_numbers(&self, sheet: &Sheet<'_>) -> Option<RangeInclusive<EntryId>> {
        let range = self.range(sheet)?;
        let number = |place: &EntryId| sheet.records.number_of(*place);
        Some(number(range.start())?..=number(range.end())?)
    }

    /// Whether a range was begun.
    pub fn has_range(&self) -> bool {
        self.range_from.is_some()
    }

    /// Begins a range at the current entry, or ends the one that there is.
    pub fn toggle_range(&mut self, sheet: &Sheet<'_>, height: u16) {
        if self.end_range() {
            return;
        }
        if let Some(current) = self.current(sheet) {
            self.select(current, sheet, height);
            self.range_from = self.selected;
        }
    }

    /// Ends the range; whether there was one.
    pub fn end_range(&mut self) -> bool {
        self.range_from.take().is_some()
    }
}
