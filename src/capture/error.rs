//! What can go wrong with a session file, each with what was tried, what happened and what to do.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::model::{Full, RecordsError};

/// Why a session file could not be created, written or opened.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file is there already.
    #[error("{} exists already: choose another name, or overwrite it with --force", .0.display())]
    Exists(PathBuf),
    /// The path is a symbolic link, not a regular file, or not this user's.
    #[error("refusing to write {}: {why}", .path.display())]
    Unsafe {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What is read from it is to be written.
    #[error("{} is {what}: choose another name", .path.display())]
    InUse {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Another instance writes it.
    #[error("{} is being written by another instance: choose another name", .0.display())]
    Busy(PathBuf),
    /// The name of the session file stands for something else by now.
    #[error("{} was left alone: it is not the recording any more", .0.display())]
    Replaced(PathBuf),
    /// Another program removed the recording, or put something else in its place, while it was written.
    #[error("the recording {} was removed or replaced by another program while it was written: it is lost", .0.display())]
    Removed(PathBuf),
    /// Another program made the recording shorter while it was written.
    #[error("the recording {} was cut by another program while it was written: what it held before is damaged", .0.display())]
    Shortened(PathBuf),
    /// There is no directory to keep sessions in.
    #[error("no directory for recordings: set HOME or XDG_STATE_HOME, or name a file with --write")]
    NoDirectory,
    /// The file could not be created.
    #[error("cannot create {}: {}; {}", .path.display(), words(.source), place(.source))]
    Create {
        /// The path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The system refused to open, read, write or remove it, or to make a directory. Of a write nothing is left
    /// in the file.
    #[error("cannot {tried} {}: {}", .path.display(), words(.source))]
    Io {
        /// What was tried: "create", "open", "read", "write" and so on.
        tried: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk or a quota is exhausted; the call can be repeated when there is space.
    #[error("{}: free some space, and recording goes on; cannot write {}", words(.source), .path.display())]
    Full {
        /// The path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file would become larger than this process or this file system may make it (`EFBIG`).
    #[error("the recording has reached the system's limit for files (see ulimit -f); start again with a larger one: {}", .0.display())]
    Limit(PathBuf),
    /// The bound that was set for the file is reached.
    #[error("the recording has reached its --max-size of {max_size} bytes; start again with a larger one: {}", .path.display())]
    MaxSize {
        /// The path.
        path: PathBuf,
        /// The bound in bytes.
        max_size: u64,
    },
    /// Nothing is there to be recorded: an empty read or write is no entry, and data is no event.
    #[error("an entry of no bytes cannot be recorded")]
    Empty,
    /// More bytes than one entry holds; see `Connection::data`.
    #[error("{0} bytes are more than one entry holds")]
    TooLong(usize),
    /// Bytes of a connection whose addresses are not known yet.
    #[error("bytes cannot be recorded before their connection is open")]
    NotOpen,
    /// An annotation cannot be kept.
    #[error("the annotation was not kept: {0}")]
    Annotation(&'static str),
    /// An annotation cannot be written where it belongs.
    #[error("not kept: cannot write {}: {}; {}", .path.display(), words(.source), keeping(.source))]
    NotKept {
        /// Where it belongs.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// What lies beside a capture is not its annotations.
    #[error("{} was left alone: {why}; move it away to annotate this capture", .path.display())]
    Sidecar {
        /// The path.
        path: PathBuf,
        /// What shows it.
        why: &'static str,
    },
    /// Not a session file of ours.
    #[error("{} is not a sockscope recording: {why}", .path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
        /// What shows it.
        why: &'static str,
    },
    /// A file that cannot be opened as one log with others.
    #[error("cannot open {} together with others: {why}", .path.display())]
    NotJoined {
        /// The path.
        path: PathBuf,
        /// What shows it, and what to do.
        why: &'static str,
    },
    /// Neither ours nor any other capture that can be read.
    #[error("cannot open {}: {why}; pcap and pcapng files, also gzipped, can be opened", .path.display())]
    NotACapture {
        /// The path.
        path: PathBuf,
        /// What shows it.
        why: &'static str,
    },
}

impl CaptureError {
    /// Whether a file that refused bytes may take them later.
    pub fn full(&self) -> Full {
        match self {
            CaptureError::MaxSize { .. } | CaptureError::Limit(_) => Full::ForGood,
            CaptureError::Exists(_)
            | CaptureError::Unsafe { .. }
            | CaptureError::InUse { .. }
            | CaptureError::Busy(_)
            | CaptureError::Replaced(_)
            | CaptureError::Removed(_)
            | CaptureError::Shortened(_)
            | CaptureError::NoDirectory
            | CaptureError::Create { .. }
            | CaptureError::Io { .. }
            | CaptureError::Full { .. }
            | CaptureError::Empty
            | CaptureError::TooLong(_)
            | CaptureError::NotOpen
            | CaptureError::Annotation(_)
            | CaptureError::NotKept { .. }
            | CaptureError::Sidecar { .. }
            | CaptureError::Foreign { .. }
            | CaptureError::NotJoined { .. }
            | CaptureError::NotACapture { .. } => Full::ForNow,
        }
    }

    /// A failed call of the system on the file or directory at `path`.
    pub(super) fn io(tried: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CaptureError {
        move |source| CaptureError::Io {
            tried,
            path: path.to_owned(),
            source,
        }
    }

    /// The same of what the user added to an entry: it can be kept later, and nothing else waits for that.
    pub(super) fn of_annotation(self) -> CaptureError {
        if let CaptureError::Create { path, source }
        | CaptureError::Full { path, source }
        | CaptureError::Io {
            tried: "open" | "write",
            path,
            source,
        } = self
        {
            return CaptureError::NotKept { path, source };
        }
        self
    }

    /// The same while recording goes on: that the file at `path` cannot be created is no reason to choose another place.
    pub(super) fn meanwhile(self, path: &Path) -> CaptureError {
        if let CaptureError::Limit(_) = self {
            return CaptureError::Limit(path.to_owned());
        }
        if let CaptureError::Create { source, .. }
        | CaptureError::Full { source, .. }
        | CaptureError::Io {
            tried: "write",
            source,
            ..
        } = self
        {
            return CaptureError::write(path, source);
        }
        self
    }

    /// A failed write, told apart by what the user can do.
    pub(super) fn write(path: &Path, source: io::Error) -> CaptureError {
        let path = path.to_owned();
        match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOSPC | Errno::EDQUOT) => CaptureError::Full { path, source },
            Some(Errno::EFBIG) => CaptureError::Limit(path),
            Some(_) | None => CaptureError::Io {
                tried: "write",
                path,
                source,
            },
        }
    }
}

/// What to do where an annotation cannot be written.
fn keeping(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOSPC | Errno::EDQUOT) => "free some space and try again",
        Some(Errno::EROFS | Errno::EACCES | Errno::EPERM) => {
            "allow that and try again, or open a copy of the capture in a folder of your own"
        }
        Some(_) | None => "try again once that is mended",
    }
}

/// The system's words for an error, without the number.
pub(super) fn words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => Errno::from_raw(number).desc().to_owned(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        None => error.to_string(),
    }
}

/// A failed read of what an entry is made of.
pub(super) fn unreadable(error: &io::Error) -> RecordsError {
    RecordsError::Io(words(error))
}

/// What to do about a place where no file can be created.
fn place(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::NotFound {
        "create its directory first"
    } else {
        "name another place with --write"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(errno: Errno, expected: &str) {
        let error = CaptureError::write(Path::new("/x/a.pcapng"), errno.into());
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn failed_writes_say_what_to_do() {
        check(
            Errno::ENOSPC,
            "No space left on device: free some space, and recording goes on; cannot write /x/a.pcapng",
        );
        check(
            Errno::EFBIG,
            "the recording has reached the system's limit for files (see ulimit -f); start again with a larger one: \
             /x/a.pcapng",
        );
        check(Errno::EIO, "cannot write /x/a.pcapng: I/O error");
    }
}
