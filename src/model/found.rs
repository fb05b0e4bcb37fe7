//! What a search or a filter has found so far, seen by those who move over it.

use super::EntryId;

/// The entries that were found, by their numbers in the session. It grows while the log is looked through from its
/// first entry on; every call costs next to nothing however many there are. Who goes from one to the next passes over
/// those that a filter hides.
pub trait Found {
    /// How many were found, shown or not.
    fn count(&self) -> u64;

    /// How many entries were looked at: of all before it is known whether they were found, and whether they are shown.
    fn scanned(&self) -> u64;

    /// How many entries there are to be looked at.
    fn entries(&self) -> u64;

    /// The first one that is shown, at or behind `from`.
    fn next(&self, from: EntryId) -> Option<EntryId>;

    /// The last one that is shown, at or before `to`.
    fn previous(&self, to: EntryId) -> Option<EntryId>;

    /// How many stand before `id`.
    fn rank(&self, id: EntryId) -> u64;

    /// How many of those before `id` are not shown.
    fn hidden_before(&self, id: EntryId) -> u64;

    /// The one with that many before it.
    fn nth(&self, rank: u64) -> Option<EntryId>;
}
