//! Searching and filtering: prompts, steps from hit to hit, and staying where the user was.

use std::ops::Range;

use crate::app::testing::{Bench, Hits};
use crate::app::{
    Anchor, Context, Effect, Event, FilterScan, Mouse, MouseKind, Overlay, Pane, RowKind, Scanned,
};
use crate::model::{ConnectionId, Direction};

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
fn hits_are_counted_among_those_that_a_filter_shows() {
    let mut bench = bench();
    bench.keys("/pong<Enter>");
    bench.hits = Some(hits(&[7, 20, 50, 51], 100));
    searched(&mut bench);
    bench.keys("nn");
    let counted = |bench: &Bench| {
        let search = bench.app.search.as_ref().unwrap();
        (selected(bench), search.at, search.hidden)
    };
    assert_eq!(counted(&bench), (Some(50), Some(3), 0));
    bench.keys("fsize>1<Enter>");
    bench.memory.shown = Some(vec![7, 30, 50]);
    bench.event(Event::Refiltered);
    let progress = Scanned {
        found: 3,
        scanned: 100,
        of: 100,
    };
    bench.event(Event::Filtered(progress));
    assert_eq!(counted(&bench), (Some(50), Some(2), 2));
    bench.keys("N");
    assert_eq!(counted(&bench), (Some(7), Some(1), 2));
    bench.memory.shown = Some(vec![30, 50]);
    bench.event(Event::Filtered(progress));
    assert_eq!(counted(&bench), (None, None, 3), "what was gone to is hidden");
    bench.keys(":filter-clear<Enter>");
    bench.memory.shown = None;
    bench.event(Event::Refiltered);
    assert_eq!(counted(&bench), (None, Some(1), 0));
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
    bench.keys("<Esc>");
    assert!(
        bench.notice().starts_with("no longer waiting"),
        "{}",
        bench.notice()
    );
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
    let position = |bench: &Bench| bench.app.log_position(&bench.memory, &bench.layout());
    assert_eq!((selected(&bench), position(&bench).at), (Some(49), 8));
    let below = |bench: &Bench| position(bench).new_below;
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
    assert_eq!(bench.window().1, 20);
}

#[test]
fn a_search_within_a_filter_leaves_out_what_it_hides() {
    let mut bench = bench();
    bench.memory.shown = Some(vec![10, 20, 30]);
    bench.keys("g/x<Enter>");
    bench.hits = Some(hits(&[15, 20, 25], 100));
    searched(&mut bench);
    assert_eq!(selected(&bench), Some(20));
    bench.keys("n");
    assert_eq!(selected(&bench), Some(20), "it is the only one");
}

/// A filter is on, and shows these.
fn filtered(bench: &mut Bench, shown: &[u64], scanned: u64, of: u64) {
    bench.memory.shown = Some(shown.to_vec());
    let found = shown.len() as u64;
    bench.event(Event::Filtered(Scanned { found, scanned, of }));
}

/// The numbers of the entries whose rows are marked as selected.
fn marked(bench: &Bench) -> Vec<u64> {
    let rows = bench.app.log_rows(&bench.memory, &bench.layout());
    let mut numbers: Vec<u64> = rows
        .iter()
        .filter(|row| row.selected)
        .map(|row| row.number.0)
        .collect();
    numbers.dedup();
    numbers
}

#[test]
fn what_a_filter_finds_or_drops_earlier_moves_nothing_else() {
    let mut bench = bench();
    bench.keys("fsize>1<Enter>");
    filtered(&mut bench, &[20, 30, 40, 50, 60], 100, 100);
    bench.keys("gjvj<Enter>2");
    let state = |bench: &Bench| {
        let inspected = bench.app.inspector.map(|inspector| inspector.entry.0);
        (selected(bench), marked(bench), inspected)
    };
    let before = (Some(40), vec![30, 40], Some(40));
    assert_eq!(state(&bench), before);
    let top = bench.window().0;
    filtered(&mut bench, &[5, 10, 20, 30, 40, 50, 60], 100, 100);
    assert_eq!(state(&bench), before);
    assert_eq!(bench.window().0, top, "the text stays where it is");
    // Not even before the scan has said so.
    bench.memory.shown = Some(vec![30, 40, 50, 60]);
    assert_eq!(state(&bench), before);
    bench.keys("w");
    let Some(Overlay::Menu(menu)) = &bench.app.overlay else {
        panic!("{:?}", bench.app.overlay)
    };
    assert_eq!(menu.title, "Export what size>1 shows of entries 31 to 41 as");
    bench.keys("<Esc>");
    filtered(&mut bench, &[30, 50, 60], 100, 100);
    assert_eq!(bench.notice(), "the filter no longer shows entry 41");
    assert_eq!((selected(&bench), bench.app.inspector), (None, None));
}

