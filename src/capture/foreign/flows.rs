//! The conversations under way: who is the client, which packets belong together, and how many are remembered.
//!
//! Deliberately absent: telling interfaces and VLANs apart. A packet that was captured twice on its way is one
//! retransmission more.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;

use super::decode::{Header, Kind, Transport};
use super::flow::{self, Output, Tcp, event};
use super::item::{Item, Summary};
use super::tcp::{Bytes, LATEST};
use crate::model::{ConnectionId, Direction, EntryKind, Protocol, Side, Timestamp};

/// Conversations that are remembered: some 300 bytes each. With one more, one that has long been quiet is
/// forgotten; should it go on, it becomes another conversation.
const MOST: usize = 128 << 10;

/// Segments behind gaps that all connections together may keep: 32 bytes each.
const MOST_PENDING: usize = 1 << 20;

/// Conversations that may be over and not yet in the list.
const MOST_DEPARTED: usize = 8 << 10;

/// Both ends, the lower address first, so that both directions have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    protocol: Protocol,
    low: SocketAddr,
    high: SocketAddr,
}

#[derive(Debug)]
struct Flow {
    key: Key,
    summary: Summary,
    /// `None` for UDP, which has no state, and so needs no room for one.
    tcp: Option<Box<Tcp>>,
    standing: Standing,
    written: Written,
    /// The time with which it stands in the queue of those that are doubtful, or were.
    watched: Option<Timestamp>,
}

/// Whether a conversation may be forgotten (the clock algorithm).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Recent,
    Quiet,
}

/// Whether the list of conversations has its latest figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Yes,
    NotYet,
}

/// What happened to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It carried something new, or nothing.
    Taken,
    /// All its bytes had been there before.
    Repeated,
}

/// The conversations under way.
#[derive(Debug, Default)]
pub(super) struct Flows {
    places: HashMap<Key, u32>,
    all: Vec<Flow>,
    hand: usize,
    latest: Option<(Key, u32)>,
    pending: usize,
    /// How many connections are doubtful.
    doubtful: usize,
    /// Places of connections that became doubtful, the one first that is so for longest; some of them are so no more, or
    /// only since later.
    doubts: BinaryHeap<Reverse<(Timestamp, u32)>>,
    count: u64,
    forgotten: u64,
    /// Places of those that the list has not the latest figures of.
    changed: Vec<u32>,
    /// Those that were forgotten before they were written.
    departed: Vec<Summary>,
}

impl Flows {
    /// How many conversations there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How many were forgotten while they were still open.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether so many are over that it is time to ask for the changes.
    pub(super) fn is_full(&self) -> bool {
        self.departed.len() >= MOST_DEPARTED
    }

    /// Whether nothing is held back that would have to stand before what is ready.
    pub(super) fn is_certain(&self) -> bool {
        self.doubtful == 0
    }

    /// Takes a packet in; what entries come of it is ready in `out`.
    pub(super) fn take(&mut self, packet: &Transport, bytes: Bytes, at: Timestamp, out: &mut Output) -> Fate {
        self.lose_before(at, out);
        let key = key(packet);
        let place = match (self.find(key), packet.kind) {
            (Some(place), Kind::Tcp(header)) if self.is_another(place, packet, &header) => {
                let fresh = self.fresh(key, packet, at);
                self.replace(place as usize, fresh, packet, out)
            }
            (Some(place), _) => place,
            (None, _) => self.begin(key, packet, at, out),
        };
        self.latest = Some((key, place));
        let Some(flow) = self.all.get_mut(place as usize) else {
            unreachable!("places are never removed")
        };
        flow.standing = Standing::Recent;
        let from = flow.side(packet.from);
        let mut fate = Fate::Taken;
        match (&mut flow.tcp, packet.kind) {
            (Some(tcp), Kind::Tcp(header)) => {
                let (before, was_doubtful) = (tcp.pending(), tcp.doubtful_since().is_some());
                if tcp.take(&flow.summary, from, &header, bytes, at, out) {
                    fate = Fate::Repeated;
                }
                self.pending = self.pending + tcp.pending() - before;
                if self.pending > MOST_PENDING {
                    self.pending -= tcp.pending();
                    tcp.flush(out);
                }
                let since = tcp.doubtful_since();
                self.doubtful = self.doubtful + usize::from(since.is_some()) - usize::from(was_doubtful);
                if let (Some(since), None) = (since, flow.watched) {
                    flow.watched = Some(since);
                    self.doubts.push(Reverse((since, place)));
                }
            }
            (Some(_) | None, _) => flow::datagram(from, bytes, at, out),
        }
        if flow.settle(out) == Written::Yes {
            self.changed.push(place);
        }
        fate
    }

