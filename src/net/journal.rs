//! Recording of one connection, and what happens when the session file takes nothing: held back in order, or counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::capture::{CaptureError, Connection, MAX_PAYLOAD};
use crate::model::{
    ConnectionId, Direction, EntryId, EntryKind, Full, RecorderState, Recording, Stamped, Timestamp,
};

use super::OnFull;

/// How often a full disk is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(500);

/// Who sent the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The side of the connection that they are said to come from.
    Side,
    /// The user, in the name of that side.
    Injected,
}

/// Something that could not be recorded yet.
#[derive(Debug)]
enum Held {
    Data {
        of: Connection,
        at: Timestamp,
        direction: Direction,
        bytes: Vec<u8>,
        recording: Recording,
        source: Source,
    },
    Event {
        of: Connection,
        at: Timestamp,
        kind: EntryKind,
    },
}

/// Records a connection. While the file takes nothing, whoever reads and writes the socket must stop (see
/// [`Journal::is_blocked`]), so that what is held stays one read and a few events.
#[derive(Debug)]
pub(super) struct Journal {
    connection: Connection,
    on_full: OnFull,
    held: VecDeque<Held>,
    trouble: Option<(String, Full)>,
    /// When the file is tried again, while it takes nothing.
    retry_at: Option<Instant>,
    /// Bytes that crossed unrecorded, each way, since the last gap entry.
    missing: [(Direction, u64); 2],
    /// Bytes that crossed unrecorded, with those of all other connections.
    lost: Arc<AtomicU64>,
}

impl Journal {
    /// Records to `connection`; what cannot be recorded is added to `lost`.
    pub(super) fn new(connection: Connection, on_full: OnFull, lost: Arc<AtomicU64>) -> Journal {
        let missing = [(Direction::Sent, 0), (Direction::Received, 0)];
        Journal {
            connection,
            on_full,
            held: VecDeque::new(),
            trouble: None,
            retry_at: None,
            missing,
            lost,
        }
    }

    /// The same while the file takes nothing, as it has just said.
    pub(super) fn full(
        connection: Connection,
        on_full: OnFull,
        lost: Arc<AtomicU64>,
        error: &CaptureError,
    ) -> Journal {
        let mut journal = Journal::new(connection, on_full, lost);
        journal.failed(error);
        journal
    }

    /// The number of the connection.
    pub(super) fn connection(&self) -> ConnectionId {
        self.connection.id()
    }

    /// Records bytes that crossed the socket; as which entry, if the file took them at once.
    pub(super) fn data(
        &mut self,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
        recording: Recording,
    ) -> Option<EntryId> {
        self.record(None, at, direction, bytes, (recording, Source::Side))
    }

    /// Records what one read from a side of a tap returned, also more than one entry holds.
    pub(super) fn stream(&mut self, at: Timestamp, direction: Direction, bytes: &[u8]) {
        if bytes.len() <= MAX_PAYLOAD {
            self.data(at, direction, bytes, Recording::AsIs);
            return;
        }
        if self.held.is_empty() && self.is_worth_trying() && self.fill_gaps(at) {
            let all = self.connection.data_at_once(at, direction, bytes);
            if let Ok(Some(_)) = all {
                return;
            }
        }
        // Each for itself is taken as far as there is room, and held or counted from there on.
        for part in bytes.chunks(MAX_PAYLOAD) {
            self.data(at, direction, part, Recording::AsIs);
        }
    }

    /// Records bytes that came to the same socket from somebody whose connection is another one. What is missing of it is
    /// told in this one.
    pub(super) fn data_of(&mut self, other: &Connection, at: Timestamp, bytes: &[u8]) -> Option<EntryId> {
        let how = (Recording::AsIs, Source::Side);
        self.record(Some(other), at, Direction::Received, bytes, how)
    }

    /// Records bytes that neither side of a tap sent, but the user.
    pub(super) fn injected(
        &mut self,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
        recording: Recording,
    ) {
        self.record(None, at, direction, bytes, (recording, Source::Injected));
    }

    fn record(
        &mut self,
        other: Option<&Connection>,
        at: Timestamp,
        direction: Direction,
        bytes: &[u8],
        (recording, source): (Recording, Source),
    ) -> Option<EntryId> {
        if self.held.is_empty() && self.is_worth_trying() && self.fill_gaps(at) {
            let of = other.unwrap_or(&self.connection);
            match write(of, at, direction, bytes, (recording, source)) {
                Ok(entry) => return Some(entry),
                Err(error) => self.failed(&error),
            }
        }
        if self.on_full == OnFull::Continue {
            let slot = self.missing.iter_mut().filter(|(d, _)| *d == direction);
            slot.for_each(|(_, missing)| *missing += bytes.len() as u64);
            self.lose(bytes.len());
        } else {
            self.held.push_back(Held::Data {
                of: other.unwrap_or(&self.connection).clone(),
                at,
                direction,
                bytes: bytes.to_vec(),
                recording,
                source,
            });
        }
        None
    }

