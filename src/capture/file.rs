//! Creating a private file: mode 0600 whatever the umask, exclusively, never through a symbolic link, locked.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::{Whence, geteuid, lseek};

use super::{CaptureError, Existing};

/// Creates the file at `path` and locks it for this instance.
pub(super) fn create(path: &Path, existing: Existing) -> Result<File, CaptureError> {
    match (create_new(path), existing) {
        (Ok(file), _) => Ok(file),
        (Err(error), Existing::Replace) if error.kind() == io::ErrorKind::AlreadyExists => {
            remove_ours(path)?;
            create_new(path).map_err(|error| refused(path, error))
        }
        (Err(error), Existing::Refuse | Existing::Replace) => Err(refused(path, error)),
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true) // O_CREAT | O_EXCL, which does not follow a symbolic link either
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits()) // std adds O_CLOEXEC
        .open(path)?;
    // A umask can take bits away, so that even the owner could not read the recording.
    file.set_permissions(Permissions::from_mode(0o600))?;
    // Waits, though nobody else can hold the new file for long: an instance that lists recordings tries their
    // locks for a moment. Where a file system has no locks, recording is worth more than the lock.
    drop(file.lock());
    Ok(file)
}

/// Names that are tried for a file that is not whole yet.
const TRIES: u32 = 1000;

/// Creates a file in the directory of `path`, under a hidden name that nobody else uses. It is short, so that it is
/// possible wherever `path` is. Returns where it is.
pub(super) fn create_beside(path: &Path) -> Result<(File, PathBuf), CaptureError> {
    for number in 0..TRIES {
        let beside = path.with_file_name(format!(".sockscope-{}-{number}.part", std::process::id()));
        match create_new(&beside) {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(refused(path, error)),
        }
    }
    Err(refused(path, io::ErrorKind::ResourceBusy.into()))
}

fn refused(path: &Path, source: io::Error) -> CaptureError {
    let path = path.to_owned();
    if source.kind() != io::ErrorKind::AlreadyExists {
        return CaptureError::Create { path, source };
    }
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => unsafe_path(&path, "it is a symbolic link"),
        Ok(found) if !found.is_file() => unsafe_path(&path, "it is not a regular file"),
        Ok(_) | Err(_) => CaptureError::Exists(path),
    }
}

/// Removes a regular file of this user that no instance is writing.
pub(super) fn remove_ours(path: &Path) -> Result<(), CaptureError> {
    check_replaceable(path)?;
    std::fs::remove_file(path).map_err(CaptureError::io("remove", path))
}

/// Whether it is a regular file of this user that no instance is writing, so that it may be replaced.
pub(super) fn check_replaceable(path: &Path) -> Result<(), CaptureError> {
    let failed = |tried| CaptureError::io(tried, path);
    check_ours(path, &path.symlink_metadata().map_err(failed("replace"))?)?;
    let file = open_quietly(path).map_err(failed("open"))?;
    // What was opened, not what the name stood for a moment ago.
    check_ours(path, &file.metadata().map_err(failed("open"))?)?;
    if is_locked(&file) {
        return Err(CaptureError::Busy(path.to_owned()));
    }
    Ok(())
}

/// Opens a regular file of this user to read it and to append to it.
pub(super) fn open_ours(path: &Path) -> Result<File, CaptureError> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(path)
        .map_err(CaptureError::io("open", path))?;
    check_ours(path, &file.metadata().map_err(CaptureError::io("open", path))?)?;
    Ok(file)
}

/// Opens for reading; neither a FIFO nor a symbolic link that was put there meanwhile does any harm.
fn open_quietly(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(path)
}

fn check_ours(path: &Path, found: &Metadata) -> Result<(), CaptureError> {
    if found.is_symlink() {
        return Err(unsafe_path(path, "it is a symbolic link"));
    }
    if !found.is_file() {
        return Err(unsafe_path(path, "it is not a regular file"));
    }
    if found.uid() != geteuid().as_raw() {
        return Err(unsafe_path(path, "it belongs to another user"));
    }
    Ok(())
}

fn unsafe_path(path: &Path, why: &'static str) -> CaptureError {
    CaptureError::Unsafe {
        path: path.to_owned(),
        why,
    }
}

/// Whether another instance holds its lock on the file.
fn is_locked(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
}

/// Whether another instance records to the open `file`, on which this process has no lock.
pub(super) fn is_recorded(file: &File) -> bool {
    let recorded = is_locked(file);
    // Asking took the lock if it was free.
    drop(file.unlock());
    recorded
}

/// Whether another instance is writing the file at `path`.
pub(super) fn is_live(path: &Path) -> bool {
    open_quietly(path).is_ok_and(|file| is_locked(&file))
}

/// Whether `path` still names the open `file`.
pub(super) fn is_same(path: &Path, file: &File) -> io::Result<bool> {
    Ok(Identity::of(&path.symlink_metadata()?) == Identity::of(&file.metadata()?))
}

/// Which file it is, whatever its names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// That of the file of which this was told.
    pub(super) fn of(found: &Metadata) -> Identity {
        Identity {
            device: found.dev(),
            inode: found.ino(),
        }
    }
}

/// Whether the file starts with `head` and has no hole before `size`: one that was cut and then written on has.
pub(super) fn is_whole(file: &File, size: u64, head: [u8; 4]) -> bool {
    let mut start = [0; 4];
    let starts = file.read_exact_at(&mut start, 0).is_ok() && start == head;
    // Where holes are not told, the end of the file is the first.
    let hole = lseek(file, 0, Whence::SeekHole).map_or(size, i64::cast_unsigned);
    starts && hole >= size
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().permissions().mode() & 0o7777
    }

    fn refuses(path: &Path, existing: Existing, expected: &str) {
        let error = create(path, existing).unwrap_err().to_string();
        let name = path.display().to_string();
        assert_eq!(error.replace(&name, "FILE"), expected);
    }

    #[test]
    fn a_new_file_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        create(&path, Existing::Refuse).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn what_is_there_is_kept_unless_it_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "old").unwrap();
        let exists = "FILE exists already: choose another name, or overwrite it with --force";
        refuses(&path, Existing::Refuse, exists);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let file = create(&path, Existing::Replace).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
        assert_eq!(mode(&path), 0o600);
        refuses(
            &path,
            Existing::Replace,
            "FILE is being written by another instance: choose another name",
        );
    }

    #[test]
    fn a_place_without_a_directory_is_named() {
        let folder = tempfile::tempdir().unwrap();
        refuses(
            &folder.path().join("none/a.pcapng"),
            Existing::Refuse,
            "cannot create FILE: No such file or directory; create its directory first",
        );
    }

    #[test]
    fn links_and_other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::fs::write(&target, "precious").unwrap();
        let link = folder.path().join("link");
        symlink(&target, &link).unwrap();
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nowhere"), &dangling).unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for existing in [Existing::Refuse, Existing::Replace] {
            let link_words = "refusing to write FILE: it is a symbolic link";
            refuses(&link, existing, link_words);
            refuses(&dangling, existing, link_words);
            refuses(
                &fifo,
                existing,
                "refusing to write FILE: it is not a regular file",
            );
            refuses(
                folder.path(),
                existing,
                "refusing to write FILE: it is not a regular file",
            );
        }
        assert_eq!(std::fs::read(&target).unwrap(), b"precious");
        assert!(!folder.path().join("nowhere").exists());
    }
}
