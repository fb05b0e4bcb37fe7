//! Which entry, or which entries, actions mean.

use std::ops::RangeInclusive;

use super::{App, Context, Pane};
use crate::model::{EntryId, Records, whole};
use crate::text::format;

impl App {
    /// The number of the entry that actions mean: the inspected one in the Inspector and where the Log has none
    /// selected, else the current one of the Log. Without one, why there is none.
    pub(super) fn target(&self, context: &Context<'_>) -> Result<EntryId, String> {
        let number = match &self.inspector {
            Some(inspector) if self.focus == Pane::Inspector || self.log.selected.is_none() => {
                Some(inspector.entry)
            }
            Some(_) | None => self.current_number(context),
        };
        let number = number.ok_or("there is no entry yet")?;
        if number < first_kept(context.records) {
            return Err(gone(number));
        }
        Ok(number)
    }

    /// The number of the current entry of the Log.
    pub(super) fn current_number(&self, context: &Context<'_>) -> Option<EntryId> {
        let current = self.log.current(&self.sheet(context.records, context.layout))?;
        context.records.number_of(current)
    }

    /// The places of the entries that are selected together, if a range was begun.
    pub(super) fn target_range(&self, context: &Context<'_>) -> Option<RangeInclusive<EntryId>> {
        self.log.range(&self.sheet(context.records, context.layout))
    }
}

/// The number of the first entry that is kept, whether it is shown or not.
pub(super) fn first_kept(records: &dyn Records) -> EntryId {
    whole(records).first()
}

/// What there is to say of an entry whose ring file went.
pub(super) fn gone(number: EntryId) -> String {
    format!(
        "entry {} is no longer kept: its ring file was removed",
        format::count(number.0.saturating_add(1))
    )
}
