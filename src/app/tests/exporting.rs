//! Exporting: what is asked, what is handed to the runtime, and what becomes of it.

use crate::app::testing::{Bench, settings};
use crate::app::{Effect, Event, ExportOrder, MenuKind, Overlay, Pane, Scanned, SessionFile, Settings};
use crate::capture::Existing;
use crate::model::{
    Direction, EntryId, ExportFormat, ExportReport, ExportState, FileReport, LinkState, Portion,
};

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

fn order(portion: Portion, format: ExportFormat, path: &str) -> ExportOrder {
    ExportOrder {
        portion,
        format,
        path: path.into(),
        existing: Existing::Refuse,
    }
}

fn report(bench: &mut Bench, state: ExportState) {
    bench.event(Event::Exported(ExportReport {
        passed: 50,
        of: 100,
        entries: 1200,
        bytes: 4096,
        state,
    }));
}

fn title(bench: &Bench) -> String {
    match &bench.app.overlay {
        Some(Overlay::Menu(menu)) => menu.title.clone(),
        Some(Overlay::Prompt(prompt)) => prompt.field.text().to_owned(),
        _ => String::new(),
    }
}

#[test]
fn everything_is_exported_under_a_name_that_can_be_edited() {
    let mut bench = bench();
    bench.keys("E");
    assert_eq!(title(&bench), "Export everything, 100 entries, as");
    bench.keys("j");
    let suggested = title(&bench);
    assert!(
        suggested.starts_with("host_1-1970-01-01T0000") && suggested.contains(".jsonl"),
        "{suggested}"
    );
    bench.keys("<Ctrl-U>my file<Enter>");
    assert_eq!(
        bench.effects,
        [Effect::Export(order(
            Portion::All,
            ExportFormat::Jsonl,
            "my file"
        ))]
    );
    assert!(bench.app.is_exporting());
    bench.keys("E");
    assert!(bench.notice().starts_with("an export is under way"));
    report(&mut bench, ExportState::Done(vec!["/x/my file".into()]));
    assert_eq!(bench.notice(), "exported 1,200 entries to /x/my file (4.0 KiB)");
    assert!(!bench.app.is_exporting());
}

#[test]
fn a_filter_and_an_entry_are_exported_alone() {
    let mut bench = bench();
    bench.keys("fsize>3<Enter>E");
    assert_eq!(
        title(&bench),
        "Export what the filter size>3 shows, 100 entries found so far, as"
    );
    bench.keys("<Esc>");
    bench.event(Event::Filtered(Scanned {
        found: 100,
        scanned: 100,
        of: 100,
    }));
    bench.keys("E");
    assert_eq!(
        title(&bench),
        "Export what the filter size>3 shows, 100 entries, as"
    );
    bench.keys("p<Ctrl-U>f<Enter>");
    assert!(matches!(
        bench.effects.as_slice(),
        [Effect::Export(ExportOrder { portion: Portion::Query(query), .. })] if query.source() == "size>3"
    ));
    report(&mut bench, ExportState::Stopped);
    assert_eq!(bench.notice(), "the export was stopped; f was not written");
    bench.keys(":export text g<Enter>");
    report(&mut bench, ExportState::Nothing("there is no such entry".into()));
    assert_eq!(bench.notice(), "g was not written: there is no such entry");
    assert!(!bench.app.is_exporting());
    bench.keys("jjw");
    assert_eq!(title(&bench), "Export entry 3 as");
    // What is selected meanwhile is not what was asked for.
    bench.app.log.selected = Some(EntryId(50));
    bench.keys("r");
    assert!(title(&bench).ends_with("-entry3"), "{}", title(&bench));
    bench.keys("<Ctrl-U>one<Enter>");
    assert_eq!(
        bench.effects,
        [Effect::Export(order(
            Portion::Entries(2..3),
            ExportFormat::Raw,
            "one"
        ))]
    );
}

