//! A log in memory, for tests of what is drawn: entries as they are given, and nothing of a file.

use std::collections::BTreeMap;
use std::ops::Range;

use sockscope::model::{
    Annotation, ConnectionId, Conversation, Direction, Entry, EntryId, EntryKind, Records, RecordsError,
    Role, Stamps, Surroundings, Tail, Timestamp,
};

/// A log of one connection, or of several that take turns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    entries: Vec<(Entry, Vec<u8>)>,
    /// Whose entries are added now.
    pub(crate) connection: ConnectionId,
    /// The connections that the log knows of.
    pub(crate) conversations: Vec<Conversation>,
    /// How many entries are not kept any more.
    pub(crate) gone: u64,
    /// The kernel's time stamps of entries.
    pub(crate) stamps: BTreeMap<u64, Stamps>,
    /// What was added to entries.
    pub(crate) annotations: BTreeMap<u64, Annotation>,
}

impl Memory {
    /// Adds an event.
    pub(crate) fn event(&mut self, at: Timestamp, kind: EntryKind) {
        self.push(at, kind, Vec::new());
    }

    /// Adds bytes.
    pub(crate) fn data(&mut self, at: Timestamp, direction: Direction, bytes: &[u8]) {
        self.push(at, EntryKind::Data { direction }, bytes.to_vec());
    }

    fn push(&mut self, at: Timestamp, kind: EntryKind, bytes: Vec<u8>) {
        let entry = Entry {
            id: EntryId(self.entries.len() as u64),
            connection: self.connection,
            at,
            kind,
            len: bytes.len() as u32,
        };
        self.entries.push((entry, bytes));
    }

    fn get(&self, id: EntryId) -> Result<&(Entry, Vec<u8>), RecordsError> {
        if id.0 < self.gone {
            return Err(RecordsError::Removed);
        }
        self.entries.get(id.0 as usize).ok_or(RecordsError::Missing(id))
    }
}

impl Records for Memory {
    fn first(&self) -> EntryId {
        EntryId(self.gone)
    }

    fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        Ok(self.get(id)?.0.clone())
    }

    fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        let bytes = &self.get(id)?.1;
        let end = (range.end as usize).min(bytes.len());
        Ok(bytes[(range.start as usize).min(end)..end].to_vec())
    }

    fn surroundings(&self, id: EntryId) -> Result<Surroundings, RecordsError> {
        let kind = &self.get(id)?.0.kind;
        let at = id.0 as usize;
        let connection = self.get(id)?.0.connection;
        let same = |(entry, _): &&(Entry, Vec<u8>)| entry.kind == *kind && entry.connection == connection;
        let before = self.entries[..at].iter().rev().find(same);
        let after = self.entries[at + 1..].iter().find(same);
        Ok(Surroundings {
            before: before.map(|(_, bytes)| Tail::last_of(bytes)).unwrap_or_default(),
            after: after.map(|(_, bytes)| Tail::first_of(bytes)).unwrap_or_default(),
        })
    }

    fn started(&self, _: ConnectionId) -> Option<Timestamp> {
        self.entries.first().map(|(entry, _)| entry.at)
    }

    fn role(&self, connection: ConnectionId) -> Role {
        self.conversations
            .get(connection.0 as usize)
            .map_or(Role::Client, |conversation| conversation.role)
    }

    fn conversations(&self) -> u64 {
        self.conversations.len() as u64
    }

    fn conversation_page(&self, page: Range<u64>) -> Vec<Conversation> {
        let all = self.conversations.iter().skip(page.start as usize);
        all.take((page.end - page.start) as usize).cloned().collect()
    }

    fn stamps(&self, number: EntryId) -> Option<Stamps> {
        self.stamps.get(&number.0).copied()
    }

    fn has_stamps(&self) -> bool {
        !self.stamps.is_empty()
    }

    fn annotation(&self, number: EntryId) -> Option<Annotation> {
        self.annotations.get(&number.0).cloned()
    }

    fn annotations(&self) -> u64 {
        self.annotations.len() as u64
    }

    fn annotated(&self, page: Range<u64>) -> Vec<EntryId> {
        let all = self.annotations.keys().map(|number| EntryId(*number));
        all.skip(page.start as usize)
            .take((page.end - page.start) as usize)
            .collect()
    }

    fn annotated_after(&self, number: EntryId) -> Option<EntryId> {
        self.annotations
            .range(number.0 + 1..)
            .next()
            .map(|(number, _)| EntryId(*number))
    }

    fn annotated_before(&self, number: EntryId) -> Option<EntryId> {
        self.annotations
            .range(..number.0)
            .next_back()
            .map(|(number, _)| EntryId(*number))
    }
}
