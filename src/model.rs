//! Layer 1: plain values that the other layers exchange, and the trait through which the log is read.
//!
//! Deliberately absent: sockets, files, the clock, and anything that draws.

mod annotation;
mod command;
mod conversation;
mod endpoint;
mod entry;
mod file;
mod found;
mod link;
mod query;
mod records;
mod time;

pub use annotation::Annotation;
pub use command::{NetCommand, Outgoing, Recording};
pub use conversation::{Conversation, Protocol};
pub use endpoint::{Endpoint, EndpointError, Host, Port};
pub use entry::{
    Attempt, AttemptOutcome, ConnectionId, Direction, End, EndHow, Entry, EntryId, EntryKind, Family, Lookup,
    Side,
};
pub use file::{FileReport, FileState};
pub use found::Found;
pub use link::{Closing, Link, LinkState, NetEvent, RecorderState, RingReport, Tally};
pub use query::{Candidate, Example, Query, QueryError, Reference};
pub(crate) use query::{TermSet, words};
pub use records::{Records, RecordsError, Surroundings, Tail};
pub use time::Timestamp;
