//! The Input pane: what is typed, with its type and line ending in the title; also the search in the history.

use std::ops::Range;

use super::canvas::Canvas;
use super::chrome;
use super::field::Field;
use super::line::{Line, fit};
use super::scene::Scene;
use crate::app::{App, Composer, HistorySearch, Overlay, Pane, Pending, Wire};
use crate::model::{LinkState, Recording, Side};
use crate::text::{InputType, LineEnding};

/// Cells of the prompt and the blank behind it.
const PROMPT: u16 = 2;

/// Draws the pane and its title; returns the cell of the cursor, if the pane has it.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> Option<(u16, u16)> {
    render_title(scene, canvas);
    if scene.layout.input.is_empty() {
        return None;
    }
    if let Some(Overlay::Search(search)) = &scene.app.overlay {
        return render_search(scene, canvas, search);
    }
    let focused = scene.focused(Pane::Input);
    let composer = &scene.app.composer;
    if composer.editor.is_empty() {
        render_prompt(scene, canvas, scene.layout.input.y, "> ");
        render_placeholder(scene, canvas);
        let at = (scene.layout.input.x + PROMPT, scene.layout.input.y);
        mark_missing(scene, canvas, at);
        return focused.then_some(at);
    }
    let cursor = render_lines(scene, canvas, composer);
    if focused { cursor } else { None }
}

fn render_title(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let theme = scene.theme();
    let composer = &scene.app.composer;
    let focused = scene.focused(Pane::Input);
    let option = |text: &str| scene.line().gap(1).text(text, theme.secondary()).gap(1);
    let mut parts = vec![
        (0, scene.line().gap(1).text("Input", theme.title(focused)).gap(1)),
        (1, option(&composer.input.to_string())),
    ];
    // The ending is never added to hex.
    if composer.input != InputType::Hex {
        parts.push((1, option(&ending(composer.eol))));
    }
    if composer.lines() > 1 {
        let at = format!(
            "line {} of {}",
            composer.editor.line() + 1,
            composer.editor.lines()
        );
        parts.push((2, option(&at)));
    }
    if let Some(secret) = &composer.secret {
        let text = match secret.recording {
            Recording::AsIs => "hidden",
            Recording::Masked => "hidden, masked in the file",
        };
        parts.push((1, scene.line().gap(1).text(text, theme.warning()).gap(1)));
    }
    if let Some(addressee) = scene.app.addressee() {
        // To send to the wrong side is worse than not to know the line end.
        parts.push((0, scene.line().gap(1).text(&addressee, theme.strong()).gap(1)));
    }
    let right = trouble(scene);
    let separator = scene.pen.text(scene.pen.symbols.horizontal, theme.frame(focused));
    let width = scene.layout.input_title.width.saturating_sub(right.cells() + 5);
    let left = fit(parts, &separator, width);
    chrome::title(scene, canvas, scene.layout.input_title, &left, &right);
}

fn ending(eol: LineEnding) -> String {
    match eol {
        LineEnding::None => "no line end".into(),
        LineEnding::Lf | LineEnding::CrLf | LineEnding::Cr | LineEnding::Nul => format!("+ {eol}"),
    }
}

/// What is wrong with the text, or what the next key will mean.
fn trouble<'s>(scene: &'s Scene<'_>) -> Line<'s> {
    let theme = scene.theme();
    let composer = &scene.app.composer;
    let line = scene.line().gap(1);
    if let Some(error) = &composer.error {
        return line.text(error.message, theme.error()).gap(1);
    }
    match composer.pending {
        Pending::None => scene.line(),
        Pending::Literal => line
            .text("the next key is inserted as its byte", theme.warning())
            .gap(1),
        Pending::HalfClose => line.text(scene.app.wire().half_close(), theme.warning()).gap(1),
        Pending::Command => line.text("Enter again sends it as text", theme.warning()).gap(1),
    }
}

fn render_lines(scene: &Scene<'_>, canvas: &mut Canvas<'_>, composer: &Composer) -> Option<(u16, u16)> {
    let area = scene.layout.input;
    let text = composer.editor.text();
    let hidden = composer.secret.is_some();
    let at = if hidden { 0 } else { composer.editor.line() };
    // The line of the cursor is the last one shown, unless it is in the first screenful.
    let top = (at + 1).saturating_sub(usize::from(area.height));
    let mistake = composer.error.as_ref().map(|error| error.at.clone());
    let mut cursor = None;
    let mut start = 0;
    // Hidden text is one line of dots, its line breaks included.
    let separator = if hidden { None } else { Some('\n') };
    for (number, line) in text.split(|c| Some(c) == separator).enumerate() {
        let here = start..start + line.len();
        start = here.end + 1;
        if number < top {
            continue;
        }
        let row = (number - top) as u16;
        if row >= area.height {
            break;
        }
        let y = area.y + row;
        render_prompt(
            scene,
            canvas,
            y,
            if number == 0 { "> " } else { scene.pen.symbols.dot },
        );
        let field = Field {
            text: line,
            cursor: (number == at).then(|| composer.editor.cursor().saturating_sub(here.start)),
            mistake: mistake.as_ref().and_then(|range| within(range, &here)),
            hidden,
        };
        let width = area.width.saturating_sub(PROMPT);
        let x = field.render(&scene.pen, canvas, (area.x + PROMPT, y), width);
        cursor = cursor.or(x.map(|x| (x, y)));
    }
    cursor
}

