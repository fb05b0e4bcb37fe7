//! Whether an opened file is still what was indexed: the same bytes, and the file that its name stands for.
//!
//! What is remembered of it are the first bytes and those before the last whole block, where any other capture has other
//! times. Deliberately absent: any look at the bytes between them, and so one at changes of them alone.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use super::file::Identity;

/// Bytes remembered of the start: the headers and the first packets.
const HEAD: u64 = 4096;

/// Bytes remembered of the end.
const TAIL: u64 = 512;

/// How long the time of a change may stand still while the file changes: file systems take it from a clock that ticks
/// some hundred times a second.
const COARSE: Duration = Duration::from_millis(100);

/// What another program has done to an opened file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// It ends before what was indexed.
    Shortened,
    /// It holds other bytes.
    Overwritten,
    /// Its name stands for another file.
    Replaced,
    /// It has another name.
    Moved,
    /// It has no name any more.
    Deleted,
}

impl Change {
    /// What happened and what to do, in one line.
    pub(super) fn words(self) -> &'static str {
        match self {
            Change::Shortened => {
                "the file became shorter: its bytes are no longer those that were indexed; open it again"
            }
            Change::Overwritten => {
                "the file was overwritten: its bytes are no longer those that were indexed; open it again"
            }
            Change::Replaced => {
                "the file was replaced by another: what is shown is the old one; open it again"
            }
            Change::Moved => {
                "the file was moved or renamed, and is no longer followed; open it by its new name"
            }
            Change::Deleted => {
                "the file was deleted: what is shown is gone when you quit; export it to keep it"
            }
        }
    }
}

/// The file that was opened.
#[derive(Debug)]
pub(super) struct Original {
    file: Arc<File>,
    path: PathBuf,
    known: Mutex<Known>,
    /// Bytes that were indexed are gone for good, even if others like them come back.
    changed: OnceLock<Change>,
}

/// What is remembered of it.
#[derive(Debug, Default)]
struct Known {
    /// Bytes that were indexed.
    indexed: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// How it stood when its bytes were last compared.
    compared: Option<Stamp>,
}

/// What differs after any write. The time of the last change is the kernel's, so that no program can put it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Stamp {
        Stamp {
            size: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    /// Whether a change after this one would have another time.
    fn is_settled(&self) -> bool {
        let (seconds, nanos) = (u64::try_from(self.changed.0), u32::try_from(self.changed.1));
        let (Ok(seconds), Ok(nanos)) = (seconds, nanos) else {
            return false;
        };
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
        SystemTime::now()
            .duration_since(changed)
            .is_ok_and(|age| age > COARSE)
    }
}

impl Original {
    /// A file of which nothing was indexed yet.
    pub(super) fn new(path: &Path, file: Arc<File>) -> Original {
        Original {
            file,
            path: path.to_owned(),
            known: Mutex::default(),
            changed: OnceLock::new(),
        }
    }