#[test]
fn the_palette_takes_format_and_file() {
    let check = |typed: &str, expected: &[Effect], notice: &str| {
        let mut bench = bench();
        bench.keys(&format!(":{typed}<Enter>"));
        assert_eq!(bench.effects, expected, "{typed}");
        assert!(bench.notice().starts_with(notice), "{typed}: {}", bench.notice());
    };
    let all = |format, path| Effect::Export(order(Portion::All, format, path));
    check(
        "export python ~/a b.py",
        &[all(ExportFormat::Python, "~/a b.py")],
        "",
    );
    check("export pcapng x", &[all(ExportFormat::Pcapng, "x")], "");
    check("export doc x", &[], "\"doc\" is no format");
    check("export-stop", &[], "nothing is being exported");
    check("export-overwrite", &[], "no export waits for an answer");
    check("export-rename", &[], "no export waits for an answer");
    let mut bench = bench();
    bench.keys(":export raw<Enter>");
    assert!(title(&bench).starts_with("host_1-"));
    bench.keys("<Ctrl-U><Enter>");
    assert!(bench.effects.is_empty() && bench.app.overlay.is_none());
}

#[test]
fn a_file_that_exists_is_asked_about() {
    let mut bench = bench();
    bench.keys("Et<Ctrl-U>old<Enter>");
    report(&mut bench, ExportState::Exists("old".into()));
    assert!(!bench.app.is_exporting());
    assert_eq!(title(&bench), "old exists already.");
    bench.keys("o");
    let mut expected = order(Portion::All, ExportFormat::Text, "old");
    expected.existing = Existing::Replace;
    assert_eq!(bench.effects, [Effect::Export(expected)]);
    assert!(bench.app.is_exporting());
    report(&mut bench, ExportState::Exists("old".into()));
    bench.keys("n");
    assert_eq!(title(&bench), "old");
    bench.keys("er<Enter>");
    assert_eq!(
        bench.effects,
        [Effect::Export(order(Portion::All, ExportFormat::Text, "older"))]
    );
    // Another pop-up is not taken away.
    bench.keys("?");
    report(&mut bench, ExportState::Exists("older".into()));
    assert!(matches!(bench.app.overlay, Some(Overlay::Help(_))));
    assert!(bench.notice().contains("export-rename"));
    bench.keys("<Esc>:export-overwrite<Enter>");
    assert!(bench.app.is_exporting());
}

#[test]
fn esc_closes_a_pop_up_first_and_then_stops_the_export() {
    let mut bench = bench();
    bench.keys("jjEt<Ctrl-U>x<Enter>");
    report(&mut bench, ExportState::Writing);
    bench.keys("?<Esc>");
    assert!(bench.effects.is_empty());
    bench.keys("<Esc>");
    assert_eq!(bench.effects, [Effect::StopExport]);
    assert!(bench.app.log.selected.is_some(), "the selection stays");
    bench.keys("i<Esc>");
    assert!(bench.effects.is_empty(), "Input is left first");
    assert_eq!(bench.app.focus, Pane::Log);
    bench.keys("q");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Menu(menu)) if menu.kind == MenuKind::Quit));
    assert!(title(&bench).ends_with("The export is not finished, and would be removed."));
    report(
        &mut bench,
        ExportState::Failed("cannot write x: No space left on device".into()),
    );
    assert_eq!(bench.notice(), "cannot write x: No space left on device");
}

#[test]
fn names_come_from_the_file_that_is_read_and_are_harmless() {
    let check = |path: &str, expected: &str| {
        let mut bench = Bench::with(Settings {
            goal: None,
            session: SessionFile::Opened(path.into()),
            ..settings()
        });
        bench.memory.data(Direction::Received, b"x");
        bench.event(Event::File(FileReport {
            entries: 1,
            ..FileReport::default()
        }));
        bench.keys("E");
        assert_eq!(title(&bench), "Export what was found so far, 1 entry, as");
        bench.keys("p");
        assert!(title(&bench).starts_with(expected), "{}", title(&bench));
    };
    check("/tmp/trace.pcapng.gz", "trace-1970");
    check("/tmp/a\u{202e} b;c.pcap", "a__b_c-1970");
    check("standard input", "standard_input-1970");
    check("/tmp/.pcap", "sockscope-1970");
}

