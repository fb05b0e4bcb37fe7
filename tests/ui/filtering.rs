//! What a filter changes on the screen, and what it does not.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::memory::Memory;
use crate::stage::{self, Stage, settings};
use sockscope::app::{Event, Key, KeyCode, Scanned, SessionFile, Settings};
use sockscope::model::{
    ConnectionId, Direction, Entry, EntryId, FileReport, FileState, Records, RecordsError, Surroundings,
    Timestamp,
};
use sockscope::ui::{self, Frame};

/// Of a log, the entries of these numbers.
struct Shown<'a>(&'a Memory, &'a [u64]);

impl Shown<'_> {
    fn number(&self, place: EntryId) -> Result<EntryId, RecordsError> {
        let number = self.1.get(place.0 as usize).copied();
        number.map(EntryId).ok_or(RecordsError::Missing(place))
    }
}

impl Records for Shown<'_> {
    fn len(&self) -> u64 {
        self.1.len() as u64
    }

    fn unfiltered(&self) -> Option<&dyn Records> {
        Some(self.0)
    }

    fn place_of(&self, number: EntryId) -> EntryId {
        EntryId(self.1.partition_point(|at| *at < number.0) as u64)
    }

    fn number_of(&self, place: EntryId) -> Option<EntryId> {
        self.number(place).ok()
    }

    fn entry(&self, place: EntryId) -> Result<Entry, RecordsError> {
        self.0.entry(self.number(place)?)
    }

    fn payload(&self, place: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        self.0.payload(self.number(place)?, range)
    }

    fn surroundings(&self, place: EntryId) -> Result<Surroundings, RecordsError> {
        self.0.surroundings(self.number(place)?)
    }

    fn started(&self, connection: ConnectionId) -> Option<Timestamp> {
        self.0.started(connection)
    }
}

/// A file of a hundred entries, a second apart.
fn file(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(
        Settings {
            goal: None,
            session: SessionFile::Opened("/home/ada/trace.pcapng".into()),
            ..settings()
        },
        size,
    );
    for number in 0..100 {
        stage.wait(std::time::Duration::from_secs(1));
        stage.log.data(
            stage.now,
            Direction::Received,
            format!("entry {number}").as_bytes(),
        );
    }
    stage.send(Event::File(FileReport {
        files: 1,
        first: EntryId(0),
        size: 4096,
        indexed: 4096,
        entries: 100,
        conversations: 1,
        state: FileState::Complete,
        remarks: Vec::new(),
    }));
    stage
}

/// The rows of the window, with that as what the log shows.
fn rows(stage: &Stage, records: &dyn Records) -> Vec<String> {
    let area = Rect::new(0, 0, stage.size.0, stage.size.1);
    let mut buf = Buffer::empty(area);
    let layout = stage.layout();
    let frame = Frame {
        now: stage.now,
        records,
        layout: &layout,
        theme: stage.theme,
    };
    ui::render(&stage.app, &frame, area, &mut buf);
    stage::rows(&buf)
}

fn progress(found: u64, scanned: u64, of: u64) -> Event {
    Event::Filtered(Scanned { found, scanned, of })
}

#[test]
fn status_counts_all_entries_whatever_is_shown() {
    for size in [(80, 24), (120, 40), (40, 10)] {
        let mut stage = file(size);
        let all = rows(&stage, &stage.log);
        stage.typed("fsize>1").key(Key::plain(KeyCode::Enter));
        stage.send(progress(2, 100, 100));
        let filtered = rows(&stage, &Shown(&stage.log, &[40, 41]));
        let status = usize::from(stage.layout().log_title.y);
        assert_eq!(filtered[..status], all[..status]);
        assert!(filtered.iter().any(|row| row.contains("#41")), "{filtered:#?}");
        assert!(!filtered.iter().any(|row| row.contains("#1 ")), "{filtered:#?}");
    }
}

