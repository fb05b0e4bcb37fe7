//! Reading a log entry by entry: one that is being recorded, one that was kept, or a capture of another program.
//!
//! Every call costs the same however long the log is: in our own files a checkpoint, at most 64 blocks from there,
//! then the bytes; in others a record of fixed size, then the bytes.

mod around;
mod file;
mod notes;
mod piece;
mod records;
mod slot;
mod source;

use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use self::file::Part;
pub(super) use self::source::Source;
use super::error::unreadable;
use super::foreign::{self, Blocks, Foreign, RecordKind};
use super::group::Cache;
use super::joined::{self, Parts};
use super::segment::Shared;
use super::{CaptureError, fact, opening, stamps};
use crate::model::{Entry, EntryId, EntryKind, RecordsError};
use slot::{Content, Place, Slot};

/// A readable session. Clones share the file and its index; each has a cache of its own.
#[derive(Debug)]
pub struct Session {
    source: Arc<Source>,
    cache: Mutex<Caches>,
}

/// Where the entries are.
#[derive(Debug)]
pub(super) enum Log {
    /// In a session file of ours.
    Own(Arc<Shared>),
    /// In a capture of another program.
    Foreign(Arc<Foreign>),
}

#[derive(Debug, Default)]
struct Caches {
    own: Cache,
    foreign: Blocks,
    stamps: stamps::Recent,
}

impl Session {
    pub(super) fn new(source: Arc<Source>) -> Session {
        Session {
            source,
            cache: Mutex::default(),
        }
    }

    /// The session in a file that is being recorded.
    pub(super) fn of(path: &Path, shared: Arc<Shared>) -> Session {
        let source = Source::new(path, None);
        source.found(Log::Own(shared));
        Session::new(Arc::new(source))
    }

    /// Opens a file that sockscope wrote, up to its last whole block, and returns when all of it is indexed. The
    /// file is never modified. See [`super::open_in_background`] for large files and those of other programs.
    pub fn open(path: &Path) -> Result<Session, CaptureError> {
        opening::open_own(path)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// How many bytes at the end of the file are damaged or not whole, and were left out.
    pub fn cut(&self) -> u64 {
        self.source.cut.load(Ordering::Acquire)
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        match self.source.log.get() {
            Some(Log::Own(shared)) => shared.roster.len(),
            Some(Log::Foreign(foreign)) => foreign.conversations() as usize,
            None => 0,
        }
    }

    /// Where the entries are, once that is known: for who reads all of them in order.
    pub(super) fn log(&self) -> Option<&Log> {
        self.source.log.get()
    }

    fn slot(&self, id: EntryId) -> Result<Slot, RecordsError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        match self.source.log.get() {
            Some(Log::Own(shared)) => {
                let segment = shared.holding(id)?;
                let slot = cache.own.slot(&segment, id)?;
                Ok(Slot::own(&slot, segment))
            }
            Some(Log::Foreign(foreign)) => {
                let record = foreign.record(&mut cache.foreign, id)?;
                let (content, place) = match record.kind {
                    RecordKind::Stream(direction, place) => (Content::Stream(direction), place),
                    RecordKind::Datagram(direction, place) => (Content::Datagram(direction), place),
                    RecordKind::Event => (Content::Event, foreign::Place::Spool),
                };
                Ok(Slot {
                    connection: record.connection,
                    at: record.at,
                    content,
                    place: Place::Foreign(place),
                    offset: record.offset,
                    len: record.len,
                    parts: Parts::One,
                })
            }
            None => Err(RecordsError::Missing(id)),
        }
    }

    fn find_entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        let slot = self.slot(id)?;
        let (kind, len) = match slot.content {
            Content::Stream(direction) | Content::Datagram(direction) => {
                (EntryKind::Data { direction }, slot.len)
            }
            Content::Event => {
                let json = self.read(&slot.place, slot.offset, slot.len as usize)?;
                let damaged = |what: &str| RecordsError::Damaged {
                    offset: slot.offset,
                    what: what.to_owned(),
                };
                (fact::from_json(&json).map_err(damaged)?, 0)
            }
        };
        Ok(Entry {
            id,
            connection: slot.connection,
            at: slot.at,
            kind,
            len,
        })
    }

    fn find_payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        let slot = self.slot(id)?;
        match slot.content {
            Content::Stream(_) | Content::Datagram(_) => {
                let end = range.end.min(slot.len);
                let start = range.start.min(end);
                let mut bytes = vec![0; (end - start) as usize];
                joined::read(
                    slot.parts,
                    slot.offset,
                    u64::from(start),
                    &mut bytes,
                    |bytes, at| self.fill(&slot.place, at, bytes),
                )?;
                Ok(bytes)
            }
            Content::Event => Ok(Vec::new()),
        }
    }

    fn read(&self, place: &Place, offset: u64, len: usize) -> Result<Vec<u8>, RecordsError> {
        let mut bytes = vec![0; len];
        self.fill(place, offset, &mut bytes)?;
        Ok(bytes)
    }

    fn fill(&self, place: &Place, offset: u64, bytes: &mut [u8]) -> Result<(), RecordsError> {
        match (place, self.source.log.get()) {
            (Place::Own(segment), _) => segment.file.read_exact_at(bytes, offset),
            (Place::Foreign(place), Some(Log::Foreign(foreign))) => foreign.read(*place, offset, bytes),
            (Place::Foreign(_), Some(Log::Own(_)) | None) => Err(io::ErrorKind::NotFound.into()),
        }
        .map_err(|error| unreadable(&error))
    }
}

impl Clone for Session {
    fn clone(&self) -> Session {
        Session::new(self.source.clone())
    }
}
