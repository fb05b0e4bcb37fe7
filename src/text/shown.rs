//! The only text that may reach a terminal: built by the encoder, or from words of our own source code.

use std::fmt;

use super::Policy;
use super::decode::Source;
use super::unit::{Glyph, Look};

/// A piece of displayable text in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    text: String,
    special: bool,
    cells: u16,
}

impl Span {
    /// The characters, all from the allow-list.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is our own sign for something that cannot be shown.
    pub fn is_special(&self) -> bool {
        self.special
    }

    /// How many cells it takes.
    pub fn cells(&self) -> u16 {
        self.cells
    }
}

/// Displayable text on one line. Nothing else is written to the screen, to standard error or into a title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    spans: Vec<Span>,
}

impl Shown {
    /// Encodes text of any origin; line breaks and tabs become pictures.
    pub fn of(text: &str, policy: Policy) -> Shown {
        Shown::of_bytes(text.as_bytes(), policy)
    }

    /// Encodes bytes of any origin.
    pub fn of_bytes(bytes: &[u8], policy: Policy) -> Shown {
        let mut shown = Shown::default();
        // Mostly it is our own words and figures, in which nothing combines and every byte is a cell.
        if let Ok(text) = str::from_utf8(bytes)
            && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        {
            if !text.is_empty() {
                shown.add(text, false, u16::try_from(text.len()).unwrap_or(u16::MAX));
            }
            return shown;
        }
        shown.push_units(bytes, policy);
        shown
    }

    fn push_units(&mut self, bytes: &[u8], policy: Policy) {
        for unit in Source::new(bytes, policy).units() {
            self.push(&unit.glyph, policy);
        }
    }

    /// Adds a glyph; a tab takes one cell.
    pub fn push(&mut self, glyph: &Glyph, policy: Policy) {
        let cells = if matches!(glyph, Glyph::Tab) {
            None
        } else {
            Some(glyph.cells(0, policy))
        };
        match glyph.look(policy) {
            Look::Plain(cluster) => self.add(cluster.as_str(), false, cluster.cells()),
            Look::Special(text) => self.add(&text, true, cells.unwrap_or(text.chars().count() as u16)),
            Look::Carried(text) => self.add(text, true, 1),
        }
    }

    fn add(&mut self, text: &str, special: bool, cells: u16) {
        match self.spans.last_mut() {
            Some(last) if last.special == special => {
                last.text.push_str(text);
                last.cells = last.cells.saturating_add(cells);
            }
            Some(_) | None => self.spans.push(Span {
                text: text.to_owned(),
                special,
                cells,
            }),
        }
    }

    /// The pieces, in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How many cells all of it takes.
    pub fn cells(&self) -> u16 {
        self.spans
            .iter()
            .fold(0, |sum, span| sum.saturating_add(span.cells))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|span| f.write_str(&span.text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_for_ascii_shows_what_the_long_way_shows(text in "[ -~]{0,80}", ascii: bool, rtl: bool) {
            let policy = Policy { rtl, ascii };
            let mut expected = Shown::default();
            expected.push_units(text.as_bytes(), policy);
            prop_assert_eq!(Shown::of(&text, policy), expected);
        }
    }
}
