//! Where the log stands: follow or anchor, selection, and the moves over them. Every move looks at no more entries
//! than the window has rows. Rows come from `rows`; nothing of an entry is kept but its number.
//!
//! What is kept are numbers of entries, because their places change whenever a filter finds or drops an earlier one.
//! Places are looked up for each move, and are never kept.

mod places;
mod range;

use super::actions::Scroll;
use super::rows::{Sheet, VisibleRow};
use super::{Purpose, TimeColumn, View};
use crate::model::{EntryId, Records};

use places::{advance, last_page, retreat};

/// Which part of the log is on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// The newest entry is at the bottom.
    #[default]
    Follow,
    /// This row of the entry of this number is at the top, whatever arrives.
    At(EntryId, u32),
}

/// The Log pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// How bytes are shown.
    pub view: View,
    /// What the time column shows.
    pub time: TimeColumn,
    /// Which part is on the screen.
    pub anchor: Anchor,
    /// The number of the entry that actions mean. While following, only if the user selected one.
    pub selected: Option<EntryId>,
    /// The number of the entry where a range begins that ends with the current one, or the other way round.
    range_from: Option<EntryId>,
    /// Of what was seen or was there already, the number behind the last entry.
    seen: EntryId,
}

/// What the title of the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// The number of the selected entry, or of the last one on the screen, counted from 1; 0 if there is none.
    pub at: u64,
    /// How many entries there are.
    pub of: u64,
    /// Whether the log follows the newest entry.
    pub following: bool,
    /// How many entries have come that were not on the screen yet.
    pub new_below: u64,
    /// How many entries are selected together.
    pub selected: u64,
}

type Place = (EntryId, u32);

impl Log {
    /// A live log follows; a recording is read from its start.
    pub fn new(view: View, time: TimeColumn, purpose: Purpose) -> Log {
        Log {
            view,
            time,
            anchor: match purpose {
                Purpose::Live => Anchor::Follow,
                Purpose::Reading => Anchor::At(EntryId(0), 0),
            },
            ..Log::default()
        }
    }

    /// What is there by now is not new: it was only found.
    pub fn found(&mut self, entries: u64) {
        self.seen = EntryId(entries);
    }

    /// The rows that `height` rows of screen show, from the top.
    pub fn visible_rows(&self, sheet: &Sheet<'_>, height: u16) -> Vec<VisibleRow> {
        let mut rows = Vec::with_capacity(usize::from(height));
        let len = sheet.len;
        let (mut id, mut first) = self.top(sheet, height);
        let range = self.range_of_numbers(sheet);
        while id.0 < len && rows.len() < usize::from(height) {
            let most = u32::from(height) - rows.len() as u32;
            let number = sheet.records.number_of(id).unwrap_or(id);
            let selected = match &range {
                Some(range) => range.contains(&number),
                None => self.selected == Some(number),
            };
            let of_entry = sheet.rows(id, first, most).into_iter();
            rows.extend(of_entry.map(|kind| VisibleRow {
                number,
                selected,
                kind,
                hits: Vec::new(),
            }));
            (id, first) = (EntryId(id.0 + 1), 0);
        }
        rows
    }

    /// What the title says.
    pub fn position(&self, sheet: &Sheet<'_>, height: u16) -> LogPosition {
        let of = sheet.len;
        let following = self.anchor == Anchor::Follow;
        let bottom = self.bottom(sheet, height).map_or(0, |(id, _)| id.0 + 1);
        LogPosition {
            // The log may have grown between the two looks at it.
            at: self.selected_place(sheet).map_or(bottom, |id| id.0 + 1).min(of),
            of,
            following,
            selected: self
                .range(sheet)
                .map_or(0, |range| range.end().0 - range.start().0 + 1),
            new_below: if following {
                0
            } else {
                let seen = sheet.records.place_of(self.seen).0;
                of.saturating_sub(seen.max(bottom))
            },
        }
    }

    /// The place of the entry that actions mean: the selected one, else the newest while following, else the topmost
    /// one. What is not shown stands for the entry that is shown in its place.
    pub fn current(&self, sheet: &Sheet<'_>) -> Option<EntryId> {
        let last = sheet.last()?;
        Some(match (self.selected, self.anchor) {
            (Some(number), _) | (None, Anchor::At(number, _)) => sheet.near(number)?,
            (None, Anchor::Follow) => last,
        })
    }

    /// The place of the selected entry, if it is shown.
    fn selected_place(&self, sheet: &Sheet<'_>) -> Option<EntryId> {
        sheet.records.place_exactly(self.selected?)
    }

    /// Follows the newest entry; none is selected, unless a range now goes on to the newest.
    pub fn follow(&mut self) {
        self.anchor = Anchor::Follow;
        self.selected = None;
    }

