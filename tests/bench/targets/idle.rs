//! T5: what an open connection costs on which nothing happens, and how long the start takes.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::Extent;
use crate::limits::Pace;
use crate::peer;
use crate::process::{cpu_so_far, wake_ups};
use crate::scope::{QUIT, Scope, painter};
use crate::table::{Row, Unit, Wanted};
use crate::terminal::{Tape, Terminal};

/// What is first on the screen when the connection is open.
const OPEN: &str = "● open";

/// Measures it.
pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let mut costs = [Idle::default(), Idle::default()];
    for _ in 0..extent.runs {
        let peer = peer::sends(b"hello\n".to_vec());
        let scope = Scope::start(extent.folder(), &peer.target);
        costs[0].watch(extent, &scope.terminal);
        scope.finish();
        let peer = peer::sends(b"hello\n".to_vec());
        let screen = painter(extent.folder(), Pace::Clock, Some(&peer.target));
        costs[1].watch(extent, &screen);
        screen.finish(QUIT);
    }
    let mut starts = [Starts::default(), Starts::default()];
    for _ in 0..extent.scaled(20, 10) {
        let peer = peer::sends(b"hello\n".to_vec());
        let scope = Scope::start(extent.folder(), &peer.target);
        scope.terminal.wait_text(OPEN);
        let started = scope.terminal.started;
        starts[0].take(started, &scope.finish().tape);
        let peer = peer::sends(b"hello\n".to_vec());
        let screen = painter(extent.folder(), Pace::Clock, Some(&peer.target));
        screen.wait_text(OPEN);
        let started = screen.started;
        starts[1].take(started, &screen.finish(QUIT).tape);
    }
    let ([our_idle, idle], [our_starts, starts]) = (costs, starts);
    let row = |what, unit, ours, limit, wanted| Row {
        what,
        unit,
        ours,
        limit,
        wanted,
    };
    vec![
        row(
            "T5 wake-ups with an open connection",
            Unit::PerSecond,
            our_idle.wake_ups,
            idle.wake_ups,
            Wanted::Within(1.2),
        ),
        row(
            "T5 CPU with an open connection",
            Unit::CpuMillisPerSecond,
            our_idle.cpu,
            idle.cpu,
            Wanted::Within(0.3),
        ),
        row(
            "T5 start to first frame",
            Unit::Millis,
            our_starts.first,
            starts.first,
            Wanted::Within(10.0),
        ),
        row(
            "T5 start to connected and painted",
            Unit::Millis,
            our_starts.connected,
            starts.connected,
            Wanted::Within(15.0),
        ),
    ]
}

/// What nothing costs.
#[derive(Default)]
struct Idle {
    wake_ups: Vec<f64>,
    cpu: Vec<f64>,
}

impl Idle {
    fn watch(&mut self, extent: &Extent, terminal: &Terminal) {
        terminal.wait_text(OPEN);
        // Until everything that belongs to the start is over.
        sleep(Duration::from_millis(1500));
        let (before, start) = (reading(terminal.pid), Instant::now());
        sleep(Duration::from_secs(extent.scaled(10, 4)));
        let (after, seconds) = (reading(terminal.pid), start.elapsed().as_secs_f64());
        self.wake_ups.push((after.0 - before.0) / seconds);
        self.cpu.push((after.1 - before.1) / seconds);
    }
}

/// Wake-ups and CPU milliseconds so far.
fn reading(pid: Pid) -> (f64, f64) {
    (wake_ups(pid) as f64, cpu_so_far(pid).as_secs_f64() * 1000.0)
}

/// How long the start takes, in milliseconds.
#[derive(Default)]
struct Starts {
    first: Vec<f64>,
    connected: Vec<f64>,
}

impl Starts {
    fn take(&mut self, started: Instant, tape: &Tape) {
        let millis = |at: Instant| (at - started).as_secs_f64() * 1000.0;
        let (mut first, mut connected) = (None, None);
        tape.replay(|screen, at| {
            // Taking the terminal is not yet a frame.
            if first.is_none() && !screen.contents().trim().is_empty() {
                first = Some(at);
            }
            if connected.is_none() && screen.contents().contains(OPEN) {
                connected = Some(at);
            }
        });
        self.first.push(millis(first.unwrap()));
        self.connected.push(millis(connected.unwrap()));
    }
}
