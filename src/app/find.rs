//! Searching: what is searched for, how far that is, and going from hit to hit.

use std::ops::Range;

use super::actions::Find;
use super::{Anchor, App, Context, Effect, Overlay, Pane, Prompt, Severity, Typed, VisibleRow, Wanted};
use crate::capture::Highlights;
use crate::model::{EntryId, Found, Records};
use crate::text::{InputType, Pattern, format};

/// How far a scan of the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Entries that were found.
    pub found: u64,
    /// Entries that were looked at.
    pub scanned: u64,
    /// Entries that there are.
    pub of: u64,
}

/// Which way a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Backward,
}

/// Where a search that has to wait for its scan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    from: EntryId,
    way: Way,
}

/// What was searched for last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What is searched for.
    pub pattern: Pattern,
    /// How far the scan is.
    pub progress: Scanned,
    /// Which hit was gone to last, counted from 1 among those that are shown; nothing once it is not.
    pub at: Option<u64>,
    /// How many hits a filter hides.
    pub hidden: u64,
    hit: Option<EntryId>,
    pending: Option<Pending>,
}

/// What a step of a search came to.
enum Step {
    Hit(EntryId),
    /// Only more scanning can tell.
    Later,
    Nothing,
}

impl App {
    pub(super) fn find(&mut self, find: Find, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        match find {
            Find::Search if argument.is_empty() => {
                let prompt = Prompt::new(Wanted::Search, "").after(self.searches.clone());
                self.overlay = Some(Overlay::Prompt(prompt));
            }
            Find::Search => self.search_for(argument, context, out),
            Find::Next => self.step_search(Way::Forward, context),
            Find::Previous => self.step_search(Way::Backward, context),
            Find::Clear => self.clear_search(context, out),
            Find::Filter => self.filter(argument, context, out),
            Find::Unfilter => self.clear_filter(context, out),
        }
    }

    /// Starts a search from what is on the screen; while the log follows, from its end backwards.
    pub(super) fn search_for(&mut self, text: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        let pattern = match Pattern::parse(text) {
            Ok(pattern) => pattern,
            Err(error) => return self.notify(Severity::Warning, error.message, context),
        };
        let way = if self.log.anchor == Anchor::Follow && self.log.selected.is_none() {
            Way::Backward
        } else {
            Way::Forward
        };
        let from = self.current_number(context);
        self.searches.push(Typed::new(text, InputType::Text));
        // What was said of the search before is over with it.
        self.notice = None;
        out.push(Effect::Search(Some(pattern.clone())));
        self.search = Some(Search {
            pattern,
            progress: Scanned::default(),
            at: None,
            hidden: 0,
            hit: None,
            pending: from.map(|from| Pending { from, way }),
        });
        if self.focus == Pane::Input {
            self.focus(Pane::Log, context);
        }
    }

    /// The scan got on.
    pub(super) fn searched(&mut self, progress: Scanned, context: &Context<'_>) {
        let Some(search) = &mut self.search else { return };
        search.progress = progress;
        self.recount(context);
        self.resume_search(context);
    }

    /// Counts the hits anew: others are shown, or there are more.
    pub(super) fn recount(&mut self, context: &Context<'_>) {
        let (Some(search), Some(hits)) = (&mut self.search, context.hits) else {
            return;
        };
        search.hidden = hits.hidden_before(EntryId(u64::MAX));
        let hit = search.hit;
        let shown = hit.filter(|hit| context.records.place_exactly(*hit).is_some());
        search.at = shown.map(|hit| hits.rank(hit).saturating_sub(hits.hidden_before(hit)) + 1);
    }

    /// Goes on with a step that waits for a scan, now that one got on.
    pub(super) fn resume_search(&mut self, context: &Context<'_>) {
        let pending = self.search.as_mut().and_then(|search| search.pending.take());
        if let Some(pending) = pending {
            self.go_on(pending, context);
        }
    }

    /// The user has gone somewhere: a step that still waits must not take them away from there.
    pub(super) fn forget_step(&mut self) {
        if let Some(search) = &mut self.search {
            search.pending = None;
        }
    }

    /// Gives up a step that waits for a scan; whether there was one. The search goes on.
    pub(super) fn stop_waiting(&mut self, context: &Context<'_>) -> bool {
        let Some(search) = self.search.as_mut().filter(|search| search.pending.is_some()) else {
            return false;
        };
        search.pending = None;
        let text = "no longer waiting for the next hit: n asks for it again, Esc ends the search";
        self.notify(Severity::Info, text, context);
        true
    }

    fn step_search(&mut self, way: Way, context: &Context<'_>) {
        if self.search.is_none() {
            return self.notify(Severity::Warning, "nothing was searched for yet", context);
        }
        let Some(current) = self.current_number(context) else {
            return self.notify(Severity::Warning, "there is no entry yet", context);
        };
        let from = match way {
            Way::Forward => Some(EntryId(current.0.saturating_add(1))),
            Way::Backward => current.0.checked_sub(1).map(EntryId),
        };
        match from {
            Some(from) => self.go_on(Pending { from, way }, context),
            None => self.wrap(way, context),
        }
    }

