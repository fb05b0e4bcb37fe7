//! One entry as it is printed: a line of text, a hexdump, JSON, or its bytes alone. Knows nothing of where it goes
//! or when.

use std::io::{self, Write};

use super::json;
use crate::app::{Purpose, sentence};
use crate::model::{Direction, Entry, EntryKind, Surroundings};
use crate::text::{Policy, Shown, Source, copy, format};

/// What is printed on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One line an entry: time, direction, size, decoded text.
    #[default]
    Text,
    /// The same line without the text, and a hexdump below it.
    Hex,
    /// One JSON object an entry.
    Jsonl,
    /// The received bytes, unchanged.
    Raw,
    /// The recording itself, as pcapng.
    Capture,
    /// Nothing.
    None,
}

/// How entries are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) format: Format,
    pub(super) policy: Policy,
    /// Seconds east of UTC, for times of day.
    pub(super) offset: i32,
}

/// An entry with everything that printing it takes.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) entry: &'a Entry,
    /// Empty for everything but data.
    pub(super) bytes: &'a [u8],
    pub(super) surroundings: Surroundings,
}

impl Format {
    /// Whether bytes are decoded as text, so that a character split over two reads matters.
    pub(super) fn decodes(self) -> bool {
        match self {
            Format::Text | Format::Hex => true,
            Format::Jsonl | Format::Raw | Format::Capture | Format::None => false,
        }
    }

    /// Whether the bytes of an entry are printed.
    pub(super) fn wants(self, entry: &Entry) -> bool {
        match self {
            Format::Text | Format::Hex | Format::Jsonl => true,
            Format::Raw => entry.direction() == Some(Direction::Received),
            // It is copied block by block, and not written entry by entry.
            Format::Capture | Format::None => false,
        }
    }
}

