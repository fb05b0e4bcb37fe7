//! The list of marks and comments: which entry, when, what it is, what was said about it.

use crate::app::{List, sentence};
use crate::model::{EntryId, EntryKind, Sides, whole};
use crate::text::{Shown, format};
use crate::ui::canvas::Canvas;
use crate::ui::line::{Line, fit};
use crate::ui::scene::Scene;

/// Wide enough for a comment of a few words.
const WIDTH: u16 = 120;

/// Bytes of an entry that are shown where nothing was said about it.
const GLANCE: u32 = 60;

/// Draws the pop-up.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, list: List) {
    let count = scene.records.annotations();
    super::list(
        scene,
        canvas,
        ("Marks", WIDTH),
        list,
        (0, count),
        |page, width| {
            let shown = scene.records.annotated(page);
            shown.iter().map(|number| line(scene, *number, width)).collect()
        },
    );
}

fn line<'s>(scene: &'s Scene<'_>, number: EntryId, width: u16) -> Line<'s> {
    let (theme, pen) = (scene.theme(), &scene.pen);
    // A mark is listed whether the filter shows its entry or not.
    let log = whole(scene.records);
    let name = pen.text(
        &format!("{:<5}", format!("#{}", number.0.saturating_add(1))),
        theme.strong(),
    );
    let Ok(entry) = log.entry(number) else {
        return name;
    };
    let annotation = log.annotation(number).unwrap_or_default();
    let sign = if annotation.marked {
        pen.symbols.marked
    } else {
        " "
    };
    let time = format::time_of_day(entry.at.0, scene.app.settings.zone.offset());
    let kind = pen.text(pen.symbols.mark(&entry.kind), theme.event(&entry.kind));
    let what = match (&entry.kind, &annotation.comment) {
        (_, Some(comment)) => pen.text(comment, theme.comment()),
        (EntryKind::Data { .. }, None) => {
            let bytes = log.payload(number, 0..GLANCE).unwrap_or_default();
            let text = Shown::of_bytes(&bytes, scene.app.settings.policy);
            scene.line().shown(text, theme.secondary())
        }
        (
            EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. },
            None,
        ) => pen.text(
            &sentence(
                &entry.kind,
                Sides::of(scene.app.purpose(), log.role(entry.connection)),
            ),
            theme.secondary(),
        ),
    };
    let size = entry
        .direction()
        .map(|_| format::size(u64::from(entry.len)))
        .unwrap_or_default();
    let parts = vec![
        (0, pen.text(sign, theme.comment()).gap(1).append(name)),
        (2, pen.text(&time, theme.secondary())),
        (
            1,
            kind.gap(1).text(&format!("{size:<8}"), theme.event(&entry.kind)),
        ),
    ];
    let head = fit(parts, &scene.line().gap(2), width);
    head.gap(2).append(what)
}
