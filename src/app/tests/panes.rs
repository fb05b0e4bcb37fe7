//! Focus, pop-ups, the palette, connecting, news.

use std::time::Duration;

use crate::app::actions::ACTIONS;
use crate::app::testing::{Bench, settings};
use crate::app::{
    Arrangement, Block, Effect, Event, Key, KeyCode, MenuKind, Mouse, MouseKind, Overlay, Pane, Purpose,
    Settings, TimeColumn, View,
};
use crate::model::{
    Answer, Direction, Endpoint, Full, Link, LinkState, NetCommand, NetEvent, Preset, RecorderState, Stamps,
    Timestamping,
};

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// A connection with three entries.
fn bench() -> Bench {
    let mut bench = Bench::open();
    for text in [b"one\n", b"two\n", b"six\n"] {
        bench.memory.data(Direction::Received, text);
    }
    bench
}

fn focus(keys: &str, expected: Pane) {
    let mut bench = bench();
    bench.keys(keys);
    assert_eq!(bench.app.focus, expected, "{keys}");
}

#[test]
fn focus_is_the_mode() {
    focus("", Pane::Input);
    focus("<Esc>", Pane::Log);
    focus("<Tab>", Pane::Status);
    focus("<Tab><Tab><Tab>", Pane::Input);
    focus("<Shift-Tab>", Pane::Log);
    focus("<Esc>1", Pane::Status);
    focus("<Esc>1i<Esc>", Pane::Status);
    focus("<Esc>3", Pane::Inspector);
    focus("<Esc><Enter>", Pane::Inspector);
    focus("<Esc><Enter>h", Pane::Log);
    focus("<Esc>l<Esc>", Pane::Log);
    focus("<Esc>l4", Pane::Input);
    focus("<Esc>l<Tab><Tab><Tab><Tab>", Pane::Inspector);
    focus("qQ12", Pane::Input);
}

#[test]
fn letters_right_after_esc_are_ignored_in_view_panes() {
    let mut bench = bench();
    bench.event(Event::Key(Key::plain(KeyCode::Esc)));
    bench.now = bench.now + Duration::from_millis(49);
    assert!(!bench.event(Event::Key(Key::char('Q'))).redraw);
    assert!(bench.effects.is_empty());
    bench.keys("Q");
    assert_eq!(bench.effects.len(), 1);
}

#[test]
fn esc_goes_one_step_back() {
    let mut bench = bench();
    bench.keys("<Esc>kk?");
    assert!(matches!(bench.app.overlay, Some(Overlay::Help(_))));
    bench.keys("<Esc>");
    assert_eq!(
        (&bench.app.overlay, bench.app.log.selected.is_some()),
        (&None, true)
    );
    bench.keys("<Esc>");
    assert_eq!(bench.app.log.selected, None);
}

#[test]
fn every_action_runs_from_the_palette_without_panic() {
    for info in ACTIONS.iter().filter(|info| info.action.serves(Purpose::Live)) {
        for state in [LinkState::Idle, LinkState::Open, LinkState::Waiting] {
            let mut bench = bench();
            bench.link(state, |_| {});
            bench.keys(&format!("<Ctrl-G>{}<Enter>", info.name));
            assert!(
                !matches!(&bench.app.overlay, Some(Overlay::Palette(p)) if p.error.is_some()),
                "{}",
                info.name
            );
        }
    }
}

#[test]
fn the_palette_takes_arguments_and_reports_what_it_does_not_know() {
    let mut bench = bench();
    bench.keys("<Ctrl-G>view text<Enter>");
    assert_eq!(bench.app.log.view, View::Text);
    bench.keys("<Ctrl-G>view sideways<Enter>");
    assert_eq!(
        bench.notice(),
        "\"sideways\" is not a view: write hex, text or both"
    );
    bench.keys("<Ctrl-G>connect [::1]:80<Enter>");
    assert!(
        bench
            .effects
            .contains(&Effect::Net(NetCommand::Connect(endpoint("[::1]:80"))))
    );
    bench.keys("<Ctrl-G>connect nowhere<Enter>");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Connect(dialog)) if dialog.error.is_some()));
    bench.keys("<Esc><Esc>:2<Enter>");
    assert_eq!(bench.app.log.selected.map(|id| id.0), Some(1));
    bench.keys(":99<Enter>");
    assert_eq!(bench.notice(), "there is no entry 99: the log has 3");
    bench.keys(":zzzz<Enter>");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Palette(palette)) if palette.error.is_some()));
}

