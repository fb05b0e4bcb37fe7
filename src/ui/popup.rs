//! Pop-ups: a box in the middle of the window, over the panes, with the keys that it takes in its lower border.

mod connect;
mod conversations;
mod help;
mod marks;
mod menu;
mod palette;
mod preview;

use std::ops::Range;

use super::canvas::Canvas;
use super::footer;
use super::line::Line;
use super::prompt;
use super::scene::Scene;
use crate::app::{Area, List, Overlay};
use crate::text::format;

/// Draws the pop-up, if there is one; returns the cell of the cursor, if it has a field.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> Option<(u16, u16)> {
    match scene.app.overlay.as_ref()? {
        Overlay::Help(help) => help::render(scene, canvas, help),
        Overlay::Preview(preview) => preview::render(scene, canvas, preview),
        Overlay::Conversations(list) => conversations::render(scene, canvas, *list),
        Overlay::Marks(list) => marks::render(scene, canvas, *list),
        Overlay::Menu(menu) => menu::render(scene, canvas, menu),
        Overlay::Palette(palette) => return palette::render(scene, canvas, palette),
        Overlay::Connect(dialog) => return connect::render(scene, canvas, dialog),
        Overlay::Prompt(prompt) => return prompt::render(scene, canvas, prompt),
        // It is drawn in the Input pane.
        Overlay::Search(_) => {}
    }
    None
}

/// Draws a list to choose from, the first `lead` lines of which stand for all the others; `lines` makes those of a
/// page in a width.
fn list<'s>(
    scene: &'s Scene<'_>,
    canvas: &mut Canvas<'_>,
    (title, wanted): (&str, u16),
    list: List,
    (lead, count): (u64, u64),
    lines: impl FnOnce(Range<u64>, u16) -> Vec<Line<'s>>,
) {
    let page = list.page(lead + count, u64::from(scene.layout.popup_rows()));
    let right = match (list.selected + 1).checked_sub(lead) {
        Some(0) | None => format!(" all {} ", format::count(count)),
        Some(at) => format!(" {} of {} ", format::count(at), format::count(count)),
    };
    let right = scene.pen.text(&right, scene.theme().secondary());
    let size = (scene.layout.popup_columns(wanted), (page.end - page.start) as u16);
    let area = frame(scene, canvas, title, &right, size);
    let lines = lines(page.clone(), area.width);
    for ((y, number), line) in rows(area).zip(page).zip(&lines) {
        canvas.line((area.x, y), area.width, line);
        if number == list.selected {
            canvas.restyle(Area::new(area.x, y, area.width, 1), scene.theme().selected());
        }
    }
}

/// Draws the box for `width` × `height` cells of content, or as many as there are; returns what is inside.
fn frame(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    title: &str,
    right: &Line<'_>,
    (width, height): (u16, u16),
) -> Area {
    let screen = scene.layout.screen;
    let width = width.saturating_add(4).min(screen.width);
    let height = height.saturating_add(2).min(screen.height);
    let area = Area::new(
        (screen.width - width) / 2,
        (screen.height - height) / 2,
        width,
        height,
    );
    if width < 5 || height < 3 {
        return Area::default();
    }
    canvas.clear(area);
    lines(scene, canvas, area);
    let room = width - 4;
    let used = canvas
        .line(
            (area.x + 2 + room.saturating_sub(right.cells()), area.y),
            room,
            right,
        )
        .min(room);
    let title = scene.line().gap(1).text(title, scene.theme().title(true)).gap(1);
    canvas.line((area.x + 2, area.y), room - used, &title);
    let hints = footer::hints(scene, &scene.app.hints(), room.saturating_sub(2));
    let hints = scene.line().gap(1).append(hints).gap(1);
    canvas.line((area.x + 2, area.y + height - 1), room, &hints);
    Area::new(area.x + 2, area.y + 1, width - 4, height - 2)
}

fn lines(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area) {
    let symbols = scene.pen.symbols;
    let style = scene.theme().frame(true);
    let (right, bottom) = (area.x + area.width - 1, area.y + area.height - 1);
    canvas.rule(area.x, area.y, area.width, symbols.horizontal, style);
    canvas.rule(area.x, bottom, area.width, symbols.horizontal, style);
    for y in area.y + 1..bottom {
        canvas.symbol(area.x, y, symbols.vertical, style);
        canvas.symbol(right, y, symbols.vertical, style);
    }
    canvas.symbol(area.x, area.y, symbols.top_left, style);
    canvas.symbol(right, area.y, symbols.top_right, style);
    canvas.symbol(area.x, bottom, symbols.bottom_left, style);
    canvas.symbol(right, bottom, symbols.bottom_right, style);
}

/// The first of `count` lines to show in `height` rows so that line `selected` is among them.
fn first_shown(selected: usize, count: usize, height: usize) -> usize {
    let first = (selected + 1).saturating_sub(height);
    first.min(count.saturating_sub(height))
}

/// The rows of an area, from the top.
fn rows(area: Area) -> impl Iterator<Item = u16> {
    area.y..area.y + area.height
}
