//! Private temporary files: what an opened capture needs beside itself, on disk rather than in memory.
//!
//! They have no name from the start (`O_TMPFILE`, or unlinked at once), so nobody else can open them and nothing
//! is left behind however the program ends.

use std::env;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

/// Where large temporary files belong (Filesystem Hierarchy Standard 3.0 §5.15): `/tmp` is often memory.
const ROOMY: &str = "/var/tmp";

/// Bytes gathered before they are written.
const GATHERED: usize = 256 << 10;

/// Creates one, in `$TMPDIR` if that is set.
pub(super) fn file() -> io::Result<File> {
    let roomy = if env::var_os("TMPDIR").is_none() {
        tempfile::tempfile_in(Path::new(ROOMY)).ok()
    } else {
        None
    };
    let file = roomy.map_or_else(tempfile::tempfile, Ok)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// The end of a temporary file, where bytes are added.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    buffer: Vec<u8>,
    written: u64,
}

impl Appender {
    /// Appends to `file`, which is empty.
    pub(super) fn new(file: File) -> Appender {
        Appender {
            file,
            buffer: Vec::with_capacity(GATHERED),
            written: 0,
        }
    }

    /// Adds bytes, and returns where they are. They can be read after the next [`Appender::flush`].
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        if self.buffer.len() + bytes.len() > GATHERED {
            self.flush()?;
        }
        let at = self.written + self.buffer.len() as u64;
        self.buffer.extend_from_slice(bytes);
        Ok(at)
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_where_it_was_said_to_be() {
        let file = file().unwrap();
        let mut appender = Appender::new(file.try_clone().unwrap());
        let mut places = Vec::new();
        for number in 0..100u8 {
            let bytes = vec![number; usize::from(number) * 200];
            places.push((appender.append(&bytes).unwrap(), bytes));
        }
        appender.flush().unwrap();
        for (at, bytes) in places {
            let mut found = vec![0; bytes.len()];
            file.read_exact_at(&mut found, at).unwrap();
            assert_eq!(found, bytes);
        }
    }

    #[test]
    fn nobody_else_can_open_it() {
        use std::os::unix::fs::MetadataExt as _;
        let found = file().unwrap().metadata().unwrap();
        assert_eq!((found.permissions().mode() & 0o777, found.nlink()), (0o600, 0));
    }
}
