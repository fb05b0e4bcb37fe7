//! An application and its server while bytes are relayed between them, both directions in one task.
//!
//! Each direction has one buffer and no queue: it is filled by one read, recorded, and written until it is empty before
//! the next read. So a side that reads slowly slows the other through TCP, and memory stays the same.

use std::ops::Range;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::Application;
use super::reset::Resetting;
use super::wait::{either, ready, until};
use crate::capture::{MAX_DATAGRAM, MAX_PAYLOAD};
use crate::model::{Direction, End as CloseEnd, EndHow, NetCommand, Outgoing, PeerCommand, Side, Tally};
use crate::net::acceptor::{Told, told};
use crate::net::channel::Channel;
use crate::net::connect::Connected;
use crate::net::journal::Journal;
use crate::net::outbox::Outbox;
use crate::net::session::After;
use crate::net::shared::{Fate, Shared};

/// How long a side may take what it has not taken yet, and end too, once the user ends the relay.
const GRACE: Duration = Duration::from_secs(2);

/// The same when the program ends, which nobody may hold up for long.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long datagrams may be silent: nobody says when the last one was sent. As long as Linux remembers those who ask
/// without being answered (`nf_conntrack_udp_timeout`).
const SILENCE: Duration = Duration::from_secs(30);

/// How long answers in datagrams are awaited when the stream that asked has ended.
const LAST_CALL: Duration = Duration::from_secs(1);

/// Bytes of one read between two streams, unless fewer were asked for: what crosses fast is recorded faster in several
/// entries at once.
const READ_AT_ONCE: usize = 4 * MAX_PAYLOAD;

/// Where one direction of a side stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// Bytes may cross.
    Open,
    /// The end is to be passed on behind what is not written yet.
    Ending,
    /// It has ended, or is broken.
    Over,
}

/// Who has sent what goes to a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The other side.
    Theirs,
    /// The user.
    Ours,
}

/// One side of the relay.
pub(super) struct End {
    pub(super) channel: Channel,
    /// What it is called in sentences.
    pub(super) name: String,
    /// What was read from it and not yet written to the other side.
    pub(super) buffer: Vec<u8>,
    pub(super) pending: Range<usize>,
    /// A datagram waits, also if it is empty.
    pub(super) whole: bool,
    /// What the user sends to it.
    pub(super) outbox: Outbox,
    /// What comes from it.
    pub(super) reading: Half,
    /// What goes to it.
    pub(super) writing: Half,
    /// Whose bytes it was offered last: TLS may want the same again.
    pub(super) offered: Whose,
    /// What comes from it has ended without TLS's word for it.
    pub(super) cut: bool,
    /// It was found to be gone; what it sent before may still be read.
    pub(super) gone: bool,
    /// Bytes of the other side that it could not be given.
    pub(super) missed: u64,
}

/// An application and its server.
pub(super) struct Pair<'a> {
    pub(super) shared: &'a Shared,
    pub(super) journal: Journal,
    /// The application and the server, in the order of `Side`.
    pub(super) ends: [End; 2],
    pub(super) sent: Tally,
    pub(super) received: Tally,
    pub(super) first_fin: Option<Side>,
    /// When a byte last crossed.
    pub(super) last_byte: Instant,
    /// When the user ended it.
    pub(super) closing_from: Option<Instant>,
    /// A side is gone, and the other is told so as soon as it has everything.
    pub(super) resetting: Option<Resetting>,
    /// When it is looked whether a side has taken everything.
    pub(super) look_at: Option<Instant>,
    /// When a stream ended whose other side are datagrams: answers may come for a while.
    pub(super) last_call: Option<Instant>,
    /// The longest that it may be silent.
    idle: Option<Duration>,
    pub(super) after: After,
    /// More is there to be read than one batch.
    pub(super) busy: bool,
    pub(super) over: bool,
}

pub(super) fn place(side: Side) -> usize {
    match side {
        Side::Local => 0,
        Side::Peer => 1,
    }
}

