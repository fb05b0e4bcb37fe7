//! Whoever answers at a socket that sends to many: each is a connection of the recording of its own, so that its packets
//! have the addresses that they had.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::capture::Connection;
use crate::model::{Direction, Endpoint, EntryId, EntryKind, Recording, Role, Timestamp};
use crate::net::channel::Channel;

use super::Session;

/// How many are remembered. Whoever is forgotten and sends again is recorded as another connection.
const MOST: usize = 4096;

/// Our address, or the group's, and that of whoever sent.
type Ends = (SocketAddr, SocketAddr);

/// Those who have sent something.
#[derive(Debug, Default)]
pub(super) struct Senders {
    known: HashMap<Ends, Connection>,
    /// Who sent last.
    last: Option<Ends>,
}

impl Session<'_> {
    /// Records the first `count` bytes of the buffer, as received from whoever sent them; as which entry, if the file took
    /// them at once.
    pub(super) fn record_received(&mut self, at: Timestamp, count: usize) -> Option<EntryId> {
        let ends = self.channel.as_mut().and_then(Channel::take_ends);
        let sender = match ends {
            Some(ends) if ends.1 != self.ends.1 => self.sender(at, ends),
            Some(_) | None => None,
        };
        let bytes = &self.buffer[..count];
        match sender {
            Some(sender) => self.journal.data_of(&sender, at, bytes),
            None => self.journal.data(at, Direction::Received, bytes, Recording::AsIs),
        }
    }

    /// The connection of a sender; where the log goes on with another one, it says with whom.
    fn sender(&mut self, at: Timestamp, ends: Ends) -> Option<Connection> {
        let (local, remote) = ends;
        if let Some(known) = self.senders.known.get(&ends) {
            if self.senders.last.replace(ends) != Some(ends) {
                let text = format!("from {remote}");
                self.journal.event_of(known, at, EntryKind::Note { text });
            }
            return Some(known.clone());
        }
        let endpoint: Endpoint = format!("udp://{remote}").parse().ok()?;
        let connection = self.shared.recorder.connection_to_be(at, &endpoint, Role::Client);
        self.journal
            .event_of(&connection, at, EntryKind::Open { local, remote });
        // Without the zone, which only one of the two may have.
        if (remote.ip(), remote.port()) == (self.ends.0.ip(), self.ends.0.port()) {
            let text =
                "these are your own datagrams, which come back to this machine: -o multicast-loop=off \
                        keeps them away from it"
                    .to_owned();
            self.journal.event_of(&connection, at, EntryKind::Note { text });
        }
        if self.senders.known.len() >= MOST {
            self.senders.known.clear();
        }
        self.senders.last = Some(ends);
        self.senders.known.insert(ends, connection.clone());
        Some(connection)
    }
}
