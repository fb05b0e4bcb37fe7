//! What the worker and the runtime report: the state of the connection, its histories, how effects went.

use super::server::everybody;
use super::{App, Context, Effect, MenuKind, Overlay, Purpose, Report, SessionFile, Severity};
use crate::model::{
    FileReport, FileState, Full, Goal, Link, LinkState, NetCommand, NetEvent, PeerCommand, RecorderState,
    Sends, Side, Timestamping, whole,
};
use crate::text::{Shown, format};

impl App {
    pub(super) fn started(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) {
        match (self.purpose(), self.settings.goal.clone()) {
            (Purpose::Live, Some(Goal::Connect(target))) => self.connect(target, context, out),
            (Purpose::Live, Some(goal)) => {
                self.recall(goal.endpoint(), out);
                out.push(Effect::Net(goal.command()));
            }
            (Purpose::Live, None) => self.open_connect(""),
            (Purpose::Reading, _) => {}
        }
        if !self.settings.greetings.is_empty() {
            let text = self.settings.greetings.join("; ");
            self.notify(Severity::Info, text, context);
        }
        self.retitle(out);
    }

    pub(super) fn news(&mut self, mut news: NetEvent, context: &Context<'_>, out: &mut Vec<Effect>) {
        let front = self.front(&mut news);
        self.recorder = news.recorder;
        self.recorded = news.size;
        self.ring = news.ring;
        self.payload = news.payload;
        if let Some(link) = front {
            match &self.listening {
                // Those who come and go are not to begin the last minute anew.
                Some(listening) if self.chosen.is_none() => {
                    self.rates.update(&everybody(listening, &self.peers), context.now);
                }
                Some(_) | None => self.rates.update(&link, context.now),
            }
            self.recall(&link.endpoint, out);
            self.announce(&link, context);
            self.announce_stamps(&link, context);
            self.link = Some(link);
            self.renew_menu();
        }
        self.sends_handled(news.sends, context);
        self.answered(news.answer, context);
        self.retitle(out);
    }

    /// A text that found no connection any more comes back to where it was typed.
    fn sends_handled(&mut self, sends: Sends, context: &Context<'_>) {
        if sends.handled < self.sends {
            return;
        }
        let refused = sends.refused.saturating_sub(self.refused);
        if refused > 0 && refused < self.sending_to {
            let text = format!(
                "not sent to {refused} of {}: their connections had ended before",
                self.sending_to
            );
            self.notify(Severity::Warning, text, context);
        } else if refused > 0 {
            self.take_back();
            let text = "not sent: the connection had ended before; the text is back";
            self.notify(Severity::Warning, text, context);
        }
        self.refused = sends.refused;
        self.sending = None;
    }

    /// Takes in how the opened file stands; what ends its reading is said once.
    pub(super) fn file_report(&mut self, report: FileReport, context: &Context<'_>, out: &mut Vec<Effect>) {
        let indexed = |state: &FileState| *state != FileState::Indexing;
        if indexed(&report.state) && report.entries > 0 && !std::mem::replace(&mut self.recalled, true) {
            out.push(Effect::RecallAnnotations);
        }
        let before = self.file.take().map(|file| file.state);
        if before.as_ref() != Some(&report.state) {
            match &report.state {
                FileState::Failed(why) => self.notify(Severity::Error, why.clone(), context),
                FileState::Cancelled => {
                    let text = format!(
                        "indexing stopped at {} %: what was found so far is shown; open the file again for all of it",
                        report.percent()
                    );
                    self.notify(Severity::Warning, text, context);
                }
                FileState::Indexing | FileState::Following | FileState::Complete | FileState::Cut => {}
            }
        }
        if report.state == FileState::Indexing || before == Some(FileState::Indexing) {
            let all = whole(context.records);
            self.log.found(all.len());
        }
        self.file = Some(report);
    }

    pub(super) fn report(&mut self, report: Report, context: &Context<'_>) {
        let (severity, text) = match report {
            Report::Failed(text) => (Severity::Error, text),
            Report::Busy(NetCommand::Send(_) | NetCommand::Peers(_, PeerCommand::Send(..))) => {
                self.sends = self.sends.saturating_sub(self.sending_to);
                self.take_back();
                (
                    Severity::Warning,
                    "not sent: too much is waiting to be sent; the text is back".into(),
                )
            }
            Report::Busy(_) => (
                Severity::Warning,
                "the network is busy; try again in a moment".into(),
            ),
            Report::WorkerGone(_) => {
                self.take_back();
                (
                    Severity::Error,
                    "the network part of the program has stopped; quit and start again".into(),
                )
            }
        };
        self.notify(severity, text, context);
    }

