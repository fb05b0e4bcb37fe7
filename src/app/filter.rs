//! Filtering: which entries are shown, and staying where the user is while others appear and disappear around it.

use super::find::Scanned;
use super::{App, Context, Effect, Inspector, Overlay, Prompt, Severity, Typed, Wanted};
use crate::model::{ConnectionId, EntryId, Query, Records, Reference};
use crate::text::InputType;

/// What is shown of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The entries for which this holds.
    pub query: Query,
    /// How far the scan is.
    pub progress: Scanned,
    /// Until it has seen the whole log once, what it finds is not new.
    pass: Pass,
}

/// Which part of the log a scan sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// What was there when it began.
    First,
    /// What came since.
    News,
}

/// Where the user is, by the numbers of entries, which no filter changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Whereabouts {
    top: Option<EntryId>,
    selected: Option<EntryId>,
    inspected: Option<EntryId>,
    range_from: Option<EntryId>,
}

impl Whereabouts {
    /// Whether the scan is too far behind to tell where all of them stand.
    fn is_ahead_of(&self, progress: Scanned) -> bool {
        let all = [self.top, self.selected, self.inspected, self.range_from];
        let last = all.into_iter().flatten().max();
        progress.scanned < progress.of && last.is_some_and(|last| last.0 >= progress.scanned)
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
        let all = context.records.unfiltered().unwrap_or(context.records);
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
        self.remember_whereabouts(context.records);
        out.push(Effect::Filter(Some(query.clone())));
        self.filter = Some(Filter {
            query,
            progress: Scanned::default(),
            pass: Pass::First,
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
        self.remember_whereabouts(context.records);
        self.filter = None;
        out.push(Effect::Filter(None));
    }

    /// The log in the context is another one now: what is on the screen is found again in it.
    pub(super) fn refiltered(&mut self, context: &Context<'_>) {
        self.log.found(context.records.len());
        self.return_to(self.whereabouts, context);
        if self.filter.is_none() {
            self.whereabouts = None;
        }
    }

    /// The scan of the filter got on.
    pub(super) fn filtered(&mut self, progress: Scanned, context: &Context<'_>) {
        let Some(filter) = &mut self.filter else { return };
        filter.progress = progress;
        if filter.pass == Pass::First {
            self.log.found(context.records.len());
            if progress.of > 0 && progress.scanned >= progress.of {
                filter.pass = Pass::News;
            }
        }
        if let Some(whereabouts) = self.whereabouts {
            self.return_to(Some(whereabouts), context);
            if !whereabouts.is_ahead_of(progress) {
                self.whereabouts = None;
            }
        }
    }

    /// What was added to entries has changed: some will appear and disappear, and the user stays where they are.
    pub(super) fn annotations_changed(&mut self, context: &Context<'_>) {
        let concerned = |filter: &Filter| filter.pass == Pass::News && filter.query.needs_annotations();
        if self.filter.as_ref().is_some_and(concerned) {
            self.whereabouts = None;
            self.remember_whereabouts(context.records);
        }
    }

    fn remember_whereabouts(&mut self, records: &dyn Records) {
        let number = |place: EntryId| records.entry(place).ok().map(|entry| entry.id);
        let now = Whereabouts {
            top: self.log.top_entry().and_then(number),
            selected: self.log.selected.and_then(number),
            inspected: self
                .inspector
                .as_ref()
                .and_then(|inspector| number(inspector.entry)),
            range_from: self.log.range_from().and_then(number),
        };
        // A filter that follows another before that one has found its way goes on from the same place.
        self.whereabouts.get_or_insert(now);
    }

    fn return_to(&mut self, whereabouts: Option<Whereabouts>, context: &Context<'_>) {
        let Some(Whereabouts {
            top,
            selected,
            inspected,
            range_from,
        }) = whereabouts
        else {
            return;
        };
        let records = context.records;
        let last = records.len().saturating_sub(1);
        let first = records.first();
        let near = |number: EntryId| EntryId(records.place_of(number).0.min(last)).max(first);
        let exactly = |number: EntryId| {
            let place = records.place_of(number);
            records
                .entry(place)
                .is_ok_and(|entry| entry.id == number)
                .then_some(place)
        };
        let sheet = self.sheet(records, context.layout);
        self.log
            .moved(top.map(near), selected.and_then(exactly), range_from.map(near));
        self.log.settle(&sheet, context.layout.log.height);
        match inspected.map(exactly) {
            Some(Some(place)) if self.inspector.as_ref().is_some_and(|i| i.entry != place) => {
                self.inspector = Some(Inspector::new(place));
            }
            Some(None) => self.close_inspector(context),
            Some(Some(_)) | None => {}
        }
    }
}
