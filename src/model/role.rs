//! What this program is to a connection, and what the two sides are called for that.

use super::{Purpose, Side};

/// What this program is to a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// It dialed.
    #[default]
    Client,
    /// It accepted: the peer dialed.
    Server,
    /// It stands between an application that dialed and the server that it was meant for. What is `Sent` went from the
    /// application to the server, and `Local` is the application.
    Tap,
    /// It waits for others to dial; no byte crosses.
    Listener,
}

impl Role {
    const ALL: [Role; 4] = [Role::Client, Role::Server, Role::Tap, Role::Listener];

    /// The word in `if_description` of the session file.
    pub fn name(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Server => "server",
            Role::Tap => "tap",
            Role::Listener => "listener",
        }
    }

    /// The role that a description begins with, up to its first comma; of captures that others made it is
    /// [`Role::Client`].
    pub fn named(description: &[u8]) -> Role {
        let name = description.split(|byte| *byte == b',').next();
        let known = Role::ALL
            .into_iter()
            .find(|role| name == Some(role.name().as_bytes()));
        known.unwrap_or_default()
    }

    /// The side that dialed.
    pub fn dialer(self) -> Side {
        match self {
            Role::Client | Role::Tap => Side::Local,
            Role::Server | Role::Listener => Side::Peer,
        }
    }
}

/// What the two sides of a connection are called in sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    local: &'static str,
    peer: &'static str,
    dialer: Side,
}

impl Sides {
    /// The names for whoever uses the program to that purpose, of a connection in that role.
    pub fn of(purpose: Purpose, role: Role) -> Sides {
        let (local, peer) = match (purpose, role) {
            (_, Role::Tap) => ("the application", "the server"),
            (Purpose::Live, Role::Client | Role::Server | Role::Listener) => ("you", "the peer"),
            (Purpose::Reading, Role::Client) => ("the client", "the server"),
            (Purpose::Reading, Role::Server | Role::Listener) => ("the server", "the client"),
        };
        Sides {
            local,
            peer,
            dialer: role.dialer(),
        }
    }

    /// The side that dialed.
    pub fn dialer(self) -> Side {
        self.dialer
    }

    /// What a side is called.
    pub fn name(self, side: Side) -> &'static str {
        match side {
            Side::Local => self.local,
            Side::Peer => self.peer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_known_by_their_names() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name().as_bytes()), role);
        }
        assert_eq!(Role::named(b"server, decrypted"), Role::Server);
        assert_eq!(Role::named(b"Wi-Fi"), Role::Client);
    }

    #[test]
    fn whoever_dialed_is_the_client_of_a_recording() {
        for role in [Role::Client, Role::Server] {
            assert_eq!(
                Sides::of(Purpose::Reading, role).name(role.dialer()),
                "the client"
            );
        }
        assert_eq!(Sides::of(Purpose::Live, Role::Server).name(Side::Local), "you");
        assert_eq!(
            Sides::of(Purpose::Live, Role::Tap).name(Side::Local),
            "the application"
        );
    }
}
