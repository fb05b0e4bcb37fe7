//! One connection of a session as the recorder takes it: bytes and events, in the order in which they happened.
//!
//! Deliberately absent: deciding what happened. What is said here is written down; what TCP has a packet for
//! becomes one.

mod frames;
mod origin;

use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use self::origin::{Origin, Part, Told, decrypted};
use super::block::{self, LONGEST_TEXT};
use super::happened::Happened;
use super::index::Tails;
use super::joined::{self, MAX_MESSAGE};
use super::packet;
use super::recorder::{Carries, Filed, Mark, Recorder};
use super::stream::Stream;
use super::{CaptureError, fact};
use crate::model::{ConnectionId, Direction, EntryId, EntryKind, Protocol, Stamped, Timestamp};

/// The most bytes that one entry holds: what fits an IPv4 packet beside its headers.
pub const MAX_PAYLOAD: usize = 65_495;

/// The most bytes that one datagram over IP holds: over IPv6 what its length can say, over IPv4 20 fewer.
pub const MAX_DATAGRAM: usize = 65_527;

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

    /// From whom and to whom what goes this way goes.
    fn ends(&self, direction: Direction) -> Result<(SocketAddr, SocketAddr), CaptureError> {
        let (local, remote) = self.told.addresses.ok_or(CaptureError::NotOpen)?;
        Ok(match direction {
            Direction::Sent => (local, remote),
            Direction::Received => (remote, local),
        })
    }

    /// Whether these bytes do not fit one packet, and what stands for a Unix socket does not mind. Datagrams of IPv6
    /// are as large as they can be.
    fn is_too_small_for(&self, bytes: &[u8]) -> bool {
        let from = self.told.addresses.map(|(local, _)| local);
        from.is_some_and(|from| from.is_ipv4() && bytes.len() > packet::largest_datagram(from))
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

    /// Records what one read returned or one write took: 1 to [`MAX_PAYLOAD`] bytes of an open connection, a datagram of
    /// up to [`MAX_DATAGRAM`], or a message of a Unix socket of up to [`MAX_MESSAGE`]. More are refused rather than split, because an entry is one read or one write.
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
        if self.origin.protocol == Protocol::Udp && flow.is_too_small_for(bytes) {
            return self.record_joined(&mut flow, at, direction, bytes, remark);
        }
        let mut framed = match self.origin.protocol {
            Protocol::Tcp => frames::segment(*flow, at, direction, bytes)?,
            Protocol::Udp => frames::datagram(*flow, at, direction, bytes)?,
        };
        let mut tails = flow.tails;
        tails.push(direction, bytes);

        let mut writer = self.recorder.writer();
        let next = EntryId(writer.next().0.saturating_add(1));
        let json = remark.and_then(|kind| fact::to_json(&kind));
        let note = json.map(|json| block::annotation(next, flow.interface(), at, &json));
        let mut note = note.unwrap_or_default();
        let before_note = framed.len() + bytes.len();
        let len = before_note + note.len();
        let place = writer.place(&self.origin, flow.filed, flow.told, len, at)?;
        let interface = place.filed.interface;
        if interface != flow.interface() {
            framed.put_under(interface);
            block::put_under(interface, &mut note);
        }
        let marks = [
            self.mark(0, flow.tails, Carries::Bytes(direction, bytes.len() as u64)),
            self.mark(before_note as u64, tails, Carries::Nothing),
        ];
        let marks = if note.is_empty() { &marks[..1] } else { &marks[..] };
        let [overdue, head, bytes, tail, confirmed] = framed.around(bytes);
        let mut parts = [overdue, head, bytes, tail, confirmed, &note].map(IoSlice::new);
        let id = writer.append(&place, &mut parts, marks)?;
        *flow = Flow {
            stream: framed.stream,
            told: flow.told,
            tails,
            filed: Some(place.filed),
        };
        Ok(id)
    }

    /// Records bytes of a stream that one read returned, as as many entries as hold them, by one write of all: files of
    /// many pages grow faster in large steps. `None` is that they do not fit the file as a whole, and nothing was written.
    pub fn data_at_once(
        &self,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
    ) -> Result<Option<EntryId>, CaptureError> {
        let mut flow = self.flow();
        let mut next = *flow;
        let mut framed = Vec::new();
        let mut marks = Vec::new();
        let mut len = 0;
        for part in bytes.chunks(MAX_PAYLOAD) {
            let segment = frames::segment(next, at, direction, part)?;
            let carries = Carries::Bytes(direction, part.len() as u64);
            marks.push(self.mark(len as u64, next.tails, carries));
            next.stream = segment.stream;
            next.tails.push(direction, part);
            len += segment.len() + part.len();
            framed.push((segment, part));
        }
        let mut writer = self.recorder.writer();
        let Some(place) = writer.place_here(&self.origin, flow.filed, flow.told, len)? else {
            return Ok(None);
        };
        let blocks = framed.iter().flat_map(|(segment, part)| segment.around(part));
        let mut blocks: Vec<IoSlice<'_>> = blocks.map(IoSlice::new).collect();
        let id = writer.append(&place, &mut blocks, &marks)?;
        *flow = next;
        Ok(Some(id))
    }

    /// The same for a message that no packet holds.
    fn record_joined(
        &self,
        flow: &mut Flow,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
        remark: Option<EntryKind>,
    ) -> Result<EntryId, CaptureError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(CaptureError::TooLong(bytes.len()));
        }
        let ends = flow.ends(direction)?;
        let mut writer = self.recorder.writer();
        let id = writer.next();
        let mut blocks = joined::blocks(id, (flow.interface(), at, direction), ends, bytes, &[]);
        let before_note = blocks.len() as u64;
        let mut marks = vec![self.mark(0, flow.tails, Carries::Bytes(direction, bytes.len() as u64))];
        if let Some(json) = remark.and_then(|kind| fact::to_json(&kind)) {
            let next = EntryId(id.0.saturating_add(1));
            blocks.extend(block::annotation(next, flow.interface(), at, &json));
            marks.push(self.mark(before_note, flow.tails, Carries::Nothing));
        }
        let place = writer.place(&self.origin, flow.filed, flow.told, blocks.len(), at)?;
        if place.filed.interface != flow.interface() {
            block::put_under(place.filed.interface, &mut blocks);
        }
        let id = writer.append(&place, &mut [IoSlice::new(&blocks)], &marks)?;
        flow.filed = Some(place.filed);
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
    if len > MAX_MESSAGE {
        return Err(CaptureError::TooLong(len));
    }
    Ok(vec![b'*'; len])
}

fn mask(len: usize) -> String {
    match len {
        1 => "the byte sent before this is hidden; an asterisk stands for it".to_owned(),
        len => format!("the {len} bytes sent before this are hidden; asterisks stand for them"),
    }
}

fn injection(direction: Direction, len: usize) -> String {
    let (to, from) = match direction {
        Direction::Sent => ("server", "application"),
        Direction::Received => ("application", "server"),
    };
    let bytes = match len {
        1 => "byte".to_owned(),
        len => format!("{len} bytes"),
    };
    format!("injected: you sent the {bytes} before this to the {to}, not the {from}")
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
