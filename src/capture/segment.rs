//! The files of a recording as its readers see them: one, or the kept ones of a ring, each with its index.
//!
//! Deliberately absent: when a file is begun or removed, which the recorder decides.

use std::collections::VecDeque;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::annotations::Annotations;
use super::index::Index;
use super::roster::Roster;
use super::stamps::Places;
use crate::model::{ConnectionId, EntryId, RecordsError};

/// One file. Whoever holds it can read it, also when its name is gone.
#[derive(Debug)]
pub(super) struct Segment {
    /// Which file of the recording it is, counted from 0.
    pub(super) number: u32,
    /// Where it is.
    pub(super) path: PathBuf,
    /// The open file.
    pub(super) file: Arc<File>,
    /// The number of its first entry.
    pub(super) first: u64,
    /// The number of that entry where the file is opened by itself.
    pub(super) first_alone: u64,
    /// Where its entries are, counted from that one.
    pub(super) index: Index,
    /// Where time stamps of its entries are.
    pub(super) stamps: Places,
    interfaces: RwLock<Arc<Interfaces>>,
    payload: AtomicU64,
}

impl Segment {
    /// A file in which nothing is known yet.
    pub(super) fn new(number: u32, path: PathBuf, file: Arc<File>, first: u64) -> Segment {
        Segment {
            number,
            path,
            file,
            first,
            first_alone: first,
            index: Index::default(),
            stamps: Places::default(),
            interfaces: RwLock::default(),
            payload: AtomicU64::new(0),
        }
    }

    /// The same behind other files, after which its entries are numbered.
    pub(super) fn behind(self, end: u64) -> Segment {
        Segment { first: end, ..self }
    }

    /// The number of the entry behind its last one.
    pub(super) fn end(&self) -> u64 {
        self.first + self.index.entries()
    }

    /// The connections of its interfaces.
    pub(super) fn interfaces(&self) -> Arc<Interfaces> {
        let interfaces = self.interfaces.read();
        interfaces.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds the interface of a connection, and returns its number in the file.
    pub(super) fn add_interface(&self, connection: ConnectionId) -> u32 {
        let mut interfaces = self.interfaces.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut interfaces).push(connection)
    }

    /// Takes in that another section starts at `offset`, whose interfaces are counted anew.
    pub(super) fn begin_section(&self, offset: u64) {
        let mut interfaces = self.interfaces.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut interfaces).begin_section(offset);
    }

    /// Bytes of both sides in it, as far as they were recorded by this program.
    pub(super) fn payload(&self) -> u64 {
        self.payload.load(Ordering::Acquire)
    }

    /// Counts bytes of either side.
    pub(super) fn add_payload(&self, bytes: u64) {
        self.payload.fetch_add(bytes, Ordering::AcqRel);
    }
}

/// Which connections the interfaces of a file stand for. In most files they are numbered alike; a file of a ring
/// knows only those that were in use, so what is kept are runs of numbers that go on alike. Each section of a file
/// counts its interfaces from 0; here they are counted through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Interfaces {
    /// The first interface of each run, and its connection.
    runs: Vec<(u32, u32)>,
    len: u32,
    /// Where each section behind the first starts, and how many interfaces there are before it.
    sections: Vec<(u64, u32)>,
}

/// The interfaces of one section of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// How many there are before it in the file.
    before: u32,
    len: u32,
    /// Where the next section starts.
    end: u64,
}

impl Scope {
    /// How many there are.
    #[inline]
    pub(super) fn len(self) -> usize {
        self.len as usize
    }

    /// Whether the block at `offset`, which follows one of the section, is of it too.
    #[inline]
    pub(super) fn holds(self, offset: u64) -> bool {
        offset < self.end
    }
}

