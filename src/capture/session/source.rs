//! What all clones of a session share: the files behind it, and where their entries are.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Log;
use crate::capture::annotations::Annotations;
use crate::capture::file::Identity;
use crate::capture::original::Original;

/// What all clones of a session share.
#[derive(Debug)]
pub(in crate::capture) struct Source {
    pub(super) path: PathBuf,
    /// Which file it is, if it is a stream that was opened by a name.
    pub(super) identity: Option<Identity>,
    /// The files that were opened, which other programs may change meanwhile; none if nothing was.
    originals: Vec<Original>,
    /// Set once enough of the file was read to know what it is.
    pub(super) log: OnceLock<Log>,
    pub(super) cut: AtomicU64,
    /// What the user of this run added, and what stands beside the file.
    pub(super) annotations: Annotations,
}

impl Source {
    /// Files that were opened, of which nothing is known yet. `path` stands for all of them.
    pub(in crate::capture) fn of_files(path: &Path, originals: Vec<Original>) -> Source {
        Source {
            originals,
            ..Source::new(path, None)
        }
    }

    /// Something else that bears this name; which file it is, if it is one.
    pub(in crate::capture) fn new(path: &Path, identity: Option<Identity>) -> Source {
        Source {
            path: path.to_owned(),
            identity,
            originals: Vec::new(),
            log: OnceLock::new(),
            cut: AtomicU64::new(0),
            annotations: Annotations::default(),
        }
    }

    /// Where the file is.
    pub(in crate::capture) fn path(&self) -> &Path {
        &self.path
    }

    /// How many entries there are.
    pub(in crate::capture) fn entries(&self) -> u64 {
        match self.log.get() {
            Some(Log::Own(shared)) => shared.end(),
            Some(Log::Foreign(foreign)) => foreign.entries(),
            None => 0,
        }
    }

    /// The number of the first entry that is kept.
    pub(in crate::capture) fn first(&self) -> u64 {
        match self.log.get() {
            Some(Log::Own(shared)) => shared.first(),
            Some(Log::Foreign(_)) | None => 0,
        }
    }

    /// The files that were opened, in their order.
    pub(in crate::capture) fn originals(&self) -> &[Original] {
        &self.originals
    }

    /// Says where the entries are; only the first call counts.
    pub(in crate::capture) fn found(&self, log: Log) {
        drop(self.log.set(log));
    }

    /// Says how many bytes at the end were left out.
    pub(in crate::capture) fn set_cut(&self, bytes: u64) {
        self.cut.store(bytes, Ordering::Release);
    }
}
