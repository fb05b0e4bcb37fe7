//! Styles as the terminal wants them: select graphic rendition (ECMA-48 §8.3.117).

use std::io::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// What a cell looks like, apart from its symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Look {
    /// The terminal's own.
    pub(crate) const PLAIN: Look = Look {
        fg: Color::Reset,
        bg: Color::Reset,
        modifier: Modifier::empty(),
    };

    pub(crate) fn of(cell: &Cell) -> Look {
        Look {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// Writes the sequence that leads from one look to the other.
    pub(crate) fn change(from: Look, to: Look, out: &mut Vec<u8>) {
        const MODIFIERS: [(Modifier, u8); 9] = [
            (Modifier::BOLD, b'1'),
            (Modifier::DIM, b'2'),
            (Modifier::ITALIC, b'3'),
            (Modifier::UNDERLINED, b'4'),
            (Modifier::SLOW_BLINK, b'5'),
            (Modifier::RAPID_BLINK, b'6'),
            (Modifier::REVERSED, b'7'),
            (Modifier::HIDDEN, b'8'),
            (Modifier::CROSSED_OUT, b'9'),
        ];
        if from == to {
            return;
        }
        out.extend_from_slice(b"\x1b[");
        // Nothing but a reset switches modifiers off.
        if from != Look::PLAIN && to != Look::PLAIN {
            out.extend_from_slice(b"0;");
        }
        for (modifier, digit) in MODIFIERS {
            if to.modifier.contains(modifier) {
                out.extend_from_slice(&[digit, b';']);
            }
        }
        colour(out, to.fg, 30);
        colour(out, to.bg, 40);
        // A sequence without parameters is the reset.
        out.pop_if(|last| *last == b';');
        out.push(b'm');
    }
}

/// Appends the parameters of one colour; `base` is 30 for the foreground and 40 for the background.
fn colour(out: &mut Vec<u8>, colour: Color, base: u8) {
    const BRIGHT: u8 = 60;
    let plain = match colour {
        Color::Reset => return,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + BRIGHT,
        Color::LightRed => base + BRIGHT + 1,
        Color::LightGreen => base + BRIGHT + 2,
        Color::LightYellow => base + BRIGHT + 3,
        Color::LightBlue => base + BRIGHT + 4,
        Color::LightMagenta => base + BRIGHT + 5,
        Color::LightCyan => base + BRIGHT + 6,
        Color::White => base + BRIGHT + 7,
        Color::Indexed(n) => return push(out, format_args!("{};5;{n};", base + 8)),
        Color::Rgb(r, g, b) => return push(out, format_args!("{};2;{r};{g};{b};", base + 8)),
    };
    push(out, format_args!("{plain};"));
}

fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: Look, to: Look, expected: &str) {
        let mut out = Vec::new();
        Look::change(from, to, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn looks_become_parameters() {
        let plain = Look::PLAIN;
        check(plain, plain, "");
        let bold = Look {
            modifier: Modifier::BOLD | Modifier::REVERSED,
            ..plain
        };
        check(plain, bold, "\x1b[1;7m");
        check(bold, bold, "");
        check(bold, plain, "\x1b[m");
        let (fg, bg) = (Color::Red, Color::LightBlue);
        check(bold, Look { fg, bg, ..plain }, "\x1b[0;31;104m");
        let (fg, bg) = (Color::Indexed(200), Color::Rgb(1, 2, 3));
        check(plain, Look { fg, bg, ..plain }, "\x1b[38;5;200;48;2;1;2;3m");
    }
}
