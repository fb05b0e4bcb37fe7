//! Units to rows of the text view: a break after each LF and where the width ends, never inside a unit.

use std::ops::Range;

use super::decode::{Source, Units};
use super::unit::{Glyph, Unit};

/// One row of the text view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRow {
    /// The bytes that it shows.
    pub bytes: Range<usize>,
}

/// The rows of a source at a width, in order; lazy, so that only what is visible is decoded.
#[derive(Clone, Debug)]
pub struct TextRows<'a> {
    source: Source<'a>,
    units: Units<'a>,
    width: u16,
    pending: Option<Unit>,
}

impl<'a> TextRows<'a> {
    /// The rows at `width` cells; at least 1 is taken.
    pub fn new(source: Source<'a>, width: u16) -> TextRows<'a> {
        TextRows {
            source,
            units: source.units(),
            width: width.max(1),
            pending: None,
        }
    }

    /// How many cells `glyph` takes at `column` in a row of `width`: a tab ends at the edge.
    pub fn cells(source: &Source<'_>, glyph: &Glyph, column: u16, width: u16) -> u16 {
        let cells = glyph.cells(column, source.policy);
        match glyph {
            Glyph::Tab => cells.min(width.saturating_sub(column)).max(1),
            Glyph::Plain(_)
            | Glyph::LineFeed
            | Glyph::Control(_)
            | Glyph::Escape(_)
            | Glyph::Invalid(_)
            | Glyph::Marks { .. }
            | Glyph::Carried => cells,
        }
    }
}

impl Iterator for TextRows<'_> {
    type Item = TextRow;

    fn next(&mut self) -> Option<TextRow> {
        let first = self.pending.take().or_else(|| self.units.next())?;
        let start = first.start;
        let mut end = start;
        let mut column = 0u16;
        let mut next = Some(first);
        while let Some(unit) = next {
            let cells = TextRows::cells(&self.source, &unit.glyph, column, self.width);
            // A unit wider than a whole row gets a row of its own and is cut by the screen.
            if column > 0 && column.saturating_add(cells) > self.width {
                self.pending = Some(unit);
                break;
            }
            column = column.saturating_add(cells);
            end = unit.start + unit.len;
            if matches!(unit.glyph, Glyph::LineFeed) {
                break;
            }
            next = self.units.next();
        }
        Some(TextRow { bytes: start..end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Policy;

    fn check(text: &str, width: u16, expected: &[&str]) {
        let source = Source::new(text.as_bytes(), Policy::default());
        let rows: Vec<&str> = TextRows::new(source, width).map(|row| &text[row.bytes]).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn rows_break_after_a_line_feed_and_at_the_width() {
        check("", 4, &[]);
        check("ab\ncd", 4, &["ab\n", "cd"]);
        check("abc\n", 4, &["abc\n"]);
        check("abcd\n", 4, &["abcd", "\n"]);
        check("a漢漢", 4, &["a漢", "漢"]);
        check("\t\tx", 8, &["\t", "\t", "x"]);
        check("ab\u{202e}c", 4, &["ab", "\u{202e}", "c"]);
    }
}
