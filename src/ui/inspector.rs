//! The Inspector pane: one entry in full, as a hexdump.

use super::canvas::Canvas;
use super::scene::Scene;
use super::{chrome, row};
use crate::app::{Pane, RowKind, VisibleRow};
use crate::model::reading;
use crate::text::format;

/// Draws the pane and its title, if it is open.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let (area, title) = (scene.layout.inspector, scene.layout.inspector_title);
    let Some(inspector) = &scene.app.inspector else {
        return;
    };
    if area.is_empty() || !canvas.shows(&[title, area]) {
        return;
    }
    let theme = scene.theme();
    let focused = scene.focused(Pane::Inspector);
    let left = scene.line().gap(1).text("Inspector", theme.title(focused)).gap(1);
    let number = format::count(inspector.entry.0.saturating_add(1));
    let right = match &scene.app.filter {
        None => format!("entry {number} of {}", format::count(scene.records.len())),
        // How many are shown has nothing to do with its number.
        Some(_) => format!("entry #{number}"),
    };
    let right = scene.line().gap(1).text(&right, theme.secondary()).gap(1);
    chrome::title(scene, canvas, title, &left, &right);
    let rows = scene.app.inspector_rows(scene.records, scene.layout);
    for (y, visible) in (area.y..area.y + area.height).zip(&rows) {
        row::render(scene, canvas, area, y, visible);
    }
    if let Some(part) = bytes_shown(scene, &rows) {
        let x = (title.x + title.width).saturating_sub(1);
        chrome::thumb(scene, canvas, x, area, part, focused);
    }
}

/// Which bytes are on the screen, and of how many.
fn bytes_shown(scene: &Scene<'_>, rows: &[VisibleRow]) -> Option<(u64, u64, u64)> {
    let hex = |row: &VisibleRow| match &row.kind {
        RowKind::Hex(hex) => Some((u64::from(hex.offset), hex.bytes.len() as u64)),
        RowKind::Head(_)
        | RowKind::Sentence(_)
        | RowKind::Detail(_)
        | RowKind::Text(_)
        | RowKind::Comment(_)
        | RowKind::Unreadable(_) => None,
    };
    let (first, _) = rows.iter().find_map(hex)?;
    let (last, len) = rows.iter().rev().find_map(hex)?;
    let (records, place) = reading(scene.records, rows.first()?.number);
    let entry = records.entry(place).ok()?;
    Some((first, last + len, u64::from(entry.len)))
}
