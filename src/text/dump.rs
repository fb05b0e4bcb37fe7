//! A hexdump as text, sixteen bytes a row: the columns and the gutter of the screen, written at once, for output that is
//! long.

use std::ops::Range;

use super::Policy;
use super::decode::Source;
use super::line::{digits, picture};
use super::unit::Glyph;

/// Bytes of a row.
const PER_ROW: usize = 16;

/// Where the gutter begins: behind eight digits of the offset, and two for each byte.
const GUTTER: usize = 60;

/// The bytes as a hexdump.
pub fn hexdump(source: Source<'_>) -> String {
    let mut out = Vec::new();
    write_hexdump(source, "", &mut out);
    // It has nothing but digits, blanks and characters.
    String::from_utf8(out).unwrap_or_default()
}

/// The same with `indent` in front of each row.
pub fn write_hexdump(source: Source<'_>, indent: &str, out: &mut Vec<u8>) {
    let signs = if source.policy.ascii { &ASCII } else { &SIGNS };
    let mut start = 0;
    while start < source.bytes.len() {
        let range = start..(start + PER_ROW).min(source.bytes.len());
        out.extend(indent.as_bytes());
        out.extend(pairs(start, &source.bytes[range.clone()]));
        gutter(source, &range, signs, out);
        let blank = out.iter().rev().take_while(|byte| **byte == b' ').count();
        out.truncate(out.len() - blank);
        out.push(b'\n');
        start = range.end;
    }
}

/// The offset and the digits of each byte.
fn pairs(start: usize, bytes: &[u8]) -> [u8; GUTTER] {
    let mut row = [b' '; GUTTER];
    // No entry has 2³² bytes.
    for (pair, byte) in row.chunks_exact_mut(2).zip((start as u32).to_be_bytes()) {
        pair.copy_from_slice(&digits(byte));
    }
    for (index, byte) in bytes.iter().enumerate() {
        let column = 10 + index * 3 + index / 8;
        if let Some(pair) = row.get_mut(column..column + 2) {
            pair.copy_from_slice(&digits(*byte));
        }
    }
    row
}

/// What a byte that is certain looks like in the gutter: the UTF-8 form, and its length behind it.
type Signs = [[u8; 4]; 256];

const SIGNS: Signs = signs(false);
const ASCII: Signs = signs(true);

const fn signs(ascii: bool) -> Signs {
    let mut signs = [[0; 4]; 256];
    let mut byte = 0;
    while byte < 256 {
        signs[byte] = match byte as u8 {
            printable @ b' '..=b'~' => [printable, 0, 0, 1],
            _ if ascii => [b'.', 0, 0, 1],
            control @ (0..=0x1f | 0x7f) => {
                let [first, second, third] = picture(control);
                [first, second, third, 3]
            }
            // U+00B7
            _ => [0xc2, 0xb7, 0, 2],
        };
        byte += 1;
    }
    signs
}

/// The gutter of a row: see [`super::gutter`].
fn gutter(source: Source<'_>, range: &Range<usize>, signs: &Signs, out: &mut Vec<u8>) {
    // As there: what stands further behind is not looked at.
    let end = (range.end + 3).min(source.bytes.len());
    let source = Source {
        after: if end == source.bytes.len() {
            source.after
        } else {
            &[]
        },
        bytes: &source.bytes[..end],
        ..source
    };
    let unsure = unsure(&source, range);
    let mut at = source.start_around(range.start);
    while at < range.end {
        if at >= range.start && unsure >> (at - range.start) & 1 == 0 {
            let [first, second, third, len] = signs[usize::from(source.bytes[at])];
            out.extend([first, second, third]);
            out.truncate(out.len() - usize::from(3 - len));
            at += 1;
        } else {
            at = decoded(source, at, range, out);
        }
    }
}