impl End {
    fn new(channel: Channel, name: String, read_size: usize) -> End {
        End {
            buffer: vec![0; read_size],
            channel,
            name,
            pending: 0..0,
            whole: false,
            outbox: Outbox::default(),
            reading: Half::Open,
            writing: Half::Open,
            offered: Whose::Theirs,
            cut: false,
            gone: false,
            missed: 0,
        }
    }

    /// Whether something that was read waits for the other side.
    pub(super) fn holds(&self) -> bool {
        !self.pending.is_empty() || self.whole
    }

    /// Whether the user's message was begun and is not on the wire yet: whatever comes from the other side meanwhile
    /// goes behind it, and is recorded there too, so it is not read before.
    pub(super) fn is_mid_message(&self) -> bool {
        self.outbox.is_under_way() || (self.offered == Whose::Ours && self.channel.is_sending())
    }
}

impl<'a> Pair<'a> {
    /// Begins to relay.
    pub(super) fn new(
        shared: &'a Shared,
        journal: Journal,
        application: Application,
        server: Connected,
    ) -> Pair<'a> {
        let Application { channel, name, .. } = application;
        let datagrams = channel.has_datagrams() || server.channel.has_datagrams();
        let read_size = |channel: &Channel| match shared.options.read_size {
            // What was asked for is about streams: a datagram that does not fit would be cut.
            _ if channel.has_datagrams() => MAX_DATAGRAM,
            MAX_PAYLOAD if !datagrams => READ_AT_ONCE,
            asked => asked,
        };
        let sizes = (read_size(&channel), read_size(&server.channel));
        Pair {
            shared,
            journal,
            ends: [
                End::new(channel, name, sizes.0),
                End::new(server.channel, server.peer, sizes.1),
            ],
            sent: Tally::default(),
            received: Tally::default(),
            first_fin: None,
            last_byte: Instant::now(),
            closing_from: None,
            resetting: None,
            look_at: None,
            last_call: None,
            idle: shared.options.idle_timeout.or(datagrams.then_some(SILENCE)),
            after: After::Ended,
            busy: false,
            over: false,
        }
    }

    /// Relays until both sides have ended and everything is recorded.
    pub(super) async fn run(mut self, inbox: &mut mpsc::Receiver<NetCommand>) -> After {
        loop {
            self.report(|_| {});
            if self.over {
                return self.leave(inbox).await;
            }
            let (application, server) = (self.interest(Side::Local), self.interest(Side::Peer));
            let (deadline, retry) = (self.deadline(), self.journal.retry_at());
            let look = self.look_at;
            let [local, peer] = &self.ends;
            tokio::select! {
                biased;
                command = inbox.recv() => self.command(command),
                () = until(retry) => self.retry(),
                () = until(look) => self.look(),
                () = until(deadline) => self.deadline_passed(),
                found = either(ready(&local.channel, application), ready(&peer.channel, server)) => {
                    for (side, found) in [Side::Local, Side::Peer].into_iter().zip(found) {
                        if let Some(found) = found {
                            self.transfer(side, found);
                        }
                    }
                }
            }
            if std::mem::take(&mut self.busy) {
                // Whoever never stops would keep everybody else, and the clock, waiting.
                yield_now().await;
            }
        }
    }

    /// Both sides are told now, and what is still to be recorded is waited for.
    async fn leave(self, inbox: &mut mpsc::Receiver<NetCommand>) -> After {
        let Pair {
            shared,
            mut journal,
            ends,
            mut after,
            ..
        } = self;
        drop(ends);
        while !journal.retry(shared.clock.now()) && journal.is_blocked() && after != After::Stop {
            tokio::select! {
                biased;
                command = inbox.recv() => match told(command) {
                    Told::Stop => after = After::Stop,
                    Told::Peer(PeerCommand::Send(..)) => shared.handled(Fate::Refused),
                    // There is nothing left to do it to.
                    Told::Peer(_) | Told::Nothing => {}
                },
                () = until(journal.retry_at()) => {}
            }
        }
        if after == After::Stop {
            journal.give_up();
        }
        let state = shared.recorder_state(journal.connection(), journal.state());
        shared.publish(|news| news.recorder = state);
        after
    }

    pub(super) fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[place(side)]
    }

    fn deadline(&self) -> Option<Instant> {
        if self.over {
            return None;
        }
        match (self.closing_from, self.last_call) {
            (Some(from), _) => Some(from + self.grace()),
            // It is we who do not read.
            (None, _) if self.journal.is_blocked() => None,
            (None, Some(call)) => Some(call.max(self.last_byte) + LAST_CALL),
            (None, None) => self.idle.map(|idle| self.last_byte + idle),
        }
    }

    /// How long the sides have to take what was written to them, and to end.
    pub(super) fn grace(&self) -> Duration {
        if self.after == After::Stop {
            FAREWELL
        } else {
            GRACE
        }
    }

    /// Whether one side has datagrams and the other a stream.
    pub(super) fn is_mixed(&self) -> bool {
        let [application, server] = &self.ends;
        application.channel.has_datagrams() != server.channel.has_datagrams()
    }

    fn deadline_passed(&mut self) {
        if self.closing_from.is_some() {
            return self.grace_is_over();
        }
        if self.last_call.is_some() {
            let by = self.first_fin.unwrap_or(Side::Local);
            let (how, errno) = (EndHow::Fin, None);
            return self.conclude(CloseEnd { by, how, errno }, None);
        }
        let silence = crate::text::format::took(self.idle.unwrap_or_default());
        if self.ends.iter().any(|end| end.channel.has_datagrams())
            && self.shared.options.idle_timeout.is_none()
        {
            self.note(format!(
                "nothing has crossed for {silence}: this is taken for the end"
            ));
            return self.finish_now();
        }
        self.error(
            format!("no byte crossed for {silence}, so both sides were ended (--idle-timeout)"),
            None,
        );
        for end in &mut self.ends {
            // TLS has a word for the end; one who does not read cannot be told.
            drop(end.channel.finish());
        }
        self.finish_now();
    }

    fn command(&mut self, command: Option<NetCommand>) {
        match told(command) {
            Told::Stop => {
                self.after = After::Stop;
                if !self.over {
                    self.shut_down();
                }
            }
            Told::Peer(command) => self.peer_command(command),
            Told::Nothing => {}
        }
    }

    fn peer_command(&mut self, command: PeerCommand) {
        match command {
            PeerCommand::Send(message, direction) => self.inject(message, direction),
            PeerCommand::Option(request) => self.adjust(&request),
            // A tap passes on the ends of others.
            PeerCommand::HalfClose => {}
            PeerCommand::Close | PeerCommand::Reset if self.over => {}
            PeerCommand::Close => {
                self.after = After::Closed;
                self.close();
            }
            PeerCommand::Reset => {
                self.after = After::Closed;
                self.note("you reset both sides (RST)".to_owned());
                for end in &self.ends {
                    end.channel.reset();
                }
                self.finish_now();
            }
        }
    }

    fn inject(&mut self, message: Outgoing, direction: Direction) {
        let to = direction.sender().other();
        let end = self.end(to);
        let refused = if end.writing == Half::Open {
            end.outbox
                .push(message)
                .err()
                .map(|_| "too much is waiting to be sent already")
        } else {
            Some("that side has ended")
        };
        match refused {
            None => {
                self.shared.handled(Fate::Queued);
                self.flush(to);
            }
            Some(why) => {
                self.note(format!("not sent: {why}"));
                self.shared.handled(Fate::Refused);
            }
        }
    }

    fn retry(&mut self) {
        let blocked = self.journal.is_blocked();
        self.journal.retry(self.shared.clock.now());
        if blocked && !self.journal.is_blocked() {
            // The silence was ours.
            self.last_byte = Instant::now();
        }
        self.stop_if_full();
    }
}
