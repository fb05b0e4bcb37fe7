//! The words of an event in rows that fit the window.

use std::ops::Range;

use crate::text::{Policy, Shown, Source, TextRows, Unit};

/// A sentence in rows of `width` cells, broken behind blanks where there are any.
pub(super) fn wrapped(sentence: &str, width: u16, policy: Policy) -> Vec<Shown> {
    hanging(sentence, 0, width, policy)
}

/// The same with so many blanks before every row but the first, if they leave at least half of it.
pub(super) fn hanging(sentence: &str, blanks: u16, width: u16, policy: Policy) -> Vec<Shown> {
    let hang = if blanks > width / 2 { 0 } else { blanks };
    let source = Source::new(sentence.as_bytes(), policy);
    let blank = |unit: &Unit| sentence.as_bytes().get(unit.start) == Some(&b' ');
    let mut rows = Vec::new();
    let row = |range: Range<usize>| {
        let blanks = if range.start == 0 { 0 } else { usize::from(hang) };
        let text = sentence.get(range).unwrap_or_default().trim_end_matches(' ');
        Shown::of(&format!("{:blanks$}{text}", ""), policy)
    };
    let (mut start, mut column) = (0, 0u16);
    // Where the row may be broken, and how many cells stand before that.
    let mut last_blank = None;
    for unit in source.units() {
        let cells = TextRows::cells(&source, &unit.glyph, column, width);
        // Blanks may hang over the edge: they are dropped there.
        if column > 0 && column.saturating_add(cells) > width && !blank(&unit) {
            let (end, before) = last_blank.take().unwrap_or((unit.start, column));
            rows.push(row(start..end));
            start = end;
            column = column.saturating_sub(before).saturating_add(hang);
        }
        column = column.saturating_add(cells);
        if blank(&unit) {
            last_blank = Some((unit.start + unit.len, column));
        }
    }
    if start < sentence.len() {
        rows.push(row(start..sentence.len()));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_between_words() {
        let check = |text: &str, width, expected: &[&str]| {
            let rows = wrapped(text, width, Policy::default());
            assert_eq!(
                rows.iter().map(Shown::to_string).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
            assert!(rows.iter().all(|row| row.cells() <= width), "{text}");
        };
        check("", 4, &[]);
        check("ab cd", 5, &["ab cd"]);
        check("ab cd", 4, &["ab", "cd"]);
        check("ab  cd ", 3, &["ab", "cd"]);
        check("abcdef gh", 4, &["abcd", "ef", "gh"]);
        check("a 漢字漢字", 6, &["a", "漢字漢", "字"]);
        check("x \u{202e}", 8, &["x", "\\u{202e}"]);
    }

    #[test]
    fn rows_stand_below_what_follows_a_label() {
        let check = |width, expected: &[&str]| {
            let rows = hanging("a  bc de fg", 3, width, Policy::default());
            assert_eq!(rows.iter().map(Shown::to_string).collect::<Vec<_>>(), expected);
            assert!(rows.iter().all(|row| row.cells() <= width));
        };
        check(8, &["a  bc de", "   fg"]);
        check(6, &["a  bc", "   de", "   fg"]);
        check(5, &["a  bc", "de fg"]);
    }
}
