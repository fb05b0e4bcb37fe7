//! Bytes to units: UTF-8 (RFC 3629) across read boundaries, every byte accounted for exactly once.
//!
//! Lazy and stateless between units: decoding may start again at any unit's first byte.

use super::Policy;
use super::class::{Class, class};
use super::unit::{Cluster, Glyph, Unit};

/// Most marks that stay on a base: enough for every living orthography, too few to draw over other rows.
const MARKS: usize = 2;

/// From this many marks without a place on, a run is shown as a count.
const RUN: u32 = 4;

/// The bytes of an entry with their neighbours in the same stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// Up to three bytes right before.
    pub before: &'a [u8],
    /// The bytes to show.
    pub bytes: &'a [u8],
    /// Up to three bytes right after.
    pub after: &'a [u8],
    /// What may be shown.
    pub policy: Policy,
}

impl<'a> Source<'a> {
    /// Bytes without neighbours.
    pub fn new(bytes: &'a [u8], policy: Policy) -> Source<'a> {
        Source {
            before: &[],
            bytes,
            after: &[],
            policy,
        }
    }

    /// All units, from the first byte on.
    pub fn units(self) -> Units<'a> {
        Units { source: self, at: 0 }
    }

    /// The units from the byte at `start` on, which must be a unit's first byte.
    pub fn units_from(self, start: usize) -> Units<'a> {
        Units {
            source: self,
            at: start,
        }
    }

    /// The units of which at least one byte lies at or behind `from`; the first may begin up to three bytes before.
    pub fn units_around(self, from: usize) -> Units<'a> {
        Units {
            source: self,
            at: self.start_around(from),
        }
    }

    /// The first byte of the unit that has the byte at `from`, up to three bytes before it.
    pub(super) fn start_around(&self, from: usize) -> usize {
        // Whatever begins a character, or is one, is no rest of another.
        if !matches!(self.bytes.get(from), Some(0x80..=0xbf)) {
            return from;
        }
        let covers = |back: &usize| {
            let start = from.checked_sub(*back)?;
            let (_, len) = self.scalar(start.cast_signed())?;
            (len > *back).then_some(start)
        };
        (1..=3).find_map(|back| covers(&back)).unwrap_or(from)
    }

    /// The byte at `at`, counted from the first byte to show; negative is before it.
    fn byte(&self, at: isize) -> Option<u8> {
        let len = self.bytes.len().cast_signed();
        if at < 0 {
            let back = self.before.len().checked_add_signed(at)?;
            return self.before.get(back).copied();
        }
        if at < len {
            self.bytes.get(at.cast_unsigned())
        } else {
            self.after.get((at - len).cast_unsigned())
        }
        .copied()
    }

    /// The character that starts at `at`, with its length in bytes, if all of it is here and valid.
    fn scalar(&self, at: isize) -> Option<(char, usize)> {
        let lead = self.byte(at)?;
        let len = match lead {
            0..=0x7f => return Some((char::from(lead), 1)),
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return None,
        };
        let mut bytes = [0; 4];
        for (offset, slot) in bytes[..len].iter_mut().enumerate() {
            *slot = self.byte(at + offset.cast_signed())?;
        }
        let c = std::str::from_utf8(&bytes[..len]).ok()?.chars().next()?;
        Some((c, len))
    }

    /// How many of the first bytes belong to a character that began before.
    fn carried(&self) -> usize {
        let back = self.before.len().min(3).cast_signed();
        (1..=back)
            .find_map(|back| {
                let (_, len) = self.scalar(-back)?;
                len.checked_sub(back.cast_unsigned()).filter(|rest| *rest > 0)
            })
            .map_or(0, |rest| rest.min(self.bytes.len()))
    }
}

/// The units of a source, in order and without a gap.
#[derive(Clone, Debug)]
pub struct Units<'a> {
    source: Source<'a>,
    at: usize,
}

impl Units<'_> {
    fn unit(&mut self, len: usize, glyph: Glyph) -> Unit {
        let start = self.at;
        let len = len.min(self.source.bytes.len() - start);
        self.at += len;
        Unit { start, len, glyph }
    }

    /// A base and the marks that follow it.
    fn cluster(&self, c: char, len: usize, cells: u8, base: bool) -> (Cluster, usize) {
        let mut cluster = Cluster::new(c, cells);
        let mut end = self.at + len;
        let mut marks = 0;
        while base && marks < MARKS && end < self.source.bytes.len() {
            let Some((mark, len)) = self.source.scalar(end.cast_signed()) else {
                break;
            };
            // A mark that is split over two reads stays with the entry of its own first byte, as all do.
            if class(mark, self.source.policy) != Class::Mark {
                break;
            }
            cluster.push(mark);
            marks += 1;
            end += len;
        }
        (cluster, end - self.at)
    }

    /// Marks that have no base, or too many on it.
    fn marks(&self, first: char, len: usize) -> (Glyph, usize) {
        let mut end = self.at + len;
        let mut count = 1;
        while end < self.source.bytes.len() {
            let Some((mark, len)) = self.source.scalar(end.cast_signed()) else {
                break;
            };
            if class(mark, self.source.policy) != Class::Mark {
                break;
            }
            count += 1;
            end += len;
        }
        if count < RUN {
            (Glyph::Escape(first), len)
        } else {
            (Glyph::Marks { first, count }, end - self.at)
        }
    }
}

