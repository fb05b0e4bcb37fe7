//! Several files opened as one log: those of a ring, in which connections go on, and others, which are kept apart.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sockscope::capture::{
    Annotator, CaptureError, Opening, Recorder, Ring, Session, open_in_background, open_joined_in_background,
    ring_of, sidecar_path,
};
use sockscope::model::{
    Annotation, ConnectionId, Direction, EntryId, FileReport, FileState, Records, RecordsError, Timestamp,
};

use super::sample::{self, Line};
use super::wire;

/// Room for the largest entry, and not for two.
const EACH: u64 = 70_000;

fn ring(folder: &Path) -> Recorder {
    let ring = Ring {
        files: 1000,
        each: EACH,
        offset: 0,
    };
    Recorder::create_ring(&folder.join("trace.pcapng"), ring, Timestamp(0)).unwrap()
}

/// Opens files that have not changed for long, and waits until all of them are indexed.
fn open(files: &[PathBuf]) -> (Opening, FileReport) {
    for file in files {
        wire::age(file);
    }
    let opening = open_joined_in_background(Path::new("trace.pcapng"), files).unwrap();
    let report = wire::wait(&opening, |report| report.state != FileState::Indexing);
    (opening, report)
}

/// What is in the log, and what stands next to each entry.
fn check(session: &Session, lines: &[Line]) {
    assert_eq!(sample::read_all(session), lines);
    for (at, line) in lines.iter().enumerate() {
        let found = session.surroundings(line.entry.id).unwrap();
        let (before, after) = sample::next_to(lines, at);
        assert_eq!(found.before.as_slice(), before, "before {at}");
        assert_eq!(found.after.as_slice(), after, "after {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_files_of_a_ring_are_the_log_that_was_recorded(steps in sample::steps(200)) {
        let folder = tempfile::tempdir().unwrap();
        let recorder = ring(folder.path());
        let lines = sample::record(&recorder, &steps);
        let (opening, report) = open(&recorder.files());
        prop_assert_eq!(report.remarks, Vec::<String>::new());
        prop_assert_eq!((report.entries, report.size), (lines.len() as u64, recorder.size()));
        prop_assert_eq!((report.indexed, report.files as usize), (report.size, recorder.files().len()));
        let live = recorder.reader();
        let count = live.conversations();
        prop_assert_eq!(opening.session.conversations(), count);
        check(&opening.session, &lines);
        prop_assert_eq!(opening.session.conversation_page(0..count), live.conversation_page(0..count));
    }
}

/// A ring whose connection has said `count` large messages, one a file.
fn messages(folder: &Path, count: u64) -> Recorder {
    let recorder = ring(folder);
    let connection = sample::opened(&recorder);
    for number in 0..count {
        let bytes = vec![number as u8; 60_000];
        connection
            .data(Timestamp(10 + number), Direction::Received, &bytes)
            .unwrap();
    }
    recorder
}

#[test]
fn other_recordings_are_joined_in_the_order_in_which_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, text) in [("b", "first"), ("a", "second"), ("c", "third")] {
        let path = folder.path().join(name);
        let recorder = sample::create(&path);
        sample::opened(&recorder)
            .data(Timestamp(9), Direction::Sent, text.as_bytes())
            .unwrap();
        files.push(path);
    }
    let (opening, report) = open(&files);
    assert_eq!((report.entries, report.conversations), (6, 3));
    let lines = sample::read_all(&opening.session);
    let said: Vec<(u64, u32, &[u8])> = lines
        .iter()
        .filter(|line| !line.bytes.is_empty())
        .map(|line| (line.entry.id.0, line.entry.connection.0, &line.bytes[..]))
        .collect();
    assert_eq!(said, [(1, 0, &b"first"[..]), (3, 1, b"second"), (5, 2, b"third")]);
}

#[test]
fn what_is_missing_in_the_middle_is_said_and_joins_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = messages(folder.path(), 6);
    let all = recorder.files();
    let files = [all[1].clone(), all[2].clone(), all[4].clone()];
    let (opening, report) = open(&files);
    let session = &opening.session;
    assert_eq!(
        report.remarks,
        ["files of the ring are missing, with 1 entry: what connections said across them is not joined"]
    );
    let of = |id: u64| session.entry(EntryId(id)).unwrap().connection;
    assert_eq!((session.first(), session.len()), (EntryId(2), 5));
    assert_eq!([2, 3, 4].map(of), [0, 0, 1].map(ConnectionId));
    let (_, report) = open(&[all[2].clone(), all[1].clone()]);
    assert_eq!(
        report.remarks,
        ["the files of the ring are not in their order: what connections said is not joined"]
    );
}

#[test]
fn damage_costs_only_the_rest_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = messages(folder.path(), 4);
    let files = recorder.files();
    let bytes = fs::read(&files[1]).unwrap();
    fs::write(&files[1], &bytes[..bytes.len() - 7]).unwrap();
    fs::write(&files[2], "").unwrap();
    let (opening, report) = open(&files);
    assert_eq!(opening.session.len(), 3);
    let name = |at: usize| files[at].file_name().unwrap().to_str().unwrap().to_owned();
    let left = opening.session.cut();
    assert!(left > 60_000, "{left}");
    let expected = [
        format!(
            "{}: the last {} bytes were left out: no whole block",
            name(1),
            sockscope::text::format::count(left)
        ),
        format!("{}: it is empty", name(2)),
    ];
    assert_eq!(report.remarks[..2], expected);
    assert!(report.remarks[2].starts_with("files of the ring are missing, with 2 entries"));
}

