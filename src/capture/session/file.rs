//! The file behind a session: whether it is still what was opened, and what of the session is stored where.

use std::fs::File;
use std::path::Path;

use super::{Log, Session};
use crate::capture::annotator::sidecar_path;
use crate::capture::file::Identity;
use crate::capture::original::{Change, Original};
use crate::model::RecordsError;

impl Session {
    /// What of this session is stored in the file at `path`, if anything is: whoever replaces it loses that.
    pub(in crate::capture) fn stored_at(&self, path: &Path) -> Option<&'static str> {
        let wanted = Identity::of(&path.symlink_metadata().ok()?);
        let is_wanted = |file: &File| file.metadata().is_ok_and(|found| Identity::of(&found) == wanted);
        if self.source.identity == Some(wanted) {
            return Some("the capture that is open");
        }
        if let Some(Log::Own(shared)) = self.log()
            && shared.all().iter().any(|segment| is_wanted(&segment.file))
        {
            return Some("the recording that is open");
        }
        let sidecar = sidecar_path(self.path()).symlink_metadata();
        sidecar
            .is_ok_and(|found| Identity::of(&found) == wanted)
            .then_some("where the annotations of the open capture are kept")
    }

    /// Whether the file holds what was indexed. To be asked behind what was read: other programs may change it at any
    /// time.
    pub(in crate::capture) fn check_bytes(&self) -> Result<(), RecordsError> {
        let checked = self.source.original().map_or(Ok(()), Original::check_bytes);
        checked.map_err(|change| RecordsError::Changed(change.words()))
    }

    /// Whether its name still stands for the file that was opened.
    pub(in crate::capture) fn check_name(&self) -> Result<(), Change> {
        self.source.original().map_or(Ok(()), Original::check_name)
    }

    /// What was read, if the file still holds what was indexed.
    pub(super) fn checked<T>(&self, read: Result<T, RecordsError>) -> Result<T, RecordsError> {
        self.check_bytes()?;
        read
    }
}
