//! What is fixed when the program starts, and the small choices that settings and keys share.

use std::fmt;
use std::str::FromStr;

use crate::model::{Endpoint, Goal, Purpose};
use crate::text::{InputType, LineEnding, Policy};

/// A part of the screen that can have the focus. The focus is the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pane {
    /// 1: state, addresses, counts, rates.
    Status,
    /// 2: the entries.
    Log,
    /// 3: one entry in full.
    Inspector,
    /// 4: what is typed to the peer.
    Input,
}

impl Pane {
    /// All of them, in the order of Tab.
    pub const ALL: [Pane; 4] = [Pane::Status, Pane::Log, Pane::Inspector, Pane::Input];
}

impl fmt::Display for Pane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pane::Status => "Status",
            Pane::Log => "Log",
            Pane::Inspector => "Inspector",
            Pane::Input => "Input",
        })
    }
}

/// How the log shows bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Offsets and hex digits.
    Hex,
    /// Decoded text.
    Text,
    /// Hex digits with decoded text beside them.
    #[default]
    Both,
}

impl View {
    /// The view after this one.
    #[must_use]
    pub fn next(self) -> View {
        match self {
            View::Hex => View::Text,
            View::Text => View::Both,
            View::Both => View::Hex,
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            View::Hex => "hex",
            View::Text => "text",
            View::Both => "both",
        })
    }
}

impl FromStr for View {
    type Err = String;

    fn from_str(text: &str) -> Result<View, String> {
        [View::Hex, View::Text, View::Both]
            .into_iter()
            .find(|view| view.to_string() == text)
            .ok_or_else(|| format!("{text:?} is not a view: write hex, text or both"))
    }
}

/// What the time column shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeColumn {
    /// The time of day, and the time since the entry before.
    #[default]
    Absolute,
    /// The time since dialing started, and the time since the entry before.
    SinceStart,
    /// Only the time since the entry before.
    Delta,
    /// What the kernel's time stamps tell: how long a sent entry took to be acknowledged, how long a received one lay
    /// unread; and the time since the entry before.
    Kernel,
}

impl TimeColumn {
    /// The column after this one, of those that have something to show: `stamped` is whether there are time stamps.
    #[must_use]
    pub fn next(self, stamped: bool) -> TimeColumn {
        match self {
            TimeColumn::Absolute => TimeColumn::SinceStart,
            TimeColumn::SinceStart => TimeColumn::Delta,
            TimeColumn::Delta if stamped => TimeColumn::Kernel,
            TimeColumn::Delta | TimeColumn::Kernel => TimeColumn::Absolute,
        }
    }
}

impl fmt::Display for TimeColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeColumn::Absolute => "absolute",
            TimeColumn::SinceStart => "start",
            TimeColumn::Delta => "delta",
            TimeColumn::Kernel => "kernel",
        })
    }
}

impl FromStr for TimeColumn {
    type Err = String;

    fn from_str(text: &str) -> Result<TimeColumn, String> {
        [
            TimeColumn::Absolute,
            TimeColumn::SinceStart,
            TimeColumn::Delta,
            TimeColumn::Kernel,
        ]
        .into_iter()
        .find(|column| column.to_string() == text)
        .ok_or_else(|| format!("{text:?} is not a time column: write absolute, start, delta or kernel"))
    }
}

/// In which zone times of day are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated universal time.
    Utc,
    /// Local time, as it was when the program started.
    Local {
        /// Seconds east of UTC.
        offset: i32,
    },
}

impl Zone {
    /// Seconds east of UTC.
    pub fn offset(self) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Local { offset } => offset,
        }
    }
}

/// Where the session is recorded, or what is read; and so what quitting means for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionFile {
    /// The user named the file (`-w FILE`): nothing is unsaved, and nothing can be discarded.
    Named(String),
    /// A file of ours in the folder of sessions.
    Temporary(String),
    /// A file that is only read.
    Opened(String),
}

impl SessionFile {
    /// The path, for reading by people.
    pub fn path(&self) -> &str {
        match self {
            SessionFile::Named(path) | SessionFile::Temporary(path) | SessionFile::Opened(path) => path,
        }
    }

    /// What the program was started for.
    pub fn purpose(&self) -> Purpose {
        match self {
            SessionFile::Named(_) | SessionFile::Temporary(_) => Purpose::Live,
            SessionFile::Opened(_) => Purpose::Reading,
        }
    }
}

/// What is fixed when the program starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is connected first; without it the user is asked.
    pub goal: Option<Goal>,
    /// The first view.
    pub view: View,
    /// The first time column.
    pub time: TimeColumn,
    /// How typed input is read at first.
    pub input: InputType,
    /// What Enter appends at first.
    pub eol: LineEnding,
    /// Which characters may be shown as they are.
    pub policy: Policy,
    /// In which zone times of day are shown.
    pub zone: Zone,
    /// Where the session is recorded, or what is read.
    pub session: SessionFile,
    /// Targets of before, the most recent first.
    pub recents: Vec<Endpoint>,
    /// Whether mouse reports are on at the start.
    pub mouse: bool,
    /// What the start has to say, for example that recordings were kept; shown as notices.
    pub greetings: Vec<String>,
}
