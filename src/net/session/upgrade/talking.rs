//! The part of an upgrade in the clear: what the server said before, its answers to the words of the protocol, and what
//! it must not say any more.

use crate::model::{End, EndHow, Outgoing, Preset, Recording, Side};
use crate::net::channel::Channel;
use crate::net::session::Session;
use crate::net::starttls::{Start, Step, dialogue};
use crate::text::format;

use super::Stage;

/// The most bytes of a greeting that are kept for whoever asks for TLS later.
const GREETING: usize = 16 << 10;

/// What the server said before anything was sent.
#[derive(Debug)]
pub(in crate::net::session) enum Greeting {
    /// This.
    Heard(Vec<u8>),
    /// Too much, or something was sent since.
    Past,
}

impl Greeting {
    /// Takes in what the server said.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        match self {
            Greeting::Heard(heard) if heard.len() + bytes.len() <= GREETING => heard.extend_from_slice(bytes),
            Greeting::Heard(_) | Greeting::Past => *self = Greeting::Past,
        }
    }
}

impl Session<'_> {
    pub(super) fn begin_dialogue(&mut self, preset: Preset) {
        let heard = match std::mem::replace(&mut self.greeting, Greeting::Past) {
            Greeting::Heard(heard) if self.sent.messages == 0 => Some(heard),
            Greeting::Heard(_) | Greeting::Past => None,
        };
        let name = self.shared.tls.name(self.authority(), None);
        let start = Start {
            server: name.map_or_else(|_| String::new(), |name| name.to_str().into_owned()),
            local: self
                .channel
                .as_ref()
                .and_then(|channel| Some(channel.local()?.ip())),
            fresh: heard.is_some(),
        };
        let mut talk = match dialogue(preset, &start) {
            Ok(talk) => talk,
            Err(why) => return self.give_up_tls(why),
        };
        let first = talk.begin();
        if let Some(upgrade) = &mut self.upgrade {
            upgrade.stage = Stage::Talking(talk);
        }
        self.follow(first);
        self.hear(&heard.unwrap_or_default());
    }

    /// Something arrived in the clear while an upgrade is under way.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        for (at, byte) in bytes.iter().enumerate() {
            let step = match self.upgrade.as_mut().map(|upgrade| &mut upgrade.stage) {
                Some(Stage::Talking(talk)) => talk.hear(*byte),
                Some(Stage::Agreed) => return self.injected(bytes.len() - at),
                Some(Stage::Flushing | Stage::Shaking(_)) | None => return,
            };
            self.follow(step);
        }
    }

    fn follow(&mut self, step: Step) {
        match step {
            Step::Wait => {}
            Step::Send(bytes) => self.say(bytes),
            Step::Go(last) => {
                if let Some(upgrade) = &mut self.upgrade {
                    upgrade.stage = Stage::Agreed;
                }
                self.say(last);
            }
            Step::Refused(why) => self.give_up_tls(format!("{} {why}", self.peer)),
        }
    }

    fn say(&mut self, bytes: Vec<u8>) {
        // The next step may be TLS, without a word.
        if bytes.is_empty() {
            return;
        }
        let recording = Recording::AsIs;
        // The outbox is empty: there is room.
        drop(self.outbox.push(Outgoing { bytes, recording }));
        self.write();
    }

    /// Bytes in the clear where the first byte of TLS belongs.
    pub(super) fn injected(&mut self, count: usize) {
        let why = format!(
            "{} said {} in the clear after its go-ahead for TLS, which somebody between may have slipped in \
             (CVE-2011-0411): the connection was reset",
            self.peer,
            format::size(count as u64)
        );
        if let Some(channel) = &self.channel {
            channel.reset();
        }
        self.fail(why);
        let end = End {
            by: Side::Local,
            how: EndHow::Rst,
            errno: None,
        };
        self.end(end, None);
    }

    /// Tells whoever listens what has arrived in the clear; whether somebody did.
    pub(in crate::net::session) fn overheard(&mut self, count: usize) -> bool {
        let bytes = &self.buffer[..count];
        if self.upgrade.is_some() {
            let bytes = bytes.to_vec();
            self.hear(&bytes);
            return true;
        }
        let is_tls = self.channel.as_ref().is_some_and(Channel::is_tls);
        match &mut self.greeting {
            Greeting::Heard(_) if self.sent.messages == 0 && !is_tls => self.greeting.hear(bytes),
            Greeting::Heard(_) => self.greeting = Greeting::Past,
            Greeting::Past => {}
        }
        false
    }
}
