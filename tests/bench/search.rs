//! How fast the whole log is searched and filtered, beside `grep -c -a -F` on the same cached file (TARGETS T6):
//! `cargo bench --bench search [-- DIRECTORY]`. The two sessions of some GiB are written to DIRECTORY, by default the
//! temporary one, and removed at the end.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

#[path = "../support/recording.rs"]
mod recording;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sockscope::capture::{Connection, Highlights, Scan, ScanState, Session, Sought};
use sockscope::model::{Direction, EntryId, Query, Records, Reference, Timestamp};
use sockscope::text::Pattern;

use recording::{next, small_messages};

/// Entries of the session of large reads: 2 GiB.
const LARGE: u64 = 32_800;
/// Entries of the session of small messages.
const SMALL: u64 = 10_000_000;

/// What is looked for: text that is nowhere but near the end, text in any case, expressions, bytes.
const PATTERNS: &[&str] = &[
    "NEEDLE-7f3a",
    "needle-7f3a",
    "re:NEEDLE-[0-9a-f]{4}",
    "re:^NEEDLE",
    "hex:4e4545444c45??37",
];

/// What is filtered.
const QUERIES: &[&str] = &[
    "dir:rx and size>100 and re:ERR",
    "dir:tx",
    "size>0",
    "not NEEDLE-7f3a",
];

fn main() {
    // Under `cargo test --benches` nothing is measured and nothing this long is run.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let folder = arguments.iter().find(|argument| !argument.starts_with('-'));
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    for (name, write) in [("large", large as fn(&Connection)), ("small", small)] {
        let path = folder.join(format!("sockscope-bench-{name}.pcapng"));
        let session = session(&path, write);
        println!(
            "{name}: {} entries in {:.2} GiB",
            session.len(),
            std::fs::metadata(&path).unwrap().len() as f64 / f64::from(1 << 30)
        );
        let grep = median(|| grep(&path));
        println!(
            "  grep -c -a -F                            {:>8.0} ms",
            millis(grep)
        );
        for typed in PATTERNS {
            let pattern = Pattern::parse(typed).unwrap();
            measure(&session, typed, &Sought::Pattern(pattern), grep);
        }
        for typed in QUERIES {
            let reference = Reference::default();
            let query = Query::parse(typed, &reference).unwrap();
            measure(&session, typed, &Sought::Query(query), grep);
        }
        asking(&session);
        std::fs::remove_file(&path).unwrap();
    }
    println!("resident: {} MiB at most", resident() >> 10);
}

/// Times of the calls that a screen makes, with a bit set for every entry.
fn asking(session: &Session) {
    let query = Query::parse("size>0", &Reference::default()).unwrap();
    let scan = Scan::start(session.clone(), Sought::Query(query));
    finish(&scan);
    let hits_found = scan.hits();
    let (middle, count) = (EntryId(session.len() / 2), hits_found.count());
    let start = Instant::now();
    for _ in 0..100 {
        let rank = hits_found.rank(middle);
        assert!(hits_found.nth(rank).is_some() && hits_found.next_after(middle).is_some());
        assert!(hits_found.prev_before(middle).is_some() && hits_found.nth(count - 1).is_some());
    }
    println!(
        "  rank, nth, next, previous, last          {:>8.1} µs",
        start.elapsed().as_secs_f64() * 1e4
    );
    let pattern = Pattern::parse("re:E+R*").unwrap();
    let start = Instant::now();
    for id in middle.0..middle.0 + 50 {
        Highlights::new(session, &pattern).of(EntryId(id)).unwrap();
    }
    println!(
        "  highlights of 50 entries                 {:>8.1} ms",
        millis(start.elapsed())
    );
}

fn measure(session: &Session, typed: &str, sought: &Sought, grep: Duration) {
    let mut found = 0;
    let took = median(|| {
        let start = Instant::now();
        let scan = Scan::start(session.clone(), sought.clone());
        found = finish(&scan);
        start.elapsed()
    });
    println!(
        "  {typed:<40} {:>8.0} ms  {:.2} x grep's speed  {found} hits",
        millis(took),
        grep.as_secs_f64() / took.as_secs_f64()
    );
}

fn finish(scan: &Scan) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut reports = scan.reports();
    let report = runtime.block_on(reports.wait_for(|report| report.state != ScanState::Scanning));
    report.unwrap().hits
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times = [measure(), measure(), measure()];
    times.sort_unstable();
    times[1]
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

fn grep(path: &Path) -> Duration {
    let start = Instant::now();
    let status = Command::new("grep")
        .args(["-c", "-a", "-F", "NEEDLE-7f3a"])
        .arg(path)
        .stdout(std::process::Stdio::null())
        .env("LC_ALL", "C")
        .status()
        .unwrap();
    assert!(status.success());
    start.elapsed()
}

/// The most memory that this process had (`VmHWM`), in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn session(path: &Path, write: fn(&Connection)) -> Session {
    let (recorder, connection) = recording::begin(path);
    write(&connection);
    recorder.reader()
}

fn small(connection: &Connection) {
    small_messages(connection, SMALL);
}

/// Reads of the largest size: lines of a log, with one needle near the end that spans two of them.
fn large(connection: &Connection) {
    let mut random = 1u64;
    let mut bytes = Vec::with_capacity(65_495);
    while bytes.len() < 65_495 {
        bytes.extend(
            format!(
                "{:08} GET /index/{} HTTP/1.1 {}\r\n",
                bytes.len(),
                next(&mut random) % 10_000,
                next(&mut random)
            )
            .bytes(),
        );
    }
    bytes.truncate(65_495);
    for number in 0..LARGE {
        let at = number as usize % 60_000;
        bytes[at] = bytes[at].wrapping_add(1);
        let mut special = bytes.clone();
        if number == LARGE - 3 {
            special[100..111].copy_from_slice(b"NEEDLE-7f3a");
            special[65_490..].copy_from_slice(b"NEEDL");
        }
        if number == LARGE - 2 {
            special[..6].copy_from_slice(b"E-7f3a");
        }
        connection
            .data(Timestamp(number * 1000), Direction::Received, &special)
            .unwrap();
    }
}
