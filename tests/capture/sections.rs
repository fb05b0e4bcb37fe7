//! Several recordings in one file, one behind the other, as `cat a.pcapng b.pcapng` makes it: all of it is one log.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sockscope::capture::{Annotator, Existing, Export, Order, Recorder, Ring, Session, Target, Wording};
use sockscope::model::{
    Annotation, ConnectionId, Direction, EntryId, ExportFormat, ExportState, FileState, Portion, Purpose,
    Query, Records, Reference, Timestamp,
};
use sockscope::text::Policy;

use super::sample::{self, Line};
use super::wire;

/// Joins files.
fn join(folder: &Path, parts: &[&[u8]]) -> PathBuf {
    let path = folder.join("joined.pcapng");
    wire::write_old(&path, &parts.concat());
    path
}

/// The lines with numbers and connections that start there.
fn moved(lines: &[Line], entry: u64, connection: u32) -> Vec<Line> {
    let mut lines = lines.to_vec();
    for line in &mut lines {
        line.entry.id.0 += entry;
        line.entry.connection.0 += connection;
    }
    lines
}

/// Exports to `path`.
fn export(session: &Session, portion: Portion, path: &Path) -> PathBuf {
    let order = Order {
        portion,
        format: ExportFormat::Pcapng,
        wording: Wording {
            policy: Policy::default(),
            offset: 0,
            purpose: Purpose::Reading,
            connections: false,
        },
        target: Target::File {
            path: path.to_owned(),
            existing: Existing::Refuse,
        },
    };
    let report = Export::start(session.clone(), order).join();
    assert!(matches!(report.state, ExportState::Done(_)), "{report:?}");
    path.to_owned()
}

/// What is in the log, and what stands next to each entry.
fn check(session: &Session, lines: &[Line]) {
    sample::assert_is(session, lines);
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
    fn all_recordings_of_a_file_are_shown(all in proptest::collection::vec(sample::steps(60), 2..5)) {
        let folder = tempfile::tempdir().unwrap();
        let mut lines: Vec<Line> = Vec::new();
        let mut bytes: Vec<u8> = Vec::new();
        let mut announced = 0;
        for (number, steps) in all.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            let recorder = sample::create(&path);
            let found = sample::record(&recorder, steps);
            lines.extend(moved(&found, lines.len() as u64, announced));
            announced += recorder.reader().connections() as u32;
            bytes.extend(fs::read(&path).unwrap());
        }
        let path = join(folder.path(), &[&bytes]);
        check(&Session::open(&path).unwrap(), &lines);
        let (opening, report) = wire::open(&path);
        prop_assert_eq!(&report.remarks, &Vec::<String>::new());
        prop_assert_eq!(opening.session.cut(), 0);
        check(&opening.session, &lines);
        let page = opening.session.conversation_page(0..u64::from(announced));
        prop_assert_eq!(page.len(), announced as usize);
        let counted: u64 = page.iter().map(|one| one.entries).sum();
        prop_assert_eq!(counted, lines.len() as u64);
        // What reads all of it in order finds the same.
        let whole = export(&opening.session, Portion::All, &folder.path().join("whole.pcapng"));
        sample::assert_is(&Session::open(&whole).unwrap(), &lines);
        let query = Query::parse("dir:rx and size>2", &Reference::default()).unwrap();
        let received = |line: &&Line| line.entry.direction() == Some(Direction::Received) && line.entry.len > 2;
        let expected: Vec<&[u8]> = lines.iter().filter(received).map(|line| &line.bytes[..]).collect();
        // Of nothing there is no file.
        if expected.is_empty() {
            return Ok(());
        }
        let some = export(&opening.session, Portion::Query(query), &folder.path().join("some.pcapng"));
        let found = sample::read_all(&Session::open(&some).unwrap());
        let found: Vec<&[u8]> = found.iter().map(|line| &line.bytes[..]).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn each_recording_keeps_what_was_said_of_its_entries() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    for number in 0..3 {
        let path = folder.path().join(number.to_string());
        let recorder = sample::create(&path);
        let connection = sample::opened(&recorder);
        connection.data(Timestamp(6), Direction::Sent, b"ping").unwrap();
        let comment = Annotation {
            marked: false,
            comment: Some(format!("of recording {number}")),
        };
        Annotator::of_recording(recorder)
            .annotate(EntryId(1), comment)
            .unwrap();
        bytes.extend(fs::read(&path).unwrap());
    }
    let session = Session::open(&join(folder.path(), &[&bytes])).unwrap();
    assert_eq!(session.annotated(0..9), [1, 3, 5].map(EntryId));
    let last = session.annotation(EntryId(5)).unwrap();
    assert_eq!(last.comment.as_deref(), Some("of recording 2"));
}

