//! Queries, what they show, and where their errors point.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Attempt, AttemptOutcome, ConnectionId, Direction, EntryId, Lookup, Side};

/// 2026-11-23 12:04:31 UTC.
const START: u64 = 1_795_435_471_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn reference() -> Reference {
    Reference {
        offset: 0,
        start: Timestamp(START),
    }
}

fn parse(typed: &str) -> Query {
    Query::parse(typed, &reference()).unwrap_or_else(|error| panic!("{typed}: {error} at {:?}", error.at))
}

fn data(direction: Direction, connection: u32, after: u64, bytes: &[u8]) -> (Entry, Vec<u8>) {
    let entry = Entry {
        id: EntryId(1),
        connection: ConnectionId(connection),
        at: Timestamp(START + after),
        kind: EntryKind::Data { direction },
        len: bytes.len() as u32,
    };
    (entry, bytes.to_vec())
}

fn event(kind: EntryKind) -> (Entry, Vec<u8>) {
    let (mut entry, _) = data(Direction::Sent, 0, 0, b"");
    entry.kind = kind;
    (entry, Vec::new())
}

/// Whether the entry is shown; its connection started at `START`, the entry before it 100 ms before it.
fn shows(typed: &str, (entry, payload): &(Entry, Vec<u8>)) -> bool {
    parse(typed).matches(&Candidate {
        entry,
        payload,
        started: Some(Timestamp(START)),
        previous: Some(Timestamp(entry.at.0 - SECOND / 10)),
        annotation: None,
    })
}

fn check(entry: &(Entry, Vec<u8>), shown: &[&str], hidden: &[&str]) {
    for typed in shown {
        assert!(shows(typed, entry), "{typed} shows it");
    }
    for typed in hidden {
        assert!(!shows(typed, entry), "{typed} hides it");
    }
}

#[test]
fn data_has_all_fields() {
    check(
        &data(Direction::Received, 2, 5 * SECOND, b"-ERR not found\r\n"),
        &[
            "dir:rx",
            "dir:received",
            "dir=rx",
            "dir:tx,rx",
            "dir!=tx",
            "dir:RX",
            "kind:data",
            "kind:open,data",
            "conn:2",
            "conn:0,2",
            "conn:1-3",
            "size=16",
            "size:16",
            "size == 16",
            "size>15",
            "size >= 16",
            "size<1K",
            "size<=1KiB",
            "size!=3",
            "time>12:04:31",
            "time=12:04:36",
            "time=12:04",
            "time:2026-11-23",
            "time<12:05",
            "since>4s",
            "since<=5s",
            "gap>50ms",
            "gap>=100ms",
            "err",
            "ERR",
            "re:^-ERR",
            "hex:0d0a",
            "hex:\"0d ??\"",
            "\"not found\"",
            "re:\"not f\"",
            "dir:rx and size>10 and re:ERR",
            "dir:rx size>10 re:ERR",
            "dir:tx or err",
            "not dir:tx",
            "!dir:tx",
            "not not err",
            "(err)",
            "not (kind:open or conn:1)",
            "dir:rx && (dir:tx || err)",
            "dir:tx and dir:tx or err",
            "re:(ERR|OK)",
            "(re:(ERR|OK))",
            "re:[)E]",
            "re:not\\sfound",
            "dir:rx AND err",
        ],
        &[
            "dir:tx",
            "kind:note",
            "conn:0",
            "conn:3-9",
            "size<16",
            "size>16",
            "size<0",
            "since>5s",
            "gap>100ms",
            "OK",
            "re:^ERR",
            "hex:ff",
            "not err",
            "dir:tx or (err and size<3)",
            "time>12:04:36",
            "time!=12:04",
            "time>=12:05",
            "err ok",
            "dir:rx and not err",
            "size>18446744073709551615",
        ],
    );
}

#[test]
fn events_have_no_size_and_are_found_by_their_words() {
    let refused = EntryKind::Attempt(Attempt {
        remote: SocketAddr::from(([127, 0, 0, 1], 80)),
        took: Duration::ZERO,
        outcome: AttemptOutcome::Failed {
            errno: 111,
            text: "Connection refused".into(),
        },
    });
    check(
        &event(refused),
        &[
            "kind:attempt",
            "refused",
            "127.0.0.1",
            "\"127.0.0.1:80\"",
            "not size>0",
            "not dir:rx",
        ],
        &["kind:data", "size<10", "dir:rx", "dir:tx", "Refused"],
    );
    let lookup = EntryKind::Lookup(Lookup {
        name: "db.test".into(),
        family: crate::model::Family::V6,
        took: Duration::ZERO,
        result: Ok(vec!["[::1]:0".parse().unwrap()]),
    });
    check(
        &event(lookup),
        &["kind:lookup", "db.test", "\"::1\""],
        &["kind:attempt"],
    );
    let gap = EntryKind::Gap {
        direction: Direction::Sent,
        bytes: 7,
    };
    check(&event(gap), &["kind:gap", "dir:tx"], &["dir:rx", "size<10"]);
    let half_close = EntryKind::HalfClose { by: Side::Peer };
    check(
        &event(half_close),
        &["kind:half-close", "kind:HALF-CLOSE"],
        &["kind:close", "peer"],
    );
    let note = EntryKind::Note {
        text: "Naïve".into()
    };
    check(&event(note), &["kind:note", "naïve"], &["kind:error"]);
}