    /// Nothing more comes: what waits behind gaps is ready in `out`.
    pub(super) fn flush(&mut self, out: &mut Output) {
        if self.pending == 0 && self.doubtful == 0 {
            return;
        }
        for (place, flow) in self.all.iter_mut().enumerate() {
            let waits = |tcp: &&mut Box<Tcp>| tcp.pending() > 0 || tcp.doubtful_since().is_some();
            flow.watched = None;
            if let Some(tcp) = flow.tcp.as_mut().filter(waits) {
                tcp.flush(out);
                if flow.settle(out) == Written::Yes {
                    self.changed.push(place as u32);
                }
            }
        }
        self.pending = 0;
        self.doubtful = 0;
        self.doubts.clear();
    }

    /// Ends the doubts that began too long before `now`.
    fn lose_before(&mut self, now: Timestamp, out: &mut Output) {
        let is_over = |since: Timestamp| now.0.saturating_sub(since.0) >= LATEST;
        while let Some(Reverse((since, place))) = self.doubts.peek().copied() {
            if !is_over(since) {
                return;
            }
            self.doubts.pop();
            let Some(flow) = self.all.get_mut(place as usize) else {
                continue;
            };
            // It may stand for one that was forgotten since.
            if flow.watched != Some(since) {
                continue;
            }
            flow.watched = flow.tcp.as_ref().and_then(|tcp| tcp.doubtful_since());
            match (flow.watched, &mut flow.tcp) {
                (Some(since), Some(tcp)) if is_over(since) => {
                    let before = tcp.pending();
                    tcp.lose(out);
                    self.pending = self.pending + tcp.pending() - before;
                    self.doubtful -= 1;
                    flow.watched = None;
                    if flow.settle(out) == Written::Yes {
                        self.changed.push(place);
                    }
                }
                (Some(since), _) => self.doubts.push(Reverse((since, place))),
                (None, _) => {}
            }
        }
    }

    /// The conversations whose figures have changed since the last call.
    pub(super) fn changes(&mut self) -> Vec<Summary> {
        let mut changes = std::mem::take(&mut self.departed);
        for place in self.changed.drain(..) {
            if let Some(flow) = self.all.get_mut(place as usize)
                && flow.written == Written::NotYet
            {
                flow.written = Written::Yes;
                changes.push(flow.summary);
            }
        }
        changes
    }

    fn find(&self, key: Key) -> Option<u32> {
        match self.latest {
            Some((latest, place)) if latest == key => Some(place),
            Some(_) | None => self.places.get(&key).copied(),
        }
    }

    fn is_another(&self, place: u32, packet: &Transport, header: &Header) -> bool {
        self.all.get(place as usize).is_some_and(|flow| {
            let from = flow.side(packet.from);
            flow.tcp.as_ref().is_some_and(|tcp| tcp.is_another(from, header))
        })
    }

    fn begin(&mut self, key: Key, packet: &Transport, at: Timestamp, out: &mut Output) -> u32 {
        let fresh = self.fresh(key, packet, at);
        let place = if self.all.len() < MOST {
            let place = self.all.len();
            self.all.push(fresh);
            introduce(packet, at, out);
            self.changed.push(place as u32);
            place as u32
        } else {
            let place = self.quiet();
            let old = &self.all[place];
            self.forgotten += u64::from(old.tcp.as_ref().is_some_and(|tcp| !tcp.is_over()));
            self.places.remove(&old.key);
            self.replace(place, fresh, packet, out)
        };
        self.places.insert(key, place);
        place
    }

