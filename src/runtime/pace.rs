//! The frame clock: when the next frame is due. A pure rate limiter; it holds points in time and reads no clock.

use std::time::{Duration, Instant};

/// The least time from one frame to the next: 60 frames a second, which is what terminals repaint at.
pub(crate) const INTERVAL: Duration = Duration::from_micros(16_667);

/// Why a frame is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Nothing is waiting to be shown.
    Never,
    /// The picture changes by itself at this time.
    Later(Instant),
    /// Something changed, and may be shown from this time on.
    Soon(Instant),
}

/// Decides when frames are drawn: at once when something changed, but never sooner than [`INTERVAL`] after the last.
#[derive(Debug)]
pub(crate) struct Pace {
    last: Option<Instant>,
    due: Due,
}

impl Pace {
    /// No frame was drawn yet, and none is due.
    pub(crate) fn new() -> Pace {
        Pace {
            last: None,
            due: Due::Never,
        }
    }

    /// Something that is drawn has changed.
    pub(crate) fn request(&mut self, now: Instant) {
        if !self.is_armed() {
            self.due = Due::Soon(self.earliest(now));
        }
    }

    /// Whether a change is waiting to be shown; then news need not be looked at before the frame is.
    pub(crate) fn is_armed(&self) -> bool {
        matches!(self.due, Due::Soon(_))
    }

    /// When the next frame is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.due {
            Due::Never => None,
            Due::Later(at) | Due::Soon(at) => Some(at),
        }
    }

    /// A frame was drawn; the picture will next change by itself at `next`.
    pub(crate) fn drawn(&mut self, now: Instant, next: Option<Instant>) {
        self.last = Some(now);
        self.due = next.map_or(Due::Never, |at| Due::Later(self.earliest(at)));
    }

    fn earliest(&self, wanted: Instant) -> Instant {
        self.last.map_or(wanted, |last| wanted.max(last + INTERVAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, micros: u64) -> Instant {
        start + Duration::from_micros(micros)
    }

    #[test]
    fn the_first_frame_is_due_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new();
        assert_eq!(pace.deadline(), None);
        pace.request(start);
        assert_eq!(pace.deadline(), Some(start));
        assert!(pace.is_armed());
    }

    #[test]
    fn frames_keep_their_distance() {
        let start = Instant::now();
        let mut pace = Pace::new();
        pace.request(start);
        pace.drawn(start, None);
        assert_eq!(pace.deadline(), None);
        pace.request(at(start, 1));
        pace.request(at(start, 9_000));
        assert_eq!(pace.deadline(), Some(start + INTERVAL));
        pace.drawn(start + INTERVAL, None);
        pace.request(at(start, 900_000));
        assert_eq!(pace.deadline(), Some(at(start, 900_000)));
    }

    #[test]
    fn a_change_overtakes_the_clock() {
        let start = Instant::now();
        let mut pace = Pace::new();
        pace.drawn(start, Some(at(start, 1_000_000)));
        assert!(!pace.is_armed());
        assert_eq!(pace.deadline(), Some(at(start, 1_000_000)));
        pace.request(at(start, 500_000));
        assert_eq!(pace.deadline(), Some(at(start, 500_000)));
        pace.drawn(at(start, 500_000), Some(at(start, 500_001)));
        assert_eq!(pace.deadline(), Some(at(start, 500_000) + INTERVAL));
    }
}
