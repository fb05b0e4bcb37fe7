//! What is known of a connection now: the worker's latest report, never its history (the log has that).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::waterfall::{Waterfall, first_byte};
use super::{
    ConnectionId, End, Endpoint, EntryId, Listening, Peers, Phase, Role, Setting, Side, Timestamp, TlsReport,
};

/// The state of a connection; the words are the same wherever they are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Nothing was asked for yet.
    #[default]
    Idle,
    /// A name is being looked up.
    Resolving,
    /// Addresses are being tried.
    Connecting,
    /// Established; a handshake above TCP is under way.
    Handshaking,
    /// Both directions are open.
    Open,
    /// One side sent FIN; the other direction is open.
    HalfClosed,
    /// Over, after having been open.
    Closed,
    /// It never came to be, or broke.
    Failed,
    /// Over, and waiting for the next attempt.
    Waiting,
    /// Accepting connections.
    Listening,
}

impl LinkState {
    /// Whether bytes may still cross in at least one direction.
    pub fn is_live(self) -> bool {
        matches!(self, LinkState::Open | LinkState::HalfClosed)
    }

    /// Whether the worker is busy bringing the connection about.
    pub fn is_dialing(self) -> bool {
        matches!(
            self,
            LinkState::Resolving | LinkState::Connecting | LinkState::Handshaking
        )
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LinkState::Idle => "idle",
            LinkState::Resolving => "resolving",
            LinkState::Connecting => "connecting",
            LinkState::Handshaking => "handshaking",
            LinkState::Open => "open",
            LinkState::HalfClosed => "half-closed",
            LinkState::Closed => "closed",
            LinkState::Failed => "failed",
            LinkState::Waiting => "waiting",
            LinkState::Listening => "listening",
        })
    }
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Bytes.
    pub bytes: u64,
    /// Messages: entries that carry bytes.
    pub messages: u64,
    /// When the first of them crossed the socket.
    pub first: Option<Timestamp>,
    /// When the last of them did.
    pub last: Option<Timestamp>,
}

impl Tally {
    /// Counts a message.
    pub fn count(&mut self, bytes: u64, at: Timestamp) {
        self.add(1, bytes, at);
    }

    /// Counts messages of so many bytes together.
    pub fn add(&mut self, messages: u64, bytes: u64, at: Timestamp) {
        self.bytes += bytes;
        self.messages += messages;
        self.first.get_or_insert(at);
        self.last = Some(at);
    }
}

/// Whether the kernel is asked for time stamps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Timestamping {
    /// It is not.
    #[default]
    Off,
    /// It is.
    On,
    /// It was, and there are none; why, in words.
    Refused(String),
}

/// What a close that is under way leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The end.
    End,
    /// Dialing this.
    Dial(Endpoint),
}

/// A connection as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number in the session.
    pub id: ConnectionId,
    /// What this program is to it.
    pub role: Role,
    /// What was dialed.
    pub endpoint: Endpoint,
    /// Where it stands.
    pub state: LinkState,
    /// Our address, once there is one.
    pub local: Option<SocketAddr>,
    /// The peer's address, or the one being tried.
    pub remote: Option<SocketAddr>,
    /// Who the peer is, where an address does not say it: the process at the other end of a Unix socket.
    pub who: Option<String>,
    /// When dialing started.
    pub started: Timestamp,
    /// When the connection was established.
    pub opened: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// What we wrote and the kernel took.
    pub sent: Tally,
    /// What we read.
    pub received: Tally,
    /// Bytes that were asked to be sent and that the kernel has not taken yet.
    pub unsent: u64,
    /// The side that sent the first FIN.
    pub first_fin: Option<Side>,
    /// What follows once the close under way is through.
    pub closing: Option<Closing>,
    /// How it came about, or how far it has come.
    pub dial: Arc<Waterfall>,
    /// Whether the kernel is asked for time stamps.
    pub timestamping: Timestamping,
    /// What the TLS handshake with the peer agreed on, or how far it got.
    pub tls: Option<Arc<TlsReport>>,
    /// The same of that with the application, in a tap.
    pub application_tls: Option<Arc<TlsReport>>,
    /// The options of its socket as the kernel had them when it was opened or one of them was asked about last.
    pub options: Arc<[Setting]>,
    /// Who ended it and how, once it has ended.
    pub end: Option<End>,
    /// Why it failed or ended, in words: one clear sentence with, where it can, what to do.
    pub reason: Option<String>,
    /// Which attempt of a series this is, counted from 1.
    pub round: u32,
    /// When the next attempt starts, in state `Waiting`.
    pub retry_at: Option<Timestamp>,
    /// Whether no attempt follows though it was asked to connect again: the recording is full, and that ends it.
    pub given_up: bool,
}

