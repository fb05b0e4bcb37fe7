//! Filtering: which entries are shown, and what becomes of the selected one when it is none of them. Everything else
//! stays where it is by itself, because it is known by its number.

use super::find::Scanned;
use super::target::first_kept;
use super::{App, Context, Effect, Overlay, Prompt, Severity, Typed, Wanted};
use crate::model::{ConnectionId, EntryId, Query, Reference, whole};
use crate::text::{InputType, format};

/// What is shown of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The entries for which this holds.
    pub query: Query,
    /// How far the scan is.
    pub progress: Scanned,
    /// Whether the scan goes on.
    pub scan: FilterScan,
    /// How many entries there were when it began. Until it has looked at those, what it finds or leaves out is not news.
    began: u64,
}

/// Whether the scan of a filter goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterScan {
    /// It goes on with whatever comes.
    Going,
    /// The user has stopped it: what it had found is shown, and nothing else will be.
    Stopped,
}

impl Filter {
    /// Whether entries that are there may be found yet.
    pub fn is_behind(&self) -> bool {
        self.progress.of == 0 || self.progress.scanned < self.progress.of
    }

    /// Whether it goes through what was there when it began.
    fn is_in_first_pass(&self) -> bool {
        self.scan == FilterScan::Going && self.progress.scanned < self.began
    }
}

impl App {
    /// Opens the prompt, or filters by what was typed behind the action's name.
    pub(super) fn filter(&mut self, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        if argument.is_empty() {
            let last = self.filter.as_ref().map_or("", |filter| filter.query.source());
            let prompt = Prompt::new(Wanted::Filter, last).after(self.filters.clone());
            self.overlay = Some(Overlay::Prompt(prompt));
        } else {
            self.filter_by(argument, context, out);
        }
    }

    /// Shows only what this holds for; nothing typed shows everything again.
    pub(super) fn filter_by(&mut self, text: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        if text.trim().is_empty() {
            return self.clear_filter(context, out);
        }
        let all = whole(context.records);
        let reference = Reference {
            offset: self.settings.zone.offset(),
            start: all.entry(all.first()).map_or(context.now, |entry| entry.at),
        };
        match Query::parse(text, &reference) {
            Ok(query) => {
                self.filters.push(Typed::new(text, InputType::Text));
                self.notice = None;
                self.show_only(query, context, out);
            }
            Err(error) => self.notify(Severity::Warning, error.message, context),
        }
    }

    /// Shows only what a query finds.
    fn show_only(&mut self, query: Query, context: &Context<'_>, out: &mut Vec<Effect>) {
        let all = whole(context.records);
        out.push(Effect::Filter(Some(query.clone())));
        self.filter = Some(Filter {
            query,
            progress: Scanned::default(),
            scan: FilterScan::Going,
            began: all.len(),
        });
    }

    /// Shows only a connection, or all of them where only `before` was shown.
    pub(super) fn show_connection(
        &mut self,
        id: Option<ConnectionId>,
        before: Option<ConnectionId>,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        // That is always a query.
        let query = |id: ConnectionId| Query::parse(&format!("conn:{}", id.0), &Reference::default()).ok();
        let shown = self.filter.as_ref().map(|filter| &filter.query);
        match id.and_then(query) {
            Some(query) => self.show_only(query, context, out),
            // Any other filter is none of ours.
            None if before.and_then(query).as_ref() == shown && shown.is_some() => {
                self.clear_filter(context, out);
            }
            None => {}
        }
    }

    pub(super) fn clear_filter(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) {
        if self.filter.is_none() {
            return self.notify(Severity::Info, "nothing is filtered out", context);
        }
        self.filter = None;
        out.push(Effect::Filter(None));
    }

    /// The log in the context is another one now. What is on the screen is known by its numbers, and found in it; the
    /// page is full again.
    pub(super) fn refiltered(&mut self, context: &Context<'_>) {
        let sheet = self.sheet(context.records, context.layout);
        self.log.settle(&sheet, context.layout.log.height);
    }

    /// The scan of the filter got on, or decided anew about what it had seen.
    pub(super) fn filtered(&mut self, progress: Scanned, context: &Context<'_>) {
        let Some(filter) = &mut self.filter else { return };
        let was_in_first_pass = filter.is_in_first_pass();
        filter.progress = progress;
        let is_through = was_in_first_pass && !filter.is_in_first_pass();
        let hidden = self.drop_hidden(progress.scanned, context);
        if let Some(number) = hidden.filter(|_| !was_in_first_pass) {
            let text = format!(
                "the filter no longer shows entry {}",
                format::count(number.0.saturating_add(1))
            );
            self.notify(Severity::Info, text, context);
        }
        if is_through {
            let sheet = self.sheet(context.records, context.layout);
            self.log.settle(&sheet, context.layout.log.height);
        }
        self.resume_search(context);
    }

    /// What the filter has looked at and leaves out is neither selected nor inspected any more; returns what was.
    fn drop_hidden(&mut self, scanned: u64, context: &Context<'_>) -> Option<EntryId> {
        let kept = first_kept(context.records);
        let hidden = |number: &EntryId| {
            *number >= kept && number.0 < scanned && context.records.place_exactly(*number).is_none()
        };
        let selected = self.log.selected.take_if(|number| hidden(number));
        let inspected = self.inspector.as_ref().map(|inspector| inspector.entry);
        let inspected = inspected.filter(hidden);
        if inspected.is_some() {
            self.close_inspector(context);
        }
        inspected.or(selected)
    }

    /// Stops the scan of the filter, if it still goes through what was there; whether it did.
    pub(super) fn stop_filter(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) -> bool {
        let Some(filter) = self.filter.as_mut().filter(|filter| filter.is_in_first_pass()) else {
            return false;
        };
        filter.scan = FilterScan::Stopped;
        out.push(Effect::StopFilter);
        let text = "the filter was stopped: what it had found is shown; f and Enter begins again";
        self.notify(Severity::Warning, text, context);
        true
    }
}
