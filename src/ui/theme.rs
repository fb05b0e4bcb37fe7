//! Colours and modifiers by role. Sixteen ANSI colours on the terminal's own background, so that dark and light
//! terminals both work; no role is told by colour alone. Deliberately absent: where anything is drawn.

use ratatui::style::{Color, Modifier, Style};

use crate::app::Severity;
use crate::model::{Direction, EntryKind, LinkState};
use crate::text::ByteClass;

/// How roles look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The sixteen colours that every terminal's own palette defines.
    #[default]
    Ansi,
    /// Modifiers only, for `NO_COLOR` (<https://no-color.org>).
    Plain,
}

impl Theme {
    /// The lines around panes.
    pub fn frame(self, focused: bool) -> Style {
        if focused {
            self.coloured(Color::Cyan)
        } else {
            dim()
        }
    }

    /// The name of a pane.
    pub fn title(self, focused: bool) -> Style {
        if focused {
            self.coloured(Color::Cyan).add_modifier(Modifier::BOLD)
        } else {
            Style::new()
        }
    }

    /// The name of the program.
    pub fn brand(self) -> Style {
        bold()
    }

    /// What is worth more than the text around it.
    pub fn strong(self) -> Style {
        bold()
    }

    /// What is worth less than the text around it.
    pub fn secondary(self) -> Style {
        dim()
    }

    /// A key in a hint.
    pub fn key(self) -> Style {
        self.coloured(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// Bytes that went one way: arrow, size, tally.
    pub fn direction(self, direction: Direction) -> Style {
        match direction {
            Direction::Sent => self.sent(),
            Direction::Received => self.received(),
        }
    }

    /// What we sent.
    pub fn sent(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// What we received.
    pub fn received(self) -> Style {
        self.coloured(Color::Green)
    }

    /// What the user added: marks and comments.
    pub fn comment(self) -> Style {
        self.coloured(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Our own sign for something that cannot be shown. Nothing else may look like it, so that a peer that sends
    /// the literal text of an escape can be told apart.
    pub fn special(self) -> Style {
        self.coloured(Color::Magenta).add_modifier(Modifier::ITALIC)
    }

    /// A byte of a hexdump.
    pub fn byte(self, class: ByteClass) -> Style {
        match class {
            ByteClass::Nul => dim(),
            ByteClass::Printable => Style::new(),
            ByteClass::Space => self.coloured(Color::Green),
            ByteClass::Control => self.coloured(Color::Magenta),
            ByteClass::High => self.coloured(Color::Yellow),
        }
    }

    /// The state of a connection.
    pub fn state(self, state: LinkState) -> Style {
        let style = match state {
            LinkState::Idle | LinkState::Closed => Style::new(),
            LinkState::Open | LinkState::Listening => self.coloured(Color::Green),
            LinkState::Resolving
            | LinkState::Connecting
            | LinkState::Handshaking
            | LinkState::HalfClosed
            | LinkState::Waiting => self.coloured(Color::Yellow),
            LinkState::Failed => self.coloured(Color::Red),
        };
        style.add_modifier(Modifier::BOLD)
    }

    /// The mark of an event in the log.
    pub fn event(self, kind: &EntryKind) -> Style {
        match kind {
            EntryKind::Data { direction } => self.direction(*direction).add_modifier(Modifier::BOLD),
            EntryKind::Open { .. } => self.coloured(Color::Green).add_modifier(Modifier::BOLD),
            EntryKind::HalfClose { .. } | EntryKind::Close(_) | EntryKind::Gap { .. } => self.warning(),
            EntryKind::Error { .. } => self.error(),
            EntryKind::Tls(report) if report.doubt().is_some() => self.warning(),
            EntryKind::Lookup(_) | EntryKind::Attempt(_) | EntryKind::Tls(_) | EntryKind::Note { .. } => {
                dim()
            }
        }
    }

    /// The selected line of a list, or the selected entry of the log. Reversed colours would be a patchwork, so it
    /// takes the colours away.
    pub fn selected(self) -> Style {
        let plain = Style::new()
            .fg(Color::Reset)
            .remove_modifier(Modifier::DIM | Modifier::ITALIC);
        plain.add_modifier(Modifier::REVERSED)
    }

    /// What was searched for.
    pub fn hit(self) -> Style {
        match self {
            Theme::Ansi => Style::new()
                .fg(Color::Black)
                .bg(Color::Yellow)
                .remove_modifier(Modifier::DIM | Modifier::ITALIC),
            Theme::Plain => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// Something to notice.
    pub fn warning(self) -> Style {
        self.coloured(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Something that failed.
    pub fn error(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// The part of a typed text that is wrong.
    pub fn mistake(self) -> Style {
        self.error().add_modifier(Modifier::UNDERLINED)
    }

    /// The banner over everything while the session file takes nothing.
    pub fn banner(self) -> Style {
        self.error().add_modifier(Modifier::REVERSED)
    }

    /// A notice in the footer.
    pub fn notice(self, severity: Severity) -> Style {
        match severity {
            Severity::Info => bold(),
            Severity::Warning => self.warning(),
            Severity::Error => self.error(),
        }
    }

    fn coloured(self, colour: Color) -> Style {
        match self {
            Theme::Ansi => Style::new().fg(colour),
            Theme::Plain => Style::new(),
        }
    }
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_what_matters_still_stands_out() {
        let plain = Theme::Plain;
        let marked = [
            plain.title(true),
            plain.special(),
            plain.selected(),
            plain.warning(),
            plain.error(),
            plain.mistake(),
            plain.banner(),
            plain.state(LinkState::Failed),
        ];
        for style in marked {
            assert!(matches!(style.fg, None | Some(Color::Reset)) && style.bg.is_none());
            assert!(!style.add_modifier.is_empty());
        }
        assert_ne!(plain.title(true), plain.title(false));
        assert_ne!(plain.mistake(), plain.error());
    }

    #[test]
    fn no_role_sets_a_background() {
        for state in [LinkState::Open, LinkState::Failed, LinkState::Waiting] {
            assert_eq!(Theme::Ansi.state(state).bg, None);
        }
        assert_eq!(Theme::Ansi.banner().bg, None);
        assert_eq!(Theme::Ansi.selected().bg, None);
    }
}
