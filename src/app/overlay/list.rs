//! A list to choose from: of conversations, of marks. Nothing of it is kept but what is selected: a capture can have
//! millions.

use crate::app::actions::Scroll;

/// The list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The one that Enter chooses, counted from 0.
    pub selected: u64,
}

impl List {
    /// One move over a list of `count`, of which `page` fit the window.
    pub fn scroll(&mut self, scroll: Scroll, count: u64, page: u64) {
        let last = count.saturating_sub(1);
        let at = self.selected;
        self.selected = match scroll {
            Scroll::Down => at.saturating_add(1),
            Scroll::Up => at.saturating_sub(1),
            Scroll::HalfPageDown => at.saturating_add(page / 2),
            Scroll::HalfPageUp => at.saturating_sub(page / 2),
            Scroll::PageDown => at.saturating_add(page),
            Scroll::PageUp => at.saturating_sub(page),
            Scroll::First => 0,
            Scroll::Last => last,
        }
        .min(last);
    }

    /// The numbers of those that `page` rows show.
    pub fn page(&self, count: u64, page: u64) -> std::ops::Range<u64> {
        let first = self.selected.saturating_add(1).saturating_sub(page);
        let first = first.min(count.saturating_sub(page));
        first..count.min(first.saturating_add(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_one_is_on_the_page() {
        let check = |selected, count, page, expected| {
            assert_eq!(List { selected }.page(count, page), expected, "{selected}");
        };
        check(0, 3, 10, 0..3);
        check(4, 100, 5, 0..5);
        check(5, 100, 5, 1..6);
        check(99, 100, 5, 95..100);
        check(0, 0, 5, 0..0);
    }

    #[test]
    fn moves_end_at_the_ends() {
        let mut list = List::default();
        for (scroll, expected) in [
            (Scroll::Up, 0),
            (Scroll::Down, 1),
            (Scroll::PageDown, 11),
            (Scroll::Last, 24),
            (Scroll::Down, 24),
            (Scroll::HalfPageUp, 19),
            (Scroll::First, 0),
        ] {
            list.scroll(scroll, 25, 10);
            assert_eq!(list.selected, expected, "{scroll:?}");
        }
    }
}
