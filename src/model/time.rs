//! A point in time as the session file stores it.

use std::ops::Add;
use std::time::Duration;

/// Nanoseconds since the Unix epoch (pcapng `if_tsresol` 9). Taken from the start of the session plus a
/// monotonic clock, so that differences between two of them never run backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds and the nanoseconds within the second, as `chrono` wants them.
    pub fn parts(self) -> (i64, u32) {
        const NANOS: u64 = 1_000_000_000;
        // Both fit: u64::MAX / 1e9 < i64::MAX, and the remainder is below 1e9.
        ((self.0 / NANOS).cast_signed(), (self.0 % NANOS) as u32)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, rhs: Duration) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}
