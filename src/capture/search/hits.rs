//! Which entries were found: one bit each, in pages that exist only where there are hits.
//!
//! The scan sets bits while others ask; nobody waits for anybody longer than it takes to look a page up.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::model::EntryId;

/// Words of 64 entries in a page: a page stands for as many entries as fit the hops of a screen in a microsecond.
const WORDS: usize = 1024;

/// Entries of a page.
const PAGE: u64 = WORDS as u64 * 64;

/// The hits of a scan. Clones see the same hits, while the scan goes on and after it has ended.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    pages: RwLock<Pages>,
    count: AtomicU64,
}

#[derive(Debug, Default)]
struct Pages {
    kept: Vec<Option<Arc<Page>>>,
    /// How many pages were forgotten before those.
    forgotten: usize,
    /// How many hits these held.
    gone: u64,
}

impl Pages {
    fn get(&self, number: usize) -> Option<&Arc<Page>> {
        self.kept.get(number.checked_sub(self.forgotten)?)?.as_ref()
    }

    fn end(&self) -> usize {
        self.forgotten + self.kept.len()
    }

    /// Those from `number` on, each with its number.
    fn from(&self, number: usize) -> impl Iterator<Item = (usize, Option<&Arc<Page>>)> {
        let numbered = (self.forgotten..).zip(self.kept.iter().map(Option::as_ref));
        numbered.skip(number.saturating_sub(self.forgotten))
    }
}

#[derive(Debug)]
struct Page {
    count: AtomicU32,
    words: [AtomicU64; WORDS],
}

impl Page {
    fn count(&self) -> u64 {
        u64::from(self.count.load(Ordering::Relaxed))
    }

    fn word(&self, index: usize) -> u64 {
        self.words
            .get(index)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }
}

/// Which entries of a page may be found.
enum Allowed {
    All,
    Those(Arc<Page>),
    None,
}

impl Allowed {
    fn on(others: Option<&Hits>, page: usize) -> Allowed {
        match others.map(|others| others.pages().get(page).cloned()) {
            None => Allowed::All,
            Some(Some(page)) => Allowed::Those(page),
            Some(None) => Allowed::None,
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Allowed::None)
    }

    fn word(&self, index: usize) -> u64 {
        match self {
            Allowed::All => u64::MAX,
            Allowed::Those(page) => page.word(index),
            Allowed::None => 0,
        }
    }
}

