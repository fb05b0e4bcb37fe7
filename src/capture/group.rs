//! A small cache of where the entries near a checkpoint are, so that a screenful of them is found by one walk.

use super::error::unreadable;
use super::index::GROUP;
use super::joined::Parts;
use super::segment::{Interfaces, Scope, Segment};
use super::walk::{self, Block, Fault};
use super::window::Window;
use crate::model::{ConnectionId, Direction, EntryId, Protocol, RecordsError, Timestamp};

/// Groups kept: a screen and what lies next to it, several times over.
const KEPT: usize = 16;

/// Bytes read at a time while walking: a screenful of small blocks, or the end of a large one with the start
/// of the next.
const CHUNK: usize = 4096;

/// Where an entry is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Its connection.
    pub(super) connection: ConnectionId,
    /// When it happened.
    pub(super) at: Timestamp,
    /// What it holds.
    pub(super) content: Content,
}

/// What an entry holds, and where in the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// Bytes.
    Data {
        /// Which way they went.
        direction: Direction,
        /// Whether they are a part of a stream or a datagram.
        protocol: Protocol,
        /// Where they are.
        offset: u64,
        /// How many.
        len: u32,
        /// Whether they lie together.
        parts: Parts,
    },
    /// An event as JSON text.
    Event {
        /// Where it is.
        offset: u64,
        /// How long.
        len: u32,
    },
}

/// The groups used last, the latest at the end.
#[derive(Debug, Default)]
pub(super) struct Cache {
    groups: Vec<Group>,
    buffer: Vec<u8>,
}

/// The entries from one checkpoint to the next, as far as they were walked.
#[derive(Debug)]
struct Group {
    /// The file, and which of its groups it is.
    number: (u32, u64),
    /// Where the block after the last slot starts.
    next: u64,
    slots: Vec<Slot>,
}

impl Cache {
    /// Where in the file entry `id` is.
    pub(super) fn slot(&mut self, segment: &Segment, id: EntryId) -> Result<Slot, RecordsError> {
        let entries = segment.index.entries();
        let place = id.0.checked_sub(segment.first).filter(|place| *place < entries);
        let place = place.ok_or(RecordsError::Missing(id))?;
        let number = place / GROUP;
        let within = (place % GROUP) as usize;
        let mut group = self.take(segment, number).ok_or(RecordsError::Missing(id))?;
        // A group that was walked while it was still growing lacks its newest entries.
        let walked = if within < group.slots.len() {
            Ok(())
        } else {
            let wanted = (entries - number * GROUP).min(GROUP) as usize;
            group.walk(segment, wanted, &mut self.buffer)
        };
        let slot = group.slots.get(within).copied();
        self.groups.push(group);
        walked?;
        slot.ok_or(RecordsError::Missing(id))
    }

    /// Takes a group out of the cache, or begins it.
    fn take(&mut self, segment: &Segment, group: u64) -> Option<Group> {
        let number = (segment.number, group);
        if let Some(place) = self.groups.iter().rposition(|group| group.number == number) {
            return Some(self.groups.remove(place));
        }
        if self.groups.len() >= KEPT {
            self.groups.remove(0);
        }
        Some(Group {
            number,
            next: segment.index.checkpoint(group)?.offset,
            slots: Vec::new(),
        })
    }
}

impl Group {
    /// Goes on until there are `wanted` slots.
    fn walk(&mut self, segment: &Segment, wanted: usize, buffer: &mut Vec<u8>) -> Result<(), RecordsError> {
        let interfaces = segment.interfaces();
        let mut scope = interfaces.scope(self.next);
        let mut window = Window::new(&segment.file, segment.index.end(), CHUNK, buffer);
        while self.slots.len() < wanted {
            if !scope.holds(self.next) {
                scope = interfaces.scope(self.next);
            }
            let Block { len, content } =
                walk::block_at(&mut window, self.next, scope.len()).map_err(|fault| match fault {
                    Fault::Io(error) => unreadable(&error),
                    Fault::Cut => RecordsError::Damaged {
                        offset: self.next,
                        what: "the block is cut short".to_owned(),
                    },
                    Fault::Damaged(what) => RecordsError::Damaged {
                        offset: self.next,
                        what: what.to_owned(),
                    },
                })?;
            self.next += u64::from(len);
            self.slots.extend(slot(content, &interfaces, scope));
        }
        Ok(())
    }
}

fn slot(content: walk::Content, interfaces: &Interfaces, scope: Scope) -> Option<Slot> {
    match content {
        walk::Content::Data {
            interface,
            at,
            direction,
            protocol,
            offset,
            len,
            parts,
        } => Some(Slot {
            connection: interfaces.connection(scope, interface)?,
            at,
            content: Content::Data {
                direction,
                protocol,
                offset,
                len,
                parts,
            },
        }),
        walk::Content::Event {
            interface,
            at,
            offset,
            len,
            id: _,
        } => Some(Slot {
            connection: interfaces.connection(scope, interface)?,
            at,
            content: Content::Event { offset, len },
        }),
        walk::Content::Interface { .. }
        | walk::Content::About { .. }
        | walk::Content::Stamps(_)
        | walk::Content::Section { .. }
        | walk::Content::Nothing => None,
    }
}
