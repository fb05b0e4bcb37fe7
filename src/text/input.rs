//! What is typed, to the bytes that are sent: plain text, text with escapes, or hexadecimal digits.

use std::fmt;
use std::ops::Range;

/// How typed input is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InputType {
    /// As it is, in UTF-8.
    #[default]
    Text,
    /// Text in which `\r \n \t \0 \\ \xNN \u{…}` stand for bytes.
    Escaped,
    /// Hexadecimal digits in pairs; spaces, commas, colons and `0x` between them are ignored.
    Hex,
}

impl InputType {
    /// The next one, in the order of the key that cycles them.
    pub fn next(self) -> InputType {
        match self {
            InputType::Text => InputType::Escaped,
            InputType::Escaped => InputType::Hex,
            InputType::Hex => InputType::Text,
        }
    }
}

impl fmt::Display for InputType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InputType::Text => "text",
            InputType::Escaped => "escaped",
            InputType::Hex => "hex",
        })
    }
}

/// What ends a line of text or escaped input; it is never added to hexadecimal input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnding {
    /// Nothing; inner line breaks are sent as LF.
    None,
    /// 0a.
    #[default]
    Lf,
    /// 0d 0a.
    CrLf,
    /// 0d.
    Cr,
    /// 00.
    Nul,
}

impl LineEnding {
    /// The bytes.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            LineEnding::None => b"",
            LineEnding::Lf => b"\n",
            LineEnding::CrLf => b"\r\n",
            LineEnding::Cr => b"\r",
            LineEnding::Nul => b"\0",
        }
    }

    /// The next one, in the order of the key that cycles them.
    pub fn next(self) -> LineEnding {
        match self {
            LineEnding::None => LineEnding::Lf,
            LineEnding::Lf => LineEnding::CrLf,
            LineEnding::CrLf => LineEnding::Cr,
            LineEnding::Cr => LineEnding::Nul,
            LineEnding::Nul => LineEnding::None,
        }
    }
}

impl fmt::Display for LineEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LineEnding::None => "none",
            LineEnding::Lf => "lf",
            LineEnding::CrLf => "crlf",
            LineEnding::Cr => "cr",
            LineEnding::Nul => "nul",
        })
    }
}

/// Why typed input cannot be sent, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// The offending part, in bytes of the typed text.
    pub at: Range<usize>,
    /// What is wrong and what is meant instead.
    pub message: &'static str,
}

/// The bytes to send for what was typed. An empty result means that there is nothing to send.
pub fn encode_input(typed: &str, input: InputType, ending: LineEnding) -> Result<Vec<u8>, InputError> {
    match input {
        InputType::Hex => hex(typed),
        InputType::Text => Ok(lines(typed, ending, |line, out| {
            out.extend(line.as_bytes());
            Ok(())
        })?),
        InputType::Escaped => {
            let base = typed.as_ptr() as usize;
            lines(typed, ending, |line, out| {
                escaped(line, line.as_ptr() as usize - base, out)
            })
        }
    }
}

fn lines(
    typed: &str,
    ending: LineEnding,
    mut each: impl FnMut(&str, &mut Vec<u8>) -> Result<(), InputError>,
) -> Result<Vec<u8>, InputError> {
    let mut out = Vec::with_capacity(typed.len() + 2);
    for (index, line) in typed.split('\n').enumerate() {
        if index > 0 {
            // Without a line ending the break that was typed stays a break.
            out.extend(if ending == LineEnding::None {
                b"\n"
            } else {
                ending.bytes()
            });
        }
        each(line, &mut out)?;
    }
    out.extend(ending.bytes());
    Ok(out)
}

fn escaped(line: &str, base: usize, out: &mut Vec<u8>) -> Result<(), InputError> {
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        out.extend(&rest.as_bytes()[..at]);
        let start = base + (line.len() - rest.len()) + at;
        let escape = &rest[at..];
        let error = |len: usize, message| {
            Err(InputError {
                at: start..start + len.min(escape.len()),
                message,
            })
        };
        let used = match escape.as_bytes().get(1) {
            Some(b'r') => push(out, b'\r'),
            Some(b'n') => push(out, b'\n'),
            Some(b't') => push(out, b'\t'),
            Some(b'0') => push(out, 0),
            Some(b'\\') => push(out, b'\\'),
            Some(b'x') => match escape
                .get(2..4)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            {
                Some(byte) if !escape[2..4].starts_with('+') => 2 + push(out, byte),
                Some(_) | None => {
                    return error(prefix(escape, 4), "\\x takes two hexadecimal digits, as in \\x0d");
                }
            },
            Some(b'u') => {
                let scalar = escape[2..]
                    .strip_prefix('{')
                    .and_then(|digits| digits.split_once('}'));
                match scalar.and_then(|(digits, _)| Some((digits, code_point(digits)?))) {
                    Some((digits, c)) => {
                        out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                        digits.len() + 4
                    }
                    None => {
                        let len = escape.find('}').map_or(2, |end| end + 1);
                        return error(len, "\\u takes a code point in braces, as in \\u{1f600}");
                    }
                }
            }
            Some(_) | None => {
                return error(
                    prefix(escape, 2),
                    "not an escape: write \\r \\n \\t \\0 \\\\ \\xNN \\u{…}, or \\\\ for a backslash",
                );
            }
        };
        rest = &escape[used..];
    }
    out.extend(rest.as_bytes());
    Ok(())
}