#[test]
fn the_inspector_keeps_its_entry_while_the_filter_has_not_come_to_it() {
    let mut bench = bench();
    bench.keys(":50<Enter>l");
    bench.keys("fsize>1<Enter>");
    bench.memory.shown = Some(vec![]);
    bench.event(Event::Refiltered);
    filtered(&mut bench, &[3, 7], 10, 100);
    let bytes = |bench: &Bench| {
        let rows = bench.app.inspector_rows(&bench.memory, &bench.layout());
        rows.into_iter().find_map(|row| {
            if let RowKind::Hex(hex) = row.kind {
                Some(hex.bytes)
            } else {
                None
            }
        })
    };
    assert_eq!(bytes(&bench).as_deref(), Some(&b"entry 49"[..]));
    filtered(&mut bench, &[3, 7, 49, 51], 100, 100);
    assert_eq!(bytes(&bench).as_deref(), Some(&b"entry 49"[..]));
    assert_eq!(selected(&bench), Some(49));
    bench.keys("J");
    assert_eq!(bytes(&bench).as_deref(), Some(&b"entry 51"[..]));
}

#[test]
fn what_a_filter_finds_of_old_entries_is_not_new() {
    let mut bench = bench();
    bench.keys("fsize>1<Enter>");
    bench.memory.shown = Some(vec![]);
    bench.event(Event::Refiltered);
    let below = |bench: &Bench| bench.app.log_position(&bench.memory, &bench.layout()).new_below;
    // The scan finds more between two of its reports.
    filtered(&mut bench, &[1, 2, 3], 10, 100);
    bench.memory.shown = Some((0..50).collect());
    assert_eq!(below(&bench), 0);
    bench.keys("G");
    bench.keys("k");
    bench.memory.shown = Some((0..100).collect());
    assert_eq!(below(&bench), 0, "neither if the log followed meanwhile");
    bench.memory.data(Direction::Received, b"new");
    bench.memory.shown = Some((0..101).collect());
    assert_eq!(below(&bench), 1);
}

#[test]
fn any_number_of_hidden_hits_are_passed_over() {
    let mut bench = Bench::open();
    for _ in 0..30_000 {
        bench.memory.data(Direction::Received, b"x");
    }
    bench.keys("<Esc>g");
    bench.memory.shown = Some(vec![0, 5, 29_999]);
    let all: Vec<u64> = (1..30_000).filter(|number| *number != 5).collect();
    bench.keys("/x<Enter>");
    bench.hits = Some(Hits {
        numbers: all,
        scanned: 30_000,
        of: 30_000,
    });
    searched(&mut bench);
    assert_eq!((selected(&bench), bench.notice()), (Some(29_999), ""));
}

#[test]
fn hits_that_are_all_hidden_are_said_to_be() {
    let mut bench = bench();
    bench.keys("fsize>1<Enter>");
    filtered(&mut bench, &[10, 20], 100, 100);
    bench.keys("/x<Enter>");
    bench.hits = Some(hits(&[15, 25], 100));
    searched(&mut bench);
    assert_eq!(
        bench.notice(),
        "x is in none of the entries that the filter shows, but in 2 that it hides"
    );
}

#[test]
fn a_step_that_waits_for_the_filter_goes_on_with_it() {
    let mut bench = bench();
    bench.keys("fsize>1<Enter>");
    filtered(&mut bench, &[0, 10], 20, 100);
    bench.keys("g/x<Enter>");
    bench.hits = Some(hits(&[50], 20));
    searched(&mut bench);
    assert_eq!((selected(&bench), bench.notice()), (Some(0), ""));
    // The search is through, and has nothing to report any more.
    bench.hits = Some(hits(&[50], 100));
    filtered(&mut bench, &[0, 10, 50], 100, 100);
    assert_eq!(selected(&bench), Some(50));
}

