//! A wire in memory that never waits: what one end writes the other reads, so many bytes at a time.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "every test crate uses a part of the harness; one that fails fails the test"
)]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

type Way = Arc<Mutex<VecDeque<u8>>>;

/// One end of a wire.
pub(crate) struct End {
    incoming: Way,
    outgoing: Way,
    /// The most bytes that one call moves.
    most: usize,
}

/// Both ends of a wire that moves at most so many bytes a call.
pub(crate) fn wire(most: usize) -> (End, End) {
    let ways = [Way::default(), Way::default()];
    let end = |incoming: &Way, outgoing: &Way| End {
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        most,
    };
    (end(&ways[0], &ways[1]), end(&ways[1], &ways[0]))
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut way = self.incoming.lock().unwrap();
        if way.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(self.most).min(way.len());
        buffer
            .iter_mut()
            .zip(way.drain(..count))
            .for_each(|(to, from)| *to = from);
        Ok(count)
    }
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.most);
        self.outgoing.lock().unwrap().extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
