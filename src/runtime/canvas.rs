//! Turns pictures into frames: the bytes that lead the terminal from the picture it shows to the next one. Pure; the
//! bytes go elsewhere.

use std::io::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};

use super::sgr::Look;

/// Synchronized update: the terminal shows what stands between these at once, or ignores them.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Stands for a cell that must not be written as it is. The encoder lets none through; this is the second check.
const REFUSED: &str = "?";

/// The most bytes in one cell (a base and two combining marks, of 4 bytes each, fit).
const CELL_BYTES: usize = 16;

/// Bytes of a frame for each cell of the window, after which marks are left out, so that a peer cannot choose
/// characters that make frames larger than 192 KiB at 200×60: a cell without marks takes 14 at most.
const BYTES_PER_CELL: usize = 9;

/// Which rows of the picture are drawn anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// All of them.
    All,
    /// So many at the top; what stands below them is what the terminal shows already.
    Top(u16),
}

/// The picture on the terminal, and the one after it.
#[derive(Debug)]
pub(crate) struct Canvas {
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    /// Whether the terminal shows something else than `shown`.
    stale: bool,
    /// What the next frame starts with: modes, the title, the clipboard.
    preface: Vec<u8>,
}

impl Canvas {
    /// An empty picture on a terminal whose contents are unknown.
    pub(crate) fn new() -> Canvas {
        Canvas {
            shown: Buffer::empty(Rect::ZERO),
            next: Buffer::empty(Rect::ZERO),
            cursor: None,
            stale: true,
            preface: Vec::new(),
        }
    }

    /// Forgets what the terminal shows, so that the next frame clears it and paints everything.
    pub(crate) fn forget(&mut self) {
        self.stale = true;
    }

    /// Puts a control sequence of ours before the next frame.
    pub(crate) fn preface(&mut self, sequence: &[u8]) {
        self.preface.extend_from_slice(sequence);
    }

    /// Draws a picture of `size` and appends the frame that leads to it, which is nothing if nothing changed.
    /// `render` gets the window and a blank buffer for the rows that are to be drawn, and returns where the cursor
    /// stands, if it is to be seen.
    pub(crate) fn frame(
        &mut self,
        size: Size,
        rows: Rows,
        out: &mut Vec<u8>,
        render: impl FnOnce(Rect, &mut Buffer) -> Option<Position>,
    ) {
        let window = Rect::new(0, 0, size.width, size.height);
        if self.shown.area != window {
            self.shown = Buffer::empty(window);
            self.stale = true;
        }
        let height = match rows {
            Rows::Top(rows) if !self.stale => rows.min(size.height),
            Rows::Top(_) | Rows::All => size.height,
        };
        self.next.resize(Rect { height, ..window });
        self.next.reset();
        let cursor = render(window, &mut self.next).filter(|at| window.contains(*at));
        for cell in &mut self.next.content {
            if !is_harmless(cell.symbol()) {
                cell.set_symbol(REFUSED);
            }
        }

        let start = out.len();
        out.append(&mut self.preface);
        out.extend_from_slice(BEGIN);
        let changes = out.len();
        self.paint(out, cursor);
        if out.len() == changes && changes == start + BEGIN.len() {
            out.truncate(start);
        } else {
            out.extend_from_slice(END);
        }
        self.cursor = cursor;
        if self.next.area == window {
            std::mem::swap(&mut self.shown, &mut self.next);
        } else {
            self.shown.content[..self.next.content.len()].swap_with_slice(&mut self.next.content);
        }
    }

    fn paint(&mut self, out: &mut Vec<u8>, cursor: Option<Position>) {
        let start = out.len();
        let mut was = self.cursor;
        if std::mem::take(&mut self.stale) {
            out.extend_from_slice(b"\x1b[?25l\x1b[0m\x1b[2J");
            self.shown.reset();
            was = None;
        }
        let mut brush = Brush {
            out,
            place: Place::Unknown,
            look: Look::PLAIN,
        };
        let mut hidden = was.is_none();
        let bound = start + BYTES_PER_CELL * self.next.content.len();
        for (x, y, cell) in self.shown.diff_iter(&self.next) {
            // Without synchronized update the cursor would be seen running along.
            if !hidden {
                brush.out.extend_from_slice(b"\x1b[?25l");
                hidden = true;
            }
            let marks = if brush.out.len() < bound {
                Marks::Drawn
            } else {
                Marks::LeftOut
            };
            brush.cell(Position { x, y }, cell, marks);
        }
        brush.restyle(Look::PLAIN);
        let moved = brush.out.len() != start || was != cursor;
        match cursor {
            Some(at) if moved => {
                brush.move_to(at);
                if hidden {
                    out.extend_from_slice(b"\x1b[?25h");
                }
            }
            None if !hidden => out.extend_from_slice(b"\x1b[?25l"),
            Some(_) | None => {}
        }
    }
}

