//! Appending: where the next bytes go, and one call that puts them there, whole or not at all. When a file of a ring
//! is full, the next one is begun here, and the oldest one that is too many is removed.

use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, MutexGuard};

use nix::errno::Errno;
use nix::sys::uio::pwritev;

use super::place::{Filed, Place};
use super::ring::Names;
use super::{Existing, Inner, begin, remove};
use crate::capture::connection::{Origin, Told};
use crate::capture::index::{Checkpoint, Tails};
use crate::capture::segment::Segment;
use crate::capture::{CaptureError, block};
use crate::model::{ConnectionId, Direction, EntryId, Timestamp};

/// Names that are tried for a new file of a ring.
const TRIES: u32 = 100;

/// What the next append has to know.
#[derive(Debug)]
pub(super) struct State {
    /// The file that is written.
    segment: Arc<Segment>,
    end: u64,
    /// Entries of the recording.
    entries: u64,
    /// A failed write left bytes behind `end` that could not be cut off then.
    torn: bool,
    /// Connections of the recording.
    connections: u32,
    /// How the next files of a ring are called.
    names: Names,
}

impl State {
    /// Behind what is in the first file.
    pub(super) fn new(segment: Arc<Segment>, names: Names) -> State {
        State {
            end: segment.index.end(),
            segment,
            entries: 0,
            torn: false,
            connections: 0,
            names,
        }
    }
}

/// An entry within an append.
pub(in crate::capture) struct Mark {
    /// Where its first block starts, counted from the start of the append.
    pub(in crate::capture) offset: u64,
    /// Its connection.
    pub(in crate::capture) connection: ConnectionId,
    /// The last bytes of that connection before it.
    pub(in crate::capture) tails: Tails,
    /// What it carries.
    pub(in crate::capture) carries: Carries,
}

/// What an entry carries.
#[derive(Clone, Copy)]
pub(in crate::capture) enum Carries {
    /// Nothing that is counted.
    Nothing,
    /// Bytes.
    Bytes(Direction, u64),
    /// The addresses of its connection: a JSON text, where it starts counted from the start of the append, and how
    /// long it is.
    Addresses(u64, u32),
}

