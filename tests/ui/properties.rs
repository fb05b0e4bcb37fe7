//! What must hold for every picture: no size panics, no cell holds what the encoder would not let through, drawing
//! twice gives equal buffers, and the cost does not depend on the length of the log.

use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

use crate::stage::{START, Stage, settings};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sockscope::app::actions::ACTIONS;
use sockscope::app::{App, Event, Key, Layout};
use sockscope::model::{
    ConnectionId, Direction, End, EndHow, Entry, EntryId, EntryKind, LinkState, RecorderState, Records,
    RecordsError, Side, Surroundings, Timestamp,
};
use sockscope::text::{Policy, Shown};
use sockscope::ui::{self, Frame, Theme};

/// Something that happens to a window.
#[derive(Clone, Debug)]
enum Step {
    Key(Key),
    Paste(String),
    Data(Direction, Vec<u8>),
    Note(String),
    State(LinkState, Option<String>),
    Trouble(Option<String>),
    Resize(u16, u16),
    Wait(u64),
}

/// What peers, files and the clipboard bring: escapes, marks, wide and right-to-left characters, halves of
/// characters.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        "\\PC{0,12}".prop_map(String::into_bytes),
        Just(b"\x1b]0;owned\x07\x1b[2J\x9b31m".to_vec()),
        Just("a\u{301}\u{302}\u{303}\u{304}".as_bytes().to_vec()),
        Just(
            "\u{202e}\u{2066}\u{200b}\u{feff}\u{e0001}\u{fffd}"
                .as_bytes()
                .to_vec()
        ),
        Just("漢字😀é\u{5d0}\u{627}".as_bytes().to_vec()),
        Just(vec![0xe6, 0xbc]),
        Just(b"\t\t\r\n\x7f\x00".to_vec()),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn step() -> impl Strategy<Value = Step> {
    let bound: Vec<Key> = ACTIONS
        .iter()
        .flat_map(|info| info.keys)
        .map(|(_, key)| *key)
        .collect();
    let text = || hostile().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let direction = prop_oneof![Just(Direction::Sent), Just(Direction::Received)];
    let state = prop_oneof![
        Just(LinkState::Resolving),
        Just(LinkState::Connecting),
        Just(LinkState::Open),
        Just(LinkState::HalfClosed),
        Just(LinkState::Closed),
        Just(LinkState::Failed),
        Just(LinkState::Waiting),
    ];
    prop_oneof![
        6 => proptest::sample::select(bound).prop_map(Step::Key),
        2 => any::<char>().prop_map(|c| Step::Key(Key::char(c))),
        1 => text().prop_map(Step::Paste),
        3 => (direction, hostile()).prop_map(|(direction, bytes)| Step::Data(direction, bytes)),
        1 => text().prop_map(Step::Note),
        1 => (state, proptest::option::of(text())).prop_map(|(state, reason)| Step::State(state, reason)),
        1 => proptest::option::of(text()).prop_map(Step::Trouble),
        2 => (0u16..130, 0u16..50).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (0u64..5_000).prop_map(Step::Wait),
    ]
}

fn apply(window: &mut Stage, step: Step) {
    match step {
        Step::Key(key) => {
            window.key(key);
        }
        Step::Paste(text) => {
            window.send(Event::Paste(text));
        }
        Step::Data(direction, bytes) if !bytes.is_empty() => {
            window.data(direction, &bytes);
        }
        Step::Data(..) => {}
        Step::Note(text) => {
            window.event(EntryKind::Note { text });
        }
        Step::State(state, reason) => {
            let now = window.now;
            window.link(|link| {
                link.state = state;
                link.reason = reason;
                link.first_fin = Some(Side::Peer);
                link.retry_at = Some(now + Duration::from_millis(1_500));
                link.end = (state == LinkState::Closed).then_some(End {
                    by: Side::Peer,
                    how: EndHow::Rst,
                    errno: Some(104),
                });
            });
        }
        Step::Trouble(reason) => {
            window.recorder = match reason {
                Some(reason) => RecorderState::Losing { reason, bytes: 7 },
                None => RecorderState::Recording,
            };
            window.report();
        }
        Step::Resize(width, height) => {
            window.size = (width, height);
            window.send(Event::Resized);
        }
        Step::Wait(millis) => {
            window.wait(Duration::from_millis(millis));
        }
    }
}

/// Every cell is what the encoder lets through, and small.
fn assert_clean(buf: &Buffer, policy: Policy) {
    for cell in &buf.content {
        let symbol = cell.symbol();
        assert!(symbol.len() <= 16, "{symbol:?} is too large for a cell");
        assert!(
            !symbol.chars().any(char::is_control),
            "{symbol:?} is a control character"
        );
        assert_eq!(
            Shown::of(symbol, policy).to_string(),
            symbol,
            "the encoder would not let it through"
        );
    }
}

