//! A file seen through a sliding buffer: neighbouring small reads cost one system call.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes before the wanted ones that are read too: the end of a payload is asked for after the options behind it.
const LOOK_BEHIND: u64 = 8;

/// Reads from `file`, never past `end`: what lies behind may be a write that is under way.
pub(super) struct Window<'a> {
    file: &'a File,
    end: u64,
    chunk: usize,
    at: u64,
    buffer: &'a mut Vec<u8>,
}

impl<'a> Window<'a> {
    /// A window over the first `end` bytes. It reads at least `chunk` bytes at a time into `buffer`, whose
    /// memory it only borrows.
    pub(super) fn new(file: &'a File, end: u64, chunk: usize, buffer: &'a mut Vec<u8>) -> Window<'a> {
        buffer.clear();
        Window {
            file,
            end,
            chunk,
            at: 0,
            buffer,
        }
    }

    /// The `len` bytes at `offset`; `UnexpectedEof` if the readable part ends before.
    #[inline]
    pub(super) fn get(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        // What is in the buffer lies before `end`, so the common case needs no other look.
        let within = usize::try_from(offset.wrapping_sub(self.at)).unwrap_or(usize::MAX);
        let there = within <= self.buffer.len() && len <= self.buffer.len() - within;
        let from = if there { within } else { self.read(offset, len)? };
        self.buffer
            .get(from..from + len)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// What of the file from `offset` on is in memory already, if anything.
    #[inline]
    pub(super) fn ahead(&self, offset: u64) -> &[u8] {
        let within = usize::try_from(offset.wrapping_sub(self.at)).unwrap_or(usize::MAX);
        self.buffer.get(within..).unwrap_or_default()
    }

    /// Reads at least the `len` bytes at `offset`, and returns where in the buffer they are.
    fn read(&mut self, offset: u64, len: usize) -> io::Result<usize> {
        offset
            .checked_add(len as u64)
            .filter(|last| *last <= self.end)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        self.at = offset.saturating_sub(LOOK_BEHIND);
        let behind = (offset - self.at) as usize;
        let want = (self.end - self.at).min((self.chunk.max(len) + behind) as u64) as usize;
        self.buffer.resize(want, 0);
        if let Err(error) = self.file.read_exact_at(self.buffer, self.at) {
            self.buffer.clear();
            return Err(error);
        }
        Ok(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn any_range_up_to_the_end_is_readable() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..200).collect();
        file.write_all(&bytes).unwrap();
        let mut buffer = Vec::new();
        for chunk in [1, 7, 1000] {
            let mut window = Window::new(&file, 150, chunk, &mut buffer);
            for (offset, len) in [(0, 8), (8, 30), (3, 4), (140, 10), (150, 0), (20, 100)] {
                let expected = &bytes[offset as usize..offset as usize + len];
                assert_eq!(window.get(offset, len).unwrap(), expected);
            }
            for (offset, len) in [(150, 1), (0, 151), (u64::MAX, 1), (u64::MAX - 1, 8)] {
                let error = window.get(offset, len).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            }
        }
    }
}
