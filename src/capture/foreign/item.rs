//! An entry to be of a conversation, and what the list of conversations tells of it.

use std::net::SocketAddr;

use super::tcp::Place;
use crate::model::{ConnectionId, Direction, EntryKind, Protocol, Timestamp};

/// An entry to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Bytes.
    Data {
        /// Which way.
        direction: Direction,
        /// Whether they are a part of a stream or a datagram.
        protocol: Protocol,
        /// Which file has them.
        place: Place,
        /// Where in it.
        offset: u64,
        /// How many.
        len: u32,
        /// When they were captured.
        at: Timestamp,
    },
    /// An event.
    Event {
        /// What happened; boxed, because data is what there is most of.
        kind: Box<EntryKind>,
        /// When.
        at: Timestamp,
    },
}

impl Item {
    /// When it was captured.
    pub(super) fn at(&self) -> Timestamp {
        match self {
            Item::Data { at, .. } | Item::Event { at, .. } => *at,
        }
    }
}

/// What the list of conversations tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// Its number.
    pub(super) id: ConnectionId,
    /// What carries it.
    pub(super) protocol: Protocol,
    /// The side that sent the SYN, or is taken for it.
    pub(super) client: SocketAddr,
    /// The other side.
    pub(super) server: SocketAddr,
    /// When its first packet was captured.
    pub(super) started: Timestamp,
    /// How many entries it has.
    pub(super) entries: u64,
    /// Bytes from client to server.
    pub(super) sent: u64,
    /// Bytes from server to client.
    pub(super) received: u64,
}
