//! Quitting: when it asks, and what becomes of the recording.

use super::{App, Context, Effect, Ending, Menu, Overlay, SessionFile, Severity};
use crate::model::LinkState;
use crate::text::format;

impl App {
    /// Quits, or asks first when something is at stake.
    pub(super) fn quit(&mut self, out: &mut Vec<Effect>) {
        if self.busy() || self.is_exporting() || self.unsaved() > 0 {
            self.ask_to_quit();
        } else {
            out.push(Effect::Quit(Ending::Keep));
        }
    }

    /// Opens the question.
    pub(super) fn ask_to_quit(&mut self) {
        let unsaved = self.unsaved();
        let connection = if self.busy() {
            format!(" The connection is {}.", self.state())
        } else {
            String::new()
        };
        let unsent = match self.link.as_ref().map_or(0, |link| link.unsent) {
            0 => String::new(),
            bytes => format!(" {} are unsent.", format::size(bytes)),
        };
        let recording = if unsaved > 0 {
            format!(" {} of data are recorded.", format::size(unsaved))
        } else {
            String::new()
        };
        let export = if self.is_exporting() {
            " The export is not finished, and would be removed."
        } else {
            ""
        };
        let title = format!("Quit?{connection}{unsent}{recording}{export}");
        self.overlay = Some(Overlay::Menu(Menu::quit(title, unsaved > 0)));
    }

    /// Quits and deletes the recording, unless the user named the file.
    pub(super) fn discard(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) {
        match &self.settings.session {
            SessionFile::Temporary(_) => out.push(Effect::Quit(Ending::Discard)),
            SessionFile::Opened(path) => {
                let text = format!("{path} is only read and is not deleted; quit leaves it as it is");
                self.notify(Severity::Warning, text, context);
            }
            SessionFile::Named(path) => {
                let text = format!("{path} was asked for with -w and is not deleted; quit-now keeps it");
                self.notify(Severity::Warning, text, context);
            }
        }
    }

    /// Bytes in a file that the user has not asked for by name.
    pub fn unsaved(&self) -> u64 {
        match self.settings.session {
            SessionFile::Named(_) | SessionFile::Opened(_) => 0,
            SessionFile::Temporary(_) => self.payload,
        }
    }

    /// Whether quitting would end a connection, or the making of one.
    fn busy(&self) -> bool {
        let state = self.state();
        state.is_live() || state.is_dialing() || matches!(state, LinkState::Waiting | LinkState::Listening)
    }
}
