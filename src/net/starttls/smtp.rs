//! SMTP (RFC 3207): greeting, EHLO, and STARTTLS if the server offers it.

use std::net::IpAddr;

use super::lines::{Replies, Reply};
use super::{Dialogue, Start, Step};

/// Which reply comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Ehlo,
    StartTls,
}

/// The dialogue.
#[derive(Debug)]
pub(super) struct Smtp {
    stage: Stage,
    replies: Replies,
    ehlo: String,
}

impl Smtp {
    pub(super) fn new(start: &Start) -> Smtp {
        // RFC 5321 §4.1.3: a client without a name of its own says its address.
        let name = match start.local {
            Some(IpAddr::V4(ip)) => format!("[{ip}]"),
            Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
            None => "localhost".to_owned(),
        };
        Smtp {
            stage: if start.fresh { Stage::Greeting } else { Stage::Ehlo },
            replies: Replies::default(),
            ehlo: format!("EHLO {name}\r\n"),
        }
    }

    fn answer(&mut self, reply: &Reply) -> Step {
        let said = reply.last();
        match (self.stage, reply.code) {
            (Stage::Greeting, 220) => {
                self.stage = Stage::Ehlo;
                Step::say(&self.ehlo)
            }
            (Stage::Greeting, _) => Step::Refused(format!("does not greet as SMTP servers do: {said:?}")),
            (Stage::Ehlo, 250) if reply.words().any(|word| word.eq_ignore_ascii_case("STARTTLS")) => {
                self.stage = Stage::StartTls;
                Step::say("STARTTLS\r\n")
            }
            (Stage::Ehlo, 250) => Step::Refused("does not offer STARTTLS in its answer to EHLO".into()),
            (Stage::Ehlo, _) => Step::Refused(format!("refuses EHLO: {said:?}")),
            (Stage::StartTls, 220) => Step::go(),
            (Stage::StartTls, _) => Step::Refused(format!("refuses STARTTLS: {said:?}")),
        }
    }
}

impl Dialogue for Smtp {
    fn begin(&mut self) -> Step {
        match self.stage {
            Stage::Greeting => Step::Wait,
            Stage::Ehlo | Stage::StartTls => Step::say(&self.ehlo),
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