impl Iterator for Units<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let byte = *self.source.bytes.get(self.at)?;
        if self.at == 0 {
            let carried = self.source.carried();
            if carried > 0 {
                return Some(self.unit(carried, Glyph::Carried));
            }
        }
        let Some((c, len)) = self.source.scalar(self.at.cast_signed()) else {
            return Some(self.unit(1, Glyph::Invalid(byte)));
        };
        let unit = match c {
            '\n' => self.unit(1, Glyph::LineFeed),
            '\t' => self.unit(1, Glyph::Tab),
            '\0'..='\x1f' | '\x7f' => self.unit(1, Glyph::Control(byte)),
            _ => match class(c, self.source.policy) {
                Class::Plain { cells, base } => {
                    let (cluster, len) = self.cluster(c, len, cells, base);
                    self.unit(len, Glyph::Plain(cluster))
                }
                Class::Mark => {
                    let (glyph, len) = self.marks(c, len);
                    self.unit(len, glyph)
                }
                Class::Escape => self.unit(len, Glyph::Escape(c)),
            },
        };
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: Source<'_>) -> String {
        let mut shown = crate::text::Shown::default();
        let mut at = 0;
        for unit in source.units() {
            assert_eq!(unit.start, at, "units follow each other without a gap");
            assert!(unit.len > 0);
            at += unit.len;
            shown.push(&unit.glyph, source.policy);
        }
        assert_eq!(at, source.bytes.len(), "every byte belongs to a unit");
        shown.to_string()
    }

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(text(Source::new(bytes, Policy::default())), expected);
    }

    #[test]
    fn what_is_not_text_is_escaped() {
        check(b"PING\r\n", "PING␍␊");
        check(b"\xff\xfe\x80", "\\xff\\xfe\\x80");
        check(b"\xc0\xaf", "\\xc0\\xaf");
        check(b"\xed\xa0\x80", "\\xed\\xa0\\x80");
        check(b"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
        check(b"\x1b[2J", "␛[2J");
        check("\u{9b}31m\u{202e}".as_bytes(), "\\u{9b}31m\\u{202e}");
        check("e\u{301}\u{302}\u{303}".as_bytes(), "e\u{301}\u{302}\\u{303}");
        check("\u{301}x".as_bytes(), "\\u{301}x");
        check(
            format!("a{}", "\u{301}".repeat(1000)).as_bytes(),
            "a\u{301}\u{301}\\u{301}+997",
        );
        check("é漢😀".as_bytes(), "é漢😀");
    }

    /// Shows a stream that was cut into reads at `cuts`: the characters, each at its first byte's read.
    fn split(stream: &[u8], cuts: &[usize]) -> String {
        let mut shown = String::new();
        let mut edges = vec![0];
        edges.extend(cuts);
        edges.push(stream.len());
        for edge in edges.windows(2) {
            let source = Source {
                before: &stream[edge[0].saturating_sub(3)..edge[0]],
                bytes: &stream[edge[0]..edge[1]],
                after: &stream[edge[1]..stream.len().min(edge[1] + 3)],
                policy: Policy::default(),
            };
            shown.push_str(&text(source).replace('‥', ""));
        }
        shown
    }

    #[test]
    fn a_character_split_over_reads_is_one_character() {
        for word in ["é", "漢", "😀", "xéy漢z😀"] {
            for cut in 0..=word.len() {
                assert_eq!(split(word.as_bytes(), &[cut]), word, "{word} cut at {cut}");
            }
            let everywhere: Vec<usize> = (1..word.len()).collect();
            assert_eq!(
                split(word.as_bytes(), &everywhere),
                word,
                "{word} in reads of one byte"
            );
        }
    }

    #[test]
    fn a_character_that_is_not_complete_yet_is_shown_as_its_bytes() {
        assert_eq!(split(b"a\xe6\xbc", &[2]), "a\\xe6\\xbc");
    }
}
