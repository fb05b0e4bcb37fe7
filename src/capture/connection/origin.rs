//! What a file is told of a connection before its entries.

use std::net::SocketAddr;

use crate::capture::recorder::Filed;
use crate::capture::{block, plaintext};
use crate::model::{ConnectionId, Endpoint, Protocol, Role, Timestamp};

/// What a file is told of a connection before anything else.
#[derive(Debug)]
pub(in crate::capture) struct Origin {
    /// Its number.
    pub(in crate::capture) id: ConnectionId,
    /// When dialing started.
    pub(in crate::capture) started: Timestamp,
    name: String,
    /// The same after an upgrade to TLS.
    decrypted: String,
    /// What this program is to it.
    pub(in crate::capture) role: Role,
    /// Whether it is a stream of bytes, or datagrams.
    pub(super) protocol: Protocol,
}

impl Origin {
    pub(in crate::capture) fn new(
        id: ConnectionId,
        started: Timestamp,
        endpoint: &Endpoint,
        role: Role,
    ) -> Origin {
        Origin {
            id,
            started,
            name: endpoint.to_string(),
            decrypted: plaintext::name(endpoint),
            role,
            protocol: endpoint.protocol(),
        }
    }

    /// Its interface description block; `goes_on` is the number of the interface in that file that the part before an
    /// upgrade to TLS has.
    pub(in crate::capture) fn block(&self, told: Told, goes_on: Option<u32>) -> Vec<u8> {
        let name = self.name(told.part);
        let description = match told.part {
            Part::Whole => self.role.name().to_owned(),
            Part::Decrypted(_) => decrypted(self.role),
        };
        block::interface(&block::Interface {
            name,
            description: &description,
            started: self.started,
            addresses: told.addresses,
            goes_on,
        })
    }

    pub(super) fn name(&self, part: Part) -> &str {
        match part {
            Part::Whole => &self.name,
            Part::Decrypted(_) => &self.decrypted,
        }
    }
}

/// What this program is to a connection after an upgrade to TLS, as `if_description` has it.
pub(in crate::capture) fn decrypted(role: Role) -> String {
    format!("{}, decrypted after an upgrade to TLS", role.name())
}

/// Which part of a connection entries belong to.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::capture) enum Part {
    /// All of it, or what came before an upgrade to TLS.
    #[default]
    Whole,
    /// What was decrypted after one. The part before is filed there.
    Decrypted(Option<Filed>),
}

/// What a file has to be told of a connection before its entries, if it has no interface for them.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::capture) struct Told {
    /// Who talks to whom, if an earlier file has the entry that tells it.
    pub(in crate::capture) addresses: Option<(SocketAddr, SocketAddr)>,
    /// Of which part the entries are.
    pub(in crate::capture) part: Part,
}

impl Told {
    /// Where the part before an upgrade to TLS is filed.
    pub(in crate::capture) fn earlier(self) -> Option<Filed> {
        match self.part {
            Part::Whole => None,
            Part::Decrypted(earlier) => earlier,
        }
    }
}
