//! Where the bytes come from: a file that may grow, a stream, or either of them compressed. All but the first are copied
//! to a temporary file as they are read, so that any part of them can be read again.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::StopSign;
use super::packed::{Packed, Unpacking};
use super::watcher::{self, Watcher};
use crate::capture::{file, temp};

/// Bytes unpacked or taken from a stream at a time.
const CHUNK: usize = 1 << 20;

/// A source of bytes.
#[derive(Debug)]
pub(super) enum Input {
    /// A regular file.
    File(Arc<File>),
    /// A compressed file or stream.
    Gzip { unpacking: Box<Unpacking>, copy: Copy },
    /// A FIFO, a pipe, a socket, a device.
    Stream { from: File, copy: Copy },
}

/// The copy of what was read so far.
#[derive(Debug)]
pub(super) struct Copy {
    file: Arc<File>,
    len: u64,
    buffer: Vec<u8>,
}

/// What looking for more bytes has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum More {
    /// So many can be read now; less than before, if the last ones were taken back.
    Until(u64),
    /// Nothing new for now.
    NotYet,
    /// Nothing more will come; something behind the end was left out if a sentence says so.
    Never(Option<String>),
    /// Nothing more can be read, though the end is missing, and why.
    Cut(String),
}

impl Input {
    /// The same input, unpacked as it is read; `None` if it is already. What a stream has given so far is in its copy,
    /// and read from there.
    pub(super) fn unpacked(&self) -> io::Result<Option<Input>> {
        let packed = match self {
            Input::File(file) => Packed::file(file.clone())?,
            Input::Stream { from, copy } => Packed::stream(copy.file.clone(), copy.len, from.try_clone()?),
            Input::Gzip { .. } => return Ok(None),
        };
        Ok(Some(Input::Gzip {
            unpacking: Box::new(Unpacking::new(packed)),
            copy: Copy::new()?,
        }))
    }

    /// A stream.
    pub(super) fn stream(from: File) -> io::Result<Input> {
        Ok(Input::Stream {
            from,
            copy: Copy::new()?,
        })
    }

    /// The file that holds what can be read.
    pub(super) fn readable(&self) -> Arc<File> {
        match self {
            Input::File(file) => file.clone(),
            Input::Gzip { copy, .. } | Input::Stream { copy, .. } => copy.file.clone(),
        }
    }

    /// Looks for more than the first `known` bytes. Waits for the disk at most.
    pub(super) fn more(&mut self, known: u64) -> io::Result<More> {
        match self {
            Input::File(file) => {
                let size = file.metadata()?.len();
                Ok(match size {
                    _ if size > known => More::Until(size),
                    _ if size == known => More::NotYet,
                    // A recorder has taken back what it could not write whole. What was indexed is still there: that
                    // is looked at apart.
                    _ => More::Until(size),
                })
            }
            Input::Gzip { unpacking, copy } => match copy.take(unpacking) {
                Ok(0) => Ok(More::Never(unpacking.garbage())),
                Ok(_) => Ok(More::Until(copy.len)),
                Err(Trouble::Reading(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(More::NotYet),
                Err(Trouble::Reading(error)) => Ok(More::Cut(unpacked_badly(&error))),
                Err(Trouble::Copying(error)) => Err(error),
            },
            // A FIFO that nobody has opened yet for writing would read as one that has ended.
            Input::Stream { from, .. } if !watcher::wait(&[from.as_fd()], Some(Duration::ZERO))? => {
                Ok(More::NotYet)
            }
            Input::Stream { from, copy } => match copy.take(from) {
                Ok(0) => Ok(More::Never(None)),
                Ok(_) => Ok(More::Until(copy.len)),
                Err(Trouble::Reading(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(More::NotYet),
                Err(Trouble::Reading(error) | Trouble::Copying(error)) => Err(error),
            },
        }
    }

    /// Waits until there may be more, the stop button is pressed, or the time is over. `watcher` watches the files that
    /// were opened.
    pub(super) fn wait(
        &self,
        watcher: &Watcher,
        stop: &StopSign,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        match self {
            Input::File(_) => watcher.wait(stop.bell.as_fd(), timeout),
            Input::Gzip { unpacking, .. } => unpacking.wait(stop, timeout),
            Input::Stream { from, .. } => {
                watcher::wait(&[stop.bell.as_fd(), from.as_fd()], timeout).map(drop)
            }
        }
    }

    /// How long ago the input last grew, as far as the file itself says.
    pub(super) fn quiet(&self) -> Duration {
        let modified = match self {
            Input::File(file) => file.metadata().and_then(|found| found.modified()).ok(),
            Input::Gzip { .. } | Input::Stream { .. } => None,
        };
        modified
            .and_then(|modified| SystemTime::now().duration_since(modified).ok())
            .unwrap_or_default()
    }

    /// Whether an instance of ours is still recording to it.
    pub(super) fn is_recorded(&self) -> bool {
        match self {
            Input::File(file) => file::is_recorded(file),
            Input::Gzip { .. } | Input::Stream { .. } => false,
        }
    }

    /// The size of the input, and how much of it stands for the first `indexed` of `known` readable bytes.
    pub(super) fn progress(&self, indexed: u64, known: u64) -> (u64, u64) {
        match self {
            Input::File(_) | Input::Stream { .. } => (known, indexed),
            Input::Gzip { unpacking, .. } => unpacking.progress().unwrap_or((known, indexed)),
        }
    }
}

fn unpacked_badly(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        "the compressed data ends in the middle; what could be unpacked is shown, and what is compressed is read once: if \
         it was still being written, open it again"
            .to_owned()
    } else {
        format!("the compressed data is damaged ({error}); what could be unpacked is shown")
    }
}

enum Trouble {
    Reading(io::Error),
    Copying(io::Error),
}

impl Copy {
    fn new() -> io::Result<Copy> {
        Ok(Copy {
            file: Arc::new(temp::file()?),
            len: 0,
            buffer: vec![0; CHUNK],
        })
    }

    /// Adds what `from` has; returns how much that is.
    fn take(&mut self, from: &mut impl Read) -> Result<usize, Trouble> {
        let count = loop {
            match from.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::Reading(error)),
                Ok(count) => break count,
            }
        };
        let bytes = self.buffer.get(..count).unwrap_or_default();
        self.file
            .write_all_at(bytes, self.len)
            .map_err(Trouble::Copying)?;
        self.len += count as u64;
        Ok(count)
    }
}
