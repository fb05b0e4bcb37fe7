//! Walking session files of ours from front to back: their index is made block by block, up to the first thing that
//! is wrong. A file may hold several recordings, one behind the other.
//!
//! Deliberately absent: captures of other programs (see `foreign`), and when to go on (see `opening`).

mod section;

use std::sync::Arc;

use self::section::{Seams, Section};
use super::annotations::Written;
use super::fact;
use super::frame;
use super::index::{Checkpoint, GROUP, Tails};
use super::joined::Parts;
use super::roster::{Known, Traffic};
use super::segment::{Segment, Shared};
use super::stamps::Place;
use super::walk::{self, Content, Fault};
use super::window::Window;
use crate::model::{ConnectionId, Direction, EntryId, EntryKind, Role, Timestamp};

/// Bytes read at a time: as fast as larger ones, and small beside the program itself.
const CHUNK: usize = 256 << 10;

/// Connections that a recording may announce: some 128 bytes of memory each.
const MOST_CONNECTIONS: usize = 16 << 20;

/// The walk.
#[derive(Debug)]
pub(super) struct Scan {
    shared: Arc<Shared>,
    segment: Arc<Segment>,
    at: u64,
    /// Entries of the file so far.
    entries: u64,
    section: Section,
    /// Which connections the interfaces of the section stand for.
    links: Vec<u32>,
    /// What is known of every connection so far; its number is its place.
    streams: Vec<Stream>,
    /// Places of those whose traffic the index does not know yet.
    changed: Vec<u32>,
    buffer: Vec<u8>,
    seams: Seams,
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
    /// At the start of the only file so far, which says that its first entry has the number `first`.
    pub(super) fn new(shared: Arc<Shared>, first: Option<EntryId>) -> Scan {
        Scan {
            segment: shared.latest(),
            shared,
            at: 0,
            entries: 0,
            section: Section::new(first, 0),
            links: Vec::new(),
            streams: Vec::new(),
            changed: Vec::new(),
            buffer: Vec::new(),
            seams: Seams::default(),
        }
    }

    /// Goes on at the start of the next file, which says that its first entry has the number `first`.
    pub(super) fn go_on(&mut self, file: Segment, first: Option<EntryId>) {
        self.publish();
        let segment = Arc::new(file.behind(self.segment.end()));
        self.shared.push(segment.clone());
        self.begin(first, 0);
        self.segment = segment;
        self.at = 0;
        self.entries = 0;
    }

    /// What is missing, in words.
    pub(super) fn remarks(&self) -> Vec<String> {
        self.seams.remarks()
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
        while let Some(frame) = frame::read(ahead, self.links.len()) {
            let payload = ahead.get(frame.payload).unwrap_or_default();
            let Ok((connection, stream)) =
                self.stream(frame.interface, Some(frame.direction), payload.len() as u64)
            else {
                return;
            };
            let before = stream.tails;
            stream.tails.push(frame.direction, payload);
            self.entry(connection, before, frame.len);
            ahead = ahead.get(frame.len as usize..).unwrap_or_default();
        }
    }