    /// Goes to the next hit from there, or waits for the scan, or starts again from the other end.
    fn go_on(&mut self, pending: Pending, context: &Context<'_>) {
        let Some(hits) = context.hits else {
            // The scan is about to start.
            return self.wait_for_scan(pending);
        };
        match seek(pending, hits, context) {
            Step::Hit(place) => self.go_to_hit(place, context),
            Step::Later => self.wait_for_scan(pending),
            Step::Nothing => self.wrap(pending.way, context),
        }
    }

    fn wait_for_scan(&mut self, pending: Pending) {
        if let Some(search) = &mut self.search {
            search.pending = Some(pending);
        }
    }

    fn wrap(&mut self, way: Way, context: &Context<'_>) {
        let Some(hits) = context.hits else { return };
        let from = match way {
            // Its hits are those of entries that are kept.
            Way::Forward => EntryId(0),
            Way::Backward => EntryId(u64::MAX),
        };
        match seek(Pending { from, way }, hits, context) {
            Step::Hit(place) => {
                self.go_to_hit(place, context);
                let text = match way {
                    Way::Forward => "the search went on from the first entry",
                    Way::Backward => "the search went on from the last entry",
                };
                self.notify(Severity::Info, text, context);
            }
            Step::Later => self.wait_for_scan(Pending { from, way }),
            Step::Nothing => {
                let Some(search) = &self.search else { return };
                let pattern = &search.pattern;
                let text = match (&self.filter, hits.count()) {
                    (None, _) | (Some(_), 0) => {
                        format!(
                            "{pattern} is in none of {}",
                            format::counted(hits.scanned(), "entry", "entries")
                        )
                    }
                    (Some(_), found) => format!(
                        "{pattern} is in none of the entries that the filter shows, but in {} that it hides",
                        format::count(found)
                    ),
                };
                self.notify(Severity::Warning, text, context);
            }
        }
    }

    fn go_to_hit(&mut self, place: EntryId, context: &Context<'_>) {
        let sheet = self.sheet(context.records, context.layout);
        let height = context.layout.log.height;
        self.log.select(place, &sheet, height);
        let number = context.records.entry(place).map(|entry| entry.id);
        // A large entry may have it far below its head.
        let pattern = self.search.as_ref().map(|search| &search.pattern);
        let first = pattern
            .zip(number.as_ref().ok())
            .and_then(|(pattern, number)| Highlights::new(context.records, pattern).of(*number).ok())
            .and_then(|hits| hits.first().map(|hit| hit.start));
        if let Some(offset) = first {
            self.log.reveal(place, offset, &sheet, height);
        }
        self.inspect_selected();
        if let (Some(search), Ok(number)) = (&mut self.search, number) {
            search.hit = Some(number);
        }
        self.recount(context);
    }

    /// Marks what is searched for in the rows.
    pub(super) fn with_hits(&self, mut rows: Vec<VisibleRow>, records: &dyn Records) -> Vec<VisibleRow> {
        let Some(search) = &self.search else { return rows };
        let mut highlights = Highlights::new(records, &search.pattern);
        let mut last: Option<(EntryId, Vec<Range<u32>>)> = None;
        for row in &mut rows {
            if last.as_ref().is_none_or(|(number, _)| *number != row.number) {
                // An entry that cannot be read says so itself.
                let hits = highlights.of(row.number).unwrap_or_default();
                last = Some((row.number, hits));
            }
            if let Some((_, hits)) = &last {
                row.hits.clone_from(hits);
            }
        }
        rows
    }

    fn clear_search(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) {
        if self.search.take().is_some() {
            out.push(Effect::Search(None));
        } else {
            self.notify(Severity::Info, "nothing is searched for", context);
        }
    }
}

/// The next hit that the log shows.
fn seek(pending: Pending, hits: &dyn Found, context: &Context<'_>) -> Step {
    let Pending { mut from, way } = pending;
    // A scan that has not reported yet knows of no entry.
    let is_through = hits.entries() > 0 && hits.scanned() >= hits.entries();
    loop {
        let hit = match way {
            Way::Forward => hits.next(from),
            // Between the last hit that is known and here there may be others.
            Way::Backward if !is_through && hits.scanned() <= from.0 => return Step::Later,
            Way::Backward => hits.previous(from),
        };
        let Some(number) = hit else {
            return match way {
                Way::Forward if !is_through => Step::Later,
                Way::Forward | Way::Backward => Step::Nothing,
            };
        };
        if let Some(place) = context.records.place_exactly(number) {
            return Step::Hit(place);
        }
        // What is found is shown, but for the moment in which a filter drops it.
        from = match (way, number.0.checked_sub(1)) {
            (Way::Forward, _) => EntryId(number.0.saturating_add(1)),
            (Way::Backward, Some(before)) => EntryId(before),
            (Way::Backward, None) => return Step::Nothing,
        };
    }
}
