//! Small menus of actions, each with a letter. The actions and their titles come from the table of actions.

use crate::app::actions::{Action, CopyForm, Dial, Program};
use crate::app::{Key, KeyCode};
use crate::model::LinkState;

/// What a menu is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuKind {
    /// Whether to quit, and what becomes of the recording.
    Quit,
    /// How to end the connection.
    Close,
    /// What to copy.
    Copy,
}

/// A line of a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// The letter that runs it.
    pub letter: char,
    /// What it does.
    pub action: Action,
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
        title,
    }
}

const CANCEL: MenuItem = item('x', Action::Dial(Dial::Cancel), "stop dialing");
const QUIT_CANCEL: MenuItem = item('c', Action::Program(Program::Back), "cancel");

impl Menu {
    /// The ways to end a connection in that state.
    pub fn close(state: LinkState) -> Menu {
        let fin = item('f', Action::Dial(Dial::Close), "close both directions (FIN)");
        let reset = item('r', Action::Dial(Dial::Reset), "reset at once (RST)");
        let items = match state {
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
            LinkState::Idle | LinkState::Closed | LinkState::Failed | LinkState::Listening => Vec::new(),
        };
        Menu {
            kind: MenuKind::Close,
            title: "End the connection".into(),
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

    /// The question whether to quit; `discardable` when the recording would be deleted by a discard.
    pub fn quit(title: String, discardable: bool) -> Menu {
        let items = if discardable {
            vec![
                item(
                    'y',
                    Action::Program(Program::QuitKeep),
                    "quit and keep the recording",
                ),
                item(
                    'd',
                    Action::Program(Program::QuitDiscard),
                    "quit and discard the recording",
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

    /// What a key means here: a line's letter, a move, or Enter, which returns the selected action. Listed letters
    /// win over `j` and `k`; arrows always move.
    pub fn key(&mut self, key: Key) -> Option<Action> {
        if let Some(letter) = key.typed()
            && let Some(item) = self.items.iter().find(|item| item.letter == letter)
        {
            return Some(item.action);
        }
        if key == Key::plain(KeyCode::Down) || key == Key::char('j') {
            self.selected = (self.selected + 1).min(self.items.len().saturating_sub(1));
        } else if key == Key::plain(KeyCode::Up) || key == Key::char('k') {
            self.selected = self.selected.saturating_sub(1);
        } else if key == Key::plain(KeyCode::Enter) {
            return self.items.get(self.selected).map(|item| item.action);
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
        assert_eq!(menu.key(Key::char('y')), Some(Action::Program(Program::QuitKeep)));
        assert_eq!(menu.key(Key::char('j')), None);
        assert_eq!(menu.selected, 1);
        assert_eq!(
            menu.key(Key::plain(KeyCode::Enter)),
            Some(Action::Program(Program::QuitDiscard))
        );
        menu.key(Key::plain(KeyCode::Up));
        assert_eq!(menu.selected, 0);
    }

    #[test]
    fn only_what_can_be_done_is_offered() {
        let letters = |state| {
            Menu::close(state)
                .items
                .iter()
                .map(|item| item.letter)
                .collect::<String>()
        };
        assert_eq!(letters(LinkState::Open), "hfr");
        assert_eq!(letters(LinkState::HalfClosed), "fr");
        assert_eq!(letters(LinkState::Waiting), "x");
        assert_eq!(letters(LinkState::Closed), "");
    }

    #[test]
    fn every_item_is_in_the_table_of_actions() {
        let menus = [
            Menu::close(LinkState::Open),
            Menu::close(LinkState::Waiting),
            Menu::copy(String::new()),
            Menu::quit(String::new(), true),
            Menu::quit(String::new(), false),
        ];
        for item in menus.iter().flat_map(|menu| &menu.items) {
            assert!(item.action.info().is_some(), "{}", item.title);
        }
    }
}
