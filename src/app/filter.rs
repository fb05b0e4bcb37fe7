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
        match Query::parse(text, &self.reference(context)) {
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

    /// Of what is shown, shows only a connection in place of `before`, or all of them again.
    pub(super) fn show_connection(
        &mut self,
        id: Option<ConnectionId>,
        before: Option<ConnectionId>,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        let reference = self.reference(context);
        let parse = |text: &str| Query::parse(text, &reference).ok();
        let shown = self
            .filter
            .as_ref()
            .map(|filter| filter.query.source().to_owned());
        let own = shown
            .as_deref()
            .and_then(|shown| without(shown, before, |text| parse(text).is_some()));
        let wanted = match (id, own) {
            (None, own) => own.map(str::to_owned),
            (Some(id), None) => Some(only(id)),
            (Some(id), Some(own)) => Some(format!("{} and ({own})", only(id))),
        };
        match wanted {
            same if same == shown => {}
            // What is put together of queries is one.
            Some(text) => {
                if let Some(query) = parse(&text) {
                    self.show_only(query, context, out);
                }
            }
            None => self.clear_filter(context, out),
        }
    }

    /// What times and days in a query mean.
    fn reference(&self, context: &Context<'_>) -> Reference {
        let all = whole(context.records);
        Reference {
            offset: self.settings.zone.offset(),
            start: all.entry(all.first()).map_or(context.now, |entry| entry.at),
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
        self.recount(context);
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
        self.recount(context);
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

/// The query for a connection.
fn only(id: ConnectionId) -> String {
    format!("conn:{}", id.0)
}

/// What is shown of a connection, if it is a query by itself; all of `shown` if it is not about that connection.
fn without(shown: &str, id: Option<ConnectionId>, is_query: impl Fn(&str) -> bool) -> Option<&str> {
    let Some(rest) = id.and_then(|id| shown.strip_prefix(&only(id))) else {
        return Some(shown);
    };
    let own = rest
        .strip_prefix(" and (")
        .and_then(|rest| rest.strip_suffix(')'));
    match own {
        _ if rest.is_empty() => None,
        Some(own) if is_query(own) => Some(own),
        Some(_) | None => Some(shown),
    }
}
