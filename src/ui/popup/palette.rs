//! The palette: a field, and the actions that match, with their keys.

use ratatui::style::Style;

use super::{first_shown, frame};
use crate::app::actions::ActionInfo;
use crate::app::{Area, Match, Palette};
use crate::model::{OptionInfo, Setting};
use crate::text::wrapped;
use crate::ui::canvas::Canvas;
use crate::ui::field::Field;
use crate::ui::line::Line;
use crate::ui::scene::Scene;

/// Wide enough for names, titles and keys side by side.
const WIDTH: u16 = 72;

/// Rows that the list and what is said below it may take.
const MOST: u16 = 16;

/// Rows for how the selected action is written and what it does.
const USAGE: u16 = 4;

/// Draws the pop-up; returns the cell of the cursor.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, palette: &Palette) -> Option<(u16, u16)> {
    let screen = scene.layout.screen;
    let matches = palette.matches();
    // The height does not follow the matches, so that the box stands still while a name is typed.
    let height = (MOST + 2).min(screen.height.saturating_sub(4)).max(2);
    let width = scene.layout.popup_columns(WIDTH);
    let area = frame(scene, canvas, "Commands", &scene.line(), (width, height));
    if area.is_empty() {
        return None;
    }
    let prompt = scene.pen.text(": ", scene.theme().title(true));
    let x = area.x + canvas.line((area.x, area.y), area.width, &prompt);
    let room = (area.x + area.width).saturating_sub(x);
    let field = Field::new(palette.field.text(), palette.field.cursor());
    let cursor = field.render(&scene.pen, canvas, (x, area.y), room);
    if palette.field.is_empty() {
        let line = scene.pen.text(
            "a name, or where to go: 12, +10, 50%, 12:04:31, 0x40",
            scene.theme().secondary(),
        );
        canvas.line((x, area.y), room, &line);
    }
    let rest = Area::new(area.x, area.y + 1, area.width, area.height - 1);
    match (&palette.error, matches.is_empty()) {
        (Some(error), _) => {
            for (y, row) in super::rows(rest).zip(wrapped(error, rest.width)) {
                let line = scene.pen.text(&row, scene.theme().error());
                canvas.line((rest.x, y), rest.width, &line);
            }
        }
        (None, true) => {
            let line = scene.pen.text(
                "nothing is called that: delete some of it",
                scene.theme().secondary(),
            );
            canvas.line((rest.x, rest.y), rest.width, &line);
        }
        (None, false) => {
            let rest = render_usage(scene, canvas, rest, matches.get(palette.selected).copied());
            render_list(scene, canvas, rest, palette, &matches);
        }
    }
    cursor.map(|x| (x, area.y))
}

/// Draws how the selected action is written and what it does, below the list, if the list keeps its rows; returns
/// what is left for it.
fn render_usage(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, line: Option<Match>) -> Area {
    let Some(line) = line.filter(|_| area.height > MOST / 2) else {
        return area;
    };
    let theme = scene.theme();
    let (usage, help) = match line {
        Match::Action(info) if info.argument.is_empty() => {
            (String::new(), info.told(scene.app.wire()).to_owned())
        }
        Match::Action(info) => (name(line), info.told(scene.app.wire()).to_owned()),
        Match::Option(info) => (info.usage(), format!("{} ({})", info.help, info.constant)),
    };
    let mut rows = Vec::new();
    if !usage.is_empty() {
        let usage = wrapped(&usage, area.width).into_iter();
        rows.extend(usage.map(|row| (row, theme.strong())));
    }
    let help = wrapped(&help, area.width).into_iter();
    rows.extend(help.map(|row| (row, theme.secondary())));
    let top = area.y + area.height - USAGE;
    for (y, (row, style)) in (top..top + USAGE).zip(&rows) {
        canvas.line((area.x, y), area.width, &scene.pen.text(row, *style));
    }
    // Always as many rows, so that the list stands still while the selection moves.
    Area::new(area.x, area.y, area.width, area.height - USAGE - 1)
}

fn render_list(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, palette: &Palette, matches: &[Match]) {
    let height = usize::from(area.height);
    let first = first_shown(palette.selected, matches.len(), height);
    let names = matches
        .iter()
        .map(|line| name(*line).chars().count())
        .max()
        .unwrap_or(0) as u16;
    let column = names.min(area.width / 2);
    for (y, (index, line)) in super::rows(area).zip(matches.iter().enumerate().skip(first)) {
        let row = Area::new(area.x, y, area.width, 1);
        match line {
            Match::Action(info) => render_action(scene, canvas, row, column, info),
            Match::Option(info) => render_option(scene, canvas, row, column, info),
        }
        if index == palette.selected {
            canvas.restyle(Area::new(area.x, y, area.width, 1), scene.theme().selected());
        }
    }
}

fn name(line: Match) -> String {
    match line {
        Match::Action(info) if info.argument.is_empty() => info.name.into(),
        Match::Action(info) => format!("{} {}", info.name, info.argument),
        Match::Option(info) => info.name.into(),
    }
}

fn render_action(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, column: u16, info: &ActionInfo) {
    let theme = scene.theme();
    let keys: Vec<String> = info.keys.iter().take(1).map(|(_, key)| key.to_string()).collect();
    let keys = scene
        .pen
        .text(&scene.pen.symbols.spelled(&keys.join(" ")), theme.key());
    let line = scene.line().text(info.name, theme.strong());
    let line = if info.argument.is_empty() {
        line
    } else {
        line.gap(1).text(info.argument, theme.secondary())
    };
    canvas.line((area.x, area.y), column, &line);
    render_right(
        scene,
        canvas,
        area,
        column,
        (info.titled(scene.app.wire()), &keys),
    );
}

/// An option with the value that the kernel had last.
fn render_option(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, column: u16, info: &OptionInfo) {
    let theme = scene.theme();
    let mut options = scene.app.link.iter().flat_map(|link| link.options.iter());
    let now = options.rfind(|setting| setting.option == info.option);
    let now = now.map_or_else(String::new, Setting::shown);
    let name = scene.pen.text(info.name, theme.strong());
    canvas.line((area.x, area.y), column, &name);
    render_right(
        scene,
        canvas,
        area,
        column,
        (info.help, &scene.pen.text(&now, theme.key())),
    );
}

/// What stands right of a name: a sentence, and something at the right border.
fn render_right(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    area: Area,
    column: u16,
    (text, last): (&str, &Line<'_>),
) {
    let x = area.x + (column + 2).min(area.width);
    let room = (area.x + area.width).saturating_sub(x);
    let cells = last.cells();
    if cells < room {
        canvas.line((area.x + area.width - cells, area.y), cells, last);
    }
    let room = room.saturating_sub(cells + 1);
    canvas.line((x, area.y), room, &scene.pen.text(text, Style::new()));
}