#[test]
fn whoever_goes_somewhere_is_not_taken_away_by_a_search_that_still_waits() {
    let check = |move_away: &dyn Fn(&mut Bench), expected: Option<u64>| {
        let mut bench = bench();
        bench.keys("/x<Enter>");
        bench.hits = Some(hits(&[90], 10));
        searched(&mut bench);
        move_away(&mut bench);
        bench.hits = Some(hits(&[90], 100));
        searched(&mut bench);
        assert_eq!(selected(&bench), expected);
        assert!(bench.app.search.is_some());
        bench.keys("n");
        assert_eq!(selected(&bench), Some(90), "asked for again");
    };
    let keys = |notation: &'static str| {
        move |bench: &mut Bench| {
            bench.keys(notation);
        }
    };
    check(&|_| {}, Some(90));
    // What moves nothing does not count.
    check(&keys("?<Esc>"), Some(90));
    check(&keys("j"), Some(1));
    check(&keys("<PgDn><PgUp>"), Some(8));
    check(&keys(":31<Enter>"), Some(30));
    check(&keys("v"), Some(0));
    check(
        &|bench| {
            let log = bench.layout().log;
            bench.event(Event::Mouse(Mouse {
                kind: MouseKind::Click,
                x: log.x + 1,
                y: log.y + 2,
            }));
        },
        Some(1),
    );
    check(&keys("<Esc>"), Some(0));
}

#[test]
fn esc_stops_a_filter_that_goes_through_a_long_log() {
    let mut bench = bench();
    bench.keys("fsize>1<Enter>");
    filtered(&mut bench, &[0, 10], 20, 100);
    bench.keys("<Esc>");
    assert_eq!(bench.effects, [Effect::StopFilter]);
    let filter = bench.app.filter.as_ref().unwrap();
    assert_eq!((filter.scan, filter.progress.scanned), (FilterScan::Stopped, 20));
    assert_eq!(selected(&bench), Some(0));
    bench.keys("<Esc>");
    assert_eq!((bench.effects.as_slice(), selected(&bench)), (&[][..], None));
    bench.keys("f<Enter>");
    assert!(matches!(bench.effects.as_slice(), [Effect::Filter(Some(_))]));
    assert_eq!(bench.app.filter.as_ref().unwrap().scan, FilterScan::Going);
    // One that only follows what comes is none that Esc is for.
    filtered(&mut bench, &[0, 10], 100, 101);
    bench.keys("<Esc>");
    assert_eq!(bench.effects, []);
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
    let shows = |row: &crate::app::VisibleRow| matches!(&row.kind, RowKind::Hex(hex) if hex.offset <= 20_000 && 20_000 < hex.offset + hex.bytes.len() as u32);
    assert!(rows.iter().any(shows));
    assert_eq!(selected(&bench), Some(1));
}

/// What the filter is after the user chose a connection, or all of them.
fn chosen(bench: &mut Bench, id: Option<u32>) -> Option<String> {
    let layout = bench.layout();
    let context = Context {
        now: bench.now,
        records: &bench.memory,
        layout: &layout,
        hits: None,
    };
    bench.effects.clear();
    bench
        .app
        .choose(id.map(ConnectionId), &context, &mut bench.effects);
    let filter = bench.app.filter.as_ref();
    filter.map(|filter| filter.query.source().to_owned())
}

#[test]
fn a_connection_is_chosen_within_what_is_filtered_by() {
    let mut bench = bench();
    assert_eq!(chosen(&mut bench, Some(3)).as_deref(), Some("conn:3"));
    assert_eq!(chosen(&mut bench, Some(33)).as_deref(), Some("conn:33"));
    assert_eq!(chosen(&mut bench, None), None);
    assert_eq!(bench.effects, [Effect::Filter(None)]);
    assert_eq!(chosen(&mut bench, None), None);
    assert_eq!(bench.effects, []);
    // What the user filters by stays, whoever is chosen.
    let own = r#""a) b" or size>3"#;
    bench.keys(&format!("f{own}<Enter>"));
    let with = |id: u32| Some(format!("conn:{id} and ({own})"));
    assert_eq!(chosen(&mut bench, Some(3)), with(3));
    assert!(matches!(bench.effects.as_slice(), [Effect::Filter(Some(_))]));
    assert_eq!(chosen(&mut bench, Some(3)), with(3));
    assert_eq!(bench.effects, [], "that is shown already");
    assert_eq!(chosen(&mut bench, Some(4)), with(4));
    assert_eq!(chosen(&mut bench, None).as_deref(), Some(own));
    // What only looks like it is the user's own.
    assert_eq!(chosen(&mut bench, Some(3)), with(3));
    bench.keys("f<Ctrl-U>conn:3 and (size>1) or (dir:rx)<Enter>");
    assert_eq!(
        chosen(&mut bench, None).as_deref(),
        Some("conn:3 and (size>1) or (dir:rx)")
    );
}
