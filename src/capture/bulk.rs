//! All entries in order with their bytes, at the speed of the file: for scans over the whole log, where finding each
//! entry by its number would cost more than looking at it.
//!
//! Deliberately absent: what is looked for.

mod frame;

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;

use self::frame::Frame;
use super::recorder::Shared;
use super::walk::{self, Content, Fault};
use super::window::Window;
use super::{Session, fact};
use crate::model::{Entry, EntryId, EntryKind, Records, RecordsError};

/// Bytes read at a time: as fast as more, and what is searched next is still in the processor's cache.
const CHUNK: usize = 256 << 10;

/// Bytes read at a time where only the headers of large blocks are wanted.
const GLANCE: usize = 4096;

/// Blocks from here on are large.
const LARGE: u32 = 16 << 10;

/// What of an entry is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Everything but the bytes of data.
    Headers,
    /// The bytes too.
    Payloads,
}

/// Whoever looks at the entries; breaking off ends the reading behind the entry.
pub(super) type Look<'a> = dyn FnMut(&Entry, &[u8]) -> ControlFlow<()> + 'a;

/// A place in the log that moves forward.
#[derive(Debug)]
pub(super) struct Bulk {
    session: Session,
    want: Want,
    /// The entry that comes next.
    next: u64,
    /// Where its block, or one before it that is no entry, starts.
    offset: u64,
    chunk: Chunk,
    glance: Vec<u8>,
    payload: Vec<u8>,
    last_len: u32,
}

impl Bulk {
    /// The start of the log.
    pub(super) fn new(session: Session, want: Want) -> Bulk {
        Bulk {
            session,
            want,
            next: 0,
            offset: 0,
            chunk: Chunk::default(),
            glance: Vec::new(),
            payload: Vec::new(),
            last_len: 0,
        }
    }

    /// The entry that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Shows entries to `look` until entry `until` is next, or some `budget` bytes were passed.
    pub(super) fn read(&mut self, until: u64, budget: u64, look: &mut Look<'_>) -> Result<(), RecordsError> {
        let session = self.session.clone();
        match session.own() {
            Some(shared) => self.read_own(shared, until, budget, look),
            None => one_by_one(&session, &mut self.next, until, budget, self.want, look),
        }
    }

