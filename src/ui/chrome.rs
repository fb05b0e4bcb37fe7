//! The lines around the panes, their titles, and the scroll indicators on the border.

use super::canvas::Canvas;
use super::line::Line;
use super::scene::Scene;
use crate::app::Frame as Borders;
use crate::app::{Area, Layout, Pane};

/// What a title keeps of its left side: ` Input `.
const NAME: u16 = 7;

/// Draws every line: outer border, rules above panes, the divider.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let layout = scene.layout;
    match layout.frame {
        Borders::TooSmall | Borders::Bare => return,
        Borders::Lines => {}
        Borders::Full => border(scene, canvas),
    }
    rule(scene, canvas, layout.title, Pane::Status);
    rule(scene, canvas, layout.log_title, Pane::Log);
    rule(scene, canvas, layout.inspector_title, Pane::Inspector);
    rule(scene, canvas, layout.input_title, Pane::Input);
    let foot = Area::new(
        layout.footer.x,
        layout.footer.y,
        layout.footer.width,
        layout.footer.height,
    );
    rule(scene, canvas, foot, lowest(layout));
    divider(scene, canvas);
    corners(scene, canvas);
}

/// The pane above the bottom border.
fn lowest(layout: &Layout) -> Pane {
    let stacked = [Pane::Input, Pane::Inspector, Pane::Log];
    let shown = |pane: &Pane| !layout.area(*pane).is_empty();
    stacked.into_iter().find(shown).unwrap_or(Pane::Status)
}

/// Puts a title over a rule: `left` from the left, `right` to the right, and `right` first if room is short.
pub(super) fn title(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    area: Area,
    left: &Line<'_>,
    right: &Line<'_>,
) {
    let margin = match scene.layout.frame {
        Borders::Full => 2,
        Borders::Lines => 1,
        Borders::Bare | Borders::TooSmall => 0,
    };
    let inner = area.width.saturating_sub(2 * margin);
    if area.height == 0 || inner == 0 {
        return;
    }
    // The right side is what changes, so it comes first; the name of the pane stays readable beside it.
    let name = left.cells().min(NAME);
    let right_cells = right
        .cells()
        .min(inner.saturating_sub(name + u16::from(name > 0)));
    let right_x = area.x + margin + inner - right_cells;
    canvas.line((right_x, area.y), right_cells, right);
    let room = inner.saturating_sub(right_cells + u16::from(right_cells > 0));
    canvas.line((area.x + margin, area.y), room, left);
}

/// Draws a thumb on the border at `x`: rows `first..last` of `of` are on the screen.
pub(super) fn thumb(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    x: u16,
    rows: Area,
    part: (u64, u64, u64),
    focused: bool,
) {
    let (first, last, of) = part;
    let height = u64::from(rows.height);
    if scene.layout.frame != Borders::Full || last.saturating_sub(first) >= of || height == 0 {
        return;
    }
    let size = (height.saturating_mul(last - first) / of).clamp(1, height);
    let room = height - size;
    // The thumb touches an end exactly when the window does.
    let hidden = of - (last - first);
    let mut at = (u128::from(room) * u128::from(first) / u128::from(hidden)) as u64;
    if first > 0 && at == 0 && room > 1 {
        at = 1;
    }
    if last < of && at == room && room > 1 {
        at = room - 1;
    }
    let style = if focused {
        scene.theme().frame(true)
    } else {
        scene.theme().strong()
    };
    for row in at..at + size {
        canvas.symbol(x, rows.y + row as u16, scene.pen.symbols.thumb, style);
    }
}

fn border(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let layout = scene.layout;
    let right = layout.screen.width.saturating_sub(1);
    for pane in Pane::ALL {
        let area = layout.area(pane);
        let style = scene.theme().frame(scene.focused(pane));
        for y in area.y..area.y + area.height {
            if area.x <= 2 {
                canvas.symbol(0, y, scene.pen.symbols.vertical, style);
            }
            if area.x + area.width + 2 > right {
                canvas.symbol(right, y, scene.pen.symbols.vertical, style);
            }
        }
    }
}

fn rule(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, pane: Pane) {
    if area.height == 0 {
        return;
    }
    let style = scene.theme().frame(scene.focused(pane));
    let symbols = scene.pen.symbols;
    canvas.rule(area.x, area.y, area.width, symbols.horizontal, style);
    if scene.layout.frame != Borders::Full {
        return;
    }
    let right = scene.layout.screen.width.saturating_sub(1);
    if area.x == 0 {
        canvas.symbol(0, area.y, symbols.tee_left, style);
    }
    if area.x + area.width > right {
        canvas.symbol(right, area.y, symbols.tee_right, style);
    }
}

fn divider(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let area = scene.layout.divider;
    if area.is_empty() {
        return;
    }
    let symbols = scene.pen.symbols;
    let focused = scene.focused(Pane::Log) || scene.focused(Pane::Inspector);
    let style = scene.theme().frame(focused);
    for y in area.y..area.y + area.height {
        canvas.symbol(area.x, y, symbols.vertical, style);
    }
    canvas.symbol(area.x, area.y.saturating_sub(1), symbols.tee_top, style);
    let below = scene.theme().frame(scene.focused(lowest(scene.layout)));
    canvas.symbol(area.x, area.y + area.height, symbols.tee_bottom, below);
}

fn corners(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let Layout { screen, frame, .. } = scene.layout;
    if *frame != Borders::Full {
        return;
    }
    let symbols = scene.pen.symbols;
    let (right, bottom) = (screen.width.saturating_sub(1), screen.height.saturating_sub(1));
    let top_style = scene.theme().frame(scene.focused(Pane::Status));
    let bottom_style = scene.theme().frame(scene.focused(lowest(scene.layout)));
    canvas.symbol(0, 0, symbols.top_left, top_style);
    canvas.symbol(right, 0, symbols.top_right, top_style);
    canvas.symbol(0, bottom, symbols.bottom_left, bottom_style);
    canvas.symbol(right, bottom, symbols.bottom_right, bottom_style);
}
