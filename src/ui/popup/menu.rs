//! Small menus: how to end the connection, what to copy, whether to quit.

use ratatui::style::Style;

use super::{first_shown, frame};
use crate::app::{Area, Menu, MenuKind};
use crate::text::wrapped;
use crate::ui::canvas::Canvas;
use crate::ui::line::Line;
use crate::ui::scene::Scene;

/// Draws the pop-up.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, menu: &Menu) {
    let title = match menu.kind {
        MenuKind::Quit => "Quit",
        MenuKind::Close => "Close",
        MenuKind::Copy => "Copy",
        MenuKind::Export(_) | MenuKind::Overwrite => "Export",
    };
    let most = scene.layout.popup_columns(u16::MAX).max(1);
    let question = wrapped(&menu.title, most.min(60));
    let question: Vec<Line<'_>> = question
        .iter()
        .map(|row| scene.pen.text(row, scene.theme().strong()))
        .collect();
    let items: Vec<Line<'_>> = menu
        .items
        .iter()
        .map(|item| {
            let letter = scene
                .pen
                .text(item.letter.encode_utf8(&mut [0; 4]), scene.theme().key());
            scene
                .line()
                .gap(1)
                .append(letter)
                .gap(2)
                .text(item.title, Style::new())
                .gap(1)
        })
        .collect();
    let cells = question.iter().chain(&items).map(Line::cells).max().unwrap_or(0);
    let height = (question.len() + items.len()) as u16 + u16::from(!question.is_empty());
    // Room for the keys in the lower border.
    let area = frame(
        scene,
        canvas,
        title,
        &scene.line(),
        (cells.max(32).min(most), height),
    );
    for (y, line) in super::rows(area).zip(&question) {
        canvas.line((area.x, y), area.width, line);
    }
    let gap = question.len() as u16 + 1;
    // In a very low window the question gives way to the answers.
    let skip = gap.min(area.height.saturating_sub(items.len() as u16));
    let list = Area::new(area.x, area.y + skip, area.width, area.height - skip);
    let first = first_shown(menu.selected, items.len(), usize::from(list.height));
    for (y, (index, line)) in super::rows(list).zip(items.iter().enumerate().skip(first)) {
        canvas.clear(Area::new(list.x, y, list.width, 1));
        canvas.line((list.x, y), list.width, line);
        if index == menu.selected {
            canvas.restyle(Area::new(list.x, y, list.width, 1), scene.theme().selected());
        }
    }
}
