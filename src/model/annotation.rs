//! What the user adds to an entry. Its bytes never change; this stands beside them.

/// A mark, a comment, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Whether the entry is marked.
    pub marked: bool,
    /// What the user wrote about it; one or more lines.
    pub comment: Option<String>,
}

impl Annotation {
    /// Whether there is nothing in it: as if it had never been.
    pub fn is_empty(&self) -> bool {
        !self.marked && self.comment.is_none()
    }

    /// It in lines, for those who have only text: first that it is marked, if it is.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let comment = self.comment.iter().flat_map(|comment| comment.lines());
        self.marked.then_some("marked").into_iter().chain(comment)
    }
}
