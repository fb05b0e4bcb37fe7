//! The recorder: appends to the session file, write-ahead and in one call an entry.
//!
//! Deliberately absent: any buffer of ours, and `fsync` (SAFETY §4): what one call took is the kernel's.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::uio::pwritev;

use super::index::{Checkpoint, Tails};
use super::roster::{Known, Traffic};
use super::segment::{Segment, Shared};
use super::{CaptureError, Connection, Role, Session, block, file};
use crate::model::{ConnectionId, Direction, Endpoint, EntryId, Timestamp};

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
    max_size: u64,
}

/// What the next append has to know.
#[derive(Debug)]
struct State {
    /// The file that is written.
    segment: Arc<Segment>,
    end: u64,
    /// Entries of the recording.
    entries: u64,
    /// A failed write left bytes behind `end` that could not be cut off then.
    torn: bool,
    /// Connections of the recording.
    connections: u32,
}

impl Recorder {
    /// Creates the file: mode 0600, exclusively, never through a symbolic link, locked against a second instance.
    pub fn create(create: &Create) -> Result<Recorder, CaptureError> {
        let file = file::create(&create.path, create.existing)?;
        let segment = Arc::new(Segment::new(0, create.path.clone(), file, 0));
        let recorder = Recorder {
            inner: Arc::new(Inner {
                path: create.path.clone(),
                shared: Arc::new(Shared::new(segment.clone())),
                state: Mutex::new(State {
                    segment,
                    end: 0,
                    entries: 0,
                    torn: false,
                    connections: 0,
                }),
                max_size: create.max_size.unwrap_or(u64::MAX),
            }),
        };
        let section = block::section();
        if let Err(error) = recorder.writer().append(&mut [IoSlice::new(&section)], &[]) {
            // Nothing is in the file: an empty one would only be in the way of the next attempt.
            drop(recorder.discard());
            return Err(error);
        }
        Ok(recorder)
    }

    /// Announces a connection. `at` is when dialing starts.
    pub fn connection(
        &self,
        at: Timestamp,
        endpoint: &Endpoint,
        role: Role,
    ) -> Result<Connection, CaptureError> {
        let interface = block::interface(&endpoint.to_string(), role.name(), at);
        let mut writer = self.writer();
        let id = ConnectionId(writer.state.connections);
        let block = writer.state.end;
        writer.append(&mut [IoSlice::new(&interface)], &[])?;
        writer.state.connections = id.0.saturating_add(1);
        let segment = &writer.state.segment;
        segment.add_interface(id);
        self.inner.shared.roster.announce(Known {
            id,
            segment: segment.number,
            started: at,
            block,
            traffic: Traffic::default(),
        });
        drop(writer);
        Ok(Connection::new(self.clone(), id))
    }

    /// How many entries there are.
    pub fn len(&self) -> u64 {
        self.inner.shared.end()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of peers and of ours the file holds: what would be lost by discarding it.
    pub fn payload_bytes(&self) -> u64 {
        self.inner.shared.total(Segment::payload)
    }

    /// The size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.inner.shared.total(|segment| segment.index.end())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// A reader of what has been recorded so far and of what will be; it never blocks the recorder.
    pub fn reader(&self) -> Session {
        Session::of(&self.inner.path, self.inner.shared.clone())
    }

    /// Removes the file, if its name still stands for it. What is recorded afterwards is lost.
    pub fn discard(&self) -> Result<(), CaptureError> {
        let segment = self.inner.shared.latest();
        let Segment { path, file, .. } = &*segment;
        let removed = match file::is_same(path, file) {
            Ok(true) => std::fs::remove_file(path),
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

    /// Takes the one lock that covers an entry's number and its write.
    pub(super) fn writer(&self) -> Writer<'_> {
        Writer {
            inner: &self.inner,
            state: self.lock(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can stop half-way and leave a wrong state, not even by a panic.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry within an append.
pub(super) struct Mark {
    /// Where its first block starts, counted from the start of the append.
    pub(super) offset: u64,
    /// Its connection.
    pub(super) connection: ConnectionId,
    /// The last bytes of that connection before it.
    pub(super) tails: Tails,
    /// What it carries.
    pub(super) carries: Carries,
}

/// What an entry carries.
#[derive(Clone, Copy)]
pub(super) enum Carries {
    /// Nothing that is counted.
    Nothing,
    /// Bytes.
    Bytes(Direction, u64),
    /// The addresses of its connection: a JSON text, where it starts counted from the start of the append, and how
    /// long it is.
    Addresses(u64, u32),
}

/// The recorder with its lock held.
pub(super) struct Writer<'a> {
    inner: &'a Inner,
    state: MutexGuard<'a, State>,
}

impl Writer<'_> {
    /// The number that the next entry gets.
    pub(super) fn next(&self) -> EntryId {
        EntryId(self.state.entries)
    }

    /// Appends whole blocks, with the entries in them, by one `pwritev`. On an error nothing of it is in the
    /// file, and the same can be tried again.
    pub(super) fn append(
        &mut self,
        parts: &mut [IoSlice<'_>],
        marks: &[Mark],
    ) -> Result<EntryId, CaptureError> {
        let first = self.next();
        let start = self.state.end;
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        if start.saturating_add(len) > self.inner.max_size {
            return Err(CaptureError::MaxSize {
                path: self.state.segment.path.clone(),
                max_size: self.inner.max_size,
            });
        }
        self.mend()
            .and_then(|()| self.write(parts, start))
            .map_err(|error| CaptureError::write(&self.state.segment.path, error))?;
        let State {
            segment,
            end,
            entries,
            ..
        } = &mut *self.state;
        *end = start + len;
        for mark in marks {
            let checkpoint = Checkpoint {
                offset: start + mark.offset,
                connection: mark.connection,
                tails: mark.tails,
            };
            segment.index.add_entry(*entries - segment.first, checkpoint);
            *entries += 1;
            self.inner
                .shared
                .roster
                .count(mark.connection, |traffic| match mark.carries {
                    Carries::Nothing => traffic.count(None, 0),
                    Carries::Bytes(direction, bytes) => traffic.count(Some(direction), bytes),
                    Carries::Addresses(offset, len) => {
                        traffic.count(None, 0);
                        traffic.opening = (start + offset, len);
                    }
                });
            if let Carries::Bytes(_, bytes) = mark.carries {
                segment.add_payload(bytes);
            }
        }
        segment.index.publish(*entries - segment.first, *end);
        Ok(first)
    }

    /// Cuts off what an earlier failure left behind the last whole block.
    fn mend(&mut self) -> io::Result<()> {
        if self.state.torn {
            self.state.segment.file.set_len(self.state.end)?;
            self.state.torn = false;
        }
        Ok(())
    }

    fn write(&mut self, mut parts: &mut [IoSlice<'_>], start: u64) -> io::Result<()> {
        let mut at = start;
        while !parts.is_empty() {
            // At an offset rather than at the end: trying again overwrites whatever a failure left.
            match pwritev(&self.state.segment.file, parts, at.cast_signed()) {
                Ok(0) => return Err(self.roll_back(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    at += count as u64;
                    IoSlice::advance_slices(&mut parts, count);
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.roll_back(errno.into())),
            }
        }
        Ok(())
    }

    fn roll_back(&mut self, error: io::Error) -> io::Error {
        self.state.torn = true;
        // If cutting fails too, the next append begins with it; the first error is the one to tell.
        drop(self.mend());
        error
    }
}
