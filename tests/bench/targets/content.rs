//! What the servers send: numbered text lines of 64 bytes, so that a receiver's record can be compared byte for byte.

use std::io::Write as _;

/// Bytes of a line.
pub(crate) const LINE: usize = 64;

/// Lines after which the text begins again: 4 MiB, which no cache of a core holds.
const LINES: u64 = 1 << 16;

/// The text from its first to its last line.
pub(crate) fn text() -> Vec<u8> {
    let mut text = Vec::with_capacity(LINES as usize * LINE);
    for number in 0..LINES {
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(
            text,
            "{number:08} sensor={:05} state=ok temp={:02}.{} check={:016x}",
            spread % 100_000,
            spread % 90,
            spread % 10,
            spread.rotate_left(17)
        )
        .unwrap();
    }
    assert_eq!(text.len(), LINES as usize * LINE);
    text
}

/// Compares what was received, in the order in which it came, with the text over and over.
pub(crate) struct Check {
    text: Vec<u8>,
    at: usize,
}

impl Check {
    /// Expects the first byte.
    pub(crate) fn new() -> Check {
        Check { text: text(), at: 0 }
    }

    /// Whether `bytes` is what comes next.
    pub(crate) fn goes_on_with(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let len = bytes.len().min(self.text.len() - self.at);
            let (now, later) = bytes.split_at(len);
            if now != &self.text[self.at..self.at + len] {
                return false;
            }
            self.at = (self.at + len) % self.text.len();
            bytes = later;
        }
        true
    }
}
