//! A small private file of JSON values, one a line, that several instances append to at once. Knows nothing of what
//! the lines mean.

use std::collections::HashSet;
use std::fs::File;
use std::hash::Hash;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{Uid, UnlinkatFlags, unlinkat};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file above this size is compacted.
const COMPACT_ABOVE: u64 = 256 * 1024;

/// What compaction leaves, so that it does not happen at every line.
const COMPACT_TO: usize = 128 * 1024;

/// A line above this size is not kept: it was pasted, not typed.
const LONGEST: usize = 64 * 1024;

/// How often a file that another instance replaced meanwhile is opened again.
const TRIES: u32 = 3;

/// Whether appending made the file smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    /// One line longer, or as it was if the line is too long to be kept.
    Grown,
    /// The oldest lines are gone.
    Compacted,
}

/// The lines of the file, oldest first, each at its last place only; none if there is no file. What is no JSON value
/// of that kind is skipped: a torn line must not take the others with it.
pub(super) fn read<T: DeserializeOwned + Hash + Eq + Clone>(
    folder: &OwnedFd,
    name: &str,
) -> io::Result<Vec<T>> {
    match open(folder, name, OFlag::O_RDONLY) {
        Ok(mut file) => distinct(&mut file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Appends a line in one write, and drops the oldest lines when the file has grown too large.
pub(super) fn append<T: Serialize + ?Sized>(folder: &OwnedFd, name: &str, line: &T) -> io::Result<Appended> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    if text.len() > LONGEST {
        return Ok(Appended::Grown);
    }
    let mut file = open_current(folder, name)?;
    let size = file.metadata()?.len();
    if size > 0 && !ends_a_line(&file, size)? {
        text.insert(0, '\n');
    }
    file.write_all(text.as_bytes())?;
    // An upgrade of the shared lock is not atomic; letting go first makes a clash fail instead of deadlock.
    file.unlock()?;
    if size + text.len() as u64 > COMPACT_ABOVE && file.try_lock().is_ok() && is_current(folder, name, &file)?
    {
        compact(folder, name, &mut file)?;
        return Ok(Appended::Compacted);
    }
    Ok(Appended::Grown)
}

/// Opens the file that bears the name now, under a shared lock. Whoever compacts holds it exclusively for the
/// moment in which a line would go into a file that is about to be replaced.
fn open_current(folder: &OwnedFd, name: &str) -> io::Result<File> {
    let flags = OFlag::O_RDWR | OFlag::O_APPEND | OFlag::O_CREAT;
    for _ in 0..TRIES {
        let file = open(folder, name, flags)?;
        if file.try_lock_shared().is_ok() && is_current(folder, name, &file)? {
            return Ok(file);
        }
    }
    // Waiting for an instance that was stopped in its moment would stop this one: risk the line instead.
    open(folder, name, flags)
}

fn is_current(folder: &OwnedFd, name: &str, file: &File) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(named) => Ok(named.st_ino == ours.ino() && named.st_dev == ours.dev()),
        Err(Errno::ENOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn ends_a_line(file: &File, size: u64) -> io::Result<bool> {
    let mut last = [0];
    file.read_exact_at(&mut last, size - 1)?;
    Ok(last == *b"\n")
}

/// Replaces the file by one with its newest lines; the caller holds the exclusive lock.
fn compact(folder: &OwnedFd, name: &str, file: &mut File) -> io::Result<()> {
    let lines: Vec<serde_json::Value> = distinct(file)?;
    let mut kept = Vec::new();
    let mut size = 0;
    for line in lines.iter().rev() {
        let text = serde_json::to_string(line)?;
        size += text.len() + 1;
        if size > COMPACT_TO {
            break;
        }
        kept.push(text);
    }
    kept.reverse();
    kept.push(String::new());
    let draft = format!("{name}.new");
    // A draft that is there is of an instance that died: nobody else writes one without the lock.
    match unlinkat(folder, draft.as_str(), UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
    open(folder, &draft, flags)?.write_all(kept.join("\n").as_bytes())?;
    renameat(folder, draft.as_str(), folder, name)?;
    Ok(())
}

fn distinct<T: DeserializeOwned + Hash + Eq + Clone>(file: &mut File) -> io::Result<Vec<T>> {
    // Twice what is ever left there: a larger file was not written by us, and its end is the newer part.
    let limit = 2 * COMPACT_ABOVE;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    let mut seen = HashSet::new();
    let mut lines: Vec<T> = bytes
        .split(|byte| *byte == b'\n')
        .rev()
        .filter_map(|line| serde_json::from_slice::<T>(line).ok())
        .filter(|line| seen.insert(line.clone()))
        .collect();
    lines.reverse();
    Ok(lines)
}

/// Opens a private regular file of this user in the folder, never through a link and never waiting for a pipe.
fn open(folder: &OwnedFd, name: &str, flags: OFlag) -> io::Result<File> {
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = match openat(folder.as_fd(), name, flags, Mode::from_bits_truncate(0o600)) {
        Ok(fd) => File::from(fd),
        Err(Errno::ELOOP) => return Err(io::Error::other("it is a symbolic link")),
        Err(error) => return Err(error.into()),
    };
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(io::Error::other("it is not a regular file of its own"));
    }
    if found.uid() != Uid::effective().as_raw() {
        return Err(io::Error::other("it belongs to another user"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(io::Error::other(
            "other users may read it: chmod 600 it, or remove it",
        ));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::*;

    fn folder(path: &Path) -> OwnedFd {
        File::open(path).unwrap().into()
    }

    fn texts(folder: &OwnedFd) -> Vec<String> {
        read(folder, "h").unwrap()
    }

    #[test]
    fn lines_come_back_whatever_is_in_them() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        assert_eq!(texts(&folder), Vec::<String>::new());
        let lines = ["GET /", "two\nlines\r\n", "\u{1b}[31m \"é\" \\", ""];
        for line in lines {
            append(&folder, "h", line).unwrap();
        }
        assert_eq!(texts(&folder), lines);
        append(&folder, "h", "GET /").unwrap();
        assert_eq!(texts(&folder).last().unwrap(), "GET /");
        assert_eq!(texts(&folder).len(), 4, "each once, at its last place");
        let mode = fs::metadata(dir.path().join("h")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_torn_line_is_skipped_and_takes_nothing_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        append(&folder, "h", "one").unwrap();
        let mut file = File::options().append(true).open(dir.path().join("h")).unwrap();
        file.write_all(b"\"to").unwrap();
        append(&folder, "h", "two").unwrap();
        assert_eq!(texts(&folder), ["one", "two"]);
    }

    #[test]
    fn the_file_stays_bounded_and_keeps_the_newest() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        let line = |n: u32| format!("{n} {}", "x".repeat(10_000));
        let mut compacted = 0;
        for n in 0..100 {
            if append(&folder, "h", &line(n)).unwrap() == Appended::Compacted {
                compacted += 1;
            }
            assert!(fs::metadata(dir.path().join("h")).unwrap().len() <= COMPACT_ABOVE);
        }
        assert!((2..20).contains(&compacted), "{compacted}");
        let lines = texts(&folder);
        assert_eq!(lines.last().unwrap(), &line(99));
        assert_eq!(lines[lines.len() - 5], line(95));
        append(&folder, "h", &"x".repeat(LONGEST)).unwrap();
        assert_eq!(texts(&folder).last().unwrap(), &line(99));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn instances_that_write_at_once_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = dir.path();
                scope.spawn(move || {
                    let folder = folder(path);
                    for n in 0..50 {
                        append(&folder, "h", &format!("{writer} {n}")).unwrap();
                    }
                });
            }
        });
        assert_eq!(texts(&folder(dir.path())).len(), 200);
    }

    #[test]
    fn links_pipes_and_open_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&victim, dir.path().join("symlink")).unwrap();
        fs::hard_link(&victim, dir.path().join("hardlink")).unwrap();
        nix::unistd::mkfifo(&dir.path().join("pipe"), Mode::S_IRWXU).unwrap();
        fs::write(dir.path().join("open"), "").unwrap();
        fs::set_permissions(dir.path().join("open"), fs::Permissions::from_mode(0o644)).unwrap();
        for name in ["symlink", "hardlink", "pipe", "open"] {
            assert!(append(&folder, name, "line").is_err(), "{name}");
        }
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
    }
}
