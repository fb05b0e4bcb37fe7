//! A connection in the file, and how its interfaces are numbered.

use std::net::SocketAddr;

use crate::capture::block;
use crate::capture::export::Piece;
use crate::capture::stream::Stream;
use crate::model::{ConnectionId, Protocol, Role, Side};
use crate::text::{Policy, Shown};

/// Sentences that wait for the next packet of their connection.
const WAITING: usize = 32;

/// Characters of such a sentence; what is hostile may be long.
const LONGEST: usize = 1000;

/// How the interfaces of the file are numbered: as its connections are, but for those with which a connection goes on
/// after an upgrade to TLS.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    /// For each of those, how many connections had one before.
    between: Vec<u32>,
}

impl Interfaces {
    /// The first interface of a connection.
    pub(super) fn of(&self, connection: ConnectionId) -> u32 {
        let before = self.between.partition_point(|count| *count <= connection.0);
        connection.0.saturating_add(before as u32)
    }

    /// Adds one that goes on with a connection, when so many connections have one; its number.
    pub(super) fn add(&mut self, connections: u32) -> u32 {
        let number = connections.saturating_add(self.between.len() as u32);
        self.between.push(connections);
        number
    }
}

/// A connection in the file.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    /// Its number there.
    pub(super) number: ConnectionId,
    /// The interface that its entries have now.
    pub(super) interface: u32,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) protocol: Protocol,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) stream: Option<Stream>,
    /// What happened without a packet and is told by the next one.
    pub(super) waiting: Vec<String>,
}

impl Channel {
    /// The comments on the next packet, as options.
    pub(super) fn remarks(&self, piece: &Piece<'_>) -> Vec<u8> {
        let waiting = self.waiting.iter().map(String::as_str);
        let added: Vec<String> = piece.remark_lines().map(|line| harmless(&line)).collect();
        // One comment of several lines stays one.
        let added = added.join("\n");
        block::remarks(waiting.chain((!added.is_empty()).then_some(added.as_str())))
    }

    /// Keeps a sentence for the next packet.
    pub(super) fn wait(&mut self, sentence: &str) {
        if self.waiting.len() < WAITING {
            self.waiting.push(sentence.chars().take(LONGEST).collect());
        }
    }

    /// The synthetic connection; without an opening it was open when the log begins.
    pub(super) fn stream(&mut self) -> &mut Stream {
        let Channel {
            number,
            local,
            remote,
            ..
        } = *self;
        self.stream
            .get_or_insert_with(|| Stream::new(number, local, remote))
    }

    pub(super) fn is_known(&self) -> bool {
        self.local.port() != 0 || self.remote.port() != 0
    }

    /// From whom and to whom.
    pub(super) fn ends(&self, from: Side) -> (SocketAddr, SocketAddr) {
        match from {
            Side::Local => (self.local, self.remote),
            Side::Peer => (self.remote, self.local),
        }
    }
}

/// As other programs may print it.
pub(super) fn harmless(text: &str) -> String {
    let policy = Policy {
        rtl: true,
        ascii: false,
    };
    Shown::of(text, policy).to_string()
}
