//! Waiting for connections, and serving many of them at once: each is a session of its own, all of them in one task of
//! the worker, so that none waits for another.

mod accept;
mod bind;
mod datagrams;
mod serve;
mod server;

use tokio::sync::mpsc;

use self::bind::Bound;
use self::server::Server;
use super::acceptor::Acceptor;
use super::announce::{Refusal, announce};
use super::dial::Failure;
use super::journal::Journal;
use super::shared::Shared;
use super::worker::Next;
use crate::capture::CaptureError;
use crate::model::{
    Address, ConnectionId, Endpoint, EntryKind, LinkState, Listening, NetCommand, RecorderState, Role,
};

/// Waits for connections until the user ends it, and serves them; with a target each is relayed to it.
pub(super) async fn run(
    shared: &Shared,
    commands: &mut mpsc::Receiver<NetCommand>,
    address: Address,
    target: Option<Endpoint>,
) -> Next {
    let started = shared.clock.now();
    let endpoint = address.endpoint().clone();
    let mut journal = match announce(shared, &endpoint, started, Role::Listener) {
        Ok(journal) => journal,
        Err(Refusal::ForNow(error)) => {
            return refuse(shared, ConnectionId::default(), address, target, &error);
        }
        Err(Refusal::ForGood(error, id)) => return refuse(shared, id, address, target, &error),
    };
    let mut listening = Listening::new(journal.connection(), address, target.clone(), started);
    listening.state = LinkState::Resolving;
    shared.publish(|news| news.listening = Some(listening));
    let prepared = tokio::select! {
        biased;
        next = end_of(shared, commands) => return next,
        prepared = prepare(shared, &endpoint, target.as_ref()) => prepared,
    };
    let at = shared.clock.now();
    match prepared {
        Ok(prepared) => {
            tell(shared, &mut journal, &prepared);
            Server::new(shared, journal, prepared, endpoint, target)
                .run(commands)
                .await
        }
        Err(Failure { reason, errno, .. }) => {
            let text = reason.clone();
            journal.event(at, EntryKind::Error { text, errno });
            fail(shared, reason);
            Next::Idle
        }
    }
}

/// The sockets, and what comes before the first byte of whoever comes to them.
async fn prepare(
    shared: &Shared,
    endpoint: &Endpoint,
    target: Option<&Endpoint>,
) -> Result<(Bound, Acceptor), Failure> {
    let bound = bind::bind(endpoint, shared.options.family, &shared.sockets()).await?;
    let acceptor = Acceptor::new(shared, endpoint, target, &bound.addresses).map_err(|error| Failure {
        reason: error.to_string(),
        errno: None,
        timed_out: false,
    })?;
    Ok((bound, acceptor))
}

/// Says where it is waited, and what those who come get to see.
fn tell(shared: &Shared, journal: &mut Journal, (bound, acceptor): &(Bound, Acceptor)) {
    let at = shared.clock.now();
    let text = format!("listening on {}", bound.places.join(" and "));
    let notes = bound.notes.iter().cloned();
    for text in notes.chain([text]).chain(acceptor.note()) {
        journal.event(at, EntryKind::Note { text });
    }
    shared.publish(|news| {
        if let Some(listening) = &mut news.listening {
            listening.state = LinkState::Listening;
            listening.since = Some(at);
            listening.bound.clone_from(&bound.places);
            if let Some((fingerprint, made)) = acceptor.fingerprint() {
                listening.fingerprint = Some(fingerprint);
                listening.self_signed = made;
            }
        }
    });
}

/// Waits until the user wants to end what is only being prepared.
async fn end_of(shared: &Shared, commands: &mut mpsc::Receiver<NetCommand>) -> Next {
    loop {
        match commands.recv().await {
            None | Some(NetCommand::Shutdown) => return Next::Stop,
            Some(NetCommand::Close | NetCommand::Reset | NetCommand::Cancel) => return Next::Idle,
            Some(NetCommand::Option(request)) => shared.adjust_later(request),
            Some(
                NetCommand::Connect(_)
                | NetCommand::Reconnect
                | NetCommand::Send(_)
                | NetCommand::HalfClose
                | NetCommand::StartTls(_)
                | NetCommand::Timestamps(_)
                | NetCommand::Listen(_)
                | NetCommand::Tap(..)
                | NetCommand::Peers(..),
            ) => {}
        }
    }
}

/// Says that nothing is waited for because nothing of it could be recorded.
fn refuse(
    shared: &Shared,
    id: ConnectionId,
    address: Address,
    target: Option<Endpoint>,
    error: &CaptureError,
) -> Next {
    let reason = shared.options.on_full.reason(error);
    shared.publish(|news| {
        news.listening = Some(Listening::new(id, address, target, shared.clock.now()));
        news.recorder = RecorderState::Stopped {
            reason: reason.clone(),
        };
    });
    fail(shared, reason);
    Next::Idle
}

fn fail(shared: &Shared, reason: String) {
    let at = shared.clock.now();
    shared.publish(|news| {
        if let Some(listening) = &mut news.listening {
            listening.state = LinkState::Failed;
            listening.ended = Some(at);
            listening.reason = Some(reason);
        }
    });
}
