//! What is searched for: typed once, compiled once, and then found in bytes as fast as memory allows.
//!
//! Deliberately absent: where bytes come from, and hits that span reads; `capture` joins the reads of a stream.

mod expression;
mod hex;
mod quoted;

use std::fmt;
use std::ops::Range;

use memchr::memmem::Finder;
use regex::bytes::Regex;

pub use quoted::closing_quote;

/// The most bytes that a typed pattern may have.
const LONGEST: usize = 4096;

/// Why a typed pattern cannot be searched for, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// The offending part, in bytes of the typed text. It lies on characters, and is empty where something is missing.
    pub at: Range<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl PatternError {
    fn new(at: Range<usize>, message: impl Into<String>) -> PatternError {
        PatternError {
            at,
            message: message.into(),
        }
    }

    /// The same error in a text in which what was read starts at `start`.
    #[must_use]
    pub fn moved(self, start: usize) -> PatternError {
        PatternError {
            at: self.at.start + start..self.at.end + start,
            ..self
        }
    }
}

/// One form of what can be typed, for the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// How it is written.
    pub written: &'static str,
    /// What it shows or finds.
    pub shows: &'static str,
}

/// What is searched for.
///
/// | typed | finds |
/// |---|---|
/// | `pong` | the text, in any case, since it is typed in lower case |
/// | `PONG` | the text as it is typed |
/// | `"a\r\n"` | the same with the escapes of typed input: `\r \n \t \0 \\ \" \xNN \u{…}` |
/// | `re:^-ERR .*` | a regular expression over bytes; `^` and `$` match at lines |
/// | `hex:0d0a ?? 4?` | bytes; `?` is any digit |
///
/// A regular expression is over bytes (`\xff` is that byte), unless it has a character beyond ASCII: then it is over
/// the characters of UTF-8. Its case counts; `(?i)` in front of it changes that.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    engine: Engine,
    shape: Shape,
}

/// What finds it.
#[derive(Clone)]
enum Engine {
    /// Exactly these bytes.
    Literal(Box<Finder<'static>>),
    /// Everything else.
    Expression(Regex),
}

/// What can be said of every match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    /// Whether it can have no bytes.
    may_be_empty: bool,
    /// The most bytes that it has.
    longest: Option<usize>,
    /// Whether what stands around a match matters.
    looks_around: bool,
    /// Whether what stands behind a match matters.
    looks_ahead: bool,
}

impl Pattern {
    /// Every form of a pattern.
    pub const EXAMPLES: &[Example] = &[
        Example {
            written: "pong",
            shows: "that text, in any case unless an upper-case letter is in it",
        },
        Example {
            written: "\"not found\\r\\n\"",
            shows: "text with escapes: \\r \\n \\t \\0 \\\\ \\\" \\xNN \\u{…}",
        },
        Example {
            written: "re:^-ERR .*",
            shows: "a regular expression over bytes; ^ and $ match at lines, (?i) ignores case",
        },
        Example {
            written: "hex:0d0a ?? 4?",
            shows: "bytes; ? is any digit",
        },
    ];

    /// Reads what was typed; see [`Pattern`] for the forms.
    pub fn parse(typed: &str) -> Result<Pattern, PatternError> {
        if let Some(expression) = typed.strip_prefix("re:") {
            Pattern::regex(expression).map_err(|error| error.moved(3))
        } else if let Some(digits) = typed.strip_prefix("hex:") {
            Pattern::hex(digits).map_err(|error| error.moved(4))
        } else if typed.starts_with('"') {
            Pattern::quoted(typed)
        } else {
            Pattern::text(typed)
        }
    }

    /// Plain text, whatever is in it. Without an upper-case letter it is found in any case.
    pub fn text(typed: &str) -> Result<Pattern, PatternError> {
        if typed.is_empty() {
            return Err(PatternError::new(
                0..0,
                "nothing to search for: write text, re: and an expression, or hex: and bytes",
            ));
        }
        bounded(typed)?;
        Pattern::smart_case(typed, typed.as_bytes())
    }

