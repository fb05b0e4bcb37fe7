//! What was sent to one target: walking through it and searching in it. Storing it is the runtime's.

use crate::model::Endpoint;
use crate::text::InputType;

/// How many messages are kept in memory for a target.
const KEPT: usize = 1000;

/// A message as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Typed {
    /// The text.
    pub text: String,
    /// How it is read.
    pub input: InputType,
}

impl Typed {
    /// A text that is read in that way.
    pub fn new(text: impl Into<String>, input: InputType) -> Typed {
        Typed {
            text: text.into(),
            input,
        }
    }
}

/// The messages sent to one target, each once, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    endpoint: Option<Endpoint>,
    lines: Vec<Typed>,
    /// Where the walk stands, and what was typed before it began.
    walk: Option<(usize, Typed)>,
}

impl History {
    /// The target, once there is one.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// Starts over for another target.
    pub fn switch(&mut self, endpoint: Endpoint) {
        *self = History {
            endpoint: Some(endpoint),
            ..History::default()
        };
    }

    /// Takes in what was stored for `endpoint`, before what was sent since.
    pub fn recalled(&mut self, endpoint: &Endpoint, stored: Vec<Typed>) {
        if self.endpoint.as_ref() != Some(endpoint) {
            return;
        }
        let sent = std::mem::take(&mut self.lines);
        for line in stored.into_iter().chain(sent) {
            self.push(line);
        }
    }

    /// A message was sent.
    pub fn push(&mut self, line: Typed) {
        self.walk = None;
        self.lines.retain(|old| *old != line);
        self.lines.push(line);
        if self.lines.len() > KEPT {
            self.lines.remove(0);
        }
    }

    /// The walk is over; what is typed now is a text of its own.
    pub fn rest(&mut self) {
        self.walk = None;
    }

    /// The message before, if there is one; `typed` comes back at the end of the walk.
    pub fn older(&mut self, typed: &Typed) -> Option<&Typed> {
        let (at, draft) = match self.walk.take() {
            Some((at, draft)) => (at, draft),
            None => (self.lines.len(), typed.clone()),
        };
        self.walk = Some((at.saturating_sub(1), draft));
        let at = at.checked_sub(1)?;
        self.lines.get(at)
    }

    /// The message after, or what was typed before the walk began.
    pub fn newer(&mut self) -> Option<Typed> {
        let (at, draft) = self.walk.take()?;
        if let Some(line) = self.lines.get(at + 1) {
            let line = line.clone();
            self.walk = Some((at + 1, draft));
            return Some(line);
        }
        Some(draft)
    }

    /// The newest message before number `before` that contains `query` (no matter the case), with its number.
    pub fn search(&self, query: &str, before: usize) -> Option<(usize, &Typed)> {
        let query = query.to_lowercase();
        let older = self.lines[..before.min(self.lines.len())]
            .iter()
            .enumerate()
            .rev();
        older
            .into_iter()
            .find(|(_, line)| line.text.to_lowercase().contains(&query))
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing was sent yet.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The message of that number.
    pub fn line(&self, at: usize) -> Option<&Typed> {
        self.lines.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Typed {
        Typed::new(text, InputType::Text)
    }

    fn history(lines: &[&str]) -> History {
        let endpoint: Endpoint = "host:1".parse().unwrap();
        let mut history = History::default();
        history.switch(endpoint.clone());
        history.recalled(&endpoint, lines.iter().copied().map(typed).collect());
        history
    }

    #[test]
    fn a_walk_goes_back_and_forth_and_ends_at_what_was_typed() {
        let mut history = history(&["a", "b"]);
        let draft = Typed::new("0d", InputType::Hex);
        assert_eq!(history.older(&draft), Some(&typed("b")));
        assert_eq!(history.older(&typed("b")), Some(&typed("a")));
        assert_eq!(history.older(&typed("a")), None);
        assert_eq!(history.newer(), Some(typed("b")));
        assert_eq!(history.newer(), Some(draft));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn each_message_is_kept_once_and_stored_ones_come_before_new_ones() {
        let mut history = history(&["a", "b", "a"]);
        assert_eq!(history.lines, [typed("b"), typed("a")]);
        history.push(typed("b"));
        assert_eq!(history.lines, [typed("a"), typed("b")]);
        let other: Endpoint = "other:1".parse().unwrap();
        history.recalled(&other, vec![typed("x")]);
        assert_eq!(
            history.lines,
            [typed("a"), typed("b")],
            "an answer for another target is late"
        );
        history.switch(other);
        assert!(history.is_empty());
    }

    #[test]
    fn a_search_finds_older_and_older_messages() {
        let history = history(&["get a", "PING", "GET b"]);
        assert_eq!(history.search("get", usize::MAX), Some((2, &typed("GET b"))));
        assert_eq!(history.search("get", 2), Some((0, &typed("get a"))));
        assert_eq!(history.search("get", 0), None);
    }
}
