//! The Status pane while a recording is read: the file, how far it is indexed, what it holds and what is wrong with it.

use ratatui::style::Style;

use crate::model::{EntryId, FileReport, FileState, whole};
use crate::text::format::{self, counted};
use crate::ui::line::{Line, fit};
use crate::ui::scene::Scene;

/// Cells of the progress bar.
const BAR: u64 = 20;

/// The rows for an area of that size.
pub(super) fn rows<'s>(scene: &'s Scene<'_>, file: &FileReport, width: u16, height: u16) -> Vec<Line<'s>> {
    match height {
        0 | 1 => vec![one_row(scene, file, width)],
        2 => vec![first_row(scene, file, width), holdings(scene, file, width)],
        _ => details(scene, file),
    }
}

/// How it stands, with its sign, as the window's title says it.
pub(super) fn standing<'s>(scene: &'s Scene<'_>, file: &FileReport) -> Line<'s> {
    let (theme, symbols) = (scene.theme(), scene.pen.symbols);
    let (sign, style) = match file.state {
        FileState::Indexing => (symbols.half, theme.warning()),
        FileState::Following => (symbols.state, theme.received()),
        FileState::Complete => (symbols.ended, theme.secondary()),
        FileState::Cut => (symbols.ended, theme.warning()),
        FileState::Cancelled => (symbols.half, theme.warning()),
        FileState::Failed(_) => (symbols.failed, theme.error()),
    };
    scene.line().text(sign, style).gap(1).text(&word(file), style)
}

/// One word for the state, and how far it is while that changes.
fn word(file: &FileReport) -> String {
    match file.state {
        FileState::Indexing => format!("indexing {} %", file.percent()),
        FileState::Following => "following".into(),
        FileState::Complete => "complete".into(),
        FileState::Cut => "cut short".into(),
        FileState::Cancelled => format!("stopped at {} %", file.percent()),
        FileState::Failed(_) => "failed".into(),
    }
}

/// What is wrong, and which time the entries cover.
fn first_row<'s>(scene: &'s Scene<'_>, file: &FileReport, width: u16) -> Line<'s> {
    let span = span(scene).map_or(scene.line(), |span| scene.pen.text(&span, Style::new()));
    fit(
        vec![(0, trouble(scene, file)), (1, span)],
        &scene.line().gap(2),
        width,
    )
}

/// From when on, and how long: of the entries that are known so far, shown or not, as are all other figures here.
fn span(scene: &Scene<'_>) -> Option<String> {
    let all = whole(scene.records);
    let at = |id: EntryId| Some(all.entry(id).ok()?.at);
    let last = all.len().checked_sub(1).map(EntryId)?;
    let (first, last) = (at(all.first())?, at(last)?);
    let offset = scene.app.settings.zone.offset();
    Some(format!(
        "from {} {}, {} long",
        format::date_time(first.0, offset),
        format::offset(offset),
        scene.took(last.since(first)),
    ))
}

/// Why reading failed, else the first remark and how many more there are.
fn trouble<'s>(scene: &'s Scene<'_>, file: &FileReport) -> Line<'s> {
    if let FileState::Failed(why) = &file.state {
        return scene.pen.text(why, scene.theme().error());
    }
    match file.remarks.as_slice() {
        [] => scene.line(),
        [only] => scene.pen.text(only, scene.theme().warning()),
        [first, more @ ..] => {
            let text = format!("{first} (and {} more: zoom Status)", more.len());
            scene.pen.text(&text, scene.theme().warning())
        }
    }
}

/// Entries, conversations, size, and the progress while there is any.
fn holdings<'s>(scene: &'s Scene<'_>, file: &FileReport, width: u16) -> Line<'s> {
    let theme = scene.theme();
    let mut parts = vec![
        (
            0,
            scene.pen.text(
                &from(file, counted(file.entries, "entry", "entries")),
                theme.strong(),
            ),
        ),
        (
            2,
            scene.pen.text(
                &counted(file.conversations, "conversation", "conversations"),
                theme.secondary(),
            ),
        ),
        (3, scene.pen.text(&size(file), theme.secondary())),
    ];
    if file.state == FileState::Indexing {
        parts.push((1, bar(scene, file)));
    }
    fit(parts, &scene.line().gap(3), width)
}

/// The size of the file, or of so many.
fn size(file: &FileReport) -> String {
    let size = format::size(file.size);
    match file.files {
        0 | 1 => format!("file {size}"),
        files => format!("{} files {size}", format::count(files.into())),
    }
}

fn one_row<'s>(scene: &'s Scene<'_>, file: &FileReport, width: u16) -> Line<'s> {
    let parts = vec![(0, trouble(scene, file)), (1, holdings(scene, file, width))];
    fit(parts, &scene.line().gap(2), width)
}

/// How much of the file is indexed.
fn bar<'s>(scene: &'s Scene<'_>, file: &FileReport) -> Line<'s> {
    let (theme, symbols) = (scene.theme(), scene.pen.symbols);
    let full = (file.percent() * BAR / 100) as usize;
    scene
        .line()
        .text(&symbols.done.repeat(full), theme.received())
        .text(&symbols.horizontal.repeat(BAR as usize - full), theme.secondary())
}

/// Everything that is known, a line each.
fn details<'s>(scene: &'s Scene<'_>, file: &FileReport) -> Vec<Line<'s>> {
    let labelled = |label: &str| scene.pen.text(&format!("{label:<15}"), scene.theme().secondary());
    let row = |label: &str, text: &str| labelled(label).text(text, Style::new());
    let mut rows = vec![
        row("file", scene.app.settings.session.path()),
        labelled("state").append(standing(scene, file)),
    ];
    if file.files > 1 {
        rows.push(row(
            "files",
            &format!("{} as one log", format::count(file.files.into())),
        ));
    }
    rows.extend([
        row(
            "file size",
            &format!("{} ({} B)", format::size(file.size), format::count(file.size)),
        ),
        row(
            "indexed",
            &format!("{} ({} %)", format::size(file.indexed), file.percent()),
        ),
        row("entries", &from(file, format::count(file.entries))),
        row("conversations", &format::count(file.conversations)),
        row("time", &span(scene).unwrap_or_else(|| "none".into())),
    ]);
    if let FileState::Failed(why) = &file.state {
        rows.push(labelled("error").text(why, scene.theme().error()));
    }
    let remarks = file.remarks.iter().enumerate();
    rows.extend(remarks.map(|(number, remark)| {
        let label = if number == 0 { "remarks" } else { "" };
        labelled(label).text(remark, scene.theme().warning())
    }));
    rows
}

/// How many entries there are, and where they begin if that is in the middle of a recording.
fn from(file: &FileReport, entries: String) -> String {
    match file.first.0 {
        0 => entries,
        first => format!("{entries} from #{}", format::count(first.saturating_add(1))),
    }
}
