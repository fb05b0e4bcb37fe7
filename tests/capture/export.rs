//! Exports: what is exported and opened again is what was recorded, in every format, whatever happens meanwhile.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use sockscope::capture::{
    Existing, Export, Growth, Order, Recorder, Ring, Session, Target, Wording, open_in_background,
};
use sockscope::model::{
    ConnectionId, Direction, EntryId, EntryKind, ExportFormat, ExportReport, ExportState, FileState, Portion,
    Protocol, Purpose, Query, Records, Reference, Timestamp,
};
use sockscope::text::Policy;

use super::sample::{self, Line};
use super::wire::{self, From, Packet, START, Talk};

const WORDING: Wording = Wording {
    policy: Policy {
        rtl: false,
        ascii: false,
    },
    offset: 0,
    purpose: Purpose::Reading,
    connections: false,
};

fn order(portion: Portion, format: ExportFormat, path: &Path, existing: Existing) -> Order {
    Order {
        portion,
        format,
        wording: WORDING,
        target: Target::File {
            path: path.to_owned(),
            existing,
        },
    }
}

fn export(session: &Session, portion: Portion, format: ExportFormat, path: &Path) -> ExportReport {
    Export::start(session.clone(), order(portion, format, path, Existing::Refuse)).join()
}

/// Exports to a new file, and returns its path.
fn exported(session: &Session, portion: Portion, format: ExportFormat, folder: &Path) -> PathBuf {
    let path = folder.join(format!("exported{}", format.extension()));
    let report = export(session, portion, format, &path);
    assert!(matches!(report.state, ExportState::Done(_)), "{report:?}");
    path
}

/// The same where there may be nothing to export, of which then nothing is left.
fn attempted(session: &Session, portion: Portion, folder: &Path) -> Option<PathBuf> {
    let path = folder.join("exported.pcapng");
    let report = export(session, portion, ExportFormat::Pcapng, &path);
    if let ExportState::Nothing(_) = report.state {
        assert_eq!((report.entries, path.exists()), (0, false));
        return None;
    }
    assert!(matches!(report.state, ExportState::Done(_)), "{report:?}");
    Some(path)
}

fn query(text: &str) -> Query {
    Query::parse(text, &Reference::default()).unwrap()
}

