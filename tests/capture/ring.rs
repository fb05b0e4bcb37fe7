//! Ring files: whatever is recorded is in exactly one of them, each can be read by itself, and only the newest stay.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use sockscope::capture::{
    Annotator, Filtered, Recorder, Ring, Scan, ScanReport, ScanState, Session, Sought, ring_of, sidecar_path,
};
use sockscope::model::{
    Annotation, ConnectionId, Direction, EntryId, EntryKind, Found as _, Records, RecordsError, Role,
    Timestamp,
};
use sockscope::text::Pattern;

use super::sample::{self, Line};

const FILE: &str = "SOCKSCOPE_TEST_RING";

/// Room for the largest entry, and not for two.
const EACH: u64 = 70_000;

fn ring(folder: &Path, files: u32, each: u64) -> Recorder {
    let ring = Ring {
        files,
        each,
        offset: 0,
    };
    Recorder::create_ring(&folder.join("trace.pcapng"), ring, Timestamp(0)).unwrap()
}

/// The files that are there, the oldest first.
fn on_disk(folder: &Path) -> Vec<PathBuf> {
    let items = folder.read_dir().unwrap().map(|item| item.unwrap().path());
    let mut all: Vec<PathBuf> = items.collect();
    all.sort();
    all
}

/// The lines of the files, read one by one, with the numbers that their connections have there.
fn read_files(files: &[PathBuf]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for path in files {
        let session = Session::open(path).unwrap();
        assert_eq!(session.cut(), 0, "{}", path.display());
        let first = session.first();
        assert!(lines.is_empty() || lines.len() as u64 + lines[0].entry.id.0 == first.0);
        lines.extend(sample::read_all(&session));
    }
    lines
}

