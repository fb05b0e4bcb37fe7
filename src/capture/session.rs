//! Reading a log entry by entry: one that is being recorded, one that was kept, or a capture of another program.
//!
//! Every call costs the same however long the log is: in our own files a checkpoint, at most 64 blocks from there,
//! then the bytes; in others a record of fixed size, then the bytes.

mod around;
mod file;
mod piece;
mod records;
mod slot;

use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::annotations::{Annotations, TooMany};
use super::error::unreadable;
use super::file::Identity;
use super::foreign::{self, Blocks, Foreign, RecordKind};
use super::group::Cache;
use super::joined::{self, Parts};
use super::original::Original;
use super::segment::Shared;
use super::{CaptureError, fact, opening};
use crate::model::{Annotation, Entry, EntryId, EntryKind, RecordsError};
use slot::{Content, Place, Slot};

/// A readable session. Clones share the file and its index; each has a cache of its own.
#[derive(Debug)]
pub struct Session {
    source: Arc<Source>,
    cache: Mutex<Caches>,
}

/// What all clones of a session share.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    /// Which file it is, if it is one that was opened.
    identity: Option<Identity>,
    /// Set where the entries are read from that file itself, which other programs may change meanwhile.
    original: OnceLock<Original>,
    /// Set once enough of the file was read to know what it is.
    log: OnceLock<Log>,
    cut: AtomicU64,
    /// What the user of this run added, and what stands beside the file.
    annotations: Annotations,
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
}

impl Source {
    /// A file of which nothing is known yet; which one it is, if it was opened.
    pub(super) fn new(path: &Path, identity: Option<Identity>) -> Source {
        Source {
            path: path.to_owned(),
            identity,
            original: OnceLock::new(),
            log: OnceLock::new(),
            cut: AtomicU64::new(0),
            annotations: Annotations::default(),
        }
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many entries there are.
    pub(super) fn entries(&self) -> u64 {
        match self.log.get() {
            Some(Log::Own(shared)) => shared.end(),
            Some(Log::Foreign(foreign)) => foreign.entries(),
            None => 0,
        }
    }

    /// The number of the first entry that is kept.
    pub(super) fn first(&self) -> u64 {
        match self.log.get() {
            Some(Log::Own(shared)) => shared.first(),
            Some(Log::Foreign(_)) | None => 0,
        }
    }

    /// Says that the entries are read from this file; only the first call counts.
    pub(super) fn watch(&self, original: Original) {
        drop(self.original.set(original));
    }

    /// The file that the entries are read from, if other programs may change it.
    pub(super) fn original(&self) -> Option<&Original> {
        self.original.get()
    }

    /// Says where the entries are; only the first call counts.
    pub(super) fn found(&self, log: Log) {
        drop(self.log.set(log));
    }

    /// Says how many bytes at the end were left out.
    pub(super) fn set_cut(&self, bytes: u64) {
        self.cut.store(bytes, Ordering::Release);
    }
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

    /// Keeps what the user adds to an entry, in memory only: see [`super::Annotator`].
    pub(super) fn set_annotation(&self, number: EntryId, annotation: Annotation) -> Result<(), CaptureError> {
        let set = self.notes().set(number, annotation);
        set.map_err(|TooMany| CaptureError::Annotation("there are too many annotations"))
    }

    /// Those of the file are where those of this run go too, so that the last word counts.
    fn notes(&self) -> &Annotations {
        match self.source.log.get() {
            Some(Log::Own(shared)) => &shared.annotations,
            Some(Log::Foreign(_)) | None => &self.source.annotations,
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
