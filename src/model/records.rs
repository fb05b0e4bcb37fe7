//! The trait through which every other layer reads the log. The log itself is a file; see `capture`.

use std::ops::Range;

use super::{Annotation, ConnectionId, Conversation, Entry, EntryId, Role, Stamps, Timestamp};

/// Why an entry could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// There is no entry of that number.
    #[error("there is no entry {}", .0.0)]
    Missing(EntryId),
    /// The entry was recorded, but is not kept any more: its file went as the oldest of a ring.
    #[error("no longer kept: its ring file was removed")]
    Removed,
    /// The file could not be read.
    #[error("cannot read the file: {0}")]
    Io(String),
    /// Another program has changed the file: it does not hold what was indexed any more.
    #[error("{0}")]
    Changed(&'static str),
    /// The file does not hold what its index says.
    #[error("the file is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where, in bytes from the start of the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
}

/// Up to three bytes: as much as a UTF-8 character can leave on one side of a read boundary (RFC 3629 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    bytes: [u8; 3],
    len: u8,
}

impl Tail {
    /// The last three bytes of `bytes`, or all of them.
    pub fn last_of(bytes: &[u8]) -> Tail {
        Tail::first_of(&bytes[bytes.len().saturating_sub(3)..])
    }

    /// The first three bytes of `bytes`, or all of them.
    pub fn first_of(bytes: &[u8]) -> Tail {
        let len = bytes.len().min(3);
        let mut tail = Tail {
            bytes: [0; 3],
            len: len as u8,
        };
        tail.bytes[..len].copy_from_slice(&bytes[..len]);
        tail
    }

    /// The bytes, in stream order.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The bytes next to an entry in its own connection and direction, so that a character that was split over
/// several reads can be put together again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The bytes right before the entry.
    pub before: Tail,
    /// The bytes right after it; empty until they have arrived.
    pub after: Tail,
}

/// The log with all its entries, whether a filter shows them or not.
pub fn whole(records: &dyn Records) -> &dyn Records {
    records.unfiltered().unwrap_or(records)
}

/// The log from which the entry of that number is read, and its place there: this one, or the one with all entries if
/// this one does not show it.
pub fn reading(records: &dyn Records, number: EntryId) -> (&dyn Records, EntryId) {
    match (records.place_exactly(number), records.unfiltered()) {
        (Some(place), _) => (records, place),
        (None, Some(all)) => (all, number),
        (None, None) => (records, records.place_of(number)),
    }
}

/// A log, read entry by entry. Every call costs the same however long the log is.
///
/// An entry is asked for by its place, counted from 0. In the whole log that is its number, [`Entry::id`]; in a
/// filtered one it is not. The entries before [`Records::first`] are gone: the oldest files of a ring were removed.
/// They keep their places, so that those of the others stay.
pub trait Records {
    /// The place of the first entry that there is, or will be.
    fn first(&self) -> EntryId {
        EntryId(0)
    }

    /// The place behind the last entry: how many there are, with those that are gone.
    fn len(&self) -> u64;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() <= self.first().0
    }

    /// The log with all its entries, if this one shows only some of them.
    fn unfiltered(&self) -> Option<&dyn Records> {
        None
    }

    /// Where the entry of that number stands in this log, or would stand if it were in it.
    fn place_of(&self, number: EntryId) -> EntryId {
        number
    }

    /// The number of the entry that stands at that place, if one does.
    fn number_of(&self, place: EntryId) -> Option<EntryId> {
        (place >= self.first() && place.0 < self.len()).then_some(place)
    }

    /// Where the entry of that number stands in this log, if it is in it.
    fn place_exactly(&self, number: EntryId) -> Option<EntryId> {
        let place = self.place_of(number);
        (self.number_of(place) == Some(number)).then_some(place)
    }

    /// The entry at that place, without its bytes.
    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError>;

    /// Bytes `range` of the entry's payload, cut to what it has.
    fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError>;

    /// The bytes before and after the entry in its own stream.
    fn surroundings(&self, id: EntryId) -> Result<Surroundings, RecordsError>;

    /// When the connection's dialing started: the zero of the column "since start".
    fn started(&self, connection: ConnectionId) -> Option<Timestamp>;

    /// What the program that recorded the connection was to it.
    fn role(&self, _connection: ConnectionId) -> Role {
        Role::Client
    }

    /// What the user added to the entry of that number, if anything.
    fn annotation(&self, _number: EntryId) -> Option<Annotation> {
        None
    }

    /// The kernel's time stamps of the entry of that number, if there are any.
    fn stamps(&self, _number: EntryId) -> Option<Stamps> {
        None
    }

    /// Whether any entry has some.
    fn has_stamps(&self) -> bool {
        false
    }

    /// How many entries the user added something to.
    fn annotations(&self) -> u64 {
        0
    }

    /// A page of the list of them: their numbers, in the order of the log.
    fn annotated(&self, _page: Range<u64>) -> Vec<EntryId> {
        Vec::new()
    }

    /// The first of them behind that number that this log shows.
    fn annotated_after(&self, _number: EntryId) -> Option<EntryId> {
        None
    }

    /// The last of them before that number that this log shows.
    fn annotated_before(&self, _number: EntryId) -> Option<EntryId> {
        None
    }

    /// How many conversations there are.
    fn conversations(&self) -> u64 {
        0
    }

    /// A page of the list of conversations: those at these places of it, counted from 0, but never more than a few
    /// thousand at once. A capture can have millions.
    fn conversation_page(&self, _page: Range<u64>) -> Vec<Conversation> {
        Vec::new()
    }

    /// The conversation that is this connection. In most logs none is missing, so that its place is its number.
    fn conversation(&self, connection: ConnectionId) -> Option<Conversation> {
        let place = u64::from(connection.0);
        self.conversation_page(place..place + 1).pop()
    }
}
