//! Where the bytes come from: a file that may grow, a stream, or either of them compressed. All but the first are copied
//! to a temporary file as they are read, so that any part of them can be read again.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use flate2::read::MultiGzDecoder;

use super::StopSign;
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
    Gzip {
        unpacking: Box<MultiGzDecoder<Packed>>,
        copy: Copy,
    },
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
    /// Nothing more will come, for this reason if it is no good one.
    Never(Option<String>),
}

impl Input {
    /// The same input, unpacked as it is read; `None` if it is already. What a stream has given so far is in its copy,
    /// and read from there.
    pub(super) fn unpacked(&self) -> io::Result<Option<Input>> {
        let packed = match self {
            Input::File(file) => Packed {
                size: file.metadata()?.len(),
                kept: file.clone(),
                read: 0,
                rest: None,
            },
            Input::Stream { from, copy } => Packed {
                size: copy.len,
                kept: copy.file.clone(),
                read: 0,
                rest: Some(from.try_clone()?),
            },
            Input::Gzip { .. } => return Ok(None),
        };
        Ok(Some(Input::Gzip {
            unpacking: Box::new(MultiGzDecoder::new(packed)),
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
                Ok(0) => Ok(More::Never(None)),
                Ok(_) => Ok(More::Until(copy.len)),
                Err(Trouble::Reading(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(More::NotYet),
                Err(Trouble::Reading(error)) => Ok(More::Never(Some(unpacked_badly(&error)))),
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
            Input::Gzip { unpacking, .. } => unpacking.get_ref().wait(stop, timeout),
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
            Input::Gzip { unpacking, .. } => unpacking.get_ref().progress().unwrap_or((known, indexed)),
        }
    }
}

fn unpacked_badly(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        "the compressed file is cut short, or is followed by bytes that are no gzip; what could be unpacked is shown"
            .to_owned()
    } else {
        format!("the compressed file is damaged ({error}); what could be unpacked is shown")
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

/// The compressed form: a file, or what was kept of a stream and then the rest of it.
#[derive(Debug)]
pub(super) struct Packed {
    kept: Arc<File>,
    /// Bytes of `kept`, and how many of them were read.
    size: u64,
    read: u64,
    /// A stream that goes on.
    rest: Option<File>,
}

impl Packed {
    /// The size, and how much of it was read; `None` where nobody knows the size.
    fn progress(&self) -> Option<(u64, u64)> {
        self.rest
            .is_none()
            .then_some((self.size, self.read.min(self.size)))
    }

    fn wait(&self, stop: &StopSign, timeout: Option<Duration>) -> io::Result<()> {
        match &self.rest {
            Some(rest) => watcher::wait(&[stop.bell.as_fd(), rest.as_fd()], timeout).map(drop),
            None => Ok(()),
        }
    }
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(rest) = self.rest.as_mut().filter(|_| self.read >= self.size) else {
            let count = self.kept.read_at(buffer, self.read)?;
            self.read += count as u64;
            return Ok(count);
        };
        // The decoder asks for as much as it needs; a stream that has nothing must not hold up the stop button.
        if !watcher::wait(&[rest.as_fd()], Some(Duration::ZERO))? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        rest.read(buffer)
    }
}
