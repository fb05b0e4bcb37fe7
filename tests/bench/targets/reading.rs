//! T6: a recording of ten million entries: opened, paged, searched. The limits: `cat` and `grep` on the same cached
//! file, and for the cost of a frame a recording of a thousand entries.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process::cpu_so_far;
use crate::recording::{self, NEEDLE, small_messages};
use crate::scope::QUIT;
use crate::stats::{largest, percentile};
use crate::table::{Row, Unit, Wanted};
use crate::terminal::Terminal;
use crate::{Extent, pty};

/// Entries of the recording that every frame is compared with.
const FEW: u64 = 1000;

/// Between two keys: the last frame is over by then.
const APART: Duration = Duration::from_millis(30);

/// Keys that jump and page, whose frames differ from what was there before.
const JUMPS: &[&str] = &[
    "g", "G", "\x1b[5~", "\x1b[5~", "g", " ", " ", "G", "\x15", "g", "\x04",
];

/// Measures it.
pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let entries = extent.scaled(10_000_000, 1_000_000);
    let (many, few) = (extent.folder().join("many"), extent.folder().join("few"));
    for (path, entries) in [(&many, entries), (&few, FEW)] {
        let (_recorder, connection) = recording::begin(path);
        small_messages(&connection, entries);
    }
    let size = fs::metadata(&many).unwrap().len() as f64 / f64::from(1 << 30);
    let mut figures = Figures::default();
    for _ in 0..extent.runs {
        figures.cat.push(size / cat(&many));
        figures.grep.push(size / grep(&many));
        let mut reader = Reader::start(extent.folder(), &many);
        figures.first.push(reader.first());
        figures.indexing.push(size / reader.indexed(entries));
        figures.jumps.extend(reader.jumps());
        figures.frame.push(reader.frame_cost());
        figures.search.push(size / reader.search());
        figures.while_searching.extend(reader.keys_while_searching());
        figures.while_filtering.extend(reader.keys_while_filtering());
        figures.memory.push(reader.terminal.finish(QUIT).peak_memory);
        let mut reader = Reader::start(extent.folder(), &few);
        reader.indexed(FEW);
        figures.frame_of_few.push(reader.frame_cost());
        reader.terminal.finish(QUIT);
    }
    for path in [many, few] {
        fs::remove_file(path).unwrap();
    }
    figures.rows(extent)
}

/// What all runs took.
#[derive(Default)]
struct Figures {
    cat: Vec<f64>,
    grep: Vec<f64>,
    first: Vec<f64>,
    indexing: Vec<f64>,
    jumps: Vec<f64>,
    while_filtering: Vec<f64>,
    while_searching: Vec<f64>,
    search: Vec<f64>,
    frame: Vec<f64>,
    frame_of_few: Vec<f64>,
    memory: Vec<f64>,
}

impl Figures {
    fn rows(self, extent: &Extent) -> Vec<Row> {
        let row = |what, unit, ours, limit, wanted| Row {
            what,
            unit,
            ours,
            limit,
            wanted,
        };
        let least = |part| vec![percentile(&self.jumps, part)];
        vec![
            row(
                "T6 start to first entries",
                Unit::Millis,
                self.first,
                vec![],
                Wanted::Within(100.0),
            ),
            row(
                "T6 indexing, beside cat",
                Unit::GibPerSecond,
                self.indexing,
                self.cat,
                Wanted::AtLeast(0.5),
            ),
            row(
                "T6 jump or page to paint, p50",
                Unit::Millis,
                least(50),
                vec![],
                Wanted::Nothing,
            ),
            row(
                "T6 jump or page to paint, longest",
                Unit::Millis,
                vec![largest(&self.jumps)],
                vec![],
                Wanted::Within(16.0),
            ),
            row(
                "T6 key to paint while filtering, longest",
                Unit::Millis,
                vec![largest(&self.while_filtering)],
                vec![],
                Wanted::Within(16.0),
            ),
            row(
                "T6 key to paint while searching, longest",
                Unit::Millis,
                vec![largest(&self.while_searching)],
                vec![],
                Wanted::Within(16.0),
            ),
            row(
                "T6 literal search, beside grep -c -a -F",
                Unit::GibPerSecond,
                self.search,
                self.grep,
                Wanted::AtLeast(0.5),
            ),
            row(
                "T6 CPU of a frame, beside 1,000 entries",
                Unit::CpuMillis,
                self.frame,
                self.frame_of_few,
                Wanted::AtMost(1.1),
            ),
            row(
                "T6 resident memory",
                Unit::Mebibytes,
                self.memory,
                vec![],
                Wanted::Within(extent.scaled(128, 64) as f64),
            ),
        ]
    }
}