/// The lines for which a filter on single entries holds, with the numbers that they get in a file of their own.
fn filtered(lines: &[Line], holds: impl Fn(&Line) -> bool) -> Vec<Line> {
    let mut numbers: Vec<ConnectionId> = Vec::new();
    let kept = lines.iter().filter(|line| holds(line)).cloned().enumerate();
    kept.map(|(number, mut line)| {
        line.entry.id = EntryId(number as u64);
        let known = numbers.iter().position(|other| *other == line.entry.connection);
        let place = known.unwrap_or_else(|| {
            numbers.push(line.entry.connection);
            numbers.len() - 1
        });
        line.entry.connection = ConnectionId(place as u32);
        line
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn export_and_open_is_the_identity(steps in sample::steps(150)) {
        let folder = tempfile::tempdir().unwrap();
        let recorder = sample::create(&folder.path().join("a.pcapng"));
        let lines = sample::record(&recorder, &steps);
        let session = recorder.reader();
        let path = attempted(&session, Portion::All, folder.path());
        prop_assert_eq!(path.is_none(), lines.is_empty());
        let Some(path) = path else { return Ok(()) };
        let opened = Session::open(&path).unwrap();
        prop_assert_eq!(opened.cut(), 0);
        sample::assert_is(&opened, &lines);
        prop_assert_eq!(opened.connections(), session.connections());
        let original = Session::open(recorder.path()).unwrap();
        let pages = [&opened, &original].map(|session| session.conversation_page(0..1000));
        prop_assert_eq!(&pages[0], &pages[1]);
    }

    #[test]
    fn a_filter_and_a_range_are_a_file_of_their_own(steps in sample::steps(150), from in 0..100u64, len in 0..40u64) {
        let folder = tempfile::tempdir().unwrap();
        let recorder = sample::create(&folder.path().join("a.pcapng"));
        let lines = sample::record(&recorder, &steps);
        let session = recorder.reader();
        let path = attempted(&session, Portion::Query(query("dir:rx size>2 or kind:note")), folder.path());
        let expected = filtered(&lines, |line| match line.entry.kind {
            EntryKind::Data { direction } => direction == Direction::Received && line.entry.len > 2,
            EntryKind::Note { .. } => true,
            EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. } => false,
        });
        prop_assert_eq!(path.is_none(), expected.is_empty());
        if let Some(path) = path {
            sample::assert_is(&Session::open(&path).unwrap(), &expected);
            fs::remove_file(&path).unwrap();
        }
        let path = attempted(&session, Portion::Entries(from..from + len), folder.path());
        // Entries that follow each other keep their numbers.
        let mut expected = filtered(&lines, |line| (from..from + len).contains(&line.entry.id.0));
        for line in &mut expected {
            line.entry.id.0 += from;
        }
        prop_assert_eq!(path.is_none(), expected.is_empty());
        if let Some(path) = path {
            let opened = Session::open(&path).unwrap();
            prop_assert_eq!(opened.first().0, from);
            prop_assert_eq!(sample::read_all(&opened), expected);
            fs::remove_file(&path).unwrap();
        }
        let path = attempted(&session, Portion::Within(from..from + len, query("dir:tx size>0")), folder.path());
        let sent = EntryKind::Data { direction: Direction::Sent };
        let expected = filtered(&lines, |line| (from..from + len).contains(&line.entry.id.0) && line.entry.kind == sent);
        prop_assert_eq!(path.is_none(), expected.is_empty());
        if let Some(path) = path {
            sample::assert_is(&Session::open(&path).unwrap(), &expected);
        }
    }
}

#[test]
fn of_nothing_no_file_is_written_and_why_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring {
        files: 2,
        each: 5_000,
        offset: 0,
    };
    let recorder = Recorder::create_ring(&folder.path().join("a.pcapng"), ring, Timestamp(0)).unwrap();
    let connection = sample::opened(&recorder);
    for _ in 0..5 {
        connection
            .data(Timestamp(9), Direction::Sent, &[b'x'; 3_000])
            .unwrap();
    }
    let session = recorder.reader();
    assert_eq!((session.first().0, session.len()), (4, 6));
    let check = |portion: Portion, expected: &str| {
        let path = folder.path().join("out");
        fs::write(&path, "what was there").unwrap();
        let order = order(portion, ExportFormat::Text, &path, Existing::Replace);
        let report = Export::start(session.clone(), order).join();
        assert_eq!(report.state, ExportState::Nothing(expected.to_owned()));
        assert_eq!(fs::read(&path).unwrap(), b"what was there");
    };
    check(
        Portion::Entries(2..3),
        "entry 3 is no longer kept: its ring file was removed",
    );
    check(
        Portion::Entries(0..4),
        "entries 1 to 4 are no longer kept: their ring files were removed",
    );
    check(
        Portion::Within(1..3, query("x")),
        "entries 2 to 3 are no longer kept: their ring files were removed",
    );
    check(
        Portion::Within(3..6, query("y")),
        "of entries 4 to 6 there is none for which y holds",
    );
    check(Portion::Query(query("y")), "there is no entry for which y holds");
    check(Portion::Entries(6..7), "there is no entry 7");
    check(Portion::Entries(6..9), "there are no entries 7 to 9");
}

/// A capture of another program: TCP over IPv4 and IPv6, one seen from the middle on, and UDP.
fn foreign() -> Vec<u8> {
    let mut talk = Talk::new("192.0.2.1:5000", "192.0.2.2:6379", [7, 900]);
    talk.open();
    talk.ask(b"PING\r\n");
    talk.answer(b"+PONG\r\n");
    let mut late = Talk::new("[2001:db8::1]:5001", "[2001:db8::2]:80", [1 << 31, 5]);
    late.now = talk.now;
    late.send(From::Client, wire::Flag::None, b"GET / HTTP/1.0\r\n\r\n");
    late.answer(&[b'x'; 1400]);
    late.close();
    talk.now = late.now;
    talk.close();
    let mut packets = [talk.packets, late.packets].concat();
    let datagrams = [
        wire::udp("192.0.2.1:5300", "192.0.2.9:53", b"who?"),
        wire::udp("192.0.2.9:53", "192.0.2.1:5300", b"me"),
        wire::udp("192.0.2.1:5300", "192.0.2.9:53", b""),
        wire::udp("[2001:db8::1]:5300", "[2001:db8::9]:53", b"and you?"),
    ];
    let at = |number: usize| START + (1000 + number as u64) * wire::STEP;
    packets.extend(
        datagrams
            .into_iter()
            .enumerate()
            .map(|(number, ip)| Packet { at: at(number), ip }),
    );
    packets.sort_by_key(|packet| packet.at);
    wire::pcapng(wire::Order::Little, 1, &packets)
}

#[test]
fn a_capture_of_others_becomes_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.pcapng");
    wire::write_old(&path, &foreign());
    let (opening, _) = wire::open(&path);
    let copy = exported(
        &opening.session,
        Portion::All,
        ExportFormat::Pcapng,
        folder.path(),
    );
    let ours = Session::open(&copy).unwrap();
    assert_eq!(ours.cut(), 0);
    let lines = wire::lines(&opening.session);
    assert_eq!(wire::lines(&ours), lines);
    assert!(
        lines.iter().any(|line| line.ends_with("Sent ")),
        "the empty datagram: {lines:?}"
    );
    let pages = [&ours, &opening.session].map(|session| session.conversation_page(0..100));
    assert_eq!(pages[0], pages[1]);
    assert_eq!(
        pages[0]
            .iter()
            .filter(|one| one.protocol == Protocol::Udp)
            .count(),
        2
    );
}

