//! The window's title: program, target, state and clock. It belongs to the Status pane.

use super::words;
use crate::app::{Frame as Borders, Pane};
use crate::model::{Link, LinkState};
use crate::text::format;
use crate::ui::canvas::Canvas;
use crate::ui::line::{Line, fit};
use crate::ui::scene::Scene;
use crate::ui::{chrome, footer};

/// Draws the title.
pub(in crate::ui) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let area = scene.layout.title;
    if area.is_empty() {
        return;
    }
    if scene.layout.frame == Borders::Bare {
        return render_bare(scene, canvas);
    }
    let theme = scene.theme();
    let right = state_line(scene);
    let name = scene.line().gap(1).text("sockscope", theme.brand()).gap(1);
    let focused = scene.focused(Pane::Status);
    let rule = scene.pen.text(scene.pen.symbols.horizontal, theme.frame(focused));
    let target = |text: &str| scene.line().gap(1).text(text, theme.title(focused)).gap(1);
    let Some((whole, short)) = subject(scene) else {
        return chrome::title(scene, canvas, area, &name, &right);
    };
    let (whole, short) = (target(&whole), target(&short));
    let room = |right: &Line<'_>| area.width.saturating_sub(right.cells() + 5);
    // Whom it is about matters more than for how long.
    let right = if short.cells() <= room(&right) {
        right
    } else {
        scene.line().gap(1).append(state_sign(scene)).gap(1)
    };
    let width = room(&right);
    let subject = if whole.cells() <= width { whole } else { short };
    let left = fit(vec![(1, name), (0, subject)], &rule, width);
    chrome::title(scene, canvas, area, &left, &right);
}

/// The only row of a very small window that shows no traffic: a notice while there is one, else state and target.
fn render_bare(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let theme = scene.theme();
    let area = scene.layout.title;
    if let Some(notice) = footer::current(scene) {
        let line = footer::notice_line(scene, notice);
        return chrome::title(scene, canvas, area, &line, &scene.line());
    }
    let right = below(scene);
    let width = area.width.saturating_sub(right.cells() + 1);
    let mut left = state_sign(scene);
    let mut clock = scene.line();
    if let Some((_, short)) = subject(scene) {
        left = left.gap(1).text(&short, theme.secondary());
    }
    if let Some(link) = &scene.app.link {
        clock = clock_line(scene, link);
    }
    let left = fit(vec![(0, left), (1, clock)], &scene.line().gap(2), width);
    chrome::title(scene, canvas, area, &left, &right);
}

/// What the program is busy with, target or file, and the same where room is short: without scheme or folder.
fn subject(scene: &Scene<'_>) -> Option<(String, String)> {
    match (&scene.app.link, &scene.app.file) {
        (_, Some(_)) => {
            let path = scene.app.settings.session.path();
            let name = path.rsplit('/').next().unwrap_or(path);
            Some((path.to_owned(), name.to_owned()))
        }
        (Some(link), None) => Some(match &scene.app.listening {
            None => (link.endpoint.to_string(), link.endpoint.brief()),
            Some(listening) => (
                scene.app.subject(link),
                match &listening.target {
                    None => listening.address.endpoint().brief(),
                    Some(target) => target.brief(),
                },
            ),
        }),
        (None, None) => None,
    }
}

/// ` ● open  00:03:12 `
fn state_line<'s>(scene: &'s Scene<'_>) -> Line<'s> {
    let clock = scene
        .app
        .link
        .as_ref()
        .map_or(scene.line(), |link| clock_line(scene, link));
    let parts = vec![(0, state_sign(scene)), (1, clock)];
    let inner = fit(parts, &scene.line().gap(2), u16::MAX);
    scene.line().gap(1).append(inner).gap(1)
}

fn clock_line<'s>(scene: &'s Scene<'_>, link: &Link) -> Line<'s> {
    words::clock(link, scene.now).map_or(scene.line(), |clock| {
        scene.pen.text(&clock, scene.theme().strong())
    })
}

/// `● open`
fn state_sign<'s>(scene: &'s Scene<'_>) -> Line<'s> {
    if let Some(file) = &scene.app.file {
        return super::file::standing(scene, file);
    }
    let symbols = scene.pen.symbols;
    let state = scene.app.state();
    let sign = match state {
        LinkState::Idle | LinkState::Closed => symbols.ended,
        LinkState::HalfClosed
        | LinkState::Waiting
        | LinkState::Resolving
        | LinkState::Connecting
        | LinkState::Handshaking => symbols.half,
        LinkState::Open | LinkState::Listening => symbols.state,
        LinkState::Failed => symbols.failed,
    };
    let style = scene.theme().state(state);
    let line = scene
        .line()
        .text(sign, style)
        .gap(1)
        .text(&state.to_string(), style);
    match scene.app.link.as_ref().and_then(words::unverified) {
        Some(warning) => line.gap(2).text(warning, scene.theme().warning()),
        None => line,
    }
}

/// What a window without room for titles says of the log: how many entries are new below, and that a filter is on.
fn below<'s>(scene: &'s Scene<'_>) -> Line<'s> {
    let position = scene.app.log_position(scene.records, scene.layout);
    let new = if position.following || position.new_below == 0 {
        String::new()
    } else {
        format!("{}{}", scene.pen.symbols.down, format::count(position.new_below))
    };
    let filtered = scene.app.filter.as_ref().map_or("", |_| "filtered");
    let words = [new.as_str(), filtered].map(|word| scene.pen.text(word, scene.theme().warning()));
    let parts = words.into_iter().map(|word| (0, word)).collect();
    fit(parts, &scene.line().gap(1), u16::MAX)
}
