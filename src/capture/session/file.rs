//! The file behind a session: whether it is still what was opened, and what of the session is stored where.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Log, Session};
use crate::capture::annotator::sidecar_path;
use crate::capture::file::Identity;
use crate::capture::original::{Change, Original};
use crate::capture::segment::Segment;
use crate::model::{EntryId, RecordsError};

impl Session {
    /// What of this session is stored in the file at `path`, if anything is: whoever replaces it loses that.
    pub(in crate::capture) fn stored_at(&self, path: &Path) -> Option<&'static str> {
        let wanted = Identity::of(&path.symlink_metadata().ok()?);
        let is_wanted = |file: &File| file.metadata().is_ok_and(|found| Identity::of(&found) == wanted);
        let originals = self.source.originals();
        let opened = originals
            .iter()
            .map(Original::identity)
            .chain([self.source.identity]);
        if opened.flatten().any(|identity| identity == wanted) {
            return Some("the capture that is open");
        }
        if let Some(Log::Own(shared)) = self.log()
            && shared.all().iter().any(|segment| is_wanted(&segment.file))
        {
            return Some("the recording that is open");
        }
        let is_sidecar = |capture: &Path| {
            let sidecar = sidecar_path(capture).symlink_metadata();
            sidecar.is_ok_and(|found| Identity::of(&found) == wanted)
        };
        originals
            .iter()
            .any(|original| is_sidecar(original.path()))
            .then_some("where the annotations of the open capture are kept")
    }

    /// Whether it is read from files that have names.
    pub fn is_of_files(&self) -> bool {
        !self.source.originals().is_empty()
    }

    /// The files that it is read from, as far as they are known to hold entries.
    pub(in crate::capture) fn parts(&self) -> Vec<Part> {
        let originals = self.source.originals();
        match (self.log(), originals) {
            (Some(Log::Own(shared)), [_, _, ..]) => {
                let segments = shared.all();
                let part = |segment: &Arc<Segment>| {
                    Some(Part {
                        path: originals.get(segment.number as usize)?.path().to_owned(),
                        entries: segment.first..segment.end(),
                        first_alone: segment.first_alone,
                    })
                };
                segments.iter().filter_map(part).collect()
            }
            (Some(Log::Own(_) | Log::Foreign(_)) | None, _) => vec![Part {
                path: self.path().to_owned(),
                entries: self.source.first()..self.source.entries(),
                first_alone: self.source.first(),
            }],
        }
    }

    /// Whether the files that hold these entries hold what was indexed. To be asked behind what was read: other programs
    /// may change them at any time.
    pub(in crate::capture) fn check_bytes(&self, entries: Range<u64>) -> Result<(), RecordsError> {
        let originals = self.source.originals();
        let checked = match (self.log(), originals) {
            (Some(Log::Own(shared)), [_, _, ..]) => {
                let segments = shared.all_with(entries);
                let mut held = segments
                    .iter()
                    .filter_map(|segment| originals.get(segment.number as usize));
                held.try_for_each(Original::check_bytes)
            }
            (Some(Log::Own(_) | Log::Foreign(_)) | None, all) => {
                all.iter().try_for_each(Original::check_bytes)
            }
        };
        checked.map_err(|change| RecordsError::Changed(change.words()))
    }

    /// Whether the name of a file still stands for what was opened.
    pub(in crate::capture) fn check_name(&self, path: &Path) -> Result<(), Change> {
        let mut originals = self.source.originals().iter();
        let original = originals.find(|original| original.path() == path);
        original.map_or(Ok(()), Original::check_name)
    }

    /// What was read of an entry, if its file still holds what was indexed.
    pub(super) fn checked<T>(&self, id: EntryId, read: Result<T, RecordsError>) -> Result<T, RecordsError> {
        self.check_bytes(id.0..id.0.saturating_add(1))?;
        read
    }
}

/// One of the files that a session is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) struct Part {
    /// Where it is.
    pub(in crate::capture) path: PathBuf,
    /// The numbers of its entries in the session.
    pub(in crate::capture) entries: Range<u64>,
    /// The number of the first of them where the file is opened by itself.
    pub(in crate::capture) first_alone: u64,
}