/// Where the terminal's cursor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Unknown,
    /// Somewhere in this row.
    Row(u16),
    /// Here, beyond dispute.
    Sure(Position),
}

/// Whether combining marks are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marks {
    Drawn,
    LeftOut,
}

/// Writes cells, and knows where the terminal's cursor stands and what style is set.
struct Brush<'a> {
    out: &'a mut Vec<u8>,
    place: Place,
    look: Look,
}

impl Brush<'_> {
    fn cell(&mut self, at: Position, cell: &Cell, marks: Marks) {
        let symbol = match (marks, cell.symbol()) {
            // Nothing at all is how ratatui writes the right half of a wide character.
            (_, "") => " ",
            (Marks::Drawn, symbol) => symbol,
            (Marks::LeftOut, symbol) => &symbol[..symbol.chars().next().map_or(0, char::len_utf8)],
        };
        if !matches!(self.place, Place::Sure(sure) if sure == at) {
            self.move_to(at);
        }
        self.restyle(Look::of(cell));
        self.out.extend_from_slice(symbol.as_bytes());
        // Terminals may differ on the width of anything else than ASCII. The cell after it gets its place told, so
        // that a dispute damages one cell and not the rest of the row.
        self.place = match symbol.len() {
            1 => Place::Sure(Position { x: at.x + 1, ..at }),
            _ => Place::Row(at.y),
        };
    }

    fn restyle(&mut self, look: Look) {
        Look::change(self.look, look, self.out);
        self.look = look;
    }

    /// Moves the cursor, within a row with the shorter sequence (CHA instead of CUP).
    fn move_to(&mut self, to: Position) {
        let (column, row) = (u32::from(to.x) + 1, u32::from(to.y) + 1);
        let same_row = match self.place {
            Place::Unknown => false,
            Place::Row(y) => y == to.y,
            Place::Sure(at) => at.y == to.y,
        };
        // Writing to a vector cannot fail.
        let _ = if same_row {
            write!(self.out, "\x1b[{column}G")
        } else {
            write!(self.out, "\x1b[{row};{column}H")
        };
    }
}

