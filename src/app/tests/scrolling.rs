//! Follow, anchor, selection.

use crate::app::testing::Bench;
use crate::app::{Anchor, Event, RowKind};
use crate::model::{Direction, EntryId, EntryKind};

/// A log of `count` entries of two rows each, in a window with 17 rows of log; the Log has the focus.
fn bench(count: usize) -> Bench {
    let mut bench = Bench::open();
    for _ in 0..count {
        bench.memory.data(Direction::Received, b"0123456789abcdef");
    }
    bench.keys("<Esc>");
    assert_eq!(bench.layout().log.height, 17);
    bench
}

/// Keys in a log of 100 entries, the first and last visible entry, and the selection.
fn check(keys: &str, window: (u64, u64), selected: Option<u64>) {
    let mut bench = bench(100);
    bench.keys(keys);
    let found = bench.app.log.selected.map(|id| id.0);
    assert_eq!((bench.window(), found), (window, selected), "{keys}");
}

#[test]
fn keys_move_over_the_log() {
    check("", (91, 99), None);
    check("k", (91, 99), Some(99));
    check("kk", (91, 99), Some(98));
    check("g", (0, 8), Some(0));
    check("gj", (0, 8), Some(1));
    check("gjjjjjjjj", (0, 8), Some(8));
    check("gjjjjjjjjj", (1, 9), Some(9));
    check("g<PgDn>", (8, 16), Some(8));
    check("g ", (8, 16), Some(8));
    check("g<Ctrl-D>", (4, 12), Some(4));
    check("<PgUp>", (83, 91), None);
    check("<Ctrl-U>", (87, 95), None);
    check("gG", (91, 99), None);
    check("kkG", (91, 99), None);
    check(":50<Enter>", (49, 57), Some(49));
}

#[test]
fn the_log_begins_at_the_first_entry_that_is_kept() {
    let check = |keys: &str, gone: u64, after: &str, window: (u64, u64), selected: Option<u64>| {
        let mut bench = bench(100);
        bench.keys(keys);
        bench.memory.gone = gone;
        let drawn = bench.window();
        bench.keys(after);
        let found = bench.app.log.selected.map(|id| id.0);
        assert_eq!(
            (bench.window(), found),
            (window, selected),
            "{keys}, then {after}"
        );
        assert!(drawn.0 >= gone, "{keys}: {drawn:?}");
    };
    check("", 40, "g", (40, 48), Some(40));
    check("", 40, "gk", (40, 48), Some(40));
    check("", 40, "g<PgDn>g<PgUp>", (40, 48), Some(40));
    check(
        "",
        40,
        "<PgUp><PgUp><PgUp><PgUp><PgUp><PgUp><PgUp><PgUp>",
        (40, 48),
        None,
    );
    check("", 95, "k", (95, 99), Some(99));
    check("", 95, "<PgUp>", (95, 99), None);
    // What stood on an entry that went, and what was selected, move on.
    check("g", 40, "", (40, 48), Some(0));
    check("g", 40, "j", (40, 48), Some(40));
    check("gjj", 2, "j", (2, 10), Some(3));
    check(":50<Enter>", 40, "j", (49, 57), Some(50));
    check(":50<Enter>", 99, "j", (99, 99), Some(99));
    check("g", 100, "j", (u64::MAX, u64::MAX), None);
}

#[test]
fn an_entry_that_went_is_not_to_be_had() {
    let mut bench = bench(100);
    bench.keys("g<Enter>");
    bench.memory.gone = 40;
    let rows = bench.app.inspector_rows(&bench.memory, &bench.layout());
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    let RowKind::Unreadable(text) = &row.kind else {
        panic!("{row:?}")
    };
    assert_eq!(text.to_string(), "no longer kept: its ring file was removed");
    bench.keys("w");
    assert_eq!(
        bench.notice(),
        "entry 1 is no longer kept: its ring file was removed"
    );
    // Going on from there leads to what is kept.
    bench.keys("J");
    assert_eq!(bench.app.inspector.unwrap().entry, EntryId(40));
    bench.keys(":12<Enter>");
    assert_eq!(
        bench.notice(),
        "entry 12 is no longer kept: its ring file was removed; the log begins at 41"
    );
    bench.keys(":101<Enter>");
    assert_eq!(bench.notice(), "there is no entry 101: the log has 100");
    bench.keys(":0%<Enter>");
    assert_eq!(bench.app.log.selected, Some(EntryId(40)));
}

