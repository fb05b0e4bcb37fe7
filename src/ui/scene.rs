//! What one picture is made of: the state, the log, the time, the layout and the theme, side by side.

use std::fmt;
use std::time::Duration;

use super::line::{Line, Pen};
use super::theme::Theme;
use crate::app::actions::{Action, Dial, Program};
use crate::app::{App, Layout, Pane};
use crate::model::{Records, Timestamp};
use crate::text::format;

/// What a picture depends on besides the state.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The time that the picture is of.
    pub now: Timestamp,
    /// The log.
    pub records: &'a dyn Records,
    /// Where the panes stand: the value that scrolling and the mouse were computed with.
    pub layout: &'a Layout,
    /// How roles look.
    pub theme: Theme,
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("now", &self.now)
            .field("entries", &self.records.len())
            .field("layout", self.layout)
            .field("theme", &self.theme)
            .finish()
    }
}

/// A frame and the state, as the panes see them.
pub(super) struct Scene<'a> {
    pub(super) app: &'a App,
    pub(super) now: Timestamp,
    pub(super) records: &'a dyn Records,
    pub(super) layout: &'a Layout,
    pub(super) pen: Pen,
}

impl<'a> Scene<'a> {
    /// A scene.
    pub(super) fn new(app: &'a App, frame: &Frame<'a>) -> Scene<'a> {
        Scene {
            app,
            now: frame.now,
            records: frame.records,
            layout: frame.layout,
            pen: Pen::new(frame.theme, app.settings.policy),
        }
    }

    /// How roles look.
    pub(super) fn theme(&self) -> Theme {
        self.pen.theme
    }

    /// An empty line.
    pub(super) fn line(&self) -> Line<'_> {
        self.pen.line()
    }

    /// Whether a pane has the keyboard.
    pub(super) fn focused(&self, pane: Pane) -> bool {
        self.app.focus == pane && self.app.overlay.is_none()
    }

    /// How long something took, in characters that may be shown.
    pub(super) fn took(&self, duration: Duration) -> String {
        self.seven_bits(format::took(duration))
    }

    /// The same for times that are compared.
    pub(super) fn measured(&self, duration: Duration) -> String {
        self.seven_bits(format::measured(duration))
    }

    fn seven_bits(&self, text: String) -> String {
        if self.pen.policy.ascii {
            text.replace('µ', "u")
        } else {
            text
        }
    }

    /// How to do something from the focused pane: `press c`, `press Esc, then c`, or by name.
    pub(super) fn advice(&self, action: Action) -> String {
        let pane = self.app.focus;
        let key = |action: Action, pane| action.key_in(pane).map(|key| self.pen.symbols.key(key));
        if let Some(key) = key(action, pane) {
            return format!("press {key}");
        }
        // Esc leads from Input to a pane where letters are keys.
        let back = key(Action::Program(Program::Back), pane);
        if let (Some(back), Some(key)) = (back, key(action, Pane::Log)) {
            return format!("press {back}, then {key}");
        }
        format!("run {}", action.info().map_or("", |info| info.name))
    }

    /// How to choose a target from the focused pane.
    pub(super) fn advise_connect(&self) -> String {
        self.advice(Action::Dial(Dial::Connect))
    }

    /// How to dial again from the focused pane.
    pub(super) fn advise_reconnect(&self) -> String {
        self.advice(Action::Dial(Dial::Reconnect))
    }
}