/// Without the numbers of connections, which every file counts for itself.
fn anonymous(lines: &[Line]) -> Vec<Line> {
    let mut lines = lines.to_vec();
    for line in &mut lines {
        line.entry.connection = ConnectionId(0);
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_entry_is_in_exactly_one_file(steps in sample::steps(200), files in 2..6u32) {
        let folder = tempfile::tempdir().unwrap();
        let recorder = ring(folder.path(), files, EACH);
        let reader = recorder.reader();
        let lines = sample::record(&recorder, &steps);
        prop_assert_eq!(recorder.len(), lines.len() as u64);
        prop_assert_eq!(recorder.files(), on_disk(folder.path()));
        prop_assert!(recorder.files().len() <= files as usize);
        let sizes = recorder.files().iter().map(|path| path.metadata().unwrap().len()).collect::<Vec<_>>();
        prop_assert!(sizes.iter().all(|size| *size <= EACH), "{:?}", sizes);
        prop_assert_eq!(recorder.size(), sizes.iter().sum::<u64>());
        // The live log is the end of what was recorded, with the bytes around each entry.
        let first = reader.first();
        let kept = &lines[first.0 as usize..];
        prop_assert_eq!(sample::read_all(&reader), kept);
        for number in 0..first.0 {
            prop_assert_eq!(reader.entry(EntryId(number)), Err(RecordsError::Removed));
        }
        for at in 0..kept.len() {
            let found = reader.surroundings(kept[at].entry.id).unwrap();
            let after = sample::next_to(kept, at).1;
            prop_assert_eq!(found.after.as_slice(), after, "after {}", at);
            // A checkpoint may know bytes of a file that is gone.
            let before = sample::next_to(&lines, at + first.0 as usize).0;
            prop_assert!(before.ends_with(found.before.as_slice()), "before {}", at);
            prop_assert!(found.before.as_slice().ends_with(&sample::next_to(kept, at).0), "before {}", at);
        }
        let payload: usize = kept.iter().map(|line| line.bytes.len()).sum();
        prop_assert_eq!(recorder.payload_bytes(), payload as u64);
        // So are the files, each by itself.
        prop_assert_eq!(read_files(&recorder.files()), anonymous_connections(kept, &recorder.files()));
        recorder.discard().unwrap();
        prop_assert_eq!(on_disk(folder.path()), Vec::<PathBuf>::new());
    }
}

/// The lines with the numbers that connections have in the files: those that come first come first there.
fn anonymous_connections(lines: &[Line], files: &[PathBuf]) -> Vec<Line> {
    let found = read_files(files);
    assert_eq!(anonymous(&found), anonymous(lines));
    // Within one file a number stands for one connection, and the other way round.
    let mut rest = found.iter().zip(lines).peekable();
    for path in files {
        let end = Session::open(path).unwrap().len();
        let mut pairs = std::collections::BTreeMap::new();
        while let Some((found, line)) = rest.next_if(|(found, _)| found.entry.id.0 < end) {
            let known = *pairs
                .entry(found.entry.connection)
                .or_insert(line.entry.connection);
            assert_eq!(known, line.entry.connection);
        }
        let numbers: std::collections::BTreeSet<_> = pairs.values().collect();
        assert_eq!(numbers.len(), pairs.len());
    }
    found
}

#[test]
fn a_file_knows_the_connections_that_are_used_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = ring(folder.path(), 3, EACH);
    let first = sample::opened(&recorder);
    let second = sample::opened(&recorder);
    let endpoint = "localhost:9".parse().unwrap();
    for number in 0..4 {
        second
            .data(Timestamp(number), Direction::Received, &vec![7; 60_000])
            .unwrap();
    }
    let third = recorder
        .connection(Timestamp(70), &endpoint, Role::Client)
        .unwrap();
    let names = |session: &Session| -> Vec<(u32, String, bool)> {
        let page = session.conversation_page(0..10);
        let line = |one: &sockscope::model::Conversation| {
            assert_eq!(session.conversation(one.id).as_ref(), Some(one));
            (one.id.0, one.name.clone(), one.local.is_some())
        };
        page.iter().map(line).collect()
    };
    // The first one was only in the file that is gone.
    let live = recorder.reader();
    let second_name = "tcp://localhost:6379".to_owned();
    let third_name = "tcp://localhost:9".to_owned();
    assert_eq!(
        names(&live),
        [(1, second_name.clone(), true), (2, third_name.clone(), false)]
    );
    assert_eq!(
        live.started(second.id()),
        Some(Timestamp(1_700_000_000_000_000_000))
    );
    assert_eq!(live.started(first.id()), None);
    // It comes back with its first word.
    first.data(Timestamp(80), Direction::Sent, b"back").unwrap();
    third
        .event(Timestamp(81), &EntryKind::Note { text: "x".into() })
        .unwrap();
    assert_eq!(names(&live).len(), 3);
    let newest = Session::open(recorder.files().last().unwrap()).unwrap();
    assert_eq!(
        names(&newest),
        [
            (0, second_name.clone(), true),
            (1, third_name, false),
            (2, second_name, true)
        ]
    );
    let last = newest.entry(EntryId(newest.len() - 1)).unwrap();
    assert_eq!(
        (last.connection, last.id.0),
        (ConnectionId(1), recorder.len() - 1)
    );
}

/// A message of a Unix socket can be larger than the files.
#[test]
fn an_entry_that_fits_no_file_has_one_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = ring(folder.path(), 3, EACH);
    let endpoint = "unix-seqpacket:/run/x".parse().unwrap();
    let connection = recorder
        .connection(Timestamp(0), &endpoint, Role::Client)
        .unwrap();
    let open = sample::open_kind("127.1.0.1:1", "127.1.0.2:2");
    connection.event(Timestamp(0), &open).unwrap();
    let send = |len: usize| {
        connection
            .data(Timestamp(1), Direction::Sent, &vec![len as u8; len])
            .unwrap();
        recorder.files().len()
    };
    assert_eq!([send(9), send(200_000), send(10), send(11)], [1, 2, 3, 3]);
    // What is said of the large one goes to its file, though there is no room.
    let large = EntryId(2);
    let comment = Annotation {
        marked: true,
        comment: None,
    };
    Annotator::of_recording(recorder.clone())
        .annotate(large, comment.clone())
        .unwrap();
    let files = recorder.files();
    let sizes: Vec<u64> = files.iter().map(|path| path.metadata().unwrap().len()).collect();
    assert!(
        sizes[0] < EACH && sizes[1] > 200_000 && sizes[2] < EACH,
        "{sizes:?}"
    );
    let lines = read_files(&files);
    assert_eq!(
        lines.iter().map(|line| line.bytes.len()).collect::<Vec<_>>(),
        [0, 9, 200_000, 10, 11]
    );
    assert_eq!(send(70_000), 3);
    assert_eq!(recorder.reader().first(), large);
}

