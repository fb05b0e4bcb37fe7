//! One entry as a JSON object on one line. The line is ASCII: what a peer sent must not reach a terminal as it is,
//! and JSON has an escape for every character.

mod tls;

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::model::{
    Attempt, AttemptOutcome, Direction, End, EndHow, Entry, EntryKind, Family, Lookup, Side, Stamps,
    Timestamp,
};
use crate::text::format::rfc3339;

use super::Piece;

/// What every line has, and then what its kind has.
#[derive(Serialize)]
struct Line<'a> {
    id: u64,
    conn: u32,
    at: String,
    kind: &'static str,
    #[serde(flatten)]
    detail: Detail<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stamps: Option<StampsDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

/// The kernel's time stamps, in nanoseconds from `at`.
#[expect(
    clippy::struct_field_names,
    reason = "like everywhere in these lines, the names say the unit"
)]
#[derive(Serialize)]
struct StampsDetail {
    #[serde(skip_serializing_if = "Option::is_none")]
    queued_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_wire_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_ns: Option<i64>,
}

/// The rest of a line.
#[derive(Serialize)]
#[serde(untagged)]
enum Detail<'a> {
    Data {
        dir: &'static str,
        len: u32,
        hex: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
    },
    Lookup {
        name: &'a str,
        family: &'static str,
        took_ns: u64,
        #[serde(flatten)]
        found: Found<'a>,
    },
    Attempt {
        remote: String,
        outcome: &'static str,
        took_ns: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
    },
    Tls(tls::TlsDetail<'a>),
    Open {
        local: String,
        remote: String,
    },
    End {
        by: &'static str,
        how: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
    },
    Gap {
        dir: &'static str,
        missing: u64,
    },
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
    },
}

/// What a lookup found.
#[derive(Serialize)]
#[serde(untagged)]
enum Found<'a> {
    Addresses { addresses: Vec<String> },
    Nothing { text: &'a str },
}

/// Writes the entry with its bytes, which are empty for everything but data.
pub(super) fn write(out: &mut impl Write, piece: &Piece<'_>) -> io::Result<()> {
    let Piece {
        entry,
        bytes,
        annotation,
        stamps,
        surroundings: _,
        role: _,
    } = *piece;
    let (kind, detail) = detail(entry, bytes);
    let line = Line {
        id: entry.id.0,
        conn: entry.connection.0,
        at: rfc3339(entry.at.0),
        kind,
        detail,
        stamps: stamps.map(|stamps| stamps_detail(&stamps, entry.at)),
        marked: annotation.filter(|annotation| annotation.marked).map(|_| true),
        comment: annotation.and_then(|annotation| annotation.comment.as_deref()),
    };
    line.serialize(&mut Serializer::with_formatter(&mut *out, Ascii))?;
    out.write_all(b"\n")
}

fn detail<'a>(entry: &'a Entry, bytes: &'a [u8]) -> (&'static str, Detail<'a>) {
    match &entry.kind {
        EntryKind::Data { direction } => (
            "data",
            Detail::Data {
                dir: way(*direction),
                len: entry.len,
                hex: hex::encode(bytes),
                text: std::str::from_utf8(bytes).ok(),
            },
        ),
        EntryKind::Lookup(lookup) => ("lookup", lookup_detail(lookup)),
        EntryKind::Attempt(attempt) => ("attempt", attempt_detail(attempt)),
        EntryKind::Tls(report) => ("tls", Detail::Tls(tls::detail(report))),
        EntryKind::Open { local, remote } => (
            "open",
            Detail::Open {
                local: local.to_string(),
                remote: remote.to_string(),
            },
        ),
        EntryKind::HalfClose { by } => (
            "half-close",
            Detail::End {
                by: side(*by),
                how: manner(EndHow::Fin),
                errno: None,
            },
        ),
        EntryKind::Close(End { by, how, errno }) => (
            "close",
            Detail::End {
                by: side(*by),
                how: manner(*how),
                errno: *errno,
            },
        ),
        EntryKind::Error { text, errno } => ("error", Detail::Text { text, errno: *errno }),
        EntryKind::Gap { direction, bytes } => (
            "gap",
            Detail::Gap {
                dir: way(*direction),
                missing: *bytes,
            },
        ),
        EntryKind::Note { text } => ("note", Detail::Text { text, errno: None }),
    }
}

fn stamps_detail(stamps: &Stamps, at: Timestamp) -> StampsDetail {
    let from = |when: Option<Timestamp>| when.map(|when| when.0.wrapping_sub(at.0).cast_signed());
    StampsDetail {
        queued_ns: from(stamps.queued),
        scheduled_ns: from(stamps.scheduled),
        on_wire_ns: from(stamps.on_wire),
        acknowledged_ns: from(stamps.acknowledged),
        arrived_ns: from(stamps.arrived),
    }
}

fn lookup_detail(lookup: &Lookup) -> Detail<'_> {
    Detail::Lookup {
        name: &lookup.name,
        family: match lookup.family {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        },
        took_ns: nanos(lookup.took),
        found: match &lookup.result {
            Ok(addresses) => Found::Addresses {
                addresses: addresses.iter().map(|address| address.ip().to_string()).collect(),
            },
            Err(text) => Found::Nothing { text },
        },
    }
}

