//! What the app asks of the network worker.

use super::{Address, ConnectionId, Direction, Endpoint, OptionRequest, Preset};

/// How sent bytes are written to the session file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// As they are.
    #[default]
    AsIs,
    /// As the same number of asterisks, with a note: a secret that must not be kept.
    Masked,
}

/// Bytes to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What goes on the wire, unchanged.
    pub bytes: Vec<u8>,
    /// What goes into the file.
    pub recording: Recording,
}

/// A request to the network worker. The worker answers with `NetEvent` and with entries in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetCommand {
    /// Dial this endpoint; an open connection is closed with FIN first.
    Connect(Endpoint),
    /// Dial the last endpoint again, now; an open connection is closed with FIN first.
    Reconnect,
    /// Queue these bytes behind those that are still unsent.
    Send(Outgoing),
    /// Start TLS on the open connection once everything queued is sent: in the words of this protocol, or at once.
    StartTls(Option<Preset>),
    /// Send FIN once everything queued is sent, and go on reading.
    HalfClose,
    /// Send FIN once everything queued is sent, and end when the peer has ended too or a grace period is over.
    Close,
    /// End at once with RST (`SO_LINGER` 0); what is unsent is dropped and its count noted.
    Reset,
    /// Show or set an option of the socket; what is set counts for later connections too. `NetEvent::answer` says what
    /// came of it.
    Option(OptionRequest),
    /// Ask the kernel for time stamps of what crosses from now on, or for no more; of later connections too.
    Timestamps(bool),
    /// Stop waiting for the next attempt, or give up the one under way.
    Cancel,
    /// Wait for connections there; what is open or waits already is ended first.
    Listen(Address),
    /// Wait for connections there, and relay each to the endpoint.
    Tap(Address, Endpoint),
    /// The same for connections that were accepted; those that are over by then are passed over.
    Peers(Vec<ConnectionId>, PeerCommand),
    /// End everything and stop the worker.
    Shutdown,
}

impl From<PeerCommand> for NetCommand {
    /// The same of the connection that has taken it for its own.
    fn from(command: PeerCommand) -> NetCommand {
        match command {
            PeerCommand::Send(message, _) => NetCommand::Send(message),
            PeerCommand::HalfClose => NetCommand::HalfClose,
            PeerCommand::Close => NetCommand::Close,
            PeerCommand::Reset => NetCommand::Reset,
            PeerCommand::Option(request) => NetCommand::Option(request),
        }
    }
}

/// A request that is about a connection that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerCommand {
    /// Queue these bytes behind those that are still unsent. To a peer everything is `Sent`; in a tap it is what goes to
    /// the server, and what goes to the application is `Received`.
    Send(Outgoing, Direction),
    /// See [`NetCommand::HalfClose`]. A tap relays the ends of others and has none of its own.
    HalfClose,
    /// See [`NetCommand::Close`]; in a tap both sides.
    Close,
    /// See [`NetCommand::Reset`]; in a tap both sides.
    Reset,
    /// See [`NetCommand::Option`].
    Option(OptionRequest),
}
