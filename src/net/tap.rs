//! Relaying one application to the server: dialing for it, then passing on what either side sends, exactly and in both
//! directions at once.
//!
//! The application waits in the kernel while the server is dialed: nothing is read from it before there is somebody to
//! pass it on to, but for the handshake of TLS that ends here. One whose TLS is intercepted has said what it asks for
//! by then, and is answered when the real server has been: it is the only one that knows what it speaks.

mod end;
mod options;
mod pair;
mod pump;
mod reset;
mod wait;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;

use self::pair::Pair;
use super::acceptor::{Acceptor, Guest, Welcomed, attended};
use super::channel::Channel;
use super::connect::{self, Asked, Connected};
use super::dial::{Dial, Failure};
use super::journal::Journal;
use super::session::After;
use super::shared::Shared;
use crate::model::{
    Authority, ConnectionId, Endpoint, EntryKind, Host, LinkState, NetCommand, Side, Verdict,
};

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

impl Application {
    /// The same before anything may cross.
    fn guest<'g>(&'g mut self, shared: &'g Shared, journal: &'g mut Journal) -> Guest<'g> {
        Guest {
            shared,
            journal,
            channel: &mut self.channel,
            name: &self.name,
            side: Side::Local,
        }
    }
}

/// Dials the target for the application, and relays until both sides have ended, or the user ends it.
pub(super) async fn relay(
    shared: &Shared,
    mut journal: Journal,
    (mut application, acceptor): (Application, &Acceptor),
    target: &Endpoint,
    mut inbox: mpsc::Receiver<NetCommand>,
) -> After {
    let id = journal.connection();
    shared.link(id, |link| link.local = Some(application.remote));
    let mut guest = application.guest(shared, &mut journal);
    let welcomed = match Box::pin(guest.welcome(acceptor, &mut inbox)).await {
        Ok(welcomed) => welcomed,
        Err(after) => return after,
    };
    let asked = asked(&welcomed);
    let connected = match Box::pin(dial(shared, &mut journal, (target, asked), &mut inbox)).await {
        Ok(connected) => connected,
        Err((mut failure, after)) => {
            failure
                .reason
                .push_str(&other_name(shared, id, &welcomed, target));
            give_up(shared, &mut journal, (application, welcomed), failure, &mut inbox).await;
            return after;
        }
    };
    if let (Welcomed::Asks(hello), Acceptor::Intercept(interceptor)) = (welcomed, acceptor) {
        let (whom, chosen) = (application.local.ip().to_string(), connected.channel.protocol());
        let mut guest = application.guest(shared, &mut journal);
        let as_whom = (whom.as_str(), chosen.as_deref());
        if let Err(after) = guest.answer(interceptor, hello, as_whom, &mut inbox).await {
            let mut server = connected.channel;
            // Not a byte of it is missing, and it should not believe so.
            drop(server.finish());
            return after;
        }
    }
    start(shared, journal, application, connected)
        .run(&mut inbox)
        .await
}

/// What the server is asked for: what the application asked for, or what was agreed on with it.
fn asked(welcomed: &Welcomed) -> Option<Asked> {
    match welcomed {
        Welcomed::Clear => None,
        Welcomed::Secured(agreed) => Some(Asked {
            name: None,
            alpn: agreed.iter().cloned().collect(),
        }),
        Welcomed::Asks(hello) => Some(Asked {
            name: hello.name().map(str::to_owned),
            alpn: hello.alpn().to_vec(),
        }),
    }
}

/// What to do about a server that was asked for under another name than its own, because the application asked so, and
/// that did not pass for it.
fn other_name(shared: &Shared, id: ConnectionId, welcomed: &Welcomed, target: &Endpoint) -> String {
    let tls = shared.report(|news| news.peers.get(id).and_then(|link| link.tls.clone()));
    let is_refused = tls.is_some_and(|report| matches!(report.verdict, Verdict::Refused(_)));
    match (welcomed, target) {
        (
            Welcomed::Asks(hello),
            Endpoint::Tls(Authority {
                host: Host::Name(host),
                ..
            }),
        ) if is_refused => hello
            .name()
            .filter(|name| !name.eq_ignore_ascii_case(host) && shared.options.tls.sni.is_none())
            .map(|name| {
                format!("; the application asked for {name}: --sni {host} asks for the target all the same")
            })
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// Connects to the server; or why there is none, and what follows.
async fn dial(
    shared: &Shared,
    journal: &mut Journal,
    (target, asked): (&Endpoint, Option<Asked>),
    inbox: &mut mpsc::Receiver<NetCommand>,
) -> Result<Connected, (Failure, After)> {
    let mut dial =
        connect::over_ip(shared, target).map(|target| Dial::new(target, &shared.options, shared.clock));
    let connecting = connect::connect(shared, journal, &mut dial, target, asked.as_ref());
    match attended(shared, inbox, connecting).await {
        Ok(result) => result.map_err(|failure| (failure, After::Ended)),
        Err(after) => {
            if let Some(dial) = &mut dial {
                dial.abandon(|step| connect::record(shared, journal, step));
            }
            let failure = Failure {
                reason: "given up before the server answered".to_owned(),
                errno: None,
                timed_out: false,
            };
            Err((failure, after))
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
    let opening = EntryKind::Open { local, remote };
    journal.event(at, opening.clone());
    let state = shared.recorder_state(journal.connection(), journal.state());
    shared.publish(|news| {
        news.recorder = state;
        if let Some(link) = news.link_mut(journal.connection()) {
            Arc::make_mut(&mut link.dial).take_in(at, &opening);
            link.state = LinkState::Open;
            link.local = Some(local);
            link.remote = Some(remote);
            link.opened = Some(at);
        }
    });
    Pair::new(shared, journal, application, server)
}

/// The application is told as it would be by a server that is gone: with a reset, or with an alert if it waits for TLS.
async fn give_up(
    shared: &Shared,
    journal: &mut Journal,
    (mut application, welcomed): (Application, Welcomed),
    failure: Failure,
    inbox: &mut mpsc::Receiver<NetCommand>,
) {
    let at = shared.clock.now();
    let Failure {
        reason,
        errno,
        timed_out: _,
    } = failure;
    let text = reason.clone();
    journal.event(at, EntryKind::Error { text, errno });
    let told = match welcomed {
        Welcomed::Asks(_) => "was refused with the alert internal_error (80)",
        Welcomed::Clear | Welcomed::Secured(_) => "was reset",
    };
    let text = format!("{} {told}: there is no server for it", application.name);
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
    match welcomed {
        Welcomed::Asks(hello) => {
            let mut guest = application.guest(shared, journal);
            // Whatever the user wants by now, there is nothing left to do it to.
            drop(attended(shared, inbox, guest.refuse(hello)).await);
        }
        Welcomed::Clear | Welcomed::Secured(_) => application.channel.reset(),
    }
}
