//! What waits for connections, and which of those who came is in front: one of them, or all.

use std::sync::Arc;

use super::actions::{Action, Dial, Peer};
use super::{App, Context, Effect, Menu, Severity};
use crate::model::{
    ConnectionId, Direction, Link, LinkState, Listening, NetCommand, NetEvent, PeerCommand, Peers, Purpose,
    Role, Side, Verdict,
};
use crate::text::format;

impl App {
    /// Takes in the worker's report; what is in front now.
    pub(super) fn front(&mut self, news: &mut NetEvent) -> Option<Link> {
        self.listening = news.listening.take();
        self.peers = std::mem::take(&mut news.peers);
        let Some(listening) = &self.listening else {
            return news.link.take();
        };
        let chosen = self.chosen.or_else(|| only(&self.peers));
        let chosen = chosen.and_then(|id| self.peers.get(id)).cloned();
        Some(chosen.unwrap_or_else(|| everybody(listening, &self.peers)))
    }

    /// Whether what is in front stands for all who have come, or will.
    pub fn everybody(&self) -> Option<&Listening> {
        let link = self.link.as_ref()?;
        self.listening
            .as_ref()
            .filter(|listening| listening.id == link.id)
    }

    /// The connection that the kernel is asked about; `None` is the latest one.
    pub fn asked_about(&self) -> Option<ConnectionId> {
        self.listening.as_ref()?;
        self.link.as_ref().map(|link| link.id)
    }

    /// Those to whom goes what is typed: the chosen one, or all to whom something can be sent.
    pub fn recipients(&self) -> Vec<ConnectionId> {
        let open = self.peers.live().filter(|link| !self.is_shut(link));
        let meant = open.filter(|link| self.chosen.is_none_or(|chosen| chosen == link.id));
        meant.map(|link| link.id).collect()
    }

    /// Why nothing can be sent to whoever is in front of a listener.
    pub(super) fn nobody(&self) -> Option<String> {
        let listening = self.listening.as_ref()?;
        if !self.recipients().is_empty() {
            return None;
        }
        let why = match self.chosen.and_then(|id| self.peers.get(id)) {
            Some(link) if link.state.is_live() => self.shut(),
            Some(_) => "this connection is over; o lists the others",
            None if self.peers.live().next().is_some() => self.shut(),
            None if listening.state == LinkState::Listening => "nobody is connected",
            None => "nobody is connected, and nobody can come; Esc, then R listens again",
        };
        Some(format!("not sent: {why}"))
    }

    /// Whether the way of what is typed is over in a live connection: who would send it has sent FIN.
    pub(super) fn is_shut(&self, link: &Link) -> bool {
        link.state == LinkState::HalfClosed && link.first_fin == Some(self.side.other())
    }