impl Interfaces {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The interfaces of the section that the block at `offset` is in.
    pub(super) fn scope(&self, offset: u64) -> Scope {
        let next = self.sections.partition_point(|(start, _)| *start <= offset);
        let before = match next {
            0 => 0,
            _ => self.sections[next - 1].1,
        };
        let (end, behind) = self.sections.get(next).copied().unwrap_or((u64::MAX, self.len));
        Scope {
            before,
            len: behind - before,
            end,
        }
    }

    /// The connection of an interface of a section.
    #[inline]
    pub(super) fn connection(&self, scope: Scope, interface: u32) -> Option<ConnectionId> {
        if interface >= scope.len {
            return None;
        }
        let interface = scope.before + interface;
        let run = self.runs.partition_point(|(first, _)| *first <= interface);
        let (first, connection) = self.runs.get(run.checked_sub(1)?)?;
        Some(ConnectionId(connection + (interface - first)))
    }

    fn begin_section(&mut self, offset: u64) {
        match self.sections.last_mut() {
            // A section without interfaces has no entries: nobody asks for it.
            Some((start, before)) if *before == self.len => *start = offset,
            Some(_) | None => self.sections.push((offset, self.len)),
        }
    }

    fn push(&mut self, connection: ConnectionId) -> u32 {
        let number = self.len;
        let goes_on = self
            .runs
            .last()
            .is_some_and(|(first, run)| connection.0.checked_sub(*run) == Some(number - first));
        if !goes_on {
            self.runs.push((number, connection.0));
        }
        self.len += 1;
        number
    }
}

/// The files of a recording, shared by the recorder and its readers, and the connections in them.
#[derive(Debug)]
pub(super) struct Shared {
    files: RwLock<Files>,
    /// Bytes of both sides in the files that were dropped.
    dropped_payload: AtomicU64,
    /// What is known of the connections.
    pub(super) roster: Roster,
    /// What the files say of their entries.
    pub(super) annotations: Annotations,
}

#[derive(Debug)]
struct Files {
    older: VecDeque<Arc<Segment>>,
    latest: Arc<Segment>,
}

impl Files {
    fn first(&self) -> &Arc<Segment> {
        self.older.front().unwrap_or(&self.latest)
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
        self.older.iter().chain([&self.latest])
    }
}

impl Shared {
    /// A recording of one file.
    pub(super) fn new(segment: Arc<Segment>) -> Shared {
        Shared {
            files: RwLock::new(Files {
                older: VecDeque::new(),
                latest: segment,
            }),
            dropped_payload: AtomicU64::new(0),
            roster: Roster::default(),
            annotations: Annotations::default(),
        }
    }

    /// The number of the first entry that is kept.
    pub(super) fn first(&self) -> u64 {
        self.files().first().first
    }

    /// The number of the oldest file that is kept: as many were dropped before it.
    pub(super) fn oldest_number(&self) -> u32 {
        self.files().first().number
    }

    /// How many bytes of both sides were in the files that were dropped.
    pub(super) fn dropped_payload(&self) -> u64 {
        self.dropped_payload.load(Ordering::Acquire)
    }

    /// The number behind that of the last entry.
    pub(super) fn end(&self) -> u64 {
        self.files().latest.end()
    }