    /// The open file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Its name when it was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Which file it is.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.file.metadata().ok().map(|found| Identity::of(&found))
    }

    /// Remembers that so many bytes were indexed, if those before are still there.
    pub(super) fn indexed(&self, end: u64) -> Result<(), Change> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if end <= known.indexed {
            return Ok(());
        }
        self.compare(&known)?;
        let head = end.min(HEAD);
        if (known.head.len() as u64) < head {
            known.head = self.read(0, head)?;
        }
        let tail = end.min(TAIL);
        known.tail = self.read(end - tail, tail)?;
        known.indexed = end;
        Ok(())
    }

    /// Whether the bytes are those that were indexed. Asks for little more than the time of the last change while that
    /// stays as it is.
    pub(super) fn check_bytes(&self) -> Result<(), Change> {
        if let Some(change) = self.changed.get() {
            return Err(*change);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Where it cannot be told, reading tells more.
        let Ok(found) = self.file.metadata() else {
            return Ok(());
        };
        let stamp = Stamp::of(&found);
        if known.compared == Some(stamp) {
            return Ok(());
        }
        self.compare(&known)?;
        known.compared = stamp.is_settled().then_some(stamp);
        Ok(())
    }

    /// Whether its name still stands for it.
    pub(super) fn check_name(&self) -> Result<(), Change> {
        let Ok(open) = self.file.metadata() else {
            return Ok(());
        };
        match self.path.metadata() {
            Ok(named) if Identity::of(&named) == Identity::of(&open) => Ok(()),
            Ok(_) => Err(Change::Replaced),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(()),
            Err(_) if open.nlink() == 0 => Err(Change::Deleted),
            Err(_) => Err(Change::Moved),
        }
    }

    fn compare(&self, known: &Known) -> Result<(), Change> {
        let size = self.file.metadata().map_or(u64::MAX, |found| found.len());
        let tail = known.tail.len() as u64;
        let changed = if size < known.indexed {
            Some(Change::Shortened)
        } else {
            let same = self.read(0, known.head.len() as u64)? == known.head
                && self.read(known.indexed - tail, tail)? == known.tail;
            (!same).then_some(Change::Overwritten)
        };
        match changed {
            Some(change) => Err(self.keep(change)),
            None => Ok(()),
        }
    }

    fn read(&self, from: u64, len: u64) -> Result<Vec<u8>, Change> {
        let mut bytes = vec![0; len as usize];
        match self.file.read_exact_at(&mut bytes, from) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.keep(Change::Shortened)),
            // A disk that fails is no other file: reading will tell.
            Err(_) => Ok(Vec::new()),
        }
    }

    fn keep(&self, change: Change) -> Change {
        *self.changed.get_or_init(|| change)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Bench {
        _folder: tempfile::TempDir,
        path: PathBuf,
        original: Original,
    }

    fn opened(bytes: &[u8]) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcap");
        fs::write(&path, bytes).unwrap();
        let original = Original::new(&path, Arc::new(File::open(&path).unwrap()));
        original.indexed(bytes.len() as u64).unwrap();
        Bench {
            _folder: folder,
            path,
            original,
        }
    }

    /// What is seen after `spoil` has done something to a file of 10,000 bytes.
    fn check(spoil: impl Fn(&Path, &File), bytes: Result<(), Change>, name: Result<(), Change>) {
        let bench = opened(&[7; 10_000]);
        let file = fs::OpenOptions::new().write(true).open(&bench.path).unwrap();
        assert_eq!(
            (bench.original.check_bytes(), bench.original.check_name()),
            (Ok(()), Ok(()))
        );
        spoil(&bench.path, &file);
        assert_eq!(
            (bench.original.check_bytes(), bench.original.check_name()),
            (bytes, name)
        );
    }

    #[test]
    fn what_other_programs_do_is_told_apart() {
        check(|_, _| (), Ok(()), Ok(()));
        check(
            |_, file| file.write_all_at(b"more", 10_000).unwrap(),
            Ok(()),
            Ok(()),
        );
        check(
            |_, file| file.set_len(9_999).unwrap(),
            Err(Change::Shortened),
            Ok(()),
        );
        check(
            |path, _| fs::write(path, vec![8; 20_000]).unwrap(),
            Err(Change::Overwritten),
            Ok(()),
        );
        check(
            |_, file| file.write_all_at(b"x", 4095).unwrap(),
            Err(Change::Overwritten),
            Ok(()),
        );
        check(
            |_, file| file.write_all_at(b"x", 9999).unwrap(),
            Err(Change::Overwritten),
            Ok(()),
        );
        check(
            |path, _| fs::remove_file(path).unwrap(),
            Ok(()),
            Err(Change::Deleted),
        );
        let moved = |path: &Path, _: &File| fs::rename(path, path.with_extension("old")).unwrap();
        check(moved, Ok(()), Err(Change::Moved));
        let replaced = |path: &Path, _: &File| {
            fs::write(path.with_extension("new"), "other").unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        };
        check(replaced, Ok(()), Err(Change::Replaced));
    }

    #[test]
    fn bytes_behind_the_indexed_ones_may_change() {
        let bench = opened(&[7; 100]);
        let file = fs::OpenOptions::new().write(true).open(&bench.path).unwrap();
        // A recorder takes a torn block back, and writes another.
        for (len, bytes) in [(110, [1; 10]), (100, [2; 10]), (110, [3; 10])] {
            file.set_len(len).unwrap();
            file.write_all_at(&bytes, 100).unwrap();
            assert_eq!(bench.original.check_bytes(), Ok(()));
        }
        bench.original.indexed(110).unwrap();
        file.write_all_at(b"x", 105).unwrap();
        assert_eq!(bench.original.check_bytes(), Err(Change::Overwritten));
    }

    #[test]
    fn what_was_lost_does_not_come_back() {
        let bench = opened(&[7; 100]);
        fs::write(&bench.path, "").unwrap();
        assert_eq!(bench.original.check_bytes(), Err(Change::Shortened));
        fs::write(&bench.path, [7; 100]).unwrap();
        assert_eq!(bench.original.check_bytes(), Err(Change::Shortened));
    }
}
