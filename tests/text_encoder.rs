//! The encoder's promises, proved over every code point and over arbitrary streams: everything is visible,
//! everything can be turned back, nothing that a terminal would act upon comes out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use sockscope::text::{GutterCell, Look, Policy, Shown, Source, TextRows, copy, gutter};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_width::UnicodeWidthStr;

/// What a terminal could act upon, or what would look like nothing.
fn is_hostile(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Surrogate
    ) || (c.general_category() == GeneralCategory::SpaceSeparator && c != ' ')
}

fn visible(bytes: &[u8]) {
    let shown = Shown::of_bytes(bytes, Policy::default());
    let text = shown.to_string();
    assert!(!text.is_empty() && shown.cells() > 0, "{bytes:02x?} is invisible");
    assert!(!text.chars().any(is_hostile), "{bytes:02x?} is shown as {text:?}");
    let ascii = Shown::of_bytes(
        bytes,
        Policy {
            ascii: true,
            rtl: false,
        },
    )
    .to_string();
    assert!(
        ascii.bytes().all(|b| (b' '..=b'~').contains(&b)),
        "{bytes:02x?} is shown as {ascii:?}"
    );
    assert_eq!(
        copy::parse(&copy::text_of(bytes)).unwrap(),
        bytes,
        "{bytes:02x?} cannot be turned back"
    );
}

#[test]
fn every_scalar_and_every_byte_is_visible_and_reversible() {
    let mut scalars = 0;
    for c in '\0'..=char::MAX {
        visible(c.encode_utf8(&mut [0; 4]).as_bytes());
        scalars += 1;
    }
    assert_eq!(scalars, 1_112_064);
    for byte in 0..=u8::MAX {
        visible(&[byte]);
    }
}

/// Streams in which text, broken text, marks and controls follow each other closely.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        "[a-z漢é😀\u{301}\u{302}\n\t ]{1,6}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 1..4),
        Just("\u{301}".repeat(40).into_bytes()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_stream_can_be_copied_and_turned_back(bytes in stream()) {
        prop_assert_eq!(copy::parse(&copy::text_of(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn any_split_shows_each_byte_once(bytes in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut edges: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        edges.extend([0, bytes.len()]);
        edges.sort_unstable();
        for edge in edges.windows(2) {
            let source = Source {
                before: &bytes[edge[0].saturating_sub(3)..edge[0]],
                bytes: &bytes[edge[0]..edge[1]],
                after: &bytes[edge[1]..bytes.len().min(edge[1] + 3)],
                policy: Policy::default(),
            };
            let mut at = 0;
            for unit in source.units() {
                prop_assert_eq!(unit.start, at);
                prop_assert!(unit.len > 0);
                at += unit.len;
            }
            prop_assert_eq!(at, source.bytes.len());
            prop_assert_eq!(copy::parse(&copy::text(source)).unwrap(), source.bytes);
        }
    }

    #[test]
    fn the_gutter_has_as_many_cells_as_bytes(bytes in stream(), from in any::<prop::sample::Index>()) {
        let from = from.index(bytes.len() + 1);
        let to = bytes.len().min(from + 16);
        let cells = gutter(Source::new(&bytes, Policy::default()), from..to);
        prop_assert_eq!(cells.len(), to - from);
        let drawn: usize = cells.iter().map(|cell| match cell {
            GutterCell::Plain(cluster) => cluster.as_str().width(),
            GutterCell::Covered => 0,
            GutterCell::Control(_) | GutterCell::Dot | GutterCell::Rest => 1,
        }).sum();
        prop_assert_eq!(drawn, to - from);
    }

    #[test]
    fn rows_hold_every_byte_and_never_pass_the_width(bytes in stream(), width in 20u16..120) {
        let source = Source::new(&bytes, Policy::default());
        let mut at = 0;
        for row in TextRows::new(source, width) {
            prop_assert_eq!(row.bytes.start, at);
            at = row.bytes.end;
            let mut column = 0;
            for unit in source.units_from(row.bytes.start).take_while(|unit| unit.start < row.bytes.end) {
                let cells = TextRows::cells(&source, &unit.glyph, column, width);
                if let Look::Plain(cluster) = unit.glyph.look(source.policy) {
                    prop_assert!(cluster.as_str().len() <= 16);
                    prop_assert_eq!(cluster.as_str().width(), usize::from(cells));
                }
                column += cells;
            }
            prop_assert!(column <= width);
        }
        prop_assert_eq!(at, bytes.len());
    }
}