#[test]
fn what_the_user_added_is_asked_for() {
    let (entry, payload) = data(Direction::Sent, 0, 0, b"slow");
    let shows = |typed: &str, annotation: Option<&Annotation>| {
        parse(typed).matches(&Candidate {
            entry: &entry,
            payload: &payload,
            started: None,
            previous: None,
            annotation,
        })
    };
    let marked = Annotation {
        marked: true,
        comment: None,
    };
    let commented = Annotation {
        marked: false,
        comment: Some("Too slow here".into()),
    };
    for (typed, none, mark, comment) in [
        ("is:marked", false, true, false),
        ("is:commented", false, false, true),
        ("is:marked,commented", false, true, true),
        ("is!=marked", true, false, true),
        ("comment:SLOW", false, false, false),
        ("comment:slow", false, false, true),
        ("comment:\"too slow\"", false, false, true),
        ("comment:re:^Too.*here$", false, false, true),
        ("slow not comment:slow", true, true, false),
        // What is written about an entry is none of its bytes.
        ("here", false, false, false),
    ] {
        let found = [None, Some(&marked), Some(&commented)].map(|annotation| shows(typed, annotation));
        assert_eq!(found, [none, mark, comment], "{typed}");
    }
    assert!(parse("x or is:marked").needs_annotations() && !parse("is:marked").needs_payload());
    assert!(!parse("marked").needs_annotations());
    assert_eq!(
        parse("comment:slow").patterns().count(),
        0,
        "nothing to highlight in bytes"
    );
}

#[test]
fn what_is_not_known_does_not_hold() {
    let (entry, _) = data(Direction::Sent, 0, 0, b"a");
    let bare = Candidate {
        entry: &entry,
        payload: b"",
        started: None,
        previous: None,
        annotation: None,
    };
    for typed in ["since<9h", "since>=0s", "gap<9h", "a"] {
        assert!(!parse(typed).matches(&bare), "{typed}");
    }
}

#[test]
fn times_have_a_day_and_a_zone() {
    let moment = |typed: &str, offset: i32, start: u64| {
        let reference = Reference {
            offset,
            start: Timestamp(start),
        };
        moment::read(typed, &reference).map(|at| (at.start, at.end - at.start))
    };
    let check = |typed, offset, expected: u64, length| {
        assert_eq!(moment(typed, offset, START), Ok((expected, length)), "{typed}");
    };
    check("12:04:31", 0, START, SECOND);
    check("12:04", 0, START - 31 * SECOND, 60 * SECOND);
    check("12:04:31.5", 0, START + SECOND / 2, SECOND / 10);
    check("12:04:31.000000001", 0, START + 1, 1);
    check("13:04:31", 3600, START, SECOND);
    check("2026-11-23T12:04:31", 0, START, SECOND);
    check("2026-11-23 12:04:31", 0, START, SECOND);
    check("2026-11-23T12:04:31Z", 7200, START, SECOND);
    check("2026-11-23T14:04:31+02:00", 0, START, SECOND);
    check("2026-11-23T11:04:31-01:00", 0, START, SECOND);
    check("2026-11-23", 0, START - 43_471 * SECOND, 86_400 * SECOND);
    check("1969-01-01", 0, 0, 0);
    // A session that started at 23:50 went on after midnight; one that started at noon did not start at eleven.
    let late = START + 42_329 * SECOND;
    assert_eq!(moment("23:50", 0, late).unwrap().0, late);
    assert_eq!(moment("00:10", 0, late).unwrap().0, late + 1200 * SECOND);
    assert_eq!(moment("11:04:31", 0, START).unwrap().0, START - 3600 * SECOND);
    for typed in [
        "",
        "12",
        "24:00",
        "12:60",
        "12:04:61",
        "1:2:3:4",
        "12:04:31.",
        "12:04:31.1234567890",
        "+1:00",
        "2026-13-01",
        "2026-11-23x",
        "2026-11-23T",
        "é2026-11-2",
        "9999-01-01",
        "12:04Z",
        "2026-11-23T12:04+99:00",
    ] {
        assert!(moment(typed, 0, START).is_err(), "{typed}");
    }
}

