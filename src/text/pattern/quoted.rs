//! Text between quotes: where it ends, and the bytes that it stands for.

use super::PatternError;
use crate::text::{InputType, LineEnding, encode_input};

/// Where the quote is that closes the one which `text` starts with; a quote after a backslash is part of the text.
pub fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    let inner = text.strip_prefix('"')?;
    let at = inner.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some(at + 1)
}

/// The bytes of a whole quoted text.
pub(super) fn bytes(typed: &str) -> Result<Vec<u8>, PatternError> {
    let Some(end) = closing_quote(typed) else {
        return Err(PatternError::new(
            0..typed.len(),
            "this quote is not closed: write \" at the end, or \\\" for a quote in the text",
        ));
    };
    if end + 1 < typed.len() {
        return Err(PatternError::new(
            end + 1..typed.len(),
            "this stands behind the closing quote: write \\\" for a quote in the text",
        ));
    }
    if end == 1 {
        return Err(PatternError::new(
            0..2,
            "nothing to search for: write text between the quotes",
        ));
    }
    let mut bytes = Vec::new();
    let mut start = 1;
    for (index, piece) in pieces(&typed[1..end]).enumerate() {
        if index > 0 {
            bytes.push(b'"');
            start += 2;
        }
        let encoded = encode_input(piece, InputType::Escaped, LineEnding::None);
        bytes.extend(encoded.map_err(|error| PatternError::new(error.at, error.message).moved(start))?);
        start += piece.len();
    }
    Ok(bytes)
}

/// What stands between the escaped quotes.
fn pieces(inner: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(inner);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut escaped = false;
        let quote = text.bytes().position(|byte| {
            let found = byte == b'"' && escaped;
            escaped = byte == b'\\' && !escaped;
            found
        });
        let Some(quote) = quote else {
            rest = None;
            return Some(text);
        };
        rest = Some(&text[quote + 1..]);
        Some(&text[..quote - 1])
    })
}
