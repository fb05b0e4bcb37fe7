//! What most bytes are by themselves: decided by the two bytes behind them, without decoding any character.
//!
//! Nothing here is another rule than in `decode`: where that would have to look further, this says so.

use super::decode::Source;

/// Characters from here on can be combining marks (U+0300), as the first byte of their UTF-8 form.
const FIRST_MARK: u8 = 0xcc;

/// What the unit is that begins with a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glance {
    /// That printable ASCII character, and nothing that combines with it.
    Ascii,
    /// A C0 control or DEL.
    Control,
    /// No part of a character.
    Invalid,
    /// It has to be decoded.
    Unsure,
}

impl Source<'_> {
    /// What begins at `at`, which must be the first byte of a unit.
    #[inline]
    pub(super) fn glance(&self, at: usize) -> Glance {
        let byte = |at: usize| self.bytes.get(at).copied();
        let Some(first) = byte(at) else {
            return Glance::Unsure;
        };
        // The rest of a character that began in an earlier entry.
        if at == 0 && matches!(first, 0x80..=0xbf) {
            return Glance::Unsure;
        }
        match (first, byte(at + 1)) {
            (b' '..=b'~', None) => Glance::Ascii,
            (b' '..=b'~', Some(FIRST_MARK..=0xf4)) if !is_alone(byte(at + 2)) => Glance::Unsure,
            (b' '..=b'~', Some(_)) => Glance::Ascii,
            (0..=0x1f | 0x7f, _) => Glance::Control,
            (0x80..=0xc1 | 0xf5..=0xff, _) => Glance::Invalid,
            (0xc2..=0xf4, next) if is_alone(next) => Glance::Invalid,
            (0xc2..=0xf4, _) => Glance::Unsure,
        }
    }
}

/// Whether the byte that would begin a character of several bytes certainly begins none.
fn is_alone(next: Option<u8>) -> bool {
    // At the end of the entry, the next one may go on.
    next.is_some_and(|next| !matches!(next, 0x80..=0xbf))
}