fn fails(typed: &str, at: Range<usize>, word: &str) {
    let error = Query::parse(typed, &reference()).expect_err(typed);
    assert_eq!(error.at, at, "{typed}: {error}");
    assert!(error.message.contains(word), "{typed}: {error}");
}

#[test]
fn errors_point_and_advise() {
    fails("", 0..0, "missing");
    fails("  ", 2..2, "missing");
    fails("dir:rx and", 10..10, "missing");
    fails("dir:rx or or a", 10..12, "before");
    fails("and a", 0..3, "before");
    fails("not", 3..3, "missing");
    fails("(a or b", 0..1, "closed");
    fails("a (b", 2..3, "closed");
    fails("a)", 1..2, "open");
    fails("()", 1..2, "before");
    fails("size>", 5..5, "size>100");
    fails("size>x", 5..6, "not a size");
    fails("size > x", 7..8, "not a size");
    fails("dir:up", 4..6, "rx");
    fails("kind:data,foo", 10..13, "half-close");
    fails("kind:data,", 10..10, "half-close");
    fails("conn:x", 5..6, "number");
    fails("conn:-1", 5..7, "number");
    fails("conn:3-1", 5..8, "write 1-3");
    fails("conn:0,9-2,4", 7..10, "runs backwards: write 2-9");
    fails("dir>rx", 0..6, "dir:rx");
    fails("since=5s", 0..8, "since<5s");
    fails("since<5", 6..7, "duration");
    fails("gap>", 4..4, "gap>200ms");
    fails("time>noon", 5..9, "12:04");
    fails("dri:rx", 0..3, "dri");
    fails("http://x", 0..4, "quotes");
    fails("a > 3", 2..3, "compared");
    fails("\"abc", 0..4, "closed");
    fails("é \"\\q\"", 4..6, "escape");
    fails("a re:x(y", 6..7, "parenthesis");
    fails("a re:\"x(y\"", 7..8, "parenthesis");
    fails("re:", 3..3, "re:^-ERR");
    fails("hex:0d0", 6..7, "half");
    fails("size>1 hex:zz", 11..12, "digit");
}

#[test]
fn size_and_depth_are_bounded() {
    fails(&"a".repeat(4097), 4096..4097, "too long");
    fails(&format!("{}a", "(".repeat(100)), 32..33, "deep");
    fails(&format!("{}a", "!".repeat(100)), 32..33, "deep");
    let many = "a ".repeat(65);
    fails(&many, 128..129, "many");
    assert!(parse(&"a ".repeat(64)).needs_payload());
}

#[test]
fn what_a_query_needs_is_known() {
    assert!(parse("dir:rx or re:x").needs_payload());
    assert!(!parse("dir:rx and not size>3").needs_payload());
    assert!(parse("not since<3s").needs_start());
    assert!(!parse("gap<3s").needs_start());
    assert_eq!(parse("a \"b\" re:c hex:0d").patterns().count(), 4);
    assert_eq!(parse(" dir:rx ").to_string(), " dir:rx ");
}

#[test]
fn the_examples_are_queries() {
    for example in Query::EXAMPLES {
        parse(example.written);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_query_or_points_at_its_error(
        typed in r#"((dir|kind|size|time|since|gap|re|hex|conn|is|comment|x)?[:<>=!]{0,2}|and|or|not|[() ]{1,3}|"|[a-z0-9.:\\,+é-]{1,4}){0,8}"#,
    ) {
        if let Err(error) = Query::parse(&typed, &reference()) {
            prop_assert!(typed.get(error.at).is_some());
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn de_morgan(a in 0..4usize, b in 0..4usize, len in 0..40usize) {
        let terms = ["size>10", "dir:rx", "x", "conn:0"];
        let entry = data(Direction::Received, 0, 0, &vec![b'x'; len]);
        let (a, b) = (terms[a], terms[b]);
        prop_assert_eq!(shows(&format!("not ({a} or {b})"), &entry), shows(&format!("not {a} and not {b}"), &entry));
        prop_assert_eq!(shows(&format!("not ({a} {b})"), &entry), shows(&format!("not {a} or not {b}"), &entry));
    }
}

#[test]
fn a_query_may_be_for_a_single_connection() {
    let only = |typed: &str| {
        let query = Query::parse(typed, &Reference::default()).unwrap();
        query.connection().map(|ConnectionId(number)| number)
    };
    assert_eq!(only("conn:3"), Some(3));
    assert_eq!(only("dir:sent conn:3"), Some(3));
    assert_eq!(only("conn:3 or conn:3 dir:sent"), None);
    for several in [
        "conn:3,4",
        "conn:3-4",
        "not conn:3",
        "conn:3 or dir:sent",
        "dir:sent",
    ] {
        assert_eq!(only(several), None, "{several}");
    }
}
