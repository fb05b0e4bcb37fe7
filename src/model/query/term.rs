//! One condition: a field of an entry, or something in its bytes.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use super::token::{Comparison, Value};
use super::{Candidate, QueryError, Reference, moment, words};
use crate::model::{ConnectionId, Direction, EntryKind};
use crate::text::{Example, Pattern, parse, quote};

pub(super) const EXAMPLES: &[Example] = &[
    example("dir:rx", "what was received; dir:tx what was sent"),
    example(
        "kind:open,close",
        "entries of these kinds: data lookup attempt tls open half-close close error gap note",
    ),
    example("conn:0", "one connection; conn:1,4-6 several"),
    example("size>100", "data of more than 100 bytes; size<=64KiB"),
    example(
        "time>12:04:31",
        "what happened after that; time<2026-11-23T12:04:31.5",
    ),
    example("since<5s", "the first five seconds of each connection"),
    example("gap>200ms", "what came after a silence"),
    example(
        "pong",
        "that text, in any case unless an upper-case letter is in it",
    ),
    example("\"not found\\r\\n\"", "text with spaces and escapes"),
    example(
        "re:^-ERR",
        "a regular expression over bytes; re:\"a b\" with spaces",
    ),
    example("hex:0d0a??4?", "bytes; ? is any digit"),
    example("is:marked", "what you marked; is:commented what you wrote about"),
    example(
        "comment:slow",
        "what you wrote that about; comment:\"too slow\", comment:re:^slow",
    ),
    example("not (dir:rx or size<10)", "conditions joined by and, or, not"),
];

const fn example(written: &'static str, shows: &'static str) -> Example {
    Example { written, shows }
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// One of these directions.
    Direction(Vec<Direction>),
    /// One of these kinds.
    Kind(Vec<Kind>),
    /// One of these connections.
    Connection(Vec<RangeInclusive<u32>>),
    /// A number within bounds.
    Number { of: Number, within: RangeInclusive<u64> },
    /// Something in the bytes.
    Pattern(Pattern),
    /// One of these was added to it.
    Added(Vec<Added>),
    /// Something in what was written about it.
    Comment(Pattern),
}

/// What a user adds to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    Mark,
    Comment,
}

const ADDED: &[(&str, Added)] = &[("marked", Added::Mark), ("commented", Added::Comment)];

/// A number that an entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Bytes.
    Size,
    /// Nanoseconds since the epoch.
    Time,
    /// Nanoseconds since the connection's start.
    Since,
    /// Nanoseconds since the entry before.
    Gap,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Lookup,
    Attempt,
    Tls,
    Open,
    HalfClose,
    Close,
    Error,
    Gap,
    Note,
}

impl Kind {
    const NAMES: &[(&str, Kind)] = &[
        ("data", Kind::Data),
        ("lookup", Kind::Lookup),
        ("attempt", Kind::Attempt),
        ("tls", Kind::Tls),
        ("open", Kind::Open),
        ("half-close", Kind::HalfClose),
        ("close", Kind::Close),
        ("error", Kind::Error),
        ("gap", Kind::Gap),
        ("note", Kind::Note),
    ];

    fn of(kind: &EntryKind) -> Kind {
        match kind {
            EntryKind::Data { .. } => Kind::Data,
            EntryKind::Lookup(_) => Kind::Lookup,
            EntryKind::Attempt(_) => Kind::Attempt,
            EntryKind::Tls(_) => Kind::Tls,
            EntryKind::Open { .. } => Kind::Open,
            EntryKind::HalfClose { .. } => Kind::HalfClose,
            EntryKind::Close(_) => Kind::Close,
            EntryKind::Error { .. } => Kind::Error,
            EntryKind::Gap { .. } => Kind::Gap,
            EntryKind::Note { .. } => Kind::Note,
        }
    }
}

const DIRECTIONS: &[(&str, Direction)] = &[
    ("rx", Direction::Received),
    ("received", Direction::Received),
    ("tx", Direction::Sent),
    ("sent", Direction::Sent),
];