    /// The kept files, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Segment>> {
        self.files().all().cloned().collect()
    }

    /// The kept files that hold any of these entries, the oldest first.
    pub(super) fn all_with(&self, entries: Range<u64>) -> Vec<Arc<Segment>> {
        let files = self.files();
        let holds = |segment: &&Arc<Segment>| segment.first < entries.end && entries.start < segment.end();
        files.all().filter(holds).cloned().collect()
    }

    /// How many files are kept.
    pub(super) fn count(&self) -> u32 {
        self.files().older.len() as u32 + 1
    }

    /// The oldest file, if it is not the one that is written.
    pub(super) fn oldest(&self) -> Option<Arc<Segment>> {
        self.files().older.front().cloned()
    }

    /// Goes on in another file.
    pub(super) fn push(&self, segment: Arc<Segment>) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut files.latest, segment);
        files.older.push_back(before);
    }

    /// Forgets the oldest file, unless it is the one that is written, and what was known of its connections
    /// and entries.
    pub(super) fn drop_oldest(&self) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let dropped = files.older.pop_front();
        let (number, first) = (files.first().number, files.first().first);
        let payload = dropped.as_ref().map_or(0, |dropped| dropped.payload());
        self.dropped_payload.fetch_add(payload, Ordering::AcqRel);
        drop(files);
        self.roster.forget_before(number);
        self.annotations.forget_before(EntryId(first));
        // What closing it costs is not paid with the lock held.
        drop(dropped);
    }

    /// The file that is written.
    pub(super) fn latest(&self) -> Arc<Segment> {
        self.files().latest.clone()
    }

    /// The sum of something over the kept files.
    pub(super) fn total(&self, of: impl Fn(&Segment) -> u64) -> u64 {
        self.files().all().map(|segment| of(segment)).sum()
    }

    /// The file of that number, if it is kept.
    pub(super) fn numbered(&self, number: u32) -> Option<Arc<Segment>> {
        // The one that is asked for is mostly among the last.
        self.files()
            .all()
            .rev()
            .find(|segment| segment.number == number)
            .cloned()
    }

    /// The file that holds an entry.
    pub(super) fn holding(&self, id: EntryId) -> Result<Arc<Segment>, RecordsError> {
        let found = self.at_or_after(id.0).ok_or(RecordsError::Missing(id))?;
        if found.first > id.0 {
            return Err(RecordsError::Removed);
        }
        Ok(found)
    }

    /// The file that holds an entry, or the oldest one if its own is gone; none if there is no such entry yet.
    pub(super) fn at_or_after(&self, entry: u64) -> Option<Arc<Segment>> {
        let files = self.files();
        if entry >= files.latest.end() {
            return None;
        }
        let found = files.all().rev().find(|segment| segment.first <= entry);
        Some(found.unwrap_or_else(|| files.first()).clone())
    }

    fn files(&self) -> RwLockReadGuard<'_, Files> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_stand_for_connections_in_runs() {
        let mut interfaces = Interfaces::default();
        let connections = [7, 8, 9, 3, 4, 12, 11, 13];
        for (number, connection) in (0..).zip(connections) {
            assert_eq!(interfaces.push(ConnectionId(connection)), number);
        }
        let scope = interfaces.scope(1 << 40);
        for (number, connection) in (0..).zip(connections) {
            let expected = Some(ConnectionId(connection));
            assert_eq!(interfaces.connection(scope, number), expected);
        }
        assert_eq!(interfaces.connection(scope, 8), None);
        assert_eq!((interfaces.len(), scope.len(), interfaces.runs.len()), (8, 8, 5));
    }

    #[test]
    fn each_section_counts_its_interfaces_from_0() {
        let mut interfaces = Interfaces::default();
        let at = |interfaces: &Interfaces, offset, number| {
            let scope = interfaces.scope(offset);
            interfaces
                .connection(scope, number)
                .map(|connection| connection.0)
        };
        interfaces.push(ConnectionId(0));
        interfaces.push(ConnectionId(1));
        interfaces.begin_section(500);
        interfaces.push(ConnectionId(2));
        for offset in [600, 700] {
            interfaces.begin_section(offset);
        }
        interfaces.push(ConnectionId(0));
        interfaces.push(ConnectionId(3));
        for (offset, expected) in [
            (0, [Some(0), Some(1)]),
            (499, [Some(0), Some(1)]),
            (500, [Some(2), None]),
            (699, [Some(2), None]),
            (700, [Some(0), Some(3)]),
            (u64::MAX - 1, [Some(0), Some(3)]),
        ] {
            assert_eq!([0, 1].map(|number| at(&interfaces, offset, number)), expected);
        }
        assert_eq!(interfaces.sections.len(), 2);
        let scope = interfaces.scope(0);
        assert_eq!((scope.holds(499), scope.holds(500)), (true, false));
    }
}
