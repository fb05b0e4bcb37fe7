//! T1: a flood into the client, everything recorded, the screen live.

use crate::limits::{Cost, Pace, receive};
use crate::scope::{QUIT, Scope, painter};
use crate::servers::Server;
use crate::stats::{largest, percentile};
use crate::table::{Row, Unit, Wanted};
use crate::{Extent, Size};

const GIB: f64 = 1_073_741_824.0;

/// The figures of every run.
#[derive(Default)]
struct Runs {
    speed: Vec<f64>,
    cpu: Vec<f64>,
    memory: Vec<f64>,
    gap: Vec<f64>,
}

impl Runs {
    fn take(&mut self, bytes: u64, cost: &Cost) {
        self.speed.push(bytes as f64 / GIB / cost.seconds);
        self.cpu.push(cost.cpu);
        self.memory.push(cost.peak_memory);
    }
}

/// Measures it.
pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let bytes = extent.scaled(1 << 30, 256 << 20);
    let [mut ours, mut record, mut discard] = [Runs::default(), Runs::default(), Runs::default()];
    for _ in 0..extent.runs {
        discard.take(bytes, &receive(&Server::flood(bytes), bytes, None));
        record.take(bytes, &limit(extent, bytes));
        run(extent, bytes, &mut ours);
        record.gap.push(limit_gap(extent, bytes));
    }
    let row = |what, unit, ours: &[f64], limit: &[f64], wanted| Row {
        what,
        unit,
        ours: ours.to_vec(),
        limit: limit.to_vec(),
        wanted,
    };
    let mut rows = vec![
        row(
            "T1 flood, beside recv + file + index",
            Unit::GibPerSecond,
            &ours.speed,
            &record.speed,
            Wanted::AtLeast(0.9),
        ),
        row(
            "T1 flood, beside recv and discard (stretch)",
            Unit::GibPerSecond,
            &ours.speed,
            &discard.speed,
            Wanted::AtLeast(0.8),
        ),
        row(
            "T1 CPU of the flood",
            Unit::CpuSeconds,
            &ours.cpu,
            &record.cpu,
            Wanted::AtMost(1.3),
        ),
        row(
            "T1 largest gap between paints",
            Unit::Millis,
            &ours.gap,
            &record.gap,
            Wanted::Within(50.0),
        ),
        row(
            "T1 peak memory",
            Unit::Mebibytes,
            &ours.memory,
            &record.memory,
            Wanted::Within(64.0),
        ),
    ];
    for (size, what) in larger(extent.size) {
        let mut one = Runs::default();
        run(extent, *size, &mut one);
        rows.push(row(
            what,
            Unit::Mebibytes,
            &one.memory,
            &ours.memory,
            Wanted::AtMost(1.1),
        ));
    }
    rows
}

/// Floods that show whether memory grows with them.
fn larger(size: Size) -> &'static [(u64, &'static str)] {
    const FOUR: (u64, &str) = (4 << 30, "T1 peak memory of 4 GiB, beside that of 1 GiB");
    const SIXTEEN: (u64, &str) = (16 << 30, "T1 peak memory of 16 GiB, beside that of 1 GiB");
    match size {
        Size::Quick => &[],
        Size::Usual => &[FOUR],
        Size::Full => &[FOUR, SIXTEEN],
    }
}

fn run(extent: &Extent, bytes: u64, runs: &mut Runs) {
    let (recorded, played) = Scope::take(extent.folder(), Server::flood(bytes), bytes);
    let cost = Cost {
        seconds: recorded.seconds,
        cpu: played.cpu,
        peak_memory: played.peak_memory,
    };
    runs.take(bytes, &cost);
    let gaps = played.tape.gaps();
    eprintln!(
        "   {bytes} bytes in {:.2} s, {:.2} s CPU; {} frames, gaps p50 {:.1}, p99 {:.1}, max {:.1} ms",
        cost.seconds,
        cost.cpu,
        gaps.len() + 1,
        percentile(&gaps, 50),
        percentile(&gaps, 99),
        largest(&gaps)
    );
    runs.gap.push(largest(&gaps));
}

fn limit(extent: &Extent, bytes: u64) -> Cost {
    receive(&Server::flood(bytes), bytes, Some(&extent.folder().join("limit")))
}

/// The largest gap of a screen that only paints, while the limit takes the same flood.
fn limit_gap(extent: &Extent, bytes: u64) -> f64 {
    let screen = painter(extent.folder(), Pace::Frames, None);
    limit(extent, bytes);
    largest(&screen.finish(QUIT).tape.gaps())
}
