//! One-line messages that appear for a while. When they vanish is a value; nothing here looks at a clock.

use std::time::Duration;

use crate::model::Timestamp;

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What was done.
    Info,
    /// Why something was not done.
    Warning,
    /// What failed.
    Error,
}

impl Severity {
    /// How long a notice stays: long enough to be read, longer when it matters more.
    fn stay(self) -> Duration {
        match self {
            Severity::Info => Duration::from_secs(4),
            Severity::Warning => Duration::from_secs(6),
            Severity::Error => Duration::from_secs(15),
        }
    }
}

/// A message in the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// One sentence. It may quote what a peer, a file or the system said, so it goes through the encoder.
    pub text: String,
    /// When it vanishes.
    pub expires: Timestamp,
    /// Whether it answers a command: the next one ends it.
    pub answer: bool,
}

impl Notice {
    /// A notice that starts now.
    pub fn new(severity: Severity, text: impl Into<String>, now: Timestamp) -> Notice {
        Notice {
            severity,
            text: text.into(),
            expires: now + severity.stay(),
            answer: false,
        }
    }
}
