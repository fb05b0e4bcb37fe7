//! Walking a session file of ours from front to back: its index is made block by block, up to the first thing that
//! is wrong.
//!
//! Deliberately absent: captures of other programs (see `foreign`), and when to go on (see `opening`).

use std::sync::Arc;

use super::annotations::Written;
use super::fact;
use super::frame;
use super::index::{Checkpoint, GROUP, Tails};
use super::joined::Parts;
use super::roster::{Known, Traffic};
use super::segment::{Segment, Shared};
use super::walk::{self, Content, Fault};
use super::window::Window;
use crate::model::{ConnectionId, Direction, EntryId, EntryKind, Role, Timestamp};

/// Bytes read at a time: as fast as larger ones, and small beside the program itself.
const CHUNK: usize = 256 << 10;

/// Connections that a file may announce: some 128 bytes of memory each.
const MOST_CONNECTIONS: usize = 16 << 20;

/// The walk through one file.
#[derive(Debug)]
pub(super) struct Scan {
    shared: Arc<Shared>,
    segment: Arc<Segment>,
    at: u64,
    entries: u64,
    /// What is known of every connection so far; its number is its place.
    streams: Vec<Stream>,
    /// Places of those whose traffic the index does not know yet.
    changed: Vec<u32>,
    buffer: Vec<u8>,
}

/// A connection as far as the walk has come.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    tails: Tails,
    traffic: Traffic,
    /// The number of entries that the index knows of.
    told: u64,
}

