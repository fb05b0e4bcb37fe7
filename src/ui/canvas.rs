//! The only place that writes to the buffer: encoded text and our own signs, cut to the area by cells.
//!
//! Everything dynamic arrives as [`Shown`] or as a [`Cluster`] of the encoder. A cell holds at most a base character and two marks, 12 bytes.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use super::line::Line;
use crate::app::Area;
use crate::text::{Cluster, Shown};

/// A window, of which a buffer holds all or a part; what would lie outside of either is not drawn.
pub(super) struct Canvas<'a> {
    buf: &'a mut Buffer,
    window: Rect,
    clip: Rect,
}

impl<'a> Canvas<'a> {
    /// The cells `window` of the terminal; coordinates count from its top left.
    pub(super) fn new(window: Rect, buf: &'a mut Buffer) -> Canvas<'a> {
        let clip = window.intersection(buf.area);
        Canvas { buf, window, clip }
    }

    /// Its width and height.
    pub(super) fn size(&self) -> (u16, u16) {
        (self.window.width, self.window.height)
    }

    /// Whether anything in these areas would be drawn.
    pub(super) fn shows(&self, areas: &[Area]) -> bool {
        let place = |area: &Area| {
            let (x, y) = (
                self.window.x.saturating_add(area.x),
                self.window.y.saturating_add(area.y),
            );
            Rect::new(x, y, area.width, area.height)
        };
        areas.iter().any(|area| place(area).intersects(self.clip))
    }

    /// A cell as a position of the terminal, if it lies in the window.
    pub(super) fn position(&self, x: u16, y: u16) -> Option<Position> {
        let inside = x < self.window.width && y < self.window.height;
        inside.then(|| Position::new(self.window.x + x, self.window.y + y))
    }

    /// A cell that is drawn.
    fn cell(&mut self, x: u16, y: u16) -> Option<&mut Cell> {
        let at = self.position(x, y).filter(|at| self.clip.contains(*at))?;
        self.buf.cell_mut(at)
    }

    /// One of our own signs.
    pub(super) fn symbol(&mut self, x: u16, y: u16, symbol: &'static str, style: Style) {
        self.put(x, y, symbol, 1, style);
    }

    /// One of our own signs, `width` times in a row.
    pub(super) fn rule(&mut self, x: u16, y: u16, width: u16, symbol: &'static str, style: Style) {
        let end = x.saturating_add(width).min(self.window.width);
        for x in x..end {
            self.put(x, y, symbol, 1, style);
        }
    }

    /// Encoded text in at most `width` cells; returns how many it took. A wide character that would stick out is
    /// left out, and its first cell stays blank.
    pub(super) fn shown(
        &mut self,
        (x, y): (u16, u16),
        width: u16,
        shown: &Shown,
        style: Style,
        special: Style,
    ) -> u16 {
        let mut used = 0;
        for span in shown.spans() {
            let style = if span.is_special() {
                style.patch(special)
            } else {
                style
            };
            for (cluster, cells) in clusters(span.text()) {
                if used + cells > width {
                    return width;
                }
                self.put(x.saturating_add(used), y, cluster, cells, style);
                used += cells;
            }
        }
        used
    }

    /// A character with its marks, if the encoder let it through as it is and it fits `width` cells.
    pub(super) fn cluster(&mut self, x: u16, y: u16, width: u16, cluster: &Cluster, style: Style) {
        if cluster.cells() <= width {
            self.put(x, y, cluster.as_str(), cluster.cells(), style);
        }
    }

    /// A byte as two hexadecimal digits, of which `width` cells may be drawn.
    pub(super) fn byte(&mut self, x: u16, y: u16, width: u16, byte: u8, style: Style) {
        const DIGITS: [&str; 16] = [
            "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f",
        ];
        for (index, digit) in (0..width).zip([byte >> 4, byte & 0xf]) {
            self.put(x.saturating_add(index), y, DIGITS[usize::from(digit)], 1, style);
        }
    }

    /// A line in at most `width` cells; one that does not fit ends in the sign for "cut". Returns how many it took.
    pub(super) fn line(&mut self, (x, y): (u16, u16), width: u16, line: &Line<'_>) -> u16 {
        let whole = line.cells() <= width;
        let room = if whole { width } else { width.saturating_sub(1) };
        let mut used = 0;
        for piece in line.pieces() {
            let at = (x.saturating_add(used), y);
            used += self.shown(at, room - used, &piece.shown, piece.style, piece.special);
        }
        if whole || width == 0 {
            return used;
        }
        let style = line.pieces().last().map_or_else(Style::new, |piece| piece.style);
        self.put(x.saturating_add(room), y, line.cut_sign(), 1, style);
        width
    }

    /// Blanks the area, for something drawn on top.
    pub(super) fn clear(&mut self, area: Area) {
        for y in area.y..area.y.saturating_add(area.height).min(self.window.height) {
            // A wide character that begins left of the area would reach into it.
            if let Some(before) = area.x.checked_sub(1)
                && self.is_wide(before, y)
            {
                self.put(before, y, " ", 1, Style::new());
            }
            for x in area.x..area.x.saturating_add(area.width).min(self.window.width) {
                if let Some(cell) = self.cell(x, y) {
                    cell.reset();
                }
            }
        }
    }

    /// Adds a style to what stands in the area.
    pub(super) fn restyle(&mut self, area: Area, style: Style) {
        let area = Rect::new(
            self.window.x.saturating_add(area.x),
            self.window.y.saturating_add(area.y),
            area.width,
            area.height,
        );
        self.buf.set_style(area.intersection(self.clip), style);
    }

    fn is_wide(&self, x: u16, y: u16) -> bool {
        let cell = self.position(x, y).and_then(|position| self.buf.cell(position));
        cell.and_then(|cell| cell.symbol().chars().next())
            .and_then(UnicodeWidthChar::width)
            == Some(2)
    }

    fn put(&mut self, x: u16, y: u16, cluster: &str, cells: u16, style: Style) {
        let Some(end) = x.checked_add(cells).filter(|end| *end <= self.window.width) else {
            return;
        };
        let Some(cell) = self.cell(x, y) else {
            return;
        };
        cell.reset();
        cell.set_symbol(cluster).set_style(style);
        for covered in x + 1..end {
            if let Some(cell) = self.cell(covered, y) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }
}

/// The characters of encoded text, each with its marks and the cells that they take.
pub(super) fn clusters(text: &str) -> impl Iterator<Item = (&str, u16)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let base = rest.chars().next()?;
        let marks = rest[base.len_utf8()..]
            .chars()
            .take_while(|c| c.width() == Some(0));
        let len = base.len_utf8() + marks.map(char::len_utf8).sum::<usize>();
        let (cluster, after) = rest.split_at(len);
        rest = after;
        Some((cluster, base.width().unwrap_or(1) as u16))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Policy;

    fn row(buf: &Buffer, y: u16) -> String {
        (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect()
    }

    #[test]
    fn text_is_cut_at_the_edge_and_wide_characters_are_not_halved() {
        let check = |text: &str, width: u16, expected: &str| {
            let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
            let shown = Shown::of(text, Policy::default());
            Canvas::new(buf.area, &mut buf).shown((0, 0), width, &shown, Style::new(), Style::new());
            assert_eq!(row(&buf, 0), expected, "{text}");
        };
        check("abc", 6, "abc   ");
        check("abcdefgh", 4, "abcd  ");
        check("a漢漢漢", 4, "a漢    ");
        check("e\u{301}x", 6, "e\u{301}x    ");
        check("abcde漢", 6, "abcde ");
        check("\x1b[", 6, "␛[    ");
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 3));
        let mut canvas = Canvas::new(Rect::new(2, 1, 3, 1), &mut buf);
        let shown = Shown::of("abcdef", Policy::default());
        for (x, y) in [(0, 0), (u16::MAX, 0), (0, u16::MAX), (2, 1)] {
            canvas.shown((x, y), u16::MAX, &shown, Style::new(), Style::new());
        }
        canvas.rule(1, 0, u16::MAX, "─", Style::new());
        canvas.clear(Area::new(2, 0, u16::MAX, u16::MAX));
        assert_eq!(
            (row(&buf, 0), row(&buf, 1)),
            ("        ".into(), "  a─    ".into())
        );
    }

    #[test]
    fn clearing_takes_the_other_half_of_a_wide_character() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        let mut canvas = Canvas::new(buf.area, &mut buf);
        canvas.shown(
            (0, 0),
            4,
            &Shown::of("漢漢", Policy::default()),
            Style::new(),
            Style::new(),
        );
        canvas.clear(Area::new(1, 0, 2, 1));
        assert_eq!(row(&buf, 0), "    ");
    }
}
