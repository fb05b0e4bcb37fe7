//! The connect dialog: a field for the target, and the targets of before.

use ratatui::style::Style;

use super::{first_shown, frame};
use crate::app::{Area, ConnectDialog};
use crate::text::wrapped;
use crate::ui::canvas::Canvas;
use crate::ui::field::Field;
use crate::ui::scene::Scene;

/// Wide enough for most of the messages about what is no target.
const WIDTH: u16 = 68;

/// How many targets of before are listed at once.
const RECENTS: u16 = 8;

/// Draws the pop-up; returns the cell of the cursor.
pub(super) fn render(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    dialog: &ConnectDialog,
) -> Option<(u16, u16)> {
    let width = scene.layout.popup_columns(WIDTH);
    let message = dialog
        .error
        .as_ref()
        .map_or(Vec::new(), |error| wrapped(&error.message, width));
    // One row stays free for a message of one row, so that the box seldom jumps.
    let message_rows = message.len().max(1) as u16;
    let recents = (dialog.recents.len() as u16).min(RECENTS);
    let list_rows = if recents > 0 { 1 + recents } else { 0 };
    let size = (width, 1 + message_rows + list_rows);
    let area = frame(scene, canvas, "Connect", &scene.line(), size);
    if area.is_empty() {
        return None;
    }
    let cursor = render_field(scene, canvas, area, dialog);
    for (y, row) in super::rows(area).skip(1).zip(&message) {
        canvas.line(
            (area.x, y),
            area.width,
            &scene.pen.text(row, scene.theme().error()),
        );
    }
    let above = (1 + message_rows).min(area.height);
    let rest = Area::new(area.x, area.y + above, area.width, area.height - above);
    render_recents(scene, canvas, rest, dialog);
    cursor
}

fn render_field(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    area: Area,
    dialog: &ConnectDialog,
) -> Option<(u16, u16)> {
    let theme = scene.theme();
    let label = scene.pen.text("target: ", theme.title(true));
    let x = area.x + canvas.line((area.x, area.y), area.width, &label);
    let room = (area.x + area.width).saturating_sub(x);
    if dialog.field.is_empty() {
        let example = scene.pen.text(
            "localhost:6379, tls://HOST:PORT, udp://HOST:PORT, unix:/PATH",
            theme.secondary(),
        );
        canvas.line((x, area.y), room, &example);
        return Some((x, area.y));
    }
    let field = Field {
        mistake: dialog.error.as_ref().map(|error| error.at.clone()),
        ..Field::new(dialog.field.text(), dialog.field.cursor())
    };
    let cursor = field.render(&scene.pen, canvas, (x, area.y), room);
    cursor.map(|x| (x, area.y))
}

fn render_recents(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, dialog: &ConnectDialog) {
    if dialog.recents.is_empty() || area.height < 2 {
        return;
    }
    let heading = scene.pen.text("recent targets", scene.theme().secondary());
    canvas.line((area.x, area.y), area.width, &heading);
    let list = Area::new(area.x, area.y + 1, area.width, area.height - 1);
    let count = dialog.recents.len();
    let first = first_shown(dialog.selected.unwrap_or(0), count, usize::from(list.height));
    for (y, (index, endpoint)) in super::rows(list).zip(dialog.recents.iter().enumerate().skip(first)) {
        let line = scene.line().gap(2).text(&endpoint.to_string(), Style::new());
        canvas.line((list.x, y), list.width, &line);
        if dialog.selected == Some(index) {
            canvas.restyle(Area::new(list.x, y, list.width, 1), scene.theme().selected());
        }
    }
}