    /// Text between quotes, with escapes.
    pub fn quoted(typed: &str) -> Result<Pattern, PatternError> {
        bounded(typed)?;
        let bytes = quoted::bytes(typed)?;
        Pattern::smart_case(typed, &bytes)
    }

    /// A regular expression, without the `re:`.
    pub fn regex(expression: &str) -> Result<Pattern, PatternError> {
        bounded(expression)?;
        if expression.is_empty() {
            return Err(PatternError::new(
                0..0,
                "nothing to search for: write an expression, as in re:^ERR",
            ));
        }
        let (regex, shape) = expression::compile(expression, !expression.is_ascii())?;
        if shape.may_be_empty {
            return Err(PatternError::new(
                0..expression.len(),
                "this is found everywhere, even where nothing is: something in it has to be there, as in x+ for x*",
            ));
        }
        Ok(Pattern {
            source: format!("re:{expression}"),
            engine: Engine::Expression(regex),
            shape,
        })
    }

    /// Bytes in hexadecimal digits, without the `hex:`.
    pub fn hex(digits: &str) -> Result<Pattern, PatternError> {
        bounded(digits)?;
        let source = format!("hex:{digits}");
        match hex::read(digits)? {
            hex::Bytes::Exact(bytes) => Ok(Pattern::literal(source, &bytes)),
            hex::Bytes::Masked(expression) => {
                let (regex, shape) = expression::compile(&expression, false)
                    .map_err(|error| PatternError::new(0..digits.len(), error.message))?;
                Ok(Pattern {
                    source,
                    engine: Engine::Expression(regex),
                    shape,
                })
            }
        }
    }

    fn literal(source: String, bytes: &[u8]) -> Pattern {
        Pattern {
            source,
            engine: Engine::Literal(Box::new(Finder::new(bytes).into_owned())),
            shape: Shape {
                longest: Some(bytes.len()),
                ..Shape::default()
            },
        }
    }

    fn smart_case(typed: &str, bytes: &[u8]) -> Result<Pattern, PatternError> {
        let Some(expression) = expression::any_case(bytes) else {
            return Ok(Pattern::literal(typed.to_owned(), bytes));
        };
        let (regex, shape) = expression::compile(&expression, false)
            .map_err(|error| PatternError::new(0..typed.len(), error.message))?;
        Ok(Pattern {
            source: typed.to_owned(),
            engine: Engine::Expression(regex),
            shape,
        })
    }

    /// The first match in `haystack` that starts at `from` or later. What stands before `from` counts for `^` and
    /// `\b`. No match is empty.
    pub fn find_in(&self, haystack: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = haystack.get(from..)?;
        match &self.engine {
            Engine::Literal(finder) => {
                let start = from + finder.find(rest)?;
                Some(start..start + finder.needle().len())
            }
            Engine::Expression(regex) => regex.find_at(haystack, from).map(|found| found.range()),
        }
    }

    /// The most bytes that a match has, where there is a bound.
    pub fn longest(&self) -> Option<usize> {
        self.shape.longest
    }

    /// Whether what stands around a match matters, as with `^`, `$` and `\b`.
    pub fn looks_around(&self) -> bool {
        self.shape.looks_around
    }

    /// Whether what stands behind a match matters, as with `$` and `\b`.
    pub fn looks_ahead(&self) -> bool {
        self.shape.looks_ahead
    }

    /// What was typed: [`Pattern::parse`] makes the same pattern of it.
    pub fn source(&self) -> &str {
        &self.source
    }
}

fn bounded(typed: &str) -> Result<(), PatternError> {
    if typed.len() <= LONGEST {
        return Ok(());
    }
    let end = typed.floor_char_boundary(LONGEST);
    Err(PatternError::new(
        end..typed.len(),
        format!("this is too long to search for: write {LONGEST} bytes at most"),
    ))
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

#[cfg(test)]
mod tests;