/// Whether the symbol holds no control character, and no more than a cell may hold.
fn is_harmless(symbol: &str) -> bool {
    match symbol.as_bytes() {
        [b' '..=b'~'] | [] => true,
        bytes => bytes.len() <= CELL_BYTES && !symbol.chars().any(char::is_control),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Modifier, Style};

    use super::*;

    const SIZE: Size = Size { width: 8, height: 2 };

    /// The frame that leads from the first picture to the second, with ESC as `^`.
    fn check(first: &str, second: &str, expected: &str) {
        let mut canvas = Canvas::new();
        let mut out = Vec::new();
        canvas.frame(SIZE, Rows::All, &mut out, |_, buf| {
            buf.set_string(0, 0, first, Style::new());
            None
        });
        out.clear();
        canvas.frame(SIZE, Rows::All, &mut out, |_, buf| {
            buf.set_string(0, 0, second, Style::new());
            None
        });
        assert_eq!(String::from_utf8(out).unwrap().replace('\x1b', "^"), expected);
    }

    #[test]
    fn only_changes_are_written() {
        check("abc", "abc", "");
        check("abc", "axc", "^[?2026h^[1;2Hx^[?2026l");
        check("abc", "xyc", "^[?2026h^[1;1Hxy^[?2026l");
    }

    #[test]
    fn the_cursor_is_placed_after_everything_that_is_not_ascii() {
        check("", "aéb", "^[?2026h^[1;1Haé^[3Gb^[?2026l");
        check("", "漢b", "^[?2026h^[1;1H漢^[3Gb^[?2026l");
    }

    #[test]
    fn the_first_frame_clears_and_the_cursor_is_shown_last() {
        let mut canvas = Canvas::new();
        let mut out = Vec::new();
        canvas.preface(b"\x1b[?1049h");
        canvas.frame(SIZE, Rows::All, &mut out, |_, buf| {
            buf.set_string(0, 1, "hi", Style::new().add_modifier(Modifier::BOLD));
            Some(Position { x: 2, y: 1 })
        });
        assert_eq!(
            String::from_utf8(out).unwrap().replace('\x1b', "^"),
            "^[?1049h^[?2026h^[?25l^[0m^[2J^[2;1H^[1mhi^[m^[3G^[?25h^[?2026l"
        );
    }

    #[test]
    fn a_cursor_that_moves_alone_is_a_frame() {
        let mut canvas = Canvas::new();
        let mut out = Vec::new();
        canvas.frame(SIZE, Rows::All, &mut out, |_, _| Some(Position { x: 0, y: 0 }));
        out.clear();
        canvas.frame(SIZE, Rows::All, &mut out, |_, _| Some(Position { x: 1, y: 0 }));
        assert_eq!(out, b"\x1b[?2026h\x1b[1;2H\x1b[?2026l");
        out.clear();
        canvas.frame(SIZE, Rows::All, &mut out, |_, _| None);
        assert_eq!(out, b"\x1b[?2026h\x1b[?25l\x1b[?2026l");
        out.clear();
        canvas.frame(SIZE, Rows::All, &mut out, |_, _| None);
        assert_eq!(out, b"");
    }

    #[test]
    fn no_control_character_leaves_a_cell() {
        let mut canvas = Canvas::new();
        let mut out = Vec::new();
        canvas.frame(SIZE, Rows::All, &mut out, |_, buf| {
            for (x, symbol) in ["\x1b", "\u{9b}", "\n", "a\u{301}", "aaaaaaaaaaaaaaaaa"]
                .into_iter()
                .enumerate()
            {
                buf[(x as u16, 0)].set_symbol(symbol);
            }
            None
        });
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\x1b[1;1H???a\u{301}\x1b[5G?"), "{text:?}");
    }

    #[test]
    fn rows_at_the_top_change_alone_and_leave_the_others() {
        let mut canvas = Canvas::new();
        let mut draw = |rows, pictures: [&str; 2]| {
            let mut out = Vec::new();
            canvas.frame(SIZE, rows, &mut out, |window, buf| {
                assert_eq!(window.height, SIZE.height);
                for (y, text) in (0..buf.area.height).zip(pictures) {
                    buf.set_string(0, y, text, Style::new());
                }
                None
            });
            String::from_utf8(out).unwrap().replace('\x1b', "^")
        };
        // What the terminal shows is not known yet, so everything is drawn.
        assert!(draw(Rows::Top(1), ["ab", "cd"]).contains("^[2;1Hcd"));
        assert_eq!(draw(Rows::Top(1), ["xb", "no"]), "^[?2026h^[1;1Hx^[?2026l");
        assert_eq!(draw(Rows::All, ["xb", "cd"]), "");
        assert_eq!(draw(Rows::Top(0), ["no", "no"]), "");
        assert_eq!(draw(Rows::Top(9), ["xy", "cd"]), "^[?2026h^[1;2Hy^[?2026l");
        assert_eq!(draw(Rows::All, ["xy", "ce"]), "^[?2026h^[2;2He^[?2026l");
    }

    #[test]
    fn any_size_is_drawn() {
        let mut canvas = Canvas::new();
        for (width, height) in [(0, 0), (0, 9), (9, 0), (1, 1), (1000, 1000), (3, 2)] {
            let mut out = Vec::new();
            let size = Size { width, height };
            canvas.frame(size, Rows::All, &mut out, |area, buf| {
                assert_eq!((area.width, area.height, buf.area), (width, height, area));
                Some(Position { x: 0, y: 0 })
            });
            assert!(out.ends_with(END));
        }
    }

    #[test]
    fn the_worst_frame_of_a_large_window_stays_within_its_bound() {
        let mut canvas = Canvas::new();
        let mut out = Vec::new();
        let size = Size {
            width: 200,
            height: 60,
        };
        canvas.frame(size, Rows::All, &mut out, |_, buf| {
            for (index, cell) in buf.content.iter_mut().enumerate() {
                if index % 2 == 0 {
                    // Base and two marks of 4 bytes each.
                    cell.set_symbol("\u{11005}\u{11038}\u{11042}");
                } else {
                    cell.set_symbol("␛").set_style(Style::new().magenta().bold());
                }
            }
            None
        });
        assert!(out.len() <= 192 * 1024, "{}", out.len());
    }
}
