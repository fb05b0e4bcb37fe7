//! Session files of ours, block by block, and one after the other.

use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::chunk::Chunk;
use super::{Joint, Look, Passed, Want, failed, faulty};
use crate::capture::fact;
use crate::capture::frame::{self, Frame};
use crate::capture::joined;
use crate::capture::segment::{Interfaces, Scope, Segment, Shared};
use crate::capture::walk::{self, Content, Fault};
use crate::capture::window::Window;
use crate::model::{ConnectionId, Entry, EntryId, EntryKind, Protocol, RecordsError, Timestamp};

/// Bytes read at a time where only the headers of large blocks are wanted.
const GLANCE: usize = 4096;

/// Blocks from here on are large.
const LARGE: u32 = 16 << 10;

/// A place in a file.
#[derive(Debug, Default)]
pub(super) struct OwnPlace {
    /// The file. Only its number: whoever holds a removed file keeps its space on the disk.
    segment: u32,
    /// Where the block of the next entry, or one before it that is no entry, starts.
    offset: u64,
    chunk: Chunk,
    glance: Vec<u8>,
    payload: Vec<u8>,
    last_len: u32,
}

impl OwnPlace {
    /// See [`super::Bulk::read`].
    pub(super) fn read(
        &mut self,
        shared: &Shared,
        want: Want,
        next: &mut u64,
        until: u64,
        budget: u64,
        look: &mut Look<'_>,
    ) -> Result<(), RecordsError> {
        let mut left = budget;
        while *next < until && left > 0 {
            let Some(segment) = shared.at_or_after(*next) else {
                break;
            };
            if segment.first > *next {
                break;
            }
            if segment.number != self.segment {
                *self = OwnPlace {
                    segment: segment.number,
                    ..OwnPlace::default()
                };
            }
            let from = self.offset;
            let flow = self.read_segment(&segment, want, next, until, left, look)?;
            left = left.saturating_sub(self.offset - from);
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The same within one file.
    fn read_segment(
        &mut self,
        segment: &Segment,
        want: Want,
        next: &mut u64,
        until: u64,
        budget: u64,
        look: &mut Look<'_>,
    ) -> Result<ControlFlow<()>, RecordsError> {
        // In this order: blocks up to an entry that was published mention no later interface.
        let until = until.min(segment.end());
        let mut extent = Extent::new(segment, self.offset);
        let stop = self.offset.saturating_add(budget);
        while *next < until && self.offset < stop {
            extent.move_to(self.offset);
            let glanced = want == Want::Headers && self.last_len >= LARGE;
            let flow = if glanced {
                self.block(segment, want, &extent, next, look)?
            } else {
                let rest = self.chunk.block(&segment.file, self.offset, extent.end);
                let rest = rest.map_err(failed)?;
                match frame::read(rest, extent.scope.len()) {
                    Some(frame) => {
                        self.offset += u64::from(frame.len);
                        self.last_len = frame.len;
                        let bytes = rest.get(frame.payload.clone()).unwrap_or_default();
                        let connection = extent.connection(frame.interface, self.offset)?;
                        show(&entry(next, connection, &frame), bytes, Joint::Stream, look)
                    }
                    None => self.block(segment, want, &extent, next, look)?,
                }
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Passes the next block, whatever it is.
    fn block(
        &mut self,
        segment: &Segment,
        want: Want,
        extent: &Extent,
        next: &mut u64,
        look: &mut Look<'_>,
    ) -> Result<ControlFlow<()>, RecordsError> {
        let start = self.offset;
        let mut window = Window::new(&segment.file, extent.end, GLANCE, &mut self.glance);
        let block =
            walk::block_at(&mut window, start, extent.scope.len()).map_err(|fault| faulty(fault, start))?;
        self.offset += u64::from(block.len);
        self.last_len = block.len;
        self.payload.clear();
        let mut joint = Joint::Stream;
        let entry = match block.content {
            Content::Data {
                interface,
                at,
                direction,
                protocol,
                offset,
                len,
                parts,
            } => {
                joint = match protocol {
                    Protocol::Tcp => Joint::Stream,
                    Protocol::Udp => Joint::Datagram,
                };
                if want == Want::Payloads {
                    self.payload.resize(len as usize, 0);
                    let read = |bytes: &mut [u8], at| segment.file.read_exact_at(bytes, at);
                    joined::read(parts, offset, 0, &mut self.payload, read).map_err(failed)?;
                }
                let connection = extent.connection(interface, start)?;
                numbered(next, connection, at, EntryKind::Data { direction }, len)
            }
            Content::Event {
                interface,
                at,
                offset,
                len,
                id: _,
            } => {
                let json = window.get(offset, len as usize).map_err(failed)?;
                let kind = fact::from_json(json).map_err(|what| faulty(Fault::Damaged(what), start))?;
                numbered(next, extent.connection(interface, start)?, at, kind, 0)
            }
            Content::Interface { .. }
            | Content::About { .. }
            | Content::Stamps(_)
            | Content::Section { .. }
            | Content::Nothing => {
                return Ok(ControlFlow::Continue(()));
            }
        };
        Ok(show(&entry, &self.payload, joint, look))
    }
}

/// What of the file can be read.
struct Extent {
    interfaces: Arc<Interfaces>,
    /// The section that is read.
    scope: Scope,
    end: u64,
}

impl Extent {
    fn new(segment: &Segment, offset: u64) -> Extent {
        let interfaces = segment.interfaces();
        Extent {
            scope: interfaces.scope(offset),
            interfaces,
            end: segment.index.end(),
        }
    }

    /// Goes on to the section of the block at `offset`.
    fn move_to(&mut self, offset: u64) {
        if !self.scope.holds(offset) {
            self.scope = self.interfaces.scope(offset);
        }
    }

    /// The connection of the block at `offset`, which was found to be of this interface.
    fn connection(&self, interface: u32, offset: u64) -> Result<ConnectionId, RecordsError> {
        let found = self.interfaces.connection(self.scope, interface);
        found.ok_or_else(|| faulty(Fault::Damaged("the connection was not announced"), offset))
    }
}

fn show(entry: &Entry, bytes: &[u8], joint: Joint, look: &mut Look<'_>) -> ControlFlow<()> {
    look(Passed { entry, bytes, joint })
}

fn entry(next: &mut u64, connection: ConnectionId, frame: &Frame) -> Entry {
    let kind = EntryKind::Data {
        direction: frame.direction,
    };
    numbered(next, connection, frame.at, kind, frame.payload.len() as u32)
}

/// The entry that comes next.
fn numbered(next: &mut u64, connection: ConnectionId, at: Timestamp, kind: EntryKind, len: u32) -> Entry {
    let id = EntryId(*next);
    *next += 1;
    Entry {
        id,
        connection,
        at,
        kind,
        len,
    }
}
