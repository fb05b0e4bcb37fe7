//! Who talked with whom: one line of the list of conversations.

use std::fmt;
use std::net::SocketAddr;

use super::{ConnectionId, Role, Side, Timestamp};

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
    /// What the program that recorded it was to it; [`Role::Client`] in a capture of packets.
    pub role: Role,
    /// The side that is `Local` and whose bytes are `Sent`, once it is known.
    pub local: Option<SocketAddr>,
    /// The other side, once it is known.
    pub remote: Option<SocketAddr>,
    /// What was dialed, as in `tcp://localhost:6379`; in a capture of packets, the server.
    pub name: String,
    /// When it started, or when its first packet was captured.
    pub started: Timestamp,
    /// How many entries it has.
    pub entries: u64,
    /// Bytes that are `Sent`.
    pub sent: u64,
    /// Bytes that are `Received`.
    pub received: u64,
}

impl Conversation {
    /// The address of the side that dialed, once it is known.
    pub fn client(&self) -> Option<SocketAddr> {
        match self.role.dialer() {
            Side::Local => self.local,
            Side::Peer => self.remote,
        }
    }

    /// The address of the side that was dialed, once it is known.
    pub fn server(&self) -> Option<SocketAddr> {
        match self.role.dialer() {
            Side::Local => self.remote,
            Side::Peer => self.local,
        }
    }
}
