//! One connection of a session as the recorder takes it: bytes and events, in the order in which they happened.
//!
//! Deliberately absent: deciding what happened. What is said here is written down; what TCP has a packet for
//! becomes one.

mod frames;

use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::block::{self, LONGEST_TEXT};
use super::happened::Happened;
use super::index::Tails;
use super::recorder::{Carries, Filed, Mark, Recorder};
use super::stream::Stream;
use super::{CaptureError, fact, plaintext};
use crate::model::{
    ConnectionId, Direction, Endpoint, EntryId, EntryKind, Protocol, Role, Stamped, Timestamp,
};

/// The most bytes that one entry holds: what fits an IPv4 packet beside its headers.
pub const MAX_PAYLOAD: usize = 65_495;

/// The most bytes that one datagram holds: over IPv6 what its length can say, over IPv4 20 fewer.
pub const MAX_DATAGRAM: usize = 65_527;

/// What a file is told of a connection before anything else.
#[derive(Debug)]
pub(super) struct Origin {
    /// Its number.
    pub(super) id: ConnectionId,
    /// When dialing started.
    pub(super) started: Timestamp,
    name: String,
    /// The same after an upgrade to TLS.
    decrypted: String,
    /// What this program is to it.
    pub(super) role: Role,
    /// Whether it is a stream of bytes, or datagrams.
    protocol: Protocol,
}

impl Origin {
    pub(super) fn new(id: ConnectionId, started: Timestamp, endpoint: &Endpoint, role: Role) -> Origin {
        Origin {
            id,
            started,
            name: endpoint.to_string(),
            decrypted: plaintext::name(endpoint),
            role,
            protocol: match endpoint {
                Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Unix(_) => Protocol::Tcp,
                Endpoint::Udp(_) => Protocol::Udp,
            },
        }
    }

    /// Its interface description block; `goes_on` is the number of the interface in that file that the part before an
    /// upgrade to TLS has.
    pub(super) fn block(&self, told: Told, goes_on: Option<u32>) -> Vec<u8> {
        let name = self.name(told.part);
        let description = match told.part {
            Part::Whole => self.role.name().to_owned(),
            Part::Decrypted(_) => decrypted(self.role),
        };
        block::interface(&block::Interface {
            name,
            description: &description,
            started: self.started,
            addresses: told.addresses,
            goes_on,
        })
    }

    fn name(&self, part: Part) -> &str {
        match part {
            Part::Whole => &self.name,
            Part::Decrypted(_) => &self.decrypted,
        }
    }
}

/// What this program is to a connection after an upgrade to TLS, as `if_description` has it.
pub(super) fn decrypted(role: Role) -> String {
    format!("{}, decrypted after an upgrade to TLS", role.name())
}

/// Which part of a connection entries belong to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Part {
    /// All of it, or what came before an upgrade to TLS.
    #[default]
    Whole,
    /// What was decrypted after one. The part before is filed there.
    Decrypted(Option<Filed>),
}

/// What a file has to be told of a connection before its entries, if it has no interface for them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// Who talks to whom, if an earlier file has the entry that tells it.
    pub(super) addresses: Option<(SocketAddr, SocketAddr)>,
    /// Of which part the entries are.
    pub(super) part: Part,
}

impl Told {
    /// Where the part before an upgrade to TLS is filed.
    pub(super) fn earlier(self) -> Option<Filed> {
        match self.part {
            Part::Whole => None,
            Part::Decrypted(earlier) => earlier,
        }
    }
}

/// Records one connection. Clones share it.
///
/// Every call appends one entry, whole or not at all: after an error nothing of it is in the file, and the
/// same call can be made again.
#[derive(Clone, Debug)]
pub struct Connection {
    recorder: Recorder,
    origin: Arc<Origin>,
    flow: Arc<Mutex<Flow>>,
}

/// What the connection's next packet has to know.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// The synthetic TCP connection, once the addresses are known.
    stream: Option<Stream>,
    /// Who talks to whom, once that is recorded, and of which part of the connection.
    told: Told,
    tails: Tails,
    /// Where the file, or the last one of a ring, was told of it.
    filed: Option<Filed>,
}

