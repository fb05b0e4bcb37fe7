//! One phase of a dial, and where it stands in a chart of all of them. Values and words; nothing is drawn here.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use super::{Family, Timestamp};
use crate::text::format;

/// Cells of the labels in a chart.
pub const LABEL: usize = 12;

/// A part of what leads to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What it is.
    pub kind: PhaseKind,
    /// When it began.
    pub start: Timestamp,
    /// How it ended; `None` while it is under way.
    pub end: Option<PhaseEnd>,
}

/// What a phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseKind {
    /// A name was looked up for one family.
    Lookup(Family),
    /// An address was tried.
    Connect(SocketAddr),
    /// TLS was agreed on.
    Handshake,
    /// The peer's first byte was awaited.
    FirstByte {
        /// How long we said nothing after the opening: no part of the phase, and not in the time of its end.
        idle: Duration,
    },
}

/// How a phase ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseEnd {
    /// When.
    pub at: Timestamp,
    /// Whether as was wanted.
    pub how: Ending,
    /// What came of it, in few words. They may be of outside origin.
    pub words: String,
}

impl PhaseEnd {
    pub(super) fn new(at: Timestamp, how: Ending, words: &str) -> PhaseEnd {
        PhaseEnd {
            at,
            how,
            words: words.to_owned(),
        }
    }
}

/// Whether a phase ended as was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did.
    Well,
    /// It failed.
    Badly,
    /// It was not needed any more.
    GivenUp,
}

impl Phase {
    /// What it is called.
    pub fn label(&self) -> &'static str {
        match self.kind {
            PhaseKind::Lookup(Family::V4) => "lookup A",
            PhaseKind::Lookup(Family::V6) => "lookup AAAA",
            PhaseKind::Connect(_) => "connect",
            PhaseKind::Handshake => "TLS",
            PhaseKind::FirstByte { .. } => "first byte",
        }
    }

    /// How long it took, or has taken by now.
    pub fn took(&self, now: Timestamp) -> Duration {
        self.until(now).since(self.start)
    }

    /// What came of it: of an attempt, with which address.
    pub fn result(&self) -> String {
        match self.kind {
            PhaseKind::Connect(remote) => format!("{remote} {}", self.words()),
            PhaseKind::Lookup(_) | PhaseKind::Handshake | PhaseKind::FirstByte { .. } => {
                self.words().to_owned()
            }
        }
    }

    /// The same, the address last: for where it may be cut.
    pub fn words_first(&self) -> String {
        match self.kind {
            PhaseKind::Connect(remote) => format!("{} {remote}", self.words()),
            PhaseKind::Lookup(_) | PhaseKind::Handshake | PhaseKind::FirstByte { .. } => {
                self.words().to_owned()
            }
        }
    }

    fn words(&self) -> &str {
        self.end.as_ref().map_or("under way", |end| end.words.as_str())
    }

    fn until(&self, now: Timestamp) -> Timestamp {
        let so_far = match self.kind {
            PhaseKind::FirstByte { idle } => {
                let idle = u64::try_from(idle.as_nanos()).unwrap_or(u64::MAX);
                Timestamp(now.0.saturating_sub(idle))
            }
            PhaseKind::Lookup(_) | PhaseKind::Connect(_) | PhaseKind::Handshake => now,
        };
        self.end.as_ref().map_or(so_far, |end| end.at).max(self.start)
    }
}

/// Where each phase stands in a chart of `width` cells that covers all of them, up to `now` for those under way: at
/// least one cell each.
pub fn spans(phases: &[Phase], now: Timestamp, width: u16) -> Vec<Range<u16>> {
    let start = phases.iter().map(|phase| phase.start).min().unwrap_or(now);
    let end = phases.iter().map(|phase| phase.until(now)).max().unwrap_or(now);
    let whole = end.since(start).as_nanos().max(1);
    let cell = |at: Timestamp| (at.since(start).as_nanos() * u128::from(width) / whole) as u16;
    let span = |phase: &Phase| {
        let from = cell(phase.start).min(width.saturating_sub(1));
        from..cell(phase.until(now)).clamp(from + 1, width.max(from + 1))
    };
    phases.iter().map(span).collect()
}

