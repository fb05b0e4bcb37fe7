//! Keys and mouse events as the app understands them, free of any terminal library. The runtime converts.

use std::fmt;

/// What was pressed, without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyCode {
    /// A character, in the case that it was typed.
    Char(char),
    /// Enter, also Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab; with Shift it is `BackTab` in most terminals, and arrives here as Tab with Shift.
    Tab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, from 1.
    F(u8),
}

/// The modifiers that were held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Modifiers {
    /// Control.
    pub ctrl: bool,
    /// Alt, also Meta.
    pub alt: bool,
    /// Shift; never set with a character, which carries its case itself.
    pub shift: bool,
}

/// One key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// What was pressed.
    pub code: KeyCode,
    /// What was held.
    pub modifiers: Modifiers,
}

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: KeyCode) -> Key {
        Key {
            code,
            modifiers: Modifiers {
                ctrl: false,
                alt: false,
                shift: false,
            },
        }
    }

    /// A character without modifiers.
    pub const fn char(c: char) -> Key {
        Key::plain(KeyCode::Char(c))
    }

    /// A character with Control.
    pub const fn ctrl(c: char) -> Key {
        Key::plain(KeyCode::Char(c)).with_ctrl()
    }

    /// A character with Alt.
    pub const fn alt(c: char) -> Key {
        Key::plain(KeyCode::Char(c)).with_alt()
    }

    /// The same key with Control.
    pub const fn with_ctrl(mut self) -> Key {
        self.modifiers.ctrl = true;
        self
    }

    /// The same key with Alt.
    pub const fn with_alt(mut self) -> Key {
        self.modifiers.alt = true;
        self
    }

    /// The same key with Shift.
    pub const fn with_shift(mut self) -> Key {
        self.modifiers.shift = true;
        self
    }

    /// The one spelling of keys that terminals report in several: no Shift beside a character, lower case beside
    /// Control, and Control with H, I, M and `[` as the keys whose bytes they are.
    #[must_use]
    pub fn canonical(self) -> Key {
        let KeyCode::Char(c) = self.code else { return self };
        let mut key = self;
        key.modifiers.shift = false;
        if !key.modifiers.ctrl {
            return key;
        }
        let code = match c.to_ascii_lowercase() {
            'h' => KeyCode::Backspace,
            'i' => KeyCode::Tab,
            'm' => KeyCode::Enter,
            '[' => KeyCode::Esc,
            lower => {
                key.code = KeyCode::Char(lower);
                return key;
            }
        };
        key.code = code;
        key.modifiers.ctrl = false;
        key
    }

    /// The character that typing this key means, if it means one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) => (!self.modifiers.ctrl && !self.modifiers.alt).then_some(c),
            KeyCode::Enter
            | KeyCode::Esc
            | KeyCode::Tab
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown
            | KeyCode::F(_) => None,
        }
    }

    /// The control character that a terminal sends for this key, for literal insertion. Keys that send a
    /// sequence, such as arrows, have none.
    pub fn literal(self) -> Option<char> {
        // With these, terminals send a sequence.
        if self.modifiers.alt || self.modifiers.shift {
            return None;
        }
        match self.code {
            KeyCode::Char(c) if self.modifiers.ctrl => match c.to_ascii_lowercase() {
                ' ' | '@' | '2' => Some('\0'),
                '?' | '8' => Some('\x7f'),
                // Terminals report 0x1c to 0x1f as Control with these digits.
                '3' => Some('\x1b'),
                '4' => Some('\x1c'),
                '5' => Some('\x1d'),
                '6' => Some('\x1e'),
                '7' | '/' => Some('\x1f'),
                // ASCII control characters are the letters' codes without their upper bits.
                c @ ('a'..='z' | '[' | '\\' | ']' | '^' | '_') => Some(char::from(c as u8 & 0x1f)),
                _ => None,
            },
            KeyCode::Char(c) => Some(c),
            KeyCode::Enter => Some('\r'),
            KeyCode::Esc => Some('\x1b'),
            KeyCode::Tab => Some('\t'),
            KeyCode::Backspace => Some('\x7f'),
            KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown
            | KeyCode::F(_) => None,
        }
    }
}

/// As help writes it: `Ctrl-G`, `Alt-Enter`, `PgDn`, `q`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.alt {
            f.write_str("Alt-")?;
        }
        if self.modifiers.shift {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            // The field writes Ctrl-G and Alt-L in capitals though no Shift is meant.
            KeyCode::Char(c) if self.modifiers.ctrl || self.modifiers.alt => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Enter => f.write_str("Enter"),
            KeyCode::Esc => f.write_str("Esc"),
            KeyCode::Tab => f.write_str("Tab"),
            KeyCode::Backspace => f.write_str("Backspace"),
            KeyCode::Delete => f.write_str("Del"),
            KeyCode::Insert => f.write_str("Ins"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Home => f.write_str("Home"),
            KeyCode::End => f.write_str("End"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::F(n) => write!(f, "F{n}"),
        }
    }
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MouseKind {
    /// The left button went down.
    Click,
    /// The wheel turned away from the user.
    ScrollUp,
    /// The wheel turned towards the user.
    ScrollDown,
}

/// One mouse event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mouse {
    /// What it did.
    pub kind: MouseKind,
    /// The column of the cell, from 0.
    pub x: u16,
    /// The row of the cell, from 0.
    pub y: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_help_shows_them() {
        let check = |key: Key, expected: &str| assert_eq!(key.to_string(), expected);
        check(Key::char('q'), "q");
        check(Key::ctrl('g'), "Ctrl-G");
        check(Key::alt('l'), "Alt-L");
        check(Key::plain(KeyCode::Enter).with_alt(), "Alt-Enter");
        check(Key::plain(KeyCode::Tab).with_shift(), "Shift-Tab");
        check(Key::char(' '), "Space");
        check(Key::plain(KeyCode::F(1)), "F1");
    }

    #[test]
    fn several_reports_of_one_key_are_one_key() {
        let check = |key: Key, expected: Key| assert_eq!(key.canonical(), expected);
        check(Key::char('G').with_shift(), Key::char('G'));
        check(Key::ctrl('G').with_shift(), Key::ctrl('g'));
        check(Key::ctrl('h'), Key::plain(KeyCode::Backspace));
        check(Key::ctrl('M'), Key::plain(KeyCode::Enter));
        check(
            Key::plain(KeyCode::Tab).with_shift(),
            Key::plain(KeyCode::Tab).with_shift(),
        );
    }

    #[test]
    fn a_literal_key_is_the_byte_that_a_terminal_sends() {
        let check = |key: Key, expected: Option<char>| assert_eq!(key.literal(), expected);
        check(Key::plain(KeyCode::Esc), Some('\x1b'));
        check(Key::ctrl('a'), Some('\x01'));
        check(Key::ctrl(' '), Some('\0'));
        check(Key::ctrl('\\'), Some('\x1c'));
        check(Key::plain(KeyCode::Tab), Some('\t'));
        check(Key::char('é'), Some('é'));
        check(Key::plain(KeyCode::Up), None);
        check(Key::alt('x'), None);
        check(Key::plain(KeyCode::Tab).with_shift(), None);
    }
}