/// The files of a ring of two connections, one of which is idle for several files.
fn ring(folder: &Path) -> (Vec<Vec<u8>>, Vec<Line>) {
    let ring = Ring {
        files: 100,
        each: 140_000,
        offset: 0,
    };
    let path = folder.join("trace.pcapng");
    let recorder = Recorder::create_ring(&path, ring, Timestamp(0)).unwrap();
    let busy = sample::opened(&recorder);
    let idle = sample::opened(&recorder);
    idle.data(Timestamp(7), Direction::Sent, "€".as_bytes().get(..1).unwrap())
        .unwrap();
    for number in 0..20 {
        busy.data(Timestamp(number), Direction::Received, &vec![7; 60_000])
            .unwrap();
    }
    idle.data(Timestamp(8), Direction::Sent, "€".as_bytes().get(1..).unwrap())
        .unwrap();
    let files = recorder.files();
    assert!(files.len() > 5);
    let bytes = files.iter().map(|path| fs::read(path).unwrap());
    (bytes.collect(), sample::read_all(&recorder.reader()))
}

#[test]
fn the_connections_of_a_ring_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (files, lines) = ring(folder.path());
    let parts: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let session = Session::open(&join(folder.path(), &parts)).unwrap();
    assert_eq!(session.connections(), 2);
    check(&session, &lines);
    let page = session.conversation_page(0..9);
    let told: Vec<_> = page
        .iter()
        .map(|one| (one.entries, one.sent, one.received))
        .collect();
    assert_eq!(told, [(21, 0, 1_200_000), (3, 3, 0)]);
    let client = "127.0.0.1:50312".parse().unwrap();
    assert!(page.iter().all(|one| one.client() == Some(client)), "{page:?}");
    // The numbers of its entries stay, also where the first files are gone.
    let session = Session::open(&join(folder.path(), &parts[2..])).unwrap();
    let first = session.first().0 as usize;
    assert!(first > 0);
    assert_eq!(sample::read_all(&session).len(), lines.len() - first);
    assert_eq!(session.connections(), 2);
}

#[test]
fn across_missing_files_of_a_ring_nothing_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (files, lines) = ring(folder.path());
    let parts: Vec<&[u8]> = [&files[0], &files[3], &files[0]].map(Vec::as_slice).to_vec();
    let session = Session::open(&join(folder.path(), &parts)).unwrap();
    let found = sample::read_all(&session);
    let end = found.len() as u64;
    assert_eq!(found.last().map(|line| line.entry.id), Some(EntryId(end - 1)));
    assert!(end < lines.len() as u64);
    let of = |id: u64| found[id as usize].entry.connection;
    assert_eq!(
        (of(0), of(1), of(end - 1)),
        (ConnectionId(0), ConnectionId(1), ConnectionId(3))
    );
    assert_eq!(session.connections(), 5);
}

#[test]
fn what_another_program_wrote_behind_a_recording_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    sample::opened(&recorder);
    let ours = fs::read(&path).unwrap();
    let mut talk = wire::Talk::new("10.0.0.1:50000", "10.0.0.2:80", [7, 8]);
    talk.open();
    for order in [wire::Order::Little, wire::Order::Big] {
        let other = wire::pcapng(order, 101, &talk.packets);
        let path = join(folder.path(), &[&ours, &other]);
        let (opening, report) = wire::open(&path);
        assert_eq!(opening.session.len(), 1);
        assert_eq!(report.state, FileState::Complete);
        let said = format!(
            "byte {} and what follows, {} bytes, were left out: another program wrote what starts there; tail -c prints \
             it, and sockscope open - shows it",
            ours.len(),
            other.len()
        );
        assert_eq!(report.remarks, [said]);
    }
}