#[test]
fn the_text_under_the_eye_stays_whatever_arrives() {
    let mut bench = bench(100);
    bench.keys("<PgUp>");
    let before = bench.app.log_rows(&bench.memory, &bench.layout());
    for _ in 0..1000 {
        bench.memory.data(Direction::Received, b"news");
    }
    assert_eq!(bench.app.log_rows(&bench.memory, &bench.layout()), before);
    let position = bench.app.log_position(&bench.memory, &bench.layout());
    assert_eq!(
        (position.following, position.new_below, position.of),
        (false, 1000, 1100)
    );
    bench.keys("<PgDn><PgDn>");
    let position = bench.app.log_position(&bench.memory, &bench.layout());
    assert!(
        position.new_below < 1000,
        "what was seen is not new: {}",
        position.new_below
    );
    bench.keys("G");
    let position = bench.app.log_position(&bench.memory, &bench.layout());
    assert_eq!(
        (position.following, position.new_below, position.at),
        (true, 0, 1100)
    );
}

#[test]
fn asking_for_more_at_the_end_follows_again() {
    let mut bench = bench(100);
    bench.keys("<PgUp><PgDn>");
    assert_ne!(bench.app.log.anchor, Anchor::Follow);
    bench.keys("<PgDn>");
    assert_eq!(bench.app.log.anchor, Anchor::Follow);
    bench.keys("kj");
    assert_eq!(
        (bench.app.log.anchor, bench.app.log.selected),
        (Anchor::Follow, None)
    );
    bench.keys("FF");
    assert_eq!(bench.app.log.anchor, Anchor::Follow);
}

#[test]
fn where_nothing_can_be_scrolled_the_log_goes_on_following() {
    for keys in ["g", "k", "<PgUp>", "<Ctrl-U>", "F"] {
        let mut empty = bench(0);
        empty.keys(keys);
        assert_eq!(empty.app.log.anchor, Anchor::Follow, "{keys} in an empty log");
    }
    let mut short = bench(3);
    short.keys("<PgUp>");
    assert_eq!(short.app.log.anchor, Anchor::Follow);
    short.keys("k");
    assert_eq!(short.app.log.anchor, Anchor::At(EntryId(0), 0));
}

#[test]
fn a_tall_entry_is_scrolled_by_rows() {
    let mut bench = bench(1);
    bench.memory.data(Direction::Sent, &[7; 800]); // 50 rows of 16 and a head
    bench.memory.data(Direction::Sent, b"end");
    bench.keys("gj");
    let top = |bench: &Bench| match bench.app.log.anchor {
        Anchor::At(id, row) => (id.0, row),
        Anchor::Follow => panic!("follows"),
    };
    assert_eq!((top(&bench), bench.app.log.selected), ((0, 0), Some(EntryId(1))));
    bench.keys("jjj");
    assert_eq!((top(&bench), bench.app.log.selected), ((1, 1), Some(EntryId(1))));
    bench.keys(&"j".repeat(33));
    assert_eq!((top(&bench), bench.app.log.selected), ((1, 34), Some(EntryId(1))));
    bench.keys("kk");
    assert_eq!(top(&bench), (1, 32));
}

