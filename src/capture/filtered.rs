//! A log in which only what a filter shows has a place.

use std::ops::Range;

use super::Session;
use super::search::{Hits, Scan};
use crate::model::{
    Annotation, ConnectionId, Conversation, Entry, EntryId, Records, RecordsError, Role, Stamps,
    Surroundings, Timestamp,
};

/// The entries of a session that a scan has found so far. Bytes around an entry are those of its stream, shown or not.
#[derive(Debug)]
pub struct Filtered {
    session: Session,
    hits: Hits,
}

impl Filtered {
    /// What `scan` finds in `session`.
    pub fn new(session: Session, scan: &Scan) -> Filtered {
        Filtered {
            session,
            hits: scan.hits(),
        }
    }

    /// The number in the session of the entry at a place.
    fn number(&self, place: EntryId) -> Result<EntryId, RecordsError> {
        match self.hits.nth(place.0) {
            Some(number) => Ok(number),
            None if place < self.first() => Err(RecordsError::Removed),
            None => Err(RecordsError::Missing(place)),
        }
    }
}

impl Records for Filtered {
    fn first(&self) -> EntryId {
        EntryId(self.hits.rank(self.session.first()))
    }

    fn len(&self) -> u64 {
        self.hits.count()
    }

    fn unfiltered(&self) -> Option<&dyn Records> {
        Some(&self.session)
    }

    fn place_of(&self, number: EntryId) -> EntryId {
        EntryId(self.hits.rank(number))
    }

    fn number_of(&self, place: EntryId) -> Option<EntryId> {
        let number = self.hits.nth(place.0)?;
        (number >= self.session.first()).then_some(number)
    }

    fn entry(&self, place: EntryId) -> Result<Entry, RecordsError> {
        self.session.entry(self.number(place)?)
    }

    fn payload(&self, place: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        self.session.payload(self.number(place)?, range)
    }

    fn surroundings(&self, place: EntryId) -> Result<Surroundings, RecordsError> {
        self.session.surroundings(self.number(place)?)
    }

    fn started(&self, connection: ConnectionId) -> Option<Timestamp> {
        self.session.started(connection)
    }

    fn role(&self, connection: ConnectionId) -> Role {
        self.session.role(connection)
    }

    fn annotation(&self, number: EntryId) -> Option<Annotation> {
        self.session.annotation(number)
    }

    fn stamps(&self, number: EntryId) -> Option<Stamps> {
        self.session.stamps(number)
    }

    fn has_stamps(&self) -> bool {
        self.session.has_stamps()
    }

    fn annotations(&self) -> u64 {
        self.session.annotations()
    }

    fn annotated(&self, page: Range<u64>) -> Vec<EntryId> {
        self.session.annotated(page)
    }

    fn annotated_after(&self, number: EntryId) -> Option<EntryId> {
        self.session.annotated_after_among(number, &self.hits)
    }

    fn annotated_before(&self, number: EntryId) -> Option<EntryId> {
        self.session.annotated_before_among(number, &self.hits)
    }

    fn conversations(&self) -> u64 {
        self.session.conversations()
    }

    fn conversation_page(&self, page: Range<u64>) -> Vec<Conversation> {
        self.session.conversation_page(page)
    }

    fn conversation(&self, connection: ConnectionId) -> Option<Conversation> {
        self.session.conversation(connection)
    }
}
