//! Small menus of actions, each with a letter. The actions and their titles come from the table of actions.

use crate::app::actions::{Action, CopyForm, Dial, Export, Program};
use crate::app::{Extent, Key, KeyCode, Wire};
use crate::model::{ExportFormat, LinkState};

/// What a menu is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuKind {
    /// Whether to quit, and what becomes of the recording.
    Quit,
    /// How to end the connection.
    Close,
    /// What to copy.
    Copy,
    /// As what to export this.
    Export(Extent),
    /// What to do about a file that is in the way of an export.
    Overwrite,
}

/// A line of a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// The letter that runs it.
    pub letter: char,
    /// What it does.
    pub action: Action,
    /// As what it exports, where it does.
    pub format: Option<ExportFormat>,
    /// What it is called here.
    pub title: &'static str,
}

/// A menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// What it is about.
    pub kind: MenuKind,
    /// Its title or question.
    pub title: String,
    /// Its lines.
    pub items: Vec<MenuItem>,
    /// The line that Enter runs.
    pub selected: usize,
}

const fn item(letter: char, action: Action, title: &'static str) -> MenuItem {
    MenuItem {
        letter,
        action,
        format: None,
        title,
    }
}

const fn export(letter: char, format: ExportFormat, title: &'static str) -> MenuItem {
    MenuItem {
        letter,
        action: Action::Export(Export::Shown),
        format: Some(format),
        title,
    }
}

const CANCEL: MenuItem = item('x', Action::Dial(Dial::Cancel), "stop dialing");
const QUIT_CANCEL: MenuItem = item('c', Action::Program(Program::Back), "cancel");

impl Menu {
    /// The ways to end a connection in that state.
    pub fn close(state: LinkState, wire: Wire) -> Menu {
        let fin = item('f', Action::Dial(Dial::Close), "close both directions (FIN)");
        let reset = item('r', Action::Dial(Dial::Reset), "reset at once (RST)");
        let items = match state {
            LinkState::Open if wire == Wire::Datagrams => vec![
                item('h', Action::Dial(Dial::HalfClose), "end as soon as answers cease"),
                item('f', Action::Dial(Dial::Close), "close the socket"),
            ],
            LinkState::Open => {
                let half = item(
                    'h',
                    Action::Dial(Dial::HalfClose),
                    "half-close: FIN, go on reading",
                );
                vec![half, fin, reset]
            }
            LinkState::HalfClosed => vec![fin, reset],
            LinkState::Resolving | LinkState::Connecting | LinkState::Handshaking | LinkState::Waiting => {
                vec![CANCEL]
            }
            LinkState::Listening => {
                let stop = item('x', Action::Dial(Dial::Cancel), "stop listening, keep them");
                match wire {
                    Wire::Stream => vec![
                        item('f', Action::Dial(Dial::Close), "close all of them (FIN)"),
                        item('r', Action::Dial(Dial::Reset), "reset all of them (RST)"),
                        stop,
                    ],
                    Wire::Datagrams => vec![item('f', Action::Dial(Dial::Close), "forget all of them"), stop],
                }
            }
            LinkState::Idle | LinkState::Closed | LinkState::Failed => Vec::new(),
        };
        let title = match state {
            LinkState::Listening => "End connections",
            LinkState::Idle
            | LinkState::Resolving
            | LinkState::Connecting
            | LinkState::Handshaking
            | LinkState::Open
            | LinkState::HalfClosed
            | LinkState::Closed
            | LinkState::Failed
            | LinkState::Waiting => "End the connection",
        };
        Menu {
            kind: MenuKind::Close,
            title: title.into(),
            items,
            selected: 0,
        }
    }

    /// The forms of copying.
    pub fn copy(title: String) -> Menu {
        Menu {
            kind: MenuKind::Copy,
            title,
            items: vec![
                item('t', Action::Copy(CopyForm::Text), "text"),
                item('h', Action::Copy(CopyForm::Hex), "hex"),
                item('d', Action::Copy(CopyForm::Hexdump), "hexdump"),
            ],
            selected: 0,
        }
    }

