//! What a search or a filter has found so far, seen by those who move over it.

use super::EntryId;

/// The entries that were found, by their numbers in the session. It grows while the log is looked through from its
/// first entry on; every call costs next to nothing however many there are.
pub trait Found {
    /// How many were found.
    fn count(&self) -> u64;

    /// How many entries were looked at.
    fn scanned(&self) -> u64;

    /// How many entries there are to be looked at.
    fn entries(&self) -> u64;

    /// The first one at or behind `from`.
    fn next(&self, from: EntryId) -> Option<EntryId>;

    /// The last one at or before `to`.
    fn previous(&self, to: EntryId) -> Option<EntryId>;

    /// How many stand before `id`.
    fn rank(&self, id: EntryId) -> u64;

    /// The one with that many before it.
    fn nth(&self, rank: u64) -> Option<EntryId>;
}