#[test]
fn socket_options_are_asked_for_changed_and_answered() {
    let asked = |bench: &Bench| {
        let request = |effect: &Effect| {
            if let Effect::Net(NetCommand::Option(request)) = effect {
                return Some(request.clone());
            }
            None
        };
        bench.effects.iter().filter_map(request).collect::<Vec<_>>()
    };
    let mut bench = Bench::open();
    bench.keys("<Ctrl-G>option<Enter>");
    assert!(
        matches!(&bench.app.overlay, Some(Overlay::Palette(palette)) if palette.field.text() == "option ")
    );
    bench.keys("tt<Enter><Ctrl-G>option ttl=5<Enter>");
    assert_eq!(asked(&bench), ["ttl".parse().unwrap(), "ttl=5".parse().unwrap()]);
    bench.keys("<Ctrl-G>option broadcast=on<Enter>");
    assert_eq!(bench.notice(), "broadcast means nothing for TCP sockets");
    bench.keys("<Ctrl-G>option ttl=900<Enter>");
    assert_eq!(bench.notice(), "ttl does not take \"900\": write ttl=1..255");
    bench.keys("<Ctrl-G>option nothing<Enter>");
    assert!(
        bench
            .notice()
            .starts_with("there is no socket option \"nothing\"")
    );
    assert!(asked(&bench).is_empty(), "what is wrong is not asked");
    let answer = |number, refused| NetEvent {
        answer: Some(Answer {
            number,
            text: format!("answer {number}"),
            refused,
        }),
        ..NetEvent::default()
    };
    bench.event(Event::Net(answer(1, false)));
    assert_eq!(bench.notice(), "answer 1");
    bench.keys("<Ctrl-G>option nothing<Enter>");
    bench.event(Event::Net(answer(1, false)));
    assert!(
        bench.notice().starts_with("there is no"),
        "an answer is said once"
    );
    bench.event(Event::Net(answer(2, true)));
    assert_eq!(bench.notice(), "answer 2");
}

#[test]
fn without_a_target_the_program_asks_for_one() {
    let mut bench = Bench::with(Settings {
        goal: None,
        ..settings()
    });
    assert!(matches!(bench.app.overlay, Some(Overlay::Connect(_))));
    bench.keys("host<Enter>");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Connect(dialog)) if dialog.error.is_some()));
    bench.keys(":6379<Enter>");
    let target = endpoint("host:6379");
    let expected = [
        Effect::RememberTarget(target.clone()),
        Effect::Recall(target.clone()),
        Effect::Net(NetCommand::Connect(target)),
    ];
    assert_eq!(bench.effects, expected);
    assert_eq!(bench.app.overlay, None);
}

#[test]
fn recents_are_offered_and_kept_in_order() {
    let mut bench = bench();
    bench.keys("<Esc>c<Down><Down><Enter>");
    assert!(
        bench
            .effects
            .contains(&Effect::Net(NetCommand::Connect(endpoint("old:1"))))
    );
    assert_eq!(bench.app.recents, [endpoint("old:1"), endpoint("host:1")]);
}

#[test]
fn the_close_menu_offers_what_can_be_done() {
    let closes = |state: LinkState, keys: &str, expected: &[NetCommand]| {
        let mut bench = bench();
        bench.link(state, |_| {});
        bench.keys(keys);
        let effects: Vec<Effect> = expected.iter().cloned().map(Effect::Net).collect();
        assert_eq!(bench.effects, effects, "{state} {keys}");
    };
    closes(LinkState::Open, "<Esc>Ch", &[NetCommand::HalfClose]);
    closes(LinkState::Open, "<Esc>Cf", &[NetCommand::Close]);
    closes(LinkState::Open, "<Esc>Cr", &[NetCommand::Reset]);
    closes(LinkState::Open, "<Esc>C<Down><Down><Enter>", &[NetCommand::Reset]);
    closes(LinkState::Open, "<Esc>C<Esc>", &[]);
    closes(LinkState::Connecting, "<Esc>Cx", &[NetCommand::Cancel]);
    closes(LinkState::Waiting, "<Ctrl-G>cancel<Enter>", &[NetCommand::Cancel]);
    closes(LinkState::Closed, "<Esc>C", &[]);
    closes(LinkState::Closed, "<Esc>R", &[NetCommand::Reconnect]);
}

