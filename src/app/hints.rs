//! What the footer offers: a few actions of the focused pane or of the pop-up, with their keys from the table.

use super::actions::{Action, Browse, Compose, Dial, Export, Focus, Open, Peer, Program, Scroll, Show};
use super::{App, Key, KeyCode, Overlay, Pane, Wanted};
use crate::model::LinkState;

/// A key and what it does, in a word or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The key.
    pub key: Key,
    /// What it does.
    pub label: &'static str,
    /// Those of the highest rank are left out first where there is no room for all.
    pub rank: u8,
}

const INPUT: &[(Action, &str)] = &[
    (Action::Compose(Compose::Send), "send"),
    (Action::Compose(Compose::InputType), "type"),
    (Action::Compose(Compose::LineEnding), "line end"),
    (Action::Focus(Focus::Next), "pane"),
    (Action::Open(Open::Help), "help"),
    (Action::Open(Open::Palette), "commands"),
];

/// Input while there is no connection: what is typed cannot go anywhere.
const INPUT_ENDED: &[(Action, &str)] = &[
    (
        Action::Program(Program::Back),
        // The Log, where it leads, has the others; this fits a window of 40 cells.
        "then R reconnect, q quit",
    ),
    (Action::Open(Open::Help), "help"),
    (Action::Open(Open::Palette), "commands"),
];

