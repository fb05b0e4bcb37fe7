//! P15: every cut or flipped file opens up to the first thing that is wrong, and stays as it is.

use std::path::{Path, PathBuf};

use sockscope::capture::{CaptureError, Recorder, Session};
use sockscope::model::{Direction, End, EndHow, EntryId, EntryKind, Records, Side, Timestamp};

use super::sample::{self, Line};

/// A small session with a block of every kind, and where the file ended after each entry.
fn small(recorder: &Recorder) -> Vec<u64> {
    let mut ends = Vec::new();
    let connection = sample::connect(recorder);
    let note = EntryKind::Note {
        text: "dialing".into(),
    };
    let end = End {
        by: Side::Local,
        how: EndHow::Fin,
        errno: None,
    };
    let mut push = |result: Result<EntryId, CaptureError>| {
        result.unwrap();
        ends.push(recorder.size());
    };
    push(connection.event(Timestamp(1), &note));
    push(connection.event(Timestamp(2), &sample::open_kind("[::1]:1", "[::1]:2")));
    for len in 1..20u8 {
        let direction = if len % 3 == 0 {
            Direction::Sent
        } else {
            Direction::Received
        };
        push(connection.data(Timestamp(3), direction, &vec![len; usize::from(len)]));
    }
    push(connection.gap(Timestamp(4), Direction::Received, 100));
    push(connection.event(Timestamp(5), &EntryKind::HalfClose { by: Side::Peer }));
    push(connection.event(Timestamp(6), &EntryKind::Close(end)));
    ends
}

struct Small {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
    ends: Vec<u64>,
    lines: Vec<Line>,
}

impl Small {
    fn new() -> Small {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("whole.pcapng");
        let recorder = sample::create(&path);
        let ends = small(&recorder);
        Small {
            bytes: std::fs::read(&path).unwrap(),
            ends,
            lines: sample::read_all(&recorder.reader()),
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("damaged.pcapng")
    }

    /// How many entries lie wholly before `offset`.
    fn entries_before(&self, offset: u64) -> usize {
        self.ends.iter().filter(|end| **end <= offset).count()
    }
}

/// Opens, reads everything, and checks that the file was left alone.
fn open(path: &Path, bytes: &[u8]) -> Result<(Session, usize), CaptureError> {
    std::fs::write(path, bytes).unwrap();
    let opened = Session::open(path);
    let result = opened.map(|session| {
        let entries = sample::read_all(&session).len();
        for number in 0..entries as u64 {
            session.surroundings(EntryId(number)).unwrap();
        }
        (session, entries)
    });
    assert_eq!(std::fs::read(path).unwrap(), bytes, "the file was modified");
    result
}

#[test]
fn a_file_cut_anywhere_opens_to_the_last_whole_block() {
    let small = Small::new();
    for len in 0..=small.bytes.len() {
        let (session, entries) = open(&small.path(), &small.bytes[..len]).unwrap();
        assert_eq!(entries, small.entries_before(len as u64), "cut at {len}");
        assert_eq!(sample::read_all(&session), small.lines[..entries]);
        // What is cut is less than a block: at most an opening's three packets.
        let whole = len as u64 - session.cut();
        assert!(
            session.cut() < 400 && small.entries_before(whole) == entries,
            "cut at {len}"
        );
    }
}

#[test]
fn a_flipped_bit_costs_only_what_follows() {
    let small = Small::new();
    let mut refused = 0;
    for at in 0..small.bytes.len() {
        let mut bytes = small.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        match open(&small.path(), &bytes) {
            Ok((session, entries)) => {
                let untouched = small.entries_before(at as u64);
                assert!(entries >= untouched, "flip at {at}");
                assert_eq!(sample::read_all(&session)[..untouched], small.lines[..untouched]);
            }
            Err(error) => {
                assert!(
                    matches!(error, CaptureError::Foreign { .. }),
                    "flip at {at}: {error}"
                );
                refused += 1;
            }
        }
    }
    // Only the bytes that say whose file it is: magic numbers, lengths, the name of the program.
    assert!(refused < 80, "{refused} flips were refused");
}

#[test]
fn rubbish_behind_the_last_block_is_cut() {
    let small = Small::new();
    for rubbish in [&b"\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"x", &[0xff; 5000]] {
        let bytes = [&small.bytes, rubbish].concat();
        let (session, entries) = open(&small.path(), &bytes).unwrap();
        assert_eq!(
            (session.cut(), entries),
            (rubbish.len() as u64, small.lines.len())
        );
    }
}

#[test]
fn other_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let check = |bytes: &[u8], why: &str| {
        let error = open(&path, bytes).expect_err("it is not ours").to_string();
        assert_eq!(
            error,
            format!("{} is not a sockscope recording: {why}", path.display())
        );
    };
    check(b"hello", "it begins as no capture does");
    check(b"he", "it begins as no capture does");
    check(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], "another program wrote it");
    check(&[0x1f, 0x8b, 8, 0, 0], "it is compressed");
    let section = |order: [u8; 4], options: &[u8]| {
        let len = (28 + options.len() as u32).to_le_bytes();
        let fields: [&[u8]; 7] = [
            &[10, 13, 13, 10],
            &len,
            &order,
            &[1, 0, 0, 0],
            &[0xff; 8],
            options,
            &len,
        ];
        fields.concat()
    };
    check(
        &section([0x4d, 0x3c, 0x2b, 0x1a], &[]),
        "another program wrote it",
    );
    check(
        &section([0x4d, 0x3c, 0x2b, 0x1a], b"\x04\0\x04\0dump"),
        "another program wrote it",
    );
    check(
        &section([0x1a, 0x2b, 0x3c, 0x4d], &[]),
        "another program wrote it",
    );
    let error = Session::open(folder.path()).expect_err("a directory").to_string();
    assert!(
        error.ends_with("is not a sockscope recording: it is not a regular file"),
        "{error}"
    );
    let error = Session::open(&folder.path().join("none"))
        .expect_err("nothing")
        .to_string();
    assert!(
        error.starts_with("cannot open") && error.ends_with("No such file or directory"),
        "{error}"
    );
}