impl Link {
    /// A link that has just been asked for, as a client.
    pub fn new(id: ConnectionId, endpoint: Endpoint, started: Timestamp) -> Link {
        Link {
            id,
            role: Role::Client,
            endpoint,
            state: LinkState::Idle,
            local: None,
            remote: None,
            who: None,
            started,
            opened: None,
            ended: None,
            sent: Tally::default(),
            received: Tally::default(),
            unsent: 0,
            first_fin: None,
            closing: None,
            dial: Arc::default(),
            timestamping: Timestamping::Off,
            tls: None,
            application_tls: None,
            options: Arc::default(),
            end: None,
            reason: None,
            round: 1,
            retry_at: None,
            given_up: false,
        }
    }

    /// The phases of its dial, and the wait for the peer's first byte behind them.
    pub fn phases(&self) -> Vec<Phase> {
        let mut phases = self.dial.phases();
        if let Some(opened) = self.opened.filter(|_| !phases.is_empty()) {
            phases.extend(first_byte(opened, self.sent, self.received, self.ended));
        }
        phases
    }
}

/// What keeps a file from taking more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Something that may pass: a full disk, a quota, an error of the disk.
    ForNow,
    /// A bound that was set for the file.
    ForGood,
}

/// Whether the session file takes what it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RecorderState {
    /// Everything that crossed the socket is in the file.
    #[default]
    Recording,
    /// The file takes nothing now, and reading is paused so that nothing is lost.
    Paused {
        /// Why, in words.
        reason: String,
        /// Whether it can go on.
        full: Full,
    },
    /// The file takes nothing, and the connection was ended for that.
    Stopped {
        /// Why, in words.
        reason: String,
    },
    /// The file takes nothing, and bytes cross unrecorded.
    Losing {
        /// Why, in words.
        reason: String,
        /// Bytes that crossed and were not recorded.
        bytes: u64,
    },
}

/// The files of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingReport {
    /// How many there are.
    pub files: u32,
    /// How many there may be.
    pub of: u32,
    /// The number of the first entry in them.
    pub first: EntryId,
    /// How many older ones were deleted.
    pub deleted: u32,
    /// Bytes of both sides that were in those.
    pub deleted_payload: u64,
}

/// How many requests to send the worker has dealt with since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sends {
    /// All of them.
    pub handled: u64,
    /// Those that had no connection to go to, or no room to wait in: not a byte of them will be sent.
    pub refused: u64,
}

/// What came of a request about an option of the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which answer it is, counted from 1, so that the same words can be told from those before.
    pub number: u64,
    /// One sentence.
    pub text: String,
    /// Whether it could not be done.
    pub refused: bool,
}

/// The worker's latest report. A newer one replaces it, so reports coalesce under load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetEvent {
    /// The connection in front, once one was asked for.
    pub link: Option<Link>,
    /// What waits for connections, once that was asked for.
    pub listening: Option<Listening>,
    /// The connections that it accepted.
    pub peers: Peers,
    /// The number of entries in the log.
    pub entries: u64,
    /// The size of the session file in bytes, or of the kept files of a ring.
    pub size: u64,
    /// The files, if the recording is a ring.
    pub ring: Option<RingReport>,
    /// Bytes of both sides in it: what discarding it would lose.
    pub payload: u64,
    /// How the recorder is doing.
    pub recorder: RecorderState,
    /// What became of requests to send.
    pub sends: Sends,
    /// What came of the last request about an option of the socket.
    pub answer: Option<Answer>,
}

impl NetEvent {
    /// The connection of that number, to change what is known of it.
    pub fn link_mut(&mut self, id: ConnectionId) -> Option<&mut Link> {
        match &mut self.link {
            Some(link) if link.id == id => Some(link),
            Some(_) | None => self.peers.get_mut(id),
        }
    }
}
