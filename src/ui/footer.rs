//! The bottom border: a notice while there is one, else the keys that help now. A notice that is longer than the
//! border lies over the end of the Log.

use super::canvas::Canvas;
use super::line::{Line, fit};
use super::scene::Scene;
use super::status;
use crate::app::{Area, Frame as Borders, Hint, Notice, Pane, Severity};
use crate::model::ExportState;
use crate::text::{format, wrapped};

/// What stands in the title of Input beside a message: the name, the type, the ends of the line.
const NAME: u16 = 24;

/// The most rows of the Log that a notice lies over.
const NOTICE_ROWS: u16 = 4;

/// Draws the footer.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let area = scene.layout.footer;
    let margin = if scene.layout.frame == Borders::Full { 2 } else { 1 };
    let width = area.width.saturating_sub(2 * margin);
    let notice = current(scene);
    let tall = notice.filter(|notice| notice_line(scene, notice).cells() > width.saturating_sub(2));
    if let Some(notice) = tall {
        tall_notice(scene, canvas, notice);
    }
    if area.is_empty() {
        return;
    }
    let line = match notice {
        Some(notice) if tall.is_none() => notice_line(scene, notice),
        Some(_) | None if scene.app.overlay.is_some() => return,
        Some(_) | None if scene.app.is_exporting() => export(scene, width.saturating_sub(2)),
        Some(_) | None => hints(scene, &scene.app.hints(), width.saturating_sub(2)),
    };
    canvas.line(
        (area.x + margin, area.y),
        width,
        &scene.line().gap(1).append(line).gap(1),
    );
}

/// The notice that has not expired and that no title and no row of Status says already.
pub(super) fn current<'a>(scene: &Scene<'a>) -> Option<&'a Notice> {
    let notice = scene.app.notice.as_ref()?;
    let expired = notice.expires <= scene.now;
    (!expired && !is_said(scene, &notice.text)).then_some(notice)
}

fn is_said(scene: &Scene<'_>, text: &str) -> bool {
    let layout = scene.layout;
    let cells = |text: &str| text.chars().count();
    // Where room is short it may be cut there, and then the footer says it from the start.
    let mistake = scene.app.composer.error.as_ref().map(|error| error.message);
    let in_title =
        mistake == Some(text) && cells(text) + usize::from(NAME) < usize::from(layout.input_title.width);
    let standing = scene
        .app
        .link
        .as_ref()
        .and_then(|link| status::standing(scene, link));
    let in_status = standing.is_some_and(|standing| {
        standing.ends_with(text) && cells(&standing) <= usize::from(layout.status.width)
    });
    in_title || in_status
}

/// How far the export is.
fn export<'s>(scene: &'s Scene<'_>, width: u16) -> Line<'s> {
    let Some(exporting) = &scene.app.exporting else {
        return scene.line();
    };
    let theme = scene.theme();
    let report = &exporting.report;
    let doing = match report.state {
        ExportState::Finding => "looking for entries",
        ExportState::Writing
        | ExportState::Done(_)
        | ExportState::Stopped
        | ExportState::Exists(_)
        | ExportState::Nothing(_)
        | ExportState::Closed
        | ExportState::Failed(_) => "exporting",
    };
    let progress = scene
        .line()
        .text(doing, theme.warning())
        .gap(1)
        .text(&format!("{} %", report.percent()), theme.strong());
    let to = format!("to {}", exporting.order.path);
    let mut parts = vec![
        (0, progress),
        (2, scene.pen.text(&format::size(report.bytes), theme.secondary())),
        (3, scene.pen.text(&to, theme.secondary())),
    ];
    if scene.app.focus != Pane::Input {
        let stops = scene
            .line()
            .text("Esc", theme.key())
            .gap(1)
            .text("stops", theme.secondary());
        parts.push((1, stops));
    }
    fit(parts, &scene.line().gap(2), width)
}

/// A notice with a word on how much it matters.
pub(super) fn notice_line<'s>(scene: &'s Scene<'_>, notice: &Notice) -> Line<'s> {
    let style = scene.theme().notice(notice.severity);
    scene.line().text(&worded(notice), style)
}

fn worded(notice: &Notice) -> String {
    let word = match notice.severity {
        Severity::Info => "",
        Severity::Warning => "note: ",
        Severity::Error => "error: ",
    };
    format!("{word}{}", notice.text)
}

/// Draws a notice in as many rows as it takes, over the last rows above Input; over the first ones in a window that
/// has no lines.
fn tall_notice(scene: &Scene<'_>, canvas: &mut Canvas<'_>, notice: &Notice) {
    let layout = scene.layout;
    let (x, width): (u16, u16) = match layout.frame {
        Borders::TooSmall => return,
        Borders::Bare => (0, layout.screen.width),
        Borders::Lines => (1, layout.screen.width.saturating_sub(2)),
        Borders::Full => (2, layout.screen.width.saturating_sub(4)),
    };
    let most = match layout.frame {
        Borders::Bare => NOTICE_ROWS - 1,
        Borders::TooSmall | Borders::Lines | Borders::Full => NOTICE_ROWS,
    };
    let mut rows = wrapped(&worded(notice), width);
    // What does not fit is cut at its end, with a sign that it is.
    let rest = rows.split_off(rows.len().min(usize::from(most - 1)));
    if !rest.is_empty() {
        rows.push(rest.join(" "));
    }
    let height = rows.len() as u16;
    let top = match layout.frame {
        Borders::TooSmall | Borders::Bare => 0,
        Borders::Lines | Borders::Full => {
            let below = [layout.input_title, layout.footer]
                .into_iter()
                .find(|area| !area.is_empty());
            below
                .map_or(layout.screen.height, |area| area.y)
                .saturating_sub(height)
        }
    };
    let style = scene.theme().notice(notice.severity);
    for (y, row) in (top..top + height).zip(&rows) {
        canvas.clear(Area::new(x.saturating_sub(1), y, width + 2 * x.min(1), 1));
        canvas.line((x, y), width, &scene.pen.text(row, style));
    }
}

/// `Enter send  ^T type`, as many as fit.
pub(super) fn hints<'s>(scene: &'s Scene<'_>, hints: &[Hint], width: u16) -> Line<'s> {
    let theme = scene.theme();
    let part = |hint: &Hint| {
        let key = scene.pen.symbols.key(hint.key);
        (
            hint.rank,
            scene
                .line()
                .text(&key, theme.key())
                .gap(1)
                .text(hint.label, theme.secondary()),
        )
    };
    fit(hints.iter().map(part).collect(), &scene.line().gap(2), width)
}