    /// The sentence that stays on the screen while the recorder is in trouble.
    pub fn banner(&self) -> Option<String> {
        match &self.recorder {
            RecorderState::Recording => None,
            RecorderState::Paused {
                reason,
                full: Full::ForNow,
            } => Some(format!("Recording paused, nothing is lost: {reason}")),
            RecorderState::Paused {
                reason,
                full: Full::ForGood,
            } => Some(format!("Recording is over, and nothing more is read: {reason}")),
            RecorderState::Stopped { reason } => Some(format!("Recording has stopped: {reason}")),
            RecorderState::Losing { reason, bytes } => {
                Some(format!("NOT RECORDED: {} so far: {reason}", format::size(*bytes)))
            }
        }
    }

    fn take_back(&mut self) {
        if let Some(sent) = self.sending.take() {
            self.composer.unsent(&sent);
        }
    }

    /// An open menu offers what the connection allows now, not what it allowed when the menu was opened.
    pub(super) fn renew_menu(&mut self) {
        let Some(Overlay::Menu(old)) = &self.overlay else {
            return;
        };
        let selected = old.selected;
        match old.kind {
            MenuKind::Quit => self.ask_to_quit(),
            MenuKind::Close => {
                let menu = self.close_menu();
                self.overlay = (!menu.items.is_empty()).then_some(Overlay::Menu(menu));
            }
            MenuKind::Copy | MenuKind::Export(_) | MenuKind::Overwrite => {}
        }
        if let Some(Overlay::Menu(menu)) = &mut self.overlay {
            menu.selected = selected.min(menu.items.len() - 1);
        }
    }

    /// A notice for a change of state that the user did not ask for.
    fn announce(&mut self, link: &Link, context: &Context<'_>) {
        let before = self.link.as_ref().map(|link| (link.id, link.state));
        if before == Some((link.id, link.state)) {
            return;
        }
        // What was said of the last state is over with it.
        self.notice = None;
        let reason = link.reason.clone();
        match link.state {
            LinkState::Failed => {
                let text = reason.unwrap_or_else(|| format!("the connection to {} failed", link.endpoint));
                self.notify(Severity::Error, text, context);
            }
            LinkState::Closed | LinkState::Waiting => {
                if let Some(reason) = reason {
                    self.notify(Severity::Warning, reason, context);
                }
            }
            LinkState::HalfClosed if link.first_fin == Some(Side::Peer) => {
                let text = "the peer sent FIN; you may still send, and Ctrl-D twice sends FIN too";
                self.notify(Severity::Info, text, context);
            }
            LinkState::Idle
            | LinkState::Resolving
            | LinkState::Connecting
            | LinkState::Handshaking
            | LinkState::Open
            | LinkState::HalfClosed
            | LinkState::Listening => {}
        }
    }

    /// A notice of whether time stamps come, where the user has just asked, or will not come though they were asked for.
    fn announce_stamps(&mut self, link: &Link, context: &Context<'_>) {
        let before = self.link.as_ref().filter(|before| before.id == link.id);
        let was_live = before.is_some_and(|before| before.state.is_live());
        if before.map(|before| &before.timestamping) == Some(&link.timestamping) {
            return;
        }
        match &link.timestamping {
            Timestamping::Refused(why) => self.notify(Severity::Warning, why.clone(), context),
            Timestamping::On if was_live => {
                let text =
                    "time stamps on: the Inspector shows when an entry was on the wire and acknowledged";
                self.notify(Severity::Info, text, context);
            }
            Timestamping::Off if was_live => {
                self.notify(
                    Severity::Info,
                    "time stamps off: those of before are kept",
                    context,
                );
            }
            Timestamping::On | Timestamping::Off => {}
        }
    }

    fn retitle(&mut self, out: &mut Vec<Effect>) {
        let title = match (&self.link, &self.settings.session) {
            (Some(link), _) => format!("{} {} - sockscope", self.subject(link), link.state),
            (None, SessionFile::Opened(path)) => format!("{path} - sockscope"),
            (None, SessionFile::Named(_) | SessionFile::Temporary(_)) => "sockscope".into(),
        };
        // Names of hosts come from outside: the title goes through the encoder like everything else.
        let title = Shown::of(&title, self.settings.policy).to_string();
        if title != self.title {
            self.title.clone_from(&title);
            out.push(Effect::Title(title));
        }
    }
}
