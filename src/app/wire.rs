//! What crosses the connection in front, and what follows from that for what can be done.

use super::App;
use crate::model::{LinkState, Protocol, Timestamping};
use crate::text::{InputType, LineEnding};

/// What crosses the connection in front: it decides what some actions do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Wire {
    /// A stream of bytes, or messages over a connection, or nothing yet.
    #[default]
    Stream,
    /// Datagrams, each for itself: there is no FIN and no RST.
    Datagrams,
}

impl Wire {
    /// What a second Ctrl-D does.
    pub fn half_close(self) -> &'static str {
        match self {
            Wire::Stream => "Ctrl-D again to half-close (FIN)",
            Wire::Datagrams => "Ctrl-D again to end as soon as answers cease",
        }
    }

    /// Why nothing can be sent behind a half-close of ours.
    pub(super) fn only_receives(self) -> &'static str {
        match self {
            Wire::Stream => "you have sent FIN, so this connection only receives",
            Wire::Datagrams => "you have ended it, so it only receives, until answers cease",
        }
    }
}

impl App {
    /// What crosses the connection in front.
    pub fn wire(&self) -> Wire {
        match &self.link {
            Some(link) if link.endpoint.is_connectionless() => Wire::Datagrams,
            Some(_) | None => Wire::Stream,
        }
    }

    /// Whether the connection in front is live, but nothing can be sent over it any more: FIN was.
    pub fn only_receives(&self) -> bool {
        self.link.as_ref().is_some_and(|link| self.is_shut(link))
    }

    /// Whether a message may be empty: where messages have boundaries.
    pub(super) fn may_be_empty(&self) -> bool {
        let link = self.link.as_ref();
        link.is_some_and(|link| link.endpoint.protocol() == Protocol::Udp)
    }

    /// Whether Enter would send an empty message now.
    pub(super) fn sends_empty(&self) -> bool {
        let composer = &self.composer;
        let bare = composer.eol == LineEnding::None || composer.input == InputType::Hex;
        bare && composer.editor.is_empty() && self.may_be_empty() && self.state() == LinkState::Open
    }

    /// Whether time stamps are to be asked for: as the argument says, and without one, the other way round.
    pub(super) fn stamps_wanted(&self, argument: &str) -> Option<bool> {
        let state = self.link.as_ref().map(|link| &link.timestamping);
        match argument {
            "on" => Some(true),
            "off" => Some(false),
            "" => Some(state != Some(&Timestamping::On)),
            _ => None,
        }
    }
}