/// sockscope with a recording.
struct Reader {
    terminal: Terminal,
    _home: tempfile::TempDir,
}

impl Reader {
    fn start(folder: &Path, file: &Path) -> Reader {
        let home = tempfile::tempdir_in(folder).unwrap();
        let mut command = pty::command(env!("CARGO_BIN_EXE_sockscope"), home.path());
        command.args(["open", "--view", "both", file.to_str().unwrap()]);
        Reader {
            terminal: Terminal::start(command),
            _home: home,
        }
    }

    /// Milliseconds from the start until entries are on the screen.
    fn first(&self) -> f64 {
        millis(self.terminal.wait_text("#20") - self.terminal.started)
    }

    /// Seconds from the start until all entries are known.
    fn indexed(&self, entries: u64) -> f64 {
        // The connection is an entry too.
        let at = self
            .terminal
            .wait_text(&format!("{} entries", grouped(entries + 1)));
        (at - self.terminal.started).as_secs_f64()
    }

    /// Types a key once everything is still; milliseconds until its frame is complete.
    fn key(&mut self, key: &str) -> f64 {
        sleep(APART);
        let at = self.terminal.send(key);
        millis(self.terminal.wait_frame(at) - at)
    }

    fn jumps(&mut self) -> Vec<f64> {
        let mut took: Vec<f64> = JUMPS.iter().map(|key| self.key(key)).collect();
        // The palette is open before the key that jumps.
        self.key(":500000");
        took.push(self.key("\r"));
        took
    }

    /// CPU milliseconds of a key and its frame.
    fn frame_cost(&mut self) -> f64 {
        const KEYS: u32 = 100;
        self.key("G");
        let before = cpu_so_far(self.terminal.pid);
        for number in 0..KEYS {
            self.key(if number % 2 == 0 { "\x1b[5~" } else { " " });
        }
        millis(cpu_so_far(self.terminal.pid).saturating_sub(before)) / f64::from(KEYS)
    }

    /// Seconds until a text that stands near the end is found and nothing is left to be searched.
    fn search(&mut self) -> f64 {
        self.key("g");
        self.key(&format!("/{NEEDLE}"));
        sleep(APART);
        let at = self.terminal.send("\r");
        let found = self.terminal.wait_text(&format!("{NEEDLE}: 1 of 1 "));
        (found - at).as_secs_f64()
    }

    /// Searches for what nearly every message has and none has whole, which takes long, and moves about meanwhile.
    fn keys_while_searching(&mut self) -> Vec<f64> {
        self.key("g");
        self.key("/re:(?i)value:[0-9]+Q|key:[0-9]+Q");
        sleep(APART);
        self.terminal.send("\r");
        // The progress tells that it goes on: before the first key, and still behind the last.
        self.terminal.wait_text(" %");
        let taken = [" ", " ", "\x1b[5~", "j", "k", " "].map(|key| self.key(key));
        self.terminal.wait_text(" %");
        self.key("\x1b");
        taken.to_vec()
    }

    /// Filters what every message passes, and moves about meanwhile.
    fn keys_while_filtering(&mut self) -> Vec<f64> {
        self.key("g");
        self.key("fre:[0-9]");
        sleep(APART);
        self.terminal.send("\r");
        let taken = [" ", " ", "\x1b[5~", "j", "k", " "].map(|key| self.key(key));
        taken.to_vec()
    }
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

/// Digits in groups of three, as the screen writes them.
fn grouped(number: u64) -> String {
    sockscope::text::format::count(number)
}

/// Seconds that `cat` takes for the file.
fn cat(path: &Path) -> f64 {
    seconds(Command::new("cat").arg(path).stdout(Stdio::null()))
}

/// Seconds that `grep` takes to count the needles.
fn grep(path: &Path) -> f64 {
    // Into a pipe: with nobody to read its count, grep would end at the first line.
    let mut grep = Command::new("grep");
    let grep = grep.args(["-c", "-a", "-F", NEEDLE]).arg(path).env("LC_ALL", "C");
    seconds(grep.stdout(Stdio::piped()))
}

fn seconds(command: &mut Command) -> f64 {
    let start = Instant::now();
    let done = command.spawn().unwrap().wait_with_output().unwrap();
    assert!(done.status.success());
    start.elapsed().as_secs_f64()
}
