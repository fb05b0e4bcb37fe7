//! A text with a cursor, and the readline movements and deletions over it. Knows nothing of sending or of keys.

use std::ops::Range;

use crate::app::actions::Edit;

/// A text being typed. The cursor always stands between two characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    cursor: usize,
}

impl Editor {
    /// A text with the cursor at its end.
    pub fn new(text: impl Into<String>) -> Editor {
        let text = text.into();
        Editor {
            cursor: text.len(),
            text,
        }
    }

    /// What is typed. It may have been pasted from anywhere, so it goes through the encoder.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor stands, in bytes of the text.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How many lines there are; at least one.
    pub fn lines(&self) -> usize {
        self.text.matches('\n').count() + 1
    }

    /// The line that the cursor stands in, from 0.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count()
    }

    /// Inserts at the cursor.
    pub fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    /// Takes everything out.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Removes a range, which must lie on character boundaries, and leaves the cursor in its place.
    pub fn remove(&mut self, range: Range<usize>) -> String {
        let removed = self.text[range.clone()].to_owned();
        self.text.replace_range(range.clone(), "");
        self.cursor = range.start;
        removed
    }

    /// Moves the cursor to the character boundary at or before byte `at`.
    pub fn move_to(&mut self, at: usize) {
        self.cursor = self.text.floor_char_boundary(at);
    }

    /// One character left.
    pub fn left(&mut self) {
        self.cursor = self.previous(self.cursor);
    }

    /// One character right.
    pub fn right(&mut self) {
        self.cursor = self.next(self.cursor);
    }

    /// To the start of the word to the left.
    pub fn word_left(&mut self) {
        self.cursor = self.word_start();
    }

    /// To the end of the word to the right.
    pub fn word_right(&mut self) {
        self.cursor = self.word_end();
    }

    /// To the start of the line.
    pub fn line_start(&mut self) {
        self.cursor = self.start_of_line();
    }

    /// To the end of the line.
    pub fn line_end(&mut self) {
        self.cursor = self.end_of_line();
    }

    /// To the same column of the line above; false if this is the first line.
    pub fn line_up(&mut self) -> bool {
        let start = self.start_of_line();
        let Some(end) = start.checked_sub(1) else {
            return false;
        };
        let above = self.text[..end].rfind('\n').map_or(0, |at| at + 1);
        self.cursor = self.column_of(above..end, self.column());
        true
    }

    /// To the same column of the line below; false if this is the last line.
    pub fn line_down(&mut self) -> bool {
        let end = self.end_of_line();
        if end == self.text.len() {
            return false;
        }
        let below = end + 1;
        let below_end = self.text[below..]
            .find('\n')
            .map_or(self.text.len(), |at| below + at);
        self.cursor = self.column_of(below..below_end, self.column());
        true
    }

    /// Deletes the character to the left.
    pub fn delete_left(&mut self) {
        let range = self.previous(self.cursor)..self.cursor;
        self.remove(range);
    }

    /// Deletes the character to the right.
    pub fn delete_right(&mut self) {
        let range = self.cursor..self.next(self.cursor);
        self.remove(range);
    }

    /// Cuts from the start of the line to the cursor.
    pub fn kill_to_start(&mut self) -> String {
        let range = self.start_of_line()..self.cursor;
        self.remove(range)
    }

    /// Cuts from the cursor to the end of the line; at the end, the line break.
    pub fn kill_to_end(&mut self) -> String {
        let end = self.end_of_line();
        let end = if end == self.cursor { self.next(end) } else { end };
        self.remove(self.cursor..end)
    }

    /// Cuts the word to the left, up to white space as readline's `unix-word-rubout` does.
    pub fn kill_word_left(&mut self) -> String {
        let before = self.before().trim_end();
        let start = before.rfind(char::is_whitespace);
        let start = start.map_or(0, |at| self.next(at));
        self.remove(start..self.cursor)
    }

    /// Cuts to the end of the word to the right.
    pub fn kill_word_right(&mut self) -> String {
        self.remove(self.cursor..self.word_end())
    }

    /// Does an edit that makes sense in a field of one line; true if the text may have changed. What is cut is gone.
    pub fn apply(&mut self, edit: Edit) -> bool {
        match edit {
            Edit::Left => self.left(),
            Edit::Right => self.right(),
            Edit::WordLeft => self.word_left(),
            Edit::WordRight => self.word_right(),
            Edit::LineStart => self.line_start(),
            Edit::LineEnd => self.line_end(),
            Edit::DeleteLeft => self.delete_left(),
            Edit::DeleteRight => self.delete_right(),
            Edit::KillToStart => drop(self.kill_to_start()),
            Edit::KillToEnd => drop(self.kill_to_end()),
            Edit::KillWordLeft => drop(self.kill_word_left()),
            Edit::KillWordRight => drop(self.kill_word_right()),
            Edit::NewLine | Edit::Up | Edit::Down | Edit::Literal | Edit::Yank | Edit::YankPrevious => {}
        }
        match edit {
            Edit::DeleteLeft
            | Edit::DeleteRight
            | Edit::KillToStart
            | Edit::KillToEnd
            | Edit::KillWordLeft
            | Edit::KillWordRight => true,
            Edit::Left
            | Edit::Right
            | Edit::WordLeft
            | Edit::WordRight
            | Edit::LineStart
            | Edit::LineEnd
            | Edit::NewLine
            | Edit::Up
            | Edit::Down
            | Edit::Literal
            | Edit::Yank
            | Edit::YankPrevious => false,
        }
    }

    fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    fn column(&self) -> usize {
        self.text[self.start_of_line()..self.cursor].chars().count()
    }

    fn column_of(&self, line: Range<usize>, column: usize) -> usize {
        let offset = self.text[line.clone()]
            .char_indices()
            .nth(column)
            .map(|(at, _)| at);
        offset.map_or(line.end, |at| line.start + at)
    }

    fn start_of_line(&self) -> usize {
        self.before().rfind('\n').map_or(0, |at| at + 1)
    }

    fn end_of_line(&self) -> usize {
        let after = &self.text[self.cursor..];
        after.find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    fn previous(&self, at: usize) -> usize {
        self.text[..at].char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self, at: usize) -> usize {
        self.text[at..]
            .chars()
            .next()
            .map_or(self.text.len(), |c| at + c.len_utf8())
    }

    fn word_start(&self) -> usize {
        let word = self.before().trim_end_matches(|c: char| !c.is_alphanumeric());
        word.trim_end_matches(char::is_alphanumeric).len()
    }

    fn word_end(&self) -> usize {
        let after = &self.text[self.cursor..];
        let word = after.trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - word.trim_start_matches(char::is_alphanumeric).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An editor from a text in which `|` is the cursor.
    fn editor(marked: &str) -> Editor {
        let cursor = marked.find('|').unwrap();
        let mut editor = Editor::new(marked.replacen('|', "", 1));
        editor.move_to(cursor);
        editor
    }

    fn check(before: &str, edit: impl FnOnce(&mut Editor), after: &str) {
        let mut editor = editor(before);
        edit(&mut editor);
        let mut marked = editor.text().to_owned();
        marked.insert(editor.cursor(), '|');
        assert_eq!(marked, after);
    }

    #[test]
    fn the_cursor_moves_by_characters_words_and_lines() {
        check("aé|b", Editor::left, "a|éb");
        check("|a", Editor::left, "|a");
        check("a|漢b", Editor::right, "a漢|b");
        check("a|", Editor::right, "a|");
        check("foo bar|", Editor::word_left, "foo |bar");
        check("foo, |bar", Editor::word_left, "|foo, bar");
        check("|foo bar", Editor::word_right, "foo| bar");
        check("foo|  bar", Editor::word_right, "foo  bar|");
        check("ab\nc|d\nef", Editor::line_start, "ab\n|cd\nef");
        check("ab\nc|d\nef", Editor::line_end, "ab\ncd|\nef");
        check("é漢x\nabc|d", |e| assert!(e.line_up()), "é漢x|\nabcd");
        check("ab|cd\ne\nfgh", |e| assert!(e.line_down()), "abcd\ne|\nfgh");
        check("|a\nb", |e| assert!(!e.line_up()), "|a\nb");
        check("a\nb|", |e| assert!(!e.line_down()), "a\nb|");
    }

    #[test]
    fn deletions_keep_the_rest() {
        check("aé|b", Editor::delete_left, "a|b");
        check("|b", Editor::delete_left, "|b");
        check("a|éb", Editor::delete_right, "a|b");
        check("a|", Editor::delete_right, "a|");
        check(
            "a\nfoo |bar",
            |e| assert_eq!(e.kill_to_start(), "foo "),
            "a\n|bar",
        );
        check("foo| bar\nb", |e| assert_eq!(e.kill_to_end(), " bar"), "foo|\nb");
        check("foo|\nb", |e| assert_eq!(e.kill_to_end(), "\n"), "foo|b");
        check(
            "a foo-bar  |x",
            |e| assert_eq!(e.kill_word_left(), "foo-bar  "),
            "a |x",
        );
        check("a\u{a0}é|", |e| assert_eq!(e.kill_word_left(), "é"), "a\u{a0}|");
        check("|foo bar", |e| assert_eq!(e.kill_word_right(), "foo"), "| bar");
    }

    #[test]
    fn lines_are_counted() {
        assert_eq!(Editor::default().lines(), 1);
        assert_eq!(editor("a\nb|\n").lines(), 3);
        assert_eq!(editor("a\nb|\n").line(), 1);
    }
}