/// A file of a ring ends where the next entry does not fit, whatever that entry is.
#[test]
fn files_of_datagrams_are_filled_as_those_of_streams() {
    for endpoint in ["udp://127.0.0.1:9", "tcp://127.0.0.1:9"] {
        let folder = tempfile::tempdir().unwrap();
        let recorder = ring(folder.path(), 100, 131_072);
        let connection = recorder
            .connection(Timestamp(0), &endpoint.parse().unwrap(), Role::Client)
            .unwrap();
        let open = sample::open_kind("127.0.0.1:1", "127.0.0.1:9");
        connection.event(Timestamp(0), &open).unwrap();
        for number in 0..600usize {
            let bytes = vec![number as u8; 1 + number * 7919 % 3000];
            connection
                .data(Timestamp(1), Direction::Received, &bytes)
                .unwrap();
        }
        let files = recorder.files();
        assert!(files.len() > 5);
        for path in &files[..files.len() - 1] {
            let left = 131_072 - path.metadata().unwrap().len();
            assert!(
                left < 3_200,
                "{endpoint}: {left} bytes are left in {}",
                path.display()
            );
        }
    }
}

/// Each run is a recording of its own, whatever another one left or still writes.
#[test]
fn two_rings_of_one_name_are_two_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let rings: Vec<Recorder> = (0..3).map(|_| ring(folder.path(), 2, EACH)).collect();
    let names = |recorder: &Recorder| recorder.path().file_name().unwrap().to_owned();
    let expected = ["trace.pcapng", "trace-2.pcapng", "trace-3.pcapng"];
    assert_eq!(rings.iter().map(names).collect::<Vec<_>>(), expected);
    for round in 0..5 {
        for recorder in &rings {
            let connection = sample::opened(recorder);
            let bytes = vec![round; 60_000];
            connection.data(Timestamp(1), Direction::Sent, &bytes).unwrap();
        }
    }
    assert_eq!(on_disk(folder.path()).len(), 6);
    for recorder in &rings {
        for path in recorder.files() {
            assert_eq!(ring_of(&path).unwrap().0, recorder.path());
        }
    }
    let [first, second, third] = [0, 1, 2].map(|number: usize| rings[number].files());
    rings[1].discard().unwrap();
    assert_eq!(on_disk(folder.path()), [third, first].concat());
    assert!(second.iter().all(|path| !path.exists()));
    // The name of a single file is none for a ring either, which would be listed under it.
    let single = folder.path().join("other.pcapng");
    sample::create(&single);
    let ring = Ring {
        files: 2,
        each: EACH,
        offset: 0,
    };
    let other = Recorder::create_ring(&single, ring, Timestamp(0)).unwrap();
    assert_eq!(names(&other), "other-2.pcapng");
}

#[test]
fn what_has_the_name_of_a_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("trace_00002_19700101000000.pcapng");
    let recorder = ring(folder.path(), 2, EACH);
    std::fs::write(&taken, "precious").unwrap();
    let connection = sample::opened(&recorder);
    let send = || {
        connection
            .data(Timestamp(1), Direction::Sent, &vec![1; 60_000])
            .unwrap()
    };
    send();
    // The name of the first file stands for another one now: that is not ours to remove.
    let first = recorder.files().remove(0);
    std::fs::remove_file(&first).unwrap();
    std::fs::write(&first, "another").unwrap();
    send();
    send();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let names: Vec<String> = recorder.files().iter().map(name).collect();
    assert_eq!(
        names,
        [
            "trace_00003_19700101000000.pcapng",
            "trace_00004_19700101000000.pcapng"
        ]
    );
    assert_eq!(std::fs::read(&taken).unwrap(), b"precious");
    assert_eq!(std::fs::read(&first).unwrap(), b"another");
    assert_eq!(on_disk(folder.path()).len(), 4);
}

