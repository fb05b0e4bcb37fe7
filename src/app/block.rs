//! The blocks of the Status pane when it has the whole window: which one it begins with, where not all have room.

use super::actions::Scroll;

/// A block of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Block {
    /// Addresses, state, what crossed, the recording.
    #[default]
    Connection,
    /// How it came about: the connect waterfall.
    Dial,
    /// What the kernel says.
    Kernel,
    /// The options of the socket.
    Options,
}

impl Block {
    /// All of them, from the top.
    pub const ALL: [Block; 4] = [Block::Connection, Block::Dial, Block::Kernel, Block::Options];

    /// The block after one move.
    #[must_use]
    pub(super) fn scrolled(self, scroll: Scroll) -> Block {
        let [first, .., last] = Block::ALL;
        match (scroll, self) {
            (Scroll::First, _) => first,
            (Scroll::Last, _) => last,
            (Scroll::Down | Scroll::HalfPageDown | Scroll::PageDown, Block::Connection) => Block::Dial,
            (Scroll::Down | Scroll::HalfPageDown | Scroll::PageDown, Block::Dial) => Block::Kernel,
            (Scroll::Down | Scroll::HalfPageDown | Scroll::PageDown, Block::Kernel | Block::Options) => {
                Block::Options
            }
            (Scroll::Up | Scroll::HalfPageUp | Scroll::PageUp, Block::Options) => Block::Kernel,
            (Scroll::Up | Scroll::HalfPageUp | Scroll::PageUp, Block::Kernel) => Block::Dial,
            (Scroll::Up | Scroll::HalfPageUp | Scroll::PageUp, Block::Dial | Block::Connection) => {
                Block::Connection
            }
        }
    }
}
