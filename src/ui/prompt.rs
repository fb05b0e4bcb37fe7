//! The line in which a search or a filter is typed: the lowest row of the window.

use super::canvas::Canvas;
use super::field::Field;
use super::footer;
use super::line::Line;
use super::scene::Scene;
use crate::app::{Area, Frame as Borders, Prompt, Wanted};
use crate::text::wrapped;

/// The least cells that the typed text keeps beside a message.
const FIELD: u16 = 20;

/// Cells between what is typed and the keys.
const HINTS_GAP: u16 = 2;

/// Draws the prompt; returns the cell of the cursor.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, prompt: &Prompt) -> Option<(u16, u16)> {
    let theme = scene.theme();
    let screen = scene.layout.screen;
    let margin = match scene.layout.frame {
        Borders::Full => 2,
        Borders::Lines | Borders::Bare | Borders::TooSmall => 0,
    };
    let y = screen.height.checked_sub(1)?;
    let area = Area::new(margin, y, screen.width.saturating_sub(2 * margin), 1);
    canvas.clear(area);
    let name = match prompt.wanted {
        Wanted::Search => " search: ",
        Wanted::Filter => " filter: ",
        Wanted::Comment(_) => " comment: ",
        Wanted::Export(..) => " export to: ",
    };
    let used = canvas.line((area.x, y), area.width, &scene.pen.text(name, theme.title(true)));
    let (x, mut room) = (area.x + used, area.width.saturating_sub(used));
    let least = FIELD.max(prompt.field.text().chars().count().min(usize::from(u16::MAX)) as u16);
    let beside = room.saturating_sub(least.saturating_add(1));
    let message = match &prompt.error {
        Some(error) => {
            let line = scene.line().gap(1).text(&error.message, theme.error()).gap(1);
            if line.cells() > beside {
                above(scene, canvas, area, &error.message);
                scene.line()
            } else {
                line
            }
        }
        None if prompt.field.is_empty() => {
            let forms = scene.pen.text(forms(prompt.wanted), theme.secondary());
            // Behind the cursor; what is left of the row is for the keys.
            let used = 1 + canvas.line((x + 1, y), room.saturating_sub(1), &forms);
            hints(scene, room.saturating_sub(used))
        }
        None => hints(scene, beside),
    };
    let cells = message.cells().min(room);
    if cells > 0 {
        room -= cells;
        canvas.line((x + room, y), cells, &message);
    }
    let mut field = Field::new(prompt.field.text(), prompt.field.cursor());
    field.mistake = prompt.error.as_ref().map(|error| error.at.clone());
    let cursor = field.render(&scene.pen, canvas, (x, y), room)?;
    Some((cursor, y))
}

/// What can be typed.
fn forms(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Search => "text, \"text\\r\\n\", re:expression or hex:0d 0a ??",
        Wanted::Comment(_) => "what to remember of this entry; nothing takes the comment away",
        Wanted::Filter => "dir:rx and size>100 and re:ERR; nothing shows all",
        Wanted::Export(..) => "the name of a file, as in trace.pcapng or ~/trace.pcapng",
    }
}

/// The keys, as far as there is room for them.
fn hints<'s>(scene: &'s Scene<'_>, width: u16) -> Line<'s> {
    let line = footer::hints(scene, &scene.app.hints(), width.saturating_sub(HINTS_GAP + 1));
    if line.cells() == 0 || line.cells() + HINTS_GAP + 1 > width {
        return scene.line();
    }
    scene.line().gap(usize::from(HINTS_GAP)).append(line).gap(1)
}

/// What is wrong, in rows of its own above the prompt: it has no room beside what is typed.
fn above(scene: &Scene<'_>, canvas: &mut Canvas<'_>, prompt: Area, message: &str) {
    let mut rows = wrapped(message, prompt.width.saturating_sub(2));
    // What does not fit is cut at its end, with a sign that it is.
    let rest = rows.split_off(rows.len().min(usize::from(prompt.y.saturating_sub(1))));
    if !rest.is_empty() {
        rows.push(rest.join(" "));
    }
    let first = prompt.y.saturating_sub(rows.len() as u16);
    for (y, row) in (first..prompt.y).zip(&rows) {
        canvas.clear(Area::new(prompt.x, y, prompt.width, 1));
        let line = scene.line().gap(1).text(row, scene.theme().error());
        canvas.line((prompt.x, y), prompt.width.saturating_sub(1), &line);
    }
}
