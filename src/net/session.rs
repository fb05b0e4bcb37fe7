//! Reading and writing of one open connection, both in one task, so that a reply is never recorded before the
//! request that it answers.
//!
//! The directions are independent: a peer that does not read stops our writes and nothing else, and a failed write
//! does not end reading. What arrives is recorded before anything else happens to it.

mod end;
mod options;
mod senders;
mod silence;
mod stamps;
mod transfer;
mod upgrade;

use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{Interest, Ready};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use crate::capture::MAX_DATAGRAM;
use crate::model::{Closing, End, EndHow, Endpoint, EntryKind, LinkState, NetCommand, Outgoing, Side, Tally};
use crate::text::format;

use super::channel::Channel;
use super::connect::Connected;
use super::journal::Journal;
use super::outbox::Outbox;
use super::shared::{Fate, Shared};
use super::socket::Carries;
use senders::Senders;
use silence::Silence;
use upgrade::{Greeting, Upgrade};

/// What follows a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It ended by itself; reconnecting is up to the options.
    Ended,
    /// A full file ended it; nothing follows by itself.
    Full,
    /// The user ended it.
    Closed,
    /// Dial this next.
    Dial(Endpoint),
    /// Dial the same endpoint next.
    Redial,
    /// Stop the worker.
    Stop,
}

/// One direction of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    /// Bytes may cross.
    Open,
    /// The end was requested by us and waits for what is unsent.
    Ending,
    /// FIN has crossed, or the direction is broken.
    Over,
}

/// An open connection.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    journal: Journal,
    /// Gone once the connection is over, whatever is still to be recorded.
    channel: Option<Channel>,
    ends: (SocketAddr, SocketAddr),
    /// What was dialed.
    endpoint: Endpoint,
    /// What the peer is called in sentences.
    peer: String,
    /// The longest that it may be silent in both directions, and what that means.
    idle: Option<(Duration, Silence)>,
    /// What crosses: of datagrams nobody says when the last one was sent.
    carries: Carries,
    /// When we said that we send no more, where the peer cannot be told.
    last_call: Option<Instant>,
    buffer: Vec<u8>,
    outbox: Outbox,
    /// Who has sent something, where that may be anybody.
    senders: Senders,
    ours: Half,
    theirs: Half,
    first_fin: Option<Side>,
    /// What the peer said before anything was sent.
    greeting: Greeting,
    /// The start of TLS that is under way.
    upgrade: Option<Upgrade>,
    /// Why the connection has failed, however orderly it ends.
    failed: Option<String>,
    /// The peer's end came without TLS's word for it.
    truncated: bool,
    /// A reset was reported on a write, while what arrived before it was still being read.
    reset: Option<io::Error>,
    sent: Tally,
    received: Tally,
    /// When a byte last crossed.
    last_byte: Instant,
    /// When a close was asked for, or last got on: bytes were taken, or our FIN went out.
    closing_from: Instant,
    after: After,
    /// More is there to be read than one batch.
    busy: bool,
    over: bool,
}

