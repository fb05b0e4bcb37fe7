//! Bytes in hexadecimal digits, some of which may be unknown.

use std::fmt::Write as _;

use super::PatternError;

/// What was written.
pub(super) enum Bytes {
    /// Every digit is known.
    Exact(Vec<u8>),
    /// A regular expression over bytes for those that are not.
    Masked(String),
}

/// One byte: the bits that are known, and which those are.
#[derive(Clone, Copy)]
struct Byte {
    value: u8,
    mask: u8,
}

/// Reads pairs of digits; spaces, commas, colons and `0x` between them are ignored, as in typed input.
pub(super) fn read(digits: &str) -> Result<Bytes, PatternError> {
    let mut bytes = Vec::new();
    let mut half: Option<(usize, Byte)> = None;
    let mut chars = digits.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c.is_ascii_whitespace() || matches!(c, ',' | ':' | ';' | '-' | '_') {
            if let Some((start, _)) = half {
                return Err(half_a_byte(start, at));
            }
            continue;
        }
        let prefix = |next: &(usize, char)| matches!((c, next.1), ('0' | '\\', 'x' | 'X'));
        if half.is_none() && chars.next_if(prefix).is_some() {
            continue;
        }
        let nibble = match (c, c.to_digit(16)) {
            ('?', _) => Byte { value: 0, mask: 0 },
            (_, Some(digit)) => Byte {
                value: digit as u8,
                mask: 0xf,
            },
            (_, None) => {
                return Err(PatternError::new(
                    at..at + c.len_utf8(),
                    "not a hexadecimal digit: write pairs of 0-9 and a-f, and ? for any digit",
                ));
            }
        };
        half = match half {
            None => Some((at, nibble)),
            Some((_, first)) => {
                bytes.push(Byte {
                    value: first.value << 4 | nibble.value,
                    mask: first.mask << 4 | nibble.mask,
                });
                None
            }
        };
    }
    if let Some((start, _)) = half {
        return Err(half_a_byte(start, digits.len()));
    }
    if bytes.iter().all(|byte| byte.mask == 0) {
        return Err(PatternError::new(
            0..digits.len(),
            "nothing to search for: write at least one known digit, as in hex:0d0a or hex:0d ?? 4?",
        ));
    }
    if bytes.iter().all(|byte| byte.mask == 0xff) {
        return Ok(Bytes::Exact(bytes.iter().map(|byte| byte.value).collect()));
    }
    Ok(Bytes::Masked(bytes.iter().copied().map(class).collect()))
}

fn half_a_byte(start: usize, end: usize) -> PatternError {
    PatternError::new(
        start..end,
        "half a byte: write two digits, as in 0d, or 0? for any of 16",
    )
}

/// The class of one byte as a regular expression has it.
fn class(byte: Byte) -> String {
    let Byte { value, mask } = byte;
    match mask {
        0xff => format!("\\x{value:02x}"),
        0xf0 => format!("[\\x{value:02x}-\\x{:02x}]", value | 0xf),
        0x0f => {
            (0..16u8).fold("[".to_owned(), |mut out, high| {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{:02x}", high << 4 | value);
                out
            }) + "]"
        }
        _ => "(?s:.)".to_owned(),
    }
}
