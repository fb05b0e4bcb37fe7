//! The recorder: appends to the session file, write-ahead and in one call an entry.
//!
//! Deliberately absent: any buffer of ours, and `fsync` (SAFETY §4): what one call took is the kernel's.

mod place;
mod ring;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use self::place::Filed;
use self::ring::Names;
pub(super) use self::ring::recording_of;
pub use self::ring::{Ring, ring_of};
use self::writer::State;
pub(super) use self::writer::{Carries, Mark, Writer};
use super::annotations::{TooMany, Written};
use super::annotator::sidecar_path;
use super::block::STAMPS_HEADER;
use super::connection::Origin;
use super::segment::{Segment, Shared};
use super::stamps::{self, Place};
use super::{CaptureError, Connection, Session, block, file};
use crate::model::{Annotation, Endpoint, EntryId, RingReport, Role, Stamped, Timestamp};

/// Names that are tried for a ring while other instances take them.
const TRIES: u32 = 100;

/// What to do with a file that is already there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone and fail.
    #[default]
    Refuse,
    /// Remove it and create a new one: only a regular file of this user that no other instance is writing,
    /// never through a symbolic link.
    Replace,
}

/// How to create a session file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// Where.
    pub path: PathBuf,
    /// What to do with a file that is already there.
    pub existing: Existing,
    /// The most bytes that the file may have.
    pub max_size: Option<u64>,
}

/// Writes the session file. Clones share one file; every call is one entry, whole or not at all.
#[derive(Clone, Debug)]
pub struct Recorder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    shared: Arc<Shared>,
    state: Mutex<State>,
    /// The most bytes of a file.
    max_size: u64,
    /// How many files are kept, if there may be several.
    ring: Option<Ring>,
}

impl Recorder {
    /// Creates the file: mode 0600, exclusively, never through a symbolic link, locked against a second instance.
    pub fn create(create: &Create) -> Result<Recorder, CaptureError> {
        let Create {
            path,
            existing,
            max_size,
        } = create;
        let (section, max_size) = (block::section(), max_size.unwrap_or(u64::MAX));
        check_room(path, &section, max_size)?;
        let segment = begin(path, *existing, 0, 0, &section)?;
        let inner = Inner::new(path, segment, max_size, None, Names::new(path, 0));
        Ok(Recorder {
            inner: Arc::new(inner),
        })
    }

