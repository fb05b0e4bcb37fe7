//! FTP (RFC 4217 §4): greeting, and AUTH TLS.

use super::lines::{Replies, Reply};
use super::{Dialogue, Start, Step};

const AUTH: &str = "AUTH TLS\r\n";

/// The dialogue.
#[derive(Debug)]
pub(super) struct Ftp {
    /// Whether the greeting comes next.
    greeting: bool,
    replies: Replies,
}

impl Ftp {
    pub(super) fn new(start: &Start) -> Ftp {
        Ftp {
            greeting: start.fresh,
            replies: Replies::default(),
        }
    }

    fn answer(&mut self, reply: &Reply) -> Step {
        let said = reply.last();
        match (self.greeting, reply.code) {
            // RFC 959 §5.4: it will be ready soon, and then greets.
            (true, 120) => Step::Wait,
            (true, 220) => {
                self.greeting = false;
                Step::say(AUTH)
            }
            (true, _) => Step::Refused(format!("does not greet as FTP servers do: {said:?}")),
            (false, 234) => Step::go(),
            (false, _) => Step::Refused(format!("refuses AUTH TLS: {said:?}")),
        }
    }
}

impl Dialogue for Ftp {
    fn begin(&mut self) -> Step {
        if self.greeting {
            Step::Wait
        } else {
            Step::say(AUTH)
        }
    }

    fn hear(&mut self, byte: u8) -> Step {
        match self.replies.take(byte) {
            Ok(Some(reply)) => self.answer(&reply),
            Ok(None) => Step::Wait,
            Err(why) => Step::Refused(why),
        }
    }
}