/// How wide the bars of a chart may be where its lines have `width` cells; 0 where they would not leave room for what
/// they stand for.
pub fn bar_cells(width: u16) -> u16 {
    const WIDEST: u16 = 30;
    const NARROWEST: u16 = 8;
    // The label, the ends of the bar, and the time.
    const BESIDE: u16 = LABEL as u16 + 2 + 11;
    // An address and a word or two.
    const RESULT: u16 = 36;
    // A bar that leaves no room for what came of it would say little.
    const LEAST: u16 = BESIDE + NARROWEST + 12;
    if width < LEAST {
        return 0;
    }
    width.saturating_sub(BESIDE + RESULT).clamp(NARROWEST, WIDEST)
}

/// The chart in seven bits, a line for each phase, for where there is nothing but text of `width` cells. Phases that
/// failed are drawn with `x`, those that were given up or are under way with dots.
pub fn chart(phases: &[Phase], now: Timestamp, width: u16) -> Vec<String> {
    let cells = bar_cells(width);
    let draw = |(phase, span): (&Phase, Range<u16>)| {
        let sign = match phase.end.as_ref().map(|end| end.how) {
            Some(Ending::Well) => "#",
            Some(Ending::Badly) => "x",
            Some(Ending::GivenUp) | None => ".",
        };
        let (before, bar) = (" ".repeat(span.start.into()), sign.repeat(span.len()));
        let bar = match usize::from(cells) {
            0 => String::new(),
            cells => format!("|{:<cells$}|", before + &bar),
        };
        let (label, took) = (phase.label(), format::measured(phase.took(now)));
        format!("{label:<LABEL$}{bar}{took:>9}  {}", phase.result())
    };
    phases.iter().zip(spans(phases, now, cells)).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(start: u64, end: Option<(u64, Ending)>) -> Phase {
        Phase {
            kind: PhaseKind::Handshake,
            start: Timestamp(start),
            end: end.map(|(at, how)| PhaseEnd::new(Timestamp(at), how, "words")),
        }
    }

    #[test]
    fn every_phase_has_its_cells() {
        let check = |phases: &[Phase], now, width, expected: &[(u16, u16)]| {
            let spans = spans(phases, Timestamp(now), width);
            let ends: Vec<_> = spans.iter().map(|span| (span.start, span.end)).collect();
            assert_eq!(ends, expected);
        };
        let well = |start, end| phase(start, Some((end, Ending::Well)));
        check(&[], 0, 10, &[]);
        check(&[well(100, 150), well(150, 200)], 999, 10, &[(0, 5), (5, 10)]);
        // One that is too short for a cell has one all the same, also at the very end.
        check(&[well(100, 200), well(200, 200)], 0, 10, &[(0, 10), (9, 10)]);
        check(&[well(100, 100)], 0, 10, &[(0, 1)]);
        check(&[well(0, 10), phase(10, None)], 40, 8, &[(0, 2), (2, 8)]);
        check(&[well(0, u64::MAX)], 0, u16::MAX, &[(0, u16::MAX)]);
        check(&[well(0, 1)], 0, 0, &[(0, 1)]);
    }

    #[test]
    fn the_chart_is_text() {
        let phases = [
            phase(0, Some((500_000, Ending::Badly))),
            phase(500_000, Some((2_000_000, Ending::Well))),
            phase(1_000_000, None),
        ];
        let check = |width, expected: [&str; 3]| {
            assert_eq!(chart(&phases, Timestamp(2_000_000), width), expected);
        };
        check(
            53,
            [
                "TLS         |xx      |   0.5 ms  words",
                "TLS         |  ######|   1.5 ms  words",
                "TLS         |    ....|   1.0 ms  under way",
            ],
        );
        check(
            40,
            [
                "TLS            0.5 ms  words",
                "TLS            1.5 ms  words",
                "TLS            1.0 ms  under way",
            ],
        );
    }
}