/// The Log while there is no connection.
const LOG_ENDED: &[(Action, &str)] = &[
    (Action::Dial(Dial::Reconnect), "reconnect"),
    (Action::Dial(Dial::Connect), "connect"),
    (Action::Browse(Browse::Inspect), "inspect"),
    (Action::Show(Show::View), "view"),
    (Action::Open(Open::CopyMenu), "copy"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

const LOG: &[(Action, &str)] = &[
    (Action::Focus(Focus::Pane(Pane::Input)), "input"),
    (Action::Browse(Browse::Inspect), "inspect"),
    (Action::Show(Show::View), "view"),
    (Action::Browse(Browse::Follow), "follow"),
    (Action::Open(Open::CopyMenu), "copy"),
    (Action::Dial(Dial::Connect), "connect"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

/// Input behind a FIN of ours, while the peer still sends.
const INPUT_SHUT: &[(Action, &str)] = &[
    (Action::Program(Program::Back), "then C close"),
    (Action::Focus(Focus::Next), "pane"),
    (Action::Open(Open::Help), "help"),
    (Action::Open(Open::Palette), "commands"),
];

/// Input of a tap.
const INPUT_TAP: &[(Action, &str)] = &[
    (Action::Compose(Compose::Send), "send"),
    (Action::Peer(Peer::Side), "other side"),
    (Action::Compose(Compose::InputType), "type"),
    (Action::Compose(Compose::LineEnding), "line end"),
    (Action::Focus(Focus::Next), "pane"),
    (Action::Open(Open::Help), "help"),
    (Action::Open(Open::Palette), "commands"),
];

/// The Log while connections are waited for.
const LOG_SERVER: &[(Action, &str)] = &[
    (Action::Focus(Focus::Pane(Pane::Input)), "input"),
    (Action::Open(Open::Conversations), "peers"),
    (Action::Peer(Peer::Next), "next peer"),
    (Action::Open(Open::CloseMenu), "close"),
    (Action::Browse(Browse::Inspect), "inspect"),
    (Action::Show(Show::View), "view"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

/// Status while connections are waited for.
const STATUS_SERVER: &[(Action, &str)] = &[
    (Action::Open(Open::Conversations), "peers"),
    (Action::Peer(Peer::Next), "next peer"),
    (Action::Open(Open::CloseMenu), "close"),
    (Action::Focus(Focus::Next), "pane"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

/// The Log while entries are selected together.
const LOG_RANGE: &[(Action, &str)] = &[
    (Action::Browse(Browse::Range), "end selection"),
    (Action::Open(Open::CopyMenu), "copy"),
    (Action::Export(Export::Entry), "write"),
    (Action::Open(Open::Help), "help"),
];

const INSPECTOR: &[(Action, &str)] = &[
    (Action::Browse(Browse::CloseInspector), "close"),
    (Action::Browse(Browse::NextEntry), "next"),
    (Action::Browse(Browse::PreviousEntry), "previous"),
    (Action::Open(Open::CopyMenu), "copy"),
    (Action::Show(Show::Zoom), "zoom"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

const STATUS: &[(Action, &str)] = &[
    (Action::Dial(Dial::Connect), "connect"),
    (Action::Dial(Dial::Reconnect), "reconnect"),
    (Action::Open(Open::CloseMenu), "close"),
    (Action::Focus(Focus::Next), "pane"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

/// Status when it has the whole window.
const STATUS_ZOOMED: &[(Action, &str)] = &[
    (Action::Scroll(Scroll::Down), "next block"),
    (Action::Scroll(Scroll::Up), "previous"),
    (Action::Show(Show::Zoom), "unzoom"),
    (Action::Dial(Dial::Reconnect), "reconnect"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

/// The same while connections are waited for: there is nothing to dial again.
const STATUS_ZOOMED_SERVER: &[(Action, &str)] = &[
    (Action::Scroll(Scroll::Down), "next block"),
    (Action::Scroll(Scroll::Up), "previous"),
    (Action::Show(Show::Zoom), "unzoom"),
    (Action::Open(Open::Conversations), "peers"),
    (Action::Peer(Peer::Next), "next peer"),
    (Action::Open(Open::Help), "help"),
    (Action::Program(Program::Quit), "quit"),
];

impl App {
    /// What the footer offers now, the most useful first. Help comes last, but is left out late: it tells the others.
    pub fn hints(&self) -> Vec<Hint> {
        if let Some(overlay) = &self.overlay {
            return overlay_hints(overlay);
        }
        let ended = matches!(self.state(), LinkState::Closed | LinkState::Failed);
        let offered = match self.focus {
            Pane::Status if self.zoomed == Some(Pane::Status) && self.listening.is_some() => {
                STATUS_ZOOMED_SERVER
            }
            Pane::Status if self.zoomed == Some(Pane::Status) && self.link.is_some() => STATUS_ZOOMED,
            Pane::Status if self.listening.is_some() => STATUS_SERVER,
            Pane::Status => STATUS,
            Pane::Log if self.log.has_range() => LOG_RANGE,
            Pane::Log if self.listening.is_some() => LOG_SERVER,
            Pane::Log if ended => LOG_ENDED,
            Pane::Log => LOG,
            Pane::Inspector => INSPECTOR,
            Pane::Input if ended && self.listening.is_none() => INPUT_ENDED,
            Pane::Input if self.is_tap() => INPUT_TAP,
            Pane::Input if self.only_receives() => INPUT_SHUT,
            Pane::Input => INPUT,
        };
        let hint = |(place, (action, label)): (u8, &(Action, &'static str))| {
            action.serves(self.purpose()).then_some(())?;
            let label = self.label(*action).unwrap_or(label);
            Some(Hint {
                key: action.key_in(self.focus)?,
                label,
                rank: if *action == Action::Open(Open::Help) {
                    1
                } else {
                    2 * place
                },
            })
        };
        (0..).zip(offered).filter_map(hint).collect()
    }

    /// What an action is called where that depends on what there is.
    fn label(&self, action: Action) -> Option<&'static str> {
        if action == Action::Compose(Compose::Send) {
            self.sends_empty().then_some("send an empty message")
        } else if action == Action::Open(Open::Conversations) {
            Some(self.conversations_name())
        } else if action == Action::Peer(Peer::Next) {
            self.is_tap().then_some("next one")
        } else {
            None
        }
    }
}

fn overlay_hints(overlay: &Overlay) -> Vec<Hint> {
    let hint = |key, label| Hint { key, label, rank: 0 };
    let enter = |label| hint(Key::plain(KeyCode::Enter), label);
    let escape = |label| hint(Key::plain(KeyCode::Esc), label);
    let action = |action: Action, pane, label| action.key_in(pane).map(|key| hint(key, label));
    let mut hints = match overlay {
        Overlay::Help(_) | Overlay::Preview(_) => {
            let down = action(Action::Scroll(Scroll::Down), Pane::Log, "down");
            let up = action(Action::Scroll(Scroll::Up), Pane::Log, "up");
            down.into_iter().chain(up).collect()
        }
        Overlay::Palette(_) => {
            let complete = action(Action::Focus(Focus::Next), Pane::Input, "complete");
            std::iter::once(enter("run")).chain(complete).collect()
        }
        Overlay::Connect(_) => vec![
            enter("connect"),
            hint(Key::plain(KeyCode::Down), "recent targets"),
        ],
        Overlay::Menu(_) => vec![enter("choose")],
        Overlay::Conversations(_) => vec![enter("show this")],
        Overlay::Marks(_) => vec![enter("go there")],
        Overlay::Prompt(prompt) => {
            let does = match prompt.wanted {
                Wanted::Search if prompt.field.is_empty() => "search the last again",
                Wanted::Search => "search",
                Wanted::Filter => "filter",
                Wanted::Comment(_) => "keep",
                Wanted::Export(..) => "export",
            };
            let older = (!prompt.history.is_empty()).then(|| hint(Key::plain(KeyCode::Up), "older"));
            let help =
                action(Action::Open(Open::Help), Pane::Input, "help").filter(|_| prompt.topic().is_some());
            std::iter::once(enter(does)).chain(older).chain(help).collect()
        }
        Overlay::Search(_) => {
            let older = action(Action::Open(Open::HistorySearch), Pane::Input, "older");
            std::iter::once(enter("take")).chain(older).collect()
        }
    };
    hints.push(escape(
        if matches!(overlay, Overlay::Help(_) | Overlay::Preview(_)) {
            "close"
        } else {
            "cancel"
        },
    ));
    let ranked = (0..).zip(hints).map(|(rank, hint)| Hint { rank, ..hint });
    ranked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_has_a_key_in_its_pane() {
        let panes = [
            (Pane::Status, STATUS),
            (Pane::Status, STATUS_ZOOMED),
            (Pane::Status, STATUS_ZOOMED_SERVER),
            (Pane::Log, LOG_RANGE),
            (Pane::Input, INPUT_SHUT),
            (Pane::Input, INPUT_TAP),
            (Pane::Log, LOG),
            (Pane::Log, LOG_ENDED),
            (Pane::Log, LOG_SERVER),
            (Pane::Status, STATUS_SERVER),
            (Pane::Input, INPUT_ENDED),
            (Pane::Inspector, INSPECTOR),
            (Pane::Input, INPUT),
        ];
        for (pane, hints) in panes {
            for (action, label) in hints {
                assert!(action.key_in(pane).is_some(), "{label} in {pane}");
            }
        }
    }
}
