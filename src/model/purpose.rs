//! What the program was started for; it decides what the two sides of a connection are called.

/// What the program was started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To connect, and to record what crosses.
    Live,
    /// To read a recording: there is nothing to send to.
    Reading,
}
