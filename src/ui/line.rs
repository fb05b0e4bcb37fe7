//! One row of text in several styles, and the choice of what to leave out when it does not fit.

use ratatui::style::Style;

use super::symbols::Symbols;
use super::theme::Theme;
use crate::text::{Policy, Shown};

/// What every line needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) theme: Theme,
    pub(super) policy: Policy,
    pub(super) symbols: &'static Symbols,
}

impl Pen {
    /// A pen for a theme and a policy.
    pub(super) fn new(theme: Theme, policy: Policy) -> Pen {
        Pen {
            theme,
            policy,
            symbols: Symbols::of(policy),
        }
    }

    /// An empty line.
    pub(super) fn line(&self) -> Line<'_> {
        Line {
            pen: self,
            pieces: Vec::new(),
            cells: 0,
        }
    }

    /// A line of one style.
    pub(super) fn text(&self, text: &str, style: Style) -> Line<'_> {
        self.line().text(text, style)
    }
}

/// A part of a line.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) shown: Shown,
    pub(super) style: Style,
    pub(super) special: Style,
}

/// A row of text.
#[derive(Clone, Debug)]
pub(super) struct Line<'p> {
    pen: &'p Pen,
    pieces: Vec<Piece>,
    cells: u16,
}

impl<'p> Line<'p> {
    /// Adds text of any origin; it is encoded here.
    pub(super) fn text(self, text: &str, style: Style) -> Line<'p> {
        let shown = Shown::of(text, self.pen.policy);
        self.shown(shown, style)
    }

    /// Adds encoded text.
    pub(super) fn shown(mut self, shown: Shown, style: Style) -> Line<'p> {
        self.cells = self.cells.saturating_add(shown.cells());
        self.pieces.push(Piece {
            shown,
            style,
            special: self.pen.theme.special(),
        });
        self
    }

    /// Adds blanks.
    pub(super) fn gap(self, cells: usize) -> Line<'p> {
        const BLANKS: &str = "                                ";
        let rest = cells.saturating_sub(BLANKS.len());
        let line = self.text(&BLANKS[..cells.min(BLANKS.len())], Style::new());
        if rest > 0 { line.gap(rest) } else { line }
    }

    /// Adds the pieces of another line.
    pub(super) fn append(mut self, other: Line<'p>) -> Line<'p> {
        self.cells = self.cells.saturating_add(other.cells);
        self.pieces.extend(other.pieces);
        self
    }

    /// How many cells it takes.
    pub(super) fn cells(&self) -> u16 {
        self.cells
    }

    /// Its pieces, in order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// What stands at the end of a line that was cut.
    pub(super) fn cut_sign(&self) -> &'static str {
        self.pen.symbols.cut
    }
}

/// Joins parts with a separator; those with the highest rank are left out first until the rest fits. The part of the
/// lowest rank stays, whatever the width.
pub(super) fn fit<'p>(mut parts: Vec<(u8, Line<'p>)>, separator: &Line<'p>, width: u16) -> Line<'p> {
    parts.retain(|(_, line)| line.cells > 0);
    let total = |parts: &[(u8, Line<'p>)]| {
        let gaps = u32::from(separator.cells) * (parts.len().saturating_sub(1)) as u32;
        parts.iter().map(|(_, line)| u32::from(line.cells)).sum::<u32>() + gaps
    };
    while parts.len() > 1 && total(&parts) > u32::from(width) {
        // Of equal ranks the last one goes first.
        let worst = parts
            .iter()
            .enumerate()
            .max_by_key(|(at, (rank, _))| (*rank, *at));
        let Some((at, _)) = worst else { break };
        parts.remove(at);
    }
    let mut line = separator.pen.line();
    for (at, (_, part)) in parts.into_iter().enumerate() {
        if at > 0 {
            line = line.append(separator.clone());
        }
        line = line.append(part);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_least_is_left_out_first() {
        let pen = Pen::new(Theme::Plain, Policy::default());
        let check = |width: u16, expected: &str| {
            let part = |rank: u8, text: &str| (rank, pen.text(text, Style::new()));
            let parts = vec![part(1, "bb"), part(0, "aaa"), part(2, "cccc"), part(3, "")];
            let line = fit(parts, &pen.line().gap(1), width);
            let text: String = line
                .pieces()
                .iter()
                .map(|piece| piece.shown.to_string())
                .collect();
            assert_eq!(text, expected);
        };
        check(11, "bb aaa cccc");
        check(10, "bb aaa");
        check(5, "aaa");
        check(0, "aaa");
    }
}