fn attempt_detail(attempt: &Attempt) -> Detail<'_> {
    let (outcome, errno, text) = match &attempt.outcome {
        AttemptOutcome::Started => ("started", None, None),
        AttemptOutcome::Connected => ("connected", None, None),
        AttemptOutcome::Failed { errno, text } => ("failed", Some(*errno), Some(text.as_str())),
        AttemptOutcome::TimedOut => ("timed-out", None, None),
        AttemptOutcome::Abandoned => ("abandoned", None, None),
    };
    Detail::Attempt {
        remote: attempt.remote.to_string(),
        outcome,
        took_ns: nanos(attempt.took),
        errno,
        text,
    }
}

fn nanos(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Local => "local",
        Side::Peer => "peer",
    }
}

fn manner(how: EndHow) -> &'static str {
    match how {
        EndHow::Fin => "fin",
        EndHow::Rst => "rst",
        EndHow::Timeout => "timeout",
        EndHow::Truncated => "truncated",
        EndHow::Alert => "alert",
        EndHow::Close => "close",
        EndHow::Tap => "tap",
        EndHow::Os => "os",
    }
}

/// Compact JSON in which every character beyond ASCII, and DEL, is an escape.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all of a log is digits.
        if fragment.bytes().all(|byte| byte.is_ascii() && byte != 0x7f) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let mut plain = 0;
        for (at, c) in fragment.char_indices() {
            if c.is_ascii() && c != '\u{7f}' {
                continue;
            }
            CompactFormatter.write_string_fragment(writer, &fragment[plain..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(writer, &fragment[plain..])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{ConnectionId, EntryId, Role, Surroundings};

    fn check(kind: EntryKind, bytes: &[u8], expected: &str) {
        check_stamped(kind, bytes, None, expected);
    }

    fn check_stamped(kind: EntryKind, bytes: &[u8], stamps: Option<Stamps>, expected: &str) {
        let entry = Entry {
            id: EntryId(7),
            connection: ConnectionId(1),
            at: Timestamp(1_000_000_000_000_000_123),
            kind,
            len: bytes.len() as u32,
        };
        let mut line = Vec::new();
        let piece = Piece {
            entry: &entry,
            bytes,
            surroundings: Surroundings::default(),
            annotation: None,
            stamps,
            role: Role::Client,
        };
        write(&mut line, &piece).unwrap();
        let line = String::from_utf8(line).unwrap();
        let head = r#"{"id":7,"conn":1,"at":"2001-09-09T01:46:40.000000123Z","kind":"#;
        assert_eq!(line, format!("{head}{expected}}}\n"));
        assert!(line.trim_end().bytes().all(|byte| matches!(byte, b' '..=b'~')));
    }

    #[test]
    fn bytes_are_hex_and_text_where_they_are_text() {
        let sent = EntryKind::Data {
            direction: Direction::Sent,
        };
        check(
            sent,
            b"PING\r\n",
            r#""data","dir":"sent","len":6,"hex":"50494e470d0a","text":"PING\r\n""#,
        );
        let received = EntryKind::Data {
            direction: Direction::Received,
        };
        check(
            received.clone(),
            "é😀\u{9b}\u{7f}\u{1b}".as_bytes(),
            r#""data","dir":"received","len":10,"hex":"c3a9f09f9880c29b7f1b","text":"\u00e9\ud83d\ude00\u009b\u007f\u001b""#,
        );
        check(received, b"\xff", r#""data","dir":"received","len":1,"hex":"ff""#);
    }

    #[test]
    fn time_stamps_are_told_from_the_time_of_the_entry() {
        let at = 1_000_000_000_000_000_123;
        let stamps = Stamps {
            queued: Some(Timestamp(at - 7)),
            acknowledged: Some(Timestamp(at + 21_000_000)),
            ..Stamps::default()
        };
        let direction = Direction::Sent;
        check_stamped(
            EntryKind::Data { direction },
            b"\xff",
            Some(stamps),
            r#""data","dir":"sent","len":1,"hex":"ff","stamps":{"queued_ns":-7,"acknowledged_ns":21000000}"#,
        );
    }

    #[test]
    fn events_say_what_they_are() {
        check(
            EntryKind::Open {
                local: "127.0.0.1:5".parse().unwrap(),
                remote: "[::1]:80".parse().unwrap(),
            },
            b"",
            r#""open","local":"127.0.0.1:5","remote":"[::1]:80""#,
        );
        check(
            EntryKind::HalfClose { by: Side::Local },
            b"",
            r#""half-close","by":"local","how":"fin""#,
        );
        check(
            EntryKind::Close(End {
                by: Side::Peer,
                how: EndHow::Rst,
                errno: Some(104),
            }),
            b"",
            r#""close","by":"peer","how":"rst","errno":104"#,
        );
        check(
            EntryKind::Error {
                text: "a \"b\"".into(),
                errno: None,
            },
            b"",
            r#""error","text":"a \"b\"""#,
        );
        check(
            EntryKind::Attempt(Attempt {
                remote: "127.0.0.1:80".parse().unwrap(),
                took: Duration::from_micros(3),
                outcome: AttemptOutcome::Failed {
                    errno: 111,
                    text: "refused".into(),
                },
            }),
            b"",
            r#""attempt","remote":"127.0.0.1:80","outcome":"failed","took_ns":3000,"errno":111,"text":"refused""#,
        );
        check(
            EntryKind::Lookup(Lookup {
                name: "x.test".into(),
                family: Family::V6,
                took: Duration::from_nanos(9),
                result: Err("unknown name".into()),
            }),
            b"",
            r#""lookup","name":"x.test","family":"ipv6","took_ns":9,"text":"unknown name""#,
        );
        check(
            EntryKind::Gap {
                direction: Direction::Received,
                bytes: 12,
            },
            b"",
            r#""gap","dir":"received","missing":12"#,
        );
    }
}
