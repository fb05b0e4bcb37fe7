//! Regular expressions over bytes, bounded against those that would eat all memory, with errors in our own words.

use std::fmt::Write as _;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::ast::{self, Span};
use regex_syntax::hir::{self, Hir, LookSet};

use super::{PatternError, Shape};

/// The most bytes that a compiled expression may take. `\w{100}` over characters fits, `(\w{100}){100}` does not.
const COMPILED: usize = 4 << 20;

/// The most bytes of its lazily built automaton.
const CACHE: usize = 8 << 20;

/// The most groups within groups.
const DEPTH: u32 = 64;

/// Compiles an expression over bytes, or over the characters of UTF-8.
pub(super) fn compile(expression: &str, characters: bool) -> Result<(Regex, Shape), PatternError> {
    let hir = parse(expression, characters)?;
    let regex = RegexBuilder::new(expression)
        .unicode(characters)
        .multi_line(true)
        .crlf(true)
        .nest_limit(DEPTH)
        .size_limit(COMPILED)
        .dfa_size_limit(CACHE)
        .build()
        .map_err(|_| {
            PatternError::new(
                0..expression.len(),
                "this expression is too large: repeat less in it, as in x{1,100} for x{1,1000}",
            )
        })?;
    let properties = hir.properties();
    let ahead = LookSet::full().subtract(behind_only());
    let shape = Shape {
        may_be_empty: properties.minimum_len() == Some(0),
        longest: properties.maximum_len(),
        looks_around: !properties.look_set().is_empty(),
        looks_ahead: !properties.look_set().intersect(ahead).is_empty(),
    };
    Ok((regex, shape))
}

/// An expression for text in any case; `None` if its case counts or it has none. What is no UTF-8 in it is found as
/// it is.
pub(super) fn any_case(text: &[u8]) -> Option<String> {
    let chars = || text.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
    if chars().any(char::is_uppercase) || !chars().any(char::is_lowercase) {
        return None;
    }
    let mut expression = String::new();
    for chunk in text.utf8_chunks() {
        // ASCII letters have relatives beyond ASCII, such as the Kelvin sign, that nobody means by them.
        let flags = if chunk.valid().is_ascii() { "i-u" } else { "iu" };
        // Writing to a string cannot fail.
        let _ = write!(expression, "(?{flags}:{})", regex::escape(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(expression, "(?-u:\\x{byte:02x})");
        }
    }
    Some(expression)
}

/// What only the bytes before a match decide, and those in it.
fn behind_only() -> LookSet {
    [
        hir::Look::Start,
        hir::Look::StartLF,
        hir::Look::StartCRLF,
        hir::Look::WordStartHalfAscii,
        hir::Look::WordStartHalfUnicode,
    ]
    .into_iter()
    .fold(LookSet::empty(), LookSet::insert)
}

fn parse(expression: &str, characters: bool) -> Result<Hir, PatternError> {
    ParserBuilder::new()
        .utf8(false)
        .unicode(characters)
        .multi_line(true)
        .crlf(true)
        .nest_limit(DEPTH)
        .build()
        .parse(expression)
        .map_err(|error| match error {
            regex_syntax::Error::Parse(error) => at(expression, error.span(), syntax(error.kind())),
            regex_syntax::Error::Translate(error) => at(expression, error.span(), meaning(error.kind())),
            other => PatternError::new(0..expression.len(), other.to_string()),
        })
}

fn at(expression: &str, span: &Span, message: String) -> PatternError {
    let (start, end) = (span.start.offset, span.end.offset);
    // Some errors lie between two characters: the one behind is what is wrong.
    let next = expression.get(start..).and_then(|rest| rest.chars().next());
    let end = end.max(start + next.map_or(0, char::len_utf8));
    PatternError::new(start..end, message)
}

/// What is wrong with how it is written, and what to write.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "another crate's enum, which may grow"
)]
fn syntax(kind: &ast::ErrorKind) -> String {
    use ast::ErrorKind as Kind;
    match kind {
        Kind::GroupUnclosed => "this parenthesis is not closed: write ), or \\( for the character".to_owned(),
        Kind::GroupUnopened => "no parenthesis is open here: write \\) for the character".to_owned(),
        Kind::ClassUnclosed => "this class is not closed: write ], or \\[ for the character".to_owned(),
        Kind::RepetitionMissing => {
            "nothing stands before this to be repeated: write a backslash before it for the character"
                .to_owned()
        }
        Kind::RepetitionCountUnclosed | Kind::RepetitionCountDecimalEmpty | Kind::RepetitionCountInvalid => {
            "not a count: write it as in x{2,5}, or \\{ for the character".to_owned()
        }
        Kind::EscapeUnexpectedEof => "an escape ends here: write \\\\ for a backslash".to_owned(),
        Kind::EscapeUnrecognized => "not an escape: write \\\\ for a backslash".to_owned(),
        Kind::EscapeHexEmpty | Kind::EscapeHexInvalid | Kind::EscapeHexInvalidDigit => {
            "\\x takes two hexadecimal digits, as in \\x0d".to_owned()
        }
        Kind::UnsupportedBackreference => "references to groups are not known here: write it out".to_owned(),
        Kind::UnsupportedLookAround => "looking around is not known here, except ^ $ \\b and \\B".to_owned(),
        Kind::NestLimitExceeded(_) => "too many groups within groups: write fewer".to_owned(),
        other => format!("{other}: see the syntax of the regex crate"),
    }
}

/// What is wrong with what it means.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "another crate's enum, which may grow"
)]
fn meaning(kind: &hir::ErrorKind) -> String {
    match kind {
        hir::ErrorKind::UnicodeNotAllowed => {
            "this is a character, and the expression is over bytes: write (?u) in front".to_owned()
        }
        hir::ErrorKind::UnicodePropertyNotFound | hir::ErrorKind::UnicodePropertyValueNotFound => {
            "this class of characters is not known: write the characters, as in [α-ω]".to_owned()
        }
        other => format!("{other}: see the syntax of the regex crate"),
    }
}