#[test]
fn tls_is_started_where_it_can_be() {
    let check = |target: &str, state: LinkState, argument: &str, expected: Result<Option<Preset>, &str>| {
        let mut bench = bench();
        bench.link(state, |link| link.endpoint = endpoint(target));
        bench.effects.clear();
        bench.keys(&format!("<Ctrl-G>starttls{argument}<Enter>"));
        let notice = bench.app.notice.as_ref().map(|notice| notice.text.clone());
        let effects = expected.map(|preset| vec![Effect::Net(NetCommand::StartTls(preset))]);
        assert_eq!(
            bench.effects,
            effects.unwrap_or_default(),
            "{target} {state}{argument}"
        );
        assert_eq!(notice.as_deref(), expected.err(), "{target} {state}{argument}");
    };
    let (open, smtp) = (LinkState::Open, Some(Preset::Smtp));
    check("host:25", open, " smtp", Ok(smtp));
    check("host:25", open, "", Ok(None));
    check("unix:/run/x", open, " smtp", Ok(smtp));
    check(
        "tls://host:465",
        open,
        "",
        Err("the connection speaks TLS already"),
    );
    check("udp://host:53", open, "", Err("datagrams carry no TLS"));
    check(
        "host:25",
        open,
        " smpt",
        Err(
            "\"smpt\" is no protocol of which is known how it starts TLS: write smtp, imap, pop3, ftp, xmpp, ldap, \
             postgresql, mysql",
        ),
    );
    let nothing = "no connection is open: --starttls on the command line starts TLS with it";
    check("host:25", LinkState::Closed, "", Err(nothing));
    check("host:25", LinkState::Handshaking, "", Err(nothing));
}

#[test]
fn changes_of_the_connection_are_told_once() {
    let mut bench = Bench::new();
    let refuse = |bench: &mut Bench| {
        bench.link(LinkState::Failed, |link| {
            link.reason = Some("connection to host:1 refused".into());
        });
    };
    refuse(&mut bench);
    assert_eq!(bench.notice(), "connection to host:1 refused");
    assert_eq!(
        bench.effects,
        [Effect::Title("tcp://host:1 failed - sockscope".into())]
    );
    bench.now = bench.app.next_change().unwrap();
    refuse(&mut bench);
    assert_eq!(
        (bench.notice(), bench.effects.len(), bench.app.next_change()),
        ("", 0, None)
    );
}

#[test]
fn another_target_brings_its_own_history() {
    let mut bench = Bench::open();
    bench.link(LinkState::Open, |link| link.endpoint = endpoint("next:2"));
    assert!(bench.effects.contains(&Effect::Recall(endpoint("next:2"))));
    bench.link(LinkState::Open, |link| link.endpoint = endpoint("next:2"));
    assert!(bench.effects.is_empty());
}

#[test]
fn a_recorder_in_trouble_is_on_the_screen_until_it_is_not() {
    let mut bench = Bench::open();
    let mut event = NetEvent {
        recorder: RecorderState::Paused {
            full: Full::ForNow,
            reason: "no space left".into(),
        },
        ..NetEvent::default()
    };
    bench.event(Event::Net(event.clone()));
    assert!(bench.app.banner().unwrap().ends_with("no space left"));
    event.recorder = RecorderState::Recording;
    bench.event(Event::Net(event));
    assert_eq!(bench.app.banner(), None);
}

#[test]
fn views_zoom_and_layout_change_what_is_shown() {
    let mut bench = bench();
    bench.keys("<Esc>x");
    assert_eq!(bench.app.log.view, View::Hex);
    bench.keys("z");
    assert!(bench.layout().status.is_empty() && !bench.layout().input.is_empty());
    bench.keys("l");
    assert!(bench.layout().log.is_empty() && !bench.layout().inspector.is_empty());
    bench.keys("z");
    let layout = bench.layout();
    assert!(layout.inspector.y > layout.log.y, "below at 80 columns");
    bench.keys("iz<Ctrl-G>zoom<Enter>");
    let layout = bench.layout();
    assert_eq!(
        (layout.input.height, layout.log.height + layout.inspector.height),
        (15, 2)
    );
    bench.keys("<Ctrl-G>zoom<Enter><Esc>|");
    assert_eq!(bench.app.arrangement, Arrangement::Beside);
    let layout = bench.layout();
    assert!(layout.inspector.x > layout.log.x && layout.inspector.y == layout.log.y);
}

#[test]
fn copying_goes_by_the_menu() {
    let mut bench = bench();
    bench.keys("<Esc>kky");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Menu(menu)) if menu.kind == MenuKind::Copy));
    bench.keys("h");
    assert_eq!(bench.effects, [Effect::Copy("74 77 6f 0a".into())]);
    bench.keys("yt");
    assert_eq!(bench.effects, [Effect::Copy("two\n".into())]);
    bench.memory.data(Direction::Received, &vec![0x1b; 60_000]);
    bench.keys("Gyd");
    let [Effect::Copy(text)] = bench.effects.as_slice() else {
        panic!()
    };
    assert!(text.len() <= 74_994);
    assert!(
        bench.notice().starts_with("copied the first "),
        "{}",
        bench.notice()
    );
    bench.keys("yt");
    let [Effect::Copy(text)] = bench.effects.as_slice() else {
        panic!()
    };
    assert!(
        text.len() <= 74_994 && text.len() > 20_000 && text.chars().all(|c| c == '\n' || !c.is_control())
    );
}

