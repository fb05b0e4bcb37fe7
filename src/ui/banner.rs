//! The red banner over everything else while the session file takes nothing. It stays until the file takes bytes
//! again.

use super::canvas::Canvas;
use super::scene::Scene;
use crate::app::{Area, Frame as Borders};
use crate::text::wrapped;

/// Draws the banner, if the file takes nothing.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let Some(text) = scene.app.banner() else { return };
    let place = place(scene);
    let width = place.width.saturating_sub(2);
    let mut rows = wrapped(&text, width);
    if rows.len() > usize::from(place.height) {
        // What does not fit is cut at its end, with a sign that it is.
        rows.truncate(usize::from(place.height).saturating_sub(1));
        let shown: usize = rows.iter().map(|row| row.len() + 1).sum();
        rows.push(text.get(shown..).unwrap_or(&text).to_owned());
    }
    let style = scene.theme().banner();
    for (y, row) in (place.y..place.y + place.height).zip(&rows) {
        let area = Area::new(place.x, y, place.width, 1);
        canvas.clear(area);
        canvas.line((place.x + 1, y), width, &scene.pen.text(row, style));
        canvas.restyle(area, style);
    }
}

/// The rows of Status, from border to border; the title where there is no Status.
fn place(scene: &Scene<'_>) -> Area {
    let layout = scene.layout;
    let rows = |y, height| Area::new(0, y, layout.screen.width, height);
    match layout.frame {
        Borders::TooSmall => Area::default(),
        Borders::Bare => rows(0, 1),
        Borders::Lines => rows(1, 1),
        Borders::Full => rows(1, 2),
    }
}
