//! The help: the keys of the pane that had the focus, from the table of actions.

use ratatui::style::Style;

use super::frame;
use crate::app::{Help, HelpLine, Trigger};
use crate::text::format;
use crate::ui::canvas::Canvas;
use crate::ui::scene::Scene;

/// Draws the pop-up.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, help: &Help) {
    let text = help.text(scene.layout);
    let lines = text.lines;
    let height = usize::from(scene.layout.popup_rows());
    let top = help.top.min(lines.len().saturating_sub(height));
    let last = (top + height).min(lines.len());
    let right = if last - top < lines.len() {
        format!(" {}-{} of {} ", top + 1, last, format::count(lines.len() as u64))
    } else {
        String::new()
    };
    let right = scene.pen.text(&right, scene.theme().secondary());
    let title = format!("Help: {}", help.topic);
    let size = (text.width, height.min(lines.len()) as u16);
    let area = frame(scene, canvas, &title, &right, size);
    for (y, line) in super::rows(area).zip(&lines[top..last]) {
        render_line(scene, canvas, (area.x, y, area.width), text.column, line);
    }
}

fn render_line(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    (x, y, width): (u16, u16, u16),
    column: u16,
    line: &HelpLine,
) {
    let theme = scene.theme();
    let x_help = x + (column + 2).min(width);
    let room = (x + width).saturating_sub(x_help);
    let mut sentence = |help: &str| {
        canvas.line((x_help, y), room, &scene.pen.text(help, Style::new()));
    };
    match line {
        HelpLine::Blank => {}
        HelpLine::Section(title) => {
            canvas.line((x, y), width, &scene.pen.text(title, theme.strong()));
        }
        HelpLine::More(help) => sentence(help),
        HelpLine::Action { by, help } => {
            sentence(help);
            let by = match by {
                Trigger::Keys(keys) => scene.pen.text(&scene.pen.symbols.spelled(keys), theme.key()),
                Trigger::Name(name) => scene.pen.text(name, theme.strong()),
            };
            canvas.line((x, y), column, &by);
        }
    }
}