impl Hits {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.inner.count.load(Ordering::Relaxed)
    }

    /// Whether an entry is one.
    pub fn contains(&self, id: EntryId) -> bool {
        let (page, word, bit) = place(id.0);
        self.pages()
            .get(page)
            .is_some_and(|page| page.word(word) & bit != 0)
    }

    /// The first hit at `id` or after it.
    pub fn at_or_after(&self, id: EntryId) -> Option<EntryId> {
        self.at_or_after_among(None, id)
    }

    /// The first hit at `id` or after it that is one of `others` too. Entries are compared 64 at once.
    pub fn at_or_after_among(&self, others: Option<&Hits>, id: EntryId) -> Option<EntryId> {
        let (first, word, bit) = place(id.0);
        let pages = self.pages();
        let mut from = (word, !(bit - 1));
        if first < pages.forgotten {
            from = (0, u64::MAX);
        }
        for (number, page) in pages.from(first) {
            let allowed = Allowed::on(others, number);
            if let Some(page) = page.filter(|page| page.count() > 0 && !allowed.is_none()) {
                for index in from.0..WORDS {
                    let left = page.word(index)
                        & allowed.word(index)
                        & if index == from.0 { from.1 } else { u64::MAX };
                    if left != 0 {
                        return Some(entry(number, index, left.trailing_zeros()));
                    }
                }
            }
            from = (0, u64::MAX);
        }
        None
    }

    /// The first hit after `id`.
    pub fn next_after(&self, id: EntryId) -> Option<EntryId> {
        self.at_or_after(EntryId(id.0.checked_add(1)?))
    }

    /// The last hit at `id` or before it.
    pub fn at_or_before(&self, id: EntryId) -> Option<EntryId> {
        self.at_or_before_among(None, id)
    }

    /// The last hit at `id` or before it that is one of `others` too. Entries are compared 64 at once.
    pub fn at_or_before_among(&self, others: Option<&Hits>, id: EntryId) -> Option<EntryId> {
        let (last, word, bit) = place(id.0);
        let pages = self.pages();
        let mut from = (word, bit | (bit - 1));
        if last >= pages.end() {
            from = (WORDS - 1, u64::MAX);
        }
        for number in (pages.forgotten..pages.end().min(last.saturating_add(1))).rev() {
            let allowed = Allowed::on(others, number);
            let page = pages
                .get(number)
                .filter(|page| page.count() > 0 && !allowed.is_none());
            if let Some(page) = page {
                for index in (0..=from.0).rev() {
                    let left = page.word(index)
                        & allowed.word(index)
                        & if index == from.0 { from.1 } else { u64::MAX };
                    if left != 0 {
                        return Some(entry(number, index, left.ilog2()));
                    }
                }
            }
            from = (WORDS - 1, u64::MAX);
        }
        None
    }

    /// The last hit before `id`.
    pub fn prev_before(&self, id: EntryId) -> Option<EntryId> {
        self.at_or_before(EntryId(id.0.checked_sub(1)?))
    }

    /// How many hits come before `id`: the number of a hit, counted from 0.
    pub fn rank(&self, id: EntryId) -> u64 {
        let (last, word, bit) = place(id.0);
        let pages = self.pages();
        let kept = pages.from(0).take_while(|(number, _)| *number < last);
        let before: u64 = kept.filter_map(|(_, page)| page).map(|page| page.count()).sum();
        let before = before + pages.gone;
        let Some(page) = pages.get(last) else {
            return before;
        };
        let words: u32 = (0..word).map(|index| page.word(index).count_ones()).sum();
        before + u64::from(words) + u64::from((page.word(word) & (bit - 1)).count_ones())
    }

    /// How many hits before `id` are none of `others`, without those that were forgotten. Entries are compared 64 at once.
    pub fn rank_outside(&self, others: &Hits, id: EntryId) -> u64 {
        let (last, word, bit) = place(id.0);
        let pages = self.pages();
        let mut outside = 0;
        for (number, page) in pages.from(0).take_while(|(number, _)| *number <= last) {
            let Some(page) = page.filter(|page| page.count() > 0) else {
                continue;
            };
            let allowed = Allowed::on(Some(others), number);
            let words = if number == last { word + 1 } else { WORDS };
            for index in 0..words {
                let most = if (number, index) == (last, word) {
                    bit - 1
                } else {
                    u64::MAX
                };
                let left = page.word(index) & !allowed.word(index) & most;
                outside += u64::from(left.count_ones());
            }
        }
        outside
    }

    /// Hit number `n`, counted from 0.
    pub fn nth(&self, n: u64) -> Option<EntryId> {
        let pages = self.pages();
        let mut left = n.checked_sub(pages.gone)?;
        for (number, page) in pages.from(0) {
            let Some(page) = page else { continue };
            if left >= page.count() {
                left -= page.count();
                continue;
            }
            for index in 0..WORDS {
                let mut word = page.word(index);
                let ones = u64::from(word.count_ones());
                if left >= ones {
                    left -= ones;
                    continue;
                }
                for _ in 0..left {
                    word &= word - 1;
                }
                return Some(entry(number, index, word.trailing_zeros()));
            }
        }
        None
    }

    /// Adds the entries of a word, or takes them out again.
    fn change(&self, word: u64, bits: u64, hit: bool) {
        let (number, word, _) = place(word * 64);
        if hit {
            let Some(page) = self.page(number) else {
                return;
            };
            let before = page.words[word].fetch_or(bits, Ordering::Relaxed);
            let new = (bits & !before).count_ones();
            page.count.fetch_add(new, Ordering::Relaxed);
            self.inner.count.fetch_add(u64::from(new), Ordering::Relaxed);
        } else if let Some(page) = self.pages().get(number) {
            let before = page.words[word].fetch_and(!bits, Ordering::Relaxed);
            let gone = (bits & before).count_ones();
            page.count.fetch_sub(gone, Ordering::Relaxed);
            self.inner.count.fetch_sub(u64::from(gone), Ordering::Relaxed);
        }
    }

    /// Forgets where the hits before `id` are, in whole pages: these entries are not kept any more. They stay counted,
    /// so that the numbers of the others stay.
    pub(super) fn forget_before(&self, id: EntryId) {
        let (first, ..) = place(id.0);
        if first <= self.pages().forgotten {
            return;
        }
        let mut pages = self.inner.pages.write().unwrap_or_else(PoisonError::into_inner);
        let many = (first - pages.forgotten).min(pages.kept.len());
        let gone: u64 = pages.kept.drain(..many).flatten().map(|page| page.count()).sum();
        pages.gone += gone;
        pages.forgotten = first;
    }

    fn pages(&self) -> RwLockReadGuard<'_, Pages> {
        self.inner.pages.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page, which is created if it is missing; none if it was forgotten.
    fn page(&self, number: usize) -> Option<Arc<Page>> {
        if let Some(page) = self.pages().get(number) {
            return Some(page.clone());
        }
        let mut pages = self.inner.pages.write().unwrap_or_else(PoisonError::into_inner);
        let place = number.checked_sub(pages.forgotten)?;
        if pages.kept.len() <= place {
            pages.kept.resize(place + 1, None);
        }
        let page = pages.kept.get_mut(place)?.get_or_insert_with(|| {
            Arc::new(Page {
                count: AtomicU32::new(0),
                words: [const { AtomicU64::new(0) }; WORDS],
            })
        });
        Some(page.clone())
    }
}

