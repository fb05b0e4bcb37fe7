//! What can go wrong with an export, each with what was tried, what happened and what to do.

use std::io;

use nix::errno::Errno;

use crate::capture::CaptureError;
use crate::capture::error::words;
use crate::model::RecordsError;

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// The file could not be created or put in its place.
    #[error(transparent)]
    File(#[from] CaptureError),
    /// What was to be written was refused.
    #[error("cannot write {name}: {}{}", words(.source), advice(.source))]
    Write {
        /// Of the file.
        name: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The log could not be read.
    #[error("cannot export: {0}")]
    Read(#[from] RecordsError),
    /// There was nothing to write, and why.
    #[error("nothing was written: {0}")]
    Nothing(String),
    /// It was asked to stop.
    #[error("the export was stopped")]
    Stopped,
}

impl ExportError {
    /// A refused write to what is called `name`.
    pub(super) fn write(name: &str) -> impl FnOnce(io::Error) -> ExportError {
        move |source| ExportError::Write {
            name: name.to_owned(),
            source,
        }
    }

    /// Whether it was a pipe that nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            ExportError::Write { source, .. } => source.kind() == io::ErrorKind::BrokenPipe,
            ExportError::File(_) | ExportError::Read(_) | ExportError::Nothing(_) | ExportError::Stopped => {
                false
            }
        }
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOSPC | Errno::EDQUOT) => "; free some space, or choose another place",
        Some(Errno::EFBIG) => "; the system limits the size of files (see ulimit -f)",
        Some(_) | None => "",
    }
}
