//! One connection of a session as the recorder takes it: bytes and events, in the order in which they happened.
//!
//! Deliberately absent: deciding what happened. What is said here is written down; what TCP has a packet for
//! becomes one.

use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::block::{self, DataFrame, LONGEST_TEXT};
use super::happened::Happened;
use super::index::Tails;
use super::packet::Segment;
use super::recorder::{Carries, Mark, Recorder};
use super::stream::Stream;
use super::{CaptureError, fact};
use crate::model::{ConnectionId, Direction, EntryId, EntryKind, Timestamp};

/// The most bytes that one entry holds: what fits an IPv4 packet beside its headers.
pub const MAX_PAYLOAD: usize = 65_495;

/// What this program is to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It dialed.
    Client,
}

impl Role {
    /// The word in `if_description`.
    pub(in crate::capture) fn name(self) -> &'static str {
        match self {
            Role::Client => "client",
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
    id: ConnectionId,
    flow: Arc<Mutex<Flow>>,
}

/// What the connection's next packet has to know.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// The synthetic TCP connection, once the addresses are known.
    stream: Option<Stream>,
    tails: Tails,
}

impl Connection {
    pub(super) fn new(recorder: Recorder, id: ConnectionId) -> Connection {
        Connection {
            recorder,
            id,
            flow: Arc::default(),
        }
    }

    /// Its number in the session.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Records what one read returned or one write took: 1 to [`MAX_PAYLOAD`] bytes of an open connection.
    /// More are refused rather than split, because an entry is one read or one write.
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
        let happened = Happened {
            connection: self.id,
            at,
            kind,
        };
        let mut blocks = happened.packets(&mut next.stream, &json, &[]);
        let carries = match kind {
            EntryKind::Open { .. } => block::text_in_last(&blocks, json.len())
                .map_or(Carries::Nothing, |offset| {
                    Carries::Addresses(offset, json.len() as u32)
                }),
            EntryKind::Data { .. }
            | EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => Carries::Nothing,
        };
        let mut writer = self.recorder.writer();
        if blocks.is_empty() {
            blocks = block::annotation(writer.next(), self.id, at, &json);
        }
        let mark = self.mark(0, flow.tails, carries);
        let id = writer.append(&mut [IoSlice::new(&blocks)], &[mark])?;
        *flow = next;
        Ok(id)
    }

    /// Records `len` sent bytes as as many asterisks, and a note that says so as the entry after them.
    pub fn masked(&self, at: Timestamp, len: usize) -> Result<EntryId, CaptureError> {
        if len > MAX_PAYLOAD {
            return Err(CaptureError::TooLong(len));
        }
        let bytes = vec![b'*'; len];
        let text = format!("the {len} bytes sent before this are hidden; asterisks stand for them");
        self.record_data(at, Direction::Sent, &bytes, Some(EntryKind::Note { text }))
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
        if bytes.is_empty() {
            return Err(CaptureError::Empty);
        }
        if bytes.len() > MAX_PAYLOAD {
            return Err(CaptureError::TooLong(bytes.len()));
        }
        let mut flow = self.flow();
        let mut stream = flow.stream.ok_or(CaptureError::NotOpen)?;
        let from = direction.sender();
        // Both stay empty, and so unallocated, for all but a few entries.
        let overdue = stream
            .overdue(from, bytes.len())
            .map(|ack| self.packet(at, direction.opposite(), &ack));
        let overdue = overdue.unwrap_or_default();
        let segment = stream.data(from, bytes.len());
        let frame = DataFrame::new(self.id, at, direction, &segment);
        let mut tails = flow.tails;
        tails.push(direction, bytes);

        let mut writer = self.recorder.writer();
        let next = EntryId(writer.next().0.saturating_add(1));
        let json = remark.and_then(|kind| fact::to_json(&kind));
        let note = json
            .map(|json| block::annotation(next, self.id, at, &json))
            .unwrap_or_default();
        let before_note = overdue.len() + frame.head().len() + bytes.len() + frame.tail().len();
        let marks = [
            self.mark(0, flow.tails, Carries::Bytes(direction, bytes.len() as u64)),
            self.mark(before_note as u64, tails, Carries::Nothing),
        ];
        let marks = if note.is_empty() { &marks[..1] } else { &marks[..] };
        let mut parts = [&overdue, frame.head(), bytes, frame.tail(), &note].map(IoSlice::new);
        let id = writer.append(&mut parts, marks)?;
        *flow = Flow {
            stream: Some(stream),
            tails,
        };
        Ok(id)
    }

    fn packet(&self, at: Timestamp, direction: Direction, segment: &Segment) -> Vec<u8> {
        block::bare_packet(self.id, at, direction, segment, None, &[])
    }

    fn mark(&self, offset: u64, tails: Tails, carries: Carries) -> Mark {
        Mark {
            offset,
            connection: self.id,
            tails,
            carries,
        }
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        // It is replaced as a whole, after the write: no panic leaves it half-way.
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
