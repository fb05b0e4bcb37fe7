//! TLS on a connection that began in the clear: the words of its protocol first, if it has any, then the handshake.
//!
//! What was asked to be sent before is on the wire before it begins, and what is asked meanwhile waits for its end: it
//! was meant for TLS, and is dropped, with a note, if that does not come. What arrives in the clear after the go-ahead
//! can have been put there by anybody, so it ends the connection (CVE-2011-0411).

mod talking;

use std::time::Instant as Moment;

use tokio::time::Instant;

use crate::model::{
    Authority, Direction, End, EndHow, Endpoint, EntryKind, LinkState, Outgoing, Preset, Recording, Side,
};
use crate::net::channel::Channel;
use crate::net::outbox::Outbox;
use crate::net::socket::Carries;
use crate::net::starttls::Dialogue;
use crate::net::tls::Fault;
use crate::text::format;

pub(super) use talking::Greeting;

use super::{Half, Session};

/// An upgrade under way.
pub(super) struct Upgrade {
    preset: Option<Preset>,
    stage: Stage,
    deadline: Instant,
    /// Whether the connection is of no use without it.
    required: bool,
    /// What was asked to be sent meanwhile.
    held: Outbox,
}

/// How far an upgrade is.
enum Stage {
    /// What was asked to be sent before goes out.
    Flushing,
    /// The protocol's words are exchanged.
    Talking(Box<dyn Dialogue>),
    /// All is said; our last word goes out.
    Agreed,
    /// Since then the handshake is under way.
    Shaking(Moment),
}

