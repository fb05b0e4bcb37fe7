//! What the course of an opening has to say: how far it is, and what was left out or repaired.

use std::time::Instant;

use super::{Course, Rest};
use crate::capture::opening::indexer::Indexer;
use crate::model::{EntryId, FileReport, FileState};
use crate::text::format::counted;

impl Course {
    /// What there is to say about the files, of the last of which so many bytes are left out.
    fn remarks(&self, left_out: u64) -> Vec<String> {
        let mut remarks = self.files.remarks();
        remarks.extend(self.trouble.clone());
        if self.known == 0 && self.rest == Rest::Settled && self.trouble.is_none() {
            let said = "it is empty: no capture was written to it yet".to_owned();
            remarks.push(self.files.about(said));
        }
        if left_out > 0 && self.torn && self.trouble.is_none() {
            let said = format!(
                "the last {} no whole block: cut off, or not written yet",
                counted(left_out, "byte is", "bytes are")
            );
            remarks.push(self.files.about(said));
        }
        remarks.extend(self.indexer.iter().flat_map(Indexer::remarks));
        remarks
    }

    /// Reports how it stands, if that is something new.
    pub(super) fn report(&mut self, state: FileState) {
        let left = self.known - self.at();
        let cut = self.rest == Rest::Settled && left > 0;
        let left_out = if cut { left } else { 0 };
        self.source.set_cut(self.files.left_out() + left_out);
        let (size, indexed) = self.input.progress(self.at(), self.known);
        let indexed = if self.trouble.is_some() { size } else { indexed };
        let (size, indexed) = self.files.progress(size, indexed);
        let report = FileReport {
            files: self.files.count(),
            size,
            indexed,
            entries: self.source.entries() - self.source.first(),
            first: EntryId(self.source.first()),
            conversations: self.indexer.as_ref().map_or(0, Indexer::conversations),
            state,
            remarks: self.remarks(left_out),
        };
        self.reported = Some(Instant::now());
        // Nobody is woken by a report that says nothing new.
        self.reporter.send_if_modified(|latest| {
            let changed = *latest != report;
            *latest = report;
            changed
        });
    }
}
