//! Relaying one application to the server: dialing for it, then passing on what either side sends, exactly and in both
//! directions at once.
//!
//! The application waits in the kernel while the server is dialed: nothing is read from it before there is somebody to
//! pass it on to.

mod end;
mod options;
mod pair;
mod pump;
mod reset;

use std::net::SocketAddr;
use std::pin::pin;

use tokio::sync::mpsc;

use self::pair::Pair;
use super::channel::Channel;
use super::connect::{self, Connected};
use super::dial::{Dial, Failure};
use super::journal::Journal;
use super::session::After;
use super::shared::{Fate, Shared};
use crate::model::{Endpoint, EntryKind, LinkState, NetCommand, PeerCommand};

/// An application that came, and where it believes to be.
pub(super) struct Application {
    /// What is read and written.
    pub(super) channel: Channel,
    /// Its address.
    pub(super) remote: SocketAddr,
    /// The address that it connected to.
    pub(super) local: SocketAddr,
    /// What it is called in sentences.
    pub(super) name: String,
}

/// Dials the target for the application, and relays until both sides have ended, or the user ends it.
pub(super) async fn relay(
    shared: &Shared,
    mut journal: Journal,
    application: Application,
    target: &Endpoint,
    mut inbox: mpsc::Receiver<NetCommand>,
) -> After {
    let mut dial =
        connect::over_ip(shared, target).map(|target| Dial::new(target, &shared.options, shared.clock));
    let dialed = {
        let mut run = pin!(connect::connect(shared, &mut journal, &mut dial, target));
        loop {
            tokio::select! {
                biased;
                command = inbox.recv() => {
                    if let Some(after) = interrupt(shared, command) {
                        break Err(after);
                    }
                }
                result = &mut run => break Ok(result),
            }
        }
    };
    match dialed {
        Ok(Ok(connected)) => {
            start(shared, journal, application, connected)
                .run(&mut inbox)
                .await
        }
        Ok(Err(failure)) => {
            give_up(shared, &mut journal, &application, failure);
            After::Ended
        }
        Err(after) => {
            if let Some(dial) = &mut dial {
                dial.abandon(|step| connect::record(shared, &mut journal, step));
            }
            let failure = Failure {
                reason: "given up before the server answered".to_owned(),
                errno: None,
                timed_out: false,
            };
            give_up(shared, &mut journal, &application, failure);
            after
        }
    }
}

fn start(shared: &Shared, mut journal: Journal, application: Application, server: Connected) -> Pair<'_> {
    let at = shared.clock.now();
    let (ours, remote) = server.ends;
    let text = format!(
        "{} connected to {}; from here to the server {remote} it is {ours}",
        application.name, application.local
    );
    journal.event(at, EntryKind::Note { text });
    let local = application.remote;
    journal.event(at, EntryKind::Open { local, remote });
    let state = shared.recorder_state(journal.connection(), journal.state());
    shared.publish(|news| {
        news.recorder = state;
        if let Some(link) = news.link_mut(journal.connection()) {
            link.state = LinkState::Open;
            link.local = Some(local);
            link.remote = Some(remote);
            link.opened = Some(at);
        }
    });
    Pair::new(shared, journal, application, server)
}

/// A command while the server is dialed, as what comes next; the others have nothing to act on.
fn interrupt(shared: &Shared, command: Option<NetCommand>) -> Option<After> {
    match command {
        None | Some(NetCommand::Shutdown) => Some(After::Stop),
        Some(NetCommand::Peers(_, command)) => match command {
            PeerCommand::Send(..) => {
                shared.handled(Fate::Refused);
                None
            }
            PeerCommand::Option(request) => {
                shared.adjust_later(request);
                None
            }
            PeerCommand::HalfClose => None,
            PeerCommand::Close | PeerCommand::Reset => Some(After::Closed),
        },
        // The listener passes on nothing else.
        Some(
            NetCommand::Connect(_)
            | NetCommand::Reconnect
            | NetCommand::Send(_)
            | NetCommand::HalfClose
            | NetCommand::Close
            | NetCommand::Reset
            | NetCommand::Cancel
            | NetCommand::Timestamps(_)
            | NetCommand::StartTls(_)
            | NetCommand::Option(_)
            | NetCommand::Listen(_)
            | NetCommand::Tap(..),
        ) => None,
    }
}

/// The application is told as it would be by a server that is gone: with a reset.
fn give_up(shared: &Shared, journal: &mut Journal, application: &Application, failure: Failure) {
    application.channel.reset();
    let at = shared.clock.now();
    let Failure {
        reason,
        errno,
        timed_out: _,
    } = failure;
    let text = reason.clone();
    journal.event(at, EntryKind::Error { text, errno });
    let text = format!("{} was reset: there is no server for it", application.name);
    journal.event(at, EntryKind::Note { text });
    let state = shared.recorder_state(journal.connection(), journal.state());
    shared.publish(|news| {
        news.recorder = state;
        if let Some(link) = news.link_mut(journal.connection()) {
            link.state = LinkState::Failed;
            link.ended = Some(at);
            link.reason = Some(reason);
        }
    });
}
