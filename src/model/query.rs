//! The language of filters: which entries are shown. Parsed while it is typed, then a pure function of an entry.
//!
//! Deliberately absent: walking the log, and text that spans two reads; `capture` does both and asks here.

mod moment;
mod parser;
mod term;
mod token;
mod words;

use std::fmt;
use std::ops::Range;

use self::parser::Rule;
use self::term::Term;
use super::{Annotation, ConnectionId, Entry, EntryKind, Timestamp};
use crate::text::{Example, Pattern, PatternError};

pub(super) use self::moment::read as moment;
pub(crate) use self::words::words;

/// Why a query cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The offending part, in bytes of the typed text. It lies on characters, and is empty where something is missing.
    pub at: Range<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl QueryError {
    fn new(at: Range<usize>, message: impl Into<String>) -> QueryError {
        QueryError {
            at,
            message: message.into(),
        }
    }
}

impl From<PatternError> for QueryError {
    fn from(error: PatternError) -> QueryError {
        QueryError {
            at: error.at,
            message: error.message,
        }
    }
}

/// What a time of day without a date refers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Seconds east of UTC in which times are written.
    pub offset: i32,
    /// The start of the session: the day that is meant, or the one after it.
    pub start: Timestamp,
}

/// An entry with all that a query can ask about it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Its bytes; may stay empty unless [`Query::needs_payload`].
    pub payload: &'a [u8],
    /// When its connection's dialing started.
    pub started: Option<Timestamp>,
    /// When the entry before it in the log happened.
    pub previous: Option<Timestamp>,
    /// What the user added to it.
    pub annotation: Option<&'a Annotation>,
}

/// The terms of a query that hold, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TermSet(u64);

impl TermSet {
    /// The most terms of a query.
    pub(crate) const MOST: usize = u64::BITS as usize;

    /// Adds a term.
    pub(crate) fn insert(&mut self, term: usize) {
        // No query has more terms than bits.
        self.0 |= 1 << (term % TermSet::MOST);
    }

    /// Whether a term is among them.
    pub(crate) fn contains(self, term: usize) -> bool {
        self.0 >> (term % TermSet::MOST) & 1 == 1
    }
}

/// A filter.
///
/// Conditions stand next to each other or are joined by `and`, `or` and `not`, with parentheses; `or` binds least.
/// [`Query::EXAMPLES`] lists the conditions. A condition on what an entry does not have is false: only data has a size,
/// only data and gaps have a direction. Text is looked for in the bytes, and in the words of events.
#[derive(Clone, Debug)]
pub struct Query {
    source: String,
    terms: Vec<Term>,
    rule: Rule,
}

impl Query {
    /// Every form of a condition.
    pub const EXAMPLES: &[Example] = term::EXAMPLES;

    /// Reads what was typed.
    pub fn parse(typed: &str, reference: &Reference) -> Result<Query, QueryError> {
        let (terms, rule) = parser::parse(typed, reference)?;
        Ok(Query {
            source: typed.to_owned(),
            terms,
            rule,
        })
    }

    /// What was typed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The connection of all entries that it shows, if they can only be of one.
    pub fn connection(&self) -> Option<ConnectionId> {
        let mut terms = self.terms.iter().enumerate();
        terms.find_map(|(number, term)| term.connection().filter(|_| self.rule.requires(number)))
    }

    /// Whether the bytes of entries matter.
    pub fn needs_payload(&self) -> bool {
        self.patterns().next().is_some()
    }

    /// Whether the time of the connection's start matters.
    pub fn needs_start(&self) -> bool {
        self.terms.iter().any(Term::needs_start)
    }

    /// Whether what the user adds to entries matters: it may change at any time.
    pub fn needs_annotations(&self) -> bool {
        self.terms.iter().any(Term::is_about_annotations)
    }

    /// What is looked for in bytes, for those who highlight it.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.pattern_terms().map(|(_, pattern)| pattern)
    }

    /// Whether the entry is shown, if its bytes are looked at alone.
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let mut terms = self.decided(candidate);
        for (term, pattern) in self.pattern_terms() {
            if pattern.find_in(candidate.payload, 0).is_some() {
                terms.insert(term);
            }
        }
        self.holds(terms)
    }

    /// The terms that look for something in bytes, with their numbers.
    pub(crate) fn pattern_terms(&self) -> impl Iterator<Item = (usize, &Pattern)> {
        self.terms
            .iter()
            .enumerate()
            .filter_map(|(number, term)| match term {
                Term::Pattern(pattern) => Some((number, pattern)),
                Term::Direction(_)
                | Term::Kind(_)
                | Term::Connection(_)
                | Term::Number { .. }
                | Term::Added(_)
                | Term::Comment(_) => None,
            })
    }

    /// The terms that hold whatever the payload is.
    pub(crate) fn decided(&self, candidate: &Candidate<'_>) -> TermSet {
        let mut set = TermSet::default();
        for (number, term) in self.terms.iter().enumerate() {
            if term.holds(candidate) {
                set.insert(number);
            }
        }
        set
    }

    /// Whether an entry for which exactly these terms hold is shown.
    pub(crate) fn holds(&self, terms: TermSet) -> bool {
        self.rule.holds(terms)
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Query) -> bool {
        self.source == other.source && self.terms == other.terms
    }
}

impl Eq for Query {}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests;
