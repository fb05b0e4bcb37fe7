//! Where the bytes come from: a file that may grow, a compressed file, a stream. The latter two are copied to a
//! temporary file as they are read, so that any part of them can be read again.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    File { file: File, watcher: Watcher },
    /// A compressed file.
    Gzip {
        unpacking: Box<MultiGzDecoder<Counting>>,
        copy: Copy,
        /// Bytes of the compressed form that were read.
        read: Arc<AtomicU64>,
        size: u64,
    },
    /// A FIFO, a pipe, a socket, a device.
    Stream { from: File, copy: Copy },
}

/// The copy of what was read so far.
#[derive(Debug)]
pub(super) struct Copy {
    file: File,
    len: u64,
    buffer: Vec<u8>,
}

/// What looking for more bytes has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum More {
    /// So many can be read now.
    Until(u64),
    /// Nothing new for now.
    NotYet,
    /// Nothing more will come, for this reason if it is no good one.
    Never(Option<String>),
}

impl Input {
    /// A regular file.
    pub(super) fn file(file: File) -> Input {
        let watcher = Watcher::new(&file);
        Input::File { file, watcher }
    }

    /// The compressed file `file`.
    pub(super) fn gzip(file: File) -> io::Result<Input> {
        let read = Arc::new(AtomicU64::new(0));
        Ok(Input::Gzip {
            size: file.metadata()?.len(),
            unpacking: Box::new(MultiGzDecoder::new(Counting {
                file,
                read: read.clone(),
            })),
            copy: Copy::new()?,
            read,
        })
    }

    /// A stream.
    pub(super) fn stream(from: File) -> io::Result<Input> {
        Ok(Input::Stream {
            from,
            copy: Copy::new()?,
        })
    }

    /// The file that holds what can be read.
    pub(super) fn readable(&self) -> io::Result<File> {
        match self {
            Input::File { file, .. } => file.try_clone(),
            Input::Gzip { copy, .. } | Input::Stream { copy, .. } => copy.file.try_clone(),
        }
    }

    /// Looks for more than the first `known` bytes. Waits for the disk at most.
    pub(super) fn more(&mut self, known: u64) -> io::Result<More> {
        match self {
            Input::File { file, .. } => {
                let size = file.metadata()?.len();
                Ok(match size {
                    _ if size > known => More::Until(size),
                    _ if size == known => More::NotYet,
                    _ => More::Never(Some("it became shorter while it was read".to_owned())),
                })
            }
            Input::Gzip { unpacking, copy, .. } => match copy.take(unpacking) {
                Ok(0) => Ok(More::Never(None)),
                Ok(_) => Ok(More::Until(copy.len)),
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

    /// Waits until there may be more, the stop button is pressed, or the time is over.
    pub(super) fn wait(&self, stop: &StopSign, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Input::File { watcher, .. } => watcher.wait(stop.bell.as_fd(), timeout),
            Input::Gzip { .. } => Ok(()),
            Input::Stream { from, .. } => {
                watcher::wait(&[stop.bell.as_fd(), from.as_fd()], timeout).map(drop)
            }
        }
    }

    /// How long ago the input last grew, as far as the file itself says.
    pub(super) fn quiet(&self) -> Duration {
        let modified = match self {
            Input::File { file, .. } => file.metadata().and_then(|found| found.modified()).ok(),
            Input::Gzip { .. } | Input::Stream { .. } => None,
        };
        modified
            .and_then(|modified| SystemTime::now().duration_since(modified).ok())
            .unwrap_or_default()
    }

    /// Whether an instance of ours is still recording to it.
    pub(super) fn is_recorded(&self) -> bool {
        match self {
            Input::File { file, .. } => file::is_recorded(file),
            Input::Gzip { .. } | Input::Stream { .. } => false,
        }
    }

    /// The size of the input, and how much of it stands for the first `indexed` of `known` readable bytes.
    pub(super) fn progress(&self, indexed: u64, known: u64) -> (u64, u64) {
        match self {
            Input::File { .. } | Input::Stream { .. } => (known, indexed),
            Input::Gzip { read, size, .. } => (*size, read.load(Ordering::Relaxed).min(*size)),
        }
    }
}

fn unpacked_badly(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        "the compressed file is cut short; what could be unpacked is shown".to_owned()
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
            file: temp::file()?,
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

/// A file that counts what is read of it.
#[derive(Debug)]
pub(super) struct Counting {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