impl Term {
    /// The connection that is asked for, if it is a single one.
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        let Term::Connection(wanted) = self else {
            return None;
        };
        match wanted.as_slice() {
            [only] if only.start() == only.end() => Some(ConnectionId(*only.start())),
            _ => None,
        }
    }

    /// Whether it holds, if the payload has nothing that is looked for.
    pub(super) fn holds(&self, candidate: &Candidate<'_>) -> bool {
        let entry = candidate.entry;
        match self {
            Term::Direction(wanted) => match entry.kind {
                EntryKind::Data { direction } | EntryKind::Gap { direction, .. } => {
                    wanted.contains(&direction)
                }
                EntryKind::Lookup(_)
                | EntryKind::Attempt(_)
                | EntryKind::Tls(_)
                | EntryKind::Open { .. }
                | EntryKind::HalfClose { .. }
                | EntryKind::Close(_)
                | EntryKind::Error { .. }
                | EntryKind::Note { .. } => false,
            },
            Term::Kind(wanted) => wanted.contains(&Kind::of(&entry.kind)),
            Term::Connection(wanted) => {
                let ConnectionId(number) = entry.connection;
                wanted.iter().any(|numbers| numbers.contains(&number))
            }
            Term::Number { of, within } => of.value(candidate).is_some_and(|value| within.contains(&value)),
            Term::Pattern(pattern) => words(&entry.kind)
                .iter()
                .any(|text| pattern.find_in(text.as_bytes(), 0).is_some()),
            Term::Added(wanted) => candidate.annotation.is_some_and(|annotation| {
                wanted.iter().any(|added| match added {
                    Added::Mark => annotation.marked,
                    Added::Comment => annotation.comment.is_some(),
                })
            }),
            Term::Comment(pattern) => {
                let comment = candidate
                    .annotation
                    .and_then(|annotation| annotation.comment.as_ref());
                comment.is_some_and(|comment| pattern.find_in(comment.as_bytes(), 0).is_some())
            }
        }
    }

    /// Whether it is about what the user adds to entries.
    pub(super) fn is_about_annotations(&self) -> bool {
        match self {
            Term::Added(_) | Term::Comment(_) => true,
            Term::Direction(_)
            | Term::Kind(_)
            | Term::Connection(_)
            | Term::Number { .. }
            | Term::Pattern(_) => false,
        }
    }

    /// Whether it needs the time of the connection's start.
    pub(super) fn needs_start(&self) -> bool {
        matches!(
            self,
            Term::Number {
                of: Number::Since,
                ..
            }
        )
    }
}

