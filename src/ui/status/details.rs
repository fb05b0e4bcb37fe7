//! The Status pane when it has the whole window: everything that is known of the connection, a line each.

use ratatui::style::Style;

use super::words;
use crate::app::Block;
use crate::model::{Direction, LABEL, Link, RecorderState, Role, Tally, Timestamping, TlsReport, whole};
use crate::text::{format, wrapped};
use crate::ui::line::Line;
use crate::ui::scene::Scene;
use crate::ui::sparkline::sparkline;

/// Seconds in the large sparkline: all that are kept.
const BARS: usize = 60;

/// The lines of the pane in a window of that size, from the first one that is visible on, and which part of all of
/// them that is: the first, the one behind the last, and how many there are.
pub(super) fn rows<'s>(
    scene: &'s Scene<'_>,
    link: &Link,
    width: u16,
    height: u16,
) -> (Vec<Line<'s>>, (u64, u64, u64)) {
    let mut rows = Vec::new();
    let mut top = 0;
    for block in Block::ALL {
        let lines = match block {
            Block::Connection => connection(scene, link, width),
            Block::Dial => super::waterfall::rows(scene, link, width),
            Block::Kernel => super::kernel::rows(scene, link),
            Block::Options => options(scene, link, width),
        };
        if !rows.is_empty() && !lines.is_empty() {
            rows.push(scene.line());
        }
        if block == scene.app.block {
            // Of a long dial the end says the most.
            let above = match block {
                Block::Dial => lines.len().saturating_sub(usize::from(height)),
                Block::Connection | Block::Kernel | Block::Options => 0,
            };
            top = rows.len() + above;
        }
        rows.extend(lines);
    }
    let len = rows.len();
    let top = top.min(len.saturating_sub(usize::from(height)));
    let end = len.min(top + usize::from(height));
    (rows.split_off(top), (top as u64, end as u64, len as u64))
}

fn connection<'s>(scene: &'s Scene<'_>, link: &Link, width: u16) -> Vec<Line<'s>> {
    let mut rows = vec![
        row(scene, heading(link), &link.endpoint.to_string()),
        labelled(scene, "state").text(&link.state.to_string(), scene.theme().state(link.state)),
    ];
    if let Some(standing) = words::standing(link, scene.now) {
        rows.extend(broken(scene, &standing, width, Style::new()));
    }
    let address = |address: Option<std::net::SocketAddr>| address.map_or("none".into(), |a| a.to_string());
    let [local, remote] = match link.role {
        Role::Tap => ["application", "server"],
        Role::Client | Role::Server | Role::Listener => ["local", "remote"],
    };
    rows.push(row(scene, local, &address(link.local)));
    rows.push(row(scene, remote, &address(link.remote)));
    if let Some(family) = words::family(link) {
        rows.push(row(scene, "family", family));
    }
    let (peer, application) = (link.tls.as_deref(), link.application_tls.as_deref());
    let is_tap = link.role == Role::Tap;
    rows.extend(
        application
            .iter()
            .flat_map(|report| tls(scene, "application", report, width)),
    );
    let label = if is_tap { "server" } else { "tls" };
    rows.extend(peer.iter().flat_map(|report| tls(scene, label, report, width)));
    rows.push(times(scene, link));
    rows.extend(stamps(scene, link));
    rows.push(scene.line());
    if link.opened.is_some() {
        rows.extend(tallies(scene, link));
        rows.push(scene.line());
    }
    rows.extend(recording(scene));
    rows
}

/// What the endpoint is to a connection: whoever was accepted came to it.
fn heading(link: &Link) -> &'static str {
    match link.role {
        Role::Server | Role::Listener => "address",
        Role::Client | Role::Tap => "target",
    }
}

fn tallies<'s>(scene: &'s Scene<'_>, link: &Link) -> Vec<Line<'s>> {
    let mut rows = vec![
        tally(scene, "sent", Direction::Sent, link.sent),
        tally(scene, "received", Direction::Received, link.received),
        row(scene, "unsent", &format::size(link.unsent)),
    ];
    if link.state.is_live() {
        rows.extend(traffic(scene));
    }
    rows
}

/// The last minute.
pub(super) fn traffic<'s>(scene: &'s Scene<'_>) -> [Line<'s>; 2] {
    let seconds = scene.app.rates.history(scene.now, BARS);
    let peak = seconds.iter().map(|second| second.total()).max().unwrap_or(0);
    [
        labelled(scene, "last 60 s").append(sparkline(&scene.pen, &seconds)),
        row(scene, "busiest", &format::rate(peak)),
    ]
}

/// Where it is recorded, and how that goes.
pub(super) fn recording<'s>(scene: &'s Scene<'_>) -> [Line<'s>; 2] {
    [
        row(scene, "recording", scene.app.settings.session.path()),
        recorder(scene),
    ]
}

pub(super) fn labelled<'s>(scene: &'s Scene<'_>, label: &str) -> Line<'s> {
    scene.pen.text(&format!("{label:<12}"), scene.theme().secondary())
}

pub(super) fn row<'s>(scene: &'s Scene<'_>, label: &str, text: &str) -> Line<'s> {
    labelled(scene, label).text(text, Style::new())
}