impl Flow {
    /// The number of its interface in that file; some number before that.
    fn interface(&self) -> u32 {
        self.filed.map_or(0, |filed| filed.interface)
    }
}

impl Connection {
    pub(super) fn new(recorder: Recorder, origin: Origin, filed: Option<Filed>) -> Connection {
        Connection {
            recorder,
            origin: Arc::new(origin),
            flow: Arc::new(Mutex::new(Flow {
                filed,
                ..Flow::default()
            })),
        }
    }

    /// Its number in the session.
    pub fn id(&self) -> ConnectionId {
        self.origin.id
    }

    /// Records what one read returned or one write took: 1 to [`MAX_PAYLOAD`] bytes of an open connection, or a datagram
    /// of up to [`MAX_DATAGRAM`]. More are refused rather than split, because an entry is one read or one write.
    pub fn data(&self, at: Timestamp, direction: Direction, bytes: &[u8]) -> Result<EntryId, CaptureError> {
        self.record_data(at, direction, bytes, None)
    }

    /// Records an event. `EntryKind::Data` has bytes and is refused here.
    pub fn event(&self, at: Timestamp, kind: &EntryKind) -> Result<EntryId, CaptureError> {
        let json = fact::to_json(kind).ok_or(CaptureError::Empty)?;
        if json.len() > LONGEST_TEXT {
            return Err(CaptureError::TooLong(json.len()));
        }
        let mut flow = self.flow();
        let mut next = *flow;
        let upgrade = Happened::is_upgrade(kind, flow.stream.is_some());
        if upgrade {
            next.told.part = Part::Decrypted(flow.filed);
            next.filed = None;
        }
        let happened = Happened {
            connection: self.id(),
            interface: flow.interface(),
            name: self.origin.name(next.told.part),
            role: self.origin.role,
            at,
            kind,
        };
        let mut blocks = match self.origin.protocol {
            Protocol::Tcp => happened.packets(&mut next.stream, &json, &[]),
            // No packet says that datagrams may follow, or that none will.
            Protocol::Udp => Vec::new(),
        };
        if let EntryKind::Open { local, remote } = kind {
            next.told.addresses = Some((*local, *remote));
        }
        let carries = carried(kind, &blocks, &json);
        let mut writer = self.recorder.writer();
        if blocks.is_empty() || upgrade {
            blocks.extend(block::annotation(writer.next(), flow.interface(), at, &json));
        }
        let told = Told {
            addresses: flow.told.addresses,
            part: next.told.part,
        };
        let place = writer.place(&self.origin, next.filed, told, blocks.len(), at)?;
        if place.filed.interface != flow.interface() {
            block::put_under(place.filed.interface, &mut blocks);
        }
        let mark = self.mark(0, flow.tails, carries);
        let id = writer.append(&place, &mut [IoSlice::new(&blocks)], &[mark])?;
        next.filed = Some(place.filed);
        *flow = next;
        Ok(id)
    }

    /// Records `len` sent bytes as as many asterisks, and a note that says so as the entry after them.
    pub fn masked(&self, at: Timestamp, len: usize) -> Result<EntryId, CaptureError> {
        self.remarked(at, Direction::Sent, &asterisks(len)?, &mask(len))
    }

    /// Records bytes that neither side of a relay sent, but this program in its name, and a note that says so as the entry
    /// after them.
    pub fn injected(
        &self,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
    ) -> Result<EntryId, CaptureError> {
        self.remarked(at, direction, bytes, &injection(direction, bytes.len()))
    }

    /// The same, with asterisks in place of the bytes.
    pub fn injected_masked(
        &self,
        at: Timestamp,
        direction: Direction,
        len: usize,
    ) -> Result<EntryId, CaptureError> {
        let remark = format!("{}; {}", injection(direction, len), mask(len));
        self.remarked(at, direction, &asterisks(len)?, &remark)
    }

    fn remarked(
        &self,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
        remark: &str,
    ) -> Result<EntryId, CaptureError> {
        let text = remark.to_owned();
        self.record_data(at, direction, bytes, Some(EntryKind::Note { text }))
    }

