//! What goes to the clipboard: text that can be turned back into its bytes, hex pairs, or a hexdump.

use std::fmt::Write as _;

use super::decode::Source;
use super::unit::Glyph;
use super::{InputError, InputType, LineEnding, Policy, encode_input};

pub use super::dump::{hexdump, write_hexdump};

/// The bytes as text: what may be shown is as it is, line feeds stay line feeds, everything else is an escape, and
/// a backslash is doubled. Reading it as escaped input gives the bytes back; see [`parse`].
pub fn text(source: Source<'_>) -> String {
    let mut out = String::with_capacity(source.bytes.len());
    for unit in source.units() {
        let bytes = &source.bytes[unit.start..unit.start + unit.len];
        match unit.glyph {
            Glyph::Plain(cluster) if cluster.as_str() == "\\" => out.push_str("\\\\"),
            // A character whose last bytes lie in the next entry is copied as far as this entry has it.
            Glyph::Plain(cluster) if cluster.as_str().len() == unit.len => out.push_str(cluster.as_str()),
            Glyph::LineFeed => out.push('\n'),
            Glyph::Tab => out.push_str("\\t"),
            Glyph::Control(b'\r') => out.push_str("\\r"),
            Glyph::Escape(c) if c.len_utf8() == unit.len => {
                push(&mut out, format_args!("\\u{{{:x}}}", u32::from(c)));
            }
            // Every mark of a collapsed run, so that nothing is lost.
            Glyph::Marks { .. } => {
                for chunk in bytes.utf8_chunks() {
                    for c in chunk.valid().chars() {
                        push(&mut out, format_args!("\\u{{{:x}}}", u32::from(c)));
                    }
                    raw(&mut out, chunk.invalid());
                }
            }
            Glyph::Plain(_) | Glyph::Control(_) | Glyph::Escape(_) | Glyph::Invalid(_) | Glyph::Carried => {
                raw(&mut out, bytes);
            }
        }
    }
    out
}

/// The bytes that [`text`] was made of.
pub fn parse(copied: &str) -> Result<Vec<u8>, InputError> {
    encode_input(copied, InputType::Escaped, LineEnding::None)
}

/// The bytes as hex pairs with spaces between them.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        push(
            &mut out,
            format_args!("{}{byte:02x}", if index > 0 { " " } else { "" }),
        );
    }
    out
}

/// Whole text without neighbours, for callers that have only bytes.
pub fn text_of(bytes: &[u8]) -> String {
    text(Source::new(bytes, Policy::default()))
}

fn raw(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        push(out, format_args!("\\x{byte:02x}"));
    }
}

fn push(out: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(piece);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(text_of(bytes), expected);
        assert_eq!(parse(expected).as_deref(), Ok(bytes));
    }

    #[test]
    fn copied_text_can_be_turned_back() {
        check(b"a\\u{1b}", "a\\\\u{1b}");
        check(b"\x1b[2J\r\n\tx\xff", "\\x1b[2J\\r\n\\tx\\xff");
        check(
            format!("e{}", "\u{301}".repeat(9)).as_bytes(),
            &format!("e\u{301}\u{301}{}", "\\u{301}".repeat(7)),
        );
    }
}
