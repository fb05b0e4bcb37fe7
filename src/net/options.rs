//! How connections are made and kept; set once at the start.

use std::net::IpAddr;
use std::time::Duration;

use crate::capture::{CaptureError, MAX_PAYLOAD};
use crate::model::{Family, Full, Group, Preset, SocketOptions};

use super::TlsOptions;

/// The local end to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// The local address; `None` lets the system choose.
    pub ip: Option<IpAddr>,
    /// The local port; 0 lets the system choose.
    pub port: u16,
}

/// What happens when the session file takes nothing more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// Stop reading until it does: nothing is lost, the peer is slowed by TCP.
    #[default]
    Pause,
    /// Go on without recording, and say how many bytes are missing.
    Continue,
    /// End the connection.
    Stop,
}

impl OnFull {
    /// Why the session file takes nothing, and what else could be chosen by those who did not choose an end.
    pub(super) fn reason(self, error: &CaptureError) -> String {
        match (error.full(), self) {
            (Full::ForNow, _) | (Full::ForGood, OnFull::Continue | OnFull::Stop) => error.to_string(),
            (Full::ForGood, OnFull::Pause) => {
                format!("{error} (--on-full continue would go on, and say how much is missing)")
            }
        }
    }
}

/// How connections are made and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Only this address family.
    pub family: Option<Family>,
    /// The local end.
    pub bind: Option<Bind>,
    /// The longest that a dial may take, lookups included.
    pub connect_timeout: Duration,
    /// The longest that an open connection may be silent in both directions.
    pub idle_timeout: Option<Duration>,
    /// The most bytes that one read returns, 1 to 65,495.
    pub read_size: usize,
    /// Dial again when a connection has ended.
    pub reconnect: bool,
    /// What a full disk does.
    pub on_full: OnFull,
    /// Ask the kernel for time stamps from the start.
    pub timestamps: bool,
    /// How TLS connections are made.
    pub tls: TlsOptions,
    /// Start TLS in these words on every connection that begins in the clear, and use none without.
    pub starttls: Option<Preset>,
    /// What is set on sockets.
    pub sockets: SocketOptions,
    /// Multicast groups that UDP sockets join.
    pub join: Vec<Group>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            family: None,
            bind: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: None,
            read_size: MAX_PAYLOAD,
            reconnect: false,
            on_full: OnFull::Pause,
            timestamps: false,
            tls: TlsOptions::default(),
            starttls: None,
            sockets: SocketOptions::default(),
            join: Vec::new(),
        }
    }
}