impl Scan {
    /// At the start of the file.
    pub(super) fn new(shared: Arc<Shared>) -> Scan {
        Scan {
            segment: shared.latest(),
            shared,
            at: 0,
            entries: 0,
            streams: Vec::new(),
            changed: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Where the last whole block ends.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Connections that were announced.
    pub(super) fn connections(&self) -> u64 {
        self.streams.len() as u64
    }

    /// Walks some `budget` bytes on, never past `end`. Returns once it has, or with why it cannot go on.
    pub(super) fn advance(&mut self, end: u64, budget: u64) -> Result<(), Fault> {
        let segment = self.segment.clone();
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut window = Window::new(&segment.file, end, CHUNK, &mut buffer);
        let stop = self.at.saturating_add(budget).min(end);
        let mut result = Ok(());
        while self.at < stop && result.is_ok() {
            self.pass_data(window.ahead(self.at));
            if self.at < stop {
                result = self.step(&mut window);
            }
        }
        self.buffer = buffer;
        result
    }

    /// Shows readers what was found so far.
    pub(super) fn publish(&mut self) {
        for place in self.changed.drain(..) {
            if let Some(stream) = self.streams.get_mut(place as usize) {
                stream.told = stream.traffic.entries;
                let roster = &self.shared.roster;
                roster.count(ConnectionId(place), |traffic| *traffic = stream.traffic);
            }
        }
        self.segment.index.publish(self.entries, self.at);
    }

    /// Passes the data blocks that `ahead` starts with. They are most of a file, and there are millions.
    fn pass_data(&mut self, mut ahead: &[u8]) {
        while let Some(frame) = frame::read(ahead, self.streams.len()) {
            let payload = ahead.get(frame.payload).unwrap_or_default();
            let Ok(stream) = self.stream(frame.interface, Some(frame.direction), payload.len() as u64) else {
                return;
            };
            let before = stream.tails;
            stream.tails.push(frame.direction, payload);
            self.entry(ConnectionId(frame.interface), before, frame.len);
            ahead = ahead.get(frame.len as usize..).unwrap_or_default();
        }
    }

    /// Passes any block.
    fn step(&mut self, window: &mut Window<'_>) -> Result<(), Fault> {
        let block = walk::block_at(window, self.at, self.streams.len())?;
        match self.take_in(window, block.content)? {
            Some((connection, tails)) => self.entry(connection, tails, block.len),
            None => self.at += u64::from(block.len),
        }
        Ok(())
    }

    /// Counts an entry of this connection, whose block is `len` bytes long and has these bytes before it.
    #[inline]
    fn entry(&mut self, connection: ConnectionId, tails: Tails, len: u32) {
        // Few entries have one.
        if self.entries.is_multiple_of(GROUP) {
            let checkpoint = Checkpoint {
                offset: self.at,
                connection,
                tails,
            };
            self.segment.index.add_entry(self.entries, checkpoint);
        }
        self.entries += 1;
        self.at += u64::from(len);
    }

    /// Checks what only the order of blocks can tell, and keeps the last bytes of the streams. If the block is an
    /// entry, returns its connection and the bytes before it.
    fn take_in(
        &mut self,
        window: &mut Window<'_>,
        content: Content,
    ) -> Result<Option<(ConnectionId, Tails)>, Fault> {
        match content {
            Content::Interface { started, role } => self.announce(started, role).map(|()| None),
            Content::Data {
                interface,
                direction,
                offset,
                len,
                at: _,
                protocol: _,
                parts,
            } => {
                let last = match parts {
                    Parts::One => len.min(3),
                    Parts::Many(id) => {
                        self.check_number(id)?;
                        // Nothing goes on behind a message.
                        0
                    }
                };
                let last = window.get(offset + u64::from(len - last), last as usize)?;
                let stream = self.stream(interface, Some(direction), u64::from(len))?;
                let before = stream.tails;
                stream.tails.push(direction, last);
                Ok(Some((ConnectionId(interface), before)))
            }
            Content::Event {
                id,
                interface,
                offset,
                len,
                at: _,
            } => {
                id.map_or(Ok(()), |id| self.check_number(id))?;
                let kind = fact::from_json(window.get(offset, len as usize)?).map_err(Fault::Damaged)?;
                let stream = self.stream(interface, None, 0)?;
                if matches!(kind, EntryKind::Open { .. }) {
                    stream.traffic.opening = (offset, len);
                }
                Ok(Some((ConnectionId(interface), stream.tails)))
            }
            Content::About { id, offset, len } => {
                self.note(id, window.get(offset, len as usize)?);
                Ok(None)
            }
            Content::Section | Content::Nothing => Ok(None),
        }
    }

    /// Whether an annotation is that of the next entry.
    fn check_number(&self, id: EntryId) -> Result<(), Fault> {
        if id == EntryId(self.segment.first + self.entries) {
            Ok(())
        } else {
            Err(Fault::Damaged("the annotation has the wrong number"))
        }
    }

    /// Takes in a connection that is announced here.
    fn announce(&mut self, started: Timestamp, role: Role) -> Result<(), Fault> {
        if self.streams.len() >= MOST_CONNECTIONS {
            return Err(Fault::Damaged("there are too many connections"));
        }
        let id = ConnectionId(self.streams.len() as u32);
        self.streams.push(Stream::default());
        self.segment.add_interface(id);
        self.shared.roster.announce(Known {
            id,
            segment: self.segment.number,
            started,
            role,
            block: self.at,
            traffic: Traffic::default(),
        });
        Ok(())
    }

    /// Keeps what was said of an entry. It is not worth the entries behind it, so nothing wrong with it is a fault.
    fn note(&self, id: EntryId, json: &[u8]) {
        let known = self.segment.first..self.segment.first + self.entries;
        if known.contains(&id.0)
            && let Ok(written) = serde_json::from_slice::<Written>(json)
        {
            drop(self.shared.annotations.set(id, written.annotation()));
        }
    }

    /// The connection of an entry, which is counted.
    #[inline]
    fn stream(
        &mut self,
        interface: u32,
        direction: Option<Direction>,
        bytes: u64,
    ) -> Result<&mut Stream, Fault> {
        let stream = self
            .streams
            .get_mut(interface as usize)
            .ok_or(Fault::Damaged("the connection was not announced"))?;
        if stream.told == stream.traffic.entries {
            self.changed.push(interface);
        }
        stream.traffic.count(direction, bytes);
        Ok(stream)
    }
}