impl Piece<'_> {
    /// Whether the last character is cut off, and what follows it is not known yet.
    pub(super) fn is_cut(&self) -> bool {
        let end = self.bytes.len().min(3);
        let after = self.surroundings.after;
        (1..=end).any(|back| {
            let mut tail = self.bytes[self.bytes.len() - back..].to_vec();
            tail.extend_from_slice(after.as_slice());
            // UTF-8 lead bytes of two to four bytes (RFC 3629 §4).
            matches!(tail[0], 0xc2..=0xf4)
                && std::str::from_utf8(&tail)
                    .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
    }

    /// Writes the entry.
    pub(super) fn write(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        match style.format {
            Format::Text => {
                self.head(out, style)?;
                if !self.bytes.is_empty() {
                    out.write_all(b"  ")?;
                    self.text(out, style.policy)?;
                }
                out.write_all(b"\n")
            }
            Format::Hex => {
                self.head(out, style)?;
                out.write_all(b"\n")?;
                for row in copy::hexdump(self.source(style.policy)).lines() {
                    writeln!(out, "  {row}")?;
                }
                Ok(())
            }
            Format::Jsonl => json::write(out, self.entry, self.bytes),
            Format::Raw => out.write_all(self.bytes),
            Format::Capture | Format::None => Ok(()),
        }
    }

    fn source(&self, policy: Policy) -> Source<'_> {
        Source {
            before: self.surroundings.before.as_slice(),
            bytes: self.bytes,
            after: self.surroundings.after.as_slice(),
            policy,
        }
    }

    /// Time, direction and size; for an event, what happened.
    fn head(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let time = format::time_of_day(self.entry.at.0, style.offset);
        let (sent, received, event) = if style.policy.ascii {
            ("->", "<-", "--")
        } else {
            ("→", "←", "·")
        };
        match self.entry.direction() {
            Some(direction) => {
                let arrow = match direction {
                    Direction::Sent => sent,
                    Direction::Received => received,
                };
                let size = format::size(u64::from(self.entry.len));
                write!(out, "{time} {arrow} {size:>8}")
            }
            None => {
                let mut words = sentence(&self.entry.kind, Purpose::Live);
                if style.policy.ascii && matches!(self.entry.kind, EntryKind::Open { .. }) {
                    // The arrow is ours and has a form in seven bits; anything else is encoded.
                    words = words.replace('→', sent);
                }
                write!(out, "{time} {event} {}", Shown::of(&words, style.policy))
            }
        }
    }

    /// The bytes on one line. Written unit by unit: an entry has up to 64 KiB.
    fn text(&self, out: &mut impl Write, policy: Policy) -> io::Result<()> {
        let mut shown = Shown::default();
        for unit in self.source(policy).units() {
            shown.push(&unit.glyph, policy);
        }
        write!(out, "{shown}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConnectionId, EntryId, Side, Tail, Timestamp};

    fn entry(kind: EntryKind, len: usize) -> Entry {
        Entry {
            id: EntryId(0),
            connection: ConnectionId(0),
            at: Timestamp(1_790_000_000_120_331_999),
            kind,
            len: len as u32,
        }
    }

    fn around(before: &[u8], after: &[u8]) -> Surroundings {
        Surroundings {
            before: Tail::last_of(before),
            after: Tail::first_of(after),
        }
    }

    fn printed(format: Format, kind: EntryKind, bytes: &[u8], surroundings: Surroundings) -> String {
        let entry = entry(kind, bytes.len());
        let piece = Piece {
            entry: &entry,
            bytes,
            surroundings,
        };
        let style = Style {
            format,
            policy: Policy::default(),
            offset: 0,
        };
        let mut out = Vec::new();
        piece.write(&mut out, style).unwrap();
        String::from_utf8(out).unwrap()
    }

    const RECEIVED: EntryKind = EntryKind::Data {
        direction: Direction::Received,
    };

    #[test]
    fn text_is_one_harmless_line() {
        let check = |bytes: &[u8], around: Surroundings, expected: &str| {
            assert_eq!(
                printed(Format::Text, RECEIVED, bytes, around),
                format!("14:13:20.120331 ← {expected}\n")
            );
        };
        check(b"+PONG\r\n", Surroundings::default(), "     7 B  +PONG␍␊");
        check(
            b"a\nb\x1b[31m\xff",
            Surroundings::default(),
            "     9 B  a␊b␛[31m\\xff",
        );
        check(b"x\xc3", around(b"", b"\xa9"), "     2 B  xé");
        check(b"\xa9y", around(b"\xc3", b""), "     2 B  ‥y");
    }

    #[test]
    fn hex_is_a_dump_below_the_line() {
        assert_eq!(
            printed(Format::Hex, RECEIVED, b"+PONG\r\n", Surroundings::default()),
            "14:13:20.120331 ←      7 B\n  \
             00000000  2b 50 4f 4e 47 0d 0a                              +PONG␍␊\n"
        );
    }

    #[test]
    fn events_are_sentences() {
        let kind = EntryKind::HalfClose { by: Side::Peer };
        let text = printed(Format::Text, kind.clone(), b"", Surroundings::default());
        assert_eq!(
            text,
            format!("14:13:20.120331 · {}\n", sentence(&kind, Purpose::Live))
        );
        let note = EntryKind::Note {
            text: "a\u{1b}]0;x\u{7}\nb".into(),
        };
        let text = printed(Format::Hex, note, b"", Surroundings::default());
        assert_eq!(text, "14:13:20.120331 · a␛]0;x␇␊b\n");
    }

    #[test]
    fn a_cut_character_is_known() {
        let check = |bytes: &[u8], after: &[u8], expected: bool| {
            let entry = entry(RECEIVED, bytes.len());
            let piece = Piece {
                entry: &entry,
                bytes,
                surroundings: around(b"", after),
            };
            assert_eq!(piece.is_cut(), expected, "{bytes:x?} {after:x?}");
        };
        check(b"a\xc3", b"", true);
        check(b"a\xc3", b"\xa9", false);
        check(b"a\xc3", b"x", false);
        check(b"\xf0", b"\x9f", true);
        check(b"\xf0\x9f\x98", b"\x80", false);
        check(b"\xe6\xbc", b"", true);
        check("é".as_bytes(), b"", false);
        check(b"\xa9", b"", false);
        check(b"\xff", b"", false);
        check(b"", b"", false);
    }
}
