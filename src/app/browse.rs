//! Moving over the log and the Inspector, and between entries.

use super::actions::{Browse, Scroll};
use super::{Anchor, App, Context, Inspector, Pane};
use crate::model::EntryId;

impl App {
    pub(super) fn scroll(&mut self, scroll: Scroll, context: &Context<'_>) {
        if self.focus == Pane::Status && self.zoomed == Some(Pane::Status) && self.link.is_some() {
            self.block = self.block.scrolled(scroll);
            return;
        }
        self.forget_step();
        let (records, layout) = (context.records, context.layout);
        let sheet = self.inspector_sheet(records, layout);
        match &mut self.inspector {
            Some(inspector) if self.focus == Pane::Inspector => {
                inspector.scroll(scroll, &sheet, layout.inspector.height);
            }
            Some(_) | None => {
                self.log
                    .scroll(scroll, &self.sheet(records, layout), layout.log.height);
                self.inspect_selected();
            }
        }
    }

    pub(super) fn browse(&mut self, browse: Browse, argument: &str, context: &Context<'_>) {
        self.forget_step();
        let sheet = self.sheet(context.records, context.layout);
        let height = context.layout.log.height;
        match browse {
            Browse::PageUp => self.log.by_rows_up(u32::from(height), &sheet, height),
            Browse::PageDown => self.log.by_rows_down(u32::from(height), &sheet, height),
            Browse::Range => self.log.toggle_range(&sheet, height),
            Browse::Follow if self.log.anchor == Anchor::Follow => self.log.hold(&sheet, height),
            Browse::Follow => self.log.follow(),
            Browse::Goto => return self.goto(argument, context),
            Browse::Inspect => {
                if let Some(current) = self.log.current(&sheet) {
                    if self.log.anchor != Anchor::Follow {
                        self.log.select(current, &sheet, height);
                    }
                    self.inspector = context.records.number_of(current).map(Inspector::new);
                }
                return self.focus(Pane::Inspector, context);
            }
            Browse::CloseInspector => return self.close_inspector(context),
            Browse::NextEntry => self.step(1, context),
            Browse::PreviousEntry => self.step(-1, context),
        }
        self.inspect_selected();
    }

    /// Selects the entry after or before the one that is inspected or selected.
    fn step(&mut self, by: i64, context: &Context<'_>) {
        let sheet = self.sheet(context.records, context.layout);
        let inspected = self.inspector.as_ref().map(|inspector| inspector.entry);
        let next = match inspected {
            // The next one stands already where the inspected one would.
            Some(number) if by > 0 && context.records.place_exactly(number).is_none() => sheet.near(number),
            Some(number) => Some(context.records.place_of(number)).map(|id| stepped(id, by)),
            None => self.log.current(&sheet).map(|id| stepped(id, by)),
        };
        if let Some(next) = next {
            self.log.select(next, &sheet, context.layout.log.height);
        }
    }

    /// An open Inspector shows what is selected in the Log.
    pub(super) fn inspect_selected(&mut self) {
        if let (Some(inspector), Some(selected)) = (&mut self.inspector, self.log.selected)
            && inspector.entry != selected
        {
            *inspector = Inspector::new(selected);
        }
    }

    pub(super) fn close_inspector(&mut self, context: &Context<'_>) {
        self.inspector = None;
        if self.zoomed == Some(Pane::Inspector) {
            self.zoomed = None;
        }
        if self.last_view == Pane::Inspector {
            self.last_view = Pane::Log;
        }
        if self.focus == Pane::Inspector {
            self.focus(Pane::Log, context);
        }
    }
}

fn stepped(place: EntryId, by: i64) -> EntryId {
    EntryId(place.0.saturating_add_signed(by))
}
