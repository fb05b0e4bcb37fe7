//! Reading a session file entry by entry: one that is being recorded, or one that was kept.
//!
//! Every call costs the same however long the log is: a checkpoint, at most 64 blocks from there, then the bytes.

use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::group::{Cache, Content, Slot};
use super::index::GROUP;
use super::recorder::Shared;
use super::{CaptureError, fact, scan};
use crate::model::{
    ConnectionId, Direction, Entry, EntryId, EntryKind, Records, RecordsError, Surroundings, Tail, Timestamp,
};

/// How many entries are looked at on either side for the bytes next to an entry. A character that was split so
/// that more entries of other streams lie between its parts is shown as invalid bytes.
const REACH: u64 = 2 * GROUP;

/// A readable session. Clones share the file and its index; each has a cache of its own.
#[derive(Debug)]
pub struct Session {
    shared: Arc<Shared>,
    cut: u64,
    cache: Mutex<Cache>,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, cut: u64) -> Session {
        Session {
            shared,
            cut,
            cache: Mutex::default(),
        }
    }

    /// Opens a file that sockscope wrote, up to its last whole block. The file is never modified.
    pub fn open(path: &Path) -> Result<Session, CaptureError> {
        scan::open(path)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// How many bytes at the end of the file are damaged and were left out.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.shared.index.connections()
    }

    fn slot(&self, id: EntryId) -> Result<Slot, RecordsError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.slot(&self.shared, id)
    }

    fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, RecordsError> {
        let mut bytes = vec![0; len];
        self.fill(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn fill(&self, offset: u64, bytes: &mut [u8]) -> Result<(), RecordsError> {
        self.shared
            .file
            .read_exact_at(bytes, offset)
            .map_err(|error| RecordsError::Io(error.to_string()))
    }

    /// The bytes before entry `id`, whose stream is `stream`.
    fn before(&self, id: EntryId, stream: Stream) -> Result<Tail, RecordsError> {
        // Collected from the right: the last `have` bytes are known.
        let mut bytes = [0; 3];
        let mut have = 0;
        for number in (id.0.saturating_sub(REACH)..id.0).rev() {
            if let Some((offset, len)) = stream.bytes_of(&self.slot(EntryId(number))?) {
                let take = (len as usize).min(3 - have);
                let skip = u64::from(len) - take as u64;
                self.fill(offset + skip, &mut bytes[3 - have - take..3 - have])?;
                have += take;
            }
            let known = number.is_multiple_of(GROUP) && have < 3;
            let checkpoint = known
                .then(|| self.shared.index.checkpoint(number / GROUP))
                .flatten();
            if let Some(checkpoint) = checkpoint.filter(|c| c.connection == stream.connection) {
                let tail = checkpoint.tails.of(stream.direction);
                let earlier = tail.as_slice();
                let take = earlier.len().min(3 - have);
                bytes[3 - have - take..3 - have].copy_from_slice(&earlier[earlier.len() - take..]);
                have += take;
                break;
            }
            if have == 3 {
                break;
            }
        }
        Ok(Tail::last_of(&bytes[3 - have..]))
    }

    /// The bytes after entry `id`, whose stream is `stream`.
    fn after(&self, id: EntryId, stream: Stream) -> Result<Tail, RecordsError> {
        let mut bytes = [0; 3];
        let mut have = 0;
        let end = self.len().min(id.0.saturating_add(1 + REACH));
        for number in id.0 + 1..end {
            if let Some((offset, len)) = stream.bytes_of(&self.slot(EntryId(number))?) {
                let take = (len as usize).min(3 - have);
                self.fill(offset, &mut bytes[have..have + take])?;
                have += take;
                if have == 3 {
                    break;
                }
            }
        }
        Ok(Tail::first_of(&bytes[..have]))
    }
}

/// One direction of one connection.
#[derive(Clone, Copy)]
struct Stream {
    connection: ConnectionId,
    direction: Direction,
}

impl Stream {
    /// Where the bytes of an entry are, if it belongs to this stream.
    fn bytes_of(self, slot: &Slot) -> Option<(u64, u32)> {
        match slot.content {
            Content::Data {
                direction,
                offset,
                len,
            } => (slot.connection == self.connection && direction == self.direction).then_some((offset, len)),
            Content::Event { .. } => None,
        }
    }
}

impl Clone for Session {
    fn clone(&self) -> Session {
        Session::new(self.shared.clone(), self.cut)
    }
}

impl Records for Session {
    fn len(&self) -> u64 {
        self.shared.index.entries()
    }

    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        let slot = self.slot(id)?;
        let (kind, len) = match slot.content {
            Content::Data { direction, len, .. } => (EntryKind::Data { direction }, len),
            Content::Event { offset, len } => {
                let json = self.read(offset, len as usize)?;
                let damaged = |what: &str| RecordsError::Damaged {
                    offset,
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

    fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        match self.slot(id)?.content {
            Content::Data { offset, len, .. } => {
                let end = range.end.min(len);
                let start = range.start.min(end);
                self.read(offset + u64::from(start), (end - start) as usize)
            }
            Content::Event { .. } => Ok(Vec::new()),
        }
    }

    fn surroundings(&self, id: EntryId) -> Result<Surroundings, RecordsError> {
        let slot = self.slot(id)?;
        let Content::Data { direction, .. } = slot.content else {
            return Ok(Surroundings::default());
        };
        let stream = Stream {
            connection: slot.connection,
            direction,
        };
        Ok(Surroundings {
            before: self.before(id, stream)?,
            after: self.after(id, stream)?,
        })
    }

    fn started(&self, connection: ConnectionId) -> Option<Timestamp> {
        self.shared.index.started(connection)
    }
}