    fn read_own(
        &mut self,
        shared: &Shared,
        until: u64,
        budget: u64,
        look: &mut Look<'_>,
    ) -> Result<(), RecordsError> {
        // In this order: blocks up to an entry that was published mention no later connection.
        let until = until.min(shared.index.entries());
        let connections = shared.index.connections();
        let end = shared.index.end();
        let stop = self.offset.saturating_add(budget);
        while self.next < until && self.offset < stop {
            let glanced = self.want == Want::Headers && self.last_len >= LARGE;
            let flow = if glanced {
                self.block(shared, end, connections, look)?
            } else {
                let rest = self.chunk.block(&shared.file, self.offset, end).map_err(failed)?;
                match frame::read(rest, connections) {
                    Some(frame) => {
                        let entry = entry(self.next, &frame);
                        self.next += 1;
                        self.offset += u64::from(frame.len);
                        self.last_len = frame.len;
                        look(&entry, rest.get(frame.payload).unwrap_or_default())
                    }
                    None => self.block(shared, end, connections, look)?,
                }
            };
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Reads the next block, whatever it is.
    fn block(
        &mut self,
        shared: &Shared,
        end: u64,
        connections: usize,
        look: &mut Look<'_>,
    ) -> Result<ControlFlow<()>, RecordsError> {
        let start = self.offset;
        let mut window = Window::new(&shared.file, end, GLANCE, &mut self.glance);
        let block = walk::block_at(&mut window, start, connections).map_err(|fault| faulty(fault, start))?;
        self.offset += u64::from(block.len);
        self.last_len = block.len;
        let (connection, at, kind, len) = match block.content {
            Content::Data {
                connection,
                at,
                direction,
                offset,
                len,
            } => {
                self.payload.clear();
                if self.want == Want::Payloads {
                    self.payload.resize(len as usize, 0);
                    shared
                        .file
                        .read_exact_at(&mut self.payload, offset)
                        .map_err(failed)?;
                }
                (connection, at, EntryKind::Data { direction }, len)
            }
            Content::Event {
                connection,
                at,
                offset,
                len,
                id: _,
            } => {
                let json = window.get(offset, len as usize).map_err(failed)?;
                let kind = fact::from_json(json).map_err(|what| faulty(Fault::Damaged(what), start))?;
                self.payload.clear();
                (connection, at, kind, 0)
            }
            Content::Interface { .. } | Content::Section | Content::Nothing => {
                return Ok(ControlFlow::Continue(()));
            }
        };
        let entry = Entry {
            id: EntryId(self.next),
            connection,
            at,
            kind,
            len,
        };
        self.next += 1;
        Ok(look(&entry, &self.payload))
    }
}

/// The same for any log, through the calls that everybody has.
pub(super) fn one_by_one(
    records: &dyn Records,
    next: &mut u64,
    until: u64,
    budget: u64,
    want: Want,
    look: &mut Look<'_>,
) -> Result<(), RecordsError> {
    /// What an entry costs beside its bytes.
    const EACH: u64 = 64;
    let until = until.min(records.len());
    let mut passed = 0;
    while *next < until && passed < budget {
        let id = EntryId(*next);
        let entry = records.entry(id)?;
        let payload = match want {
            Want::Payloads if entry.len > 0 => records.payload(id, 0..entry.len)?,
            Want::Payloads | Want::Headers => Vec::new(),
        };
        *next += 1;
        passed += EACH + payload.len() as u64;
        if look(&entry, &payload).is_break() {
            break;
        }
    }
    Ok(())
}

fn entry(number: u64, frame: &Frame) -> Entry {
    Entry {
        id: EntryId(number),
        connection: frame.connection,
        at: frame.at,
        kind: EntryKind::Data {
            direction: frame.direction,
        },
        len: frame.payload.len() as u32,
    }
}

fn failed(error: impl Into<io::Error>) -> RecordsError {
    RecordsError::Io(error.into().to_string())
}

fn faulty(fault: Fault, offset: u64) -> RecordsError {
    match fault {
        Fault::Io(error) => failed(error),
        Fault::Cut => failed(io::ErrorKind::UnexpectedEof),
        Fault::Damaged(what) => RecordsError::Damaged {
            offset,
            what: what.to_owned(),
        },
    }
}

/// A part of the file in memory. What is left of a block at its end is kept for the next part, so that nothing is
/// read twice.
#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Where in the file it starts.
    at: u64,
    /// How many bytes of the file it holds.
    len: usize,
}

impl Chunk {
    /// The bytes from `offset` on: at least one whole block, if it is a packet and the readable part of the file has
    /// it.
    fn block(&mut self, file: &File, offset: u64, end: u64) -> io::Result<&[u8]> {
        self.hold(file, offset, end, frame::HEAD)?;
        let len = frame::block_len(self.from(offset));
        self.hold(file, offset, end, len)?;
        Ok(self.from(offset))
    }

    fn from(&self, offset: u64) -> &[u8] {
        let from = usize::try_from(offset - self.at).unwrap_or(usize::MAX);
        self.bytes.get(from..self.len).unwrap_or_default()
    }

    /// Makes `need` bytes from `offset` on present, or as many as there are before `end`.
    fn hold(&mut self, file: &File, offset: u64, end: u64, need: usize) -> io::Result<()> {
        let inside = offset >= self.at && offset <= self.at + self.len as u64;
        let kept = if inside {
            (self.at + self.len as u64 - offset) as usize
        } else {
            0
        };
        let there = end.saturating_sub(offset);
        if inside && kept as u64 >= there.min(need as u64) {
            return Ok(());
        }
        self.bytes.copy_within(self.len - kept..self.len, 0);
        self.at = offset;
        self.len = kept;
        let want = usize::try_from(there).unwrap_or(usize::MAX).min(CHUNK.max(need));
        if self.bytes.len() < want {
            self.bytes.resize(want, 0);
        }
        file.read_exact_at(&mut self.bytes[kept..want], offset + kept as u64)?;
        self.len = want;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
