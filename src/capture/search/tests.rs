//! What is found is what is in the streams, however they are cut, mixed and read.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;

use super::log::{Line, Log};
use super::*;
use crate::capture::bulk::Joint;
use crate::model::{Candidate, Direction, EntryId, Query, Records, Reference};
use crate::text::Pattern;

const PATTERNS: &[&str] = &[
    "A",
    "AB",
    "ab",
    "ABA",
    "AAB",
    "hex:41??42",
    "re:AB+A",
    "re:A[^B]*B",
    "re:^AB",
    "re:A$",
    r"re:\bAB\b",
    "re:B\nA",
    "re:A(?s:.)*\n",
    r"re:\BA",
    "re:^A+$",
    r"re:A\b|BB",
    "re:(?s:.){3}B",
    "re:AB|ABAB",
];

/// The bytes between two gaps of one direction of one connection, and the entries that they are of.
struct Run {
    bytes: Vec<u8>,
    entries: Vec<(u64, Range<usize>)>,
}

fn runs(log: &Log) -> Vec<Run> {
    let mut runs = Vec::new();
    for connection in 0..3 {
        for direction in [Direction::Sent, Direction::Received] {
            let mut run = Run {
                bytes: Vec::new(),
                entries: Vec::new(),
            };
            for (number, line) in log.lines().iter().enumerate() {
                match line {
                    Line::Data(c, d, bytes) if (*c, *d) == (connection, direction) => {
                        let start = run.bytes.len();
                        run.bytes.extend(bytes);
                        run.entries.push((number as u64, start..run.bytes.len()));
                    }
                    Line::Gap(c, d) if (*c, *d) == (connection, direction) => {
                        runs.push(std::mem::replace(
                            &mut run,
                            Run {
                                bytes: Vec::new(),
                                entries: Vec::new(),
                            },
                        ));
                    }
                    Line::Data(..) | Line::Gap(..) | Line::Note(..) => {}
                }
            }
            runs.push(run);
        }
    }
    runs
}

/// The entries that the definition in `stretch` makes hits, for entries shorter than it follows matches.
fn expected(log: &Log, pattern: &Pattern) -> BTreeSet<u64> {
    let mut hits: BTreeSet<u64> = log
        .lines()
        .iter()
        .enumerate()
        .filter(|(_, line)| matches!(line, Line::Note(text) if pattern.find_in(text.as_bytes(), 0).is_some()))
        .map(|(number, _)| number as u64)
        .collect();
    for run in runs(log) {
        for (number, range) in &run.entries {
            let alone = pattern.find_in(&run.bytes[range.clone()], 0).is_some();
            let crosses = range.clone().any(|at| {
                pattern.find_in(&run.bytes, at).is_some_and(|found| {
                    found.start == at
                        && found.end > range.end
                        && (!pattern.looks_ahead() || found.end < run.bytes.len())
                })
            });
            if alone || crosses {
                hits.insert(*number);
            }
        }
    }
    hits
}

/// Scans a log that grows, and searches what there is after every entry for which `settles` says so.
fn found(log: &Log, sought: Sought, settles: &[bool]) -> BTreeSet<u64> {
    let hits = Hits::default();
    let mut streams = Streams::new(Judge::new(sought), hits.clone());
    for number in 0..log.len() {
        let entry = log.entry(EntryId(number)).unwrap();
        let payload = log.payload(EntryId(number), 0..u32::MAX).unwrap();
        take_in(
            &mut streams,
            &Candidate {
                entry: &entry,
                payload: &payload,
                started: None,
                previous: None,
                annotation: None,
            },
            Joint::Stream,
        );
        if settles
            .get(number as usize % settles.len().max(1))
            .is_some_and(|settle| *settle)
        {
            streams.settle();
        }
    }
    streams.settle();
    (0..log.len())
        .filter(|number| hits.contains(EntryId(*number)))
        .collect()
}

