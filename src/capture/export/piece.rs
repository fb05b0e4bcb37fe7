//! One entry as text: a line, a hexdump or JSON. The same words wherever entries are printed or exported.
//!
//! Deliberately absent: where it goes, and when.

use std::borrow::Cow;
use std::io::{self, Write};

use super::json;
use crate::model::{
    Annotation, Direction, Entry, EntryKind, Purpose, Role, Sides, Stamps, Surroundings, sentence,
    stamps_line,
};
use crate::text::{Policy, Shown, Source, copy, format, write_line};

/// Bytes of a hexdump for each byte: sixteen of them are a row of some 90.
const ROW_OF_A_BYTE: usize = 6;

/// How entries are worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Which characters may be written as they are.
    pub policy: Policy,
    /// Seconds east of UTC, for times of day.
    pub offset: i32,
    /// What the two sides are called.
    pub purpose: Purpose,
    /// Whether entries say the numbers of their connections.
    pub connections: bool,
}

/// An entry with everything that writing it takes.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Its bytes; empty for everything but data.
    pub bytes: &'a [u8],
    /// What stands around it in its stream.
    pub surroundings: Surroundings,
    /// What the user added to it.
    pub annotation: Option<&'a Annotation>,
    /// What the program that recorded it was to its connection.
    pub role: Role,
    /// The kernel's time stamps of it.
    pub stamps: Option<Stamps>,
}

impl Piece<'_> {
    /// Whether the last character is cut off, and what follows it is not known yet.
    pub fn is_cut(&self) -> bool {
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

    /// Writes it as one line: time, direction, size and decoded text, or what happened.
    pub fn write_text(&self, out: &mut impl Write, wording: Wording) -> io::Result<()> {
        self.head(out, wording)?;
        if !self.bytes.is_empty() {
            out.write_all(b"  ")?;
            self.text(out, wording.policy)?;
        }
        out.write_all(b"\n")?;
        self.remarks(out, wording.policy)
    }

    /// Writes the same line without the text, and a hexdump below it.
    pub fn write_hexdump(&self, out: &mut impl Write, wording: Wording) -> io::Result<()> {
        self.head(out, wording)?;
        out.write_all(b"\n")?;
        self.remarks(out, wording.policy)?;
        let mut rows = Vec::with_capacity(self.bytes.len() * ROW_OF_A_BYTE);
        copy::write_hexdump(self.source(wording.policy), "  ", &mut rows);
        out.write_all(&rows)
    }

    /// Writes it as a JSON object on one line.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        json::write(out, self)
    }

    /// What was learnt of it later, for those who have only text: what the user added, and the time stamps.
    pub(super) fn remark_lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let added = self.annotation.iter().flat_map(|annotation| annotation.lines());
        let stamps = self.entry.direction().zip(self.stamps.as_ref());
        let stamps = stamps.and_then(|(direction, stamps)| stamps_line(stamps, direction, self.entry.at));
        added.map(Cow::Borrowed).chain(stamps.map(Cow::Owned))
    }

    /// The same, each line of it behind a sign.
    fn remarks(&self, out: &mut impl Write, policy: Policy) -> io::Result<()> {
        for remark in self.remark_lines() {
            let remark = if policy.ascii {
                // The two signs of our own words that are not in seven bits.
                Cow::Owned(remark.replace('→', "->").replace('µ', "u"))
            } else {
                remark
            };
            writeln!(out, "  # {}", Shown::of(&remark, policy))?;
        }
        Ok(())
    }

    fn source(&self, policy: Policy) -> Source<'_> {
        Source {
            before: self.surroundings.before.as_slice(),
            bytes: self.bytes,
            after: self.surroundings.after.as_slice(),
            policy,
        }
    }

    /// Time, connection if wanted, direction and size; for an event, what happened.
    fn head(&self, out: &mut impl Write, wording: Wording) -> io::Result<()> {
        let time = format::time_of_day(self.entry.at.0, wording.offset);
        let (sent, received, event) = if wording.policy.ascii {
            ("->", "<-", "--")
        } else {
            ("→", "←", "·")
        };
        write!(out, "{time} ")?;
        if wording.connections {
            write!(out, "{:>3} ", self.entry.connection.0)?;
        }
        match self.entry.direction() {
            Some(direction) => {
                let arrow = match direction {
                    Direction::Sent => sent,
                    Direction::Received => received,
                };
                let size = format::size(u64::from(self.entry.len));
                write!(out, "{arrow} {size:>8}")
            }
            None => {
                let mut words = sentence(&self.entry.kind, Sides::of(wording.purpose, self.role));
                if wording.policy.ascii && matches!(self.entry.kind, EntryKind::Open { .. }) {
                    // The arrow is ours and has a form in seven bits; anything else is encoded.
                    words = words.replace('→', sent);
                }
                write!(out, "{event} {}", Shown::of(&words, wording.policy))
            }
        }
    }

    /// The bytes on one line.
    fn text(&self, out: &mut impl Write, policy: Policy) -> io::Result<()> {
        let mut line = Vec::with_capacity(self.bytes.len());
        write_line(self.source(policy), &mut line);
        out.write_all(&line)
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

    #[derive(Clone, Copy)]
    enum Format {
        Text,
        Hex,
    }

    const WORDING: Wording = Wording {
        policy: Policy {
            rtl: false,
            ascii: false,
        },
        offset: 0,
        purpose: Purpose::Live,
        connections: false,
    };

    fn printed(format: Format, kind: EntryKind, bytes: &[u8], surroundings: Surroundings) -> String {
        let entry = entry(kind, bytes.len());
        let piece = Piece {
            entry: &entry,
            bytes,
            surroundings,
            annotation: None,
            role: Role::Client,
            stamps: None,
        };
        let mut out = Vec::new();
        match format {
            Format::Text => piece.write_text(&mut out, WORDING),
            Format::Hex => piece.write_hexdump(&mut out, WORDING),
        }
        .unwrap();
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
            format!(
                "14:13:20.120331 · {}\n",
                sentence(&kind, Sides::of(Purpose::Live, Role::Client))
            )
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
                annotation: None,
                role: Role::Client,
                stamps: None,
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

    #[test]
    fn what_the_user_added_stands_below() {
        let annotation = Annotation {
            marked: true,
            comment: Some("odd\x1b\nsee RFC 1".into()),
        };
        let entry = entry(RECEIVED, 1);
        let piece = Piece {
            entry: &entry,
            bytes: b"x",
            surroundings: Surroundings::default(),
            annotation: Some(&annotation),
            role: Role::Client,
            stamps: None,
        };
        let mut out = Vec::new();
        piece.write_text(&mut out, WORDING).unwrap();
        let expected = "14:13:20.120331 ←      1 B  x\n  # marked\n  # odd␛\n  # see RFC 1\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
