//! Where a connection has its place in the file, or in the last one of a ring.

use crate::capture::connection::{Origin, Told};
use crate::capture::roster::{Known, Traffic};
use crate::capture::segment::Segment;
use crate::model::{ConnectionId, Role, Timestamp};

/// Where a connection has its interface description block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) struct Filed {
    /// In which file.
    segment: u32,
    /// Its number there.
    pub(in crate::capture) interface: u32,
}

/// Where the next bytes of a connection go.
pub(in crate::capture) struct Place {
    /// The connection in the file.
    pub(in crate::capture) filed: Filed,
    /// What the file has to be told before, if it does not know the connection.
    pub(super) announcement: Option<Announcement>,
}

/// An interface description block.
pub(super) struct Announcement {
    pub(super) block: Vec<u8>,
    pub(super) id: ConnectionId,
    started: Timestamp,
    role: Role,
    /// Whether the file knows an earlier part of the connection.
    pub(super) goes_on: bool,
}

impl Place {
    /// That of a connection in this file, which was `filed` before. `told` is what the file has to be told of it if it
    /// does not know it.
    pub(super) fn find(segment: &Segment, origin: &Origin, filed: Option<Filed>, told: Told) -> Place {
        let here = |filed: &Filed| filed.segment == segment.number;
        if let Some(filed) = filed.filter(here) {
            return Place {
                filed,
                announcement: None,
            };
        }
        let earlier = told.earlier().filter(here).map(|filed| filed.interface);
        Place {
            filed: Filed {
                segment: segment.number,
                interface: segment.interfaces().len() as u32,
            },
            announcement: Some(Announcement {
                block: origin.block(told, earlier),
                id: origin.id,
                started: origin.started,
                role: origin.role,
                goes_on: earlier.is_some(),
            }),
        }
    }
}

impl Announcement {
    /// What is known of the connection once it stands at `block` of that file.
    pub(super) fn known(&self, segment: u32, block: u64) -> Known {
        Known {
            id: self.id,
            segment,
            started: self.started,
            role: self.role,
            block,
            traffic: Traffic::default(),
        }
    }
}
