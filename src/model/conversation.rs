//! Who talked with whom: one line of the list of conversations.

use std::fmt;
use std::net::SocketAddr;

use super::{ConnectionId, Timestamp};

/// What carries a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        })
    }
}

/// A conversation as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its number in the session.
    pub id: ConnectionId,
    /// What carries it.
    pub protocol: Protocol,
    /// The side that is `Local` and whose bytes are `Sent`, once it is known.
    pub client: Option<SocketAddr>,
    /// The other side, once it is known.
    pub server: Option<SocketAddr>,
    /// What was dialed, as in `tcp://localhost:6379`; in a capture of packets, the server.
    pub name: String,
    /// When it started, or when its first packet was captured.
    pub started: Timestamp,
    /// How many entries it has.
    pub entries: u64,
    /// Bytes from client to server.
    pub sent: u64,
    /// Bytes from server to client.
    pub received: u64,
}
