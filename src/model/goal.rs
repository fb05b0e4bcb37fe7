//! What is to be connected with what.

use super::{Address, Endpoint, NetCommand};

/// What is to be connected with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// This program with a server.
    Connect(Endpoint),
    /// Whoever comes with this program.
    Listen(Address),
    /// Whoever comes with a server.
    Tap(Address, Endpoint),
}

impl Goal {
    /// What the network worker is asked.
    pub fn command(self) -> NetCommand {
        match self {
            Goal::Connect(endpoint) => NetCommand::Connect(endpoint),
            Goal::Listen(address) => NetCommand::Listen(address),
            Goal::Tap(address, target) => NetCommand::Tap(address, target),
        }
    }

    /// What recordings are called after: the server, or where it is waited.
    pub fn endpoint(&self) -> &Endpoint {
        match self {
            Goal::Connect(endpoint) | Goal::Tap(_, endpoint) => endpoint,
            Goal::Listen(address) => address.endpoint(),
        }
    }
}
