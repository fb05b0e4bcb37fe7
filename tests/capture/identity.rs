//! What the reader of a growing file sees is what was recorded, in any part of it; and what is no entry is refused.

use proptest::prelude::*;
use sockscope::capture::{CaptureError, MAX_PAYLOAD, Session};
use sockscope::model::{Direction, EntryId, EntryKind, Records, RecordsError, Timestamp};

use super::sample::{self, Line};

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn neighbours_are_those_of_the_stream(steps in sample::steps(100)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        let recorder = sample::create(&path);
        let lines = sample::record(&recorder, &steps);
        for session in [recorder.reader(), Session::open(&path).unwrap()] {
            for at in 0..lines.len() {
                let found = session.surroundings(EntryId(at as u64)).unwrap();
                let found = (found.before.as_slice().to_vec(), found.after.as_slice().to_vec());
                prop_assert_eq!(found, sample::next_to(&lines, at), "entry {}", at);
            }
        }
    }

    #[test]
    fn a_payload_is_read_in_any_part(len in 1..=MAX_PAYLOAD, from in any::<u32>(), to in any::<u32>()) {
        let folder = tempfile::tempdir().unwrap();
        let recorder = sample::create(&folder.path().join("a.pcapng"));
        let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let id = sample::opened(&recorder).data(Timestamp(9), Direction::Sent, &bytes).unwrap();
        for (from, to) in [(from, to), (from % len as u32, to % len as u32)] {
            let end = (to as usize).min(len);
            let expected = &bytes[(from as usize).min(end)..end];
            prop_assert_eq!(recorder.reader().payload(id, from..to).unwrap(), expected);
        }
    }
}

#[test]
fn bytes_from_long_ago_are_found_through_the_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    let connection = sample::opened(&recorder);
    connection.data(Timestamp(1), Direction::Sent, b"ab\xc3").unwrap();
    for _ in 0..1000 {
        connection.data(Timestamp(2), Direction::Received, b"x").unwrap();
    }
    let id = connection.data(Timestamp(3), Direction::Sent, b"\xa9").unwrap();
    for session in [recorder.reader(), Session::open(&path).unwrap()] {
        assert_eq!(session.surroundings(id).unwrap().before.as_slice(), b"ab\xc3");
    }
}

#[test]
fn a_reader_follows_the_recorder() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let reader = recorder.reader();
    assert!(reader.is_empty());
    let connection = sample::opened(&recorder);
    for number in 1..300u64 {
        assert_eq!(reader.len(), number);
        assert_eq!(
            reader.entry(EntryId(number)),
            Err(RecordsError::Missing(EntryId(number)))
        );
        let bytes = number.to_be_bytes();
        assert_eq!(
            connection
                .data(Timestamp(number), Direction::Received, &bytes)
                .unwrap(),
            EntryId(number)
        );
        assert_eq!(reader.payload(EntryId(number), 0..8).unwrap(), bytes);
        assert_eq!(
            reader.surroundings(EntryId(number)).unwrap().after.as_slice(),
            b""
        );
        if number > 1 {
            let before = reader.surroundings(EntryId(number - 1)).unwrap();
            assert_eq!(before.after.as_slice(), &bytes[..3]);
        }
    }
}

#[test]
fn readers_and_the_recorder_do_not_disturb_each_other() {
    const ENTRIES: u64 = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let connection = sample::opened(&recorder);
    std::thread::scope(|scope| {
        for seed in 1..=2u64 {
            let reader = recorder.reader();
            scope.spawn(move || {
                let mut number = seed;
                while reader.len() <= ENTRIES {
                    number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // The open entry is number 0.
                    let id = EntryId(number >> 33).0 % reader.len();
                    let expected = if id == 0 {
                        Vec::new()
                    } else {
                        id.to_be_bytes().repeat(1 + id as usize % 40)
                    };
                    assert_eq!(reader.payload(EntryId(id), 0..u32::MAX).unwrap(), expected);
                    reader.surroundings(EntryId(id)).unwrap();
                }
            });
        }
        for number in 1..=ENTRIES {
            let bytes = number.to_be_bytes().repeat(1 + number as usize % 40);
            connection
                .data(Timestamp(number), Direction::Received, &bytes)
                .unwrap();
        }
    });
}

#[test]
fn what_is_no_entry_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let connection = sample::connect(&recorder);
    let data = |bytes: &[u8]| connection.data(Timestamp(1), Direction::Sent, bytes);
    assert!(matches!(data(b"early"), Err(CaptureError::NotOpen)));
    connection
        .event(Timestamp(2), &sample::open_kind("127.0.0.1:1", "127.0.0.1:2"))
        .unwrap();
    assert!(matches!(data(b""), Err(CaptureError::Empty)));
    assert!(matches!(
        data(&vec![0; MAX_PAYLOAD + 1]),
        Err(CaptureError::TooLong(65_496))
    ));
    assert!(matches!(
        connection.masked(Timestamp(1), 70_000),
        Err(CaptureError::TooLong(70_000))
    ));
    let kind = EntryKind::Data {
        direction: Direction::Sent,
    };
    assert!(matches!(
        connection.event(Timestamp(1), &kind),
        Err(CaptureError::Empty)
    ));
    assert!(data(&vec![0; MAX_PAYLOAD]).is_ok());
    assert_eq!(recorder.len(), 2);
}

#[test]
fn a_masked_send_leaves_no_byte_of_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    let connection = sample::opened(&recorder);
    let id = connection.masked(Timestamp(7), 6).unwrap();
    let lines: Vec<Line> = sample::read_all(&recorder.reader());
    assert_eq!(lines[id.0 as usize].bytes, b"******");
    let note = "the 6 bytes sent before this are hidden; asterisks stand for them";
    assert_eq!(
        lines[id.0 as usize + 1].entry.kind,
        EntryKind::Note { text: note.into() }
    );
}

#[test]
fn a_discarded_recording_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    recorder.discard().unwrap();
    assert!(!path.exists());
    recorder.discard().unwrap();
    std::fs::write(&path, "of somebody else").unwrap();
    assert!(matches!(recorder.discard(), Err(CaptureError::Replaced(_))));
    assert!(path.exists());
}
