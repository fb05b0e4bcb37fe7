//! A compressed file or stream (RFC 1952): its members, unpacked one after the other, and what follows the last.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::bufread::GzDecoder;

use super::StopSign;
use super::watcher;

/// Bytes of the compressed form that are read at a time.
const CHUNK: usize = 32 << 10;

/// How a member begins.
const MAGIC: u8 = 0x1f;

/// Zeros that fill up a file to the block of a tape or disk, at most.
const PADDING: u64 = 64 << 10;

/// The compressed form: a file, or what was kept of a stream and then the rest of it.
#[derive(Debug)]
pub(super) struct Packed {
    kept: Arc<File>,
    /// Bytes of `kept`, and how many of all were read.
    size: u64,
    read: u64,
    /// A stream that goes on.
    rest: Option<File>,
}

impl Packed {
    /// What is in a file.
    pub(super) fn file(file: Arc<File>) -> io::Result<Packed> {
        Ok(Packed {
            size: file.metadata()?.len(),
            kept: file,
            read: 0,
            rest: None,
        })
    }

    /// What a stream has given, of which the first `size` bytes are in `kept`, and what it will give.
    pub(super) fn stream(kept: Arc<File>, size: u64, rest: File) -> Packed {
        Packed {
            kept,
            size,
            read: 0,
            rest: Some(rest),
        }
    }
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.rest.as_mut().filter(|_| self.read >= self.size) {
            None => self.kept.read_at(buffer, self.read)?,
            // The decoder asks for as much as it needs; a stream that has nothing must not hold up the stop button.
            Some(rest) if watcher::wait(&[rest.as_fd()], Some(Duration::ZERO))? => rest.read(buffer)?,
            Some(_) => return Err(io::ErrorKind::WouldBlock.into()),
        };
        self.read += count as u64;
        Ok(count)
    }
}

/// Unpacks member after member. What is no member ends it, as it does for gzip(1).
#[derive(Debug)]
pub(super) struct Unpacking {
    /// `None` only while one member follows another.
    decoder: Option<GzDecoder<BufReader<Packed>>>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// In a member that starts there.
    Member { start: u64 },
    /// Behind one.
    Between,
    /// Behind the last, after which something follows that is no member, from there on.
    Over { garbage: Option<u64> },
}

impl Unpacking {
    /// At the start.
    pub(super) fn new(packed: Packed) -> Unpacking {
        let reader = BufReader::with_capacity(CHUNK, packed);
        Unpacking {
            decoder: Some(GzDecoder::new(reader)),
            place: Place::Member { start: 0 },
        }
    }

    /// The size of the compressed form, and how much of it was read; `None` where nobody knows the size.
    pub(super) fn progress(&self) -> Option<(u64, u64)> {
        let packed = self.packed()?;
        packed
            .rest
            .is_none()
            .then_some((packed.size, packed.read.min(packed.size)))
    }

    /// Waits until a stream may have more, the stop button is pressed, or the time is over.
    pub(super) fn wait(&self, stop: &StopSign, timeout: Option<Duration>) -> io::Result<()> {
        match self.packed().and_then(|packed| packed.rest.as_ref()) {
            Some(rest) => watcher::wait(&[stop.bell.as_fd(), rest.as_fd()], timeout).map(drop),
            None => Ok(()),
        }
    }

    /// What is behind the last member and is no gzip, in words.
    pub(super) fn garbage(&self) -> Option<String> {
        let Place::Over { garbage: Some(start) } = self.place else {
            return None;
        };
        let packed = self.packed()?;
        if packed.rest.is_some() {
            return Some("what follows the compressed data is no gzip, and was left out".to_owned());
        }
        let bytes = packed.size.saturating_sub(start);
        if bytes <= PADDING {
            let mut behind = vec![0; bytes as usize];
            let read = packed.kept.read_exact_at(&mut behind, start);
            if read.is_ok() && behind.iter().all(|byte| *byte == 0) {
                return None;
            }
        }
        Some(format!(
            "the last {bytes} bytes, behind the compressed data, are no gzip, and were left out"
        ))
    }

    fn packed(&self) -> Option<&Packed> {
        self.decoder.as_ref().map(|decoder| decoder.get_ref().get_ref())
    }

    /// Goes on to the next member, if there is one.
    fn go_on(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else {
            self.place = Place::Over { garbage: None };
            return Ok(());
        };
        let first = decoder.get_mut().fill_buf()?.first().copied();
        let reader = decoder.get_ref();
        let at = reader.get_ref().read - reader.buffer().len() as u64;
        self.place = match first {
            None => Place::Over { garbage: None },
            Some(MAGIC) => {
                let reader = self.decoder.take().map(GzDecoder::into_inner);
                self.decoder = reader.map(GzDecoder::new);
                Place::Member { start: at }
            }
            Some(_) => Place::Over { garbage: Some(at) },
        };
        Ok(())
    }
}

impl Read for Unpacking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let start = match self.place {
                Place::Over { .. } => return Ok(0),
                Place::Between => {
                    self.go_on()?;
                    continue;
                }
                Place::Member { start } => start,
            };
            let Some(decoder) = &mut self.decoder else {
                return Ok(0);
            };
            match decoder.read(buffer) {
                Ok(0) => self.place = Place::Between,
                // It begins like a member, and goes on like none.
                Err(error)
                    if error.kind() == io::ErrorKind::InvalidInput
                        && start > 0
                        && decoder.header().is_none() =>
                {
                    self.place = Place::Over { garbage: Some(start) };
                }
                read => return read,
            }
        }
    }
}
