//! The mouse: a click focuses and selects, the wheel scrolls what is under it.

use super::actions::Scroll;
use super::{App, Context, Mouse, MouseKind, Pane};

/// Rows a step of the wheel, as terminals and browsers have it.
const WHEEL: u32 = 3;

impl App {
    /// Takes in a mouse event; false if it means nothing here.
    pub(super) fn mouse_event(&mut self, mouse: Mouse, context: &Context<'_>) -> bool {
        // Pop-ups are for the keyboard; a click must not do something hidden behind them.
        if !self.mouse || self.overlay.is_some() {
            return false;
        }
        let Some(pane) = context.layout.pane_at(mouse.x, mouse.y) else {
            return false;
        };
        match mouse.kind {
            MouseKind::Click => {
                self.focus(pane, context);
                if pane == Pane::Log {
                    self.select_at(mouse.y, context);
                }
            }
            MouseKind::ScrollUp | MouseKind::ScrollDown => self.wheel(pane, mouse.kind, context),
        }
        true
    }

    fn select_at(&mut self, y: u16, context: &Context<'_>) {
        let area = context.layout.log;
        let rows = self.log_rows(context.records, context.layout);
        let Some(row) = y.checked_sub(area.y).and_then(|dy| rows.get(usize::from(dy))) else {
            return;
        };
        self.forget_step();
        self.log
            .hold(&self.sheet(context.records, context.layout), area.height);
        self.log.selected = Some(row.number);
        self.inspect_selected();
    }

    fn wheel(&mut self, pane: Pane, kind: MouseKind, context: &Context<'_>) {
        self.forget_step();
        let up = kind == MouseKind::ScrollUp;
        let sheet = self.inspector_sheet(context.records, context.layout);
        match (&mut self.inspector, pane) {
            (Some(inspector), Pane::Inspector) => {
                let step = if up { Scroll::Up } else { Scroll::Down };
                for _ in 0..WHEEL {
                    inspector.scroll(step, &sheet, context.layout.inspector.height);
                }
            }
            (_, Pane::Status | Pane::Log | Pane::Inspector | Pane::Input) => {
                let height = context.layout.log.height;
                let sheet = self.sheet(context.records, context.layout);
                if up {
                    self.log.by_rows_up(WHEEL, &sheet, height);
                } else {
                    self.log.by_rows_down(WHEEL, &sheet, height);
                }
            }
        }
    }
}
