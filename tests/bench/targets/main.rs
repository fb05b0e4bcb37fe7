//! The performance targets: `cargo bench --bench targets`. Each figure stands beside that of a program which does only
//! what the machine asks of anybody, measured in turn with it (A B A B), as medians and as their ratio.
//!
//! `cargo bench --bench targets -- --help` names the targets and the options. The peers, the programs that set the
//! limits and the measuring itself are one executable, which starts itself anew for each part.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot go on has no figure"
)]

mod arrivals;
mod content;
mod ends;
mod flood;
mod idle;
mod keys;
mod limits;
mod messages;
#[path = "../../support/peer.rs"]
mod peer;
mod process;
#[path = "../../support/pty.rs"]
mod pty;
mod reading;
#[path = "../../support/recording.rs"]
mod recording;
mod relay;
mod scope;
mod servers;
mod stats;
mod table;
mod terminal;
mod tls;

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

use table::Row;

/// The first argument of the executable when it starts itself.
const PART: &str = "part";

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// A flood, recorded while the screen is live
    T1,
    /// Small messages
    T2,
    /// From a key to its effect on the screen
    T3,
    /// From a byte's arrival to the screen
    T4,
    /// A connection on which nothing happens, and the start
    T5,
    /// Ten million entries
    T6,
    /// How much a tap relays
    T7,
    /// How much later a message arrives through a tap
    T8,
    /// A flood over TLS
    T9,
}

/// Measures the performance targets, each beside a program that does only what the machine asks of anybody
#[derive(Debug, Parser)]
#[command(name = "targets", bin_name = "cargo bench --bench targets --")]
struct Options {
    /// What to measure [default: all]
    #[arg(value_enum, ignore_case = true)]
    targets: Vec<Target>,

    /// Smaller and fewer: a first look, not a figure to quote
    #[arg(long)]
    quick: bool,

    /// Also a flood of 16 GiB
    #[arg(long, conflicts_with = "quick")]
    full: bool,

    /// How often each program runs [default: 3]
    #[arg(long, value_parser = clap::value_parser!(u32).range(3..))]
    runs: Option<u32>,

    /// Where the files are written [default: the build directory]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much is measured, and where.
struct Extent {
    /// How often each program runs.
    runs: u32,
    size: Size,
    /// For session files and those of the limits, one file at a time.
    folder: tempfile::TempDir,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Quick,
    Usual,
    Full,
}

impl Extent {
    fn of(options: &Options) -> Extent {
        let size = match (options.quick, options.full) {
            (true, _) => Size::Quick,
            (false, false) => Size::Usual,
            (false, true) => Size::Full,
        };
        // Not the system's directory for temporary files, which may be memory.
        let parent = options
            .dir
            .as_deref()
            .unwrap_or(Path::new(env!("CARGO_TARGET_TMPDIR")));
        Extent {
            runs: options.runs.unwrap_or(3),
            size,
            folder: tempfile::tempdir_in(parent).unwrap(),
        }
    }

    /// The directory of all files.
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// This many, or with `--quick` a part of them.
    fn scaled(&self, usual: u64, quick: u64) -> u64 {
        match self.size {
            Size::Quick => quick,
            Size::Usual | Size::Full => usual,
        }
    }
}

impl Target {
    fn measure(self, extent: &Extent) -> Vec<Row> {
        match self {
            Target::T1 => flood::measure(extent),
            Target::T2 => messages::measure(extent),
            Target::T3 => keys::measure(extent),
            Target::T4 => arrivals::measure(extent),
            Target::T5 => idle::measure(extent),
            Target::T6 => reading::measure(extent),
            Target::T7 => relay::throughput(extent),
            Target::T8 => relay::latency(extent),
            Target::T9 => tls::measure(extent),
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == PART) {
        let part: Vec<&str> = arguments[2..].iter().map(String::as_str).collect();
        return play(&part);
    }
    // Under `cargo test --benches` nothing is measured.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let options = Options::parse();
    let extent = Extent::of(&options);
    let all = Target::value_variants();
    let wanted = all
        .iter()
        .filter(|target| options.targets.is_empty() || options.targets.contains(target));
    println!("{}", table::head());
    for target in wanted {
        for row in target.measure(&extent) {
            println!("{row}");
        }
    }
    println!("{}", table::foot(&extent));
}

/// Plays the part that a parent process asked for.
fn play(part: &[&str]) {
    match part {
        ["flood", bytes] => servers::flood(bytes.parse().unwrap()),
        ["messages", count, rate] => servers::messages(count.parse().unwrap(), rate.parse().unwrap()),
        ["exchange", bytes] => ends::exchange_at(bytes.parse().unwrap()),
        ["exchange-with", address, bytes] => ends::exchange_from(address, bytes.parse().unwrap()),
        ["echo"] => ends::echo(),
        ["ask", address, count] => ends::asking(address, count.parse().unwrap()),
        ["take", address, bytes] => ends::take(address, bytes.parse().unwrap()),
        ["tee", target, file] => ends::tee(target, Path::new(file)),
        ["tls-flood", bytes] => tls::flood(bytes.parse().unwrap()),
        ["discard", address] => limits::take(address, None),
        ["record", address, file] => limits::take(address, Some(Path::new(file))),
        ["paint", pace] => limits::paint(pace.parse().unwrap(), None),
        ["paint", pace, address] => limits::paint(pace.parse().unwrap(), Some(address)),
        _ => panic!("no such part: {part:?}"),
    }
}