    /// Passes any block.
    fn step(&mut self, window: &mut Window<'_>) -> Result<(), Fault> {
        let block = walk::block_at(window, self.at, self.links.len())?;
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
            Content::Interface {
                started,
                role,
                goes_on,
            } => self.announce((started, role), goes_on, window).map(|()| None),
            Content::Data {
                interface,
                direction,
                offset,
                len,
                at: _,
                protocol: _,
                parts,
            } => {
                let end = offset + u64::from(len);
                self.take_in_data(window, (interface, direction, len), end, parts)
                    .map(Some)
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
                let (connection, stream) = self.stream(interface, None, 0)?;
                if matches!(kind, EntryKind::Open { .. }) {
                    stream.traffic.opening = (offset, len);
                }
                Ok(Some((connection, stream.tails)))
            }
            Content::About { id, offset, len } => {
                self.note(id, window.get(offset, len as usize)?);
                Ok(None)
            }
            Content::Stamps(place) => {
                self.stamped(place);
                Ok(None)
            }
            Content::Section { first } => {
                self.begin_here(first);
                Ok(None)
            }
            Content::Nothing => Ok(None),
        }
    }

    /// The same of so many bytes, the last of which stand before `end`.
    fn take_in_data(
        &mut self,
        window: &mut Window<'_>,
        (interface, direction, len): (u32, Direction, u32),
        end: u64,
        parts: Parts,
    ) -> Result<(ConnectionId, Tails), Fault> {
        let last = match parts {
            Parts::One => len.min(3),
            Parts::Many(id) => {
                self.check_number(id)?;
                // Nothing goes on behind a message.
                0
            }
        };
        let last = window.get(end - u64::from(last), last as usize)?;
        let (connection, stream) = self.stream(interface, Some(direction), u64::from(len))?;
        let before = stream.tails;
        stream.tails.push(direction, last);
        Ok((connection, before))
    }

    /// Whether an annotation is that of the next entry.
    fn check_number(&self, id: EntryId) -> Result<(), Fault> {
        if id.0 == self.section_end() {
            Ok(())
        } else {
            Err(Fault::Damaged("the annotation has the wrong number"))
        }
    }

    /// The number that the section's next entry has, if the section numbers it.
    fn section_end(&self) -> u64 {
        self.section.first + (self.entries - self.section.before)
    }

    /// Begins a section behind what the file had so far, if there was anything.
    fn begin_here(&mut self, first: Option<EntryId>) {
        if self.at > 0 {
            self.segment.begin_section(self.at);
            self.begin(first, self.entries);
        }
    }

    /// Begins a section whose first entry has the number `first`, if it says so, behind that many entries of the file.
    fn begin(&mut self, first: Option<EntryId>, before: u64) {
        let end = self.section_end();
        let next = Section::new(first, before);
        self.section.go_on(next, end, &mut self.seams);
        self.links.clear();
    }

    /// Takes in a connection that is announced here, or that goes on here.
    fn announce(
        &mut self,
        (started, role): (Timestamp, Role),
        goes_on: Option<u32>,
        window: &mut Window<'_>,
    ) -> Result<(), Fault> {
        if self.streams.len().max(self.links.len()) >= MOST_CONNECTIONS {
            return Err(Fault::Damaged("there are too many connections"));
        }
        if let Some(earlier) = goes_on {
            let place = *self.links.get(earlier as usize).ok_or(Fault::Damaged(
                "the interface goes on with a connection that was not announced",
            ))?;
            self.links.push(place);
            self.segment.add_interface(ConnectionId(place));
            return Ok(());
        }
        let new = self.streams.len() as u32;
        let place = match &mut self.section.ring {
            Some(ring) => {
                let name = walk::announced(window, self.at)?.name;
                ring.place(started, &name, new)
            }
            None => new,
        };
        match self.streams.get_mut(place as usize) {
            // Where it was opened is told in an earlier section, and its addresses are told here too.
            Some(stream) => stream.traffic.opening = (0, 0),
            None => self.streams.push(Stream::default()),
        }
        let id = ConnectionId(place);
        self.links.push(place);
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
        let known = self.section.first..self.section_end();
        if known.contains(&id.0)
            && let Ok(written) = serde_json::from_slice::<Written>(json)
        {
            let number = self.segment.first + self.section.before + (id.0 - self.section.first);
            let annotations = &self.shared.annotations;
            drop(annotations.set(EntryId(number), written.annotation()));
        }
    }

    /// Takes in where time stamps are. Like what people say of entries, they are not worth the entries behind them.
    fn stamped(&self, place: Place) {
        let known = self.section.first..self.section_end();
        if known.contains(&place.first.0) && known.contains(&place.last.0) {
            let first = self.segment.first + self.section.before;
            // Only a ring's first entry has a number above 0, and then it is that of the file's.
            self.segment
                .stamps
                .add(place, first.saturating_sub(self.section.first));
        }
    }

    /// The connection of an entry, which is counted.
    #[inline]
    fn stream(
        &mut self,
        interface: u32,
        direction: Option<Direction>,
        bytes: u64,
    ) -> Result<(ConnectionId, &mut Stream), Fault> {
        const UNKNOWN: Fault = Fault::Damaged("the connection was not announced");
        let place = *self.links.get(interface as usize).ok_or(UNKNOWN)?;
        let stream = self.streams.get_mut(place as usize).ok_or(UNKNOWN)?;
        if stream.told == stream.traffic.entries {
            self.changed.push(place);
        }
        stream.traffic.count(direction, bytes);
        Ok((ConnectionId(place), stream))
    }
}
