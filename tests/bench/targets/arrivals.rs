//! T4: from the arrival of a byte to the screen, at rest and in a flood.

use std::io::Write as _;
use std::sync::mpsc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Extent;
use crate::limits::Pace;
use crate::peer::{self, Numbers, Peer};
use crate::process::Part;
use crate::scope::{QUIT, Scope, painter};
use crate::servers::Server;
use crate::stats::{largest, percentile};
use crate::table::{Row, Unit, Wanted};
use crate::terminal::Tape;

/// One frame of a sixtieth of a second, and a draw, which has to fit into one.
const FRAME_AND_DRAW: f64 = 2.0 * 16.667;

/// Measures it.
pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let mut rest = [Vec::new(), Vec::new()];
    let mut flood = [Vec::new(), Vec::new()];
    for run in 0..extent.runs {
        let mut numbers = Numbers(u64::from(run));
        rest[0].push(at_rest(extent, &mut numbers));
        rest[1].push(limit_at_rest(extent, &mut numbers));
        flood[0].push(under_flood(extent));
        flood[1].push(limit_under_flood(extent));
    }
    let row = |what, runs: &[Vec<Vec<f64>>; 2], of: fn(&[f64]) -> f64, wanted| {
        let [ours, limit] = runs;
        Row {
            what,
            unit: Unit::Millis,
            ours: ours.iter().map(|run| of(run)).collect(),
            limit: limit.iter().map(|run| of(run)).collect(),
            wanted,
        }
    };
    vec![
        row(
            "T4 arrival to paint at rest, p50",
            &rest,
            |run| percentile(run, 50),
            Wanted::Within(2.0),
        ),
        row(
            "T4 arrival to paint at rest, p99",
            &rest,
            |run| percentile(run, 99),
            Wanted::Within(20.0),
        ),
        row(
            "T4 from paint to paint under flood, p50",
            &flood,
            |run| percentile(run, 50),
            Wanted::Nothing,
        ),
        row(
            "T4 from paint to paint under flood, p99",
            &flood,
            |run| percentile(run, 99),
            Wanted::Nothing,
        ),
        row(
            "T4 from paint to paint under flood, longest",
            &flood,
            largest,
            Wanted::Within(FRAME_AND_DRAW),
        ),
    ]
}

/// A line and when it was sent.
struct Sent {
    at: Instant,
    line: String,
}

/// A peer that sends numbered lines at random distances, and what it sent.
fn lines(count: u64, numbers: &mut Numbers) -> (Peer, mpsc::Receiver<Sent>) {
    let waits: Vec<u64> = (0..count).map(|_| 25_000 + numbers.below(65_000)).collect();
    let (sender, sent) = mpsc::sync_channel(waits.len());
    let peer = peer::serve(move |mut stream| {
        stream.set_nodelay(true).unwrap();
        // The screen has to stand first.
        sleep(Duration::from_millis(300));
        for (number, wait) in waits.into_iter().enumerate() {
            sleep(Duration::from_micros(wait));
            let line = format!("mark-{number:06}");
            let bytes = format!("{line}\n").into_bytes();
            let at = Instant::now();
            stream.write_all(&bytes).unwrap();
            sender.send(Sent { at, line }).unwrap();
        }
        drop(sender);
        peer::drain(&mut stream);
    });
    (peer, sent)
}

fn at_rest(extent: &Extent, numbers: &mut Numbers) -> Vec<f64> {
    let (peer, sent) = lines(extent.scaled(150, 60), numbers);
    let scope = Scope::start(extent.folder(), &peer.target);
    let sent: Vec<Sent> = sent.iter().collect();
    scope.terminal.wait_text(&sent.last().unwrap().line);
    latencies(&scope.finish().tape, sent)
}

/// A screen that paints what it reads at once.
fn limit_at_rest(extent: &Extent, numbers: &mut Numbers) -> Vec<f64> {
    let (peer, sent) = lines(extent.scaled(150, 60), numbers);
    let screen = painter(extent.folder(), Pace::Clock, Some(&peer.target));
    let sent: Vec<Sent> = sent.iter().collect();
    screen.wait_text(&sent.last().unwrap().line);
    latencies(&screen.finish(QUIT).tape, sent)
}

/// How long each line took to show, in milliseconds.
fn latencies(tape: &Tape, sent: Vec<Sent>) -> Vec<f64> {
    let mut latencies = Vec::new();
    let mut sent = sent.into_iter().peekable();
    tape.replay(|screen, at| {
        let text = screen.contents();
        while let Some(next) = sent.next_if(|next| text.contains(&next.line)) {
            latencies.push((at - next.at).as_secs_f64() * 1000.0);
        }
    });
    assert!(sent.next().is_none(), "a line never showed");
    latencies
}

/// A byte that just misses a frame waits for the next one.
fn under_flood(extent: &Extent) -> Vec<f64> {
    let server = Server::endless();
    let scope = Scope::start(extent.folder(), &server.address);
    scope.terminal.wait_text("● open");
    sleep(Duration::from_millis(extent.scaled(3000, 1000)));
    scope.finish().tape.gaps()
}

fn limit_under_flood(extent: &Extent) -> Vec<f64> {
    let server = Server::endless();
    let file = extent.folder().join("limit");
    let receiver = Part::start(&["record", &server.address, file.to_str().unwrap()]);
    let screen = painter(extent.folder(), Pace::Frames, None);
    sleep(Duration::from_millis(extent.scaled(3000, 1000)));
    let gaps = screen.finish(QUIT).tape.gaps();
    drop((server, receiver));
    std::fs::remove_file(file).unwrap();
    gaps
}