    /// Keeps time stamps of entries, as far as the file takes them now: they are not worth holding anything up.
    pub(super) fn stamp(&self, stamped: Vec<Stamped>) {
        if !stamped.is_empty() && self.held.is_empty() {
            drop(self.connection.stamp(stamped));
        }
    }

    /// Records an event; while the file takes nothing it waits, since events are few and small.
    pub(super) fn event(&mut self, at: Timestamp, kind: EntryKind) {
        self.record_event(None, at, kind);
    }

    /// The same of another connection, see [`Journal::data_of`].
    pub(super) fn event_of(&mut self, other: &Connection, at: Timestamp, kind: EntryKind) {
        self.record_event(Some(other), at, kind);
    }

    fn record_event(&mut self, other: Option<&Connection>, at: Timestamp, kind: EntryKind) {
        // What is missing stands before it, as it did on the wire.
        if self.held.is_empty() && self.fill_gaps(at) {
            let Err(error) = other.unwrap_or(&self.connection).event(at, &kind) else {
                return;
            };
            self.failed(&error);
        }
        let of = other.unwrap_or(&self.connection).clone();
        self.held.push_back(Held::Event { of, at, kind });
    }

    /// Tries again what is held; whether nothing is left.
    pub(super) fn retry(&mut self, at: Timestamp) -> bool {
        self.retry_at = None;
        while let Some(held) = self.held.front() {
            let result = match held {
                Held::Data {
                    of,
                    at,
                    direction,
                    bytes,
                    recording,
                    source,
                } => write(of, *at, *direction, bytes, (*recording, *source)).map(drop),
                Held::Event { of, at, kind } => of.event(*at, kind).map(drop),
            };
            if let Err(error) = result {
                self.failed(&error);
                return false;
            }
            self.held.pop_front();
        }
        if self.fill_gaps(at) {
            self.trouble = None;
        }
        true
    }

    /// The program ends: what the file has not taken by now is lost.
    pub(super) fn give_up(&mut self) {
        for held in std::mem::take(&mut self.held) {
            if let Held::Data { bytes, .. } = held {
                self.lose(bytes.len());
            }
        }
    }

    fn lose(&self, bytes: usize) {
        self.lost.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether bytes are held, so that nothing more may be read or written.
    pub(super) fn is_blocked(&self) -> bool {
        !self.held.is_empty() && self.on_full != OnFull::Continue
    }

    /// When there is something to try again. It does not move while bytes go on to cross.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Why the connection must end, if a full file ends it.
    pub(super) fn must_stop(&self) -> Option<&str> {
        let reason = self.trouble.as_ref().map(|(reason, _)| reason.as_str());
        reason.filter(|_| self.on_full == OnFull::Stop)
    }

    /// How the recorder is doing.
    pub(super) fn state(&self) -> RecorderState {
        let lost = self.lost.load(Ordering::Relaxed);
        match &self.trouble {
            // What is missing stays said, also when the file takes bytes again.
            None if lost > 0 => RecorderState::Losing {
                reason: "the session file was full for a while".to_owned(),
                bytes: lost,
            },
            None => RecorderState::Recording,
            Some((reason, full)) => {
                let reason = reason.clone();
                match self.on_full {
                    OnFull::Pause if lost == 0 => RecorderState::Paused { reason, full: *full },
                    OnFull::Stop if lost == 0 => RecorderState::Stopped { reason },
                    OnFull::Continue | OnFull::Pause | OnFull::Stop => {
                        RecorderState::Losing { reason, bytes: lost }
                    }
                }
            }
        }
    }

    /// Whether the file may take bytes: a full one is asked now and then, and not for every read.
    fn is_worth_trying(&self) -> bool {
        self.retry_at.is_none_or(|at| at <= Instant::now())
    }

    fn failed(&mut self, error: &CaptureError) {
        self.trouble = Some((self.on_full.reason(error), error.full()));
        self.retry_at = Some(Instant::now() + RETRY);
    }

    /// Says what is missing before anything newer is recorded; whether the file took it.
    fn fill_gaps(&mut self, at: Timestamp) -> bool {
        for index in 0..self.missing.len() {
            let (direction, missing) = self.missing[index];
            if missing > 0 {
                if let Err(error) = self.connection.gap(at, direction, missing) {
                    self.failed(&error);
                    return false;
                }
                self.missing[index].1 = 0;
            }
        }
        if self.held.is_empty() {
            self.trouble = None;
            self.retry_at = None;
        }
        true
    }
}

fn write(
    of: &Connection,
    at: Timestamp,
    direction: Direction,
    bytes: &[u8],
    how: (Recording, Source),
) -> Result<EntryId, CaptureError> {
    match how {
        (Recording::AsIs, Source::Side) => of.data(at, direction, bytes),
        (Recording::Masked, Source::Side) => of.masked(at, bytes.len()),
        (Recording::AsIs, Source::Injected) => of.injected(at, direction, bytes),
        (Recording::Masked, Source::Injected) => of.injected_masked(at, direction, bytes.len()),
    }
}