    /// Entries before the one of number `first` are not kept any more: what stood on one of them moves on to the first
    /// that is.
    pub fn release(&mut self, first: EntryId) {
        if let Anchor::At(id, _) = self.anchor
            && id < first
        {
            self.anchor = Anchor::At(first, 0);
        }
        self.selected = self.selected.filter(|id| *id >= first);
    }

    /// Stays where it is, whatever arrives.
    pub fn hold(&mut self, sheet: &Sheet<'_>, height: u16) {
        if self.anchor == Anchor::Follow && sheet.last().is_some() {
            let top = self.top(sheet, height);
            self.anchor_at(top, sheet);
            // What a filter has not found yet is not new either.
            let all = sheet.records.unfiltered().map(Records::len);
            self.seen = EntryId(all.unwrap_or(sheet.len));
        }
    }

    /// One move; steps are entries where an entry fits the window, rows where it does not.
    pub fn scroll(&mut self, scroll: Scroll, sheet: &Sheet<'_>, height: u16) {
        let height = height.max(1);
        let page = u32::from(height);
        match scroll {
            Scroll::Down => self.step_down(sheet, height),
            Scroll::Up => self.step_up(sheet, height),
            Scroll::HalfPageDown => self.by_rows_down(page.div_ceil(2), sheet, height),
            Scroll::HalfPageUp => self.by_rows_up(page.div_ceil(2), sheet, height),
            Scroll::PageDown => self.by_rows_down(page, sheet, height),
            Scroll::PageUp => self.by_rows_up(page, sheet, height),
            Scroll::First => self.select(sheet.first, sheet, height),
            Scroll::Last => self.follow(),
        }
    }

    /// Scrolls without moving the selection out of the window, as the wheel does.
    pub fn by_rows_down(&mut self, rows: u32, sheet: &Sheet<'_>, height: u16) {
        if self.anchor == Anchor::Follow {
            return;
        }
        let top = self.top(sheet, height);
        let last = last_page(sheet, height);
        if top >= last {
            // Asking for more at the end means to go on with what comes.
            self.follow();
            return;
        }
        self.place(advance(sheet, top, rows).min(last), sheet, height);
        self.keep_selection_visible(sheet, height);
    }

    /// Scrolls without moving the selection out of the window, as the wheel does.
    pub fn by_rows_up(&mut self, rows: u32, sheet: &Sheet<'_>, height: u16) {
        if self.anchor == Anchor::Follow && last_page(sheet, height) == (sheet.first, 0) {
            // All of it is visible: there is nothing to scroll to, so it goes on following.
            return;
        }
        self.hold(sheet, height);
        let top = retreat(sheet, self.top(sheet, height), rows);
        self.place(top, sheet, height);
        self.keep_selection_visible(sheet, height);
    }

    /// Selects the entry at that place and brings it onto the screen.
    pub fn select(&mut self, id: EntryId, sheet: &Sheet<'_>, height: u16) {
        let Some(last) = sheet.last() else {
            return;
        };
        let id = id.clamp(sheet.first, last);
        let height = height.max(1);
        self.hold(sheet, height);
        self.selected = sheet.records.number_of(id);
        let top = self.top(sheet, height);
        let rows = sheet.count(id, u32::from(height) + 1);
        let above = (id, 0) < top;
        let below = advance(sheet, top, u32::from(height) - 1) < (id, rows - 1);
        if above || rows > u32::from(height) {
            self.place((id, 0).min(last_page(sheet, height)), sheet, height);
        } else if below {
            self.place(
                retreat(sheet, (id, rows - 1), u32::from(height) - 1),
                sheet,
                height,
            );
        } else {
            self.place(top, sheet, height);
        }
    }

    /// Brings a byte of the selected entry onto the screen, with some of what stands before it.
    pub fn reveal(&mut self, id: EntryId, offset: u32, sheet: &Sheet<'_>, height: u16) {
        let row = (id, sheet.row_of(id, offset));
        let visible = self.top(sheet, height)..=self.bottom(sheet, height).unwrap_or_default();
        if !visible.contains(&row) {
            let top = retreat(sheet, row, u32::from(height) / 3);
            self.place(top.min(last_page(sheet, height)), sheet, height);
        }
    }

    /// The window has another size: the page is full if it can be, and the selected entry is on it.
    pub fn settle(&mut self, sheet: &Sheet<'_>, height: u16) {
        match self.anchor {
            Anchor::Follow => return,
            // It may be shown again, or soon; until then the page is full anyway.
            Anchor::At(number, _) if sheet.records.place_exactly(number).is_none() => return,
            Anchor::At(..) => {}
        }
        let top = self.top(sheet, height).min(last_page(sheet, height));
        self.place(top, sheet, height);
        let Some(bottom) = self.bottom(sheet, height) else {
            return;
        };
        let selected = self.selected_place(sheet);
        if let Some(selected) = selected.filter(|id| *id < top.0 || *id > bottom.0) {
            self.select(selected, sheet, height);
        }
    }