    /// Why nothing can be sent there.
    fn shut(&self) -> &'static str {
        match self.side {
            Side::Peer | Side::Local if !self.is_tap() => self.wire().only_receives(),
            Side::Peer => "the application has sent FIN; Alt-O sends to it instead",
            Side::Local => "the server has sent FIN; Alt-O sends to it instead",
        }
    }

    /// What a request about the connection in front is, where it is one that was accepted.
    pub(super) fn to_peers(&self, command: PeerCommand) -> NetCommand {
        let live = self.peers.live();
        let meant = live.filter(|link| self.chosen.is_none_or(|chosen| chosen == link.id));
        NetCommand::Peers(meant.map(|link| link.id).collect(), command)
    }

    /// Which way what is typed goes, in a tap.
    pub fn way(&self) -> Direction {
        if self.is_tap() {
            self.side.other().direction()
        } else {
            Direction::Sent
        }
    }

    /// The ways to end what is in front.
    pub(super) fn close_menu(&self) -> Menu {
        let mut menu = Menu::close(self.state(), self.wire());
        if self.is_tap() {
            // It passes on the ends of others.
            menu.items
                .retain(|item| item.action != Action::Dial(Dial::HalfClose));
        }
        menu
    }

    /// Whether this run relays.
    pub fn is_tap(&self) -> bool {
        let listening = self.listening.as_ref();
        listening.is_some_and(|listening| listening.target.is_some())
    }

    /// What the conversations of this log are called: those who come, what this program opens or relays, or what others
    /// had with each other.
    pub fn conversations_name(&self) -> &'static str {
        match (self.purpose(), &self.listening) {
            (Purpose::Reading, _) => "conversations",
            (Purpose::Live, Some(_)) if !self.is_tap() => "peers",
            (Purpose::Live, Some(_) | None) => "connections",
        }
    }

    /// What is connected with what, as one writes it on the command line.
    pub fn subject(&self, link: &Link) -> String {
        match &self.listening {
            None => link.endpoint.to_string(),
            Some(Listening { address, target, .. }) => match target {
                None => format!("listen {address}"),
                Some(target) => format!("tap {address} {target}"),
            },
        }
    }

    /// To whom what is typed goes, in words; nothing where there is only one who can be meant.
    pub fn addressee(&self) -> Option<String> {
        let listening = self.listening.as_ref()?;
        let who = self.recipients();
        let many = match who.as_slice() {
            [] => return None,
            [one] => self.peers.get(*one).map(called),
            more => Some(format!("all {}", format::count(more.len() as u64))),
        };
        let side = listening.target.as_ref().map(|_| match self.side {
            Side::Local => "the application",
            Side::Peer => "the server",
        });
        Some(match (side, many) {
            (Some(side), Some(many)) if who.len() > 1 => format!("to {side} of {many}"),
            (Some(side), _) => format!("to {side}"),
            (None, many) => format!("to {}", many.unwrap_or_default()),
        })
    }

    pub(super) fn peer(&mut self, peer: Peer, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        if self.listening.is_none() {
            let text = "this run has one connection; sockscope listen serves many";
            return self.notify(Severity::Info, text, context);
        }
        match peer {
            Peer::Next => self.step_peer(1, context, out),
            // All the way round.
            Peer::Previous => self.step_peer(self.peers.len(), context, out),
            Peer::Choose => match argument.trim() {
                "" | "all" => self.choose(None, context, out),
                text => match text.parse().map(ConnectionId) {
                    Ok(id) if self.peers.get(id).is_some() => self.choose(Some(id), context, out),
                    Ok(_) | Err(_) => {
                        let text = format!("{text:?} is no peer: write its number, or all; o lists them");
                        self.notify(Severity::Warning, text, context);
                    }
                },
            },
            Peer::Side if !self.is_tap() => {
                self.notify(Severity::Info, "there is one side to send to: the peer", context);
            }
            Peer::Side => match argument.trim() {
                "" => self.side = self.side.other(),
                "application" => self.side = Side::Local,
                "server" => self.side = Side::Peer,
                _ => self.notify(Severity::Warning, "side takes application or server", context),
            },
        }
    }

    /// Goes so many places on in the list, in which "all" stands before the first.
    fn step_peer(&mut self, by: usize, context: &Context<'_>, out: &mut Vec<Effect>) {
        let places = self.peers.len() + 1;
        let at = self
            .chosen
            .and_then(|id| self.peers.place(id))
            .map_or(0, |place| place + 1);
        let next = (at + by) % places;
        let next = next.checked_sub(1).and_then(|place| self.peers.at(place));
        let next = next.map(|link| link.id);
        self.choose(next, context, out);
    }

    /// Puts a peer in front, or all of them: the log shows it, and input goes to it.
    pub(super) fn choose(&mut self, id: Option<ConnectionId>, context: &Context<'_>, out: &mut Vec<Effect>) {
        let before = self.chosen;
        self.chosen = id;
        if let Some(listening) = &self.listening {
            let chosen = id
                .or_else(|| only(&self.peers))
                .and_then(|id| self.peers.get(id))
                .cloned();
            self.link = Some(chosen.unwrap_or_else(|| everybody(listening, &self.peers)));
            let counted = id.and_then(|id| self.peers.get(id)).cloned();
            self.rates
                .turn_to(&counted.unwrap_or_else(|| everybody(listening, &self.peers)));
            self.renew_menu();
        }
        self.show_connection(id, before, context, out);
    }
}

/// The peer that is meant where nobody else can be.
fn only(peers: &Peers) -> Option<ConnectionId> {
    let mut live = peers.live();
    let first = live.next()?.id;
    live.next().is_none().then_some(first)
}

/// All who have come as one connection.
pub(super) fn everybody(listening: &Listening, peers: &Peers) -> Link {
    let endpoint = listening.target.as_ref().unwrap_or(listening.address.endpoint());
    let mut link = Link::new(listening.id, endpoint.clone(), listening.started);
    let [sent, received] = peers.totals();
    link.role = Role::Listener;
    link.state = listening.state;
    link.opened = listening.since;
    link.ended = listening.ended;
    (link.sent, link.received) = (sent, received);
    link.unsent = peers.live().map(|link| link.unsent).max().unwrap_or(0);
    link.reason.clone_from(&listening.reason);
    // What is used though it is not trusted is said all the time, whoever is in front.
    let ignored = |link: &Link| {
        let report = link.tls.as_ref()?;
        matches!(report.verdict, Verdict::Ignored(_)).then(|| Arc::clone(report))
    };
    link.tls = peers.live().find_map(ignored);
    link
}

/// What a peer is called.
fn called(link: &Link) -> String {
    let far = match link.role {
        Role::Tap => link.local,
        Role::Client | Role::Server | Role::Listener => link.remote,
    };
    let address = far.map(|address| address.to_string());
    address
        .or_else(|| link.who.clone())
        .unwrap_or_else(|| format!("connection {}", link.id.0))
}
