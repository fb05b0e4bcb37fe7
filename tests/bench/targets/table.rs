//! The printed table: a figure, the limit's, their ratio, what is wanted, and whether that is reached.

use std::fmt;

use crate::stats::{median, spread};
use crate::{Extent, Size};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    GibPerSecond,
    MessagesPerSecond,
    CpuSeconds,
    CpuMillis,
    CpuMillisPerSecond,
    Mebibytes,
    Millis,
    Micros,
    PerSecond,
    Times,
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wanted {
    /// At least this many times the limit.
    AtLeast(f64),
    /// At most this many times the limit.
    AtMost(f64),
    /// Not more than that, whatever the limit needs.
    Within(f64),
    /// Nothing: the figure explains another one.
    Nothing,
}

/// One line: the figures of all runs.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) unit: Unit,
    pub(crate) ours: Vec<f64>,
    pub(crate) limit: Vec<f64>,
    pub(crate) wanted: Wanted,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        (!self.limit.is_empty()).then(|| median(&self.ours) / median(&self.limit))
    }

    /// Whether the target is reached; `None` if none is set.
    fn is_reached(&self) -> Option<bool> {
        match self.wanted {
            Wanted::AtLeast(least) => self.ratio().map(|ratio| ratio >= least),
            Wanted::AtMost(most) => self.ratio().map(|ratio| ratio <= most),
            Wanted::Within(most) => Some(median(&self.ours) <= most),
            Wanted::Nothing => None,
        }
    }
}

impl Unit {
    fn of(self, value: f64) -> String {
        match self {
            Unit::GibPerSecond => format!("{value:.2} GiB/s"),
            Unit::MessagesPerSecond => format!("{:.0} k/s", value / 1000.0),
            Unit::CpuSeconds => format!("{value:.2} s CPU"),
            Unit::CpuMillis => format!("{value:.2} ms CPU"),
            Unit::CpuMillisPerSecond => format!("{value:.2} ms/s"),
            Unit::Mebibytes => format!("{value:.1} MiB"),
            Unit::Micros => format!("{value:.0} µs"),
            Unit::Millis => format!("{value:.2} ms"),
            Unit::PerSecond => format!("{value:.1} /s"),
            Unit::Times => format!("{value:.0}"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = self.unit.of(median(&self.ours));
        let apart = if self.ours.len() > 1 && median(&self.ours) > 0.0 {
            format!("{:.0} %", spread(&self.ours) * 100.0)
        } else {
            String::new()
        };
        let limit = if self.limit.is_empty() {
            String::new()
        } else {
            self.unit.of(median(&self.limit))
        };
        let ratio = self
            .ratio()
            .filter(|ratio| ratio.is_finite())
            .map_or_else(String::new, |ratio| format!("{ratio:.2} x"));
        let wanted = match self.wanted {
            Wanted::AtLeast(least) => format!(">= {least} x"),
            Wanted::AtMost(most) => format!("<= {most} x"),
            Wanted::Within(most) => format!("<= {}", self.unit.of(most)),
            Wanted::Nothing => String::new(),
        };
        let reached = match self.is_reached() {
            Some(true) => "reached",
            Some(false) => "MISSED",
            None => "",
        };
        let line = columns([self.what, &ours, &apart, &limit, &ratio, &wanted, reached]);
        f.write_str(&line)
    }
}

fn columns(cells: [&str; 7]) -> String {
    let [what, ours, apart, limit, ratio, wanted, reached] = cells;
    format!("{what:<48}{ours:>13}{apart:>8}{limit:>13}{ratio:>9}  {wanted:<13} {reached}")
        .trim_end()
        .to_owned()
}

/// The names of the columns.
pub(crate) fn head() -> String {
    columns(["target", "sockscope", "spread", "limit", "ratio", "wanted", ""])
}

/// How the figures came about.
pub(crate) fn foot(extent: &Extent) -> String {
    let size = match extent.size {
        Size::Quick => "; --quick: smaller and fewer, not to be quoted",
        Size::Usual | Size::Full => "",
    };
    format!(
        "medians of {} runs in turn with the limit's; spread: from the least to the most; screen 200x50{size}",
        extent.runs
    )
}
