//! The kernel's time stamps of entries: learnt later, kept in the recording, and taken along by exports.

use std::fs;

use sockscope::capture::{Existing, Export, Order, Recorder, Ring, Session, Target, Wording};
use sockscope::model::{
    Direction, EntryId, ExportFormat, ExportState, Portion, Purpose, Records as _, Role, Stamped, Stamps,
    Timestamp,
};
use sockscope::text::Policy;

use super::sample;

/// When every entry happens.
const AT: Timestamp = Timestamp(1_000_000);

/// A sent entry that was acknowledged so many nanoseconds later.
fn acknowledged(entry: u64, after: u64) -> Stamped {
    Stamped {
        entry: EntryId(entry),
        at: AT,
        stamps: Stamps {
            queued: Some(Timestamp(AT.0 - 500)),
            acknowledged: Some(Timestamp(AT.0 + after)),
            ..Stamps::default()
        },
    }
}

#[test]
fn stamps_are_learnt_later_and_change_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    let connection = sample::opened(&recorder);
    let say = || connection.data(AT, Direction::Sent, b"x").unwrap();
    let first = say().0;
    assert!(!recorder.reader().has_stamps());
    for _ in 0..600 {
        say();
    }
    // In any order, far apart, and some of them again.
    let late = [
        acknowledged(first + 500, 7),
        acknowledged(first, 1),
        acknowledged(first + 499, 8),
    ];
    connection.stamp(late.to_vec()).unwrap();
    connection.stamp(vec![acknowledged(first, 9)]).unwrap();
    // Of an entry that is not there yet nothing can be known.
    connection.stamp(vec![acknowledged(first + 5000, 3)]).unwrap();
    let after = say().0;
    let expected = |number: u64| match number - first {
        500 => Some(late[0].stamps),
        0 => Some(acknowledged(first, 9).stamps),
        499 => Some(late[2].stamps),
        _ => None,
    };
    let read = Session::open(&path).unwrap();
    assert_eq!((read.len(), read.cut(), read.has_stamps()), (after + 1, 0, true));
    for number in first..=after {
        for session in [&recorder.reader(), &read] {
            assert_eq!(session.stamps(EntryId(number)), expected(number), "{number}");
            assert_eq!(session.payload(EntryId(number), 0..9).unwrap(), b"x");
        }
    }
}

#[test]
fn each_file_of_a_ring_has_those_of_its_entries() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring {
        files: 2,
        each: 70_000,
        offset: 0,
    };
    let base = folder.path().join("trace.pcapng");
    let recorder = Recorder::create_ring(&base, ring, Timestamp(0)).unwrap();
    let endpoint = "tcp://127.0.0.1:1".parse().unwrap();
    let connection = recorder.connection(AT, &endpoint, Role::Client).unwrap();
    let ends = ("127.0.0.1:2".parse().unwrap(), "127.0.0.1:1".parse().unwrap());
    let (local, remote) = ends;
    let open = sockscope::model::EntryKind::Open { local, remote };
    connection.event(AT, &open).unwrap();
    let bytes = vec![7; 40_000];
    let numbers: Vec<u64> = (0..4)
        .map(|_| connection.data(AT, Direction::Sent, &bytes).unwrap().0)
        .collect();
    // The first ones went with their files, and the last two are in two.
    let stamped = numbers.iter().map(|number| acknowledged(*number, *number));
    connection.stamp(stamped.collect()).unwrap();
    let known = |session: &Session| -> Vec<u64> {
        let known = numbers
            .iter()
            .filter(|number| session.stamps(EntryId(**number)).is_some());
        known.copied().collect()
    };
    assert_eq!(known(&recorder.reader()), numbers[2..]);
    let files = recorder.files();
    let read: Vec<u64> = files
        .iter()
        .flat_map(|path| known(&Session::open(path).unwrap()))
        .collect();
    assert_eq!(read, numbers[2..]);
}

#[test]
fn an_export_takes_them_along() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let connection = sample::opened(&recorder);
    let number = connection.data(AT, Direction::Sent, b"hello").unwrap().0;
    connection.stamp(vec![acknowledged(number, 21_800_000)]).unwrap();
    let export = |format, name: &str| {
        let path = folder.path().join(name);
        let order = Order {
            portion: Portion::All,
            format,
            wording: Wording {
                policy: Policy::default(),
                offset: 0,
                purpose: Purpose::Reading,
                connections: false,
            },
            target: Target::File {
                path: path.clone(),
                existing: Existing::Refuse,
            },
        };
        let report = Export::start(recorder.reader(), order).join();
        assert!(matches!(report.state, ExportState::Done(_)), "{report:?}");
        path
    };
    let text = fs::read_to_string(export(ExportFormat::Text, "text")).unwrap();
    assert!(text.contains("  # queued → acknowledged +21.8 ms\n"), "{text}");
    let json = fs::read_to_string(export(ExportFormat::Jsonl, "json")).unwrap();
    let stamps = r#""stamps":{"queued_ns":-500,"acknowledged_ns":21800000}"#;
    assert_eq!(json.matches(stamps).count(), 1, "{json}");
    let capture = export(ExportFormat::Pcapng, "again.pcapng");
    let again = Session::open(&capture).unwrap();
    assert_eq!(
        again.stamps(EntryId(number)),
        Some(acknowledged(number, 21_800_000).stamps)
    );
    let bytes = String::from_utf8_lossy(&fs::read(&capture).unwrap()).into_owned();
    assert!(bytes.contains("queued → acknowledged +21.8 ms"));
}
