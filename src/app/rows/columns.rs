//! How much room the times and the number of the connection have at the start of a head. Formatting them is drawing,
//! and not here.

use crate::app::TimeColumn;

/// How many cells the columns take at the start of a head, the gap behind each included; 0 for what is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadColumns {
    /// The time of day, the time since the start, or what the kernel's time stamps tell.
    pub time: u16,
    /// The time since the entry before.
    pub delta: u16,
    /// The number of the connection.
    pub connection: u16,
}

/// `12:04:31.120331` and two blanks.
const TIME_CELLS: u16 = 17;

/// `+0.000071` or `+12.000071`, and two blanks.
const DELTA_CELLS: u16 = 12;

/// What the rest of a head needs before the second time is given room.
const HEAD_CELLS: u16 = 32;

/// The blanks behind the number of a connection.
const BEHIND_NUMBER: u16 = 2;

impl HeadColumns {
    /// What fits a row of `width` cells, where numbers of connections have that many digits; none are shown if that
    /// is 0.
    pub fn fitting(width: u16, time: TimeColumn, digits: u16) -> HeadColumns {
        let connection = if digits > 0 { digits + BEHIND_NUMBER } else { 0 };
        let only = HeadColumns {
            connection,
            ..HeadColumns::default()
        };
        let first = match time {
            TimeColumn::Absolute | TimeColumn::SinceStart | TimeColumn::Kernel => HeadColumns {
                time: TIME_CELLS,
                ..only
            },
            TimeColumn::Delta => HeadColumns {
                delta: DELTA_CELLS,
                ..only
            },
        };
        let both = HeadColumns {
            delta: DELTA_CELLS,
            ..first
        };
        let fits = |columns: &HeadColumns, rest: u16| columns.width() + rest <= width;
        // Half of what a head needs is enough for arrow and size, and times are told elsewhere too.
        [
            (both, HEAD_CELLS),
            (first, HEAD_CELLS / 2),
            (only, HEAD_CELLS / 4),
        ]
        .into_iter()
        .find(|(columns, rest)| fits(columns, *rest))
        .map_or(HeadColumns::default(), |(columns, _)| columns)
    }

    /// All of them together.
    pub fn width(self) -> u16 {
        self.time + self.delta + self.connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_give_way_to_what_happened() {
        let check = |width, time, expected: (u16, u16)| {
            let columns = HeadColumns::fitting(width, time, 0);
            assert_eq!(
                (columns.time, columns.delta, columns.connection),
                (expected.0, expected.1, 0)
            );
        };
        check(76, TimeColumn::Absolute, (17, 12));
        check(61, TimeColumn::SinceStart, (17, 12));
        check(60, TimeColumn::Absolute, (17, 0));
        check(33, TimeColumn::Absolute, (17, 0));
        check(32, TimeColumn::Absolute, (0, 0));
        check(28, TimeColumn::Delta, (0, 12));
        check(27, TimeColumn::Delta, (0, 0));
    }

    #[test]
    fn the_number_of_the_connection_stays_longest() {
        let check = |width, digits, expected: (u16, u16, u16)| {
            let columns = HeadColumns::fitting(width, TimeColumn::Absolute, digits);
            assert_eq!(
                (columns.time, columns.delta, columns.connection),
                expected,
                "{width}"
            );
        };
        check(76, 1, (17, 12, 3));
        check(63, 1, (17, 0, 3));
        check(38, 3, (17, 0, 5));
        check(37, 3, (0, 0, 5));
        check(18, 2, (0, 0, 4));
        check(11, 2, (0, 0, 0));
    }
}
