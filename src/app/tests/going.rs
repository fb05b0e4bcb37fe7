//! Going to entries, times and bytes.

use crate::app::Pane;
use crate::app::testing::Bench;
use crate::model::Direction;

/// A hundred entries, a microsecond apart from each other; the last one has a thousand bytes.
fn bench() -> Bench {
    let mut bench = Bench::open();
    for number in 0..99 {
        bench
            .memory
            .data(Direction::Received, format!("entry {number}").as_bytes());
    }
    bench.memory.data(Direction::Received, &[b'x'; 1000]);
    bench.keys("<Esc>g");
    bench
}

#[test]
fn a_place_is_an_entry_a_step_a_part_or_a_time() {
    let mut bench = bench();
    let mut check = |keys: &str, expected: u64| {
        bench.keys(keys);
        assert_eq!(bench.app.log.selected.map(|id| id.0), Some(expected), "{keys}");
    };
    check(":12<Enter>", 11);
    check(":+10<Enter>", 21);
    check(":-1<Enter>", 20);
    check(":-1000<Enter>", 0);
    check(":+1000<Enter>", 99);
    check(":50%<Enter>", 49);
    check(":0%<Enter>", 0);
    check(":00:00:00.000033<Enter>", 33);
    check(":1970-01-01T00:00:00.000044Z<Enter>", 44);
    check(":goto 7<Enter>", 6);
    check(":00:01<Enter>", 99);
    assert!(bench.notice().starts_with("the log ends before that time"));
}

#[test]
fn a_byte_is_shown_in_the_inspector() {
    let mut bench = bench();
    bench.keys(":100<Enter>:0x1f0<Enter>");
    assert_eq!(bench.app.focus, Pane::Inspector);
    let rows = bench.app.inspector_rows(&bench.memory, &bench.layout());
    let shows = |row: &crate::app::VisibleRow| matches!(&row.kind, crate::app::RowKind::Hex(hex) if (hex.offset..hex.offset + hex.bytes.len() as u32).contains(&0x1f0));
    assert!(rows.iter().any(shows), "{rows:?}");
    bench.keys(":0x3e8<Enter>");
    assert_eq!(
        bench.notice(),
        "entry 100 has 1,000 bytes: 0x3e8 lies behind them"
    );
}