#[test]
fn the_title_always_says_what_is_filtered_by() {
    let check = |width: u16, keys: &str, scanned: u64, expected: &str| {
        let mut stage = file((width, 24));
        for key in keys.chars() {
            match key {
                '\n' => stage.key(Key::plain(KeyCode::Enter)),
                '\u{1b}' => stage.escape(),
                key => stage.key(Key::char(key)),
            };
        }
        stage.send(progress(2, scanned, 1_234_567));
        let rows = rows(&stage, &Shown(&stage.log, &[40, 41]));
        let title = &rows[usize::from(stage.layout().log_title.y)];
        assert!(title.contains(expected), "{title}");
        assert!(title.contains(" of 2 "), "{title}");
    };
    let query = "fsize>1 and dir:rx and entry\n";
    check(
        120,
        query,
        1_234_567,
        "filter: size>1 and dir:rx and en… (of 1,234,567) ─",
    );
    check(
        80,
        query,
        460_000,
        "filter: size>1 and dir:rx and en… (of 1,234,567), 37 % ─",
    );
    check(60, query, 460_000, "filter: size>1 and d…, 37 % ─");
    check(48, query, 460_000, "filter: size>1…, 37 % ─");
    check(40, query, 460_000, "─ filtered ─");
    // A search stands beside it where there is room for both.
    check(
        120,
        "fsize>1\n/entry\n",
        460_000,
        "/entry: none ─ filter: size>1 (of 1,234,567), 37 % ─",
    );
    check(
        64,
        "fsize>1\n/entry\n",
        460_000,
        "/entry: none ─ filter: size>1, 37 % ─",
    );
}

#[test]
fn the_smallest_window_says_that_a_filter_is_on() {
    let mut stage = file((20, 5));
    let before = rows(&stage, &stage.log);
    assert!(!before[0].contains("filtered"), "{before:#?}");
    stage.typed("fsize>1").key(Key::plain(KeyCode::Enter));
    stage.send(progress(2, 100, 100));
    let rows = rows(&stage, &Shown(&stage.log, &[40, 41]));
    assert!(rows[0].ends_with(" filtered"), "{rows:#?}");
}

#[test]
fn a_search_counts_the_hits_that_the_filter_shows() {
    let mut stage = file((120, 24));
    stage.typed("fsize>1").key(Key::plain(KeyCode::Enter));
    stage.typed("/entry").key(Key::plain(KeyCode::Enter));
    stage.send(progress(2, 100, 100));
    stage.send(Event::Searched(Scanned {
        found: 17,
        scanned: 100,
        of: 100,
    }));
    if let Some(search) = &mut stage.app.search {
        (search.at, search.hidden) = (Some(2), 12);
    }
    let rows = rows(&stage, &Shown(&stage.log, &[40, 41]));
    let title = &rows[usize::from(stage.layout().log_title.y)];
    assert!(title.contains("/entry: 2 of 5, 12 hidden"), "{title}");
}

#[test]
fn a_filter_that_was_stopped_says_how_far_it_came() {
    let mut stage = file((80, 24));
    stage.typed("fsize>1").key(Key::plain(KeyCode::Enter));
    stage.send(progress(2, 37, 100)).escape();
    let rows = rows(&stage, &Shown(&stage.log, &[10, 11]));
    let title = &rows[usize::from(stage.layout().log_title.y)];
    assert!(
        title.contains("filter: size>1 (of 100), stopped at 37 %"),
        "{title}"
    );
    assert!(
        rows.iter().any(|row| row.contains("the filter was stopped")),
        "{rows:#?}"
    );
}

#[test]
fn the_inspector_shows_its_entry_while_the_filter_has_not_come_to_it() {
    let mut stage = file((80, 24));
    stage.typed(":50").key(Key::plain(KeyCode::Enter));
    stage.typed("lfentry").key(Key::plain(KeyCode::Enter));
    stage.send(progress(2, 20, 100));
    let rows = rows(&stage, &Shown(&stage.log, &[10, 11]));
    assert!(rows.iter().any(|row| row.contains("entry #50")), "{rows:#?}");
    assert!(rows.iter().any(|row| row.contains("entry 49")), "{rows:#?}");
}
