//! The list of conversations: who with whom, how much each way, since when.

use crate::app::List;
use crate::model::{Conversation, Direction};
use crate::text::format;
use crate::ui::canvas::Canvas;
use crate::ui::line::{Line, fit};
use crate::ui::scene::Scene;

/// Wide enough for two IPv6 addresses and the figures beside them.
const WIDTH: u16 = 140;

/// Draws the pop-up.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, list: List) {
    let count = scene.records.conversations();
    super::list(
        scene,
        canvas,
        ("Conversations", WIDTH),
        list,
        count,
        |page, width| {
            let shown = scene.records.conversation_page(page);
            shown
                .iter()
                .map(|conversation| line(scene, conversation, width))
                .collect()
        },
    );
}

fn line<'s>(scene: &'s Scene<'_>, conversation: &Conversation, width: u16) -> Line<'s> {
    let (theme, pen) = (scene.theme(), &scene.pen);
    let name = match (conversation.client, conversation.server) {
        (Some(client), Some(server)) => format!("{client} {} {server}", pen.symbols.to_right),
        (Some(_) | None, _) => conversation.name.clone(),
    };
    let number = format!("{:>3}", conversation.id.0);
    let protocol = conversation.protocol.to_string();
    let bytes = |direction: Direction, bytes: u64| {
        let text = format!("{} {}", pen.symbols.arrow(direction), format::size(bytes));
        pen.text(&text, theme.direction(direction))
    };
    let entries = match conversation.entries {
        1 => "1 entry".to_owned(),
        entries => format!("{} entries", format::count(entries)),
    };
    let started = format::time_of_day(conversation.started.0, scene.app.settings.zone.offset());
    let parts = vec![
        (0, pen.text(&number, theme.secondary())),
        (3, pen.text(&protocol, theme.secondary())),
        (0, pen.text(&name, theme.strong())),
        (1, bytes(Direction::Sent, conversation.sent)),
        (1, bytes(Direction::Received, conversation.received)),
        (2, pen.text(&entries, theme.secondary())),
        (4, pen.text(&started, theme.secondary())),
    ];
    fit(parts, &scene.line().gap(2), width)
}
