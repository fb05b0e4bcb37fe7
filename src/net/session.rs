//! Reading and writing of one open connection, both in one task, so that a reply is never recorded before the
//! request that it answers.
//!
//! The directions are independent: a peer that does not read stops our writes and nothing else, and a failed write
//! does not end reading. What arrives is recorded before anything else happens to it.

mod end;
mod transfer;
mod upgrade;

use std::future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{Interest, Ready};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::capture::MAX_DATAGRAM;
use crate::model::{Closing, End, EndHow, Endpoint, EntryKind, LinkState, NetCommand, Outgoing, Side, Tally};
use crate::text::format;

use super::channel::Channel;
use super::connect::Connected;
use super::journal::Journal;
use super::outbox::Outbox;
use super::worker::{Fate, Shared};
use upgrade::{Greeting, Upgrade};

/// How long a close waits for the peer: to read more of what is unsent, and then to answer our FIN. What it goes on
/// sending does not make it wait longer: a peer that never stops must not keep anybody from leaving.
const GRACE: Duration = Duration::from_secs(2);

/// How long answers are awaited when we have said all and cannot tell the peer.
const LAST_CALL: Duration = Duration::from_secs(1);

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
    /// Whether datagrams cross: they come whole or not at all, and nobody says when the last one was sent.
    datagrams: bool,
    /// When we said that we send no more, where the peer cannot be told.
    last_call: Option<Instant>,
    buffer: Vec<u8>,
    outbox: Outbox,
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
        let datagrams = channel.has_datagrams();
        let read_size = if datagrams {
            // A datagram that does not fit would be cut.
            MAX_DATAGRAM
        } else {
            shared.options.read_size
        };
        Session {
            shared,
            journal,
            channel: Some(channel),
            ends,
            endpoint,
            peer,
            datagrams,
            last_call: None,
            buffer: vec![0; read_size],
            outbox: Outbox::default(),
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
            over: false,
        }
    }

    /// Runs until the connection is over and everything is recorded.
    pub(super) async fn run(mut self, commands: &mut mpsc::Receiver<NetCommand>) -> After {
        self.open();
        loop {
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
                ready = ready(self.channel.as_ref(), interest) => self.transfer(ready),
                () = until(deadline) => self.deadline_passed(),
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
        self.journal.event(at, EntryKind::Open { local, remote });
        let upgrade = self.required_upgrade();
        self.report(|link| {
            link.state = match upgrade {
                Some(_) => LinkState::Handshaking,
                None => LinkState::Open,
            };
            if let Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Udp(_) = link.endpoint {
                link.local = Some(local);
                link.remote = Some(remote);
            }
            link.opened = Some(at);
        });
        if let Some(preset) = upgrade {
            self.start_tls(Some(preset), true);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let closing = matches!(self.after, After::Closed | After::Dial(_) | After::Redial);
        let closing = closing || self.failed.is_some();
        let idle = self.shared.options.idle_timeout;
        match (self.over, closing, idle) {
            (true, _, _) => None,
            // It is we who do not read.
            (false, false, _) if self.journal.is_blocked() => None,
            (false, true, _) => Some(self.closing_from + GRACE),
            (false, false, idle) => {
                let idle = idle.map(|idle| self.last_byte + idle);
                let last_call = self.last_call.map(|call| call.max(self.last_byte) + LAST_CALL);
                let others = last_call.into_iter().chain(self.upgrade_deadline());
                idle.into_iter().chain(others).min()
            }
        }
    }

    fn deadline_passed(&mut self) {
        if self.last_call.is_some() {
            return self.end_silently();
        }
        if self
            .upgrade_deadline()
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            return self.upgrade_timed_out();
        }
        let end = End {
            by: Side::Local,
            how: EndHow::Timeout,
            errno: None,
        };
        let reason = match (&self.after, self.shared.options.idle_timeout) {
            (After::Ended, Some(idle)) => {
                format!(
                    "no byte crossed for {}, so the connection was ended (--idle-timeout)",
                    format::took(idle)
                )
            }
            _ if self.ours == Half::Over => format!(
                "the peer did not answer our FIN within {}, so the connection was dropped",
                format::took(GRACE)
            ),
            _ => format!(
                "the peer read nothing for {}, so the connection was dropped with {} unsent",
                format::took(GRACE),
                format::size(self.outbox.unsent())
            ),
        };
        self.end(end, Some(reason));
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
            NetCommand::HalfClose | NetCommand::Reset | NetCommand::StartTls(_) => {}
            NetCommand::Send(message) => {
                self.refuse(&message, "the connection has ended");
            }
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
                match self.hold(message) {
                    Ok(()) => self.shared.handled(Fate::Queued),
                    Err(message) => self.refuse(&message, "too much is waiting to be sent already"),
                }
                self.write();
            }
            NetCommand::StartTls(preset) => self.start_tls(preset, false),
            NetCommand::HalfClose if self.datagrams => self.call_for_the_last(),
            NetCommand::HalfClose => self.finish(),
            NetCommand::Close | NetCommand::Cancel => self.close(After::Closed),
            NetCommand::Connect(endpoint) => self.close(After::Dial(endpoint)),
            NetCommand::Reconnect => self.close(After::Redial),
            NetCommand::Reset if self.datagrams => self.close(After::Closed),
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
            NetCommand::Shutdown => self.shut_down(),
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
