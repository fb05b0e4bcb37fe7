//! A part of a file in memory that moves forward.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::capture::frame;

/// Bytes read at a time: as fast as more, and what is searched next is still in the processor's cache.
const CHUNK: usize = 256 << 10;

/// Gaps that are read over rather than jumped over.
const GAP: u64 = 64 << 10;

/// The part. What is left at its end is kept for the next part, so that nothing is read twice.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    /// Where in the file it starts.
    at: u64,
    /// How many bytes of the file it holds.
    len: usize,
    /// What lies elsewhere.
    aside: Vec<u8>,
}

impl Chunk {
    /// The bytes from `offset` on, of which those before `end` can be read: at least one whole block, if it is a
    /// packet and is there.
    pub(super) fn block(&mut self, file: &File, offset: u64, end: u64) -> io::Result<&[u8]> {
        self.hold(file, offset, end, frame::HEAD)?;
        let len = frame::block_len(self.from(offset));
        self.hold(file, offset, end, len)?;
        Ok(self.from(offset))
    }

    /// The `len` bytes at `offset`. Going back, or far ahead for little, does not move the chunk.
    pub(super) fn get(&mut self, file: &File, offset: u64, len: usize) -> io::Result<&[u8]> {
        if len == 0 {
            return Ok(&[]);
        }
        let ahead = self.at + self.len as u64 + GAP;
        if offset < self.at || (self.len > 0 && offset > ahead) {
            // What is read next mostly lies here again, unless the file goes on there.
            if offset > ahead {
                self.len = 0;
                self.at = offset;
            }
            self.aside.resize(len, 0);
            file.read_exact_at(&mut self.aside, offset)?;
            return Ok(&self.aside);
        }
        self.hold(file, offset, u64::MAX, len)?;
        self.from(offset)
            .get(..len)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn from(&self, offset: u64) -> &[u8] {
        let from = usize::try_from(offset.saturating_sub(self.at)).unwrap_or(usize::MAX);
        self.bytes.get(from..self.len).unwrap_or_default()
    }

    /// Makes `need` bytes from `offset` on present, or as many as there are before `end`.
    fn hold(&mut self, file: &File, offset: u64, end: u64, need: usize) -> io::Result<()> {
        let inside = offset >= self.at && offset <= self.at + self.len as u64;
        let kept = if inside {
            (self.at + self.len as u64 - offset) as usize
        } else {
            0
        };
        let there = end.saturating_sub(offset);
        if inside && kept as u64 >= there.min(need as u64) {
            return Ok(());
        }
        self.bytes.copy_within(self.len - kept..self.len, 0);
        self.at = offset;
        self.len = kept;
        let want = usize::try_from(there).unwrap_or(usize::MAX).min(CHUNK.max(need));
        if self.bytes.len() < want {
            self.bytes.resize(want, 0);
        }
        while self.len < want.min(need.max(1)) {
            match file.read_at(&mut self.bytes[self.len..want], offset + self.len as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn any_range_is_what_the_file_has() {
        let bytes: Vec<u8> = (0..900_000u32).map(|number| (number / 7) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut chunk = Chunk::default();
        let mut random = 7usize;
        for _ in 0..500 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let offset = if random.is_multiple_of(3) {
                (random >> 20) % 800_000
            } else {
                chunk.at as usize + 500
            };
            let offset = offset.min(800_000);
            let len = (random >> 40) % 2000;
            assert_eq!(
                chunk.get(&file, offset as u64, len).unwrap(),
                &bytes[offset..offset + len]
            );
        }
        assert!(chunk.get(&file, 899_999, 2).is_err());
        assert_eq!(chunk.get(&file, 899_999, 1).unwrap(), &bytes[899_999..]);
    }
}
