//! Many peers at once, and what happens to them and to the sockets at which they arrive.

use std::collections::BTreeMap;
use std::future;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::accept::{self, Arrival, Happened, Reserve, any};
use super::bind::{Bound, Listener, Name};
use super::serve;
use crate::model::{
    ConnectionId, Endpoint, EntryKind, Link, LinkState, NetCommand, PeerCommand, RecorderState, Role, Side,
};
use crate::net::acceptor::Acceptor;
use crate::net::announce::{Refusal, announce, paused};
use crate::net::journal::{Journal, RETRY};
use crate::net::session::After;
use crate::net::shared::{Fate, Shared};
use crate::net::words;
use crate::net::worker::Next;
use crate::text::format;

/// Commands for one peer that may wait; it takes them at once, so this is reached only by a burst.
const INBOX: usize = 64;

/// How long no connection is accepted after one was turned away for want of descriptors, or accepting failed.
const PAUSE: Duration = Duration::from_millis(50);

/// A peer that is being served, and how it ended.
type Serving<'a> = LocalBoxFuture<'a, (ConnectionId, After)>;

/// What waits for connections, and who has come.
pub(super) struct Server<'a> {
    shared: &'a Shared,
    journal: Journal,
    target: Option<Endpoint>,
    /// What the peers dialed.
    endpoint: Endpoint,
    listeners: Vec<Listener>,
    acceptor: Rc<Acceptor>,
    /// The name of a Unix socket, which goes with it.
    name: Option<Name>,
    reserve: Reserve,
    peers: FuturesUnordered<Serving<'a>>,
    inboxes: BTreeMap<ConnectionId, mpsc::Sender<NetCommand>>,
    /// When accepting goes on, after something was in its way.
    not_before: Option<Instant>,
    /// Connections that came while the file took nothing: nothing of them may cross that could not be recorded.
    waiting: Vec<Arrival>,
    /// Connections that were turned away since that was said last.
    turned_away: u64,
    /// The program ends as soon as nobody is served any more.
    stopping: bool,
}