/// A sentence in as many rows as it takes, without a label.
fn broken<'s>(scene: &'s Scene<'_>, text: &str, width: u16, style: Style) -> Vec<Line<'s>> {
    let rows = wrapped(text, width.saturating_sub(LABEL as u16));
    let line = |row: String| labelled(scene, "").text(&row, style);
    rows.into_iter().map(line).collect()
}

fn tls<'s>(scene: &'s Scene<'_>, label: &str, report: &TlsReport, width: u16) -> Vec<Line<'s>> {
    let mut rows = Vec::new();
    if let Some(agreed) = &report.agreed {
        let alpn = agreed.alpn.as_ref().map(|alpn| format!("ALPN {alpn}"));
        let parts = [
            Some(agreed.version.clone()),
            Some(agreed.cipher.clone()),
            agreed.group.clone(),
            alpn,
        ];
        let mut text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if agreed.resumed {
            text.push_str(", resumed");
        }
        rows.push(row(
            scene,
            label,
            &format!("{text}, in {}", scene.took(report.took)),
        ));
    }
    if let Some(certificate) = report.chain.first() {
        let days = certificate.days_left(scene.now.0);
        let left = if days < 0 {
            "expired".to_owned()
        } else {
            format!("{} left", format::counted(days.unsigned_abs(), "day", "days"))
        };
        let text = format!(
            "{}, {left}, issued by {}",
            certificate.subject, certificate.issuer
        );
        rows.push(row(scene, "certificate", &text));
    }
    if let Some(doubt) = report.doubt() {
        let text = format!("not trusted: {doubt}");
        rows.extend(broken(scene, &text, width, scene.theme().warning()));
    }
    rows
}

/// The options of the socket, as many in a row as fit.
fn options<'s>(scene: &'s Scene<'_>, link: &Link, width: u16) -> Vec<Line<'s>> {
    if link.options.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![labelled(scene, "options")];
    let mut first = true;
    for setting in link.options.iter() {
        let part = scene
            .pen
            .text(&setting.option.to_string(), scene.theme().secondary());
        let part = part.gap(1).text(&setting.shown(), Style::new());
        let fits = rows
            .last()
            .is_some_and(|row| row.cells() + 3 + part.cells() <= width);
        if !first && !fits {
            rows.push(labelled(scene, ""));
            first = true;
        }
        if let Some(row) = rows.pop() {
            let gap = if first { 0 } else { 3 };
            rows.push(row.gap(gap).append(part));
        }
        first = false;
    }
    rows
}

fn stamps<'s>(scene: &'s Scene<'_>, link: &Link) -> Option<Line<'s>> {
    match &link.timestamping {
        Timestamping::Off => None,
        Timestamping::On => Some(row(scene, "time stamps", "on, with each entry in the Inspector")),
        Timestamping::Refused(why) => Some(labelled(scene, "time stamps").text(why, scene.theme().warning())),
    }
}

fn times<'s>(scene: &'s Scene<'_>, link: &Link) -> Line<'s> {
    let offset = scene.app.settings.zone.offset();
    let at = |at: crate::model::Timestamp| format::date_time(at.0, offset);
    let text = match (link.opened, link.ended) {
        (Some(opened), Some(ended)) => format!("{} to {}", at(opened), at(ended)),
        (Some(opened), None) => format!("since {}", at(opened)),
        (None, _) => at(link.started),
    };
    let zone = format::offset(offset);
    let label = if link.opened.is_some() { "open" } else { "dialed" };
    row(scene, label, &format!("{text} {zone}"))
}

pub(super) fn tally<'s>(scene: &'s Scene<'_>, word: &str, direction: Direction, tally: Tally) -> Line<'s> {
    let bytes = match tally.bytes {
        0..1024 => format::size(tally.bytes),
        bytes => format!("{} ({} B)", format::size(bytes), format::count(bytes)),
    };
    let messages = if tally.messages == 1 {
        "message"
    } else {
        "messages"
    };
    let rest = match tally.last {
        Some(last) => {
            let last = match scene.now.since(last).as_secs() {
                0 => "just now".into(),
                _ => format!("{} ago", words::ago(scene.now, last)),
            };
            format!(
                " in {} {messages}, the last {last}",
                format::count(tally.messages)
            )
        }
        None => String::new(),
    };
    labelled(scene, word)
        .text(&bytes, scene.theme().direction(direction))
        .text(&rest, Style::new())
}

fn recorder<'s>(scene: &'s Scene<'_>) -> Line<'s> {
    let size = match &scene.app.ring {
        Some(ring) => words::ring(scene.app.recorded, ring),
        None => format!("file {}", format::size(scene.app.recorded)),
    };
    let records = whole(scene.records);
    let (first, all) = (records.first().0, records.len());
    let counted = match first {
        0 => format::counted(all, "entry", "entries"),
        // As many as hold that much data.
        first => format!(
            "{} of {}",
            format::count(all.saturating_sub(first)),
            format::counted(all, "entry", "entries")
        ),
    };
    // What crossed, and what it takes with its packet headers, are two things.
    let entries = format!("{counted}, {} of data; {size}", format::size(scene.app.payload));
    match &scene.app.recorder {
        RecorderState::Recording => row(scene, "", &entries),
        RecorderState::Paused { reason, .. }
        | RecorderState::Stopped { reason }
        | RecorderState::Losing { reason, .. } => {
            labelled(scene, "").text(&format!("{entries}; {reason}"), scene.theme().error())
        }
    }
}
