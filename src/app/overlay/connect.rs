//! The connect dialog: a target being typed, and the targets of before.

use std::ops::Range;

use crate::app::Editor;
use crate::model::{Endpoint, EndpointError};

/// Why the typed text is no target, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    /// The bytes of the field that are meant.
    pub at: Range<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// The connect dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectDialog {
    /// The target being typed.
    pub field: Editor,
    /// Targets of before, the most recent first.
    pub recents: Vec<Endpoint>,
    /// The one of them that stands in the field.
    pub selected: Option<usize>,
    /// Why the last Enter did not connect.
    pub error: Option<TargetError>,
}

impl ConnectDialog {
    /// A dialog with these targets to choose from.
    pub fn new(recents: Vec<Endpoint>, text: &str) -> ConnectDialog {
        ConnectDialog {
            field: Editor::new(text),
            recents,
            selected: None,
            error: None,
        }
    }

    /// Puts the next older target into the field.
    pub fn down(&mut self) {
        let next = self.selected.map_or(0, |at| at + 1);
        if next < self.recents.len() {
            self.choose(Some(next));
        }
    }

    /// Puts the next newer target into the field, and in the end none.
    pub fn up(&mut self) {
        if let Some(at) = self.selected {
            self.choose(at.checked_sub(1));
        }
    }

    /// The field was edited: it is no longer the chosen target.
    pub fn edited(&mut self) {
        self.selected = None;
        self.error = None;
    }

    /// The target in the field; if it is none, the error is kept for the screen.
    pub fn target(&mut self) -> Option<Endpoint> {
        match self.field.text().parse() {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                self.error = Some(TargetError {
                    at: place(self.field.text(), &error),
                    message: error.to_string(),
                });
                None
            }
        }
    }

    fn choose(&mut self, at: Option<usize>) {
        let text = at.and_then(|at| self.recents.get(at)).map(Endpoint::brief);
        self.field = Editor::new(text.unwrap_or_default());
        self.selected = at;
        self.error = None;
    }
}

/// Where in `text` the error is.
fn place(text: &str, error: &EndpointError) -> Range<usize> {
    let part = match error {
        EndpointError::Empty | EndpointError::NoPath(_) => "",
        EndpointError::NoPort(part)
        | EndpointError::NoHost(part)
        | EndpointError::Unbracketed(part)
        | EndpointError::BadAddress(part)
        | EndpointError::BadName(part)
        | EndpointError::BadPort(part)
        | EndpointError::BadPath(part)
        | EndpointError::BadScheme(part) => part.as_str(),
    };
    // A port is the last of its kind in the text, everything else the first.
    let found = match error {
        EndpointError::BadPort(_) => text.rfind(part),
        EndpointError::Empty
        | EndpointError::NoPath(_)
        | EndpointError::BadPath(_)
        | EndpointError::NoPort(_)
        | EndpointError::NoHost(_)
        | EndpointError::Unbracketed(_)
        | EndpointError::BadAddress(_)
        | EndpointError::BadName(_)
        | EndpointError::BadScheme(_) => text.find(part),
    };
    found.map_or(0..text.len(), |start| start..start + part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_points_at_its_place() {
        let check = |text: &str, expected: Range<usize>| {
            let mut dialog = ConnectDialog::new(Vec::new(), text);
            assert_eq!(dialog.target(), None);
            assert_eq!(dialog.error.map(|error| error.at), Some(expected), "{text}");
        };
        check("", 0..0);
        check("localhost", 0..9);
        check("70000:70000", 6..11);
        check("a b:80", 0..3);
        check("tcp://[zz]:80", 6..10);
        check("ssh://host:80", 0..6);
    }

    #[test]
    fn recents_go_through_the_field() {
        let recents: Vec<Endpoint> = vec!["a:1".parse().unwrap(), "b:2".parse().unwrap()];
        let mut dialog = ConnectDialog::new(recents, "");
        dialog.down();
        dialog.down();
        dialog.down();
        assert_eq!(dialog.field.text(), "b:2");
        dialog.up();
        assert_eq!(dialog.target(), Some("a:1".parse().unwrap()));
        dialog.up();
        assert_eq!((dialog.field.text(), dialog.selected), ("", None));
    }
}
