//! The log as every other layer reads it.

use std::ops::Range;

use super::{Log, Session};
use crate::capture::roster;
use crate::model::{
    Annotation, ConnectionId, Conversation, Entry, EntryId, Records, RecordsError, Role, Stamps,
    Surroundings, Timestamp,
};

impl Records for Session {
    fn first(&self) -> EntryId {
        EntryId(self.source.first())
    }

    fn len(&self) -> u64 {
        self.source.entries()
    }

    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        self.checked(id, self.find_entry(id))
    }

    fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        self.checked(id, self.find_payload(id, range))
    }

    fn surroundings(&self, id: EntryId) -> Result<Surroundings, RecordsError> {
        self.checked(id, self.around(id))
    }

    fn started(&self, connection: ConnectionId) -> Option<Timestamp> {
        match self.source.log.get()? {
            Log::Own(shared) => shared.roster.started(connection),
            Log::Foreign(foreign) => foreign.started(connection),
        }
    }

    fn role(&self, connection: ConnectionId) -> Role {
        match self.source.log.get() {
            Some(Log::Own(shared)) => shared.roster.role(connection).unwrap_or_default(),
            Some(Log::Foreign(_)) | None => Role::Client,
        }
    }

    fn stamps(&self, number: EntryId) -> Option<Stamps> {
        self.find_stamps(number)
    }

    fn has_stamps(&self) -> bool {
        self.is_stamped()
    }

    fn annotation(&self, number: EntryId) -> Option<Annotation> {
        self.notes().of(number)
    }

    fn annotations(&self) -> u64 {
        self.notes().count()
    }

    fn annotated(&self, page: Range<u64>) -> Vec<EntryId> {
        self.notes().page(page)
    }

    fn annotated_after(&self, number: EntryId) -> Option<EntryId> {
        self.notes().after(number, |_| true)
    }

    fn annotated_before(&self, number: EntryId) -> Option<EntryId> {
        self.notes().before(number, |_| true)
    }

    fn conversations(&self) -> u64 {
        self.connections() as u64
    }

    fn conversation_page(&self, page: Range<u64>) -> Vec<Conversation> {
        match self.source.log.get() {
            Some(Log::Own(shared)) => roster::page(shared, page),
            Some(Log::Foreign(foreign)) => foreign.conversation_page(page),
            None => Vec::new(),
        }
    }

    fn conversation(&self, connection: ConnectionId) -> Option<Conversation> {
        let place = match self.source.log.get()? {
            Log::Own(shared) => shared.roster.place(connection)?,
            Log::Foreign(_) => u64::from(connection.0),
        };
        self.conversation_page(place..place + 1).pop()
    }
}
