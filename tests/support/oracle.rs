//! Judges every byte that was written to a terminal: each escape sequence has to be one of ours, and each printed
//! character one that the encoder lets through as it is.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness, and none the whole; a harness that fails fails the test"
)]

use sockscope::text::{Policy, Shown, Span};
use vte::{Params, Parser, Perform};

/// What is wrong with these bytes, in the order in which they were written.
pub fn violations(raw: &[u8]) -> Vec<String> {
    let mut oracle = Oracle::default();
    Parser::new().advance(&mut oracle, raw);
    oracle.end_of_text();
    if std::str::from_utf8(raw).is_err_and(|error| error.error_len().is_some()) {
        oracle.found.push("not UTF-8".to_owned());
    }
    oracle.found
}

#[derive(Default)]
struct Oracle {
    found: Vec<String>,
    /// What was printed since the last sequence: a mark belongs to the character before it.
    text: String,
    /// Whether line breaks are in order: before the alternate screen and after it.
    drawn: bool,
}

impl Oracle {
    fn end_of_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let shown = Shown::of(&self.text, Policy::default());
        // What the program itself prints in place of control characters may be printed; only the encoder may.
        let plain: String = shown.spans().iter().map(Span::text).collect();
        if plain != self.text {
            self.found.push(format!("printed {:?}", self.text));
        }
        self.text.clear();
    }

    fn check(&mut self, ours: bool, what: impl FnOnce() -> String) {
        self.end_of_text();
        if !ours {
            self.found.push(what());
        }
    }
}

impl Perform for Oracle {
    fn print(&mut self, c: char) {
        self.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        let ours = !self.drawn && matches!(byte, b'\r' | b'\n');
        self.check(ours, || format!("control {byte:#04x}"));
    }

    fn hook(&mut self, _: &Params, intermediates: &[u8], _: bool, action: char) {
        self.check(false, || {
            format!("device control string {intermediates:?} {action}")
        });
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        let ours = matches!(params, [b"0", _] | [b"52", b"c", _]);
        self.check(ours, || format!("operating system command {params:?}"));
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        const MODES: [u16; 10] = [25, 1000, 1002, 1003, 1004, 1006, 1015, 1049, 2004, 2026];
        let values: Vec<u16> = params.iter().map(|param| param[0]).collect();
        let ours = match (intermediates, action) {
            (b"", 'H') => values.len() == 2,
            (b"", 'G') => values.len() == 1,
            (b"", 'J') => values == [2],
            (b"", 'm') => true,
            (b"", 't') => values == [22, 0] || values == [23, 0],
            (b"<", 'u') => true,
            (b"?", 'h' | 'l') => values.len() == 1 && MODES.contains(&values[0]),
            _ => false,
        };
        if intermediates == b"?" && values == [1049] {
            self.drawn = action == 'h';
        }
        self.check(ours && !ignore, || {
            format!(
                "sequence CSI {} {values:?} {action}",
                String::from_utf8_lossy(intermediates)
            )
        });
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        let ours = intermediates.is_empty() && byte == b'\\';
        self.check(ours, || format!("escape {intermediates:?} {byte:#04x}"));
    }
}
