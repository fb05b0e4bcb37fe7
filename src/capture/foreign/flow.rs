//! One conversation: what its packets mean as entries of a log.

use std::net::SocketAddr;
use std::time::Duration;

use nix::errno::Errno;

use super::decode::Header;
use super::hold::Hold;
use super::item::{Item, Summary};
use super::tcp::{Bytes, Delivery, Half, Segment};
use crate::model::{
    Attempt, AttemptOutcome, ConnectionId, Direction, End, EndHow, EntryKind, Protocol, Side, Timestamp,
};

/// Bytes by which a SYN may come late in a capture that was begun or reordered within the opening.
const LATE: u32 = 1 << 20;

/// How far a TCP connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The client sent SYN.
    Asked,
    /// Both directions are open.
    Open,
    /// This side has sent FIN.
    HalfClosed(Side),
    /// It is over.
    Closed,
}

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Tcp {
    stage: Stage,
    client: Half,
    server: Half,
    /// What waits until it is known whether bytes before it are missing.
    hold: Hold,
    /// The initial sequence numbers, where the SYN was seen.
    client_initial: Option<u32>,
    server_initial: Option<u32>,
    /// That of a second answer to the same SYN, until the client acknowledges one of them.
    rival: Option<u32>,
}

/// Entries to be, and the buffers on the way there, which all conversations share.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Those of the conversation at hand.
    pub(super) items: Vec<Item>,
    /// Those that are done, each with its conversation.
    pub(super) ready: Vec<(ConnectionId, Item)>,
    deliveries: Vec<Delivery>,
}

impl Tcp {
    /// A connection whose first packet was just captured.
    pub(super) fn new(header: &Header) -> Tcp {
        Tcp {
            stage: if header.syn { Stage::Asked } else { Stage::Open },
            client: Half::default(),
            server: Half::default(),
            hold: Hold::default(),
            client_initial: None,
            server_initial: None,
            rival: None,
        }
    }

    /// Whether it is over, so that its memory is better used for another.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// How many segments wait for one before them, or for what is to be told before them.
    pub(super) fn pending(&self) -> usize {
        self.client.pending() + self.server.pending() + self.hold.len()
    }

    /// Since when one side has got bytes that may still be captured, so that nothing later of the connection can be told.
    pub(super) fn doubtful_since(&self) -> Option<Timestamp> {
        let sides = [self.client.doubtful_since(), self.server.doubtful_since()];
        sides.into_iter().flatten().min()
    }

    /// What is missing on either side counts as lost.
    pub(super) fn lose(&mut self, out: &mut Output) {
        for side in [Side::Local, Side::Peer] {
            self.half(side).lose(&mut out.deliveries);
            self.hold.add(side, out.deliveries.drain(..));
        }
        self.release(out);
    }

    /// Whether a SYN opens another connection between the same addresses and ports.
    pub(super) fn is_another(&self, from: Side, header: &Header) -> bool {
        if !header.syn {
            return false;
        }
        let (half, initial) = match from {
            Side::Local => (&self.client, self.client_initial),
            Side::Peer => (&self.server, self.server_initial),
        };
        if header.ack.is_some_and(|ack| self.answers(from, ack)) {
            return false;
        }
        match (initial, half.next()) {
            (Some(initial), _) => header.seq != initial,
            // Its SYN may come after its first bytes if the capture was reordered.
            (None, Some(next)) => {
                self.is_over() || next.wrapping_sub(header.seq.wrapping_add(1)) > LATE && header.ack.is_none()
            }
            (None, None) => self.is_over(),
        }
    }

    /// Whether an acknowledgement in a SYN/ACK of that side answers this connection's SYN. One that does belongs to it,
    /// also after a reset that somebody put in between, or with another sequence number than the first, as from a
    /// proxy that answers every SYN anew.
    fn answers(&self, from: Side, ack: u32) -> bool {
        let (initial, half) = match from {
            Side::Local => (self.server_initial, &self.server),
            Side::Peer => (self.client_initial, &self.client),
        };
        match initial {
            Some(initial) => ack == initial.wrapping_add(1),
            // The SYN itself was not captured, but an answer to it was, and nothing since.
            None => self.stage == Stage::Open && half.next() == Some(ack),
        }
    }

    /// Takes a packet in, and adds its entries to `out`. Returns whether its bytes had all been there before.
    pub(super) fn take(
        &mut self,
        summary: &Summary,
        from: Side,
        header: &Header,
        bytes: Bytes,
        at: Timestamp,
        out: &mut Output,
    ) -> bool {
        if header.syn {
            self.synchronize(summary, from, header, at, out);
        } else if self.stage == Stage::Asked && header.ack.is_some() && !header.rst {
            self.open(summary, at, out);
        }
        if let Some(ack) = header.ack {
            let to = other(from);
            if from == Side::Local && !header.syn {
                self.choose(ack);
            }
            self.half(to).acknowledge(ack, at, &mut out.deliveries);
            self.deliver(to, out);
        }
        let segment = Segment {
            seq: header.seq.wrapping_add(u32::from(header.syn)),
            bytes,
            fin: header.fin,
            at,
        };
        // A reset may carry bytes (RFC 9293 §3.5.3): mostly a text that says why.
        let old = self.half(from).take(&segment, &mut out.deliveries);
        self.deliver(from, out);
        if header.rst {
            self.reset(summary, from, at, out);
        }
        old
    }

    /// The client acknowledges one of two answers to its SYN.
    fn choose(&mut self, ack: u32) {
        if let Some(rival) = self.rival.take()
            && ack == rival.wrapping_add(1)
        {
            self.server.restart(rival);
        }
    }

