//! What was read from the wire and not yet looked at.

use std::io::{self, Read};

/// What is read from the wire at once: some full records (RFC 8446 §5.1).
const WIRE: usize = 64 << 10;

/// How many of the first bytes are kept, to tell what was said if it is no TLS.
const FIRST: usize = 64;

/// Bytes from the wire.
pub(super) struct Incoming {
    bytes: Box<[u8]>,
    from: usize,
    to: usize,
    first: Vec<u8>,
}

impl Default for Incoming {
    fn default() -> Incoming {
        Incoming {
            bytes: vec![0; WIRE].into(),
            from: 0,
            to: 0,
            first: Vec::new(),
        }
    }
}

impl Incoming {
    /// Reads what comes next in place of what was looked at; how many bytes there are, 0 at the end.
    pub(super) fn fill(&mut self, wire: &mut impl Read) -> io::Result<usize> {
        let count = wire.read(&mut self.bytes)?;
        (self.from, self.to) = (0, count);
        if self.first.len() < FIRST {
            let room = FIRST - self.first.len();
            self.first.extend(self.bytes.iter().take(count.min(room)));
        }
        Ok(count)
    }

    /// What was not looked at yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// Notes that the first `count` bytes of the rest were looked at.
    pub(super) fn skip(&mut self, count: usize) {
        self.from += count;
    }

    /// Whether everything was looked at.
    pub(super) fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// The first bytes that arrived.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }
}
