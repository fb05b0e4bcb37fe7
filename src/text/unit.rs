//! One thing on the screen, the bytes that it stands for, and the cells that it takes.

use std::fmt;

use super::Policy;

/// A base character with at most two combining marks, in UTF-8: 12 bytes at most, so that no cell grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cluster {
    bytes: [u8; 12],
    len: u8,
    cells: u8,
}

impl Cluster {
    pub(super) fn new(base: char, cells: u8) -> Cluster {
        let mut cluster = Cluster {
            bytes: [0; 12],
            len: 0,
            cells,
        };
        cluster.push(base);
        cluster
    }

    /// Adds a character; callers add at most two to the base, which always fits.
    pub(super) fn push(&mut self, c: char) {
        let at = usize::from(self.len);
        self.len += c.encode_utf8(&mut self.bytes[at..]).len() as u8;
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The same in UTF-8.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// How many cells they take, 1 or 2.
    pub fn cells(&self) -> u16 {
        u16::from(self.cells)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// Shown as it is.
    Plain(Cluster),
    /// LF (U+000A): its picture, then a new row.
    LineFeed,
    /// TAB (U+0009): its picture, then blanks to the next multiple of eight columns.
    Tab,
    /// Another C0 control or DEL: its picture.
    Control(u8),
    /// A code point that is never shown as it is: `\u{..}`.
    Escape(char),
    /// A byte that is not part of any UTF-8 character: `\x..`.
    Invalid(u8),
    /// A long run of combining marks, which begins with this one.
    Marks {
        /// The first of them.
        first: char,
        /// How many they are.
        count: u32,
    },
    /// Bytes of a character that began before.
    Carried,
}

/// A glyph and the bytes of the entry that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The offset of its first byte.
    pub start: usize,
    /// How many bytes of this entry it stands for; a split character may have more in the next.
    pub len: usize,
    /// What it is.
    pub glyph: Glyph,
}

/// What a glyph looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Characters from the allow-list.
    Plain(Cluster),
    /// Our own sign for something that cannot be shown; it carries the special style.
    Special(String),
    /// Our own dim mark for bytes shown elsewhere.
    Carried(&'static str),
}

impl Glyph {
    /// What it looks like; a tab without its blanks.
    pub fn look(&self, policy: Policy) -> Look {
        let special = match *self {
            Glyph::Plain(cluster) => return Look::Plain(cluster),
            Glyph::Carried => return Look::Carried(if policy.ascii { "~" } else { "‥" }),
            Glyph::LineFeed => control(b'\n', policy),
            Glyph::Tab => control(b'\t', policy),
            Glyph::Control(byte) => control(byte, policy),
            Glyph::Escape(c) => format!("\\u{{{:x}}}", u32::from(c)),
            Glyph::Invalid(byte) => format!("\\x{byte:02x}"),
            Glyph::Marks { first, count } => format!("\\u{{{:x}}}+{}", u32::from(first), count - 1),
        };
        Look::Special(special)
    }

    /// How many cells it takes when it starts in `column`.
    pub fn cells(&self, column: u16, policy: Policy) -> u16 {
        match self {
            Glyph::Tab => 8 - column % 8,
            Glyph::Plain(cluster) => cluster.cells(),
            Glyph::LineFeed
            | Glyph::Control(_)
            | Glyph::Escape(_)
            | Glyph::Invalid(_)
            | Glyph::Marks { .. }
            | Glyph::Carried => match self.look(policy) {
                Look::Plain(cluster) => cluster.cells(),
                // Our own signs are one cell a character.
                Look::Special(text) => text.chars().count() as u16,
                Look::Carried(text) => text.chars().count() as u16,
            },
        }
    }
}

/// The picture of a C0 control or DEL (Unicode block Control Pictures), or an escape if only 7 bits are wanted.
fn control(byte: u8, policy: Policy) -> String {
    if policy.ascii {
        return format!("\\x{byte:02x}");
    }
    let picture = if byte == 0x7f {
        0x2421
    } else {
        0x2400 + u32::from(byte)
    };
    char::from_u32(picture).map_or_else(|| format!("\\x{byte:02x}"), String::from)
}