fn line() -> impl Strategy<Value = Line> {
    let direction = prop_oneof![Just(Direction::Sent), Just(Direction::Received)];
    let bytes = proptest::collection::vec(
        prop_oneof![4 => Just(b'A'), 4 => Just(b'B'), 1 => Just(b'\n'), 1 => Just(b' ')],
        1..6,
    );
    prop_oneof![
        12 => (0..3u32, direction.clone(), bytes).prop_map(|(c, d, bytes)| Line::Data(c, d, bytes)),
        1 => (0..3u32, direction).prop_map(|(c, d)| Line::Gap(c, d)),
        1 => "[AB ]{0,4}".prop_map(Line::Note),
    ]
}

proptest! {
    #[test]
    fn hits_are_what_the_streams_hold(
        lines in proptest::collection::vec(line(), 0..40),
        settles in proptest::collection::vec(any::<bool>(), 0..5),
        pattern in proptest::sample::select(PATTERNS),
    ) {
        let log = Log::new(lines);
        let pattern = Pattern::parse(pattern).unwrap();
        let expected = expected(&log, &pattern);
        prop_assert_eq!(&found(&log, Sought::Pattern(pattern.clone()), &settles), &expected, "{}", pattern);

        // A filter says the same, and its opposite.
        let all: BTreeSet<u64> = (0..log.len()).collect();
        let query = |typed: String| Sought::Query(Query::parse(&typed, &Reference::default()).unwrap());
        let typed = if pattern.source().starts_with("re:") {
            format!("re:\"{}\"", &pattern.source()[3..])
        } else {
            pattern.source().to_owned()
        };
        prop_assert_eq!(&found(&log, query(typed.clone()), &settles), &expected);
        let rest: BTreeSet<u64> = all.difference(&expected).copied().collect();
        prop_assert_eq!(&found(&log, query(format!("not ({typed})")), &settles), &rest);
        let both = found(&log, query(format!("{typed} and (BA or kind:data)")), &settles);
        prop_assert!(both.is_subset(&expected));
    }

    #[test]
    fn what_is_highlighted_is_what_was_found(
        lines in proptest::collection::vec(line(), 0..40),
        pattern in proptest::sample::select(PATTERNS),
    ) {
        let log = Log::new(lines);
        let pattern = Pattern::parse(pattern).unwrap();
        let expected = expected(&log, &pattern);
        for number in 0..log.len() {
            let id = EntryId(number);
            let ranges = Highlights::new(&log, &pattern).of(id).unwrap();
            let entry = log.entry(id).unwrap();
            prop_assert!(ranges.iter().all(|range| range.start < range.end && range.end <= entry.len));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
            if expected.contains(&number) && entry.len > 0 {
                prop_assert!(!ranges.is_empty(), "{} in {}", pattern, number);
            }
        }
    }

    #[test]
    fn every_byte_of_a_text_is_highlighted(lines in proptest::collection::vec(line(), 0..40)) {
        let log = Log::new(lines);
        let pattern = Pattern::parse("AAB").unwrap();
        for run in runs(&log) {
            let mut lit = vec![false; run.bytes.len()];
            for at in 0..run.bytes.len() {
                if run.bytes[at..].starts_with(b"AAB") {
                    lit[at..at + 3].fill(true);
                }
            }
            for (number, range) in run.entries {
                let mut own = vec![false; range.len()];
                for found in Highlights::new(&log, &pattern).of(EntryId(number)).unwrap() {
                    own[found.start as usize..found.end as usize].fill(true);
                }
                prop_assert_eq!(&own[..], &lit[range]);
            }
        }
    }
}

#[test]
fn a_hit_spans_many_reads_and_belongs_to_the_first() {
    let data = |text: &str| Line::Data(0, Direction::Sent, text.into());
    let other = |text: &str| Line::Data(0, Direction::Received, text.into());
    let log = Log::new(vec![
        data("xxne"),
        other("ed"),
        data("e"),
        data("d"),
        other("le"),
        data("le!"),
    ]);
    for settles in [&[true][..], &[], &[false, true]] {
        let pattern = Pattern::parse("needle").unwrap();
        assert_eq!(
            found(&log, Sought::Pattern(pattern.clone()), settles),
            BTreeSet::from([0])
        );
        let expected = [Some(2..4), None, Some(0..1), Some(0..1), None, Some(0..2)];
        for (id, expected) in (0..).zip(expected) {
            assert_eq!(
                Highlights::new(&log, &pattern).of(EntryId(id)).unwrap(),
                Vec::from_iter(expected)
            );
        }
    }
}

