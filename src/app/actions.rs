//! The actions of the program and where their keys apply. The table is the only place that defines them; key
//! dispatch, palette, help and footer are read from it. What an action does is not here.

mod kinds;
mod table;

use std::fmt;

use super::{Key, Pane, Purpose, Wire};

pub use kinds::{
    Action, Annotate, Browse, Compose, CopyForm, Dial, Edit, Export, Find, Focus, Open, Peer, Program,
    Reading, Scroll, Show,
};
pub use table::ACTIONS;

/// Where a key applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In every pane.
    Global,
    /// In the panes that show and do not take text: Status, Log, Inspector.
    View,
    /// In the Status pane.
    Status,
    /// In the Log pane.
    Log,
    /// In the Inspector pane.
    Inspector,
    /// In the Input pane.
    Input,
}

impl Scope {
    /// All of them, from the general to the particular.
    pub const ALL: [Scope; 6] = [
        Scope::Global,
        Scope::View,
        Scope::Status,
        Scope::Log,
        Scope::Inspector,
        Scope::Input,
    ];

    /// Whether keys of this scope apply when `pane` has the focus.
    pub fn covers(self, pane: Pane) -> bool {
        match self {
            Scope::Global => true,
            Scope::View => pane != Pane::Input,
            Scope::Status => pane == Pane::Status,
            Scope::Log => pane == Pane::Log,
            Scope::Inspector => pane == Pane::Inspector,
            Scope::Input => pane == Pane::Input,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scope::Global => "Everywhere",
            Scope::View => "Status, Log, Inspector",
            Scope::Status => "Status",
            Scope::Log => "Log",
            Scope::Inspector => "Inspector",
            Scope::Input => "Input",
        })
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionInfo {
    /// What it is.
    pub action: Action,
    /// Its name in the palette, in kebab case.
    pub name: &'static str,
    /// Its title, a few words.
    pub title: &'static str,
    /// One sentence on what it does.
    pub help: &'static str,
    /// The same where datagrams cross; empty if it does the same there.
    pub of_datagrams: &'static str,
    /// Its title where datagrams cross; empty if it is the same there.
    pub titled_of_datagrams: &'static str,
    /// What may follow the name in the palette, as help writes it: in brackets if it may be left out, in capitals if it
    /// is not to be taken literally; empty for nothing.
    pub argument: &'static str,
    /// What else people look for when they mean it; empty if its name and title say all.
    pub also: &'static str,
    /// Its keys, each with where it applies; the first is the one that hints show.
    pub keys: &'static [(Scope, Key)],
}

impl ActionInfo {
    /// What it does to such a connection.
    pub fn told(&self, wire: Wire) -> &'static str {
        match wire {
            Wire::Datagrams if !self.of_datagrams.is_empty() => self.of_datagrams,
            Wire::Datagrams | Wire::Stream => self.help,
        }
    }

    /// What it is called beside such a connection.
    pub fn titled(&self, wire: Wire) -> &'static str {
        match wire {
            Wire::Datagrams if !self.titled_of_datagrams.is_empty() => self.titled_of_datagrams,
            Wire::Datagrams | Wire::Stream => self.title,
        }
    }

    /// The words that its argument may be.
    pub fn choices(&self) -> impl Iterator<Item = &'static str> {
        // Only the first one: what follows it is not to be taken literally.
        let first = self.argument.split(['[', ']']).find(|part| !part.is_empty());
        let words = first.unwrap_or_default().split('|');
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
    }
}