/// The recorder with its lock held.
pub(in crate::capture) struct Writer<'a> {
    inner: &'a Inner,
    state: MutexGuard<'a, State>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(inner: &'a Inner, state: MutexGuard<'a, State>) -> Writer<'a> {
        Writer { inner, state }
    }

    /// The number that the next entry gets.
    pub(in crate::capture) fn next(&self) -> EntryId {
        EntryId(self.state.entries)
    }

    /// The number that the next connection gets.
    pub(super) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.state.connections)
    }

    /// Gives that number away.
    pub(super) fn take_connection(&mut self) {
        self.state.connections = self.state.connections.saturating_add(1);
    }

    /// Tells the file of a new connection.
    pub(super) fn announce(&mut self, origin: &Origin) -> Result<Filed, CaptureError> {
        let place = self.place(origin, None, Told::default(), 0, origin.started)?;
        self.append(&place, &mut [], &[])?;
        Ok(place.filed)
    }

    /// Finds the place of the next `len` bytes of a connection, which was `filed` before: in the file, or in the next
    /// one of a ring if they do not fit. `told` is what a file has to be told of it that does not know it. `at` is what
    /// the name of a new file says.
    pub(in crate::capture) fn place(
        &mut self,
        origin: &Origin,
        filed: Option<Filed>,
        told: Told,
        len: usize,
        at: Timestamp,
    ) -> Result<Place, CaptureError> {
        let mut place = Place::find(&self.state.segment, origin, filed, told);
        let announcement = place.announcement.as_ref().map_or(0, |told| told.block.len());
        let end = self.state.end.saturating_add((announcement + len) as u64);
        // A file without entries has all the room that there will ever be.
        if end > self.inner.max_size && self.state.entries > self.state.segment.first {
            self.go_on(at)?;
            place = Place::find(&self.state.segment, origin, filed, told);
        }
        self.make_room()?;
        Ok(place)
    }

    /// The place of the next `len` bytes of a connection in the file as it is; none if they do not fit, or if it has to be
    /// told of the connection first.
    pub(in crate::capture) fn place_here(
        &mut self,
        origin: &Origin,
        filed: Option<Filed>,
        told: Told,
        len: usize,
    ) -> Result<Option<Place>, CaptureError> {
        let place = Place::find(&self.state.segment, origin, filed, told);
        let fits = self.state.end.saturating_add(len as u64) <= self.inner.max_size;
        if place.announcement.is_some() || !fits {
            return Ok(None);
        }
        self.make_room()?;
        Ok(Some(place))
    }

    /// Appends whole blocks of a connection at its place, with the entries in them, by one `pwritev`. On an error
    /// nothing of it is in the file, and the same can be tried again.
    pub(in crate::capture) fn append(
        &mut self,
        place: &Place,
        parts: &mut [IoSlice<'_>],
        marks: &[Mark],
    ) -> Result<EntryId, CaptureError> {
        let first = self.next();
        let start = self.state.end;
        let Some(announcement) = &place.announcement else {
            let len = self.write_whole(parts, start)?;
            self.take_in(start, len, marks);
            return Ok(first);
        };
        let told = [IoSlice::new(&announcement.block)].into_iter();
        let mut parts: Vec<IoSlice<'_>> = told.chain(parts.iter().copied()).collect();
        let len = self.write_whole(&mut parts, start)?;
        // Before the entries: who sees one of them knows its connection.
        let segment = &self.state.segment;
        segment.add_interface(announcement.id);
        if !announcement.goes_on {
            let known = announcement.known(segment.number, start);
            self.inner.shared.roster.announce(known);
        }
        let told = announcement.block.len() as u64;
        self.take_in(start + told, len - told, marks);
        Ok(first)
    }

    /// Appends a block that says something of an entry to the file that holds it, and returns where in which it
    /// stands. An older file of a ring, which is as long as it may be, becomes longer by that: these are few words of
    /// a person, or the last time stamps of what was sent at its end.
    pub(super) fn annotate(
        &mut self,
        number: EntryId,
        block: &[u8],
    ) -> Result<(Arc<Segment>, u64), CaptureError> {
        let unknown = |_| CaptureError::Annotation("there is no such entry");
        let segment = self.inner.shared.holding(number).map_err(unknown)?;
        if segment.number == self.state.segment.number {
            let start = self.state.end;
            let len = self.write_whole(&mut [IoSlice::new(block)], start)?;
            self.take_in(start, len, &[]);
            return Ok((segment, start));
        }
        let start = segment.index.end();
        if let Err(error) = segment.file.write_all_at(block, start) {
            // The first error is the one to tell.
            drop(segment.file.set_len(start));
            return Err(CaptureError::write(&segment.path, error));
        }
        let entries = segment.index.entries();
        segment.index.publish(entries, start + block.len() as u64);
        Ok((segment, start))
    }

    /// Writes all of it at `start`, or nothing. Returns how much it is.
    fn write_whole(&mut self, parts: &mut [IoSlice<'_>], start: u64) -> Result<u64, CaptureError> {
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        // What does not fit a file of a ring has one of its own, however large it is.
        if self.inner.ring.is_none() && start.saturating_add(len) > self.inner.max_size {
            return Err(CaptureError::MaxSize {
                path: self.state.segment.path.clone(),
                max_size: self.inner.max_size,
            });
        }
        self.mend()
            .and_then(|()| self.write(parts, start))
            .map_err(|error| CaptureError::write(&self.state.segment.path, error))?;
        Ok(len)
    }

    /// Takes in that `len` bytes from `start` on are in the file.
    fn take_in(&mut self, start: u64, len: u64, marks: &[Mark]) {
        let roster = &self.inner.shared.roster;
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
            roster.count(mark.connection, |traffic| match mark.carries {
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
    }

    /// Begins the next file of a ring; nothing happens where there is no ring.
    fn go_on(&mut self, at: Timestamp) -> Result<(), CaptureError> {
        let Some(ring) = &self.inner.ring else {
            return Ok(());
        };
        // The file that is left ends at a whole block.
        let mended = self.mend();
        mended.map_err(|error| CaptureError::write(&self.state.segment.path, error))?;
        let next = match self.begin_next(at) {
            Err(CaptureError::Full { .. }) if self.inner.shared.count() >= ring.files => {
                // The oldest file goes as soon as the next one is there. Without its space there will be none.
                self.remove_oldest()?;
                self.begin_next(at)
            }
            next => next,
        };
        let segment = Arc::new(next?);
        self.state.end = segment.index.end();
        self.state.segment = segment.clone();
        self.inner.shared.push(segment);
        Ok(())
    }

    fn begin_next(&mut self, at: Timestamp) -> Result<Segment, CaptureError> {
        let number = self.state.segment.number.saturating_add(1);
        let first = self.state.entries;
        let section = block::section_from(EntryId(first));
        let names = &mut self.state.names;
        let mut begun = begin(&names.next(at), Existing::Refuse, number, first, &section);
        for _ in 1..TRIES {
            match begun {
                // A name that is taken is left alone.
                Err(CaptureError::Exists(_)) => {
                    names.take();
                    begun = begin(&names.next(at), Existing::Refuse, number, first, &section);
                }
                Ok(_) | Err(_) => break,
            }
        }
        match begun {
            Ok(segment) => {
                names.take();
                Ok(segment)
            }
            // Every attempt has a time of its own in the name, and is no new trouble.
            Err(error) => Err(error.meanwhile(&names.pattern())),
        }
    }

    /// Removes the files of a ring that are too many.
    fn make_room(&mut self) -> Result<(), CaptureError> {
        let Some(ring) = &self.inner.ring else {
            return Ok(());
        };
        while self.inner.shared.count() > ring.files {
            self.remove_oldest()?;
        }
        Ok(())
    }

    fn remove_oldest(&mut self) -> Result<(), CaptureError> {
        let shared = &self.inner.shared;
        let Some(oldest) = shared.oldest() else {
            return Ok(());
        };
        match remove(&oldest) {
            // Somebody else's file has that name now. Ours is gone.
            Ok(()) | Err(CaptureError::Replaced(_)) => {}
            Err(error) => return Err(error),
        }
        shared.drop_oldest();
        Ok(())
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