#[test]
fn large_entries_are_searched_whole_and_followed_far_enough() {
    let mut lines = Vec::new();
    let sizes = [65_495, 3, 70_000, 65_495, 1, 65_495, 140_000, 10];
    for size in sizes {
        lines.push(Line::Data(0, Direction::Received, vec![b'.'; size]));
    }
    let total: usize = sizes.iter().sum();
    let starts: Vec<usize> = sizes
        .iter()
        .scan(0, |at, size| {
            let start = *at;
            *at += size;
            Some(start)
        })
        .collect();
    let owner = |at: usize| starts.partition_point(|start| *start <= at) as u64 - 1;
    for at in (0..total - 6)
        .step_by(997)
        .chain(starts.iter().flat_map(|s| s.saturating_sub(5)..*s))
    {
        let mut lines = lines.clone();
        for (place, byte) in (at..).zip(b"NEEDLE") {
            let number = owner(place) as usize;
            if let Line::Data(_, _, bytes) = &mut lines[number] {
                bytes[place - starts[number]] = *byte;
            }
        }
        let log = Log::new(lines);
        for typed in ["NEEDLE", "re:NE+[DX]LE", "re:N[A-Z]+E"] {
            let pattern = Pattern::parse(typed).unwrap();
            let expected = BTreeSet::from([owner(at)]);
            assert_eq!(
                found(&log, Sought::Pattern(pattern), &[]),
                expected,
                "{typed} at {at}"
            );
        }
    }
}

#[test]
fn a_match_without_a_bound_is_followed_just_so_far() {
    let data = |bytes: &[u8]| Line::Data(0, Direction::Sent, bytes.to_vec());
    let filler = |len: usize| vec![b'.'; len];
    let far = stretch::FAR;
    for (before, behind, expected) in [
        (far - 1, far - 1, true),
        (far, far - 1, false),
        (far - 1, far, false),
        (9, 9, true),
    ] {
        let first = [b"<", &filler(before)[..]].concat();
        let last = [&filler(behind)[..], b">"].concat();
        let log = Log::new(vec![
            data(b"<>"),
            data(&filler(200_000)),
            data(&first),
            data(&last),
            data(&filler(9000)),
            data(b">"),
        ]);
        for settles in [&[true][..], &[]] {
            let sought = Sought::Pattern(Pattern::parse("re:<[^<]*>").unwrap());
            let hits = found(&log, sought, settles);
            assert_eq!(hits.contains(&2), expected, "{before} {behind}");
            assert!(hits.contains(&0) && !hits.contains(&3));
        }
    }
}

#[test]
fn many_streams_take_bounded_memory() {
    let hits = Hits::default();
    let sought = Sought::Pattern(Pattern::parse("re:<[^<]*>").unwrap());
    let mut streams = Streams::new(Judge::new(sought), hits.clone());
    let bytes = [b'<'; 9000];
    for number in 0..20_000u32 {
        let connection = crate::model::ConnectionId(number);
        streams.push(
            connection,
            Direction::Sent,
            u64::from(number),
            &bytes,
            crate::model::TermSet::default(),
        );
        if number % 500 == 0 {
            streams.settle();
            assert!(streams.memory() <= 16 << 20);
        }
    }
    let last = crate::model::ConnectionId(19_999);
    streams.push(
        last,
        Direction::Sent,
        20_000,
        b">",
        crate::model::TermSet::default(),
    );
    streams.settle();
    assert!(
        hits.contains(EntryId(19_999)),
        "the latest streams are remembered"
    );
}
