//! The exact bytes that Enter would send.

use super::frame;
use crate::app::{Area, HexRow, Preview};
use crate::text::{Source, format, gutter};
use crate::ui::canvas::Canvas;
use crate::ui::row;
use crate::ui::scene::Scene;

/// Draws the pop-up.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, preview: &Preview) {
    let layout = preview.layout(scene.layout.screen.width);
    let rows = layout.rows(preview.bytes.len());
    let height = usize::from(scene.layout.popup_rows());
    let top = preview.top.min(rows.saturating_sub(height));
    let title = format!("Enter would send {}", format::size(preview.bytes.len() as u64));
    let shown = height.min(rows.max(1)) as u16;
    let area = frame(scene, canvas, &title, &scene.line(), (layout.width(), shown));
    for (y, number) in super::rows(area).zip(top..rows) {
        let range = layout.bytes(number, preview.bytes.len());
        let source = Source::new(&preview.bytes, scene.pen.policy);
        let hex = HexRow {
            offset: range.start as u32,
            bytes: preview.bytes[range.clone()].to_vec(),
            gutter: if layout.gutter {
                gutter(source, range)
            } else {
                Vec::new()
            },
            layout,
        };
        row::render_hex(scene, canvas, Area::new(area.x, y, area.width, 1), &hex);
    }
}
