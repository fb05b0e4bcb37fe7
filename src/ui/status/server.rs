//! The Status pane of a program that waits for connections, while all who have come are meant.

use super::details::{labelled, row};
use super::words;
use crate::model::{Direction, LinkState, Listening};
use crate::text::format;
use crate::ui::line::{Line, fit};
use crate::ui::scene::Scene;

/// Cells of the labels.
const LABEL: usize = 12;

/// Where it waits, and how many have come.
pub(super) fn first_row<'s>(scene: &'s Scene<'_>, listening: &Listening, width: u16) -> Line<'s> {
    let theme = scene.theme();
    let standing = standing(scene, listening);
    let open = scene.app.peers.live().count() as u64;
    let style = if open > 0 {
        theme.strong()
    } else {
        theme.secondary()
    };
    let peers = scene.pen.text(&format!("{} open", format::count(open)), style);
    let accepted = format!("{} accepted", format::count(listening.accepted));
    let unsent = scene
        .app
        .link
        .as_ref()
        .map_or(scene.line(), |link| super::unsent(scene, link));
    let parts = vec![
        (0, standing),
        (1, peers),
        (2, unsent),
        (3, scene.pen.text(&accepted, theme.secondary())),
    ];
    fit(parts, &scene.line().gap(3), width)
}

/// Where it waits, or why it does not.
pub(super) fn standing<'s>(scene: &'s Scene<'_>, listening: &Listening) -> Line<'s> {
    let theme = scene.theme();
    let (text, style) = match (listening.state, &listening.reason) {
        (LinkState::Failed, Some(reason)) => (reason.clone(), theme.error()),
        (LinkState::Listening, _) => (places(listening), ratatui::style::Style::new()),
        (LinkState::Closed, _) => ("no longer listening".to_owned(), theme.warning()),
        (
            LinkState::Idle
            | LinkState::Resolving
            | LinkState::Connecting
            | LinkState::Handshaking
            | LinkState::Open
            | LinkState::HalfClosed
            | LinkState::Failed
            | LinkState::Waiting,
            _,
        ) => (
            format!("about to listen at {}", listening.address),
            theme.secondary(),
        ),
    };
    scene.pen.text(&text, style)
}

/// Everything that is known, a line each.
pub(super) fn rows<'s>(scene: &'s Scene<'_>, listening: &Listening, width: u16) -> Vec<Line<'s>> {
    let app = scene.app;
    let mut rows = vec![row(scene, "address", &listening.address.to_string())];
    if let Some(target) = &listening.target {
        rows.push(row(scene, "target", &target.to_string()));
    }
    rows.push(
        labelled(scene, "state").text(&listening.state.to_string(), scene.theme().state(listening.state)),
    );
    if let Some(reason) = &listening.reason {
        rows.push(row(scene, "", reason));
    }
    for (number, place) in listening.bound.iter().enumerate() {
        rows.push(row(scene, if number == 0 { "bound to" } else { "" }, place));
    }
    if let Some(since) = listening.since {
        let until = listening.ended.unwrap_or(scene.now);
        rows.push(row(scene, "for", &format::clock(until.since(since))));
    }
    rows.extend(certificate(scene, listening, width));
    rows.push(scene.line());
    rows.push(row(
        scene,
        "open",
        &format::count(app.peers.live().count() as u64),
    ));
    rows.push(row(scene, "accepted", &format::count(listening.accepted)));
    let [sent, received] = app.peers.totals();
    rows.push(super::details::tally(scene, "sent", Direction::Sent, sent));
    rows.push(super::details::tally(
        scene,
        "received",
        Direction::Received,
        received,
    ));
    rows.extend(super::details::traffic(scene));
    rows.push(scene.line());
    rows.extend(super::details::recording(scene));
    rows
}

/// What those who connect get to see, with the whole fingerprint in any width.
fn certificate<'s>(scene: &'s Scene<'_>, listening: &Listening, width: u16) -> Vec<Line<'s>> {
    let Some(fingerprint) = &listening.fingerprint else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    if listening.self_signed {
        rows.push(row(scene, "certificate", "made on the spot"));
    }
    let room = usize::from(width).saturating_sub(LABEL);
    // In equal parts, each of whole pairs.
    let part = [64, 32, 16].into_iter().find(|part| *part <= room).unwrap_or(16);
    for (number, part) in fingerprint.as_bytes().chunks(part).enumerate() {
        let label = if number == 0 { "SHA-256" } else { "" };
        rows.push(row(scene, label, &String::from_utf8_lossy(part)));
    }
    rows
}

/// Where it waits really.
fn places(listening: &Listening) -> String {
    words::joined(&listening.bound)
}