#[test]
fn the_mouse_focuses_selects_and_scrolls() {
    let mut bench = bench();
    let log = bench.layout().log;
    let mouse = |kind, y| Event::Mouse(Mouse { kind, x: log.x, y });
    bench.event(mouse(MouseKind::Click, log.y + 2));
    assert_eq!(
        (bench.app.focus, bench.app.log.selected.map(|id| id.0)),
        (Pane::Log, Some(1))
    );
    for _ in 0..40 {
        bench.memory.data(Direction::Sent, b"x");
    }
    bench.keys("G");
    bench.event(mouse(MouseKind::ScrollUp, log.y));
    assert_ne!(bench.app.log.anchor, crate::app::Anchor::Follow);
    bench.keys("M");
    assert_eq!(bench.effects, [Effect::Mouse(false)]);
    assert!(!bench.event(mouse(MouseKind::Click, log.y)).redraw);
}

#[test]
fn a_zoomed_status_begins_with_the_block_that_is_asked_for() {
    let check = |keys: &str, expected: Block| {
        let mut bench = bench();
        bench.keys(keys);
        let place = (bench.app.focus, bench.app.zoomed, bench.app.block);
        assert_eq!(place, (Pane::Status, Some(Pane::Status), expected), "{keys}");
    };
    check("<Esc>1z", Block::Connection);
    check("<Esc>1zj", Block::Dial);
    check("<Esc>1zjj", Block::Kernel);
    check("<Esc>1zjjjj", Block::Options);
    check("<Esc>1zjjk", Block::Dial);
    check("<Esc>1zG", Block::Options);
    check("<Esc>1zGg", Block::Connection);
    check("<Esc>:waterfall<Enter>", Block::Dial);
    check("<Ctrl-G>kernel<Enter>", Block::Kernel);
    // Without the zoom, the same keys move in the Log.
    let mut bench = bench();
    bench.keys("<Esc>1kk");
    assert_eq!(
        (bench.app.block, bench.app.log.selected.is_some()),
        (Block::Connection, true)
    );
}

#[test]
fn time_stamps_are_asked_for_and_told_of() {
    let check = |link: fn(&mut Link), keys: &str, expected: Option<bool>| {
        let mut bench = Bench::new();
        bench.link(LinkState::Open, link);
        bench.keys(keys);
        let expected: Vec<_> = expected
            .map(|on| Effect::Net(NetCommand::Timestamps(on)))
            .into_iter()
            .collect();
        assert_eq!(bench.effects, expected, "{keys}");
    };
    let on = |link: &mut Link| link.timestamping = Timestamping::On;
    check(|_| {}, "<Esc>:timestamps<Enter>", Some(true));
    check(on, "<Esc>:timestamps<Enter>", Some(false));
    check(on, "<Esc>:timestamps on<Enter>", Some(true));
    check(|_| {}, "<Esc>:timestamps off<Enter>", Some(false));
    check(|_| {}, "<Esc>:timestamps maybe<Enter>", None);
    check(
        |link| link.state = LinkState::Closed,
        "<Esc>:timestamps<Enter>",
        None,
    );
    let mut bench = Bench::open();
    bench.link(LinkState::Open, on);
    assert!(bench.notice().starts_with("time stamps on"));
    bench.link(LinkState::Open, |_| {});
    assert!(bench.notice().starts_with("time stamps off"));
    bench.link(LinkState::Open, |link| {
        link.timestamping = Timestamping::Refused("a Unix socket has no time stamps".into());
    });
    assert_eq!(bench.notice(), "a Unix socket has no time stamps");
}

#[test]
fn the_time_column_shows_stamps_only_where_there_are_some() {
    let column = |stamped: bool| {
        let mut bench = bench();
        if stamped {
            bench.memory.stamps.insert(0, Stamps::default());
        }
        bench.keys("<Esc>ttt");
        bench.app.log.time
    };
    assert_eq!(column(false), TimeColumn::Absolute);
    assert_eq!(column(true), TimeColumn::Kernel);
    let mut bench = bench();
    bench.keys("<Esc>:time kernel<Enter>");
    assert_eq!(bench.app.log.time, TimeColumn::Kernel);
}
