//! The line in which a search or a filter is typed.

use std::ops::Range;

use crate::app::{Editor, Extent};
use crate::model::{EntryId, ExportFormat, Query, Reference};
use crate::text::Pattern;

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
    /// A prompt with what was asked for last.
    pub fn new(wanted: Wanted, text: &str) -> Prompt {
        Prompt {
            wanted,
            field: Editor::new(text),
            error: None,
        }
    }

    /// The field was edited: what is wrong with it now is kept.
    pub fn edited(&mut self) {
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