#[test]
fn a_filter_that_leaves_nothing_is_named() {
    let mut bench = Bench::new();
    bench.link(LinkState::Open, |_| {});
    bench.keys("<Esc>fsize>3000<Enter>E");
    assert_eq!(
        bench.notice(),
        "so far there is no entry to export for which size>3000 holds"
    );
    assert_eq!(bench.app.overlay, None);
}

#[test]
fn nothing_is_exported_of_nothing() {
    let mut bench = Bench::new();
    bench.link(LinkState::Open, |_| {});
    bench.keys("<Esc>E");
    assert_eq!(bench.notice(), "there is no entry to export yet");
    bench.keys("w");
    assert_eq!(bench.notice(), "there is no entry yet");
    assert_eq!(bench.app.overlay, None);
}

#[test]
fn what_is_done_with_an_inspected_entry_that_is_not_kept_any_more_says_so() {
    let mut bench = bench();
    bench.keys("gl");
    bench.memory.gone = 10;
    bench.event(Event::Tick);
    let gone = "entry 1 is no longer kept: its ring file was removed";
    for keys in ["m", ";", "w", "y", ":0x1<Enter>"] {
        bench.keys(keys);
        assert_eq!((bench.notice(), &bench.app.overlay), (gone, &None), "{keys}");
        assert_eq!(bench.effects, [], "{keys}");
    }
    bench.keys("J");
    assert_eq!(
        bench.app.inspector.map(|inspector| inspector.entry),
        Some(EntryId(10))
    );
}

#[test]
fn entries_that_are_selected_together_are_exported_and_copied() {
    let selected = |bench: &Bench| {
        let layout = crate::app::Layout::split(80, 24, &bench.app);
        bench.app.log_position(&bench.memory, &layout).selected
    };
    let mut bench = bench();
    bench.keys("jjv");
    assert_eq!(selected(&bench), 1);
    bench.keys("jjj");
    assert_eq!(selected(&bench), 4);
    bench.keys("w");
    assert_eq!(title(&bench), "Export entries 3 to 6 as");
    bench.keys("t");
    assert!(title(&bench).ends_with("-entries3-6.txt"), "{}", title(&bench));
    bench.keys("<Ctrl-U>four<Enter>");
    assert_eq!(
        bench.effects,
        [Effect::Export(order(
            Portion::Entries(2..6),
            ExportFormat::Text,
            "four"
        ))]
    );
    report(&mut bench, ExportState::Stopped);
    bench.effects.clear();
    bench.keys("y");
    assert_eq!(title(&bench), "Copy 4 entries as");
    bench.keys("t");
    assert_eq!(
        bench.effects,
        [Effect::Copy("entry 2\nentry 3\nentry 4\nentry 5\n".into())]
    );
    assert_eq!(bench.notice(), "copied 4 entries as text");
    // Backwards over where it began, and on with what comes.
    bench.keys("g");
    assert_eq!(selected(&bench), 3);
    bench.keys("G");
    assert_eq!(selected(&bench), 98);
    bench.memory.data(Direction::Received, b"one more");
    assert_eq!(selected(&bench), 99);
    bench.keys("<Esc>");
    assert_eq!(selected(&bench), 0);
    bench.keys("vv");
    assert_eq!(selected(&bench), 0);
}

#[test]
fn too_much_for_a_clipboard_is_copied_in_part() {
    let mut bench = Bench::open();
    for _ in 0..5 {
        bench
            .memory
            .data(Direction::Received, "x".repeat(30_000).as_bytes());
    }
    bench.keys("<Esc>gvG");
    bench.effects.clear();
    bench.keys("yt");
    let Some(Effect::Copy(text)) = bench.effects.first() else {
        panic!("{:?}", bench.effects)
    };
    assert_eq!(text.len(), 2 * 30_001);
    assert!(
        bench.notice().starts_with("copied the first 2 of "),
        "{}",
        bench.notice()
    );
}