#[test]
fn a_file_that_cannot_be_begun_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let recorder = ring(&inner, 2, EACH);
    let connection = sample::opened(&recorder);
    let send = || connection.data(Timestamp(1), Direction::Sent, &vec![1; 60_000]);
    send().unwrap();
    let moved = folder.path().join("moved");
    std::fs::rename(&inner, &moved).unwrap();
    // The same trouble is said in the same words, though each attempt has a time of its own.
    let pattern = inner.join("trace_00002_*.pcapng");
    let expected = format!("cannot write {}: No such file or directory", pattern.display());
    for at in 0..200u64 {
        let bytes = vec![1; 60_000];
        let error = connection.data(Timestamp(at * 1_000_000_000), Direction::Sent, &bytes);
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
    std::fs::rename(&moved, &inner).unwrap();
    assert_eq!(on_disk(&inner).len(), 1);
    send().unwrap();
    let files = on_disk(&inner);
    assert_eq!(read_files(&files).len(), 3);
    assert_eq!(files[1].file_name().unwrap(), "trace_00002_19700101000000.pcapng");
}

/// A search and a filter pass over what is not kept any more, and neither joins what lies on both sides of it.
#[test]
fn searches_and_filters_know_only_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = ring(folder.path(), 2, EACH);
    let connection = sample::opened(&recorder);
    let say = |text: &str| {
        let bytes = [text.as_bytes(), &vec![b'.'; 20_000]].concat();
        connection
            .data(Timestamp(1), Direction::Received, &bytes)
            .unwrap();
    };
    let pattern = Pattern::parse("needle").unwrap();
    let scan = Scan::start(recorder.reader(), Sought::Pattern(pattern));
    let filtered = Filtered::new(recorder.reader(), &scan);
    for round in 0..50 {
        say(if round % 2 == 0 { "needle" } else { "hay" });
        scan.poke();
        // Sometimes the scan is up to date when a file goes, sometimes far behind.
        if round % 7 == 0 {
            wait_for(&scan, recorder.len());
        }
    }
    wait_for(&scan, recorder.len());
    let first = recorder.reader().first();
    assert!(first.0 > 40, "{first:?}");
    let mut found = Vec::new();
    let mut from = EntryId(0);
    while let Some(hit) = scan.next(from) {
        found.push(hit.0);
        from = EntryId(hit.0 + 1);
    }
    // Entry 0 is the opening, so what round says is entry 1 and so on.
    let kept: Vec<u64> = (first.0..recorder.len())
        .filter(|number| number % 2 == 1)
        .collect();
    assert_eq!(found, kept);
    assert_eq!(scan.previous(first), kept.contains(&first.0).then_some(first));
    assert_eq!(
        scan.previous(EntryId(u64::MAX)).map(|id| id.0),
        kept.last().copied()
    );
    let places = filtered.first().0..filtered.len();
    let shown: Vec<u64> = places
        .map(|place| filtered.entry(EntryId(place)).unwrap().id.0)
        .collect();
    assert_eq!(shown, kept);
    if let Some(before) = filtered.first().0.checked_sub(1) {
        assert_eq!(filtered.entry(EntryId(before)), Err(RecordsError::Removed));
    }
    // Begun later, it finds the same.
    let again = Scan::start(
        recorder.reader(),
        Sought::Pattern(Pattern::parse("needle").unwrap()),
    );
    wait_for(&again, recorder.len());
    assert_eq!(again.report().hits, kept.len() as u64);
}

fn wait_for(scan: &Scan, entries: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut reports = scan.reports();
    let done = |report: &ScanReport| report.state == ScanState::Waiting && report.scanned >= entries;
    runtime.block_on(reports.wait_for(done)).unwrap();
}

