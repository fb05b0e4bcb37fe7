//! The Log pane: the visible rows of the log, the selection, and what to do while it is empty.

use super::canvas::Canvas;
use super::scene::Scene;
use super::{chrome, row};
use crate::app::actions::{Action, Focus};
use crate::app::{
    Area, Filter, FilterScan, Frame as Borders, LogPosition, Pane, Purpose, RowKind, Scanned, Search,
    TimeColumn, VisibleRow, Zone,
};
use crate::model::{FileState, LinkState};
use crate::text::format;

/// Characters of a query or a pattern that a title has room for.
const QUERY: usize = 24;

/// Draws the pane and its title.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let layout = scene.layout;
    if !canvas.shows(&[layout.log_title, layout.log]) {
        return;
    }
    let position = scene.app.log_position(scene.records, layout);
    render_title(scene, canvas, position);
    let area = layout.log;
    if area.is_empty() {
        return;
    }
    let rows = scene.app.log_rows(scene.records, layout);
    for (y, visible) in (area.y..area.y + area.height).zip(&rows) {
        row::render(scene, canvas, area, y, visible);
        if visible.selected {
            mark_selected(scene, canvas, area, y, visible);
        }
    }
    hint(scene, canvas, area, rows.len() as u16);
    if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
        let x = (layout.log_title.x + layout.log_title.width).saturating_sub(1);
        let x = if layout.divider.is_empty() {
            x
        } else {
            layout.divider.x
        };
        // A first entry that begins above the window, or a last one that goes on below, is not all on the screen;
        // counting entries is enough for a thumb, and costs nothing.
        let gone = scene.records.first().0;
        let from = |place: u64| place.saturating_sub(gone);
        let place = |row: &VisibleRow| scene.records.place_of(row.number).0;
        let part = (from(place(first)), from(place(last) + 1), from(position.of));
        chrome::thumb(scene, canvas, x, area, part, scene.focused(Pane::Log));
    }
}

fn render_title(scene: &Scene<'_>, canvas: &mut Canvas<'_>, position: LogPosition) {
    let theme = scene.theme();
    let symbols = scene.pen.symbols;
    let focused = scene.focused(Pane::Log);
    let name = scene.line().gap(1).text("Log", theme.title(focused)).gap(1);
    let separator = scene.pen.text(symbols.horizontal, theme.frame(focused));
    let option = |text: &str| scene.line().gap(1).text(text, theme.secondary()).gap(1);
    let times = match (scene.app.log.time, scene.app.settings.zone) {
        (TimeColumn::Absolute, Zone::Utc) => "UTC",
        (TimeColumn::Absolute, Zone::Local { .. }) => "local time",
        (TimeColumn::SinceStart, _) => "since start",
        (TimeColumn::Delta, _) => "deltas",
        (TimeColumn::Kernel, _) => "kernel's times",
    };
    let right = position_line(scene, position);
    let search = scene
        .app
        .search
        .as_ref()
        .map_or(scene.line(), |search| search_line(scene, search));
    let width = scene.layout.log_title.width.saturating_sub(right.cells() + 5);
    let room = width.saturating_sub(name.cells() + separator.cells());
    let beside = room.saturating_sub(search.cells() + separator.cells());
    let filter = scene
        .app
        .filter
        .as_ref()
        .map_or(scene.line(), |filter| filter_line(scene, filter, [beside, room]));
    // That not everything is shown matters more than how it is shown.
    let parts = vec![
        (0, name),
        (3, option(&scene.app.log.view.to_string())),
        (4, option(times)),
        (2, search),
        (1, filter),
    ];
    let left = super::line::fit(parts, &separator, width);
    chrome::title(scene, canvas, scene.layout.log_title, &left, &right);
}

/// `filter: dir:rx`, how many entries there are besides, and how far it is: as much of that as fits into the first
/// room that takes any of it, or the least.
fn filter_line<'s>(scene: &'s Scene<'_>, filter: &Filter, rooms: [u16; 2]) -> super::line::Line<'s> {
    let theme = scene.theme();
    let Scanned { scanned, of, .. } = filter.progress;
    let query = filter.query.source();
    let of_all = format!(" (of {})", format::count(of));
    let progress = match filter.scan {
        FilterScan::Going => percent(scanned, of),
        FilterScan::Stopped => format!(", stopped at {} %", parts_of_hundred(scanned, of)),
    };
    let line = |query: &str, of_all: &str| {
        let line = scene.line().gap(1).text("filter: ", theme.warning());
        line.text(&format!("{query}{of_all}"), theme.strong())
            .text(&progress, theme.warning())
            .gap(1)
    };
    let forms = [
        (QUERY, of_all.as_str()),
        (QUERY, ""),
        (QUERY / 2, ""),
        (QUERY / 4, ""),
    ];
    let forms = forms.map(|(most, of_all)| line(&short(query, most), of_all));
    // In the narrowest windows, at least that not everything is shown.
    let least = scene.line().gap(1).text("filtered", theme.warning()).gap(1);
    let mut fitting = rooms
        .iter()
        .filter_map(|room| forms.iter().find(|line| line.cells() <= *room));
    fitting.next().unwrap_or(&least).clone()
}

