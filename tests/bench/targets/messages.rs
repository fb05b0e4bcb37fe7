//! T2: small messages, each written by itself and delayed by nothing: every byte recorded, at what cost and rate.

use crate::Extent;
use crate::content::LINE;
use crate::limits::receive;
use crate::scope::Scope;
use crate::servers::Server;
use crate::table::{Row, Unit, Wanted};

/// Messages a second where they are paced.
const RATE: u64 = 100_000;

/// The figures of every run, ours and the limit's.
#[derive(Default)]
struct Runs {
    rate: [Vec<f64>; 2],
    cpu: [Vec<f64>; 2],
    entries: Vec<f64>,
}

/// Measures it.
pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let paced = load(extent, extent.scaled(5, 1) * RATE, RATE);
    let unpaced = load(extent, extent.scaled(2_000_000, 500_000), 0);
    let row = |what, unit, [ours, limit]: [Vec<f64>; 2], wanted| Row {
        what,
        unit,
        ours,
        limit,
        wanted,
    };
    vec![
        row(
            "T2 64 B messages, 100,000/s: rate",
            Unit::MessagesPerSecond,
            paced.rate,
            Wanted::AtLeast(0.99),
        ),
        row(
            "T2 64 B messages, 100,000/s: CPU",
            Unit::CpuSeconds,
            paced.cpu,
            Wanted::AtMost(1.5),
        ),
        row(
            "T2 64 B messages, 100,000/s: entries",
            Unit::Times,
            [paced.entries, Vec::new()],
            Wanted::Nothing,
        ),
        row(
            "T2 64 B messages, unpaced: rate",
            Unit::MessagesPerSecond,
            unpaced.rate,
            Wanted::AtLeast(0.8),
        ),
        row(
            "T2 64 B messages, unpaced: CPU",
            Unit::CpuSeconds,
            unpaced.cpu,
            Wanted::AtMost(1.5),
        ),
    ]
}

fn load(extent: &Extent, count: u64, rate: u64) -> Runs {
    let bytes = count * LINE as u64;
    let mut runs = Runs::default();
    for _ in 0..extent.runs {
        let server = Server::messages(count, rate);
        let limit = receive(&server, bytes, Some(&extent.folder().join("limit")));
        let server = Server::messages(count, rate);
        let (recorded, played) = Scope::take(extent.folder(), server, bytes);
        runs.rate[0].push(count as f64 / recorded.seconds);
        runs.rate[1].push(count as f64 / limit.seconds);
        runs.cpu[0].push(played.cpu);
        runs.cpu[1].push(limit.cpu);
        runs.entries.push(recorded.entries as f64);
    }
    runs
}
