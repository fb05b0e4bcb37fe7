//! Searching and filtering: prompts, steps from hit to hit, and staying where the user was.

use std::ops::Range;

use crate::app::testing::{Bench, Hits};
use crate::app::{Anchor, Effect, Event, Overlay, Pane, Scanned};
use crate::model::{Direction, EntryId};

/// A hundred entries, each of which fits a row or two, scrolled to the top.
fn bench() -> Bench {
    let mut bench = Bench::open();
    for number in 0..100 {
        bench
            .memory
            .data(Direction::Received, format!("entry {number}").as_bytes());
    }
    bench.keys("<Esc>g");
    bench
}

fn hits(numbers: &[u64], scanned: u64) -> Hits {
    Hits {
        numbers: numbers.to_vec(),
        scanned,
        of: 100,
    }
}

fn selected(bench: &Bench) -> Option<u64> {
    bench.app.log.selected.map(|id| id.0)
}

fn searched(bench: &mut Bench) {
    let Some(Hits { numbers, scanned, of }) = bench.hits.clone() else {
        return;
    };
    let found = numbers.iter().filter(|number| **number < scanned).count() as u64;
    bench.event(Event::Searched(Scanned { found, scanned, of }));
}

#[test]
fn a_search_goes_to_the_first_hit_and_on_from_there_and_around() {
    let mut bench = bench();
    bench.keys("/pong<Enter>");
    assert!(
        matches!(bench.effects.as_slice(), [Effect::Search(Some(pattern))] if pattern.source() == "pong")
    );
    bench.hits = Some(hits(&[7, 50, 51], 100));
    searched(&mut bench);
    assert_eq!(selected(&bench), Some(7));
    assert_eq!(bench.app.search.as_ref().unwrap().at, Some(1));
    bench.keys("n");
    assert_eq!(selected(&bench), Some(50));
    bench.keys("nn");
    assert_eq!(selected(&bench), Some(7));
    assert_eq!(bench.notice(), "the search went on from the first entry");
    bench.keys("N");
    assert_eq!(selected(&bench), Some(51));
    assert_eq!(bench.notice(), "the search went on from the last entry");
    assert_eq!(bench.app.search.as_ref().unwrap().at, Some(3));
}

#[test]
fn a_scan_that_knows_nothing_yet_is_waited_for() {
    let mut bench = bench();
    bench.keys("/x<Enter>");
    bench.hits = Some(Hits::default());
    searched(&mut bench);
    bench.hits = Some(hits(&[7], 100));
    searched(&mut bench);
    assert_eq!(selected(&bench), Some(7));
}

#[test]
fn a_step_beyond_what_was_looked_at_waits_for_the_scan() {
    let mut bench = bench();
    bench.keys("/x<Enter>");
    bench.hits = Some(hits(&[7, 90], 10));
    searched(&mut bench);
    assert_eq!(selected(&bench), Some(7));
    bench.keys("n");
    assert_eq!(selected(&bench), Some(7), "there may be one behind entry 10");
    bench.hits = Some(hits(&[7, 90], 100));
    searched(&mut bench);
    assert_eq!(selected(&bench), Some(90));
}

#[test]
fn while_following_the_latest_hit_comes_first() {
    let mut bench = bench();
    bench.keys("G/x<Enter>");
    bench.hits = Some(hits(&[7, 90], 50));
    searched(&mut bench);
    assert_eq!(
        selected(&bench),
        None,
        "only the end of the scan can tell the last one"
    );
    bench.hits = Some(hits(&[7, 90], 100));
    searched(&mut bench);
    assert_eq!(selected(&bench), Some(90));
}

#[test]
fn a_search_without_a_hit_says_so_and_moves_nothing() {
    let mut bench = bench();
    bench.keys("/x<Enter>");
    bench.hits = Some(hits(&[], 100));
    let before = bench.app.log.anchor;
    searched(&mut bench);
    assert_eq!(bench.notice(), "x is in none of 100 entries");
    bench.keys("/y<Enter>");
    assert_eq!(bench.app.notice, None, "that was of the search before");
    assert_eq!(bench.app.log.anchor, before);
    bench.keys("<Esc><Esc>");
    assert_eq!(bench.effects.last(), Some(&Effect::Search(None)));
    assert_eq!(bench.app.search, None);
    bench.keys("n");
    assert_eq!(bench.notice(), "nothing was searched for yet");
}

#[test]
fn mistakes_are_pointed_at_while_they_are_typed() {
    let check = |keys: &str, at: Range<usize>| {
        let mut bench = bench();
        bench.keys(keys);
        let Some(Overlay::Prompt(prompt)) = &bench.app.overlay else {
            panic!("the prompt is gone: {keys}");
        };
        assert_eq!(prompt.error.as_ref().unwrap().at, at, "{keys}");
        assert!(bench.effects.is_empty());
    };
    check("/hex:0g<Enter>", 5..6);
    check("/re:(<Enter>", 3..4);
    check("fsize>x<Enter>", 5..6);
}