    /// Creates the first file of a ring. Its name, and those of the files to come, are made of `path`, or of a name like
    /// it that no recording has; `at` is the time that it says. Nothing is ever overwritten.
    pub fn create_ring(path: &Path, ring: Ring, at: Timestamp) -> Result<Recorder, CaptureError> {
        let section = block::section_from(EntryId(0));
        check_room(path, &section, ring.each)?;
        for _ in 0..TRIES {
            let path = ring::unused(path);
            let mut names = Names::new(&path, ring.offset);
            match begin(&names.next(at), Existing::Refuse, 0, 0, &section) {
                Ok(segment) if ring::is_alone(&path, &segment.path) => {
                    names.take();
                    let inner = Inner::new(&path, segment, ring.each, Some(ring), names);
                    return Ok(Recorder {
                        inner: Arc::new(inner),
                    });
                }
                // Another instance has begun a ring of that name at the same moment.
                Ok(segment) => remove(&segment)?,
                Err(CaptureError::Exists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CaptureError::Exists(path.to_owned()))
    }

    /// Announces a connection. `at` is when dialing starts.
    pub fn connection(
        &self,
        at: Timestamp,
        endpoint: &Endpoint,
        role: Role,
    ) -> Result<Connection, CaptureError> {
        let mut writer = self.writer();
        let origin = Origin::new(writer.next_connection(), at, endpoint, role);
        let filed = writer.announce(&origin)?;
        writer.take_connection();
        drop(writer);
        Ok(Connection::new(self.clone(), origin, Some(filed)))
    }

    /// A connection that the file cannot be told of now: it is announced with the first entry that the file takes.
    pub fn connection_to_be(&self, at: Timestamp, endpoint: &Endpoint, role: Role) -> Connection {
        let mut writer = self.writer();
        let origin = Origin::new(writer.next_connection(), at, endpoint, role);
        writer.take_connection();
        drop(writer);
        Connection::new(self.clone(), origin, None)
    }

    /// Appends what the user adds to an entry to the file that holds it, in place of what stood there of it before.
    pub(super) fn annotate(&self, number: EntryId, annotation: Annotation) -> Result<(), CaptureError> {
        // Strings always have a JSON form.
        let json = serde_json::to_vec(&Written::of(None, &annotation)).unwrap_or_default();
        self.writer().annotate(number, &block::about(number, &json))?;
        let set = self.inner.shared.annotations.set(number, annotation);
        set.map_err(|TooMany| CaptureError::Annotation("there are too many annotations"))
    }

    /// Appends time stamps of entries, which stand in place of those that were there of them before.
    pub(super) fn stamp(&self, mut stamped: Vec<Stamped>) -> Result<(), CaptureError> {
        let mut writer = self.writer();
        stamped.retain(|stamped| self.inner.shared.holding(stamped.entry).is_ok());
        stamped.sort_by_key(|stamped| stamped.entry);
        // Entries of different files stand in blocks of their own.
        let file = |stamped: &Stamped| self.inner.shared.holding(stamped.entry).map(|file| file.number);
        for run in stamped.chunk_by(|a, b| file(a) == file(b)) {
            for block in stamps::cut(run) {
                let (Some(first), Some(last)) = (block.first(), block.last()) else {
                    continue;
                };
                let json = stamps::to_json(block);
                let bytes = block::stamps(first.entry, last.entry, &json);
                let (segment, start) = writer.annotate(first.entry, &bytes)?;
                segment.stamps.add(
                    Place {
                        first: first.entry,
                        last: last.entry,
                        offset: start + STAMPS_HEADER as u64,
                        len: json.len() as u32,
                    },
                    0,
                );
            }
        }
        Ok(())
    }

    /// How many entries there are, with those whose ring file was removed.
    pub fn len(&self) -> u64 {
        self.inner.shared.end()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of peers and of ours the kept files hold: what would be lost by discarding them.
    pub fn payload_bytes(&self) -> u64 {
        self.inner.shared.total(Segment::payload)
    }

    /// The size of the kept files in bytes.
    pub fn size(&self) -> u64 {
        self.inner.shared.total(|segment| segment.index.end())
    }

    /// Where the file is; of a ring, what the names of its files are made of.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Where the kept files are, the oldest first.
    pub fn files(&self) -> Vec<PathBuf> {
        let all = self.inner.shared.all();
        all.iter().map(|segment| segment.path.clone()).collect()
    }

    /// How the ring stands, if it is one.
    pub fn ring(&self) -> Option<RingReport> {
        let ring = self.inner.ring.as_ref()?;
        Some(RingReport {
            files: self.inner.shared.count(),
            of: ring.files,
            first: EntryId(self.inner.shared.first()),
            deleted: self.inner.shared.oldest_number(),
            deleted_payload: self.inner.shared.dropped_payload(),
        })
    }

    /// A reader of what has been recorded so far and of what will be; it never blocks the recorder.
    pub fn reader(&self) -> Session {
        Session::of(&self.inner.path, self.inner.shared.clone())
    }

    /// Whether what was recorded is still there: another program may have removed a file or cut it.
    pub fn check(&self) -> Result<(), CaptureError> {
        let all = self.inner.shared.all();
        all.iter().try_for_each(|segment| check(segment))
    }

    /// Removes the kept files, where their names still stand for them. What is recorded afterwards is lost.
    pub fn discard(&self) -> Result<(), CaptureError> {
        let all = self.inner.shared.all();
        all.iter().try_for_each(|segment| remove(segment))
    }

    /// Takes the one lock that covers an entry's number and its write.
    pub(super) fn writer(&self) -> Writer<'_> {
        Writer::new(&self.inner, self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can stop half-way and leave a wrong state, not even by a panic.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn new(path: &Path, segment: Segment, max_size: u64, ring: Option<Ring>, names: Names) -> Inner {
        let segment = Arc::new(segment);
        Inner {
            path: path.to_owned(),
            shared: Arc::new(Shared::new(segment.clone())),
            state: Mutex::new(State::new(segment, names)),
            max_size,
            ring,
        }
    }
}

/// Whether a file is still there, as long as it was recorded.
fn check(segment: &Segment) -> Result<(), CaptureError> {
    let Segment {
        path, file, index, ..
    } = segment;
    match file::is_same(path, file) {
        Ok(true) if file::is_whole(file, index.end(), block::SECTION.to_le_bytes()) => Ok(()),
        Ok(true) => Err(CaptureError::Shortened(path.clone())),
        Ok(false) => Err(CaptureError::Removed(path.clone())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CaptureError::Removed(path.clone())),
        Err(error) => Err(CaptureError::io("find", path)(error)),
    }
}

fn check_room(path: &Path, section: &[u8], max_size: u64) -> Result<(), CaptureError> {
    if section.len() as u64 <= max_size {
        return Ok(());
    }
    Err(CaptureError::MaxSize {
        path: path.to_owned(),
        max_size,
    })
}

/// Creates a file that begins with `section`, or none at all.
fn begin(
    path: &Path,
    existing: Existing,
    number: u32,
    first: u64,
    section: &[u8],
) -> Result<Segment, CaptureError> {
    use std::os::unix::fs::FileExt as _;

    let file = file::create(path, existing)?;
    let segment = Segment::new(number, path.to_owned(), Arc::new(file), first);
    match segment.file.write_all_at(section, 0) {
        Ok(()) => {
            segment.index.publish(0, section.len() as u64);
            Ok(segment)
        }
        Err(error) => {
            // Nothing is in the file: an empty one would only be in the way of the next attempt.
            drop(remove(&segment));
            Err(CaptureError::write(path, error))
        }
    }
}

/// Removes a file, if its name still stands for it.
fn remove(segment: &Segment) -> Result<(), CaptureError> {
    let Segment { path, file, .. } = segment;
    let removed = match file::is_same(path, file) {
        Ok(true) => std::fs::remove_file(path).inspect(|()| remove_sidecar(path)),
        Ok(false) => return Err(CaptureError::Replaced(path.clone())),
        Err(error) => Err(error),
    };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(CaptureError::io("remove", path)(source))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What was written about a file means nothing without it.
fn remove_sidecar(path: &Path) {
    // The recording goes on without this: mostly there is none, and one that somebody is writing, or that is no file of
    // this user, is left alone.
    drop(file::remove_ours(&sidecar_path(path)));
}