#[test]
fn raw_bytes_are_apart_by_direction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.pcapng");
    wire::write_old(&path, &foreign());
    let (opening, _) = wire::open(&path);
    let name = folder.path().join("raw");
    let report = export(
        &opening.session,
        Portion::Query(query("conn:0")),
        ExportFormat::Raw,
        &name,
    );
    let [sent, received] = [".sent", ".received"].map(|ending| format!("{}{ending}", name.display()));
    assert_eq!(
        report.state,
        ExportState::Done(vec![sent.clone(), received.clone()])
    );
    assert_eq!(fs::read(&sent).unwrap(), b"PING\r\n");
    assert_eq!(fs::read(&received).unwrap(), b"+PONG\r\n");
    assert_eq!(report.bytes, 13);
    // One of the two is there already: neither is touched.
    fs::remove_file(&sent).unwrap();
    let report = export(&opening.session, Portion::All, ExportFormat::Raw, &name);
    assert_eq!(report.state, ExportState::Exists(received.clone()));
    assert!(!Path::new(&sent).exists());
    assert_eq!(fs::read(&received).unwrap(), b"+PONG\r\n");
    // A single entry is a single file.
    let one = folder.path().join("one.bin");
    let report = export(&opening.session, Portion::Entries(2..3), ExportFormat::Raw, &one);
    assert_eq!(report.state, ExportState::Done(vec![one.display().to_string()]));
    assert_eq!(fs::read(&one).unwrap(), b"PING\r\n");
}

fn recorded(folder: &Path) -> (Recorder, sockscope::capture::Connection) {
    let recorder = sample::create(&folder.join("a.pcapng"));
    let connection = sample::opened(&recorder);
    for number in 0..1000u32 {
        let direction = if number.is_multiple_of(2) {
            Direction::Sent
        } else {
            Direction::Received
        };
        connection
            .data(Timestamp(6 + u64::from(number)), direction, &number.to_be_bytes())
            .unwrap();
    }
    (recorder, connection)
}

#[test]
fn an_export_holds_what_was_there_when_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, connection) = recorded(folder.path());
    let path = folder.path().join("b.jsonl");
    let growth = Growth::default();
    growth.complete(recorder.len());
    for _ in 0..5000 {
        connection
            .data(Timestamp(9), Direction::Sent, b"too late")
            .unwrap();
    }
    let order = order(Portion::All, ExportFormat::Jsonl, &path, Existing::Refuse);
    let report = Export::follow(recorder.reader(), order, Arc::new(growth)).join();
    assert_eq!((report.entries, report.of, report.percent()), (1001, 1001, 100));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1001);
    assert!(!text.contains("late"));
}

#[test]
fn a_log_that_grows_is_exported_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let connection = sample::opened(&recorder);
    let growth = Arc::new(Growth::default());
    for (format, portion, expected) in [
        (ExportFormat::Jsonl, Portion::All, 901),
        (ExportFormat::Text, Portion::Query(query("dir:tx")), 1800),
        (ExportFormat::Text, Portion::Entries(5..7), 2),
    ] {
        let growth = if expected == 901 {
            growth.clone()
        } else {
            Arc::new(Growth::default())
        };
        let path = folder.path().join(format!("{format}{expected}"));
        let export = Export::follow(
            recorder.reader(),
            order(portion, format, &path, Existing::Refuse),
            growth.clone(),
        );
        for _ in 0..900 {
            connection.data(Timestamp(9), Direction::Sent, b"x").unwrap();
            growth.reached(recorder.len());
        }
        growth.complete(recorder.len());
        let report = export.join();
        assert_eq!(report.entries, expected, "{report:?}");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text.lines().filter(|line| !line.starts_with('#')).count() as u64,
            expected
        );
    }
}

#[test]
fn a_stopped_export_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, _connection) = recorded(folder.path());
    for format in ExportFormat::ALL {
        let path = folder.path().join("out");
        // It waits for more, so that it cannot be through before it is stopped.
        let growth = Arc::new(Growth::default());
        growth.reached(500);
        let export = Export::follow(
            recorder.reader(),
            order(Portion::All, format, &path, Existing::Refuse),
            growth,
        );
        export.stop();
        assert_eq!(export.join().state, ExportState::Stopped, "{format}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{format}");
    }
}

