//! Any sequence of events in windows of any size: no panic, and what is shown stays inside of the window.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::app::testing::Bench;
use crate::app::{Event, Frame, Key, KeyCode, Layout, Modifiers, Mouse, MouseKind, Report};
use crate::model::{Direction, EntryKind, LinkState, NetCommand, Side};

#[expect(clippy::large_enum_variant, reason = "it holds an event")]
#[derive(Clone, Debug)]
enum Step {
    Event(Event),
    Size(u16, u16),
    Bytes(Direction, Vec<u8>),
    Note(String),
    Link(LinkState, Option<Side>),
    Wait(u64),
}

fn key() -> impl Strategy<Value = Key> {
    let code = prop_oneof![
        6 => prop::sample::select("qQkjgGhlxtzyicCRMF?:| |1234\\x0fd<".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
        2 => any::<char>().prop_map(KeyCode::Char),
        4 => prop::sample::select(vec![
            KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::Backspace, KeyCode::Delete, KeyCode::Insert,
            KeyCode::Left, KeyCode::Right, KeyCode::Up, KeyCode::Down, KeyCode::Home, KeyCode::End,
            KeyCode::PageUp, KeyCode::PageDown, KeyCode::F(1),
        ]),
    ];
    let ctrl = prop::sample::select("abcdefgjklnoprtuvwyz".chars().collect::<Vec<_>>()).prop_map(Key::ctrl);
    let alt = prop::sample::select("bdflsy".chars().collect::<Vec<_>>()).prop_map(Key::alt);
    let plain = (code, any::<[bool; 3]>()).prop_map(|(code, [ctrl, alt, shift])| Key {
        code,
        modifiers: Modifiers {
            ctrl: ctrl && alt,
            alt: alt && shift,
            shift,
        },
    });
    prop_oneof![4 => plain, 2 => ctrl, 1 => alt]
}

fn mouse() -> impl Strategy<Value = Mouse> {
    let kind = prop::sample::select(vec![MouseKind::Click, MouseKind::ScrollUp, MouseKind::ScrollDown]);
    (kind, any::<u16>(), 0u16..60).prop_map(|(kind, x, y)| Mouse { kind, x: x % 100, y })
}

fn step() -> impl Strategy<Value = Step> {
    use LinkState::{Closed, Connecting, Failed, HalfClosed, Idle, Open, Waiting};
    let state = prop::sample::select(vec![
        Closed, Connecting, Failed, HalfClosed, Idle, Open, Open, Waiting,
    ]);
    let side = prop::option::of(prop::sample::select(vec![Side::Local, Side::Peer]));
    let direction = prop::sample::select(vec![Direction::Sent, Direction::Received]);
    let window = prop_oneof![
        (0u16..100, 0u16..40),
        Just((1000, 1000)),
        Just((20, 5)),
        Just((0, 0))
    ];
    prop_oneof![
        12 => key().prop_map(|key| Step::Event(Event::Key(key))),
        2 => mouse().prop_map(|mouse| Step::Event(Event::Mouse(mouse))),
        1 => any::<String>().prop_map(|text| Step::Event(Event::Paste(text))),
        2 => window.prop_map(|(width, height)| Step::Size(width, height)),
        3 => (direction, vec(any::<u8>(), 0..200)).prop_map(|(direction, bytes)| Step::Bytes(direction, bytes)),
        1 => any::<String>().prop_map(Step::Note),
        2 => (state, side).prop_map(|(state, side)| Step::Link(state, side)),
        1 => any::<u32>().prop_map(|nanos| Step::Wait(u64::from(nanos))),
        1 => Just(Step::Event(Event::Report(Report::Busy(NetCommand::HalfClose)))),
        1 => Just(Step::Event(Event::Resumed)),
    ]
}

fn take(bench: &mut Bench, step: Step) {
    match step {
        Step::Event(event) => {
            bench.event(event);
        }
        Step::Size(width, height) => {
            bench.size = (width, height);
            bench.event(Event::Resized);
        }
        Step::Bytes(direction, bytes) => bench.memory.data(direction, &bytes),
        Step::Note(text) => bench.memory.event(EntryKind::Note { text }),
        Step::Link(state, side) => bench.link(state, |link| link.first_fin = side),
        Step::Wait(nanos) => bench.now.0 += nanos,
    }
}

fn shown_fits(bench: &Bench) {
    let layout = bench.layout();
    let log = bench.app.log_rows(&bench.memory, &layout);
    assert!(log.len() <= usize::from(layout.log.height));
    let inspector = bench.app.inspector_rows(&bench.memory, &layout);
    assert!(inspector.len() <= usize::from(layout.inspector.height));
    let position = bench.app.log_position(&bench.memory, &layout);
    assert!(position.at <= position.of && position.new_below <= position.of);
    assert!(!bench.app.hints().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_in_any_window_do_no_harm(steps in vec(step(), 1..80)) {
        let mut bench = Bench::open();
        for step in steps {
            take(&mut bench, step);
            shown_fits(&bench);
        }
    }

    #[test]
    fn areas_lie_inside_of_the_window_and_apart(
        width in 0u16..300,
        height in 0u16..100,
        lines in 0usize..40,
        keys in prop::sample::select(vec!["", "z", "<Esc>z", "<Esc>l", "<Esc>lz", "<Esc>l|", "<Esc>1z", "<Esc>lzi"]),
    ) {
        let mut bench = Bench::open();
        bench.memory.data(Direction::Sent, b"x");
        bench.keys(&"<Ctrl-J>".repeat(lines));
        bench.keys(keys);
        let layout = Layout::split(width, height, &bench.app);
        areas_are_sound(&layout);
    }
}

fn areas_are_sound(layout: &Layout) {
    let areas = [
        layout.title,
        layout.status,
        layout.log_title,
        layout.log,
        layout.inspector_title,
        layout.divider,
        layout.inspector,
        layout.input_title,
        layout.input,
        layout.footer,
    ];
    if layout.frame == Frame::TooSmall {
        assert!(areas.iter().all(|area| area.is_empty()));
        return;
    }
    for (index, area) in areas.iter().enumerate() {
        assert!(area.x + area.width <= layout.screen.width, "{index}: {layout:?}");
        assert!(
            area.y + area.height <= layout.screen.height,
            "{index}: {layout:?}"
        );
        for other in &areas[index + 1..] {
            let apart = area.is_empty()
                || other.is_empty()
                || area.x + area.width <= other.x
                || other.x + other.width <= area.x
                || area.y + area.height <= other.y
                || other.y + other.height <= area.y;
            assert!(apart, "{area:?} {other:?} in {layout:?}");
        }
    }
    assert!(!layout.input.is_empty(), "Input is always visible: {layout:?}");
}

#[test]
fn layouts_degrade_in_steps() {
    let bench = Bench::open();
    let check = |width, height, frame, status, log| {
        let layout = Layout::split(width, height, &bench.app);
        assert_eq!(
            (layout.frame, layout.status.height, layout.log.height),
            (frame, status, log),
            "{width}x{height}"
        );
    };
    check(80, 24, Frame::Full, 2, 17);
    check(120, 40, Frame::Full, 2, 33);
    check(40, 10, Frame::Lines, 1, 4);
    check(20, 5, Frame::Bare, 0, 3);
    check(19, 5, Frame::TooSmall, 0, 0);
    check(20, 4, Frame::TooSmall, 0, 0);
}
