//! Layer 4: pure rendering of the state into a buffer of cells.
//!
//! A picture is a function of the state, the visible rows of the log, the time, the layout and the theme: drawing
//! twice gives equal buffers, and nothing here remembers, locks or reads a clock.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `canvas` | the only place that writes to the buffer: encoded text and our own signs, cut by cells |
//! | `line`, `field`, `sparkline` | rows of text, typed text with a cursor, bars |
//! | `theme`, `symbols` | what roles look like, and the signs that we draw |
//! | `scene` | what a picture is made of |
//! | `chrome` | lines, titles, scroll indicators |
//! | `status`, `log`, `row`, `inspector`, `input`, `footer` | the panes |
//! | `popup`, `prompt`, `banner` | what stands over them |
//!
//! Deliberately absent: `&mut App`, the network, the terminal; whoever calls shows the buffer and the cursor.

mod banner;
mod canvas;
mod chrome;
mod field;
mod footer;
mod input;
mod inspector;
mod line;
mod log;
mod popup;
mod prompt;
mod row;
mod scene;
mod sparkline;
mod status;
mod symbols;
mod theme;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::{App, Area, Frame as Borders, Layout};
use crate::model::{Link, LinkState, Timestamp};
use canvas::Canvas;
use scene::Scene;

pub use scene::Frame;
pub use theme::Theme;

/// Draws the window, which are the cells `window` of the terminal, into a blank buffer; returns where the cursor
/// stands, if it is to be seen. The layout in `frame` is of a window of that size; a smaller window cuts the picture.
/// A buffer that holds only a part of the window gets that part of the same picture, for as much less work.
pub fn render(app: &App, frame: &Frame<'_>, window: Rect, buf: &mut Buffer) -> Option<Position> {
    let scene = Scene::new(app, frame);
    let mut canvas = Canvas::new(window, buf);
    if frame.layout.frame == Borders::TooSmall {
        too_small(&scene, &mut canvas);
        return None;
    }
    chrome::render(&scene, &mut canvas);
    status::title::render(&scene, &mut canvas);
    status::render(&scene, &mut canvas);
    log::render(&scene, &mut canvas);
    inspector::render(&scene, &mut canvas);
    let typed = input::render(&scene, &mut canvas);
    footer::render(&scene, &mut canvas);
    banner::render(&scene, &mut canvas);
    let (x, y) = popup::render(&scene, &mut canvas).or(typed)?;
    canvas.position(x, y)
}

/// The rows at the top that time alone changes between two calls of [`App::update`], while no notice vanishes.
pub fn moving_rows(layout: &Layout) -> u16 {
    let below = |area: Area| area.y + area.height;
    below(layout.title).max(below(layout.status))
}

/// When the picture changes by itself next: a notice vanishes, or a clock or a countdown shows another second.
/// `None` while nothing moves.
pub fn next_change(app: &App, now: Timestamp) -> Option<Timestamp> {
    let clock = app.link.as_ref().and_then(|link| next_second(link, now));
    // What is due already was drawn with this `now`; only what comes later changes the picture.
    let notice = app.next_change().filter(|at| *at > now);
    [clock, notice].into_iter().flatten().min()
}

/// When the clock of a connection, or the countdown to the next attempt, shows another second.
fn next_second(link: &Link, now: Timestamp) -> Option<Timestamp> {
    match link.state {
        LinkState::Open | LinkState::HalfClosed | LinkState::Listening => {
            Some(tick_after(link.opened.unwrap_or(link.started), now))
        }
        LinkState::Resolving | LinkState::Connecting | LinkState::Handshaking => {
            Some(tick_after(link.started, now))
        }
        LinkState::Waiting => tick_before(link.retry_at?, now),
        LinkState::Idle | LinkState::Closed | LinkState::Failed => None,
    }
}

/// The first time after `now` that lies a whole number of seconds after `from`.
fn tick_after(from: Timestamp, now: Timestamp) -> Timestamp {
    if now < from {
        return from;
    }
    from + Duration::from_secs(now.since(from).as_secs().saturating_add(1))
}

/// The first time after `now` that lies a whole number of seconds before `until`, up to `until` itself.
fn tick_before(until: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let left = until.since(now);
    if left.is_zero() {
        return None;
    }
    let beyond = Duration::from_nanos(u64::from(left.subsec_nanos()));
    Some(
        now + if beyond.is_zero() {
            Duration::from_secs(1)
        } else {
            beyond
        },
    )
}

/// Says that nothing can be drawn here.
fn too_small(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let (width, height) = canvas.size();
    let long = scene.pen.text("too small: 20x5 needed", scene.theme().warning());
    let short = scene.pen.text("too small", scene.theme().warning());
    let line = if long.cells() <= width { long } else { short };
    if height > 0 {
        canvas.line((0, 0), width, &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConnectionId;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn clocks_tick_on_their_own_seconds_and_countdowns_towards_the_attempt() {
        let check = |state, now: u64, expected: Option<u64>| {
            let mut link = Link::new(ConnectionId(0), "host:1".parse().unwrap(), Timestamp(100));
            link.state = state;
            link.opened = Some(Timestamp(300));
            link.retry_at = Some(Timestamp(3 * SECOND + 7));
            assert_eq!(
                next_second(&link, Timestamp(now)),
                expected.map(Timestamp),
                "{state} at {now}"
            );
        };
        check(LinkState::Open, 300, Some(SECOND + 300));
        check(LinkState::Open, SECOND + 299, Some(SECOND + 300));
        check(LinkState::Open, SECOND + 300, Some(2 * SECOND + 300));
        check(LinkState::Connecting, 150, Some(SECOND + 100));
        check(LinkState::Waiting, 0, Some(7));
        check(LinkState::Waiting, 7, Some(SECOND + 7));
        check(LinkState::Waiting, 3 * SECOND + 7, None);
        check(LinkState::Closed, 0, None);
        check(LinkState::Idle, 0, None);
    }
}
