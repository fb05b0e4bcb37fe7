//! The list of conversations: who with whom, how much each way, since when.

use crate::app::List;
use crate::model::{Conversation, Direction, LinkState};
use crate::text::format;
use crate::ui::canvas::Canvas;
use crate::ui::line::Line;
use crate::ui::scene::Scene;

/// Wide enough for two IPv6 addresses and the figures beside them.
const WIDTH: u16 = 140;

/// Cells between two columns.
const GAP: u16 = 2;

/// A column: what is left out first where not all fit, and on which side its cells stand.
struct Column {
    rank: u8,
    right: bool,
}

/// Number, protocol, ends, sent, received, entries, start.
const COLUMNS: [Column; 8] = [
    Column { rank: 1, right: true },
    Column {
        rank: 5,
        right: false,
    },
    Column {
        rank: 0,
        right: false,
    },
    // How it stands, while it is live.
    Column {
        rank: 1,
        right: false,
    },
    Column { rank: 2, right: true },
    Column { rank: 2, right: true },
    Column { rank: 3, right: true },
    Column {
        rank: 4,
        right: false,
    },
];

/// Draws the pop-up.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, list: List) {
    let count = scene.records.conversations();
    super::list(
        scene,
        canvas,
        (&title(scene), WIDTH),
        list,
        (1, count),
        |page, width| {
            let all = page.start == 0;
            let shown = scene
                .records
                .conversation_page(page.start.saturating_sub(1)..page.end.saturating_sub(1));
            let rows: Vec<_> = shown
                .iter()
                .map(|conversation| cells(scene, conversation))
                .collect();
            let widths = widths(&rows, width);
            let first = all.then(|| scene.pen.text("all of them", scene.theme().strong()));
            let rows = rows.into_iter().map(|row| aligned(scene, row, &widths));
            first.into_iter().chain(rows).collect()
        },
    );
}

/// What they are called here, as a title.
fn title(scene: &Scene<'_>) -> String {
    let name = scene.app.conversations_name();
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// How wide each column is; nothing for one that is left out.
fn widths(rows: &[[Line<'_>; COLUMNS.len()]], width: u16) -> [u16; COLUMNS.len()] {
    let widest = |column: usize| rows.iter().map(|row| row[column].cells()).max().unwrap_or(0);
    let mut widths: [u16; COLUMNS.len()] = std::array::from_fn(widest);
    let total = |widths: &[u16]| {
        let shown = widths.iter().filter(|width| **width > 0);
        shown.fold(0u32, |sum, width| sum + u32::from(width + GAP))
    };
    for rank in (1..=COLUMNS.iter().map(|column| column.rank).max().unwrap_or(0)).rev() {
        if total(&widths) <= u32::from(width + GAP) {
            break;
        }
        for (width, _) in widths
            .iter_mut()
            .zip(&COLUMNS)
            .filter(|(_, column)| column.rank == rank)
        {
            *width = 0;
        }
    }
    widths
}

fn aligned<'s>(
    scene: &'s Scene<'_>,
    row: [Line<'s>; COLUMNS.len()],
    widths: &[u16; COLUMNS.len()],
) -> Line<'s> {
    let mut line = scene.line();
    let shown = row.into_iter().zip(widths).zip(&COLUMNS);
    for ((cell, width), column) in shown.filter(|((_, width), _)| **width > 0) {
        if line.cells() > 0 {
            line = line.gap(usize::from(GAP));
        }
        let blanks = usize::from(width.saturating_sub(cell.cells()));
        line = if column.right {
            line.gap(blanks).append(cell)
        } else {
            line.append(cell).gap(blanks)
        };
    }
    line
}

fn cells<'s>(scene: &'s Scene<'_>, conversation: &Conversation) -> [Line<'s>; COLUMNS.len()] {
    let (theme, pen) = (scene.theme(), &scene.pen);
    let name = match (conversation.client(), conversation.server()) {
        (Some(client), Some(server)) => format!("{client} {} {server}", pen.symbols.to_right),
        (Some(_) | None, _) => conversation.name.clone(),
    };
    let bytes = |direction: Direction, bytes: u64| {
        let text = format!("{} {}", pen.symbols.arrow(direction), format::size(bytes));
        pen.text(&text, theme.direction(direction))
    };
    let entries = match conversation.entries {
        1 => "1 entry".to_owned(),
        entries => format!("{} entries", format::count(entries)),
    };
    let started = format::time_of_day(conversation.started.0, scene.app.settings.zone.offset());
    [
        pen.text(&format!("{:>3}", conversation.id.0), theme.secondary()),
        pen.text(&conversation.protocol.to_string(), theme.secondary()),
        pen.text(&name, theme.strong()),
        state(scene, conversation),
        bytes(Direction::Sent, conversation.sent),
        bytes(Direction::Received, conversation.received),
        pen.text(&entries, theme.secondary()),
        pen.text(&started, theme.secondary()),
    ]
}

/// How a connection stands that was accepted; nothing of others.
fn state<'s>(scene: &'s Scene<'_>, conversation: &Conversation) -> Line<'s> {
    let Some(listening) = &scene.app.listening else {
        return scene.line();
    };
    let state = match scene.app.peers.get(conversation.id) {
        Some(link) => link.state,
        None if conversation.id == listening.id => listening.state,
        // It was over so long ago that only the log knows.
        None => LinkState::Closed,
    };
    scene.pen.text(&state.to_string(), scene.theme().state(state))
}