impl<'a> Server<'a> {
    /// Serves whoever comes to these sockets.
    pub(super) fn new(
        shared: &'a Shared,
        journal: Journal,
        (bound, acceptor): (Bound, Acceptor),
        endpoint: Endpoint,
        target: Option<Endpoint>,
    ) -> Server<'a> {
        Server {
            shared,
            journal,
            target,
            endpoint,
            listeners: bound.listeners,
            acceptor: Rc::new(acceptor),
            name: bound.name,
            reserve: Reserve::new(),
            peers: FuturesUnordered::new(),
            inboxes: BTreeMap::new(),
            not_before: None,
            waiting: Vec::new(),
            turned_away: 0,
            stopping: false,
        }
    }

    /// Runs until nobody is served any more and nobody can come.
    pub(super) async fn run(mut self, commands: &mut mpsc::Receiver<NetCommand>) -> Next {
        loop {
            if self.is_over() {
                return if self.stopping { Next::Stop } else { Next::Idle };
            }
            let accepting = !self.listeners.is_empty() && self.not_before.is_none();
            tokio::select! {
                biased;
                command = commands.recv(), if !self.stopping => {
                    self.command(command.unwrap_or(NetCommand::Shutdown));
                }
                Some((id, after)) = self.peers.next(), if !self.peers.is_empty() => self.served(id, &after),
                () = until(self.not_before) => self.go_on(),
                happened = any(&mut self.listeners, &mut self.reserve), if accepting => self.happened(happened),
            }
        }
    }

    fn is_over(&self) -> bool {
        self.peers.is_empty() && self.listeners.is_empty() && self.waiting.is_empty()
    }

    fn command(&mut self, command: NetCommand) {
        match command {
            NetCommand::Peers(peers, command) => {
                for id in peers {
                    self.forward(id, command.clone());
                }
            }
            NetCommand::Send(_) => self.shared.handled(Fate::Refused),
            NetCommand::Option(request) => self.shared.adjust_later(request),
            NetCommand::Cancel => self.stop_listening(None),
            NetCommand::Timestamps(on) => {
                self.shared.timestamps.set(on);
                for inbox in self.inboxes.values() {
                    drop(inbox.try_send(NetCommand::Timestamps(on)));
                }
            }
            NetCommand::Shutdown => {
                self.stop_listening(None);
                self.stopping = true;
                for inbox in self.inboxes.values() {
                    // One that has no room left does not take commands any more, and ends with the worker.
                    drop(inbox.try_send(NetCommand::Shutdown));
                }
            }
            // There is no connection in front, and only one thing is waited for at a time.
            NetCommand::Connect(_)
            | NetCommand::Reconnect
            | NetCommand::HalfClose
            | NetCommand::StartTls(_)
            | NetCommand::Close
            | NetCommand::Reset
            | NetCommand::Listen(_)
            | NetCommand::Tap(..) => self.shared.publish(|_| {}),
        }
    }

    fn forward(&self, id: ConnectionId, command: PeerCommand) {
        let is_send = matches!(command, PeerCommand::Send(..));
        let command = NetCommand::Peers(vec![id], command);
        let sent = self
            .inboxes
            .get(&id)
            .is_some_and(|inbox| inbox.try_send(command).is_ok());
        if is_send && !sent {
            self.shared.handled(Fate::Refused);
        }
    }

    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Arrived(arrivals) => {
                self.tell_turned_away();
                for arrival in arrivals {
                    self.arrived(arrival);
                }
            }
            Happened::TurnedAway(from) => {
                self.turned_away += 1;
                if self.turned_away == 1 {
                    let who = from.map_or_else(String::new, |from| format!(" of {from}"));
                    self.error(format!(
                        "a connection{who} was closed at once: too many open files; close peers, or raise `ulimit -n`"
                    ));
                }
                self.make_room();
                self.not_before = Some(Instant::now() + PAUSE);
            }
            Happened::Failed(error) => self.failed(&error),
        }
    }

    /// accept(2): errors of the network that a connection had before it was accepted are no errors of the socket.
    fn failed(&mut self, error: &io::Error) {
        self.error(format!("a connection was not accepted: {}", words::plain(error)));
        self.not_before = Some(Instant::now() + PAUSE);
    }

    /// Ends the peer that ended its own side longest ago: it holds a descriptor that another one needs.
    fn make_room(&mut self) {
        let is_done =
            |link: &&Link| link.state == LinkState::HalfClosed && link.first_fin == Some(Side::Peer);
        let done = self
            .shared
            .report(|news| news.peers.live().find(is_done).map(|link| link.id));
        if let Some(id) = done {
            self.forward(id, PeerCommand::Close);
        }
    }

    fn tell_turned_away(&mut self) {
        let more = std::mem::take(&mut self.turned_away).saturating_sub(1);
        if more > 0 {
            let count = format::count(more);
            self.error(format!(
                "{count} more connections were closed at once for want of descriptors"
            ));
        }
    }

    fn go_on(&mut self) {
        self.not_before = None;
        self.journal.retry(self.shared.clock.now());
        for arrival in std::mem::take(&mut self.waiting) {
            self.arrived(arrival);
        }
    }

    fn arrived(&mut self, mut arrival: Arrival) {
        let started = self.shared.clock.now();
        let (endpoint, role) = match &self.target {
            Some(target) => (target, Role::Tap),
            None => (&self.endpoint, Role::Server),
        };
        let journal = match announce(self.shared, endpoint, started, role) {
            Ok(journal) => journal,
            Err(Refusal::ForNow(error)) => {
                self.shared
                    .publish(|news| news.recorder = paused(self.shared, &error));
                self.waiting.push(arrival);
                self.not_before = Some(Instant::now() + RETRY);
                return;
            }
            Err(Refusal::ForGood(error, _)) => {
                self.shared.publish(|news| {
                    news.recorder = RecorderState::Stopped {
                        reason: error.to_string(),
                    };
                });
                return self.stop_listening(Some(error.to_string()));
            }
        };
        let id = journal.connection();
        if let Endpoint::Unix(address) = &self.endpoint {
            (arrival.local, arrival.remote) = accept::stand_ins(address, id);
        }
        let mut link = Link::new(id, endpoint.clone(), started);
        link.role = role;
        link.state = LinkState::Connecting;
        link.who.clone_from(&arrival.who);
        let state = self.shared.recorder_state(id, journal.state());
        self.shared.publish(|news| {
            news.peers.push(link);
            news.recorder = state;
            if let Some(listening) = &mut news.listening {
                listening.accepted += 1;
            }
        });
        let (sender, inbox) = mpsc::channel(INBOX);
        self.inboxes.insert(id, sender);
        let whom = serve::Whom {
            endpoint: self.endpoint.clone(),
            target: self.target.clone(),
            acceptor: Rc::clone(&self.acceptor),
        };
        let served = serve::peer(self.shared, journal, arrival, whom, inbox);
        self.peers.push(Box::pin(async move { (id, served.await) }));
    }

    fn served(&mut self, id: ConnectionId, after: &After) {
        self.inboxes.remove(&id);
        self.shared.forget(id);
        if *after == After::Full {
            let reason = self
                .shared
                .report(|news| news.peers.get(id).and_then(|link| link.reason.clone()));
            self.stop_listening(reason);
        }
    }

    /// Whoever is served stays; nobody else can come.
    fn stop_listening(&mut self, reason: Option<String>) {
        self.waiting.clear();
        if self.listeners.is_empty() {
            return;
        }
        self.listeners.clear();
        self.name = None;
        self.tell_turned_away();
        let at = self.shared.clock.now();
        let text = match &reason {
            Some(reason) => format!("stopped listening: {reason}"),
            None => "stopped listening".to_owned(),
        };
        self.journal.event(at, EntryKind::Note { text });
        self.shared.publish(|news| {
            if let Some(listening) = &mut news.listening {
                listening.state = if reason.is_some() {
                    LinkState::Failed
                } else {
                    LinkState::Closed
                };
                listening.ended = Some(at);
                listening.reason = reason;
            }
        });
    }

    fn error(&mut self, text: String) {
        let errno = None;
        self.journal
            .event(self.shared.clock.now(), EntryKind::Error { text, errno });
        self.shared.publish(|_| {});
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}
