//! How much room the times have at the start of a head. Formatting them is drawing, and not here.

use crate::app::TimeColumn;

/// How many cells the times take at the start of a head, the gap behind each included; 0 for what is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeColumns {
    /// The time of day, the time since the start, or what the kernel's time stamps tell.
    pub time: u16,
    /// The time since the entry before.
    pub delta: u16,
}

/// `12:04:31.120331` and two blanks.
const TIME_CELLS: u16 = 17;

/// `+0.000071` or `+12.000071`, and two blanks.
const DELTA_CELLS: u16 = 12;

/// What the rest of a head needs before the second time is given room.
const HEAD_CELLS: u16 = 32;

impl TimeColumns {
    /// What fits a row of `width` cells.
    pub fn fitting(width: u16, time: TimeColumn) -> TimeColumns {
        let none = TimeColumns::default();
        let delta = TimeColumns {
            delta: DELTA_CELLS,
            ..none
        };
        let first = match time {
            TimeColumn::Absolute | TimeColumn::SinceStart | TimeColumn::Kernel => TimeColumns {
                time: TIME_CELLS,
                ..none
            },
            TimeColumn::Delta => delta,
        };
        let both = TimeColumns {
            time: first.time,
            delta: DELTA_CELLS,
        };
        let fits = |columns: &TimeColumns, rest: u16| columns.width() + rest <= width;
        // Half of what a head needs is enough for arrow and size.
        [(both, HEAD_CELLS), (first, HEAD_CELLS / 2)]
            .into_iter()
            .find(|(columns, rest)| fits(columns, *rest))
            .map_or(none, |(columns, _)| columns)
    }

    /// Both together.
    pub fn width(self) -> u16 {
        self.time + self.delta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_give_way_to_what_happened() {
        let check = |width, time, expected: (u16, u16)| {
            let columns = TimeColumns::fitting(width, time);
            assert_eq!((columns.time, columns.delta), expected, "{width}");
        };
        check(76, TimeColumn::Absolute, (17, 12));
        check(61, TimeColumn::SinceStart, (17, 12));
        check(60, TimeColumn::Absolute, (17, 0));
        check(33, TimeColumn::Absolute, (17, 0));
        check(32, TimeColumn::Absolute, (0, 0));
        check(28, TimeColumn::Delta, (0, 12));
        check(27, TimeColumn::Delta, (0, 0));
    }
}
