//! The signs that the program itself draws: lines, arrows, marks; in Unicode, and in seven bits for `--ascii`.
//! All of them are one cell wide.

use crate::app::{Key, KeyCode};
use crate::model::{Direction, EntryKind};
use crate::text::Policy;

/// A set of signs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Symbols {
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub top_left: &'static str,
    pub top_right: &'static str,
    pub bottom_left: &'static str,
    pub bottom_right: &'static str,
    pub tee_left: &'static str,
    pub tee_right: &'static str,
    pub tee_top: &'static str,
    pub tee_bottom: &'static str,
    pub to_right: &'static str,
    pub to_left: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub state: &'static str,
    pub half: &'static str,
    pub ended: &'static str,
    pub failed: &'static str,
    pub event: &'static str,
    pub hidden: &'static str,
    pub cut: &'static str,
    pub dot: &'static str,
    pub newline: &'static str,
    /// Before how much a figure varies.
    pub plus_minus: &'static str,
    pub thumb: &'static str,
    /// What a progress bar is filled with.
    pub done: &'static str,
    pub selected: &'static str,
    /// Before the number of an entry that the user marked.
    pub marked: &'static str,
    /// The keys up, down, left, right.
    pub arrow_keys: [&'static str; 4],
    /// From nothing to full.
    pub levels: [&'static str; 8],
    /// The ends of the room that a bar has.
    pub bar_ends: [&'static str; 2],
    /// What a bar is filled with that stands for something done, for something that failed, and for something else.
    pub bars: [&'static str; 3],
}

const UNICODE: Symbols = Symbols {
    horizontal: "─",
    vertical: "│",
    top_left: "╭",
    top_right: "╮",
    bottom_left: "╰",
    bottom_right: "╯",
    tee_left: "├",
    tee_right: "┤",
    tee_top: "┬",
    tee_bottom: "┴",
    to_right: "→",
    to_left: "←",
    up: "▲",
    down: "▼",
    state: "●",
    half: "◐",
    ended: "○",
    failed: "✗",
    event: "•",
    hidden: "•",
    cut: "…",
    dot: "·",
    newline: "⏎",
    plus_minus: "±",
    thumb: "┃",
    done: "━",
    selected: "▌",
    marked: "◆",
    arrow_keys: ["↑", "↓", "←", "→"],
    levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    bar_ends: ["▕", "▏"],
    bars: ["█", "▒", "░"],
};

const ASCII: Symbols = Symbols {
    horizontal: "-",
    vertical: "|",
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    tee_left: "+",
    tee_right: "+",
    tee_top: "+",
    tee_bottom: "+",
    to_right: ">",
    to_left: "<",
    up: "^",
    down: "v",
    state: "*",
    half: "%",
    ended: "o",
    failed: "x",
    event: "-",
    hidden: "*",
    cut: "~",
    dot: ".",
    newline: "$",
    plus_minus: "~",
    thumb: "#",
    done: "=",
    selected: ">",
    marked: "*",
    arrow_keys: ["Up", "Down", "Left", "Right"],
    levels: ["_", ".", ":", "-", "=", "+", "*", "#"],
    bar_ends: ["|", "|"],
    bars: ["#", "x", "."],
};

impl Symbols {
    /// The set for a policy.
    pub(super) fn of(policy: Policy) -> &'static Symbols {
        if policy.ascii { &ASCII } else { &UNICODE }
    }

    /// The arrow of a direction.
    pub(super) fn arrow(&self, direction: Direction) -> &'static str {
        match direction {
            Direction::Sent => self.to_right,
            Direction::Received => self.to_left,
        }
    }

    /// The mark before an entry's size or sentence.
    pub(super) fn mark(&self, kind: &EntryKind) -> &'static str {
        match kind {
            EntryKind::Data { direction } => self.arrow(*direction),
            EntryKind::Open { .. } => self.state,
            EntryKind::HalfClose { .. } => self.half,
            EntryKind::Close(_) => self.ended,
            EntryKind::Error { .. } | EntryKind::Gap { .. } => self.failed,
            EntryKind::Lookup(_) | EntryKind::Attempt(_) | EntryKind::Tls(_) | EntryKind::Note { .. } => {
                self.event
            }
        }
    }

    /// A key as a short hint: `^G`, `Alt-L`, `Enter`.
    pub(super) fn key(&self, key: Key) -> String {
        match (key.code, key.modifiers.ctrl, key.modifiers.alt) {
            (KeyCode::Char(c), true, false) => format!("^{}", c.to_ascii_uppercase()),
            _ => self.spelled(&key.to_string()),
        }
    }

    /// Names of keys, with arrows as words where arrows cannot be shown.
    pub(super) fn spelled(&self, keys: &str) -> String {
        let mut out = keys.to_owned();
        for (arrow, name) in ["↑", "↓", "←", "→"].into_iter().zip(self.arrow_keys) {
            out = out.replace(arrow, name);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_short() {
        let check = |key: Key, expected: &str| assert_eq!(UNICODE.key(key), expected);
        check(Key::ctrl('g'), "^G");
        check(Key::alt('l'), "Alt-L");
        check(Key::char('q'), "q");
        check(Key::plain(KeyCode::Enter), "Enter");
        check(Key::plain(KeyCode::Up), "↑");
        assert_eq!(ASCII.key(Key::plain(KeyCode::Left).with_alt()), "Alt-Left");
    }
}