impl<'a> Session<'a> {
    /// Takes over an open connection.
    pub(super) fn new(shared: &'a Shared, journal: Journal, connected: Connected) -> Session<'a> {
        let Connected {
            channel,
            ends,
            endpoint,
            peer,
        } = connected;
        let carries = channel.carries();
        let read_size = match carries {
            Carries::Stream => shared.options.read_size,
            // One that does not fit would be cut.
            Carries::Datagrams | Carries::Messages => MAX_DATAGRAM,
        };
        Session {
            shared,
            journal,
            channel: Some(channel),
            ends,
            endpoint,
            peer,
            idle: shared.options.idle_timeout.map(|idle| (idle, Silence::TimesOut)),
            carries,
            last_call: None,
            buffer: vec![0; read_size],
            outbox: Outbox::default(),
            senders: Senders::default(),
            ours: Half::Open,
            theirs: Half::Open,
            first_fin: None,
            greeting: Greeting::Heard(Vec::new()),
            upgrade: None,
            failed: None,
            truncated: false,
            reset: None,
            sent: Tally::default(),
            received: Tally::default(),
            last_byte: Instant::now(),
            closing_from: Instant::now(),
            after: After::Ended,
            busy: false,
            over: false,
        }
    }

    /// Runs until the connection is over and everything is recorded.
    pub(super) async fn run(mut self, commands: &mut mpsc::Receiver<NetCommand>) -> After {
        self.open();
        loop {
            let stamps = self.write_due_stamps();
            self.report(|_| {});
            if self.over && !self.journal.is_blocked() {
                // What is held or missing is said while there is anybody to say it.
                self.journal.retry(self.shared.clock.now());
                self.report(|_| {});
                return self.after;
            }
            let interest = self.interest();
            let (deadline, retry) = (self.deadline(), self.journal.retry_at());
            tokio::select! {
                biased;
                command = commands.recv() => self.command(command.unwrap_or(NetCommand::Shutdown)),
                () = until(retry) => self.retry(),
                () = until(stamps) => {}
                () = until(deadline) => self.deadline_passed(),
                ready = ready(self.channel.as_ref(), interest) => self.transfer(ready),
            }
            if std::mem::take(&mut self.busy) {
                // Whoever never stops would keep everybody else, and the clock, waiting.
                yield_now().await;
            }
            if self.over && self.after == After::Stop {
                self.report(|_| {});
                return After::Stop;
            }
        }
    }

    fn open(&mut self) {
        let at = self.shared.clock.now();
        let (local, remote) = self.ends;
        let options = self.options();
        let opening = EntryKind::Open { local, remote };
        self.journal.event(at, opening.clone());
        let upgrade = self.required_upgrade();
        self.report(|link| {
            Arc::make_mut(&mut link.dial).take_in(at, &opening);
            link.state = match upgrade {
                Some(_) => LinkState::Handshaking,
                None => LinkState::Open,
            };
            if link.endpoint.is_over_ip() {
                link.local = Some(local);
                link.remote = Some(remote);
            }
            link.opened = Some(at);
            link.options = options.clone();
        });
        self.tell_options(&options);
        if self.shared.timestamps.get() {
            self.set_timestamps(true);
        }
        if let Some(preset) = upgrade {
            self.start_tls(Some(preset), true);
        }
    }

    /// Not a byte of this message will be sent.
    fn refuse(&mut self, message: &Outgoing, why: &str) {
        let size = format::size(message.bytes.len() as u64);
        self.note(format!("{size} not sent: {why}"));
        self.shared.handled(Fate::Refused);
    }

    /// A command while the end of the connection waits to be recorded: only what follows can be chosen.
    fn command_after_end(&mut self, command: NetCommand) {
        match command {
            NetCommand::Connect(endpoint) => self.after = After::Dial(endpoint),
            NetCommand::Reconnect => self.after = After::Redial,
            NetCommand::Close | NetCommand::Cancel => self.after = After::Closed,
            NetCommand::HalfClose
            | NetCommand::Reset
            | NetCommand::StartTls(_)
            | NetCommand::Listen(_)
            | NetCommand::Tap(..) => {}
            NetCommand::Timestamps(on) => self.shared.timestamps.set(on),
            NetCommand::Send(message) => {
                self.refuse(&message, "the connection has ended");
            }
            NetCommand::Peers(_, command) => self.command_after_end(command.into()),
            NetCommand::Option(request) => self.shared.adjust_later(request),
            NetCommand::Shutdown => self.shut_down(),
        }
    }

    fn command(&mut self, command: NetCommand) {
        if self.over {
            return self.command_after_end(command);
        }
        match command {
            NetCommand::Send(message) => {
                if self.ours != Half::Open {
                    return self.refuse(&message, "our side of the connection has ended");
                }
                if message.bytes.is_empty() && self.carries == Carries::Stream {
                    // A stream has no empty messages.
                    return self.shared.handled(Fate::Queued);
                }
                match self.hold(message) {
                    Ok(()) => self.shared.handled(Fate::Queued),
                    Err(message) => self.refuse(&message, "too much is waiting to be sent already"),
                }
                self.write();
            }
            NetCommand::StartTls(preset) => self.start_tls(preset, false),
            NetCommand::HalfClose if self.carries == Carries::Datagrams => self.call_for_the_last(),
            NetCommand::HalfClose => self.finish(),
            NetCommand::Close | NetCommand::Cancel => self.close(After::Closed),
            NetCommand::Connect(endpoint) => self.close(After::Dial(endpoint)),
            NetCommand::Reconnect => self.close(After::Redial),
            NetCommand::Reset if self.carries == Carries::Datagrams => self.close(After::Closed),
            NetCommand::Reset => {
                // A dial that waits for the end of this connection goes on all the sooner.
                if self.after == After::Ended {
                    self.after = After::Closed;
                }
                if let Some(channel) = &self.channel {
                    channel.reset();
                }
                self.end(
                    End {
                        by: Side::Local,
                        how: EndHow::Rst,
                        errno: None,
                    },
                    None,
                );
            }
            NetCommand::Option(request) => self.adjust(request),
            NetCommand::Timestamps(on) => self.set_timestamps(on),
            NetCommand::Shutdown => self.shut_down(),
            // The listener has found it by its number.
            NetCommand::Peers(_, command) => self.command(command.into()),
            // Whoever has a connection in front does not listen.
            NetCommand::Listen(_) | NetCommand::Tap(..) => {}
        }
    }

    fn close(&mut self, after: After) {
        self.report(|link| {
            link.closing = Some(match &after {
                After::Dial(endpoint) => Closing::Dial(endpoint.clone()),
                After::Redial => Closing::Dial(link.endpoint.clone()),
                After::Ended | After::Full | After::Closed | After::Stop => Closing::End,
            });
        });
        // Asking again does not grant the peer more time.
        if self.after == After::Ended {
            self.closing_from = Instant::now();
        }
        self.after = after;
        if self.upgrade.is_some() {
            self.abandon_tls();
            self.report(|link| link.state = LinkState::Open);
        }
        self.finish();
    }

    /// The program ends: read what is here already, say FIN, and leave.
    fn shut_down(&mut self) {
        // Behind the peer's FIN, reading would find the same FIN again.
        if !self.over && self.theirs == Half::Open {
            self.read();
        }
        self.after = After::Stop;
        if !self.over {
            self.write();
        }
        self.last_words();
        if !self.over && self.ours != Half::Over {
            self.drop_unsent();
            self.fin();
        }
        self.over = true;
        if !self.journal.retry(self.shared.clock.now()) {
            self.journal.give_up();
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

    fn stop_if_full(&mut self) {
        if self.over {
            return;
        }
        if let Some(reason) = self.journal.must_stop().map(str::to_owned) {
            self.end(
                End {
                    by: Side::Local,
                    how: EndHow::Os,
                    errno: None,
                },
                Some(reason),
            );
            if self.after == After::Ended {
                self.after = After::Full;
                self.report(|link| link.given_up = true);
            }
        }
    }
}

async fn ready(channel: Option<&Channel>, interest: Option<Interest>) -> Ready {
    match (channel, interest) {
        (Some(channel), Some(interest)) => channel.ready(interest).await,
        (Some(_) | None, _) => future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}