#[test]
fn the_same_bytes_stay_at_the_top_when_the_view_changes() {
    let mut bench = bench(0);
    let text = "line of text\n".repeat(60);
    bench.memory.data(Direction::Received, text.as_bytes());
    bench.keys("g<PgDn>");
    let offset = |bench: &Bench| match &bench.app.log_rows(&bench.memory, &bench.layout())[0].kind {
        RowKind::Hex(hex) => hex.offset as usize..hex.offset as usize + hex.bytes.len(),
        RowKind::Text(text) => {
            let last = text.units.last().unwrap();
            text.units[0].start..last.start + last.len
        }
        other @ (RowKind::Head(_)
        | RowKind::Sentence(_)
        | RowKind::Detail(_)
        | RowKind::Comment(_)
        | RowKind::Unreadable(_)) => {
            panic!("{other:?}")
        }
    };
    let before = offset(&bench);
    bench.keys("xx");
    let after = offset(&bench);
    assert!(after.contains(&before.start), "{before:?} {after:?}");
}

#[test]
fn a_key_looks_at_no_more_entries_than_the_window_has_rows() {
    for keys in [
        "",
        "k",
        "g",
        "<PgUp>",
        "<PgDn>",
        "<Ctrl-U>",
        "j",
        "G",
        ":5000<Enter>",
        "<Enter>",
        "t",
        "x",
    ] {
        let mut bench = bench(10_000);
        bench.keys("<PgUp>");
        *bench.memory.looks.borrow_mut() = 0;
        bench.keys(keys);
        bench.app.log_rows(&bench.memory, &bench.layout());
        let looks = *bench.memory.looks.borrow();
        assert!(looks < 17 * 12, "{keys}: {looks} looks");
    }
}

#[test]
fn rows_are_the_same_counted_and_painted() {
    let mut bench = bench(0);
    bench
        .memory
        .data(Direction::Received, "é漢😀\tabc\r\n".repeat(30).as_bytes());
    bench.memory.event(EntryKind::Note {
        text: "a long note ".repeat(30),
    });
    bench.memory.data(Direction::Sent, &[0xff; 500]);
    for keys in ["", "x", "x", "t", "t"] {
        bench.keys(keys);
        for width in [20, 40, 80, 200] {
            bench.size.0 = width;
            let layout = bench.layout();
            let sheet = bench.app.sheet(&bench.memory, &layout);
            for id in (0..3).map(EntryId) {
                let all = sheet.rows(id, 0, u32::MAX);
                assert_eq!(all.len() as u32, sheet.count(id, u32::MAX), "{id:?} at {width}");
                for (row, kind) in all.iter().enumerate() {
                    assert_eq!(
                        &sheet.rows(id, row as u32, 1)[..],
                        std::slice::from_ref(kind),
                        "{id:?} {row}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_selection_stays_visible_when_the_log_gets_another_size() {
    let mut bench = bench(100);
    bench.keys("k<Enter>");
    assert_eq!((bench.layout().log.height, bench.window()), (8, (96, 99)));
    bench.keys("h");
    assert_eq!(bench.window(), (91, 99), "the page is full again");
    bench.size = (80, 14);
    bench.event(Event::Resized);
    assert_eq!(bench.window(), (96, 99));
    bench.size = (80, 24);
    bench.event(Event::Resized);
    assert_eq!(bench.window(), (91, 99));
}

#[test]
fn the_inspector_shows_one_entry_and_follows_the_selection() {
    let mut bench = bench(3);
    bench.memory.data(Direction::Sent, &[7; 800]);
    bench.keys("<Enter>");
    let inspected = |bench: &Bench| {
        bench
            .app
            .inspector
            .map(|inspector| (inspector.entry.0, inspector.top))
    };
    assert_eq!(inspected(&bench), Some((3, 0)));
    bench.keys("jj");
    assert_eq!(inspected(&bench), Some((3, 2)));
    bench.keys("G");
    let rows = bench.app.inspector_rows(&bench.memory, &bench.layout());
    assert!(
        matches!(&rows.last().unwrap().kind, RowKind::Hex(hex) if hex.offset + hex.bytes.len() as u32 == 800)
    );
    bench.keys("K");
    assert_eq!(inspected(&bench), Some((2, 0)));
    bench.keys("2k");
    assert_eq!(inspected(&bench), Some((1, 0)));
}