/// The part of a mistake that lies in a line, counted from the line's start.
fn within(mistake: &Range<usize>, line: &Range<usize>) -> Option<Range<usize>> {
    let touches = mistake.start <= line.end && mistake.end >= line.start;
    touches.then(|| {
        let end = mistake.end.min(line.end).saturating_sub(line.start);
        mistake.start.saturating_sub(line.start)..end
    })
}

fn render_prompt(scene: &Scene<'_>, canvas: &mut Canvas<'_>, y: u16, prompt: &'static str) {
    let area = scene.layout.input;
    let style = scene.theme().title(scene.focused(Pane::Input));
    canvas.line(
        (area.x, y),
        area.width.min(PROMPT),
        &scene.pen.text(prompt, style),
    );
}

/// What can be done here, while nothing is typed.
fn render_placeholder(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let area = scene.layout.input;
    let Some(text) = placeholder(scene.app) else {
        return;
    };
    let width = area.width.saturating_sub(PROMPT);
    canvas.line(
        (area.x + PROMPT, area.y),
        width,
        &scene.pen.text(text, scene.theme().secondary()),
    );
}

fn placeholder(app: &App) -> Option<&'static str> {
    // Somebody is there to send to, though all are in front.
    let state = if app.everybody().is_some() && !app.recipients().is_empty() {
        LinkState::Open
    } else {
        app.state()
    };
    match (state, app.composer.input) {
        (LinkState::HalfClosed, _) if app.only_receives() => Some(shut(app)),
        (LinkState::Open | LinkState::HalfClosed, InputType::Text) => Some("type a message, Enter sends it"),
        (LinkState::Open | LinkState::HalfClosed, InputType::Escaped) => {
            Some("type text with \\r \\n \\t \\0 \\xNN \\u{\u{2026}}, Enter sends it")
        }
        (LinkState::Open | LinkState::HalfClosed, InputType::Hex) => {
            Some("type hex digits, as in 50 49 4e 47 0d 0a")
        }
        (LinkState::Listening, InputType::Text | InputType::Escaped | InputType::Hex) => {
            Some(if app.peers.live().next().is_some() {
                shut(app)
            } else if app.peers.is_empty() {
                "nobody is connected yet"
            } else {
                "nobody is connected any more"
            })
        }
        (
            LinkState::Idle
            | LinkState::Resolving
            | LinkState::Connecting
            | LinkState::Handshaking
            | LinkState::Closed
            | LinkState::Failed
            | LinkState::Waiting,
            InputType::Text | InputType::Escaped | InputType::Hex,
        ) => None,
    }
}

/// Why nothing can be typed to whoever is live: FIN was sent there.
fn shut(app: &App) -> &'static str {
    match (app.wire(), app.side) {
        (Wire::Datagrams, _) => "you ended it and only receive now",
        (Wire::Stream, Side::Peer) if app.is_tap() => "nothing more can go to the server",
        (Wire::Stream, Side::Local) if app.is_tap() => "nothing more can go to the application",
        (Wire::Stream, Side::Peer | Side::Local) => "you sent FIN and only receive now",
    }
}

fn mark_missing(scene: &Scene<'_>, canvas: &mut Canvas<'_>, at: (u16, u16)) {
    if scene.app.composer.error.is_some() {
        canvas.symbol(at.0, at.1, "_", scene.theme().mistake());
    }
}

/// `search: get  >  GET /index.html`
fn render_search(scene: &Scene<'_>, canvas: &mut Canvas<'_>, search: &HistorySearch) -> Option<(u16, u16)> {
    let theme = scene.theme();
    let area = scene.layout.input;
    let label = scene.pen.text("history: ", theme.title(true));
    let x = area.x + canvas.line((area.x, area.y), area.width, &label);
    let room = (area.x + area.width).saturating_sub(x);
    // The query may take a third; what was found matters more.
    let query_room = (search.query.text().chars().count() as u16 + 1)
        .min(room / 3)
        .max(1)
        .min(room);
    let field = Field::new(search.query.text(), search.query.cursor());
    let cursor = field.render(&scene.pen, canvas, (x, area.y), query_room);
    let found = search.found.and_then(|at| scene.app.composer.history.line(at));
    let line = match found {
        Some(typed) => scene.pen.text(&typed.text, theme.strong()),
        None if search.query.is_empty() => scene.pen.text("type a part of a message", theme.secondary()),
        None => scene.pen.text("nothing like that was sent", theme.warning()),
    };
    let x = x + query_room + 1;
    let room = (area.x + area.width).saturating_sub(x);
    canvas.line((x, area.y), room, &line);
    cursor.map(|x| (x, area.y))
}
