//! IMAP (RFC 9051 §6.2.1): greeting, CAPABILITY, and STARTTLS if the server offers it.

use super::lines::Lines;
use super::{Dialogue, Start, Step};

/// The tags of our commands (RFC 9051 §2.2.1), which nobody types by hand.
const ASK: &str = "tls1";
const START: &str = "tls2";

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Capability,
    StartTls,
}

/// The dialogue.
#[derive(Debug)]
pub(super) struct Imap {
    stage: Stage,
    lines: Lines,
    /// Whether the server said that it can.
    offered: bool,
}

impl Imap {
    pub(super) fn new(start: &Start) -> Imap {
        Imap {
            stage: if start.fresh {
                Stage::Greeting
            } else {
                Stage::Capability
            },
            lines: Lines::default(),
            offered: false,
        }
    }

    fn answer(&mut self, line: &str) -> Step {
        let mut words = line.split(' ');
        let (tag, status) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let status = status.to_ascii_uppercase();
        match (self.stage, tag, status.as_str()) {
            (Stage::Greeting, "*", "OK") => {
                self.stage = Stage::Capability;
                self.begin()
            }
            (Stage::Greeting, "*", "PREAUTH") => Step::Refused(format!(
                "has authenticated the connection already, after which IMAP starts no TLS: {line:?}"
            )),
            (Stage::Greeting, ..) => Step::Refused(format!("does not greet as IMAP servers do: {line:?}")),
            (_, "*", "BYE") => Step::Refused(format!("ends the connection: {line:?}")),
            (Stage::Capability, "*", "CAPABILITY") => {
                self.offered |= words.any(|word| word.eq_ignore_ascii_case("STARTTLS"));
                Step::Wait
            }
            (Stage::Capability, ASK, "OK") if self.offered => {
                self.stage = Stage::StartTls;
                Step::say(format!("{START} STARTTLS\r\n"))
            }
            (Stage::Capability, ASK, "OK") => {
                Step::Refused("does not offer STARTTLS in its CAPABILITY".into())
            }
            (Stage::Capability, ASK, _) => Step::Refused(format!("refuses CAPABILITY: {line:?}")),
            (Stage::StartTls, START, "OK") => Step::go(),
            (Stage::StartTls, START, _) => Step::Refused(format!("refuses STARTTLS: {line:?}")),
            // Answers to what was asked before, and what it says unasked.
            (Stage::Capability | Stage::StartTls, ..) => Step::Wait,
        }
    }
}

impl Dialogue for Imap {
    fn begin(&mut self) -> Step {
        match self.stage {
            Stage::Greeting => Step::Wait,
            Stage::Capability | Stage::StartTls => Step::say(format!("{ASK} CAPABILITY\r\n")),
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
