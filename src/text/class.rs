//! Which code points may reach a terminal as they are: an allow-list by general category, less what terminals
//! disagree about. Everything else is escaped by its caller.
//!
//! Measured against tmux, xterm and ratatui's own widths; `tests/width_tmux.rs` repeats the measurement for tmux.

mod newer;

use std::ops::RangeInclusive;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_width::UnicodeWidthChar;

use super::Policy;

/// How a code point may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// As it is, in this many cells (1 or 2); `base` if combining marks may follow it.
    Plain { cells: u8, base: bool },
    /// As it is, but only on a base, without a cell of its own.
    Mark,
    /// Never as it is.
    Escape,
}

/// Letters, symbols and blanks in allowed categories that hide, join, reorder, or look like nothing.
const HIDING: &[RangeInclusive<u32>] = &[
    0x034f..=0x034f,   // combining grapheme joiner
    0x115f..=0x11ff,   // Hangul fillers and conjoining jamo V and T
    0x180b..=0x180f,   // Mongolian variation selectors
    0x1f1e6..=0x1f1ff, // regional indicators
    0x1f3fb..=0x1f3ff, // emoji modifiers
    0x20d0..=0x20f0,   // marks for symbols, the enclosing keycap among them
    0x2065..=0x2065,
    0x2800..=0x2800, // braille blank
    0x3164..=0x3164, // Hangul filler
    0xd7b0..=0xd7fb, // conjoining jamo
    0xfe00..=0xfe0f, // variation selectors
    0xffa0..=0xffa0, // half-width Hangul filler
    0xfff0..=0xffff, // specials, our own marker U+FFFD among them
    0xe0000..=0xe0fff,
];

/// Code points whose width ratatui, tmux and xterm do not agree on.
const DISPUTED: &[RangeInclusive<u32>] = &[
    0x0d4e..=0x0d4e,
    0x17a4..=0x17a4,
    0x17b4..=0x17b5,
    0x17d8..=0x17d8,
    0x2630..=0x2637,
    0x268a..=0x268f,
    0x3248..=0x324f,
    0xa8fa..=0xa8fa,
    0xff9e..=0xff9f,
    0x111c2..=0x111c3,
    0x1171e..=0x1171e,
    0x1193f..=0x1193f,
    0x11941..=0x11941,
    0x11a84..=0x11a89,
    0x11b00..=0x11b00,
    0x11d46..=0x11d46,
    0x1d300..=0x1d356,
    0x1d360..=0x1d376,
    0x1d165..=0x1d166,
    0x1d16d..=0x1d172,
    0x16ff0..=0x16ff1,
];

/// Right-to-left scripts, by their blocks (`DerivedBidiClass.txt`: R and AL, with the defaults of what is unassigned).
const RIGHT_TO_LEFT: &[RangeInclusive<u32>] = &[
    0x0590..=0x08ff,
    0xfb1d..=0xfdff,
    0xfe70..=0xfefe,
    0x10800..=0x10fff,
    0x1e800..=0x1efff,
];

/// Decides how `c` may be shown.
pub(super) fn class(c: char, policy: Policy) -> Class {
    if matches!(c, ' '..='~') {
        return Class::Plain {
            cells: 1,
            base: c.is_ascii_alphanumeric(),
        };
    }
    if c.is_ascii() || policy.ascii {
        return Class::Escape;
    }
    let listed = |ranges: &[RangeInclusive<u32>]| ranges.iter().any(|range| range.contains(&u32::from(c)));
    if newer::is_newer(u32::from(c))
        || listed(HIDING)
        || listed(DISPUTED)
        || (!policy.rtl && listed(RIGHT_TO_LEFT))
    {
        return Class::Escape;
    }
    by_category(c)
}

fn by_category(c: char) -> Class {
    use GeneralCategory as G;
    let base = match c.general_category() {
        G::UppercaseLetter
        | G::LowercaseLetter
        | G::TitlecaseLetter
        | G::ModifierLetter
        | G::OtherLetter
        | G::DecimalNumber
        | G::LetterNumber
        | G::OtherNumber => true,
        G::ConnectorPunctuation
        | G::DashPunctuation
        | G::OpenPunctuation
        | G::ClosePunctuation
        | G::InitialPunctuation
        | G::FinalPunctuation
        | G::OtherPunctuation
        | G::MathSymbol
        | G::CurrencySymbol
        | G::ModifierSymbol
        | G::OtherSymbol => false,
        G::NonspacingMark | G::EnclosingMark => {
            return if c.width() == Some(0) {
                Class::Mark
            } else {
                Class::Escape
            };
        }
        // A spacing mark takes a cell of its own; terminals shape it onto its base or do not.
        G::SpacingMark => false,
        G::SpaceSeparator
        | G::LineSeparator
        | G::ParagraphSeparator
        | G::Control
        | G::Format
        | G::Surrogate
        | G::PrivateUse
        | G::Unassigned => return Class::Escape,
    };
    match c.width() {
        Some(1) => Class::Plain { cells: 1, base },
        Some(2) => Class::Plain { cells: 2, base },
        Some(_) | None => Class::Escape,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(c: char, expected: Class) {
        assert_eq!(class(c, Policy::default()), expected, "U+{:04X}", u32::from(c));
    }

    #[test]
    fn letters_are_shown_and_what_hides_is_not() {
        check('a', Class::Plain { cells: 1, base: true });
        check(
            '.',
            Class::Plain {
                cells: 1,
                base: false,
            },
        );
        check('é', Class::Plain { cells: 1, base: true });
        check('漢', Class::Plain { cells: 2, base: true });
        check(
            '😀',
            Class::Plain {
                cells: 2,
                base: false,
            },
        );
        check('\u{301}', Class::Mark);
        for hostile in [
            '\0',
            '\x1b',
            '\x7f',
            '\u{9b}',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2028}',
            '\u{2066}',
            '\u{20e3}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fffc}',
            '\u{fffd}',
            '\u{ffff}',
            '\u{1f1e6}',
            '\u{1f3fb}',
            '\u{e0001}',
            '\u{e0100}',
            '\u{f0000}',
            '\u{10fffd}',
            '\u{9be}',
            '\u{ff9e}',
            '\u{5d0}',
            '\u{627}',
        ] {
            check(hostile, Class::Escape);
        }
    }

    #[test]
    fn policies_widen_and_narrow() {
        let rtl = Policy {
            rtl: true,
            ascii: false,
        };
        assert_eq!(class('א', rtl), Class::Plain { cells: 1, base: true });
        assert_eq!(class('\u{202e}', rtl), Class::Escape);
        assert_eq!(
            class(
                'é',
                Policy {
                    rtl: false,
                    ascii: true
                }
            ),
            Class::Escape
        );
    }
}
