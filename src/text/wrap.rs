//! Our own sentences in rows. What comes from outside goes through [`super::TextRows`] instead.

/// Text in rows of at most `width` characters, broken between words; a longer word gets a row of its own and is cut
/// there by whoever draws it.
pub fn wrapped(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width);
    let mut rows: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match rows.last_mut() {
            Some(row) if row.chars().count() + 1 + word.chars().count() <= width => {
                row.push(' ');
                row.push_str(word);
            }
            Some(_) | None => rows.push(word.to_owned()),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_between_words() {
        assert_eq!(wrapped("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrapped("abcdef g", 4), ["abcdef", "g"]);
        assert!(wrapped("", 4).is_empty());
    }
}