/// The start of a long text: how far a scan is must stay on the screen beside it.
fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How far a scan is, while it is not through.
fn percent(scanned: u64, of: u64) -> String {
    if scanned < of {
        format!(", {} %", parts_of_hundred(scanned, of))
    } else {
        String::new()
    }
}

fn parts_of_hundred(scanned: u64, of: u64) -> u128 {
    u128::from(scanned) * 100 / u128::from(of.max(1))
}

/// `/pong: 3 of 5, 12 hidden`, and how far the search is while it goes on.
fn search_line<'s>(scene: &'s Scene<'_>, search: &Search) -> super::line::Line<'s> {
    let theme = scene.theme();
    let Scanned { found, scanned, of } = search.progress;
    let shown = found.saturating_sub(search.hidden);
    let hits = match (search.at, shown) {
        (Some(at), _) => format!("{} of {}", format::count(at), format::count(shown)),
        (None, 0) => "none".into(),
        (None, shown) => format::count(shown),
    };
    let hidden = match search.hidden {
        0 => String::new(),
        hidden => format!(", {} hidden", format::count(hidden)),
    };
    let progress = percent(scanned, of);
    let pattern = format!("/{}: ", short(search.pattern.source(), QUERY));
    let line = scene.line().gap(1).text(&pattern, theme.secondary());
    line.text(&hits, theme.strong())
        .text(&hidden, theme.secondary())
        .text(&progress, theme.warning())
        .gap(1)
}

/// `10 of 10 ▼ follow`, or `7 of 10  ▼ 3 new below`.
pub(super) fn position_line<'s>(scene: &'s Scene<'_>, position: LogPosition) -> super::line::Line<'s> {
    let theme = scene.theme();
    let symbols = scene.pen.symbols;
    if position.of == 0 {
        return scene.line();
    }
    let mut counts = format!("{} of {}", format::count(position.at), format::count(position.of));
    if position.selected > 1 {
        counts = format!("{} selected   {counts}", format::count(position.selected));
    }
    let line = scene.line().gap(1).text(&counts, theme.secondary()).gap(2);
    let line = if position.following {
        line.text(symbols.down, theme.received())
            .gap(1)
            .text("follow", theme.received())
    } else if position.new_below > 0 {
        let new = format!("{} {} new below", symbols.down, format::count(position.new_below));
        line.text(&new, theme.warning())
    } else {
        match scene.app.purpose() {
            Purpose::Live => line.text("scrolled", theme.secondary()),
            Purpose::Reading => return scene.line().gap(1).text(&counts, theme.secondary()).gap(1),
        }
    };
    line.gap(1)
}

fn mark_selected(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, y: u16, visible: &VisibleRow) {
    let focused = scene.focused(Pane::Log);
    if scene.layout.frame == Borders::Full && area.x > 0 {
        let style = scene.theme().title(focused);
        canvas.symbol(area.x - 1, y, scene.pen.symbols.selected, style);
    }
    if matches!(visible.kind, RowKind::Head(_)) && focused {
        canvas.restyle(Area::new(area.x, y, area.width, 1), scene.theme().selected());
    }
}

/// What to do while nothing has happened, below the rows that there are.
fn hint(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, rows: u16) {
    let Some(text) = hint_text(scene) else { return };
    let y = rows.saturating_add(u16::from(rows > 0));
    if y < area.height {
        let line = scene.pen.text(&text, scene.theme().secondary());
        canvas.line((area.x, area.y + y), area.width, &line);
    }
}

fn hint_text(scene: &Scene<'_>) -> Option<String> {
    if let Some(file) = &scene.app.file {
        let text = match file.state {
            FileState::Indexing => return None,
            FileState::Following => "there is no entry yet: waiting for more of the file",
            FileState::Complete | FileState::Cut | FileState::Cancelled | FileState::Failed(_) => {
                "there is no entry in this file"
            }
        };
        return (file.entries == 0).then(|| text.into());
    }
    let link = scene.app.link.as_ref();
    let silent = link.is_none_or(|link| link.sent.messages + link.received.messages == 0);
    match scene.app.state() {
        // The dialog that is open already says it.
        LinkState::Idle if scene.app.overlay.is_some() => None,
        LinkState::Idle => Some(format!("{} to choose a target", scene.advise_connect())),
        LinkState::Open if silent && scene.app.focus == Pane::Input => {
            Some("nothing has crossed yet: type below and press Enter".into())
        }
        LinkState::Open if silent => {
            let input = scene.advice(Action::Focus(Focus::Pane(Pane::Input)));
            Some(format!(
                "nothing has crossed yet: {input} to type, and Enter to send"
            ))
        }
        LinkState::Failed | LinkState::Closed if scene.app.listening.is_some() => None,
        LinkState::Failed | LinkState::Closed
            if scene.app.log_position(scene.records, scene.layout).following =>
        {
            let (again, other) = (scene.advise_reconnect(), scene.advise_connect());
            Some(format!("{again} to dial again; {other} for another target"))
        }
        LinkState::Open
        | LinkState::HalfClosed
        | LinkState::Resolving
        | LinkState::Connecting
        | LinkState::Handshaking
        | LinkState::Waiting
        | LinkState::Listening
        | LinkState::Failed
        | LinkState::Closed => None,
    }
}
