//! Going to an entry by its number, to a time, to a part of the log, to a byte.

use super::target::{first_kept, gone};
use super::{App, Context, Inspector, Layout, Pane, Severity};
use crate::model::{Destination, EntryId, Records, Reference, Timestamp, reading};
use crate::text::format;

/// A day in nanoseconds.
const DAY: u64 = 24 * 3600 * 1_000_000_000;

impl App {
    /// Goes where the argument says.
    pub(super) fn goto(&mut self, argument: &str, context: &Context<'_>) {
        let records = context.records;
        let reference = Reference {
            offset: self.settings.zone.offset(),
            start: at(records, records.first()).unwrap_or(context.now),
        };
        let destination = match Destination::parse(argument, &reference) {
            Ok(destination) => destination,
            Err(error) => return self.notify(Severity::Warning, error, context),
        };
        let first = records.first().0;
        let Some(last) = records.len().checked_sub(1).filter(|last| *last >= first) else {
            return self.notify(Severity::Warning, "there is no entry yet", context);
        };
        let target = self.target(context);
        let current = match &target {
            Ok(number) => EntryId(records.place_of(*number).0.min(last)),
            // One that is not kept any more stood before all that are.
            Err(_) => EntryId(first),
        };
        match destination {
            Destination::Number(number) => self.goto_number(number, context),
            Destination::By(by) => {
                let place = current.0.saturating_add_signed(by).min(last);
                self.goto_place(EntryId(place), context);
            }
            Destination::Percent(percent) => {
                let place = u128::from(last - first) * u128::from(percent) / 100;
                self.goto_place(EntryId(first + place as u64), context);
            }
            Destination::Time(time) => self.goto_time(time, context),
            Destination::TimeOfDay(first) => {
                let now = at(records, current).unwrap_or(first);
                let end = at(records, EntryId(last)).unwrap_or(first);
                self.goto_time(nearest(first, now, end), context);
            }
            Destination::Offset(offset) => match target {
                Ok(number) => self.goto_offset(number, offset, context),
                Err(why) => self.notify(Severity::Warning, why, context),
            },
        }
    }

    /// Selects the entry of that number.
    pub(super) fn goto_number(&mut self, number: EntryId, context: &Context<'_>) {
        self.forget_step();
        if let Some(place) = context.records.place_exactly(number) {
            return self.goto_place(place, context);
        }
        let called = format::count(number.0.saturating_add(1));
        let first = first_kept(context.records);
        let text = match &self.filter {
            _ if number < first => {
                format!(
                    "{}; the log begins at {}",
                    gone(number),
                    format::count(first.0 + 1)
                )
            }
            None => format!(
                "there is no entry {called}: the log has {}",
                format::count(context.records.len())
            ),
            Some(_) => format!("there is no entry {called}, or the filter hides it"),
        };
        self.notify(Severity::Warning, text, context);
    }

    fn goto_place(&mut self, place: EntryId, context: &Context<'_>) {
        let sheet = self.sheet(context.records, context.layout);
        self.log.select(place, &sheet, context.layout.log.height);
        self.inspect_selected();
        let pane = if self.focus == Pane::Inspector {
            Pane::Inspector
        } else {
            Pane::Log
        };
        self.focus(pane, context);
    }

    /// Selects the first entry at that time or after it; behind the last one, the last.
    fn goto_time(&mut self, time: Timestamp, context: &Context<'_>) {
        let records = context.records;
        let (mut low, mut high) = (records.first().0, records.len());
        // Times may step back where connections take turns, by less than anybody would notice.
        while low < high {
            let middle = low + (high - low) / 2;
            match at(records, EntryId(middle)) {
                Some(at) if at < time => low = middle + 1,
                Some(_) | None => high = middle,
            }
        }
        let place = low.min(records.len().saturating_sub(1));
        self.goto_place(EntryId(place), context);
        if low > place {
            let text = "the log ends before that time: this is its last entry";
            self.notify(Severity::Info, text, context);
        }
    }

    /// Shows that byte of the entry of that number in the Inspector.
    fn goto_offset(&mut self, number: EntryId, offset: u32, context: &Context<'_>) {
        let (records, place) = reading(context.records, number);
        let Ok(entry) = records.entry(place) else {
            return self.notify(Severity::Warning, "the entry cannot be read", context);
        };
        if offset >= entry.len {
            let text = format!(
                "entry {} has {}: 0x{offset:x} lies behind them",
                format::count(entry.id.0.saturating_add(1)),
                format::counted(u64::from(entry.len), "byte", "bytes"),
            );
            return self.notify(Severity::Warning, text, context);
        }
        if let Some(place) = context.records.place_exactly(number) {
            self.goto_place(place, context);
        }
        self.inspector = Some(Inspector::new(number));
        self.focus(Pane::Inspector, context);
        // How its rows are cut depends on the room that it has now.
        let screen = context.layout.screen;
        let layout = Layout::split(screen.width, screen.height, self);
        let top = self
            .inspector_sheet(context.records, &layout)
            .row_of(place, offset);
        self.inspector = Some(Inspector { entry: number, top });
    }
}

/// When the entry at that place happened.
fn at(records: &dyn Records, place: EntryId) -> Option<Timestamp> {
    records.entry(place).ok().map(|entry| entry.at)
}

/// Of the days that a time of day can mean, from `first` on, the one nearest to `now` that is not behind `end`.
fn nearest(first: Timestamp, now: Timestamp, end: Timestamp) -> Timestamp {
    let days = |from: Timestamp, to: Timestamp| to.0.saturating_sub(from.0);
    let wanted = (days(first, now) + DAY / 2) / DAY;
    let last = days(first, end) / DAY;
    Timestamp(first.0.saturating_add(wanted.min(last) * DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_days_the_nearest_is_meant() {
        let check = |now: u64, end: u64, expected: u64| {
            let hour = |hours: u64| Timestamp(hours * DAY / 24);
            assert_eq!(
                nearest(hour(6), hour(now), hour(end)),
                hour(expected),
                "{now} of {end}"
            );
        };
        check(5, 5, 6);
        check(5, 100, 6);
        check(17, 100, 6);
        check(19, 100, 30);
        check(19, 20, 6);
        check(99, 100, 78 + 24 - 24);
        check(99, 200, 102);
    }
}
