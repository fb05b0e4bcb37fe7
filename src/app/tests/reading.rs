//! Reading a recording: there is nothing to send to, and what is found is not new.

use crate::app::actions::ACTIONS;
use crate::app::testing::{Bench, settings};
use crate::app::{Effect, Ending, Event, Overlay, Pane, Purpose, SessionFile, Settings};
use crate::model::{Direction, FileReport, FileState};

fn reading() -> Bench {
    let mut bench = Bench::with(Settings {
        goal: None,
        session: SessionFile::Opened("/tmp/a.pcapng".into()),
        ..settings()
    });
    for _ in 0..100 {
        bench.memory.data(Direction::Received, b"found");
    }
    bench
}

fn report(bench: &mut Bench, state: FileState, entries: u64) {
    bench.event(Event::File(FileReport {
        size: 1000,
        indexed: 450,
        entries,
        state,
        ..FileReport::default()
    }));
}

#[test]
fn it_starts_at_the_top_of_the_log_without_an_input() {
    let bench = reading();
    assert_eq!(bench.app.focus, Pane::Log);
    assert_eq!(bench.app.overlay, None);
    assert_eq!(bench.window().0, 0);
    assert!(bench.layout().input.is_empty() && bench.layout().input_title.is_empty());
    assert_eq!(bench.effects, [Effect::Title("/tmp/a.pcapng - sockscope".into())]);
}

#[test]
fn what_is_found_is_not_new_and_what_is_appended_is() {
    let mut bench = reading();
    let new_below = |bench: &Bench| bench.app.log_position(&bench.memory, &bench.layout()).new_below;
    report(&mut bench, FileState::Indexing, 60);
    report(&mut bench, FileState::Following, 100);
    assert_eq!(new_below(&bench), 0);
    bench.memory.data(Direction::Received, b"appended");
    report(&mut bench, FileState::Following, 101);
    assert_eq!(new_below(&bench), 1);
}

#[test]
fn keys_of_a_connection_say_that_there_is_none() {
    for key in ["c", "R", "C", "i", "4"] {
        let mut bench = reading();
        bench.keys(key);
        assert!(bench.effects.is_empty(), "{key}");
        assert!(bench.notice().starts_with("a recording is only read"), "{key}");
        assert_eq!((bench.app.focus, &bench.app.overlay), (Pane::Log, &None), "{key}");
    }
    let mut bench = reading();
    bench.keys("<Tab>");
    assert_eq!(bench.app.focus, Pane::Status);
    bench.keys("<Tab>");
    assert_eq!(bench.app.focus, Pane::Log, "Input is not among the panes");
    bench.keys("q");
    assert_eq!(bench.effects, [Effect::Quit(Ending::Keep)]);
}

#[test]
fn esc_stops_the_indexing_once_there_is_nothing_else_to_leave() {
    let mut bench = reading();
    report(&mut bench, FileState::Indexing, 60);
    bench.keys("jz<Esc>");
    assert_eq!(
        (bench.effects.as_slice(), bench.app.log.selected),
        (&[][..], None)
    );
    bench.keys("<Esc>");
    assert_eq!((bench.effects.as_slice(), bench.app.zoomed), (&[][..], None));
    bench.keys("<Esc>");
    assert_eq!(bench.effects, [Effect::StopIndexing]);
    report(&mut bench, FileState::Cancelled, 60);
    assert!(bench.notice().starts_with("indexing stopped at 45 %"));
    bench.keys("<Esc>");
    assert!(bench.effects.is_empty());
}

#[test]
fn every_action_that_serves_runs_from_the_palette() {
    for info in ACTIONS.iter().filter(|info| info.action.serves(Purpose::Reading)) {
        let mut bench = reading();
        bench.keys(&format!(":{}<Enter>", info.name));
        let unknown = matches!(&bench.app.overlay, Some(Overlay::Palette(p)) if p.error.is_some());
        assert!(!unknown, "{}", info.name);
    }
}

#[test]
fn a_failure_is_said_once() {
    let mut bench = reading();
    report(
        &mut bench,
        FileState::Failed("cannot read a.pcapng: I/O error".into()),
        60,
    );
    assert_eq!(bench.notice(), "cannot read a.pcapng: I/O error");
}
