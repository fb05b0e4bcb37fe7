//! T3: from a key to its effect on the screen, while a peer floods and while nothing else happens.

use std::collections::VecDeque;
use std::fs;
use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Extent;
use crate::limits::Pace;
use crate::peer::{self, Numbers};
use crate::process::Part;
use crate::scope::{QUIT, Scope, painter};
use crate::servers::Server;
use crate::stats::percentile;
use crate::table::{Row, Unit, Wanted};
use crate::terminal::{Tape, Terminal};

/// Milliseconds between two keys: a key that is held down comes thirty times a second, and people type slower.
const FLOODED: Range<u64> = 20..50;
const RESTING: Range<u64> = 25..90;

/// Keys that fit the input line together; then it is emptied.
const LINE: u64 = 150;

/// The key that empties the input line.
const KILL: &str = "\x15";

/// Measures it.
pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let mut flooded = [Vec::new(), Vec::new()];
    let mut idle = [Vec::new(), Vec::new()];
    for run in 0..extent.runs {
        let mut numbers = Numbers(u64::from(run));
        flooded[0].push(under_flood(extent, &mut numbers));
        flooded[1].push(limit_under_flood(extent, &mut numbers));
        idle[0].push(at_rest(extent, &mut numbers));
        idle[1].push(limit_at_rest(extent, &mut numbers));
    }
    let row = |what, part, runs: &[Vec<Vec<f64>>; 2], wanted| {
        let [ours, limit] = runs;
        let of = |runs: &[Vec<f64>]| runs.iter().map(|run| percentile(run, part)).collect();
        Row {
            what,
            unit: Unit::Millis,
            ours: of(ours),
            limit: of(limit),
            wanted,
        }
    };
    vec![
        row("T3 key to paint under flood, p50", 50, &flooded, Wanted::Nothing),
        row(
            "T3 key to paint under flood, p99",
            99,
            &flooded,
            Wanted::Within(20.0),
        ),
        row("T3 key to paint at rest, p50", 50, &idle, Wanted::Within(1.0)),
        row("T3 key to paint at rest, p99", 99, &idle, Wanted::Nothing),
    ]
}

fn under_flood(extent: &Extent, numbers: &mut Numbers) -> Vec<f64> {
    let server = Server::endless();
    let mut scope = Scope::start(extent.folder(), &server.address);
    scope.terminal.wait_text("● open");
    let typed = type_keys(&mut scope.terminal, extent.scaled(150, 60), &FLOODED, numbers);
    latencies(&scope.finish().tape, typed)
}

fn at_rest(extent: &Extent, numbers: &mut Numbers) -> Vec<f64> {
    let peer = peer::sends(b"hello\n".to_vec());
    let mut scope = Scope::start(extent.folder(), &peer.target);
    scope.terminal.wait_text("● open");
    let typed = type_keys(&mut scope.terminal, extent.scaled(150, 60), &RESTING, numbers);
    latencies(&scope.finish().tape, typed)
}

/// A screen that paints every key at once, beside a receiver that takes the flood.
fn limit_under_flood(extent: &Extent, numbers: &mut Numbers) -> Vec<f64> {
    let server = Server::endless();
    let file = extent.folder().join("limit");
    let receiver = Part::start(&["record", &server.address, file.to_str().unwrap()]);
    let mut screen = painter(extent.folder(), Pace::Frames, None);
    screen.wait_text("aaaa");
    let typed = type_keys(&mut screen, extent.scaled(150, 60), &FLOODED, numbers);
    let tape = screen.finish(QUIT).tape;
    drop((server, receiver));
    fs::remove_file(file).unwrap();
    latencies(&tape, typed)
}

fn limit_at_rest(extent: &Extent, numbers: &mut Numbers) -> Vec<f64> {
    let mut screen = painter(extent.folder(), Pace::Clock, None);
    screen.wait_text("aaaa");
    let typed = type_keys(&mut screen, extent.scaled(150, 60), &RESTING, numbers);
    latencies(&screen.finish(QUIT).tape, typed)
}

/// A key that was typed, and what the input line then holds.
struct Typed {
    at: Instant,
    line: String,
}

/// Types letters at random distances, which do not wait for the screen.
fn type_keys(
    terminal: &mut Terminal,
    count: u64,
    apart: &Range<u64>,
    numbers: &mut Numbers,
) -> VecDeque<Typed> {
    let mut line = String::new();
    let mut typed = VecDeque::new();
    for number in 0..count {
        sleep(Duration::from_micros(
            1000 * apart.start + numbers.below(1000 * (apart.end - apart.start)),
        ));
        if number % LINE == LINE - 1 {
            line.clear();
            terminal.send(KILL);
            continue;
        }
        let key = char::from(b'a' + numbers.below(26) as u8);
        line.push(key);
        let at = terminal.send(&key.to_string());
        typed.push_back(Typed {
            at,
            line: format!("│ > {line}"),
        });
    }
    // The last one has to be painted before the program is ended.
    terminal.wait_text(&format!("│ > {line}"));
    typed
}

/// How long each key took to show, in milliseconds.
fn latencies(tape: &Tape, mut typed: VecDeque<Typed>) -> Vec<f64> {
    let mut latencies = Vec::new();
    tape.replay(|screen, at| {
        // The input pane is the lowest.
        let rows: Vec<String> = screen.rows(0, 200).skip(40).collect();
        while let Some(next) = typed.front().filter(|next| next.at < at)
            && rows.iter().any(|row| row.starts_with(&next.line))
        {
            latencies.push((at - next.at).as_secs_f64() * 1000.0);
            typed.pop_front();
        }
    });
    assert!(typed.is_empty(), "{} keys never showed", typed.len());
    latencies
}