/// The one who marks hits: a word at a time, where they come in order.
#[derive(Debug)]
pub(super) struct Marks {
    hits: Hits,
    word: u64,
    bits: u64,
    hit: bool,
}

impl Marks {
    pub(super) fn new(hits: Hits) -> Marks {
        Marks {
            hits,
            word: 0,
            bits: 0,
            hit: true,
        }
    }

    /// Says whether an entry is a hit; seen after [`Marks::flush`] at the latest.
    pub(super) fn set(&mut self, id: u64, hit: bool) {
        if (id / 64, hit) != (self.word, self.hit) {
            self.flush();
            self.word = id / 64;
            self.hit = hit;
        }
        self.bits |= 1 << (id % 64);
    }

    /// Shows everybody what was said.
    pub(super) fn flush(&mut self) {
        if self.bits != 0 {
            self.hits.change(self.word, self.bits, self.hit);
            self.bits = 0;
        }
    }
}

/// The page of an entry, the word in it, and the bit in that.
fn place(id: u64) -> (usize, usize, u64) {
    let page = usize::try_from(id / PAGE).unwrap_or(usize::MAX);
    (page, (id % PAGE / 64) as usize, 1 << (id % 64))
}

fn entry(page: usize, word: usize, bit: u32) -> EntryId {
    EntryId(page as u64 * PAGE + word as u64 * 64 + u64::from(bit))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hits_are_an_ordered_set(
            changes in proptest::collection::vec((0..4 * PAGE, 0..4u8), 0..60),
            ids in proptest::collection::vec(prop_oneof![0..5 * PAGE, Just(u64::MAX)], 1..20),
        ) {
            let hits = Hits::default();
            let mut marks = Marks::new(hits.clone());
            let mut model = BTreeSet::new();
            for (id, change) in changes {
                // Many close to each other, and a page without any.
                let id = if change > 1 { id % 200 } else { id };
                if (PAGE..2 * PAGE).contains(&id) {
                    continue;
                }
                marks.set(id, change % 4 != 0);
                if change % 4 == 0 { model.remove(&id); } else { model.insert(id); }
            }
            marks.flush();
            prop_assert_eq!(hits.count(), model.len() as u64);
            for (number, id) in model.iter().enumerate() {
                prop_assert_eq!(hits.nth(number as u64), Some(EntryId(*id)));
            }
            prop_assert_eq!(hits.nth(model.len() as u64), None);
            for id in ids.into_iter().chain(model.clone()) {
                let after = model.range(id..).next().copied();
                let before = model.range(..=id).next_back().copied();
                prop_assert_eq!(hits.contains(EntryId(id)), model.contains(&id));
                prop_assert_eq!(hits.at_or_after(EntryId(id)), after.map(EntryId));
                prop_assert_eq!(hits.at_or_before(EntryId(id)), before.map(EntryId));
                let after = id.checked_add(1).and_then(|id| model.range(id..).next());
                prop_assert_eq!(hits.next_after(EntryId(id)), after.copied().map(EntryId));
                let before = model.range(..id).next_back().copied();
                prop_assert_eq!(hits.prev_before(EntryId(id)), before.map(EntryId));
                prop_assert_eq!(hits.rank(EntryId(id)), model.range(..id).count() as u64);
            }
        }

        #[test]
        fn hits_that_are_others_too_are_found_whatever_lies_between(
            own in proptest::collection::btree_set(0..4 * PAGE, 0..60),
            others in proptest::collection::btree_set(0..4 * PAGE, 0..60),
            both in proptest::collection::btree_set(0..4 * PAGE, 0..4),
            forgotten in 0..2 * PAGE,
            ids in proptest::collection::vec(prop_oneof![0..5 * PAGE, Just(u64::MAX)], 1..20),
        ) {
            let hits = |ids: &BTreeSet<u64>| {
                let hits = Hits::default();
                let mut marks = Marks::new(hits.clone());
                for id in ids {
                    marks.set(*id, true);
                }
                marks.flush();
                hits
            };
            let (own, others) = (&own | &both, &others | &both);
            let (found, shown) = (hits(&own), hits(&others));
            // What one of them has forgotten is gone.
            found.forget_before(EntryId(forgotten));
            let first = forgotten / PAGE * PAGE;
            let model: BTreeSet<u64> = own.intersection(&others).copied().filter(|id| *id >= first).collect();
            for id in ids.into_iter().chain(own.clone()).chain(others.clone()) {
                let after = model.range(id..).next().copied().map(EntryId);
                let before = model.range(..=id).next_back().copied().map(EntryId);
                prop_assert_eq!(found.at_or_after_among(Some(&shown), EntryId(id)), after);
                prop_assert_eq!(found.at_or_before_among(Some(&shown), EntryId(id)), before);
                prop_assert_eq!(shown.at_or_after_among(Some(&found), EntryId(id)), after);
                prop_assert_eq!(shown.at_or_before_among(Some(&found), EntryId(id)), before);
                let outside = own.range(first..id.max(first)).filter(|id| !others.contains(id));
                prop_assert_eq!(found.rank_outside(&shown, EntryId(id)), outside.count() as u64);
            }
        }

        #[test]
        fn what_is_forgotten_stays_counted(
            ids in proptest::collection::btree_set(0..4 * PAGE, 0..60),
            before in 0..5 * PAGE,
        ) {
            let hits = Hits::default();
            let mut marks = Marks::new(hits.clone());
            for id in &ids {
                marks.set(*id, true);
            }
            marks.flush();
            hits.forget_before(EntryId(before));
            prop_assert_eq!(hits.count(), ids.len() as u64);
            for (number, id) in ids.iter().enumerate().filter(|(_, id)| **id >= before) {
                let id = EntryId(*id);
                prop_assert!(hits.contains(id));
                prop_assert_eq!(hits.nth(number as u64), Some(id));
                prop_assert_eq!(hits.rank(id), number as u64);
                prop_assert_eq!(hits.at_or_after(id), Some(id));
                prop_assert_eq!(hits.at_or_before(id), Some(id));
            }
            let first = ids.range(before..).next().map(|id| EntryId(*id));
            prop_assert_eq!(hits.at_or_after(EntryId(before)), first);
            // Pages that are forgotten do not come back.
            marks.set(0, true);
            marks.flush();
            prop_assert_eq!(hits.contains(EntryId(0)), before < PAGE);
            prop_assert!(hits.pages().kept.len() <= 4);
        }
    }
}
