//! The kernel's view of the connection: its figures in a line, and all of them.

use std::time::Duration;

use ratatui::style::Style;

use crate::app::Kernel;
use crate::model::{Link, TcpInfo};
use crate::text::format;
use crate::ui::line::Line;
use crate::ui::scene::Scene;
use crate::ui::sparkline::bars;

/// Seconds in a row of bars.
const BARS: usize = 24;

/// Cells of the text before the bars, so that these stand below one another.
const BEFORE_BARS: u16 = 50;

/// What tells most, each with its rank where `rank` is the one of the first: how far away the peer is, how much may be
/// under way, whether anything got lost, which comes before all of that.
pub(super) fn summary<'s>(scene: &'s Scene<'_>, link: &Link, rank: u8) -> Vec<(u8, Line<'s>)> {
    let Some(info) = scene.app.kernel.latest(link).filter(|_| link.state.is_live()) else {
        return Vec::new();
    };
    let theme = scene.theme();
    let secondary = |text: String| scene.pen.text(&text, theme.secondary());
    let lost = info.retransmitted > 0;
    let resent = scene.pen.text(
        &format!("retrans {}", format::count(u64::from(info.retransmitted))),
        if lost { theme.warning() } else { theme.secondary() },
    );
    vec![
        (
            rank,
            secondary(rtt(scene, info).map_or(String::new(), |rtt| format!("rtt {rtt}"))),
        ),
        (
            rank + 1,
            secondary(format!(
                "cwnd {}",
                format::count(u64::from(info.congestion_window))
            )),
        ),
        (if lost { rank - 1 } else { rank + 2 }, resent),
    ]
}

/// Everything, a line each.
pub(super) fn rows<'s>(scene: &'s Scene<'_>, link: &Link) -> Vec<Line<'s>> {
    let kernel = &scene.app.kernel;
    if kernel.is_silent() {
        let text = "this system does not tell what it knows of a connection";
        return vec![labelled(scene, "kernel").text(text, scene.theme().secondary())];
    }
    let Some(info) = kernel.latest(link) else {
        return Vec::new();
    };
    let mut rows = vec![
        row(scene, "tcp", &state(info, link)),
        with_bars(scene, kernel, "rtt", &round_trip(scene, info), |info| {
            info.rtt.as_micros() as u64
        }),
        with_bars(scene, kernel, "window", &window(info), |info| {
            u64::from(info.congestion_window)
        }),
    ];
    if let Some(rate) = info.delivery_rate {
        let text = match info.pacing_rate {
            Some(pacing) => format!("{}, paced at {}", format::rate(rate), format::rate(pacing)),
            None => format::rate(rate),
        };
        rows.push(with_bars(scene, kernel, "delivery", &text, |info| {
            info.delivery_rate.unwrap_or(0)
        }));
    }
    rows.push(under_way(scene, info));
    rows.extend(limits(scene, info).map(|text| row(scene, "held up", &text)));
    let (sent, received) = (ago(info.last_sent), ago(info.last_received));
    rows.push(row(
        scene,
        "payload",
        &format!("last sent {sent}, last received {received}"),
    ));
    rows
}

fn rtt(scene: &Scene<'_>, info: &TcpInfo) -> Option<String> {
    // Nothing was acknowledged yet.
    if info.rtt.is_zero() {
        return None;
    }
    let sign = scene.pen.symbols.plus_minus;
    Some(format!(
        "{} {sign}{}",
        scene.took(info.rtt),
        scene.took(info.rtt_variation)
    ))
}

fn state(info: &TcpInfo, link: &Link) -> String {
    let seen = if link.state.is_live() { "" } else { "last seen " };
    let (mss, path) = (
        format::count(info.mss.into()),
        format::count(info.path_mtu.into()),
    );
    format!("{seen}{}, MSS {mss}, path MTU {path}", info.state)
}

fn round_trip(scene: &Scene<'_>, info: &TcpInfo) -> String {
    let Some(rtt) = rtt(scene, info) else {
        return "not measured yet".into();
    };
    match info.rtt_least {
        Some(least) => format!("{rtt}, least {}", scene.took(least)),
        None => rtt,
    }
}

fn window(info: &TcpInfo) -> String {
    let cwnd = format!("cwnd {}", format::count(info.congestion_window.into()));
    let threshold = info
        .slow_start_threshold
        .map(|threshold| format!("ssthresh {}", format::count(threshold.into())));
    let peer = info
        .peer_window
        .map(|window| format!("peer's {}", format::size(window.into())));
    let parts: Vec<String> = [Some(cwnd), threshold, peer].into_iter().flatten().collect();
    parts.join(", ")
}

fn under_way<'s>(scene: &'s Scene<'_>, info: &TcpInfo) -> Line<'s> {
    let unacknowledged = segments(info.unacknowledged);
    let text = match info.unsent {
        Some(unsent) => {
            format!(
                "{unacknowledged} unacknowledged, {} unsent",
                format::size(unsent.into())
            )
        }
        None => format!("{unacknowledged} unacknowledged"),
    };
    let trouble = format!(
        ", {} lost, {} retransmitted",
        format::count(info.lost.into()),
        format::count(info.retransmitted.into())
    );
    let style = if info.lost > 0 || info.retransmitted > 0 {
        scene.theme().warning()
    } else {
        Style::new()
    };
    labelled(scene, "under way")
        .text(&text, Style::new())
        .text(&trouble, style)
}

/// What held up sending, and for how long.
fn limits(scene: &Scene<'_>, info: &TcpInfo) -> Option<String> {
    let (window, buffer) = (info.limited_by_window?, info.limited_by_buffer?);
    let busy = info.busy.filter(|busy| !busy.is_zero())?;
    Some(format!(
        "{} by the peer's window, {} by our buffer, of {} busy",
        scene.took(window),
        scene.took(buffer),
        scene.took(busy)
    ))
}

fn ago(time: Duration) -> String {
    match time.as_secs() {
        0 => format::ago(time),
        _ => format!("{} ago", format::ago(time)),
    }
}

fn segments(count: u32) -> String {
    match count {
        1 => "1 segment".into(),
        count => format!("{} segments", format::count(count.into())),
    }
}

fn with_bars<'s>(
    scene: &'s Scene<'_>,
    kernel: &Kernel,
    label: &str,
    text: &str,
    of: impl Fn(&TcpInfo) -> u64,
) -> Line<'s> {
    let line = row(scene, label, text);
    let gap = BEFORE_BARS.saturating_sub(line.cells()).max(2);
    line.gap(usize::from(gap)).append(bars(
        &scene.pen,
        &kernel.history(BARS, of),
        scene.theme().strong(),
    ))
}

fn labelled<'s>(scene: &'s Scene<'_>, label: &str) -> Line<'s> {
    super::details::labelled(scene, label)
}

fn row<'s>(scene: &'s Scene<'_>, label: &str, text: &str) -> Line<'s> {
    super::details::row(scene, label, text)
}
