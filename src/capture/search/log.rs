//! A log in memory, for tests.

use std::ops::Range;

use crate::model::{
    ConnectionId, Direction, Entry, EntryId, EntryKind, Records, RecordsError, Surroundings, Timestamp,
};

/// One entry.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// Bytes.
    Data(u32, Direction, Vec<u8>),
    /// Bytes that are missing.
    Gap(u32, Direction),
    /// A sentence.
    Note(String),
}

/// Entries in order.
#[derive(Debug)]
pub(super) struct Log(Vec<Line>);

impl Log {
    pub(super) fn new(lines: Vec<Line>) -> Log {
        Log(lines)
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.0
    }

    fn line(&self, id: EntryId) -> Result<&Line, RecordsError> {
        self.0.get(id.0 as usize).ok_or(RecordsError::Missing(id))
    }
}

impl Records for Log {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        let (connection, kind, len) = match self.line(id)? {
            Line::Data(connection, direction, bytes) => (
                *connection,
                EntryKind::Data {
                    direction: *direction,
                },
                bytes.len(),
            ),
            Line::Gap(connection, direction) => (
                *connection,
                EntryKind::Gap {
                    direction: *direction,
                    bytes: 1,
                },
                0,
            ),
            Line::Note(text) => (0, EntryKind::Note { text: text.clone() }, 0),
        };
        Ok(Entry {
            id,
            connection: ConnectionId(connection),
            at: Timestamp(id.0),
            kind,
            len: len as u32,
        })
    }

    fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        Ok(match self.line(id)? {
            Line::Data(_, _, bytes) => {
                let end = bytes.len().min(range.end as usize);
                bytes[end.min(range.start as usize)..end].to_vec()
            }
            Line::Gap(..) | Line::Note(_) => Vec::new(),
        })
    }

    fn surroundings(&self, _: EntryId) -> Result<Surroundings, RecordsError> {
        Ok(Surroundings::default())
    }

    fn started(&self, _: ConnectionId) -> Option<Timestamp> {
        None
    }
}