/// Pushes a byte and says how long its escape is.
fn push(out: &mut Vec<u8>, byte: u8) -> usize {
    out.push(byte);
    2
}

fn code_point(digits: &str) -> Option<char> {
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

/// The length in bytes of the first `chars` characters.
fn prefix(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

fn hex(typed: &str) -> Result<Vec<u8>, InputError> {
    let mut out = Vec::with_capacity(typed.len() / 2);
    let mut high: Option<(usize, u8)> = None;
    let mut chars = typed.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let separator = c.is_ascii_whitespace() || matches!(c, ',' | ':' | ';' | '-' | '_');
        if separator {
            if let Some((start, _)) = high {
                return Err(InputError {
                    at: start..at,
                    message: "half a byte: write two digits, as in 0d",
                });
            }
            continue;
        }
        let prefix = |next: &(usize, char)| (c == '0' || c == '\\') && matches!(next.1, 'x' | 'X');
        if high.is_none() && chars.next_if(prefix).is_some() {
            continue;
        }
        let Some(digit) = c.to_digit(16) else {
            let at = at..at + c.len_utf8();
            return Err(InputError {
                at,
                message: "not a hexadecimal digit: write pairs of 0-9 and a-f",
            });
        };
        high = match high {
            None => Some((at, digit as u8)),
            Some((_, first)) => {
                out.push(first << 4 | digit as u8);
                None
            }
        };
    }
    match high {
        Some((start, _)) => Err(InputError {
            at: start..typed.len(),
            message: "half a byte: write two digits, as in 0d",
        }),
        None => Ok(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, input: InputType, ending: LineEnding, expected: &[u8]) {
        assert_eq!(
            encode_input(typed, input, ending).as_deref(),
            Ok(expected),
            "{typed:?}"
        );
    }

    fn fails(typed: &str, input: InputType, at: Range<usize>) {
        let error = encode_input(typed, input, LineEnding::Lf).unwrap_err();
        assert_eq!(error.at, at, "{typed:?}: {error}");
        assert!(
            typed.get(error.at).is_some(),
            "{typed:?}: the range lies on characters"
        );
    }

    #[test]
    fn text_gets_the_line_ending_everywhere() {
        check("PING", InputType::Text, LineEnding::CrLf, b"PING\r\n");
        check("a\\n", InputType::Text, LineEnding::None, b"a\\n");
        check("a\nb", InputType::Text, LineEnding::CrLf, b"a\r\nb\r\n");
        check("a\nb", InputType::Text, LineEnding::None, b"a\nb");
        check("", InputType::Text, LineEnding::Nul, b"\0");
        check("", InputType::Text, LineEnding::None, b"");
    }

    #[test]
    fn escapes_stand_for_bytes() {
        check(
            r"a\r\n\t\0\\\x0d\u{e9}\u{1F600}",
            InputType::Escaped,
            LineEnding::None,
            "a\r\n\t\0\\\r\u{e9}\u{1f600}".as_bytes(),
        );
        check(
            "\\xff\n\\xfe",
            InputType::Escaped,
            LineEnding::Lf,
            b"\xff\n\xfe\n",
        );
        fails(r"ab\q", InputType::Escaped, 2..4);
        fails(r"ab\", InputType::Escaped, 2..3);
        fails(r"\x1", InputType::Escaped, 0..3);
        fails(r"\x+1", InputType::Escaped, 0..4);
        fails(r"\xé1", InputType::Escaped, 0..5);
        fails(r"\é", InputType::Escaped, 0..3);
        fails(r"x\u{d800}y", InputType::Escaped, 1..9);
        fails(r"\u{110000}", InputType::Escaped, 0..10);
        fails(r"\u41", InputType::Escaped, 0..2);
        fails("ok\nb\\z", InputType::Escaped, 4..6);
    }

    #[test]
    fn hex_is_tolerant() {
        let bytes = b"\x0d\x0a\xff";
        for typed in [
            "0d0aff",
            "0D 0A FF",
            "0x0d, 0x0a, 0xff",
            "0d:0a:ff",
            "0x0d0aff",
            "\\x0d\\x0a\\xff",
            "0d\n0a\tff",
        ] {
            check(typed, InputType::Hex, LineEnding::CrLf, bytes);
        }
        check("", InputType::Hex, LineEnding::Lf, b"");
        fails("0d 0", InputType::Hex, 3..4);
        fails("0d a bc", InputType::Hex, 3..4);
        fails("0g", InputType::Hex, 1..2);
        fails("é", InputType::Hex, 0..2);
    }
}
