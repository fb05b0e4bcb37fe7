//! Captures that other programs wrote, made a log: the entries of any of them are found as fast as in our own.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `frames`, `pcapng` | the frames in the file |
//! | `link`, `decode`, `extensions`, `ends`, `fragments` | the TCP segment or UDP datagram in a frame |
//! | `tcp` | one direction of a stream, put back in order |
//! | `hold` | both directions of a connection, in the order of time |
//! | `item`, `flow`, `flows` | conversations, and what their packets mean as entries |
//! | `table`, `conversations` | entries and conversations on disk |
//! | `import`, `remarks` | the reading of a file, and what there is to say about it |
//!
//! Bytes stay where they are in the capture; only what has no bytes there (events, datagrams put together from
//! fragments) goes to a spool.

mod conversations;
mod decode;
mod ends;
mod extensions;
mod flow;
mod flows;
mod fragments;
mod frames;
mod hold;
mod import;
mod item;
mod link;
mod pcapng;
mod remarks;
mod table;
mod tcp;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::conversations::Conversations;
use super::error::unreadable;
use crate::capture::temp;
use crate::model::{ConnectionId, Conversation, EntryId, RecordsError, Timestamp};

pub(super) use frames::Pcap;
pub(super) use import::{Format, Import};
pub(super) use table::{Blocks, Record, RecordKind};
pub(super) use tcp::Place;

/// A foreign capture as far as it was read.
#[derive(Debug)]
pub(super) struct Foreign {
    file: Arc<File>,
    table: File,
    spool: File,
    conversations: Conversations,
    entries: AtomicU64,
}

impl Foreign {
    /// The capture in `file`, of which nothing was read yet.
    pub(super) fn new(file: Arc<File>) -> io::Result<Foreign> {
        Ok(Foreign {
            file,
            table: temp::file()?,
            spool: temp::file()?,
            conversations: Conversations::create()?,
            entries: AtomicU64::new(0),
        })
    }

    /// How many entries there are.
    pub(super) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Acquire)
    }

    /// The record of an entry; `blocks` remembers those around it.
    pub(super) fn record(&self, blocks: &mut Blocks, id: EntryId) -> Result<Record, RecordsError> {
        let entries = self.entries();
        if id.0 >= entries {
            return Err(RecordsError::Missing(id));
        }
        blocks
            .record(&self.table, id.0, entries)
            .map_err(|error| unreadable(&error))
    }

    /// How many conversations there are.
    pub(super) fn conversations(&self) -> u64 {
        self.conversations.len()
    }

    /// A page of the list of conversations.
    pub(super) fn conversation_page(&self, page: Range<u64>) -> Vec<Conversation> {
        self.conversations.page(page)
    }

    /// When a conversation's first packet was captured.
    pub(super) fn started(&self, connection: ConnectionId) -> Option<Timestamp> {
        self.conversations.one(connection).map(|found| found.started)
    }
}