impl Action {
    /// Its row of the table.
    pub fn info(self) -> Option<&'static ActionInfo> {
        ACTIONS.iter().find(|info| info.action == self)
    }

    /// Its name in the palette; nothing if it has no row.
    pub fn name(self) -> &'static str {
        self.info().map_or("", |info| info.name)
    }

    /// Whether it can mean anything: a recording that is read has no connection, and a connection is not indexed.
    pub fn serves(self, purpose: Purpose) -> bool {
        let live_only = match self {
            Action::Edit(_) | Action::Compose(_) | Action::Dial(_) | Action::Peer(_) => true,
            Action::Open(open) => match open {
                Open::CloseMenu | Open::HistorySearch => true,
                Open::Help | Open::Palette | Open::CopyMenu | Open::Conversations | Open::Marks => false,
            },
            Action::Browse(browse) => match browse {
                Browse::PageUp | Browse::PageDown => true,
                Browse::Follow
                | Browse::Range
                | Browse::Goto
                | Browse::Inspect
                | Browse::CloseInspector
                | Browse::NextEntry
                | Browse::PreviousEntry => false,
            },
            Action::Focus(focus) => focus == Focus::Pane(Pane::Input),
            Action::Program(program) => program == Program::QuitDiscard,
            Action::Reading(_) => return purpose == Purpose::Reading,
            Action::Show(show) => match show {
                Show::Waterfall | Show::Kernel => true,
                Show::View | Show::TimeColumn | Show::Zoom | Show::Arrange | Show::Mouse => false,
            },
            Action::Scroll(_)
            | Action::Copy(_)
            | Action::Find(_)
            | Action::Annotate(_)
            | Action::Export(_) => false,
        };
        !live_only || purpose == Purpose::Live
    }

    /// The first key that triggers it when `pane` has the focus.
    pub fn key_in(self, pane: Pane) -> Option<Key> {
        let mut keys = self.info()?.keys.iter();
        keys.find(|(scope, _)| scope.covers(pane)).map(|(_, key)| *key)
    }
}

/// The action that `key` triggers when `pane` has the focus.
pub fn lookup(pane: Pane, key: Key) -> Option<Action> {
    let bound = |info: &&ActionInfo| info.keys.iter().any(|(scope, k)| *k == key && scope.covers(pane));
    ACTIONS.iter().find(bound).map(|info| info.action)
}

/// The action of that name.
pub fn named(name: &str) -> Option<&'static ActionInfo> {
    ACTIONS.iter().find(|info| info.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_in_a_pane() {
        for pane in Pane::ALL {
            let mut seen = HashSet::new();
            for info in ACTIONS {
                for (_, key) in info.keys.iter().filter(|(scope, _)| scope.covers(pane)) {
                    assert!(seen.insert(*key), "{key} is bound twice in {pane}: {}", info.name);
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_kebab_case_and_each_action_has_one_row() {
        let mut names = HashSet::new();
        let mut actions = HashSet::new();
        for info in ACTIONS {
            assert!(names.insert(info.name), "{} twice", info.name);
            assert!(actions.insert(info.action), "{:?} twice", info.action);
            assert!(
                info.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{}",
                info.name
            );
            assert!(info.help.ends_with('.'), "{}: help is a sentence", info.name);
            let told = info.told(Wire::Datagrams);
            assert!(told.ends_with('.'), "{}: help is a sentence", info.name);
            for words in [told, info.titled(Wire::Datagrams)] {
                assert!(
                    !words.contains("FIN") && !words.contains("RST"),
                    "{}: {words}",
                    info.name
                );
            }
        }
    }

    #[test]
    fn no_key_takes_what_terminals_need() {
        for (_, key) in ACTIONS.iter().flat_map(|info| info.keys) {
            assert_eq!(*key, key.canonical(), "{key} is a canonical spelling");
            for taken in [Key::ctrl('s'), Key::ctrl('q'), Key::ctrl('\\')] {
                assert_ne!(*key, taken);
            }
        }
    }

    #[test]
    fn ctrl_a_and_ctrl_b_are_never_the_only_key() {
        for info in ACTIONS {
            let multiplexed = |key: &Key| [Key::ctrl('a'), Key::ctrl('b')].contains(key);
            if info.keys.iter().any(|(_, key)| multiplexed(key)) {
                assert!(
                    info.keys.iter().any(|(_, key)| !multiplexed(key)),
                    "{}",
                    info.name
                );
            }
        }
    }
}
