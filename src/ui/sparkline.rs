//! Traffic per second, and other figures over time, as a row of bars.

use ratatui::style::Style;

use super::line::{Line, Pen};
use crate::app::Second;

/// The bars, the newest last; each is relative to the busiest second shown. Silence has the lowest bar, dim; any
/// traffic at all is higher than that.
pub(super) fn sparkline<'p>(pen: &'p Pen, seconds: &[Second]) -> Line<'p> {
    let most = seconds.iter().map(|second| second.total()).max().unwrap_or(0);
    let mut line = pen.line();
    for second in seconds {
        let level = level(second.total(), most, pen.symbols.levels.len());
        let style = match level {
            0 => pen.theme.secondary(),
            _ if second.sent > second.received => pen.theme.sent(),
            _ => pen.theme.received(),
        };
        line = line.text(pen.symbols.levels[level], style);
    }
    line
}

/// Other figures over time in the same way, in one style.
pub(super) fn bars<'p>(pen: &'p Pen, values: &[u64], style: Style) -> Line<'p> {
    let most = values.iter().copied().max().unwrap_or(0);
    let mut line = pen.line();
    for value in values {
        let level = level(*value, most, pen.symbols.levels.len());
        let style = if level == 0 { pen.theme.secondary() } else { style };
        line = line.text(pen.symbols.levels[level], style);
    }
    line
}

/// 0 for nothing, 1 to `levels - 1` for something.
fn level(value: u64, most: u64, levels: usize) -> usize {
    if value == 0 || most == 0 {
        return 0;
    }
    let steps = (levels - 1) as u128;
    let level = (u128::from(value) * steps).div_ceil(u128::from(most));
    level.min(steps) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_traffic_is_higher_than_silence() {
        let check = |value, most, expected| assert_eq!(level(value, most, 8), expected, "{value} of {most}");
        check(0, 0, 0);
        check(0, 100, 0);
        check(1, u64::MAX, 1);
        check(50, 100, 4);
        check(100, 100, 7);
        check(u64::MAX, u64::MAX, 7);
    }
}
