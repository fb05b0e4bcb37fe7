//! A recording as the bytes that it consists of, for those who copy it while it grows.

use std::os::unix::fs::FileExt as _;

use super::{Log, Session};
use crate::capture::error::unreadable;
use crate::model::RecordsError;

/// The most bytes of the file that are handed out at a time.
const PIECE: u64 = 256 << 10;

impl Session {
    /// The next bytes of a recording of ours behind its first `from`, as they are in the file, up to its last whole
    /// block; none if there are none yet. A capture of another program has none.
    pub fn piece(&self, from: u64) -> Result<Vec<u8>, RecordsError> {
        let shared = match self.source.log.get() {
            Some(Log::Own(shared)) => shared,
            Some(Log::Foreign(_)) | None => return Ok(Vec::new()),
        };
        let segment = shared.latest();
        let len = segment.index.end().saturating_sub(from).min(PIECE);
        let mut bytes = vec![0; len as usize];
        let read = segment.file.read_exact_at(&mut bytes, from);
        read.map_err(|error| unreadable(&error))?;
        Ok(bytes)
    }
}
