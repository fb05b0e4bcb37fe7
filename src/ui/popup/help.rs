//! The help: the keys of the pane that had the focus, from the table of actions.

use super::frame;
use crate::app::{Help, HelpLine, help_lines};
use crate::text::format;
use crate::ui::canvas::Canvas;
use crate::ui::scene::Scene;

/// Wide enough for every sentence of the table beside its keys.
const WIDTH: u16 = 100;

/// Draws the pop-up.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, help: Help) {
    let lines = help_lines(help.pane, help.purpose);
    let height = usize::from(scene.layout.popup_rows());
    let top = help.top.min(lines.len().saturating_sub(height));
    let last = (top + height).min(lines.len());
    let right = if last - top < lines.len() {
        format!(" {}-{} of {} ", top + 1, last, format::count(lines.len() as u64))
    } else {
        String::new()
    };
    let right = scene.pen.text(&right, scene.theme().secondary());
    let title = format!("Help: {}", help.pane);
    let size = (super::width(scene, WIDTH), height.min(lines.len()) as u16);
    let area = frame(scene, canvas, &title, &right, size);
    let keys = key_column(scene, &lines, area.width);
    for (y, line) in super::rows(area).zip(&lines[top..last]) {
        render_line(scene, canvas, (area.x, y, area.width), keys, line);
    }
}

/// As wide as the longest keys, but at most a third of the box.
fn key_column(scene: &Scene<'_>, lines: &[HelpLine], width: u16) -> u16 {
    let cells = lines.iter().map(|line| match line {
        HelpLine::Action { keys, .. } => scene
            .pen
            .text(&scene.pen.symbols.spelled(keys), scene.theme().key())
            .cells(),
        HelpLine::Section(_) | HelpLine::Blank => 0,
    });
    cells.max().unwrap_or(0).min(width / 3)
}

fn render_line(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    (x, y, width): (u16, u16, u16),
    column: u16,
    line: &HelpLine,
) {
    let theme = scene.theme();
    match line {
        HelpLine::Blank => {}
        HelpLine::Section(title) => {
            canvas.line((x, y), width, &scene.pen.text(title, theme.strong()));
        }
        HelpLine::Action { keys, name, help } => {
            canvas.line(
                (x, y),
                column,
                &scene.pen.text(&scene.pen.symbols.spelled(keys), theme.key()),
            );
            let x_help = x + (column + 2).min(width);
            let room = (x + width).saturating_sub(x_help);
            let line = if keys.is_empty() {
                // Without a key, the name is what to type.
                scene
                    .line()
                    .text(name, theme.strong())
                    .text("  ", theme.secondary())
                    .text(help, theme.secondary())
            } else {
                scene.pen.text(help, ratatui::style::Style::new())
            };
            canvas.line((x_help, y), room, &line);
        }
    }
}