#[test]
fn a_file_that_is_there_is_replaced_only_if_that_is_wanted_and_only_by_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, _connection) = recorded(folder.path());
    let path = folder.path().join("b.jsonl");
    fs::write(&path, "precious").unwrap();
    let report = export(&recorder.reader(), Portion::All, ExportFormat::Jsonl, &path);
    assert_eq!(report.state, ExportState::Exists(path.display().to_string()));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    // Stopped half-way, it leaves the old one.
    let growth = Arc::new(Growth::default());
    growth.reached(500);
    let replacing = || order(Portion::All, ExportFormat::Jsonl, &path, Existing::Replace);
    let unfinished = Export::follow(recorder.reader(), replacing(), growth);
    unfinished.stop();
    assert_eq!(unfinished.join().state, ExportState::Stopped);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let report = Export::start(recorder.reader(), replacing()).join();
    assert!(matches!(report.state, ExportState::Done(_)), "{report:?}");
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1001);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing is left beside it"
    );
}

#[test]
fn nothing_is_written_through_a_link_or_over_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, _connection) = recorded(folder.path());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
    for (path, existing, expected) in [
        (&link, Existing::Refuse, "refusing to write"),
        (&link, Existing::Replace, "refusing to write"),
        (
            &recorder.path().to_owned(),
            Existing::Replace,
            "is the recording that is open: choose another name",
        ),
        (
            &folder.path().join("none/b"),
            Existing::Refuse,
            "create its directory first",
        ),
    ] {
        let order = order(Portion::All, ExportFormat::Text, path, existing);
        let report = Export::start(recorder.reader(), order).join();
        assert!(
            matches!(&report.state, ExportState::Failed(why) if why.contains(expected)),
            "{report:?}"
        );
    }
    assert_eq!(Session::open(recorder.path()).unwrap().len(), 1001);
}

#[test]
fn what_is_being_read_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, connection) = recorded(folder.path());
    let path = recorder.path().to_owned();
    drop((recorder, connection));
    let before = fs::read(&path).unwrap();
    let sidecar = sockscope::capture::sidecar_path(&path);
    fs::write(&sidecar, "annotations").unwrap();
    let same = folder.path().join("same");
    fs::hard_link(&path, &same).unwrap();
    let opening = open_in_background(&path).unwrap();
    wire::wait(&opening, |report| report.entries == 1001);
    for (name, expected) in [
        (&path, "is the capture that is open: choose another name"),
        (&same, "is the capture that is open: choose another name"),
        (
            &sidecar,
            "is where the annotations of the open capture are kept: choose another name",
        ),
    ] {
        let order = order(Portion::All, ExportFormat::Text, name, Existing::Replace);
        let report = Export::start(opening.session.clone(), order).join();
        assert!(
            matches!(&report.state, ExportState::Failed(why) if why.ends_with(expected)),
            "{report:?}"
        );
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read(&sidecar).unwrap(), b"annotations");
}

#[test]
fn what_names_a_directory_is_refused_before_anything_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, _connection) = recorded(folder.path());
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    for name in [inside.join(""), inside.join("."), inside.clone()] {
        for format in [ExportFormat::Raw, ExportFormat::Text] {
            let order = order(Portion::All, format, &name, Existing::Refuse);
            let report = Export::start(recorder.reader(), order).join();
            assert!(
                matches!(&report.state, ExportState::Failed(why) if why.contains("names a directory")),
                "{report:?}"
            );
        }
    }
    assert_eq!(fs::read_dir(&inside).unwrap().count(), 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_hexdump_can_be_turned_back() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let connection = sample::opened(&recorder);
    let bytes: Vec<u8> = (0..=255).chain(*b"de ad be ef 00000000  11 22").collect();
    connection
        .data(Timestamp(7), Direction::Received, &bytes)
        .unwrap();
    let path = exported(
        &recorder.reader(),
        Portion::All,
        ExportFormat::Hexdump,
        folder.path(),
    );
    let text = fs::read_to_string(path).unwrap();
    // The digits stand in the same columns of every row, whatever the decoded text beside them looks like.
    let digits = text.lines().filter(|line| line.starts_with("  0000")).map(|row| {
        let columns: String = row.chars().skip(12).take(50).collect();
        columns.split_whitespace().collect::<String>()
    });
    assert_eq!(digits.collect::<String>(), hex::encode(&bytes));
}

#[test]
fn a_compressed_capture_that_is_damaged_is_exported_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.pcapng");
    let whole = foreign();
    wire::write_old(&path, &whole[..whole.len() - 30]);
    let opening = open_in_background(&path).unwrap();
    wire::wait(&opening, |report| report.state != FileState::Indexing);
    let copy = exported(
        &opening.session,
        Portion::All,
        ExportFormat::Pcapng,
        folder.path(),
    );
    assert_eq!(
        wire::lines(&Session::open(&copy).unwrap()),
        wire::lines(&opening.session)
    );
}