    /// Nothing more comes: what waits is given out, with the gaps before it.
    pub(super) fn flush(&mut self, out: &mut Output) {
        for side in [Side::Local, Side::Peer] {
            self.half(side).flush(&mut out.deliveries);
            self.hold.add(side, out.deliveries.drain(..));
        }
        self.release(out);
    }

    fn synchronize(
        &mut self,
        summary: &Summary,
        from: Side,
        header: &Header,
        at: Timestamp,
        out: &mut Output,
    ) {
        let initial = match from {
            Side::Local => &mut self.client_initial,
            Side::Peer => &mut self.server_initial,
        };
        let seen = initial.is_some();
        let first = *initial.get_or_insert(header.seq);
        if first != header.seq && from == Side::Peer {
            self.rival = Some(header.seq);
        }
        if !seen {
            self.half(from).synchronize(header.seq);
        }
        if seen || !matches!(self.stage, Stage::Asked | Stage::Closed) {
            return;
        }
        match header.ack {
            Some(ack) => {
                self.half(other(from)).synchronize(ack.wrapping_sub(1));
                self.open(summary, at, out);
            }
            None => out.items.push(attempt(
                summary.server,
                AttemptOutcome::Started,
                Duration::ZERO,
                at,
            )),
        }
    }

    fn open(&mut self, summary: &Summary, at: Timestamp, out: &mut Output) {
        self.stage = Stage::Open;
        let (local, remote) = (summary.client, summary.server);
        out.items.push(event(EntryKind::Open { local, remote }, at));
    }

    fn reset(&mut self, summary: &Summary, by: Side, at: Timestamp, out: &mut Output) {
        self.flush(out);
        match self.stage {
            Stage::Asked => {
                let refused = Errno::ECONNREFUSED;
                let outcome = AttemptOutcome::Failed {
                    errno: refused as i32,
                    text: refused.desc().to_owned(),
                };
                out.items
                    .push(attempt(summary.server, outcome, at.since(summary.started), at));
            }
            Stage::Open | Stage::HalfClosed(_) => out.items.push(close(by, EndHow::Rst, at)),
            Stage::Closed => {}
        }
        self.stage = Stage::Closed;
    }

    /// Tells what a side goes on with, unless that has to wait.
    fn deliver(&mut self, from: Side, out: &mut Output) {
        let since = self.doubtful_since();
        if self.hold.len() == 0 && since.is_none() {
            let mut deliveries = std::mem::take(&mut out.deliveries);
            for delivery in deliveries.drain(..) {
                self.tell(from, delivery, out);
            }
            out.deliveries = deliveries;
            return;
        }
        self.hold.add(from, out.deliveries.drain(..));
        match since {
            None => self.release(out),
            Some(since) => {
                for (from, delivery) in self.hold.release_before(since) {
                    self.tell(from, delivery, out);
                }
            }
        }
        if self.hold.is_full() {
            self.lose(out);
        }
    }

    /// Tells what waited.
    fn release(&mut self, out: &mut Output) {
        for (from, delivery) in self.hold.release() {
            self.tell(from, delivery, out);
        }
    }

    fn tell(&mut self, from: Side, delivery: Delivery, out: &mut Output) {
        let direction = direction(from);
        match delivery {
            Delivery::Data {
                place,
                offset,
                len,
                at,
            } => out.items.push(Item::Data {
                direction,
                protocol: Protocol::Tcp,
                place,
                offset,
                len,
                at,
            }),
            Delivery::Gap { bytes, at } => out.items.push(event(EntryKind::Gap { direction, bytes }, at)),
            Delivery::Fin { at } => out.items.extend(self.finish(from, at)),
        }
    }

    fn finish(&mut self, by: Side, at: Timestamp) -> Option<Item> {
        match self.stage {
            Stage::Asked | Stage::Open => {
                self.stage = Stage::HalfClosed(by);
                Some(event(EntryKind::HalfClose { by }, at))
            }
            Stage::HalfClosed(first) if first != by => {
                self.stage = Stage::Closed;
                Some(close(by, EndHow::Fin, at))
            }
            Stage::HalfClosed(_) | Stage::Closed => None,
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Local => &mut self.client,
            Side::Peer => &mut self.server,
        }
    }
}

/// A datagram as entries.
pub(super) fn datagram(from: Side, bytes: Bytes, at: Timestamp, out: &mut Output) {
    let direction = direction(from);
    out.items.push(Item::Data {
        direction,
        protocol: Protocol::Udp,
        place: bytes.place,
        offset: bytes.offset,
        len: bytes.captured,
        at,
    });
    if bytes.captured < bytes.len {
        let bytes = u64::from(bytes.len - bytes.captured);
        out.items.push(event(EntryKind::Gap { direction, bytes }, at));
    }
}

pub(super) fn event(kind: EntryKind, at: Timestamp) -> Item {
    Item::Event {
        kind: Box::new(kind),
        at,
    }
}

fn attempt(remote: SocketAddr, outcome: AttemptOutcome, took: Duration, at: Timestamp) -> Item {
    let attempt = Attempt {
        remote,
        took,
        outcome,
    };
    event(EntryKind::Attempt(attempt), at)
}

fn close(by: Side, how: EndHow, at: Timestamp) -> Item {
    let end = End { by, how, errno: None };
    event(EntryKind::Close(end), at)
}

fn direction(from: Side) -> Direction {
    match from {
        Side::Local => Direction::Sent,
        Side::Peer => Direction::Received,
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Local => Side::Peer,
        Side::Peer => Side::Local,
    }
}