#[test]
fn a_recording_under_way_is_followed_in_its_last_file() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = messages(folder.path(), 3);
    let connection = sample::connect(&recorder);
    let files = recorder.files();
    let opening = open_joined_in_background(Path::new("trace.pcapng"), &files).unwrap();
    wire::wait(&opening, |report| report.entries == recorder.len());
    connection
        .event(Timestamp(1), &sample::open_kind("127.0.0.1:5", "127.0.0.1:6"))
        .unwrap();
    let report = wire::wait(&opening, |report| report.entries == recorder.len());
    assert_eq!((report.conversations, report.remarks.len()), (2, 0));
}

#[test]
fn files_that_vanish_are_said_and_stay_readable() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = messages(folder.path(), 4);
    let files = recorder.files();
    let (opening, _) = open(&files);
    let name = files[0].file_name().unwrap().to_str().unwrap();
    fs::remove_file(&files[0]).unwrap();
    let gone = "the file was deleted: what is shown is gone when you quit; export it to keep it";
    let report = wire::wait(&opening, |report| !report.remarks.is_empty());
    assert_eq!(report.remarks, [format!("{name}: {gone}")]);
    assert_eq!(report.state, FileState::Following);
    // The last one is not followed any more, and that is all.
    for file in &files[1..] {
        fs::remove_file(file).unwrap();
    }
    let all = format!("{name} and 3 other files: {gone}");
    let report = wire::wait(&opening, |report| report.remarks == [all.clone()]);
    assert_eq!(report.state, FileState::Complete);
    assert_eq!(sample::read_all(&opening.session).len() as u64, recorder.len());
}

#[test]
fn a_file_that_was_overwritten_costs_its_own_entries() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = messages(folder.path(), 4);
    let files = recorder.files();
    let (opening, _) = open(&files);
    fs::write(&files[1], "other").unwrap();
    let report = wire::wait(&opening, |report| !report.remarks.is_empty());
    assert!(
        report.remarks[0].contains("the file became shorter"),
        "{report:?}"
    );
    assert!(matches!(
        opening.session.entry(EntryId(2)),
        Err(RecordsError::Changed(_))
    ));
    for id in [0, 1, 3, 4] {
        opening.session.entry(EntryId(id)).unwrap();
    }
}

fn comment(text: &str) -> Annotation {
    Annotation {
        marked: false,
        comment: Some(text.to_owned()),
    }
}

#[test]
fn what_is_added_stands_beside_the_file_of_the_entry() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = messages(folder.path(), 3);
    let other = folder.path().join("other.pcapng");
    sample::opened(&sample::create(&other));
    let mut files = recorder.files();
    files.push(other.clone());
    let (opening, report) = open(&files);
    assert_eq!(report.entries, 5);
    let mut annotator = Annotator::of_file(opening.session.clone());
    for (number, text) in [(2, "of the ring"), (4, "of the other"), (3, "last")] {
        annotator.annotate(EntryId(number), comment(text)).unwrap();
    }
    // A sidecar that is lost is written anew, with all that was in it and nothing else.
    fs::remove_file(sidecar_path(&files[2])).unwrap();
    annotator.annotate(EntryId(3), comment("last of all")).unwrap();
    drop(annotator);
    let again = |files: &[PathBuf]| {
        let (opening, _) = open(files);
        Annotator::of_file(opening.session.clone()).load().unwrap();
        opening.session.clone()
    };
    let texts = |session: &Session| -> Vec<(u64, String)> {
        let all = session.annotated(0..9).into_iter();
        all.map(|id| (id.0, session.annotation(id).unwrap().comment.unwrap()))
            .collect()
    };
    let all = ["of the ring", "last of all", "of the other"].map(str::to_owned);
    assert_eq!(
        texts(&again(&files)),
        [2, 3, 4].into_iter().zip(all.clone()).collect::<Vec<_>>()
    );
    // Each file has its own, also by itself or joined otherwise.
    let swapped = [other.clone(), files[2].clone()];
    let expected = vec![(0, all[2].clone()), (1, all[1].clone())];
    assert_eq!(texts(&again(&swapped)), expected);
    let alone = open_in_background(&files[1]).unwrap();
    wire::wait(&alone, |report| report.state != FileState::Indexing);
    Annotator::of_file(alone.session.clone()).load().unwrap();
    assert_eq!(texts(&alone.session), [(2, all[0].clone())]);
}

#[test]
fn what_cannot_be_joined_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("ours.pcapng");
    sample::opened(&sample::create(&ours));
    let other = folder.path().join("other.pcap");
    let mut talk = wire::Talk::new("10.0.0.1:50000", "10.0.0.2:80", [7, 8]);
    talk.open();
    fs::write(
        &other,
        wire::pcap(wire::Order::Little, false, 101, 65_535, &talk.packets),
    )
    .unwrap();
    let missing = folder.path().join("missing");
    let refuses = |second: &Path, expected: &str| {
        let files = [ours.clone(), second.to_owned()];
        let error = open_joined_in_background(&ours, &files).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        error
    };
    refuses(&ours, "it is named twice");
    refuses(&other, "another program wrote it; mergecap");
    refuses(folder.path(), "it is no regular file");
    let error = refuses(&missing, "No such file");
    assert!(matches!(error, CaptureError::Io { .. }));
}

#[test]
fn a_ring_is_known_by_the_names_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = messages(folder.path(), 3);
    for (number, path) in (1..).zip(recorder.files()) {
        assert_eq!(ring_of(&path), Some((recorder.path().to_owned(), number)));
    }
}