    /// Changes how rows are cut (`change` sets view or time column), and keeps the same bytes at the top.
    pub fn recut(&mut self, before: &Sheet<'_>, change: impl FnOnce(&mut Log)) {
        let kept = match self.anchor {
            Anchor::Follow => None,
            Anchor::At(number, row) => {
                let place = before.records.place_exactly(number);
                place.and_then(|place| Some((number, place, before.offset(place, row)?)))
            }
        };
        change(self);
        if let Some((number, place, offset)) = kept {
            let after = Sheet {
                view: self.view,
                time: self.time,
                ..*before
            };
            self.anchor = Anchor::At(number, after.row_of(place, offset));
        }
    }

    fn step_down(&mut self, sheet: &Sheet<'_>, height: u16) {
        let Some(current) = self.current(sheet) else {
            return;
        };
        if self.anchor == Anchor::Follow {
            return;
        }
        let Some(selected) = self.selected_place(sheet) else {
            return self.select_here(current, sheet, height);
        };
        let last_row = (selected, sheet.count(selected, u32::MAX) - 1);
        let next = EntryId(selected.0 + 1);
        if self.bottom(sheet, height).is_some_and(|bottom| bottom < last_row) {
            self.by_rows_down(1, sheet, height);
        } else if next.0 < sheet.len {
            self.select_here(next, sheet, height);
        } else {
            self.follow();
        }
    }

    fn step_up(&mut self, sheet: &Sheet<'_>, height: u16) {
        let Some(current) = self.current(sheet) else {
            return;
        };
        self.hold(sheet, height);
        let Some(selected) = self.selected_place(sheet) else {
            return self.select_here(current, sheet, height);
        };
        if (selected, 0) < self.top(sheet, height) {
            self.by_rows_up(1, sheet, height);
        } else if selected > sheet.first {
            self.select_here(EntryId(selected.0 - 1), sheet, height);
        }
    }

    /// Selects a neighbour; an entry taller than the window is entered row by row.
    fn select_here(&mut self, id: EntryId, sheet: &Sheet<'_>, height: u16) {
        if sheet.count(id, u32::from(height) + 1) <= u32::from(height) {
            return self.select(id, sheet, height);
        }
        self.selected = sheet.records.number_of(id);
        let top = self.top(sheet, height);
        let bottom = advance(sheet, top, u32::from(height) - 1);
        if bottom < (id, 0) {
            self.place(retreat(sheet, (id, 0), u32::from(height) - 1), sheet, height);
        } else if top.0 > id {
            self.place(retreat(sheet, top, 1), sheet, height);
        }
    }

    fn keep_selection_visible(&mut self, sheet: &Sheet<'_>, height: u16) {
        let (Some(selected), Some(bottom)) = (self.selected_place(sheet), self.bottom(sheet, height)) else {
            return;
        };
        let top = self.top(sheet, height);
        let visible = top.0.min(bottom.0)..=bottom.0;
        if !visible.contains(&selected) {
            self.selected = sheet
                .records
                .number_of(selected.clamp(*visible.start(), bottom.0));
        }
    }

    fn place(&mut self, top: Place, sheet: &Sheet<'_>, height: u16) {
        self.anchor_at(top, sheet);
        let bottom = self.bottom(sheet, height);
        if let Some(number) = bottom.and_then(|(id, _)| sheet.records.number_of(id)) {
            self.seen = self.seen.max(EntryId(number.0 + 1));
        }
    }

    fn anchor_at(&mut self, (id, row): Place, sheet: &Sheet<'_>) {
        // Without an entry there, the log is empty, and begins with the first that comes.
        self.anchor = Anchor::At(sheet.records.number_of(id).unwrap_or_default(), row);
    }

    /// The row at the top. An anchor that points past the end of its entry, as after a resize, is pulled back; for an
    /// entry that is not shown stands the next that is, with as full a page as there is.
    fn top(&self, sheet: &Sheet<'_>, height: u16) -> Place {
        let Anchor::At(number, row) = self.anchor else {
            return last_page(sheet, height);
        };
        match (sheet.records.place_exactly(number), row) {
            (Some(id), 0) => (id, 0),
            (Some(id), row) => (id, row.min(sheet.count(id, row + 1) - 1)),
            (None, _) => match sheet.near(number) {
                Some(id) => (id, 0).min(last_page(sheet, height)),
                None => (sheet.first, 0),
            },
        }
    }

    fn bottom(&self, sheet: &Sheet<'_>, height: u16) -> Option<Place> {
        let last = sheet.last()?;
        Some(match self.anchor {
            // The last row is the bottom, whichever number it has; counting would decode the entry for nothing.
            Anchor::Follow => (last, u32::MAX),
            Anchor::At(..) => advance(sheet, self.top(sheet, height), u32::from(height.max(1)) - 1),
        })
    }
}
