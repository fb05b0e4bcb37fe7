//! Bytes to rows of the hex view: offset, hex pairs, and a gutter with exactly one cell a byte.

use std::ops::Range;

use super::decode::Source;
use super::unit::{Cluster, Glyph};

/// How a hexdump is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexLayout {
    /// Bytes in a row: 32, 16, 8 or 4.
    pub per_row: u16,
    /// Digits of the offset: 8, 4 where space is short.
    pub digits: u16,
    /// Whether there is room for the gutter.
    pub gutter: bool,
}

impl HexLayout {
    /// The widest layout that fits `width` cells; `gutter` asks for the text beside the bytes.
    pub fn fitting(width: u16, gutter: bool) -> HexLayout {
        let all = [(32, 8), (16, 8), (16, 4), (8, 8), (8, 4), (4, 4)];
        let fits = |gutter: bool| {
            all.into_iter()
                .map(move |(per_row, digits)| HexLayout {
                    per_row,
                    digits,
                    gutter,
                })
                .find(|layout| layout.width() <= width)
        };
        // Losing the gutter is worse than shorter rows, but four bytes and their text must not crowd out the bytes.
        fits(gutter).or_else(|| fits(false)).unwrap_or(HexLayout {
            per_row: 4,
            digits: 4,
            gutter: false,
        })
    }

    /// The column of byte `index` of a row.
    pub fn column(self, index: u16) -> u16 {
        self.digits + 2 + index * 3 + index / self.group()
    }

    /// The column of the gutter.
    pub fn gutter_column(self) -> u16 {
        self.column(self.per_row - 1) + 2 + 2
    }

    /// How many cells a full row takes.
    pub fn width(self) -> u16 {
        if self.gutter {
            self.gutter_column() + self.per_row
        } else {
            self.column(self.per_row - 1) + 2
        }
    }

    /// How many rows `len` bytes take.
    pub fn rows(self, len: usize) -> usize {
        len.div_ceil(usize::from(self.per_row))
    }

    /// The bytes of a row, out of `len`.
    pub fn bytes(self, row: usize, len: usize) -> Range<usize> {
        let start = (row * usize::from(self.per_row)).min(len);
        start..(start + usize::from(self.per_row)).min(len)
    }

    /// How many bytes stand together without a gap: eight, or half of a row that has no more.
    fn group(self) -> u16 {
        (self.per_row / 2).min(8)
    }
}

/// What kind of byte it is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteClass {
    /// 00.
    Nul,
    /// 21 to 7e.
    Printable,
    /// Space, TAB, LF, VT, FF, CR.
    Space,
    /// Another C0 control, or DEL.
    Control,
    /// 80 to ff: part of a multi-byte character, or binary.
    High,
}

impl ByteClass {
    /// The class of `byte`.
    pub fn of(byte: u8) -> ByteClass {
        match byte {
            0 => ByteClass::Nul,
            b'!'..=b'~' => ByteClass::Printable,
            b' ' | b'\t'..=b'\r' => ByteClass::Space,
            0x01..=0x1f | 0x7f => ByteClass::Control,
            0x80..=0xff => ByteClass::High,
        }
    }
}

/// One cell of the gutter; a row has as many as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GutterCell {
    /// A character, in as many cells as it is wide; the cells behind it are `Covered`.
    Plain(Cluster),
    /// The second cell of a wide character.
    Covered,
    /// The picture of a control.
    Control(char),
    /// Something that cannot be shown.
    Dot,
    /// A byte whose character is shown at an earlier byte.
    Rest,
}

/// The gutter of the bytes `range` of `source`: as many cells as bytes.
pub fn gutter(source: Source<'_>, range: Range<usize>) -> Vec<GutterCell> {
    // A character that starts in the row has at most three bytes behind it. What follows is not looked at: a run of
    // marks can be as long as the entry.
    let end = range.end.saturating_add(3).min(source.bytes.len());
    let source = Source {
        after: if end == source.bytes.len() {
            source.after
        } else {
            &[]
        },
        bytes: &source.bytes[..end],
        ..source
    };
    let mut cells = vec![GutterCell::Rest; range.len()];
    for unit in source.units_around(range.start) {
        if unit.start >= range.end {
            break;
        }
        let Some(first) = unit.start.checked_sub(range.start) else {
            continue;
        };
        let room = (range.end - unit.start).min(unit.len);
        match unit.glyph {
            Glyph::Plain(cluster) if usize::from(cluster.cells()) <= room => {
                cells[first] = GutterCell::Plain(cluster);
                if cluster.cells() == 2 {
                    cells[first + 1] = GutterCell::Covered;
                }
            }
            Glyph::LineFeed | Glyph::Tab | Glyph::Control(_) => {
                cells[first] = picture(source.bytes[unit.start], source.policy.ascii);
            }
            Glyph::Plain(_) | Glyph::Escape(_) | Glyph::Marks { .. } => cells[first] = GutterCell::Dot,
            Glyph::Invalid(_) => cells[first] = GutterCell::Dot,
            Glyph::Carried => {}
        }
    }
    cells
}

fn picture(byte: u8, ascii: bool) -> GutterCell {
    let code = if byte == 0x7f {
        0x2421
    } else {
        0x2400 + u32::from(byte)
    };
    match char::from_u32(code) {
        Some(c) if !ascii => GutterCell::Control(c),
        Some(_) | None => GutterCell::Dot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Policy;

    #[test]
    fn the_widest_layout_that_fits_is_taken() {
        let check = |width, gutter, per_row, digits, has_gutter| {
            let layout = HexLayout::fitting(width, gutter);
            assert_eq!(
                (layout.per_row, layout.digits, layout.gutter),
                (per_row, digits, has_gutter),
                "{width}"
            );
            assert!(layout.width() <= width || per_row == 4);
        };
        check(76, true, 16, 8, true);
        check(75, true, 16, 4, true);
        check(142, true, 32, 8, true);
        check(141, true, 16, 8, true);
        check(58, false, 16, 8, false);
        check(40, true, 8, 4, true);
        check(18, true, 4, 4, false);
        check(1, true, 4, 4, false);
    }

    fn text(bytes: &[u8], range: Range<usize>) -> String {
        let show = |cell: &GutterCell| match cell {
            GutterCell::Plain(cluster) => cluster.as_str().to_owned(),
            GutterCell::Covered => String::new(),
            GutterCell::Control(c) => c.to_string(),
            GutterCell::Dot => "·".to_owned(),
            GutterCell::Rest => " ".to_owned(),
        };
        gutter(Source::new(bytes, Policy::default()), range)
            .iter()
            .map(show)
            .collect()
    }

    #[test]
    fn the_gutter_has_one_cell_a_byte() {
        assert_eq!(text("+PONG\r\n".as_bytes(), 0..7), "+PONG␍␊");
        assert_eq!(text("é漢😀".as_bytes(), 0..9), "é 漢 😀  ");
        assert_eq!(text("é漢😀".as_bytes(), 1..4), " 漢");
        assert_eq!(text("é漢😀".as_bytes(), 1..3), " ·");
        assert_eq!(text("é漢😀".as_bytes(), 4..9), " 😀  ");
        assert_eq!(text(b"\xff\xfe\x80", 0..3), "···");
        assert_eq!(text("\u{9b}a".as_bytes(), 0..3), "· a");
    }
}
