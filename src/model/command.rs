//! What the app asks of the network worker.

use super::{Endpoint, Preset};

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
    /// Stop waiting for the next attempt, or give up the one under way.
    Cancel,
    /// End everything and stop the worker.
    Shutdown,
}
