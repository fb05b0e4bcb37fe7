//! The directory where recordings are kept when no file was named.
//!
//! Deliberately absent: any deletion by itself. What is over the budget is told, and the user decides.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{DirBuilder, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::DateTime;
use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use super::annotator::sidecar_path;
use super::recorder::recording_of;
use super::{CaptureError, Create, Existing, Recorder, Ring, file};
use crate::model::{Endpoint, Timestamp};

/// How many bytes the kept recordings may have together before the user is asked about the oldest: 2 GiB.
pub const BUDGET: u64 = 2 << 30;

/// The extension of session files.
const EXTENSION: &str = "pcapng";

/// The most characters of an endpoint in a file name, which may have 255 bytes in all.
const LONGEST_NAME: usize = 100;

/// Names that are tried when several instances start in the same microsecond.
const TRIES: u32 = 100;

/// The directory of kept recordings: `$XDG_STATE_HOME/sockscope/sessions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    path: PathBuf,
}

/// A recording that is in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it is; of a ring, what the names of its files are made of.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Timestamp,
    /// Whether a running instance is still writing it.
    pub live: bool,
    /// The files of a ring, the oldest first; none if the recording is the file at its path.
    pub ring: Vec<RingFile>,
}

/// A file of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
}

impl Sessions {
    /// Finds the directory, creating it with mode 0700 where it is missing; `env` looks up an environment
    /// variable. Refuses a symbolic link and a directory of somebody else.
    pub fn open(env: impl Fn(&str) -> Option<OsString>) -> Result<Sessions, CaptureError> {
        let path = state_directory(env)?.join("sessions");
        private_directory(&path)?;
        Ok(Sessions { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a session file under a new name, made of the time (UTC) and the endpoint.
    pub fn create(
        &self,
        at: Timestamp,
        endpoint: Option<&Endpoint>,
        max_size: Option<u64>,
    ) -> Result<Recorder, CaptureError> {
        self.create_new(at, endpoint, |path| {
            Recorder::create(&Create {
                path,
                existing: Existing::Refuse,
                max_size,
            })
        })
    }

    /// The same with the files of a ring.
    pub fn create_ring(
        &self,
        at: Timestamp,
        endpoint: Option<&Endpoint>,
        ring: Ring,
    ) -> Result<Recorder, CaptureError> {
        self.create_new(at, endpoint, |path| Recorder::create_ring(&path, ring, at))
    }

    fn create_new(
        &self,
        at: Timestamp,
        endpoint: Option<&Endpoint>,
        create: impl Fn(PathBuf) -> Result<Recorder, CaptureError>,
    ) -> Result<Recorder, CaptureError> {
        let stem = stem(at, endpoint);
        let create = |name: String| create(self.path.join(name));
        let mut result = create(format!("{stem}.{EXTENSION}"));
        for number in 2..=TRIES {
            match result {
                Err(CaptureError::Exists(_)) => result = create(format!("{stem}-{number}.{EXTENSION}")),
                Ok(_) | Err(_) => break,
            }
        }
        result
    }

    /// The recordings that are there, oldest first. Links and files of other users are left out.
    pub fn kept(&self) -> Result<Vec<Kept>, CaptureError> {
        let failed = |tried| CaptureError::io(tried, &self.path);
        let mut kept = Vec::new();
        let mut rings: BTreeMap<String, Vec<(u32, Kept)>> = BTreeMap::new();
        for item in self.path.read_dir().map_err(failed("read"))? {
            let path = item.map_err(failed("read"))?.path();
            // A file that vanishes meanwhile was removed by another instance.
            let Ok(found) = path.symlink_metadata() else {
                continue;
            };
            let ours = found.is_file() && found.uid() == geteuid().as_raw();
            if !ours || path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            let ring = path.file_stem().and_then(|stem| recording_of(stem.to_str()?));
            let ring = ring.map(|(recording, number)| (recording.to_owned(), number));
            let one = Kept {
                live: file::is_live(&path),
                size: found.len(),
                modified: modified(&found),
                path,
                ring: Vec::new(),
            };
            match ring {
                Some((recording, number)) => rings.entry(recording).or_default().push((number, one)),
                None => kept.push(one),
            }
        }
        kept.extend(
            rings
                .into_iter()
                .map(|(recording, files)| self.joined(&recording, files)),
        );
        kept.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        Ok(kept)
    }

    /// The files of a ring as one recording.
    fn joined(&self, recording: &str, mut files: Vec<(u32, Kept)>) -> Kept {
        files.sort_by_key(|(number, _)| *number);
        let files = files.into_iter().map(|(_, file)| file);
        let mut joined = Kept {
            path: self.path.join(format!("{recording}.{EXTENSION}")),
            size: 0,
            modified: Timestamp::default(),
            live: false,
            ring: Vec::new(),
        };
        for Kept {
            path,
            size,
            modified,
            live,
            ring: _,
        } in files
        {
            joined.size += size;
            joined.modified = joined.modified.max(modified);
            joined.live |= live;
            joined.ring.push(RingFile { path, size });
        }
        joined
    }

    /// Removes a recording that the user no longer wants, with all its files; one that is being written, or lies
    /// elsewhere, is refused.
    pub fn remove(&self, kept: &Kept) -> Result<(), CaptureError> {
        let one = [&kept.path];
        let files = kept.ring.iter().map(|file| &file.path);
        let files: Vec<&PathBuf> = if kept.ring.is_empty() {
            one.into_iter().collect()
        } else {
            files.collect()
        };
        if let Some(elsewhere) = files.iter().find(|path| path.parent() != Some(&self.path)) {
            return Err(CaptureError::Unsafe {
                path: (*elsewhere).clone(),
                why: "it is not in the directory of recordings",
            });
        }
        // The newest file of a ring is the one that another instance writes last: if it goes, all do.
        files.iter().rev().try_for_each(|path| {
            file::remove_ours(path)?;
            // What was written about it means nothing without it.
            match file::remove_ours(&sidecar_path(path)) {
                Err(CaptureError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            }
        })
    }

    /// The oldest recordings that would have to go for the rest to fit `budget`; empty if all fit. Those that
    /// are being written stay. Nothing is removed.
    pub fn excess(kept: &[Kept], budget: u64) -> Vec<&Kept> {
        let mut total: u64 = kept.iter().map(|one| one.size).sum();
        let mut excess = Vec::new();
        for one in kept.iter().filter(|one| !one.live) {
            if total <= budget {
                break;
            }
            total -= one.size;
            excess.push(one);
        }
        excess
    }
}

/// When a file was last written; the epoch for what lies before it.
fn modified(file: &Metadata) -> Timestamp {
    let seconds = u64::try_from(file.mtime()).unwrap_or_default();
    let nanos = u64::try_from(file.mtime_nsec()).unwrap_or_default();
    Timestamp::default() + Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

/// The directory of everything that is kept between runs, `$XDG_STATE_HOME/sockscope`, found as [`Sessions::open`]
/// finds its own.
pub fn state_directory(env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, CaptureError> {
    let home = state_home(env).ok_or(CaptureError::NoDirectory)?;
    let ours = home.join("sockscope");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&home)
        .map_err(CaptureError::io("create", &home))?;
    // What lies above may be a link that the user made; this and what is in it is ours alone.
    private_directory(&ours)?;
    Ok(ours)
}

/// `$XDG_STATE_HOME`, or `~/.local/state` where it is not set or not absolute (XDG base directory
/// specification).
fn state_home(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
}

/// Creates a directory of mode 0700, or checks that the one there is this user's and closes it to others.
fn private_directory(path: &Path) -> Result<(), CaptureError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(CaptureError::io("create", path)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let refused = |why| CaptureError::Unsafe {
        path: path.to_owned(),
        why,
    };
    let failed = |tried| CaptureError::io(tried, path);
    let found = path.symlink_metadata().map_err(failed("open"))?;
    if found.is_symlink() {
        return Err(refused("it is a symbolic link"));
    }
    if !found.is_dir() {
        return Err(refused("it is not a directory"));
    }
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits())
        .open(path);
    let found = match &directory {
        Ok(open) => open.metadata().map_err(failed("open"))?,
        // A umask took even the owner's bits; the owner may still set them, by name.
        Err(_) => found,
    };
    if found.uid() != geteuid().as_raw() {
        return Err(refused("it belongs to another user"));
    }
    if found.permissions().mode() & 0o7777 == 0o700 {
        return Ok(());
    }
    let private = Permissions::from_mode(0o700);
    match directory {
        Ok(open) => open.set_permissions(private),
        Err(_) => std::fs::set_permissions(path, private),
    }
    .map_err(failed("close to other users"))
}

/// The name of a session file without its extension.
fn stem(at: Timestamp, endpoint: Option<&Endpoint>) -> String {
    let (seconds, nanos) = at.parts();
    let time = DateTime::from_timestamp(seconds, nanos).unwrap_or_default();
    let time = time.format("%Y-%m-%dT%H-%M-%S.%6fZ");
    match endpoint {
        Some(endpoint) => format!("{time}-{}", safe_name(&endpoint.brief())),
        None => time.to_string(),
    }
}

/// Only characters that no shell, file system or terminal takes for anything else.
pub(crate) fn safe_name(text: &str) -> String {
    let safe = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => c,
        _ => '_',
    };
    text.chars()
        .filter(|c| !matches!(c, '[' | ']'))
        .map(safe)
        .take(LONGEST_NAME)
        .collect()
}
