//! How long to wait before dialing again: doubling, bounded, spread.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait, before it is spread.
const LONGEST: Duration = Duration::from_secs(30);

/// The wait before attempt `round + 1`, counted from 1. `spread` is any number; it moves the wait by up to
/// ± 20 %, so that many clients of one server do not come back at the same moment.
pub(super) fn wait(round: u32, spread: u64) -> Duration {
    let doublings = round.saturating_sub(1).min(16);
    let plain = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    // 0.8 to 1.2 in steps of a thousandth.
    let permille = 800 + u32::try_from(spread % 401).unwrap_or(200);
    plain * permille / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_are_spread() {
        let check =
            |round, millis| assert_eq!(wait(round, 200), Duration::from_millis(millis), "round {round}");
        check(1, 500);
        check(2, 1000);
        check(3, 2000);
        check(7, 30_000);
        check(u32::MAX, 30_000);
        assert_eq!(wait(1, 0), Duration::from_millis(400));
        assert_eq!(wait(1, 400), Duration::from_millis(600));
        assert_eq!(wait(9, 400), Duration::from_secs(36));
    }
}