impl Session<'_> {
    /// Starts TLS, or says why not. With `required` the connection is ended then.
    pub(super) fn start_tls(&mut self, preset: Option<Preset>, required: bool) {
        if let Err(why) = self.may_start_tls() {
            return self.tls_not_started(why, required);
        }
        // What the server has said by now was said in the clear.
        self.read();
        if self.over || self.theirs != Half::Open {
            return;
        }
        self.upgrade = Some(Upgrade {
            preset,
            stage: Stage::Flushing,
            deadline: Instant::now() + self.shared.options.connect_timeout,
            required,
            held: Outbox::default(),
        });
        self.report(|link| link.state = LinkState::Handshaking);
        self.go_on_with_tls();
    }

    /// The words in which TLS is to be started before anything else, where it is not spoken yet.
    pub(super) fn required_upgrade(&self) -> Option<Preset> {
        let is_tls = self.channel.as_ref().is_some_and(Channel::is_tls);
        self.shared
            .options
            .starttls
            .filter(|_| !is_tls && self.carries == Carries::Stream)
    }

    fn may_start_tls(&self) -> Result<(), String> {
        let is_tls = self.channel.as_ref().is_some_and(Channel::is_tls);
        if self.carries != Carries::Stream {
            return Err("datagrams carry no TLS".into());
        }
        if is_tls {
            return Err("the connection speaks TLS already".into());
        }
        if self.upgrade.is_some() {
            return Err("it is being started already".into());
        }
        if self.ours != Half::Open || self.theirs != Half::Open {
            return Err("a side of the connection has ended".into());
        }
        let name = self.shared.tls.name(self.authority(), None);
        name.map(drop).map_err(|error| error.to_string())
    }

    fn authority(&self) -> Option<&Authority> {
        match &self.endpoint {
            Endpoint::Tcp(authority) | Endpoint::Tls(authority) | Endpoint::Udp(authority) => Some(authority),
            Endpoint::Unix(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) => None,
        }
    }

    /// Whether the handshake is under way, so that what arrives is for it.
    pub(super) fn is_shaking(&self) -> bool {
        let stage = self.upgrade.as_ref().map(|upgrade| &upgrade.stage);
        matches!(stage, Some(Stage::Shaking(_)))
    }

    /// When an upgrade has taken too long.
    pub(super) fn upgrade_deadline(&self) -> Option<Instant> {
        self.upgrade.as_ref().map(|upgrade| upgrade.deadline)
    }

    /// Keeps a message for the end of the upgrade; gives it back if there is none under way, or no room.
    pub(super) fn hold(&mut self, message: Outgoing) -> Result<(), Outgoing> {
        match &mut self.upgrade {
            Some(upgrade) => upgrade.held.push(message),
            None => self.outbox.push(message),
        }
    }

    /// Bytes that wait for the end of the upgrade.
    pub(super) fn held(&self) -> u64 {
        self.upgrade.as_ref().map_or(0, |upgrade| upgrade.held.unsent())
    }

    /// The user wants something else: the upgrade is given up.
    pub(super) fn abandon_tls(&mut self) {
        if let Some(upgrade) = self.upgrade.take() {
            self.drop_held(upgrade, "TLS was given up");
        }
    }

    /// Goes on as far as it goes without waiting.
    pub(super) fn go_on_with_tls(&mut self) {
        while let Some(upgrade) = &mut self.upgrade {
            if self.over {
                return;
            }
            let written = self.outbox.is_empty();
            match upgrade.stage {
                Stage::Flushing if written => match upgrade.preset {
                    Some(preset) => self.begin_dialogue(preset),
                    None => upgrade.stage = Stage::Agreed,
                },
                Stage::Agreed if written => self.begin_handshake(),
                Stage::Shaking(since) => return self.shake(since),
                Stage::Flushing | Stage::Talking(_) | Stage::Agreed => return,
            }
        }
    }

    fn begin_handshake(&mut self) {
        let Some(channel) = &mut self.channel else { return };
        // What has arrived by now was sent before the server could know that we begin.
        if let Some(count) = channel.waiting(&mut self.buffer) {
            let (at, bytes) = (self.shared.clock.now(), &self.buffer[..count]);
            self.journal.data(at, Direction::Received, bytes, Recording::AsIs);
            self.received.count(count as u64, at);
            return self.injected(count);
        }
        let name = self.shared.tls.name(self.authority(), None);
        match (
            name.and_then(|name| self.shared.tls.client_to(&name)),
            &mut self.channel,
        ) {
            (Ok(tls), Some(channel)) => {
                channel.begin(Box::new(tls));
                if let Some(upgrade) = &mut self.upgrade {
                    upgrade.stage = Stage::Shaking(Moment::now());
                }
            }
            (Err(error), _) => self.give_up_tls(error.to_string()),
            (Ok(_), None) => {}
        }
    }

    fn shake(&mut self, since: Moment) {
        let Some(channel) = &mut self.channel else { return };
        let result = match channel.shake() {
            Ok(false) => return,
            Ok(true) => Ok(()),
            Err(Fault::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => return,
            Err(fault) => Err(fault),
        };
        if let Some(report) = channel.tls_report(since.elapsed()) {
            let at = self.shared.clock.now();
            self.journal.event(at, EntryKind::Tls(Box::new(report.clone())));
            self.report(|link| link.tls = Some(report.into()));
        }
        match result {
            Ok(()) => self.upgraded(),
            Err(Fault::Io(error)) => self.broken(&error),
            Err(Fault::Tls { by, why }) => self.alerted(by, &why),
            Err(Fault::Cut { why }) => self.ended_before_tls(&why),
        }
    }

    fn upgraded(&mut self) {
        if let Some(upgrade) = self.upgrade.take() {
            self.outbox = upgrade.held;
        }
        self.last_byte = Instant::now();
        self.report(|link| link.state = LinkState::Open);
        self.write();
    }

    /// The server does not start TLS, and the connection is in the clear as before.
    fn give_up_tls(&mut self, why: String) {
        let Some(upgrade) = self.upgrade.take() else {
            return;
        };
        let required = upgrade.required;
        self.drop_held(upgrade, "it was meant for TLS");
        self.tls_not_started(why, required);
        // What waited for the end of the upgrade: our end of the connection.
        self.write();
    }

    fn tls_not_started(&mut self, why: String, required: bool) {
        if required {
            self.fail(why);
            self.closing_from = Instant::now();
            return self.finish();
        }
        let text = format!("TLS was not started: {why}");
        let errno = None;
        self.journal
            .event(self.shared.clock.now(), EntryKind::Error { text, errno });
        self.report(|link| {
            if link.state == LinkState::Handshaking {
                link.state = LinkState::Open;
            }
        });
    }

    fn drop_held(&mut self, mut upgrade: Upgrade, why: &str) {
        let dropped = upgrade.held.clear();
        if dropped > 0 {
            self.note(format!("{} not sent: {why}", format::size(dropped)));
        }
    }

    /// The peer ended its side before TLS had begun.
    pub(super) fn ended_before_tls(&mut self, why: &str) {
        self.abandon_tls();
        self.fail(format!("{} {why}", self.peer));
        self.peer_ended();
        if !self.over {
            self.closing_from = Instant::now();
            self.finish();
        }
    }

    /// The upgrade has taken too long.
    pub(super) fn upgrade_timed_out(&mut self) {
        let limit = format::took(self.shared.options.connect_timeout);
        let preset = self.upgrade.as_ref().and_then(|upgrade| upgrade.preset);
        let reason = match preset.filter(|_| !self.is_shaking()) {
            Some(preset) => format!(
                "{} did not answer as {preset} does within {limit}: is {preset} spoken on this port?",
                self.peer
            ),
            None => format!(
                "{} did not answer in TLS within {limit}: does it expect TLS now?",
                self.peer
            ),
        };
        let end = End {
            by: Side::Local,
            how: EndHow::Timeout,
            errno: None,
        };
        self.end(end, Some(reason));
    }

    /// Says in an entry why the connection is of no use.
    fn fail(&mut self, why: String) {
        let (text, errno) = (why.clone(), None);
        self.journal
            .event(self.shared.clock.now(), EntryKind::Error { text, errno });
        self.failed = Some(why);
    }
}
