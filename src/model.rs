//! Layer 1: plain values that the other layers exchange, and the trait through which the log is read.
//!
//! Deliberately absent: sockets, files, the clock, and anything that draws.

mod address;
mod annotation;
mod authority;
mod command;
mod conversation;
mod destination;
mod details;
mod endpoint;
mod entry;
mod export;
mod file;
mod found;
mod goal;
mod group;
mod kernel;
mod link;
mod peers;
mod phase;
mod preset;
mod purpose;
mod query;
mod records;
mod role;
mod sentence;
mod socket_option;
mod stamps;
mod time;
mod tls;
mod waterfall;

pub use address::Address;
pub use annotation::Annotation;
pub use authority::{Authority, Host, Port};
pub use command::{NetCommand, Outgoing, PeerCommand, Recording};
pub use conversation::{Conversation, Protocol};
pub use destination::Destination;
pub use details::details;
pub use endpoint::{Endpoint, EndpointError, UnixAddress};
pub use entry::{
    Attempt, AttemptOutcome, ConnectionId, Direction, End, EndHow, Entry, EntryId, EntryKind, Family, Lookup,
    Side,
};
pub use export::{ExportFormat, ExportReport, ExportState, Portion};
pub use file::{FileReport, FileState};
pub use found::Found;
pub use goal::Goal;
pub use group::{Group, GroupError};
pub use kernel::{KernelReport, TcpInfo, TcpState};
pub use link::{
    Answer, Closing, Full, Link, LinkState, NetEvent, RecorderState, RingReport, Sends, Tally, Timestamping,
};
pub use peers::{Listening, Peers};
pub use phase::{Ending, LABEL, Phase, PhaseEnd, PhaseKind, bar_cells, chart, spans};
pub use preset::Preset;
pub use purpose::Purpose;
pub use query::{Candidate, Query, QueryError, Reference};
pub(crate) use query::{TermSet, words};
pub use records::{Records, RecordsError, Surroundings, Tail, reading, whole};
pub use role::{Role, Sides};
pub use sentence::{end_sentence, sentence};
pub use socket_option::{
    KeepAlive, OptionError, OptionInfo, OptionRequest, SOCKET_OPTIONS, SetWhen, Setting, SocketKind,
    SocketOption, SocketOptions, SocketValue,
};
pub use stamps::{Stamped, Stamps, stamps_line, timeline};
pub use time::Timestamp;
pub use tls::{Agreed, Certificate, TlsReport, TlsRole, Verdict};
pub use waterfall::Waterfall;
