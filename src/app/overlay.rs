//! Pop-ups over the panes: their state only. What their keys do to the rest of the program is in `popups`.

mod connect;
mod help;
mod list;
mod menu;
mod palette;
mod prompt;

pub use connect::{ConnectDialog, TargetError};
pub use help::{Help, HelpLine, HelpText, Topic, Trigger};
pub use list::List;
pub use menu::{Menu, MenuItem, MenuKind};
pub use palette::{Command, Match, Palette};
pub use prompt::{Mistake, Prompt, Wanted};

use super::Editor;

/// The pop-up that has the keyboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The keys of a pane.
    Help(Help),
    /// Actions by name.
    Palette(Palette),
    /// A target to connect to.
    Connect(ConnectDialog),
    /// A choice: how to end the connection, what to copy, whether to quit.
    Menu(Menu),
    /// The search in the history; it is drawn in the Input pane.
    Search(HistorySearch),
    /// The exact bytes that Enter would send.
    Preview(Preview),
    /// The conversations, to choose from.
    Conversations(List),
    /// What was marked or commented, to choose from.
    Marks(List),
    /// What to search for; it is drawn in the lowest row.
    Prompt(Prompt),
}

impl Overlay {
    /// What comes back when it closes.
    pub fn behind(self) -> Option<Overlay> {
        match self {
            Overlay::Help(help) => help.behind.map(|prompt| Overlay::Prompt(*prompt)),
            Overlay::Palette(_)
            | Overlay::Connect(_)
            | Overlay::Menu(_)
            | Overlay::Search(_)
            | Overlay::Preview(_)
            | Overlay::Conversations(_)
            | Overlay::Marks(_)
            | Overlay::Prompt(_) => None,
        }
    }
}

/// A search in the history while it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistorySearch {
    /// What is searched for.
    pub query: Editor,
    /// The number of the message found, in the history.
    pub found: Option<usize>,
}

/// The exact bytes that Enter would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The bytes, line ending included.
    pub bytes: Vec<u8>,
    /// The first row that is shown.
    pub top: usize,
}
