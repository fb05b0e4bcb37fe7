//! T7 and T8: a tap beside a relay that copies what crosses to two files: how much it relays, and how much later a
//! message arrives. Both record both directions; the tap has its screen live.

use std::path::{Path, PathBuf};

use crate::Extent;
use crate::ends::{Asked, Relayed, Taken, ask, exchange_with, take_from};
use crate::process::Part;
use crate::scope::Scope;
use crate::servers::{Listening, Server};
use crate::stats::percentile;
use crate::table::{Row, Unit, Wanted};

const GIB: f64 = 1_073_741_824.0;

/// What relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Through {
    Tap,
    Tee,
    Nothing,
}

/// A running relay: where it listens, and what ends it.
enum Relay {
    Tap(Box<Scope>),
    Tee(Part, PathBuf),
    Nothing,
}

/// What a relay cost.
#[derive(Default)]
struct Cost {
    cpu: f64,
    memory: f64,
}

impl Relay {
    /// Starts it before `server`.
    fn start(through: Through, folder: &Path, server: &str) -> (Relay, String) {
        match through {
            Through::Tap => {
                let (scope, address) = Scope::tap(folder, server);
                (Relay::Tap(Box::new(scope)), address)
            }
            Through::Tee => {
                let file = folder.join("tee");
                let mut part = Part::start(&["tee", server, file.to_str().unwrap()]);
                let Listening { address } = part.hear();
                (Relay::Tee(part, file), address.to_string())
            }
            Through::Nothing => (Relay::Nothing, server.to_owned()),
        }
    }

    /// Ends it, proves what a tap has recorded of either direction, and removes the files.
    fn end(self, sent: u64, received: u64) -> Cost {
        match self {
            Relay::Tap(scope) => {
                scope.terminal.wait_text("● listening");
                let played = scope.relayed(sent, received);
                Cost {
                    cpu: played.cpu,
                    memory: played.peak_memory,
                }
            }
            Relay::Tee(mut part, file) => {
                let Relayed { peak_memory } = part.hear();
                let cpu = part.end();
                for direction in ["up", "down"] {
                    std::fs::remove_file(file.with_extension(direction)).unwrap();
                }
                Cost {
                    cpu,
                    memory: peak_memory,
                }
            }
            Relay::Nothing => Cost::default(),
        }
    }
}

/// The figures of every run.
#[derive(Default)]
struct Runs {
    speed: Vec<f64>,
    cpu: Vec<f64>,
    memory: Vec<f64>,
}

impl Runs {
    fn take(&mut self, bytes: u64, seconds: f64, cost: &Cost) {
        self.speed.push(bytes as f64 / GIB / seconds);
        self.cpu.push(cost.cpu);
        self.memory.push(cost.memory);
    }
}

/// Measures T7.
pub(crate) fn throughput(extent: &Extent) -> Vec<Row> {
    let bytes = extent.scaled(1 << 30, 256 << 20);
    let mut one = [Runs::default(), Runs::default()];
    let mut both = [Runs::default(), Runs::default()];
    for _ in 0..extent.runs {
        for (place, through) in [(1, Through::Tee), (0, Through::Tap)] {
            one_way(extent, through, bytes, &mut one[place]);
            both_ways(extent, through, bytes, &mut both[place]);
        }
    }
    let row = |what, unit, [ours, limit]: [Vec<f64>; 2], wanted| Row {
        what,
        unit,
        ours,
        limit,
        wanted,
    };
    let speed = one.each_ref().map(|runs| runs.speed.clone());
    let cpu = one.each_ref().map(|runs| runs.cpu.clone());
    let memory = one.map(|runs| runs.memory);
    let both_speed = both.each_ref().map(|runs| runs.speed.clone());
    let both_cpu = both.map(|runs| runs.cpu);
    vec![
        row("T7 tap, a flood", Unit::GibPerSecond, speed, Wanted::AtLeast(0.9)),
        row("T7 tap, CPU of the flood", Unit::CpuSeconds, cpu, Wanted::Nothing),
        row(
            "T7 tap, peak memory",
            Unit::Mebibytes,
            memory,
            Wanted::Within(64.0),
        ),
        row(
            "T7 tap, floods both ways at once",
            Unit::GibPerSecond,
            both_speed,
            Wanted::AtLeast(0.9),
        ),
        row(
            "T7 tap, CPU of both floods",
            Unit::CpuSeconds,
            both_cpu,
            Wanted::Nothing,
        ),
    ]
}

fn one_way(extent: &Extent, through: Through, bytes: u64, runs: &mut Runs) {
    let server = Server::flood(bytes);
    let (relay, address) = Relay::start(through, extent.folder(), &server.address);
    let Taken { seconds } = take_from(&address, bytes);
    runs.take(bytes, seconds, &relay.end(0, bytes));
}

fn both_ways(extent: &Extent, through: Through, bytes: u64, runs: &mut Runs) {
    let server = Server::exchange(bytes / 2);
    let (relay, address) = Relay::start(through, extent.folder(), &server.address);
    let Taken { seconds } = exchange_with(&address, bytes / 2);
    runs.take(bytes, seconds, &relay.end(bytes / 2, bytes / 2));
}

/// Measures T8.
pub(crate) fn latency(extent: &Extent) -> Vec<Row> {
    let count = extent.scaled(5000, 1000);
    let mut runs: [[Vec<f64>; 2]; 3] = Default::default();
    for _ in 0..extent.runs {
        for (place, through) in [(2, Through::Nothing), (1, Through::Tee), (0, Through::Tap)] {
            let server = Server::echo();
            let (relay, address) = Relay::start(through, extent.folder(), &server.address);
            let Asked { micros, bytes } = ask(&address, count);
            relay.end(bytes, bytes);
            runs[place][0].push(percentile(&micros, 50));
            runs[place][1].push(percentile(&micros, 99));
        }
    }
    let [tap, tee, direct] = runs;
    let row = |what, place: usize, limit: &[Vec<f64>; 2], wanted| Row {
        what,
        unit: Unit::Micros,
        ours: tap[place].clone(),
        limit: limit[place].clone(),
        wanted,
    };
    vec![
        row("T8 64 B there and back, p50", 0, &tee, Wanted::AtMost(1.15)),
        row("T8 64 B there and back, p99", 1, &tee, Wanted::AtMost(1.5)),
        row("T8 p50, beside no relay at all", 0, &direct, Wanted::Nothing),
        row("T8 p99, beside no relay at all", 1, &direct, Wanted::Nothing),
    ]
}
