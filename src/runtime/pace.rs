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
    /// The user did something, and sees from this time on what came of it.
    Answer(Instant),
}

/// Decides when frames are drawn: at once when something changed, but never sooner than [`INTERVAL`] after the last.
/// What the user does need not wait for that; it keeps the same distance from the last frame that was an answer. So
/// a key shows at once in a flood too, and there are never more than two frames in an interval.
#[derive(Debug)]
pub(crate) struct Pace {
    last: Option<Instant>,
    answered: Option<Instant>,
    due: Due,
}

impl Pace {
    /// No frame was drawn yet, and none is due.
    pub(crate) fn new() -> Pace {
        Pace {
            last: None,
            answered: None,
            due: Due::Never,
        }
    }

    /// Something that is drawn has changed.
    pub(crate) fn request(&mut self, now: Instant) {
        if !self.is_armed() {
            self.due = Due::Soon(after(self.last, now));
        }
    }

    /// The user did something; if a change is waiting to be shown, it may be an answer.
    pub(crate) fn answer(&mut self, now: Instant) {
        if let Due::Soon(at) = self.due {
            self.due = Due::Answer(at.min(after(self.answered, now)));
        }
    }

    /// Whether a change is waiting to be shown; then news need not be looked at before the frame is.
    pub(crate) fn is_armed(&self) -> bool {
        matches!(self.due, Due::Soon(_) | Due::Answer(_))
    }

    /// Whether nothing but time has changed the picture.
    pub(crate) fn is_by_itself(&self) -> bool {
        matches!(self.due, Due::Later(_))
    }

    /// When the next frame is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.due {
            Due::Never => None,
            Due::Later(at) | Due::Soon(at) | Due::Answer(at) => Some(at),
        }
    }

    /// A frame was drawn; the picture will next change by itself at `next`.
    pub(crate) fn drawn(&mut self, now: Instant, next: Option<Instant>) {
        self.last = Some(now);
        if matches!(self.due, Due::Answer(_)) {
            self.answered = Some(now);
        }
        self.due = next.map_or(Due::Never, |at| Due::Later(after(self.last, at)));
    }
}

/// The time that is wanted, but not sooner than [`INTERVAL`] after `last`.
fn after(last: Option<Instant>, wanted: Instant) -> Instant {
    last.map_or(wanted, |last| wanted.max(last + INTERVAL))
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

    #[test]
    fn an_answer_overtakes_news_but_not_the_answer_before() {
        let start = Instant::now();
        let mut pace = Pace::new();
        // Nothing to be shown, so there is no answer.
        pace.answer(start);
        assert_eq!(pace.deadline(), None);
        pace.drawn(start, None);
        pace.request(at(start, 1_000));
        pace.answer(at(start, 2_000));
        assert_eq!(pace.deadline(), Some(at(start, 2_000)));
        pace.drawn(at(start, 2_000), None);
        pace.request(at(start, 3_000));
        pace.answer(at(start, 3_000));
        assert_eq!(pace.deadline(), Some(at(start, 2_000) + INTERVAL));
        pace.drawn(at(start, 2_000) + INTERVAL, None);
        // A frame that news caused in between does not put an answer off.
        pace.request(at(start, 36_000));
        pace.drawn(at(start, 36_000), None);
        pace.request(at(start, 37_000));
        assert_eq!(pace.deadline(), Some(at(start, 36_000) + INTERVAL));
        pace.answer(at(start, 38_000));
        assert_eq!(pace.deadline(), Some(at(start, 38_000)));
    }
}