#[test]
fn what_is_added_to_an_entry_stands_in_its_file_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = ring(folder.path(), 2, EACH);
    let connection = sample::opened(&recorder);
    let send = || {
        connection
            .data(Timestamp(1), Direction::Sent, &vec![1; 60_000])
            .unwrap()
    };
    let (older, newer) = (send(), send());
    let mark = |comment: &str| Annotation {
        marked: true,
        comment: Some(comment.to_owned()),
    };
    let mut annotator = Annotator::of_recording(recorder.clone());
    annotator.annotate(older, mark("older")).unwrap();
    annotator.annotate(newer, mark("newer")).unwrap();
    let files = recorder.files();
    for (path, number, comment) in [(&files[0], older, "older"), (&files[1], newer, "newer")] {
        let session = Session::open(path).unwrap();
        assert_eq!((session.cut(), session.annotations()), (0, 1));
        assert_eq!(session.annotation(number), Some(mark(comment)));
    }
    recorder.check().unwrap();
    send();
    let reader = recorder.reader();
    assert_eq!(reader.annotated(0..10), [newer]);
    let error = annotator
        .annotate(older, mark("too late"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no such entry"), "{error}");
    assert_eq!(read_files(&recorder.files()).len(), 2);
}

#[test]
fn what_was_written_beside_a_file_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = ring(folder.path(), 2, EACH);
    let connection = sample::opened(&recorder);
    let send = || {
        connection
            .data(Timestamp(1), Direction::Sent, &vec![1; 60_000])
            .unwrap()
    };
    // Whoever opens a file while it is recorded marks an entry of it.
    let mark = |path: &Path, number: EntryId| {
        let mut annotator = Annotator::of_file(Session::open(path).unwrap());
        let annotation = Annotation {
            marked: true,
            comment: None,
        };
        annotator.annotate(number, annotation).unwrap();
        sidecar_path(path)
    };
    let older = send();
    let newer = send();
    let files = recorder.files();
    let sidecars = [mark(&files[0], older), mark(&files[1], newer)];
    assert!(sidecars.iter().all(|sidecar| sidecar.exists()));
    send();
    assert!(!files[0].exists());
    assert_eq!(sidecars.each_ref().map(|sidecar| sidecar.exists()), [false, true]);
    // Not what only has the name of one.
    let precious = folder.path().join("precious");
    std::fs::write(&precious, "precious").unwrap();
    std::fs::remove_file(&sidecars[1]).unwrap();
    std::os::unix::fs::symlink(&precious, &sidecars[1]).unwrap();
    send();
    assert!(!files[1].exists() && sidecars[1].is_symlink());
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
}

/// Entry `number`.
fn bytes(number: u64) -> Vec<u8> {
    let len = 1 + number.wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize % 3_000;
    vec![number as u8; len]
}

/// Not a test by itself: records until it is killed, and says so entry by entry.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FILE).map(PathBuf::from) else {
        return;
    };
    // A seam every few entries.
    let recorder = ring(&folder, 3, 9_000);
    let connection = sample::opened(&recorder);
    let mut out = std::io::stdout();
    for number in 1.. {
        let id = connection
            .data(Timestamp(number), Direction::Received, &bytes(number))
            .unwrap();
        if writeln!(out, "\nrecorded {}", id.0)
            .and_then(|()| out.flush())
            .is_err()
        {
            return;
        }
    }
}

fn record_and_kill(folder: &Path, patience: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ring::child", "--nocapture", "--test-threads=1"])
        .env(FILE, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut last = 0;
    for line in BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
    {
        let number = line
            .strip_prefix("recorded ")
            .and_then(|number| number.parse().ok());
        last = number.unwrap_or(last);
        if last >= patience {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    last
}

/// P14 at the seams: all that was said to be recorded and not to be removed is there, once, after `kill -9`.
#[test]
fn nothing_recorded_is_lost_by_a_kill_at_a_seam() {
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let last = record_and_kill(folder.path(), 1 + round * round * 3 % 200);
        assert!(last > 0, "the child recorded nothing");
        let files = on_disk(folder.path());
        // One more than the ring has while the next one is begun.
        assert!((1..=4).contains(&files.len()), "{files:?}");
        let mut expected: Option<u64> = None;
        for (place, path) in files.iter().enumerate() {
            let session = Session::open(path).unwrap();
            if place + 1 < files.len() {
                assert_eq!(session.cut(), 0, "only the last file can be cut");
            }
            if path.metadata().unwrap().len() == 0 {
                // It was just created.
                assert_eq!(place + 1, files.len());
                break;
            }
            assert!(expected.is_none_or(|expected| expected == session.first().0));
            for Line { entry, bytes: found } in sample::read_all(&session) {
                if entry.id.0 > 0 {
                    assert_eq!(found, bytes(entry.id.0), "round {round}, entry {}", entry.id.0);
                }
                expected = Some(entry.id.0 + 1);
            }
            expected = expected.max(Some(session.len()));
        }
        assert!(expected.unwrap() > last, "round {round}: {expected:?} of {last}");
    }
}