    /// Keeps the kernel's time stamps of entries that were recorded. An entry that is not kept any more has none.
    pub fn stamp(&self, stamped: Vec<Stamped>) -> Result<(), CaptureError> {
        self.recorder.stamp(stamped)
    }

    /// Records that `bytes` bytes crossed and are missing here.
    pub fn gap(&self, at: Timestamp, direction: Direction, bytes: u64) -> Result<EntryId, CaptureError> {
        self.event(at, &EntryKind::Gap { direction, bytes })
    }

    fn record_data(
        &self,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
        remark: Option<EntryKind>,
    ) -> Result<EntryId, CaptureError> {
        let mut flow = self.flow();
        // It stays empty, and so unallocated, for all but a few entries.
        let (mut frame, mut overdue, stream) = match self.origin.protocol {
            Protocol::Tcp => frames::segment(*flow, at, direction, bytes)?,
            Protocol::Udp => (
                frames::datagram(*flow, at, direction, bytes)?,
                Vec::new(),
                flow.stream,
            ),
        };
        let mut tails = flow.tails;
        tails.push(direction, bytes);

        let mut writer = self.recorder.writer();
        let next = EntryId(writer.next().0.saturating_add(1));
        let json = remark.and_then(|kind| fact::to_json(&kind));
        let note = json.map(|json| block::annotation(next, flow.interface(), at, &json));
        let mut note = note.unwrap_or_default();
        let before_note = overdue.len() + frame.head().len() + bytes.len() + frame.tail().len();
        let len = before_note + note.len();
        let place = writer.place(&self.origin, flow.filed, flow.told, len, at)?;
        let interface = place.filed.interface;
        if interface != flow.interface() {
            frame.put_under(interface);
            block::put_under(interface, &mut overdue);
            block::put_under(interface, &mut note);
        }
        let marks = [
            self.mark(0, flow.tails, Carries::Bytes(direction, bytes.len() as u64)),
            self.mark(before_note as u64, tails, Carries::Nothing),
        ];
        let marks = if note.is_empty() { &marks[..1] } else { &marks[..] };
        let mut parts = [&overdue, frame.head(), bytes, frame.tail(), &note].map(IoSlice::new);
        let id = writer.append(&place, &mut parts, marks)?;
        *flow = Flow {
            stream,
            told: flow.told,
            tails,
            filed: Some(place.filed),
        };
        Ok(id)
    }

    fn mark(&self, offset: u64, tails: Tails, carries: Carries) -> Mark {
        Mark {
            offset,
            connection: self.id(),
            tails,
            carries,
        }
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        // It is replaced as a whole, after the write: no panic leaves it half-way.
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn asterisks(len: usize) -> Result<Vec<u8>, CaptureError> {
    if len > MAX_DATAGRAM {
        return Err(CaptureError::TooLong(len));
    }
    Ok(vec![b'*'; len])
}

fn mask(len: usize) -> String {
    format!("the {len} bytes sent before this are hidden; asterisks stand for them")
}

fn injection(direction: Direction, len: usize) -> String {
    let (to, from) = match direction {
        Direction::Sent => ("server", "application"),
        Direction::Received => ("application", "server"),
    };
    format!("injected: you sent the {len} bytes before this to the {to}, not the {from}")
}

/// What an event carries whose packets are `blocks` and whose text is `json`.
fn carried(kind: &EntryKind, blocks: &[u8], json: &[u8]) -> Carries {
    match kind {
        EntryKind::Open { .. } => {
            let in_packet = block::text_in_last(blocks, json.len());
            let offset = in_packet.unwrap_or(block::ANNOTATION_HEADER as u64);
            Carries::Addresses(offset, json.len() as u32)
        }
        EntryKind::Data { .. }
        | EntryKind::Lookup(_)
        | EntryKind::Attempt(_)
        | EntryKind::Tls(_)
        | EntryKind::HalfClose { .. }
        | EntryKind::Close(_)
        | EntryKind::Error { .. }
        | EntryKind::Gap { .. }
        | EntryKind::Note { .. } => Carries::Nothing,
    }
}
