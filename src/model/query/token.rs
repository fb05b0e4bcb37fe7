//! What is typed, cut into words, comparisons and parentheses.

use std::ops::Range;

use super::QueryError;
use crate::text::closing_quote;

/// A piece of a query, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) at: Range<usize>,
    pub(super) kind: TokenKind<'a>,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'a> {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `and`, `&&`
    And,
    /// `or`, `||`
    Or,
    /// `not`, `!`
    Not,
    /// Text to look for, as it is.
    Word(&'a str),
    /// Text to look for, with its quotes.
    Quoted(&'a str),
    /// A name, a comparison and a value.
    Field {
        name: &'a str,
        comparison: Comparison,
        value: Value<'a>,
    },
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// The text, without quotes.
    pub(super) text: &'a str,
    /// Where it stands.
    pub(super) at: Range<usize>,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `:`, `=`, `==`
    Is,
    /// `!=`
    IsNot,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// The comparisons as they are written, longer ones first.
const COMPARISONS: &[(&str, Comparison)] = &[
    ("==", Comparison::Is),
    ("!=", Comparison::IsNot),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("=", Comparison::Is),
    (":", Comparison::Is),
];

/// Cuts `typed` into tokens; `is_field` knows the names of fields.
pub(super) fn tokens(typed: &str, is_field: impl Fn(&str) -> bool) -> Result<Vec<Token<'_>>, QueryError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(skipped) = typed[at..].find(|c: char| !c.is_whitespace()) {
        at += skipped;
        let token = token(typed, at, &is_field)?;
        at = token.at.end;
        tokens.push(token);
    }
    Ok(tokens)
}

fn token(typed: &str, start: usize, is_field: impl Fn(&str) -> bool) -> Result<Token<'_>, QueryError> {
    let rest = &typed[start..];
    let short = |len: usize, kind| {
        Ok(Token {
            at: start..start + len,
            kind,
        })
    };
    if let Some(token) = field(typed, start, is_field)? {
        return Ok(token);
    }
    match rest.as_bytes() {
        [b'(', ..] => short(1, TokenKind::Open),
        [b')', ..] => short(1, TokenKind::Close),
        [b'&', b'&', ..] => short(2, TokenKind::And),
        [b'|', b'|', ..] => short(2, TokenKind::Or),
        [b'!', ..] if comparison(rest).is_none() => short(1, TokenKind::Not),
        [b'"', ..] => {
            let len = quoted(typed, start)?;
            short(len, TokenKind::Quoted(&rest[..len]))
        }
        _ => match comparison(rest) {
            Some((len, _)) => Err(QueryError::new(
                start..start + len,
                "what is compared? Write a name before it, as in size>100, or put it in quotes to search for it",
            )),
            None => {
                let word = &rest[..word_len(rest)];
                short(word.len(), keyword(word).unwrap_or(TokenKind::Word(word)))
            }
        },
    }
}

fn keyword(word: &str) -> Option<TokenKind<'static>> {
    [
        ("and", TokenKind::And),
        ("or", TokenKind::Or),
        ("not", TokenKind::Not),
    ]
    .into_iter()
    .find_map(|(name, kind)| word.eq_ignore_ascii_case(name).then_some(kind))
}

/// A name with a comparison behind it. A name that is none must be followed by it at once: elsewhere it is a word.
fn field(
    typed: &str,
    start: usize,
    is_field: impl Fn(&str) -> bool,
) -> Result<Option<Token<'_>>, QueryError> {
    let rest = &typed[start..];
    let len = rest
        .find(|c: char| !c.is_ascii_alphabetic() && c != '-' && c != '_')
        .unwrap_or(rest.len());
    let name = &rest[..len];
    let behind = rest[len..].trim_start();
    let spaced = behind.len() < rest.len() - len;
    let Some((sign, comparison)) = comparison(behind).filter(|_| len > 0 && (!spaced || is_field(name)))
    else {
        return Ok(None);
    };
    let after = &behind[sign..];
    let from = typed.len() - after.trim_start().len();
    let (at, end) = match typed.as_bytes().get(from) {
        Some(b'"') => {
            let len = quoted(typed, from)?;
            (from + 1..from + len - 1, from + len)
        }
        Some(_) if name == "re" => {
            let end = from + expression_len(&typed[from..]);
            (from..end, end)
        }
        Some(_) | None => {
            let end = from + word_len(&typed[from..]);
            (from..end, end)
        }
    };
    let value = Value {
        text: &typed[at.clone()],
        at,
    };
    Ok(Some(Token {
        at: start..end,
        kind: TokenKind::Field {
            name,
            comparison,
            value,
        },
    }))
}

fn comparison(text: &str) -> Option<(usize, Comparison)> {
    COMPARISONS
        .iter()
        .find(|(sign, _)| text.starts_with(sign))
        .map(|(sign, comparison)| (sign.len(), *comparison))
}

fn quoted(typed: &str, start: usize) -> Result<usize, QueryError> {
    match closing_quote(&typed[start..]) {
        Some(end) => Ok(end + 1),
        None => Err(QueryError::new(
            start..typed.len(),
            "this quote is not closed: write \" at the end, or \\\" for a quote in the text",
        )),
    }
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
        .unwrap_or(text.len())
}

/// A regular expression goes to the next space, or to a parenthesis that it did not open.
fn expression_len(text: &str) -> usize {
    let mut depth = 0;
    let mut class = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if c.is_whitespace() => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // A bracket right at the start of a class is a member of it.
            ']' if class.is_some_and(|start| at > start + 1) => class = None,
            _ if class.is_some() => {}
            '[' => class = Some(at),
            '(' => depth += 1,
            ')' if depth == 0 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}