#[test]
fn hits_are_marked_in_the_rows() {
    let mut bench = bench();
    bench.keys("/entry<Enter>");
    let rows = bench.app.log_rows(&bench.memory, &bench.layout());
    let marked = rows.iter().find(|row| !row.hits.is_empty()).unwrap();
    assert_eq!(marked.hits.as_slice(), &[Range { start: 0, end: 5 }]);
}

#[test]
fn a_filter_keeps_the_place_and_so_does_its_end() {
    let mut bench = bench();
    bench.keys(":50<Enter>");
    assert_eq!(selected(&bench), Some(49));
    bench.keys("fsize>1<Enter>");
    assert!(matches!(bench.effects.as_slice(), [Effect::Filter(Some(query))] if query.source() == "size>1"));
    // Of what is shown, the first half was found at once.
    let all: Vec<u64> = (0..100).filter(|number| number % 7 == 0).collect();
    bench.memory.shown = Some(all.iter().copied().filter(|number| *number < 30).collect());
    bench.event(Event::Refiltered);
    bench.event(Event::Filtered(Scanned {
        found: 5,
        scanned: 30,
        of: 100,
    }));
    bench.memory.shown = Some(all.clone());
    bench.event(Event::Filtered(Scanned {
        found: 15,
        scanned: 100,
        of: 100,
    }));
    assert_eq!(selected(&bench), Some(7), "entry 49 has the eighth place");
    let below = |bench: &Bench| bench.app.log_position(&bench.memory, &bench.layout()).new_below;
    assert_eq!(below(&bench), 0, "what was there before is not new");
    bench.memory.data(Direction::Received, b"new");
    bench.memory.shown = Some(all.iter().copied().chain([100]).collect());
    bench.event(Event::Filtered(Scanned {
        found: 16,
        scanned: 101,
        of: 101,
    }));
    assert_eq!(below(&bench), 1);
    bench.keys("f<Ctrl-U><Enter>");
    assert_eq!(bench.effects, [Effect::Filter(None)]);
    bench.memory.shown = None;
    bench.event(Event::Refiltered);
    assert_eq!(selected(&bench), Some(49));
    assert!(bench.window().0 <= 49 && 49 <= bench.window().1);
}

#[test]
fn what_is_filtered_out_is_no_longer_selected_and_the_view_stays_near() {
    let mut bench = bench();
    bench.keys(":50<Enter>l");
    assert!(bench.app.inspector.is_some());
    bench.keys("fsize>1<Enter>");
    bench.memory.shown = Some(vec![10, 48, 60, 61, 62]);
    bench.event(Event::Refiltered);
    bench.event(Event::Filtered(Scanned {
        found: 5,
        scanned: 100,
        of: 100,
    }));
    assert_eq!((selected(&bench), bench.app.inspector.is_some()), (None, false));
    assert_eq!(bench.app.focus, Pane::Log);
}

#[test]
fn following_goes_on_through_a_filter() {
    let mut bench = bench();
    bench.keys("Gfsize>1<Enter>");
    bench.memory.shown = Some(vec![10, 20]);
    bench.event(Event::Refiltered);
    assert_eq!(bench.app.log.anchor, Anchor::Follow);
    assert_eq!(bench.window().1, 1);
}

#[test]
fn a_search_within_a_filter_leaves_out_what_it_hides() {
    let mut bench = bench();
    bench.memory.shown = Some(vec![10, 20, 30]);
    bench.keys("g/x<Enter>");
    bench.hits = Some(hits(&[15, 20, 25], 100));
    searched(&mut bench);
    assert_eq!(bench.app.log.selected, Some(EntryId(1)));
    bench.keys("n");
    assert_eq!(bench.app.log.selected, Some(EntryId(1)), "it is the only one");
}

#[test]
fn a_hit_deep_in_a_large_entry_is_brought_onto_the_screen() {
    let mut bench = Bench::open();
    let mut large = vec![b'.'; 20_000];
    large.extend(b"needle");
    bench.memory.data(Direction::Received, b"small");
    bench.memory.data(Direction::Received, &large);
    bench.memory.data(Direction::Received, b"small");
    bench.keys("<Esc>g/needle<Enter>");
    bench.hits = Some(Hits {
        numbers: vec![1],
        scanned: 3,
        of: 3,
    });
    searched(&mut bench);
    let rows = bench.app.log_rows(&bench.memory, &bench.layout());
    let shows = |row: &crate::app::VisibleRow| matches!(&row.kind, crate::app::RowKind::Hex(hex) if hex.offset <= 20_000 && 20_000 < hex.offset + hex.bytes.len() as u32);
    assert!(rows.iter().any(shows));
    assert_eq!(selected(&bench), Some(1));
}
