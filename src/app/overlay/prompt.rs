//! The line in which a search, a filter, a comment or the name of a file is typed.

use std::ops::Range;

use super::Topic;
use crate::app::{Editor, Extent, History, Typed};
use crate::model::{EntryId, ExportFormat, Query, Reference};
use crate::text::{InputType, Pattern};

/// What a prompt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// What to search for.
    Search,
    /// What to show.
    Filter,
    /// What to say about the entry of that number.
    Comment(EntryId),
    /// Where this is exported to, as what.
    Export(Extent, ExportFormat),
}

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What it asks for.
    pub wanted: Wanted,
    /// What is typed.
    pub field: Editor,
    /// What is wrong with it, pointed at while it is typed.
    pub error: Option<Mistake>,
    /// What was asked for before.
    pub history: History,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The offending part, in bytes of what is typed.
    pub at: Range<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Prompt {
    /// A prompt in which that stands already.
    pub fn new(wanted: Wanted, text: &str) -> Prompt {
        Prompt {
            wanted,
            field: Editor::new(text),
            error: None,
            history: History::default(),
        }
    }

    /// A prompt that can bring back what was asked for before.
    #[must_use]
    pub fn after(self, history: History) -> Prompt {
        Prompt { history, ..self }
    }

    /// What its help is about, if there is something to say.
    pub fn topic(&self) -> Option<Topic> {
        match self.wanted {
            Wanted::Search => Some(Topic::Search),
            Wanted::Filter => Some(Topic::Filter),
            Wanted::Comment(_) | Wanted::Export(..) => None,
        }
    }

    /// What was asked for before what stands there.
    pub fn older(&mut self) {
        let typed = Typed::new(self.field.text(), InputType::Text);
        if let Some(older) = self.history.older(&typed) {
            self.field = Editor::new(&older.text);
            self.check();
        }
    }

    /// What was asked for after what stands there, or what was typed.
    pub fn newer(&mut self) {
        if let Some(newer) = self.history.newer() {
            self.field = Editor::new(newer.text);
            self.check();
        }
    }

    /// The field was edited: what is wrong with it now is kept.
    pub fn edited(&mut self) {
        self.history.rest();
        self.check();
    }

    fn check(&mut self) {
        let text = self.field.text();
        self.error = match self.wanted {
            Wanted::Comment(_) => None,
            _ if text.is_empty() => None,
            // Whether it can be written shows when that is tried.
            Wanted::Export(..) => None,
            Wanted::Search => Pattern::parse(text).err().map(|error| Mistake {
                at: error.at,
                message: error.message,
            }),
            // What a time refers to does not make it right or wrong.
            Wanted::Filter => Query::parse(text, &Reference::default())
                .err()
                .map(|error| Mistake {
                    at: error.at,
                    message: error.message,
                }),
        };
    }
}