    /// Puts `fresh` in the place of a conversation that is over or long quiet.
    fn replace(&mut self, place: usize, fresh: Flow, packet: &Transport, out: &mut Output) -> u32 {
        let at = fresh.summary.started;
        let mut old = std::mem::replace(&mut self.all[place], fresh);
        if let Some(tcp) = &mut old.tcp {
            self.pending -= tcp.pending();
            self.doubtful -= usize::from(tcp.doubtful_since().is_some());
            tcp.flush(out);
        }
        old.settle(out);
        self.departed.push(old.summary);
        if self.doubts.len() > 2 * MOST {
            let all = &self.all;
            self.doubts.retain(|Reverse((since, place))| {
                all.get(*place as usize)
                    .is_some_and(|flow| flow.watched == Some(*since))
            });
        }
        introduce(packet, at, out);
        // It may be named already, for the old one; a place that is named twice is written once.
        self.changed.push(place as u32);
        place as u32
    }

    /// The place of a conversation that can be forgotten.
    fn quiet(&mut self) -> usize {
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.all.len().max(1);
            let flow = &mut self.all[place];
            if flow.standing == Standing::Quiet || flow.tcp.as_ref().is_some_and(|tcp| tcp.is_over()) {
                return place;
            }
            flow.standing = Standing::Quiet;
        }
    }

    fn fresh(&mut self, key: Key, packet: &Transport, at: Timestamp) -> Flow {
        let id = ConnectionId(u32::try_from(self.count).unwrap_or(u32::MAX));
        self.count += 1;
        let (client, server) = roles(packet);
        Flow {
            key,
            summary: Summary {
                id,
                protocol: key.protocol,
                client,
                server,
                started: at,
                entries: 0,
                sent: 0,
                received: 0,
            },
            tcp: match packet.kind {
                Kind::Tcp(header) => Some(Box::new(Tcp::new(&header))),
                Kind::Udp => None,
            },
            standing: Standing::Recent,
            written: Written::NotYet,
            watched: None,
        }
    }
}

impl Flow {
    fn side(&self, from: SocketAddr) -> Side {
        if from == self.summary.client {
            Side::Local
        } else {
            Side::Peer
        }
    }

    /// Counts the entries at hand and makes them ready. Returns whether the list had the latest figures before.
    fn settle(&mut self, out: &mut Output) -> Written {
        let Output { items, ready, .. } = out;
        if items.is_empty() {
            return Written::NotYet;
        }
        self.summary.entries += items.len() as u64;
        for item in items.drain(..) {
            match &item {
                Item::Data {
                    direction: Direction::Sent,
                    len,
                    ..
                } => self.summary.sent += u64::from(*len),
                Item::Data {
                    direction: Direction::Received,
                    len,
                    ..
                } => self.summary.received += u64::from(*len),
                Item::Event { .. } => {}
            }
            ready.push((self.summary.id, item));
        }
        std::mem::replace(&mut self.written, Written::NotYet)
    }
}

fn key(packet: &Transport) -> Key {
    let protocol = match packet.kind {
        Kind::Tcp(_) => Protocol::Tcp,
        Kind::Udp => Protocol::Udp,
    };
    Key {
        protocol,
        low: packet.from.min(packet.to),
        high: packet.from.max(packet.to),
    }
}

/// Client and server: the SYN tells; without it the higher port is the client's, since ephemeral ports are high
/// (RFC 6335 §6); with equal ports, whoever speaks first.
fn roles(packet: &Transport) -> (SocketAddr, SocketAddr) {
    let swapped = match packet.kind {
        Kind::Tcp(Header { syn: true, ack, .. }) => ack.is_some(),
        Kind::Tcp(_) | Kind::Udp => packet.to.port() > packet.from.port(),
    };
    if swapped {
        (packet.to, packet.from)
    } else {
        (packet.from, packet.to)
    }
}

/// Says how client and server were told apart, where no SYN did.
fn introduce(packet: &Transport, at: Timestamp, out: &mut Output) {
    match packet.kind {
        Kind::Tcp(Header { syn: false, .. }) => {
            out.items.push(event(EntryKind::Note { text: guess(packet) }, at));
        }
        Kind::Tcp(_) | Kind::Udp => {}
    }
}

fn guess(packet: &Transport) -> String {
    let (client, server) = roles(packet);
    let why = if client.port() == server.port() {
        "it is the first to speak"
    } else {
        "its port is the higher one"
    };
    format!("the opening was not captured; {client} is taken for the client, because {why}")
}
