//! What is looked for, and what has to be known to decide it.

use super::stretch::Reach;
use crate::capture::bulk::Want;
use crate::model::{Candidate, EntryKind, Query, TermSet, words};
use crate::text::Pattern;

/// What a scan looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// Entries in whose bytes, or words, something starts.
    Pattern(Pattern),
    /// Entries that a filter shows.
    Query(Query),
}

/// Decides which entries are hits.
#[derive(Debug)]
pub(super) struct Judge {
    sought: Sought,
    patterns: Vec<(usize, Pattern)>,
    reach: Reach,
}

impl Judge {
    pub(super) fn new(sought: Sought) -> Judge {
        let patterns = match &sought {
            Sought::Pattern(pattern) => vec![(0, pattern.clone())],
            Sought::Query(query) => query
                .pattern_terms()
                .map(|(term, pattern)| (term, pattern.clone()))
                .collect(),
        };
        let reach = Reach::of(patterns.iter().map(|(_, pattern)| pattern));
        Judge {
            sought,
            patterns,
            reach,
        }
    }

    /// What is looked for in bytes, each with its number.
    pub(super) fn patterns(&self) -> &[(usize, Pattern)] {
        &self.patterns
    }

    /// How far around an entry its stream matters.
    pub(super) fn reach(&self) -> Reach {
        self.reach
    }

    /// What of the entries has to be read.
    pub(super) fn want(&self) -> Want {
        if self.patterns.is_empty() {
            Want::Headers
        } else {
            Want::Payloads
        }
    }

    /// Whether the start of connections has to be known.
    pub(super) fn needs_start(&self) -> bool {
        match &self.sought {
            Sought::Pattern(_) => false,
            Sought::Query(query) => query.needs_start(),
        }
    }

    /// Whether what the user adds to entries has to be known.
    pub(super) fn needs_annotations(&self) -> bool {
        match &self.sought {
            Sought::Pattern(_) => false,
            Sought::Query(query) => query.needs_annotations(),
        }
    }

    /// The terms that hold whatever the payload is.
    pub(super) fn decided(&self, candidate: &Candidate<'_>) -> TermSet {
        match &self.sought {
            Sought::Query(query) => query.decided(candidate),
            Sought::Pattern(_) if matches!(candidate.entry.kind, EntryKind::Data { .. }) => {
                TermSet::default()
            }
            Sought::Pattern(pattern) => {
                let mut terms = TermSet::default();
                if words(&candidate.entry.kind)
                    .iter()
                    .any(|text| pattern.find_in(text.as_bytes(), 0).is_some())
                {
                    terms.insert(0);
                }
                terms
            }
        }
    }

    /// Whether an entry for which exactly these terms hold is a hit.
    pub(super) fn holds(&self, terms: TermSet) -> bool {
        match &self.sought {
            Sought::Pattern(_) => terms.contains(0),
            Sought::Query(query) => query.holds(terms),
        }
    }
}
