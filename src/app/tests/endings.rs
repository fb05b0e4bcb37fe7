//! Quitting.

use crate::app::testing::{Bench, settings};
use crate::app::{Effect, Ending, MenuKind, Overlay, SessionFile, Settings};
use crate::model::LinkState;

const KEEP: &[Effect] = &[Effect::Quit(Ending::Keep)];
const DISCARD: &[Effect] = &[Effect::Quit(Ending::Discard)];

fn with_bytes(state: LinkState) -> Bench {
    let mut bench = Bench::new();
    bench.link(state, |link| link.received.bytes = 10);
    bench
}

fn check(mut bench: Bench, keys: &str, expected: &[Effect]) {
    bench.keys(keys);
    assert_eq!(bench.effects, expected, "{keys}");
}

fn asks(bench: &Bench) -> bool {
    matches!(&bench.app.overlay, Some(Overlay::Menu(menu)) if menu.kind == MenuKind::Quit)
}

#[test]
fn q_asks_only_when_something_is_at_stake() {
    let mut idle = Bench::new();
    idle.link(LinkState::Failed, |_| {});
    check(idle, "<Esc>q", KEEP);
    for state in [LinkState::Open, LinkState::Connecting, LinkState::Waiting] {
        let mut bench = Bench::new();
        bench.link(state, |_| {});
        bench.keys("<Esc>q");
        assert!(bench.effects.is_empty() && asks(&bench), "{state}");
    }
    check(with_bytes(LinkState::Closed), "<Esc>q", &[]);
    check(with_bytes(LinkState::Closed), "<Esc>qy", KEEP);
    check(with_bytes(LinkState::Closed), "<Esc>qd", DISCARD);
    check(with_bytes(LinkState::Closed), "<Esc>qcq<Esc>", &[]);
    check(with_bytes(LinkState::Open), "<Esc>Q", KEEP);
}

#[test]
fn an_open_question_follows_the_connection() {
    let mut bench = Bench::new();
    bench.link(LinkState::Resolving, |_| {});
    bench.keys("<Esc>q");
    bench.link(LinkState::Open, |link| link.received.bytes = 10);
    check(bench, "d", DISCARD);
    let mut bench = Bench::new();
    bench.link(LinkState::Open, |_| {});
    bench.keys("<Esc>C");
    bench.link(LinkState::Closed, |_| {});
    assert!(bench.app.overlay.is_none(), "there is nothing left to close");
}

#[test]
fn a_file_that_was_asked_for_is_never_discarded() {
    let named = || {
        let mut bench = Bench::with(Settings {
            session: SessionFile::Named("a.pcapng".into()),
            ..settings()
        });
        bench.link(LinkState::Closed, |link| link.received.bytes = 10);
        bench
    };
    check(named(), "<Esc>q", KEEP);
    check(named(), "<Ctrl-G>quit-discard<Enter>", &[]);
    let mut open = named();
    open.link(LinkState::Open, |_| {});
    check(open, "<Esc>qd", &[]);
}

#[test]
fn ctrl_c_clears_then_asks_then_quits() {
    let mut bench = Bench::open();
    bench.keys("text<Ctrl-C>");
    assert_eq!((bench.typed().as_str(), asks(&bench)), ("|", false));
    bench.keys("<Ctrl-C>");
    assert!(asks(&bench) && bench.effects.is_empty());
    bench.keys("<Ctrl-C>");
    assert_eq!(bench.effects, KEEP);
    check(Bench::open(), "<Ctrl-C><Esc><Ctrl-C>", &[]);
    check(Bench::open(), "<Ctrl-G><Ctrl-C>", &[]);
}
