//! POP3 (RFC 2595 §4): greeting, and STLS.

use super::lines::Lines;
use super::{Dialogue, Start, Step};

const STLS: &str = "STLS\r\n";

/// The dialogue.
#[derive(Debug)]
pub(super) struct Pop3 {
    /// Whether the greeting comes next.
    greeting: bool,
    lines: Lines,
}

impl Pop3 {
    pub(super) fn new(start: &Start) -> Pop3 {
        Pop3 {
            greeting: start.fresh,
            lines: Lines::default(),
        }
    }

    fn answer(&mut self, line: &str) -> Step {
        let is_ok = line.split(' ').next() == Some("+OK");
        match (self.greeting, is_ok) {
            (true, true) => {
                self.greeting = false;
                Step::say(STLS)
            }
            (true, false) => Step::Refused(format!("does not greet as POP3 servers do: {line:?}")),
            (false, true) => Step::go(),
            (false, false) => Step::Refused(format!("refuses STLS: {line:?}")),
        }
    }
}

impl Dialogue for Pop3 {
    fn begin(&mut self) -> Step {
        if self.greeting {
            Step::Wait
        } else {
            Step::say(STLS)
        }
    }

    fn hear(&mut self, byte: u8) -> Step {
        match self.lines.take(byte) {
            Ok(Some(line)) => self.answer(&line),
            Ok(None) => Step::Wait,
            Err(why) => Step::Refused(why),
        }
    }
}
