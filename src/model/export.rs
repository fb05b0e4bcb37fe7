//! What an export is asked for, and how it stands: the latest report of whoever writes it, never its history.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::Query;
use crate::text::quote;

/// As what entries are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// A capture, as for Wireshark; it can be opened again.
    Pcapng,
    /// One JSON object an entry.
    Jsonl,
    /// The bytes alone, each direction in a file of its own.
    Raw,
    /// A line and a hexdump an entry.
    Hexdump,
    /// A line an entry, with its bytes decoded.
    Text,
    /// A script that repeats the client's part.
    Python,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [ExportFormat; 6] = [
        ExportFormat::Pcapng,
        ExportFormat::Jsonl,
        ExportFormat::Raw,
        ExportFormat::Hexdump,
        ExportFormat::Text,
        ExportFormat::Python,
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            ExportFormat::Pcapng => "pcapng",
            ExportFormat::Jsonl => "jsonl",
            ExportFormat::Raw => "raw",
            ExportFormat::Hexdump => "hexdump",
            ExportFormat::Text => "text",
            ExportFormat::Python => "python",
        }
    }

    /// What the names of such files end with; raw bytes are of no known kind.
    pub fn extension(self) -> &'static str {
        match self {
            ExportFormat::Pcapng => ".pcapng",
            ExportFormat::Jsonl => ".jsonl",
            ExportFormat::Raw => "",
            ExportFormat::Hexdump => ".hex.txt",
            ExportFormat::Text => ".txt",
            ExportFormat::Python => ".py",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<ExportFormat, String> {
        // As the option of headless runs calls it.
        let text = if text == "hex" { "hexdump" } else { text };
        ExportFormat::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| {
                format!(
                    "{} is no format: write pcapng, jsonl, raw, hexdump, text or python",
                    quote(text)
                )
            })
    }
}

/// Which entries are exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Portion {
    /// All of them.
    All,
    /// Those for which this holds.
    Query(Query),
    /// Those of these numbers.
    Entries(Range<u64>),
    /// Those of these numbers for which this holds.
    Within(Range<u64>, Query),
}

impl Portion {
    /// Whether it is one entry and no more.
    pub fn is_one(&self) -> bool {
        match self {
            Portion::All | Portion::Query(_) | Portion::Within(..) => false,
            Portion::Entries(range) => range.end.checked_sub(range.start) == Some(1),
        }
    }
}

/// How far an export is. A newer report replaces an older one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Entries that were looked at, all before this one.
    pub passed: u64,
    /// Entries that there were when it started.
    pub of: u64,
    /// Entries that were written.
    pub entries: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// What it is doing.
    pub state: ExportState,
}

/// What an export is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExportState {
    /// It looks for the entries that a query holds for.
    #[default]
    Finding,
    /// It writes.
    Writing,
    /// All is written, to these files.
    Done(Vec<String>),
    /// It was stopped, and nothing of it is left.
    Stopped,
    /// There was nothing to write, for this reason, and no file was touched.
    Nothing(String),
    /// This file is there already, and nothing was written.
    Exists(String),
    /// Nobody reads what is written any more.
    Closed,
    /// It failed; what was tried, what happened and what became of the file.
    Failed(String),
}

impl ExportState {
    /// Whether there will be no other.
    pub fn is_last(&self) -> bool {
        match self {
            ExportState::Finding | ExportState::Writing => false,
            ExportState::Done(_)
            | ExportState::Stopped
            | ExportState::Nothing(_)
            | ExportState::Exists(_)
            | ExportState::Closed
            | ExportState::Failed(_) => true,
        }
    }
}

impl ExportReport {
    /// How much of the log was passed, in percent, rounded down.
    pub fn percent(&self) -> u64 {
        match self.of {
            0 => 100,
            of => (u128::from(self.passed.min(of)) * 100 / u128::from(of)) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_as_they_are_written() {
        for format in ExportFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("".parse::<ExportFormat>().is_err());
    }

    #[test]
    fn one_entry_is_one_entry() {
        assert!(Portion::Entries(7..8).is_one());
        assert!(!Portion::Entries(7..9).is_one());
        assert!(!Portion::Entries(7..7).is_one());
        assert!(!Portion::All.is_one());
    }
}