    /// The formats of exports.
    pub fn export(title: String, extent: Extent) -> Menu {
        let raw = match extent {
            Extent::Shown | Extent::Range(..) => "raw: FILE.sent, FILE.received",
            Extent::Entry(_) => "raw bytes",
        };
        Menu {
            kind: MenuKind::Export(extent),
            title,
            items: vec![
                export('p', ExportFormat::Pcapng, "pcapng, for Wireshark too"),
                export('j', ExportFormat::Jsonl, "JSON, one object an entry"),
                export('r', ExportFormat::Raw, raw),
                export('h', ExportFormat::Hexdump, "hexdump"),
                export('t', ExportFormat::Text, "text"),
                export('y', ExportFormat::Python, "Python: repeat the client"),
            ],
            selected: 0,
        }
    }

    /// The question what to do about a file that exists.
    pub fn overwrite(title: String) -> Menu {
        Menu {
            kind: MenuKind::Overwrite,
            title,
            items: vec![
                item('n', Action::Export(Export::Rename), "choose another name"),
                item('o', Action::Export(Export::Overwrite), "overwrite it"),
                QUIT_CANCEL,
            ],
            selected: 0,
        }
    }

    /// The question whether to quit; `discardable` when the recording would be deleted by a discard. What differs stands
    /// first: a narrow window shows no more.
    pub fn quit(title: String, discardable: bool) -> Menu {
        let items = if discardable {
            vec![
                item(
                    'y',
                    Action::Program(Program::QuitKeep),
                    "keep the recording and quit",
                ),
                item(
                    'd',
                    Action::Program(Program::QuitDiscard),
                    "discard the recording and quit",
                ),
                QUIT_CANCEL,
            ]
        } else {
            let quit = item('y', Action::Program(Program::QuitKeep), "quit");
            vec![quit, QUIT_CANCEL]
        };
        Menu {
            kind: MenuKind::Quit,
            title,
            items,
            selected: 0,
        }
    }

    /// What a key means here: a line's letter, a move, or Enter, which returns the selected line. Listed letters
    /// win over `j` and `k`; arrows always move.
    pub fn key(&mut self, key: Key) -> Option<MenuItem> {
        if let Some(letter) = key.typed()
            && let Some(item) = self.items.iter().find(|item| item.letter == letter)
        {
            return Some(*item);
        }
        if key == Key::plain(KeyCode::Down) || key == Key::char('j') {
            self.selected = (self.selected + 1).min(self.items.len().saturating_sub(1));
        } else if key == Key::plain(KeyCode::Up) || key == Key::char('k') {
            self.selected = self.selected.saturating_sub(1);
        } else if key == Key::plain(KeyCode::Enter) {
            return self.items.get(self.selected).copied();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_letters_win_and_arrows_move() {
        let mut menu = Menu::quit(String::new(), true);
        let action = |item: Option<MenuItem>| item.map(|item| item.action);
        assert_eq!(
            action(menu.key(Key::char('y'))),
            Some(Action::Program(Program::QuitKeep))
        );
        assert_eq!(menu.key(Key::char('j')), None);
        assert_eq!(menu.selected, 1);
        assert_eq!(
            action(menu.key(Key::plain(KeyCode::Enter))),
            Some(Action::Program(Program::QuitDiscard))
        );
        menu.key(Key::plain(KeyCode::Up));
        assert_eq!(menu.selected, 0);
    }

    #[test]
    fn only_what_can_be_done_is_offered() {
        let letters = |state| {
            Menu::close(state, Wire::Stream)
                .items
                .iter()
                .map(|item| item.letter)
                .collect::<String>()
        };
        assert_eq!(letters(LinkState::Open), "hfr");
        assert_eq!(letters(LinkState::HalfClosed), "fr");
        assert_eq!(letters(LinkState::Waiting), "x");
        assert_eq!(letters(LinkState::Closed), "");
        let datagrams = Menu::close(LinkState::Listening, Wire::Datagrams).items;
        assert!(
            datagrams
                .iter()
                .all(|item| !item.title.contains("FIN") && !item.title.contains("RST"))
        );
    }

    #[test]
    fn every_item_is_in_the_table_of_actions() {
        let menus = [
            Menu::close(LinkState::Open, Wire::Stream),
            Menu::close(LinkState::Open, Wire::Datagrams),
            Menu::close(LinkState::Waiting, Wire::Stream),
            Menu::copy(String::new()),
            Menu::export(String::new(), Extent::Shown),
            Menu::overwrite(String::new()),
            Menu::quit(String::new(), true),
            Menu::quit(String::new(), false),
        ];
        for item in menus.iter().flat_map(|menu| &menu.items) {
            assert!(item.action.info().is_some(), "{}", item.title);
        }
    }
}
