//! What somebody typed, quoted in a sentence: never more of it than the sentence can bear.

use std::ops::Range;

/// The most characters that are quoted.
const MOST: usize = 60;

/// What stands for what is left out.
const CUT: char = '…';

/// The text in quotes, its end left out if it is long.
pub fn quote(text: &str) -> String {
    quote_around(text, 0..0)
}

/// The part around `at` in quotes, which lies on characters of the text: of what is wrong, at least its beginning is to
/// be seen.
pub fn quote_around(text: &str, at: Range<usize>) -> String {
    if text.chars().nth(MOST).is_none() {
        return format!("{text:?}");
    }
    let wrong = text.floor_char_boundary(at.start);
    let mistake = text.get(wrong..at.end).unwrap_or_default().chars().count();
    // What stands before it tells where it is; it gets what the mistake leaves, but never nothing.
    let before = MOST.saturating_sub(mistake).clamp(MOST / 3, MOST);
    let back = text[..wrong].char_indices().rev().nth(before - 1);
    let start = back.map_or(0, |(start, _)| start);
    let end = text[start..].char_indices().nth(MOST);
    let end = end.map_or(text.len(), |(end, _)| start + end);
    let head = if start > 0 { CUT.to_string() } else { String::new() };
    let tail = if end < text.len() {
        CUT.to_string()
    } else {
        String::new()
    };
    format!("{:?}", format!("{head}{}{tail}", &text[start..end]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_texts_are_quoted_whole() {
        assert_eq!(quote(""), "\"\"");
        assert_eq!(quote("a\"\n"), "\"a\\\"\\n\"");
        let longest = "é".repeat(MOST);
        assert_eq!(quote(&longest), format!("\"{longest}\""));
    }

    #[test]
    fn of_long_ones_the_part_around_the_mistake_is() {
        let long = format!("{}dir:z{}", "x or ".repeat(100), " or y".repeat(100));
        assert_eq!(quote(&long), format!("\"{}…\"", "x or ".repeat(12)));
        let shown = quote_around(&long, 504..505);
        assert!(
            shown.starts_with("\"…") && shown.contains("dir:z") && shown.ends_with("dir:z…\""),
            "{shown}"
        );
        // A mistake longer than what is quoted: where it begins, and what stands before it.
        let shown = quote_around(&format!("size>1 dir:{}", "z".repeat(500)), 11..511);
        assert!(
            shown.starts_with("\"size>1 dir:zzz") && shown.ends_with("z…\""),
            "{shown}"
        );
        // One at the end.
        let shown = quote_around(&long, long.len()..long.len());
        assert!(shown.starts_with("\"…") && shown.ends_with(" or y\""), "{shown}");
    }

    proptest! {
        #[test]
        fn no_quotation_is_long(text in "[a-zé€\\\\\"]{0,300}", from in 0..900usize, len in 0..900usize) {
            let at = text.floor_char_boundary(from);
            let end = text.floor_char_boundary(at + len).max(at);
            let shown = quote_around(&text, at..end);
            prop_assert!(shown.chars().count() <= 2 * (MOST + 2) + 2);
            if let Some(first) = text[at..end].chars().next() {
                let first = format!("{:?}", first.to_string());
                prop_assert!(shown.contains(&first[1..first.len() - 1]));
            }
        }
    }
}
