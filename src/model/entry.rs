//! What the log consists of: one entry for each read, each write and each event of a connection.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Timestamp, TlsReport};

/// The number of an entry in its session, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// The number of a connection in its session, counted from 0; it is the pcapng interface id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// Which way bytes went, seen from this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Written by us, and taken by our kernel.
    Sent,
    /// Read by us.
    Received,
}

impl Direction {
    /// The other way.
    pub fn opposite(self) -> Direction {
        match self {
            Direction::Sent => Direction::Received,
            Direction::Received => Direction::Sent,
        }
    }

    /// Whose bytes go this way.
    pub fn sender(self) -> Side {
        match self {
            Direction::Sent => Side::Local,
            Direction::Received => Side::Peer,
        }
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// This program.
    Local,
    /// The other program.
    Peer,
}

impl Side {
    /// The one that is not this.
    pub fn other(self) -> Side {
        match self {
            Side::Local => Side::Peer,
            Side::Peer => Side::Local,
        }
    }

    /// Which way its bytes go.
    pub fn direction(self) -> Direction {
        match self {
            Side::Local => Direction::Sent,
            Side::Peer => Direction::Received,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndHow {
    /// An orderly end: FIN (RFC 9293 §3.6).
    Fin,
    /// A reset: RST (RFC 9293 §3.5.3).
    Rst,
    /// The kernel gave up waiting (`ETIMEDOUT`), or our own idle time-out fired.
    Timeout,
    /// The end of the stream without TLS's word that it is the end (RFC 8446 §6.1): it may be cut short.
    Truncated,
    /// A fatal alert of TLS (RFC 8446 §6.2).
    Alert,
    /// The socket was closed without a word to the peer, as datagrams have none.
    Close,
    /// Neither side ended it: the tap between them did, and both were told so.
    Tap,
    /// Another error of the operating system; `End::errno` has its number.
    Os,
}

/// Who ended a connection, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// The side that ended it.
    pub by: Side,
    /// The way it ended.
    pub how: EndHow,
    /// The number of the operating system's error, if there was one.
    pub errno: Option<i32>,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
}

/// One name lookup for one address family (RFC 8305 §3), when it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The name that was asked for.
    pub name: String,
    /// The family that was asked for: A or AAAA.
    pub family: Family,
    /// How long the resolver took.
    pub took: Duration,
    /// The addresses, or why there are none, in words.
    pub result: Result<Vec<SocketAddr>, String>,
}

/// One address being tried (RFC 8305 §5): an entry when it starts, and another when it has ended without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The address tried.
    pub remote: SocketAddr,
    /// Time since this attempt started; zero on `Started`.
    pub took: Duration,
    /// How far it got.
    pub outcome: AttemptOutcome,
}

/// How far an attempt got. Success is the entry `Open`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// `connect` was called.
    Started,
    /// The operating system refused or failed it.
    Failed {
        /// The number of the error, 0 if there is none.
        errno: i32,
        /// The error in words.
        text: String,
    },
    /// It answered, and a handshake above TCP follows.
    Connected,
    /// Our own time-out ended it.
    TimedOut,
    /// Another address won the race.
    Abandoned,
}

/// What an entry records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Bytes: what one read returned or one write took.
    Data {
        /// Which way.
        direction: Direction,
    },
    /// A name lookup ended.
    Lookup(Lookup),
    /// An address was tried.
    Attempt(Attempt),
    /// A TLS handshake ended, well or not.
    Tls(Box<TlsReport>),
    /// The connection is established.
    Open {
        /// Our address.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// One side sent FIN, the other may still send.
    HalfClose {
        /// The side that finished sending.
        by: Side,
    },
    /// The connection is over in both directions. With FIN, `End::by` sent the second one; the first is an entry
    /// `HalfClose` before it.
    Close(End),
    /// Something failed; the connection may or may not live on.
    Error {
        /// What failed, why, and where it can, what to do.
        text: String,
        /// The number of the operating system's error, if there was one.
        errno: Option<i32>,
    },
    /// Bytes crossed the socket and could not be recorded.
    Gap {
        /// Which way.
        direction: Direction,
        /// How many.
        bytes: u64,
    },
    /// Something worth knowing.
    Note {
        /// One sentence.
        text: String,
    },
}

/// One line of the log, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the session.
    pub id: EntryId,
    /// The connection that it belongs to.
    pub connection: ConnectionId,
    /// When it happened at the socket.
    pub at: Timestamp,
    /// What happened.
    pub kind: EntryKind,
    /// How many bytes it carries; 0 for everything but data.
    pub len: u32,
}

impl Entry {
    /// The direction, if the entry carries bytes.
    pub fn direction(&self) -> Option<Direction> {
        match self.kind {
            EntryKind::Data { direction } => Some(direction),
            EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => None,
        }
    }
}
