//! How an opened file, or several as one, stands: the latest report of whoever reads it, never its history.

use super::EntryId;

/// How far the indexing of a file is. A newer report replaces an older one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReport {
    /// How many files are read as one.
    pub files: u32,
    /// The size of all of them in bytes, as it was last seen.
    pub size: u64,
    /// Bytes of it that were indexed, or found damaged; of a compressed file, bytes of the compressed form.
    pub indexed: u64,
    /// Entries that can be read.
    pub entries: u64,
    /// The number of the first of them: a file of a ring begins in the middle of its recording.
    pub first: EntryId,
    /// Conversations that were found.
    pub conversations: u64,
    /// What is being done.
    pub state: FileState,
    /// What was left out, cut off or repaired, each in one sentence.
    pub remarks: Vec<String>,
}

/// What is being done with an opened file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FileState {
    /// Its entries are being found; those found so far can be read.
    #[default]
    Indexing,
    /// All of it is indexed; it is watched for what is appended.
    Following,
    /// All of it is indexed, and it cannot grow.
    Complete,
    /// All that can be read of it is indexed. It is not followed, and its end is missing.
    Cut,
    /// The user stopped the indexing; what was found can be read.
    Cancelled,
    /// Reading it failed, with the reason in words; what was found before can be read.
    Failed(String),
}

impl FileReport {
    /// How much of the file was indexed, in percent, rounded down.
    pub fn percent(&self) -> u64 {
        match self.size {
            0 => 100,
            size => (u128::from(self.indexed.min(size)) * 100 / u128::from(size)) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_percentage_of_any_size() {
        let check = |indexed, size, expected| {
            let report = FileReport {
                size,
                indexed,
                ..FileReport::default()
            };
            assert_eq!(report.percent(), expected, "{indexed} of {size}");
        };
        check(0, 0, 100);
        check(0, 7, 0);
        check(6, 7, 85);
        check(7, 7, 100);
        check(9, 7, 100);
        check(u64::MAX, u64::MAX, 100);
    }
}