impl Number {
    fn value(self, candidate: &Candidate<'_>) -> Option<u64> {
        let entry = candidate.entry;
        match self {
            Number::Size => (Kind::of(&entry.kind) == Kind::Data).then_some(u64::from(entry.len)),
            Number::Time => Some(entry.at.0),
            Number::Since => candidate.started.map(|start| nanos(entry.at.since(start))),
            Number::Gap => candidate.previous.map(|previous| nanos(entry.at.since(previous))),
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The names that a condition can start with.
const FIELDS: &[&str] = &[
    "dir", "kind", "conn", "size", "time", "since", "gap", "re", "hex", "is", "comment",
];

/// Whether a word is the name of a field.
pub(super) fn is_field(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// Reads a condition; `false` with it if it is meant not to hold.
pub(super) fn read(
    name: &str,
    comparison: Comparison,
    value: &Value<'_>,
    at: &Range<usize>,
    reference: &Reference,
) -> Result<(Term, bool), QueryError> {
    let wrong = |message: String| QueryError::new(value.at.clone(), message);
    if is_field(name) && value.text.is_empty() {
        return Err(wrong(format!("a value is missing here: {}", advice(name))));
    }
    let number = |of, value| {
        bounds(name, at, comparison, value).map(|(within, holds)| (Term::Number { of, within }, holds))
    };
    let term = match name {
        "size" => return number(Number::Size, exact(parse::size(value.text).map_err(wrong)?)),
        "time" => return number(Number::Time, moment::read(value.text, reference).map_err(wrong)?),
        "since" => return number(Number::Since, duration(value)?),
        "gap" => return number(Number::Gap, duration(value)?),
        "dir" => Term::Direction(list(name, value, |word| known(DIRECTIONS, word))?),
        "kind" => Term::Kind(list(name, value, |word| known(Kind::NAMES, word))?),
        "conn" => Term::Connection(list(name, value, numbers)?),
        "re" => Term::Pattern(Pattern::regex(value.text).map_err(|error| error.moved(value.at.start))?),
        "is" => Term::Added(list(name, value, |word| known(ADDED, word))?),
        "comment" => Term::Comment(Pattern::parse(value.text).map_err(|error| error.moved(value.at.start))?),
        "hex" => Term::Pattern(Pattern::hex(value.text).map_err(|error| error.moved(value.at.start))?),
        _ => {
            return Err(QueryError::new(
                at.start..at.start + name.len(),
                format!(
                    "nothing is called {} here: write one of {}, or put it in quotes to search for it",
                    quote(name),
                    FIELDS.join(" ")
                ),
            ));
        }
    };
    match comparison {
        Comparison::Is => Ok((term, true)),
        Comparison::IsNot => Ok((term, false)),
        Comparison::Less | Comparison::AtMost | Comparison::More | Comparison::AtLeast => {
            Err(QueryError::new(
                at.clone(),
                format!("this cannot be more or less: {}", advice(name)),
            ))
        }
    }
}

/// How a field is written.
fn advice(name: &str) -> String {
    let written = EXAMPLES
        .iter()
        .map(|example| example.written)
        .find(|written| written.starts_with(name));
    format!("write it as in {}", written.unwrap_or("dir:rx"))
}

/// A number without a range of its own.
fn exact(number: u64) -> Range<u64> {
    number..number.saturating_add(1)
}

fn duration(value: &Value<'_>) -> Result<Range<u64>, QueryError> {
    let duration =
        parse::duration(value.text).map_err(|message| QueryError::new(value.at.clone(), message))?;
    let nanos = nanos(duration);
    Ok(nanos..nanos)
}

/// The numbers that compare so with `value`, which stands for all of its range when equality is asked for. An empty
/// range is of a kind that is never equal.
fn bounds(
    name: &str,
    at: &Range<usize>,
    comparison: Comparison,
    value: Range<u64>,
) -> Result<(RangeInclusive<u64>, bool), QueryError> {
    const NONE: RangeInclusive<u64> = RangeInclusive::new(1, 0);
    let Range { start, end } = value;
    let below = |end: u64| end.checked_sub(1).map_or(NONE, |last| 0..=last);
    Ok(match comparison {
        Comparison::Less => (below(start), true),
        Comparison::AtMost => (0..=start, true),
        Comparison::More => (start.checked_add(1).map_or(NONE, |first| first..=u64::MAX), true),
        Comparison::AtLeast => (start..=u64::MAX, true),
        Comparison::Is | Comparison::IsNot if start == end => {
            return Err(QueryError::new(
                at.clone(),
                format!("no two durations are equal: {}", advice(name)),
            ));
        }
        Comparison::Is => (start..=end - 1, true),
        Comparison::IsNot => (start..=end - 1, false),
    })
}

/// The values of a list that is written with commas.
fn list<T>(name: &str, value: &Value<'_>, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, QueryError> {
    let mut start = value.at.start;
    let mut values = Vec::new();
    for word in value.text.split(',') {
        let at = start..start + word.len();
        start = at.end + 1;
        values.push(read(word).ok_or_else(|| {
            let (what, names) = match name {
                "dir" => ("a direction", names(DIRECTIONS)),
                "kind" => ("a kind of entry", names(Kind::NAMES)),
                "is" => ("what an entry can be", names(ADDED)),
                _ if let Some((first, last)) = backwards(word) => {
                    return QueryError::new(
                        at,
                        format!("{} runs backwards: write {last}-{first}", quote(word)),
                    );
                }
                _ => (
                    "the number of a connection",
                    "numbers, as in conn:0 or conn:1,4-6".to_owned(),
                ),
            };
            QueryError::new(at, format!("{} is not {what}: write {names}", quote(word)))
        })?);
    }
    Ok(values)
}

fn names<T>(table: &[(&str, T)]) -> String {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    format!("one of {}", names.join(" "))
}

fn known<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table
        .iter()
        .find_map(|(name, value)| word.eq_ignore_ascii_case(name).then_some(*value))
}

fn numbers(word: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = ends(word)?;
    (first <= last).then_some(first..=last)
}

/// The numbers of a range whose first is behind its last.
fn backwards(word: &str) -> Option<(u32, u32)> {
    ends(word).filter(|(first, last)| first > last)
}

fn ends(word: &str) -> Option<(u32, u32)> {
    let number = |digits: &str| digits.parse().ok().filter(|_| !digits.starts_with('+'));
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some((number(first)?, number(last)?))
}
