//! The Status pane: who talks to whom, how it ended, how much crossed and when.

mod details;
mod file;
mod kernel;
mod server;
pub(super) mod title;
mod waterfall;
mod words;

use super::canvas::Canvas;
use super::chrome;
use super::line::{Line, fit};
use super::scene::Scene;
use super::sparkline::sparkline;
use crate::app::{Area, Pane, Second};
use crate::model::{Direction, Link, LinkState, Side, Tally};
use crate::text::format;

/// Seconds in the sparkline beside the tallies.
const BARS: usize = 12;

/// How the connection stands, as the pane says it.
pub(super) fn standing(scene: &Scene<'_>, link: &Link) -> Option<String> {
    words::standing(link, scene.now)
}

/// Draws the rows of the pane.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let area = scene.layout.status;
    if area.is_empty() {
        return;
    }
    if let Some(file) = &scene.app.file {
        return show(canvas, area, &file::rows(scene, file, area.width, area.height));
    }
    let rows = match &scene.app.link {
        None => vec![idle(scene)],
        Some(link) if area.height > 2 => match scene.app.everybody() {
            Some(listening) => server::rows(scene, listening, area.width),
            None => {
                let (rows, part) = details::rows(scene, link, area.width, area.height);
                let edge = (scene.layout.title.x + scene.layout.title.width).saturating_sub(1);
                chrome::thumb(scene, canvas, edge, area, part, scene.focused(Pane::Status));
                rows
            }
        },
        Some(link) if area.height == 1 => vec![one_row(scene, link, area.width)],
        Some(link) => vec![
            first_row(scene, link, area.width),
            second_row(scene, link, area.width),
        ],
    };
    show(canvas, area, &rows);
}

fn show(canvas: &mut Canvas<'_>, area: Area, rows: &[Line<'_>]) {
    for (y, line) in (area.y..area.y + area.height).zip(rows) {
        canvas.line((area.x, y), area.width, line);
    }
}

fn idle<'s>(scene: &'s Scene<'_>) -> Line<'s> {
    scene.pen.text("no connection yet", scene.theme().secondary())
}

/// Addresses and family, and how it stands when it is not simply open.
fn first_row<'s>(scene: &'s Scene<'_>, link: &Link, width: u16) -> Line<'s> {
    if let Some(listening) = scene.app.everybody() {
        return server::first_row(scene, listening, width);
    }
    let theme = scene.theme();
    let ended =
        words::standing(link, scene.now).map(|text| scene.pen.text(&text, standing_style(scene, link)));
    let addresses = addresses(scene, link);
    let family = words::family(link).map_or(scene.line(), |text| scene.pen.text(text, theme.secondary()));
    let tls = words::tls(link).map_or(scene.line(), |text| scene.pen.text(&text, theme.secondary()));
    let unsent = unsent(scene, link);
    let mut parts = vec![
        (0, ended.unwrap_or_else(|| scene.line())),
        (1, unsent),
        (2, addresses),
        (3, family),
        (3, tls),
    ];
    parts.extend(kernel::summary(scene, link, 4));
    fit(parts, &scene.line().gap(2), width)
}

/// Tallies, rate and silence.
fn second_row<'s>(scene: &'s Scene<'_>, link: &Link, width: u16) -> Line<'s> {
    if link.opened.is_none() {
        // Nothing can have crossed.
        return waterfall::one_row(scene, link, width);
    }
    let mut parts = vec![
        (0, tally(scene, "sent", Direction::Sent, link.sent)),
        (1, tally(scene, "received", Direction::Received, link.received)),
    ];
    if link.state.is_live() || link.state == LinkState::Listening {
        parts.push((
            4,
            sparkline(&scene.pen, &scene.app.rates.history(scene.now, BARS)),
        ));
        parts.push((3, rate(scene)));
        parts.push((5, silence(scene, link)));
    }
    // Where a ring begins matters more than what can be seen below.
    let (rank, file) = match &scene.app.ring {
        Some(ring) => (2, words::ring(scene.app.recorded, ring)),
        None => (6, format!("file {}", format::size(scene.app.recorded))),
    };
    parts.push((rank, scene.pen.text(&file, scene.theme().secondary())));
    fit(parts, &scene.line().gap(3), width)
}

