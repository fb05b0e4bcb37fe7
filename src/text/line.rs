//! The bytes of an entry as one line of displayable text: what [`super::Shown`] says, written at once, for output that is
//! long and has no styles.

use super::decode::Source;
use super::glance::Glance;
use super::unit::Look;

/// Appends the line, without an end.
pub fn write_line(source: Source<'_>, out: &mut Vec<u8>) {
    let policy = source.policy;
    let mut at = 0;
    while let Some(byte) = source.bytes.get(at) {
        match source.glance(at) {
            Glance::Ascii => {
                out.push(*byte);
                at += 1;
            }
            Glance::Control if !policy.ascii => {
                out.extend(picture(*byte));
                at += 1;
            }
            Glance::Control | Glance::Invalid => {
                let [high, low] = digits(*byte);
                out.extend([b'\\', b'x', high, low]);
                at += 1;
            }
            Glance::Unsure => {
                let Some(unit) = source.units_from(at).next() else {
                    return;
                };
                match unit.glyph.look(policy) {
                    Look::Plain(cluster) => out.extend(cluster.as_str().as_bytes()),
                    Look::Special(text) => out.extend(text.as_bytes()),
                    Look::Carried(text) => out.extend(text.as_bytes()),
                }
                at += unit.len;
            }
        }
    }
}

/// The picture of a C0 control or DEL (U+2400 to U+2421) in UTF-8.
pub(super) const fn picture(byte: u8) -> [u8; 3] {
    let last = if byte == 0x7f { 0x21 } else { byte & 0x1f };
    [0xe2, 0x90, 0x80 | last]
}

/// The two digits of a byte; formatting each would be most of the work of a long dump.
pub(super) fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)])
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{Policy, Shown};

    /// Bytes in which every rule has something to do.
    pub(in crate::text) fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), 1..4),
            2 => "[ -~]{1,5}".prop_map(String::into_bytes),
            1 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
            2 => proptest::sample::select(&["é", "漢", "😀", "\u{301}", "e\u{301}", "\u{202e}", "א", "\r\n", "\t", "\u{7f}"][..])
                .prop_map(|text| text.as_bytes().to_vec()),
            1 => (1..6usize).prop_map(|count| "\u{301}".repeat(count).into_bytes()),
        ];
        proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_short_way_writes_what_the_long_way_shows(
            all in bytes(),
            (from, to) in (0..40usize, 0..40usize),
            (rtl, ascii) in (any::<bool>(), any::<bool>()),
        ) {
            let (from, to) = (from.min(all.len()), all.len() - to.min(all.len()));
            let to = to.max(from);
            let policy = Policy { rtl, ascii };
            let source = Source {
                before: &all[from.saturating_sub(3)..from],
                bytes: &all[from..to],
                after: &all[to..all.len().min(to + 3)],
                policy,
            };
            let mut expected = Shown::default();
            for unit in source.units() {
                expected.push(&unit.glyph, policy);
            }
            let mut line = Vec::new();
            write_line(source, &mut line);
            prop_assert_eq!(String::from_utf8(line).unwrap(), expected.to_string());
        }
    }
}