fn assert_holds(stage: &Stage) {
    let picture = stage.draw();
    assert!(stage.draw() == picture, "drawing twice differs");
    let (buf, cursor) = picture;
    assert_clean(&buf, stage.app.settings.policy);
    if let Some(at) = cursor {
        assert!(
            at.x < stage.size.0 && at.y < stage.size.1,
            "the cursor is outside: {at}"
        );
    }
    if let Some(next) = ui::next_change(&stage.app, stage.now) {
        assert!(next > stage.now, "a change in the past would be drawn for ever");
        assert_moves_at_the_top_only(stage, &buf, next);
    }
}

/// What time alone changes stands in the rows that are said to move, and these can be drawn alone.
fn assert_moves_at_the_top_only(stage: &Stage, buf: &Buffer, next: Timestamp) {
    if stage.app.next_change().is_some_and(|notice| notice <= next) {
        return;
    }
    let (later, cursor) = stage.draw_at(next, None);
    let rows = ui::moving_rows(&stage.layout());
    let moving = usize::from(rows) * usize::from(stage.size.0);
    assert!(
        later.content[moving..] == buf.content[moving..],
        "time changes what stands below row {rows}"
    );
    let (part, part_cursor) = stage.draw_at(next, Some(rows));
    assert!(
        part.content == later.content[..moving],
        "a part differs from the whole"
    );
    assert_eq!(part_cursor, cursor);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_picture_is_clean(
        steps in proptest::collection::vec(step(), 0..40),
        ascii in any::<bool>(),
        rtl in any::<bool>(),
    ) {
        let mut stage = Stage::open((80, 24));
        stage.app.settings.policy = Policy { rtl, ascii };
        for step in steps {
            apply(&mut stage, step);
            assert_holds(&stage);
        }
    }

    #[test]
    fn names_and_paths_from_outside_are_encoded(bytes in hostile(), width in 20u16..120) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut settings = settings();
        settings.greetings = vec![text.clone()];
        settings.session = sockscope::app::SessionFile::Named(text.clone());
        let mut stage = Stage::new(settings, (width, 30));
        stage.link = Stage::open((width, 30)).link;
        stage.report();
        stage.escape().key(Key::char('1')).key(Key::char('z'));
        assert_holds(&stage);
    }
}

#[test]
fn any_size_works() {
    let edges = [
        0, 1, 2, 3, 4, 5, 8, 11, 12, 19, 20, 49, 50, 59, 60, 159, 160, 1000,
    ];
    for width in edges {
        for height in edges {
            if u32::from(width) * u32::from(height) > 50_000 && width != height {
                continue;
            }
            let mut stage = Stage::open((width, height));
            stage.data(Direction::Received, "漢字 \x1b[2J\r\n".repeat(200).as_bytes());
            stage.key(Key::ctrl('g'));
            assert_holds(&stage);
        }
    }
}

#[test]
fn a_layout_of_another_size_is_cut_to_the_area() {
    let stage = Stage::open((120, 40));
    let layout = stage.layout();
    let frame = Frame {
        now: stage.now,
        records: &stage.log,
        layout: &layout,
        theme: Theme::Ansi,
    };
    for area in [
        Rect::new(0, 0, 30, 7),
        Rect::new(5, 3, 90, 30),
        Rect::new(0, 0, 0, 0),
        Rect::new(99, 99, 9, 9),
    ] {
        let mut buf = Buffer::empty(Rect::new(0, 0, 100, 40));
        let cursor = ui::render(&stage.app, &frame, area, &mut buf);
        assert!(cursor.is_none_or(|at| area.contains(at)));
        let outside = buf.area.positions().filter(|at| !area.contains(*at));
        assert!(
            outside.into_iter().all(|at| buf[at].symbol() == " "),
            "{area} was left"
        );
    }
}

/// A log too long to be held: entries are made when they are asked for, and the questions are counted.
struct Endless {
    entries: u64,
    asked: Cell<u64>,
}

impl Records for Endless {
    fn len(&self) -> u64 {
        self.entries
    }

    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        self.asked.set(self.asked.get() + 1);
        Ok(Entry {
            id,
            connection: ConnectionId(0),
            at: START,
            kind: EntryKind::Data {
                direction: Direction::Received,
            },
            len: 64,
        })
    }

    fn payload(&self, _: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        self.asked.set(self.asked.get() + 1);
        Ok(vec![b'x'; range.len()])
    }

    fn surroundings(&self, _: EntryId) -> Result<Surroundings, RecordsError> {
        self.asked.set(self.asked.get() + 1);
        Ok(Surroundings::default())
    }

    fn started(&self, _: ConnectionId) -> Option<Timestamp> {
        Some(START)
    }
}

#[test]
fn the_cost_of_a_picture_does_not_depend_on_the_length_of_the_log() {
    let asked = |entries| {
        let records = Endless {
            entries,
            asked: Cell::new(0),
        };
        let app = App::new(settings());
        let layout = Layout::split(120, 40, &app);
        let frame = Frame {
            now: START,
            records: &records,
            layout: &layout,
            theme: Theme::Ansi,
        };
        let mut buf = Buffer::empty(Rect::new(0, 0, 120, 40));
        ui::render(&app, &frame, buf.area, &mut buf);
        records.asked.get()
    };
    let short = asked(1_000);
    assert_eq!(asked(u64::MAX / 2), short);
    assert!(short < 400, "{short} questions for 40 rows");
}