fn one_row<'s>(scene: &'s Scene<'_>, link: &Link, width: u16) -> Line<'s> {
    let symbols = scene.pen.symbols;
    let ended = match scene.app.everybody() {
        Some(listening) => Some(server::standing(scene, listening)),
        None => {
            words::standing(link, scene.now).map(|text| scene.pen.text(&text, standing_style(scene, link)))
        }
    };
    let short = |direction: Direction, tally: Tally| {
        let text = format!("{} {}", symbols.arrow(direction), format::size(tally.bytes));
        scene.pen.text(&text, scene.theme().direction(direction))
    };
    let rate = if link.state.is_live() {
        rate(scene)
    } else {
        scene.line()
    };
    let parts = vec![
        (0, ended.unwrap_or_else(|| scene.line())),
        (1, unsent(scene, link)),
        (2, short(Direction::Sent, link.sent)),
        (2, short(Direction::Received, link.received)),
        (3, rate),
        (4, addresses(scene, link)),
    ];
    fit(parts, &scene.line().gap(2), width)
}

fn standing_style(scene: &Scene<'_>, link: &Link) -> ratatui::style::Style {
    match link.state {
        LinkState::Failed => scene.theme().error(),
        LinkState::Closed => scene.theme().strong(),
        LinkState::HalfClosed | LinkState::Waiting => scene.theme().warning(),
        LinkState::Idle
        | LinkState::Resolving
        | LinkState::Connecting
        | LinkState::Handshaking
        | LinkState::Open
        | LinkState::Listening => scene.theme().secondary(),
    }
}

fn addresses<'s>(scene: &'s Scene<'_>, link: &Link) -> Line<'s> {
    let arrow = format!(" {} ", scene.pen.symbols.to_right);
    let text = match (link.local, link.remote, link.role.dialer()) {
        (Some(local), Some(remote), Side::Local) => format!("{local}{arrow}{remote}"),
        (Some(local), Some(remote), Side::Peer) => format!("{remote}{arrow}{local}"),
        (None, Some(remote), _) => remote.to_string(),
        (Some(_) | None, None, _) => match &link.who {
            Some(who) => who.clone(),
            None => return scene.line(),
        },
    };
    scene.pen.text(&text, ratatui::style::Style::new())
}

fn tally<'s>(scene: &'s Scene<'_>, word: &str, direction: Direction, tally: Tally) -> Line<'s> {
    let theme = scene.theme();
    let style = theme.direction(direction);
    let line = scene
        .line()
        .text(scene.pen.symbols.arrow(direction), style)
        .gap(1);
    let line = line
        .text(word, theme.secondary())
        .gap(1)
        .text(&format::size(tally.bytes), style);
    line.text(
        &format!(" in {}", format::count(tally.messages)),
        theme.secondary(),
    )
}

fn unsent<'s>(scene: &'s Scene<'_>, link: &Link) -> Line<'s> {
    if link.unsent == 0 {
        return scene.line();
    }
    let text = format!("{} unsent: the peer does not read", format::size(link.unsent));
    scene.pen.text(&text, scene.theme().warning())
}

fn rate<'s>(scene: &'s Scene<'_>) -> Line<'s> {
    let Second { sent, received } = scene.app.rates.last(scene.now);
    scene.pen.text(
        &format::rate(sent.saturating_add(received)),
        scene.theme().strong(),
    )
}

/// How long ago the last byte crossed each way.
fn silence<'s>(scene: &'s Scene<'_>, link: &Link) -> Line<'s> {
    let theme = scene.theme();
    let ago = |(direction, tally): (Direction, Tally)| {
        let arrow = scene.pen.symbols.arrow(direction);
        let sign = scene.pen.text(arrow, theme.direction(direction)).gap(1);
        let text = words::ago(scene.now, tally.last?);
        Some((0, sign.text(&text, theme.secondary())))
    };
    let both = [(Direction::Sent, link.sent), (Direction::Received, link.received)];
    let parts: Vec<_> = both.into_iter().filter_map(ago).collect();
    if parts.is_empty() {
        return scene.line();
    }
    let times = fit(parts, &scene.line().gap(2), u16::MAX);
    scene.pen.text("last ", theme.secondary()).append(times)
}
