//! The session's clock: the wall time at its start, plus a monotonic clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::model::Timestamp;

/// Gives times that never run backwards, whatever happens to the wall clock meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Timestamp,
    start: Instant,
}

impl Clock {
    /// Reads both clocks once.
    pub fn start() -> Clock {
        // A wall clock before 1970 counts as 1970; the differences stay right.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock {
            wall: Timestamp::default() + wall,
            start: Instant::now(),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.wall + self.start.elapsed()
    }

    /// The time at which the wall clock showed `wall`, a short while ago: whatever was set meanwhile makes it wrong.
    pub(super) fn of_wall(&self, wall: Timestamp) -> Timestamp {
        let shown = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ago = (Timestamp::default() + shown).0.wrapping_sub(wall.0);
        Timestamp(self.now().0.wrapping_sub(ago))
    }

    /// The moment of the monotonic clock that `at` stands for; the start if it lies before it.
    pub fn instant(&self, at: Timestamp) -> Instant {
        self.start + at.since(self.wall)
    }
}
