//! Reads that are larger than an entry: the file is the same as if each entry had been recorded by itself.

use std::fs;

use proptest::prelude::*;
use sockscope::capture::{Create, Existing, MAX_PAYLOAD, Recorder, Session};
use sockscope::model::{Direction, Records as _, Timestamp};

use super::sample;

/// Which way, and how many bytes.
fn reads() -> impl Strategy<Value = Vec<(bool, usize)>> {
    proptest::collection::vec((any::<bool>(), 1..4 * MAX_PAYLOAD), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_recorded_at_once_are_those_recorded_one_by_one(reads in reads()) {
        let folder = tempfile::tempdir().unwrap();
        let names = ["one-by-one.pcapng", "at-once.pcapng"].map(|name| folder.path().join(name));
        let recorders = names.each_ref().map(|path| sample::create(path));
        let [single, several] = recorders.each_ref().map(sample::opened);
        for (number, (sent, len)) in (0u64..).zip(reads) {
            let direction = if sent { Direction::Sent } else { Direction::Received };
            let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8 ^ number as u8).collect();
            for part in bytes.chunks(MAX_PAYLOAD) {
                single.data(Timestamp(number), direction, part).unwrap();
            }
            let first = several.data_at_once(Timestamp(number), direction, &bytes).unwrap();
            prop_assert!(first.is_some());
        }
        let [a, b] = recorders.each_ref().map(|recorder| sample::read_all(&recorder.reader()));
        prop_assert_eq!(a, b);
        prop_assert!(fs::read(&names[0]).unwrap() == fs::read(&names[1]).unwrap());
    }
}

#[test]
fn what_does_not_fit_as_a_whole_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let create = Create {
        path: folder.path().join("a.pcapng"),
        existing: Existing::Refuse,
        max_size: Some(200_000),
    };
    let recorder = Recorder::create(&create).unwrap();
    let connection = sample::opened(&recorder);
    let before = (recorder.size(), recorder.len());
    let bytes = vec![7; 4 * MAX_PAYLOAD];
    let none = connection
        .data_at_once(Timestamp(1), Direction::Received, &bytes)
        .unwrap();
    assert_eq!((none, (recorder.size(), recorder.len())), (None, before));
    // A part of it does, and goes on where the stream was.
    let some = connection
        .data_at_once(Timestamp(1), Direction::Received, &bytes[..2 * MAX_PAYLOAD])
        .unwrap();
    assert_eq!(some.map(|entry| entry.0), Some(before.1));
    let session = Session::open(recorder.path()).unwrap();
    assert_eq!((session.cut(), session.len()), (0, before.1 + 2));
    assert_eq!(sample::read_all(&session), sample::read_all(&recorder.reader()));
}
