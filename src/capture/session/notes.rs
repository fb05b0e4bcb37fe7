//! What was learnt of entries after they were recorded: what people said of them, and the kernel's time stamps.

use std::sync::PoisonError;

use super::{Log, Place, Session};
use crate::capture::CaptureError;
use crate::capture::annotations::{Annotations, TooMany};
use crate::capture::search::Hits;
use crate::model::{Annotation, EntryId, Stamps};

impl Session {
    /// Keeps what the user adds to an entry, in memory only: see [`crate::capture::Annotator`].
    pub(in crate::capture) fn set_annotation(
        &self,
        number: EntryId,
        annotation: Annotation,
    ) -> Result<(), CaptureError> {
        let set = self.notes().set(number, annotation);
        set.map_err(|TooMany| CaptureError::Annotation("there are too many annotations"))
    }

    /// The entries whose annotations changed behind so many changes, and how many changes there are now.
    pub(in crate::capture) fn annotated_since(&self, changes: u64) -> (Vec<EntryId>, u64) {
        self.notes().changed_since(changes)
    }

    /// The first annotated entry behind that number that is one of these. However many are not, passing over each takes
    /// some 25 ns, and there are a million at most.
    pub(in crate::capture) fn annotated_after_among(&self, number: EntryId, shown: &Hits) -> Option<EntryId> {
        self.notes().after(number, |number| shown.contains(number))
    }

    /// The last one before it.
    pub(in crate::capture) fn annotated_before_among(
        &self,
        number: EntryId,
        shown: &Hits,
    ) -> Option<EntryId> {
        self.notes().before(number, |number| shown.contains(number))
    }

    /// Those of the file are where those of this run go too, so that the last word counts.
    pub(super) fn notes(&self) -> &Annotations {
        match self.source.log.get() {
            Some(Log::Own(shared)) => &shared.annotations,
            Some(Log::Foreign(_)) | None => &self.source.annotations,
        }
    }

    /// The time stamps of an entry.
    pub(super) fn find_stamps(&self, number: EntryId) -> Option<Stamps> {
        let slot = self.slot(number).ok()?;
        let Place::Own(segment) = slot.place else {
            return None;
        };
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let file = (segment.number, &*segment.file);
        segment.stamps.read(file, (number, slot.at), &mut cache.stamps)
    }

    /// Whether any entry has some.
    pub(super) fn is_stamped(&self) -> bool {
        match self.source.log.get() {
            Some(Log::Own(shared)) => shared.all().iter().any(|segment| !segment.stamps.is_empty()),
            Some(Log::Foreign(_)) | None => false,
        }
    }
}