/// The bytes of a row that have to be decoded, one bit each: those that may begin a character of several bytes, or may
/// combine with one. In most rows there is none, and looking at all bytes at once costs little.
fn unsure(source: &Source<'_>, range: &Range<usize>) -> u32 {
    let mut bytes = [0; PER_ROW + 2];
    let row = &source.bytes[range.start..(range.end + 2).min(source.bytes.len())];
    bytes[..row.len()].copy_from_slice(row);
    if row.len() < bytes.len() && !source.after.is_empty() {
        // Whatever the next entry begins with.
        bytes[row.len()] = 0x80;
    }
    let mut leads = 0;
    for (at, pair) in (0..).zip(bytes.windows(2)) {
        leads |= u32::from(matches!(pair, [0xc2..=0xf4, 0x80..=0xbf])) << at;
    }
    // The rest of a character that began in an earlier entry.
    let carried = range.start == 0 && matches!(bytes[0], 0x80..=0xbf);
    leads | leads >> 1 | u32::from(carried)
}

/// The same of the unit at `at`, which has to be decoded; returns where the next one is.
fn decoded(source: Source<'_>, at: usize, range: &Range<usize>, out: &mut Vec<u8>) -> usize {
    let Some(unit) = source.units_from(at).next() else {
        return range.end;
    };
    let Policy { ascii, .. } = source.policy;
    let end = unit.start + unit.len;
    // The cells of the row that are its own.
    let room = end.min(range.end) - unit.start.max(range.start);
    let dot = if ascii { "." } else { "·" };
    let cells = match unit.glyph {
        // It is shown in the row before.
        _ if unit.start < range.start => 0,
        Glyph::Carried => 0,
        Glyph::Plain(cluster) if usize::from(cluster.cells()) <= room => {
            out.extend(cluster.as_bytes());
            usize::from(cluster.cells())
        }
        Glyph::LineFeed | Glyph::Tab | Glyph::Control(_) if !ascii => {
            out.extend(picture(source.bytes[unit.start]));
            1
        }
        Glyph::LineFeed
        | Glyph::Tab
        | Glyph::Control(_)
        | Glyph::Plain(_)
        | Glyph::Escape(_)
        | Glyph::Marks { .. }
        | Glyph::Invalid(_) => {
            out.extend(dot.as_bytes());
            1
        }
    };
    out.resize(out.len() + room - cells, b' ');
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::hexdump::{GutterCell, HexLayout};
    use crate::text::line::tests::bytes;

    /// A dump made of the cells of the screen.
    fn expected(source: Source<'_>) -> String {
        let layout = HexLayout {
            per_row: 16,
            digits: 8,
            gutter: true,
        };
        let mut rows = String::new();
        for row in 0..layout.rows(source.bytes.len()) {
            let range = layout.bytes(row, source.bytes.len());
            let mut line = format!("{:08x}", range.start);
            for (index, byte) in (0..).zip(&source.bytes[range.clone()]) {
                let blanks = usize::from(layout.column(index)) - line.len();
                line.push_str(&" ".repeat(blanks));
                line.push_str(&hex::encode([*byte]));
            }
            let blanks = usize::from(layout.gutter_column()) - line.len();
            line.push_str(&" ".repeat(blanks));
            for cell in crate::text::gutter(source, range) {
                match cell {
                    GutterCell::Plain(cluster) => line.push_str(cluster.as_str()),
                    GutterCell::Covered => {}
                    GutterCell::Control(c) => line.push(c),
                    GutterCell::Dot => line.push(if source.policy.ascii { '.' } else { '·' }),
                    GutterCell::Rest => line.push(' '),
                }
            }
            rows.push_str(line.trim_end_matches(' '));
            rows.push('\n');
        }
        rows
    }

    #[test]
    fn a_hexdump_has_the_columns_of_the_screen() {
        assert_eq!(
            hexdump(Source::new(b"+PONG\r\n", Policy::default())),
            "00000000  2b 50 4f 4e 47 0d 0a                              +PONG␍␊\n"
        );
        assert_eq!(
            hexdump(Source::new(&[0; 17], Policy::default())).lines().count(),
            2
        );
    }

    proptest! {
        #[test]
        fn its_rows_are_those_of_the_screen(
            all in bytes(),
            (from, to) in (0..20usize, 0..20usize),
            (rtl, ascii) in (any::<bool>(), any::<bool>()),
        ) {
            let from = from.min(all.len());
            let to = all.len().saturating_sub(to).max(from);
            let source = Source {
                before: &all[from.saturating_sub(3)..from],
                bytes: &all[from..to],
                after: &all[to..all.len().min(to + 3)],
                policy: Policy { rtl, ascii },
            };
            prop_assert_eq!(hexdump(source), expected(source));
        }
    }
}
