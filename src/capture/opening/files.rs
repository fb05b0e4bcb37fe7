//! The files that are read as one log, one behind the other: which is read, what was left out of those before it, and
//! what other programs have done to them meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::sync::Arc;

use crate::capture::original::{Change, Original};
use crate::capture::session::Source;
use crate::text::format::counted;

/// The files; a stream counts as one.
#[derive(Debug)]
pub(super) struct Files {
    source: Arc<Source>,
    /// Which one is read.
    current: u32,
    behind: VecDeque<Arc<File>>,
    /// The size of those before it.
    passed: u64,
    /// Bytes of those that were left out.
    left_out: u64,
    /// Why, a sentence each.
    remarks: Vec<String>,
    /// What has become of those that were read.
    changes: Vec<Option<Change>>,
}

impl Files {
    /// At the first one.
    pub(super) fn new(source: Arc<Source>, behind: VecDeque<Arc<File>>) -> Files {
        Files {
            source,
            current: 0,
            behind,
            passed: 0,
            left_out: 0,
            remarks: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.current + 1 + self.behind.len() as u32
    }

    /// Whether there is more than one.
    pub(super) fn are_several(&self) -> bool {
        self.count() > 1
    }

    /// Whether there is another one.
    pub(super) fn has_next(&self) -> bool {
        !self.behind.is_empty()
    }

    /// Which one is read, counted from 0.
    pub(super) fn current(&self) -> u32 {
        self.current
    }

    /// The one that is read, if it has a name.
    pub(super) fn original(&self) -> Option<&Original> {
        self.source.originals().get(self.current as usize)
    }

    /// A sentence about the one that is read: of several it has to be said which one is meant.
    pub(super) fn about(&self, sentence: String) -> String {
        match self.original() {
            Some(original) if self.are_several() => format!("{}: {sentence}", name(original)),
            Some(_) | None => sentence,
        }
    }

    /// Goes on to the next one. Of the one that was read, `left` of `size` bytes were left out, for that reason.
    pub(super) fn go_on(&mut self, size: u64, left: u64, why: Option<String>) -> Option<Arc<File>> {
        let next = self.behind.pop_front()?;
        self.passed += size;
        self.left_out += left;
        self.remarks.extend(why);
        self.changes.push(None);
        self.current += 1;
        Some(next)
    }

    /// Bytes of all files, and how many of them were read, where these are the figures of the one that is read.
    pub(super) fn progress(&self, size: u64, indexed: u64) -> (u64, u64) {
        let size_of = |file: &Arc<File>| file.metadata().map_or(0, |found| found.len());
        let behind: u64 = self.behind.iter().map(size_of).sum();
        (self.passed + size + behind, self.passed + indexed)
    }

    /// Bytes that were left out of those before the one that is read.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Looks what has become of the files that were read.
    pub(super) fn look(&mut self) {
        for (original, change) in self.source.originals().iter().zip(&mut self.changes) {
            let checked = original.check_bytes().and_then(|()| original.check_name());
            *change = checked.err();
        }
    }

    /// What the one that is read has become is no more than that: it is not followed any more.
    pub(super) fn has_become(&mut self, change: Change) {
        self.changes.push(Some(change));
    }

    /// What was left out, and what other programs have done, a sentence each.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = self.remarks.clone();
        let mut by_change: BTreeMap<Change, Vec<&Original>> = BTreeMap::new();
        for (original, change) in self.source.originals().iter().zip(&self.changes) {
            if let Some(change) = change {
                by_change.entry(*change).or_default().push(original);
            }
        }
        remarks.extend(by_change.iter().filter_map(|(change, originals)| {
            let (first, more) = originals.split_first()?;
            let more = match more.len() as u64 {
                0 => String::new(),
                more => format!(" and {}", counted(more, "other file", "other files")),
            };
            Some(format!("{}{more}: {}", name(first), change.words()))
        }));
        remarks
    }
}

fn name(original: &Original) -> String {
    let name = original.path().file_name().unwrap_or(original.path().as_os_str());
    name.display().to_string()
}
