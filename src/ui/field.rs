//! One line of typed text with its cursor: scrolled sideways so that the cursor is visible, wrong parts marked.
//! The cost depends on the width, not on the length of the text.

use std::ops::Range;

use ratatui::style::Style;

use super::canvas::Canvas;
use super::line::Pen;
use crate::text::{Shown, Source};

/// The most bytes that one cell can stand for: a base and two marks of four bytes each.
const BYTES_A_CELL: usize = 12;

/// A line of typed text.
#[derive(Clone, Debug)]
pub(super) struct Field<'t> {
    /// The line, without a line break.
    pub(super) text: &'t str,
    /// Where the cursor stands in it, in bytes.
    pub(super) cursor: Option<usize>,
    /// The part that is wrong, in bytes.
    pub(super) mistake: Option<Range<usize>>,
    /// Whether characters are drawn as dots.
    pub(super) hidden: bool,
}

/// One glyph of the field.
struct Mark {
    bytes: Range<usize>,
    shown: Shown,
}

impl<'t> Field<'t> {
    /// A line with a cursor.
    pub(super) fn new(text: &'t str, cursor: usize) -> Field<'t> {
        Field {
            text,
            cursor: Some(cursor),
            mistake: None,
            hidden: false,
        }
    }

    /// Draws it; returns the column of the cursor.
    pub(super) fn render(
        &self,
        pen: &Pen,
        canvas: &mut Canvas<'_>,
        (x, y): (u16, u16),
        width: u16,
    ) -> Option<u16> {
        let cursor = self.cursor.unwrap_or(0).min(self.text.len());
        let marks = self.marks(pen, cursor, width);
        let before = |marks: &[Mark]| {
            let left = marks.iter().filter(|mark| mark.bytes.end <= cursor);
            left.fold(0u16, |sum, mark| sum.saturating_add(mark.shown.cells()))
        };
        // One cell stays free for the cursor at the end.
        let mut first = 0;
        let mut column = before(&marks);
        while column >= width && first < marks.len() {
            column = column.saturating_sub(marks[first].shown.cells());
            first += 1;
        }
        let mut used = 0;
        for mark in &marks[first..] {
            let wrong = self
                .mistake
                .as_ref()
                .is_some_and(|range| overlaps(range, &mark.bytes));
            let style = if wrong { pen.theme.mistake() } else { Style::new() };
            let special = if wrong { Style::new() } else { pen.theme.special() };
            used += canvas.shown(
                (x.saturating_add(used), y),
                width - used,
                &mark.shown,
                style,
                special,
            );
            if used >= width {
                break;
            }
        }
        self.mark_end(pen, canvas, (x.saturating_add(used), y), width - used);
        self.cursor.map(|_| x.saturating_add(column))
    }

    /// A mistake at the very end, such as a missing digit, is marked where it would stand.
    fn mark_end(&self, pen: &Pen, canvas: &mut Canvas<'_>, at: (u16, u16), room: u16) {
        let missing = self
            .mistake
            .as_ref()
            .is_some_and(|range| range.start >= self.text.len());
        if missing && room > 0 {
            canvas.symbol(at.0, at.1, "_", pen.theme.mistake());
        }
    }

    fn marks(&self, pen: &Pen, cursor: usize, width: u16) -> Vec<Mark> {
        let reach = (usize::from(width) + 1) * BYTES_A_CELL;
        let start = self.text.floor_char_boundary(cursor.saturating_sub(reach));
        let end = self
            .text
            .ceil_char_boundary(cursor.saturating_add(reach).min(self.text.len()));
        if self.hidden {
            let dots = self.text[start..end].char_indices();
            return dots
                .map(|(at, c)| Mark {
                    bytes: start + at..start + at + c.len_utf8(),
                    shown: Shown::of(pen.symbols.hidden, pen.policy),
                })
                .collect();
        }
        let source = Source::new(&self.text.as_bytes()[start..end], pen.policy);
        let mark = |unit: crate::text::Unit| {
            let mut shown = Shown::default();
            shown.push(&unit.glyph, pen.policy);
            Mark {
                bytes: start + unit.start..start + unit.start + unit.len,
                shown,
            }
        };
        source.units().map(mark).collect()
    }
}

fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;
    use crate::text::Policy;
    use crate::ui::theme::Theme;

    fn draw(field: &Field<'_>, width: u16) -> (String, Option<u16>) {
        let pen = Pen::new(Theme::Plain, Policy::default());
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        let cursor = field.render(&pen, &mut Canvas::new(buf.area, &mut buf), (0, 0), width);
        ((0..width).map(|x| buf[(x, 0)].symbol()).collect(), cursor)
    }

    #[test]
    fn the_cursor_is_always_visible() {
        let check = |text: &str, cursor: usize, expected: (&str, u16)| {
            let (row, column) = draw(&Field::new(text, cursor), 6);
            assert_eq!(
                (row.as_str(), column),
                (expected.0, Some(expected.1)),
                "{text} at {cursor}"
            );
        };
        check("", 0, ("      ", 0));
        check("abc", 3, ("abc   ", 3));
        check("abcdefgh", 8, ("defgh ", 5));
        check("abcdefgh", 0, ("abcdef", 0));
        check("漢漢漢漢", 12, ("漢 漢   ", 4));
        check("a\x1bb", 2, ("a␛b   ", 2));
        check(&"x".repeat(100_000), 100_000, ("xxxxx ", 5));
        check(&"x".repeat(100_000), 50_000, ("xxxxxx", 5));
    }

    #[test]
    fn hidden_text_is_dots() {
        let field = Field {
            hidden: true,
            ..Field::new("pässw", 6)
        };
        assert_eq!(draw(&field, 8), ("•••••   ".into(), Some(5)));
    }
}
