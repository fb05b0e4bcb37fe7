//! The connect waterfall as a chart: lookups, addresses tried, TLS, the first byte, a bar each; or all of it in one row.

use std::ops::Range;

use ratatui::style::Style;

use super::details;
use crate::model::{Ending, Link, Phase, Timestamp, bar_cells, spans};
use crate::text::format;
use crate::ui::line::{Line, fit};
use crate::ui::scene::Scene;

/// Cells of the times at the right of the bars.
const TIME: usize = 9;

/// Cells of the only bar where there is one row for all phases.
const BAR: u16 = 12;

/// The chart, a row for each phase, in rows of `width` cells; no row where nothing was dialed over IP.
pub(super) fn rows<'s>(scene: &'s Scene<'_>, link: &Link, width: u16) -> Vec<Line<'s>> {
    let phases = link.phases();
    if phases.is_empty() {
        return Vec::new();
    }
    let cells = bar_cells(width);
    let mut rows = vec![details::row(scene, "dial", &summary(scene, link, &phases))];
    if link.dial.left_out() > 0 {
        let text = format!(
            "{} earlier attempts are only in the log",
            format::count(link.dial.left_out().into())
        );
        rows.push(details::labelled(scene, "").text(&text, scene.theme().secondary()));
    }
    let spans = spans(&phases, scene.now, cells);
    rows.extend(phases.iter().zip(spans).map(|(phase, span)| {
        let label = details::labelled(scene, phase.label());
        let bar = if cells > 0 {
            bar(scene, &[(phase, span)], cells)
        } else {
            scene.line()
        };
        let took = scene.measured(phase.took(scene.now));
        let row = label.append(bar).text(&format!("{took:>TIME$}"), Style::new());
        // Without bars, the words say what became of it.
        let result = if cells > 0 {
            phase.result()
        } else {
            phase.words_first()
        };
        row.gap(2).text(&result, style(scene, phase))
    }));
    rows
}

/// All of it in one row, while there is nothing else to say of a connection.
pub(super) fn one_row<'s>(scene: &'s Scene<'_>, link: &Link, width: u16) -> Line<'s> {
    let phases = link.phases();
    let spans = spans(&phases, scene.now, BAR);
    let placed: Vec<_> = phases.iter().zip(spans).collect();
    if placed.is_empty() {
        return scene.line();
    }
    // The latest phases say the most.
    let ranks = (1..=phases.len() as u8).rev();
    let told = phases.iter().zip(ranks).map(|(phase, rank)| {
        let took = scene.measured(phase.took(scene.now));
        let part = scene.pen.text(phase.label(), scene.theme().secondary());
        (rank, part.gap(1).text(&took, style(scene, phase)))
    });
    let mut parts = vec![(0, bar(scene, &placed, BAR))];
    parts.extend(told);
    fit(parts, &scene.line().gap(2), width)
}

/// How long it took altogether, or has taken.
fn summary(scene: &Scene<'_>, link: &Link, phases: &[Phase]) -> String {
    let start = phases.first().map_or(link.started, |phase| phase.start);
    let took = |until| scene.measured(Timestamp::since(until, start));
    match (link.opened, link.ended) {
        (Some(opened), _) => format!("open after {}", took(opened)),
        (None, Some(ended)) => format!("failed after {}", took(ended)),
        (None, None) => format!("under way for {}", took(scene.now)),
    }
}

/// Bars in the same room of so many cells; the later ones lie over the others.
fn bar<'s>(scene: &'s Scene<'_>, bars: &[(&Phase, Range<u16>)], cells: u16) -> Line<'s> {
    let [left, right] = scene.pen.symbols.bar_ends;
    let (ends, blank) = (scene.theme().secondary(), (" ", Style::new()));
    let mut line = scene.pen.text(left, ends);
    for cell in 0..cells {
        let here = bars.iter().rev().find(|(_, span)| span.contains(&cell));
        let (sign, style) = here.map_or(blank, |(phase, _)| (sign(scene, phase), style(scene, phase)));
        line = line.text(sign, style);
    }
    line.text(right, ends)
}

fn sign(scene: &Scene<'_>, phase: &Phase) -> &'static str {
    let [well, badly, other] = scene.pen.symbols.bars;
    match phase.end.as_ref().map(|end| end.how) {
        Some(Ending::Well) => well,
        Some(Ending::Badly) => badly,
        Some(Ending::GivenUp) | None => other,
    }
}

fn style(scene: &Scene<'_>, phase: &Phase) -> Style {
    match phase.end.as_ref().map(|end| end.how) {
        Some(Ending::Well) => Style::new(),
        Some(Ending::Badly) => scene.theme().error(),
        Some(Ending::GivenUp) => scene.theme().secondary(),
        None => scene.theme().warning(),
    }
}
