//! Where an entry is: found in one way in files of ours, and in another in captures of other programs.

use std::sync::Arc;

use crate::capture::foreign;
use crate::capture::group;
use crate::capture::joined::Parts;
use crate::capture::segment::Segment;
use crate::model::{ConnectionId, Direction, Protocol, Timestamp};

/// An entry without its bytes.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) connection: ConnectionId,
    pub(super) at: Timestamp,
    pub(super) content: Content,
    pub(super) place: Place,
    pub(super) offset: u64,
    pub(super) len: u32,
    pub(super) parts: Parts,
}

/// Where the bytes of an entry are.
#[derive(Clone)]
pub(super) enum Place {
    /// In this file of ours.
    Own(Arc<Segment>),
    /// In a capture of another program, or beside it.
    Foreign(foreign::Place),
}

/// What the bytes of an entry are.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// A part of a stream.
    Stream(Direction),
    /// A message of its own.
    Datagram(Direction),
    /// An event as JSON text.
    Event,
}

impl Slot {
    /// One of a session file of ours.
    pub(super) fn own(slot: &group::Slot, segment: Arc<Segment>) -> Slot {
        let (content, offset, len, parts) = match slot.content {
            group::Content::Data {
                direction,
                protocol,
                offset,
                len,
                parts,
            } => {
                let content = match protocol {
                    Protocol::Tcp => Content::Stream(direction),
                    Protocol::Udp => Content::Datagram(direction),
                };
                (content, offset, len, parts)
            }
            group::Content::Event { offset, len } => (Content::Event, offset, len, Parts::One),
        };
        Slot {
            connection: slot.connection,
            at: slot.at,
            content,
            place: Place::Own(segment),
            offset,
            len,
            parts,
        }
    }
}
