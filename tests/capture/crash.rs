//! P14: whatever the recorder said is recorded is in the file after `kill -9`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sockscope::capture::Session;
use sockscope::model::{Direction, EntryId, Records, Timestamp};

use super::sample;

const ROUNDS: u64 = 30;
const FILE: &str = "SOCKSCOPE_TEST_CRASH";

/// Entry `number`: its bytes depend on nothing else, so that parent and child agree.
fn bytes(number: u64) -> Vec<u8> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let len = if number.is_multiple_of(5) {
        1 + mixed as usize % 65_495
    } else {
        1 + mixed as usize % 400
    };
    (0..len as u64)
        .map(|n| (mixed >> 8).wrapping_add(n) as u8)
        .collect()
}

fn direction(number: u64) -> Direction {
    if number.is_multiple_of(3) {
        Direction::Sent
    } else {
        Direction::Received
    }
}

/// Not a test by itself: records until it is killed, and says so entry by entry.
#[test]
fn child() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else {
        return;
    };
    let recorder = sample::create(&path);
    let connection = sample::opened(&recorder);
    let mut out = std::io::stdout();
    for number in 1.. {
        let id = connection
            .data(Timestamp(number), direction(number), &bytes(number))
            .unwrap();
        // Whoever reads the other end has gone only if the round is over.
        if writeln!(out, "\nrecorded {}", id.0)
            .and_then(|()| out.flush())
            .is_err()
        {
            return;
        }
    }
}

/// Lets a child record, kills it when it has recorded `patience` entries, and returns the last it spoke of.
fn record_and_kill(path: &Path, patience: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut last = 0;
    for line in BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
    {
        if let Some(number) = line
            .strip_prefix("recorded ")
            .and_then(|number| number.parse().ok())
        {
            last = number;
        }
        if last == patience {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    last
}

#[test]
fn nothing_recorded_is_lost_by_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        let path = folder.path().join(format!("{round}.pcapng"));
        let last = record_and_kill(&path, 1 + round * round * 7 % 500);
        assert!(last > 0, "the child recorded nothing");
        let session = Session::open(&path).unwrap();
        assert!(
            session.len() > last,
            "round {round}: {} of {last} entries",
            session.len()
        );
        for number in 1..session.len() {
            let entry = session.entry(EntryId(number)).unwrap();
            assert_eq!(entry.direction(), Some(direction(number)));
            assert_eq!(
                session.payload(entry.id, 0..u32::MAX).unwrap(),
                bytes(number),
                "entry {number}"
            );
        }
        std::fs::remove_file(&path).unwrap();
    }
}
