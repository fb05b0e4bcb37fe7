//! How a connection ends: the two FINs, resets, time-outs, errors; each recorded once and reported.

use std::io;

use nix::errno::Errno;
use tokio::time::Instant;

use crate::model::{End, EndHow, EntryKind, Link, LinkState, Side};
use crate::net::socket::Carries;
use crate::net::words;
use crate::text::format;

use super::{After, Half, Session};

impl Session<'_> {
    pub(super) fn finish(&mut self) {
        if self.ours == Half::Open {
            self.ours = Half::Ending;
        }
        self.write();
    }

    pub(super) fn fin(&mut self) {
        if self.carries == Carries::Datagrams {
            return self.end_silently();
        }
        let Some(channel) = &mut self.channel else { return };
        match channel.finish() {
            Ok(()) => {}
            // TLS's word for it waits for room; `write` comes back.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // Not connected any more: the reason arrives on the reading side.
            Err(error) if words::errno(&error) == Some(Errno::ENOTCONN) => {}
            Err(error) => return self.broken(&error),
        }
        self.ours = Half::Over;
        self.closing_from = Instant::now();
        self.half_over(Side::Local);
    }

    pub(super) fn peer_ended(&mut self) {
        self.theirs = Half::Over;
        if let Some(error) = self.reset.take() {
            return self.broken(&error);
        }
        self.half_over(Side::Peer);
        if !self.over && (self.shared.options.reconnect || self.after != After::Ended) {
            self.finish();
        }
    }

    /// The wire ended without TLS's word that this is the end.
    pub(super) fn peer_cut_off(&mut self) {
        self.truncated = true;
        let text = self.cut_short();
        let errno = None;
        self.journal
            .event(self.shared.clock.now(), EntryKind::Error { text, errno });
        self.peer_ended();
    }

    fn cut_short(&self) -> String {
        format!(
            "{} ended the connection without close_notify: what it sent may be cut short (RFC 8446 §6.1)",
            self.peer
        )
    }

    /// TLS cannot go on.
    pub(super) fn alerted(&mut self, by: Side, why: &str) {
        let end = End {
            by,
            how: EndHow::Alert,
            errno: None,
        };
        self.end(end, Some(format!("{} {why}", self.peer)));
    }

    /// Datagrams have no end that the peer could be told: answers may come for a while.
    pub(super) fn call_for_the_last(&mut self) {
        if self.last_call.is_none() {
            self.last_call = Some(Instant::now());
            self.note(format!(
                "datagrams have no end that the peer could be told: this ends when nothing has crossed for {}",
                format::took(super::silence::LAST_CALL)
            ));
            // Nothing more is sent: it only receives.
            self.report(|link| {
                link.state = LinkState::HalfClosed;
                link.first_fin.get_or_insert(Side::Local);
            });
        }
    }

    /// Closes the socket, of which the peer hears nothing.
    pub(super) fn end_silently(&mut self) {
        let end = End {
            by: Side::Local,
            how: EndHow::Close,
            errno: None,
        };
        self.end(end, None);
    }

    pub(super) fn half_over(&mut self, by: Side) {
        self.first_fin.get_or_insert(by);
        if self.ours == Half::Over && self.theirs == Half::Over {
            let (by, how) = if self.truncated {
                (Side::Peer, EndHow::Truncated)
            } else {
                (by, EndHow::Fin)
            };
            let errno = None;
            let reason = self.truncated.then(|| self.cut_short());
            return self.end(End { by, how, errno }, reason);
        }
        self.journal
            .event(self.shared.clock.now(), EntryKind::HalfClose { by });
        if self.failed.is_some() {
            return;
        }
        self.report(|link| {
            link.state = LinkState::HalfClosed;
            link.first_fin.get_or_insert(by);
        });
    }

    pub(super) fn error_behind_fin(&mut self) {
        let Some(channel) = &self.channel else { return };
        match channel.take_error() {
            Ok(Some(error)) | Err(error) => self.broken(&error),
            Ok(None) if channel.only_stamped() => {}
            Ok(None) => self.broken(&io::Error::from_raw_os_error(Errno::ECONNRESET as i32)),
        }
    }

    pub(super) fn broken(&mut self, error: &io::Error) {
        let errno = words::errno(error);
        let how = match errno {
            Some(Errno::ECONNRESET | Errno::EPIPE) => EndHow::Rst,
            Some(Errno::ETIMEDOUT) => EndHow::Timeout,
            Some(_) | None => EndHow::Os,
        };
        let by = if how == EndHow::Rst {
            Side::Peer
        } else {
            Side::Local
        };
        let end = End {
            by,
            how,
            errno: error.raw_os_error(),
        };
        let reason = if self.is_unix() {
            words::broken_unix(&self.peer, error)
        } else {
            words::broken(&self.peer, error)
        };
        self.end(end, Some(reason));
    }

    pub(super) fn is_unix(&self) -> bool {
        let channel = self.channel.as_ref();
        channel.is_some_and(|channel| channel.local().is_none())
    }

    pub(super) fn end(&mut self, end: End, reason: Option<String>) {
        if self.over {
            return;
        }
        self.drop_unsent();
        self.over = true;
        self.last_words();
        // The peer is told now, also where the file cannot be.
        if let Some(channel) = self.channel.take() {
            channel.close();
        }
        let at = self.shared.clock.now();
        if let (Some(text), EndHow::Timeout | EndHow::Alert | EndHow::Os) = (&reason, end.how) {
            self.journal.event(
                at,
                EntryKind::Error {
                    text: text.clone(),
                    errno: end.errno,
                },
            );
        }
        self.journal.event(at, EntryKind::Close(end));
        // Whoever said FIN first ended it; the second FIN only agrees.
        let by = if end.how == EndHow::Fin {
            self.first_fin.unwrap_or(end.by)
        } else {
            end.by
        };
        let failed = self.failed.take();
        let orderly = matches!(end.how, EndHow::Fin | EndHow::Close) && failed.is_none();
        let orderly = orderly || self.after != After::Ended;
        self.report(|link| {
            link.state = if orderly {
                LinkState::Closed
            } else {
                LinkState::Failed
            };
            link.end = Some(End { by, ..end });
            link.ended = Some(at);
            link.closing = None;
            link.reason = failed.or(reason);
        });
    }

    pub(super) fn drop_unsent(&mut self) {
        self.abandon_tls();
        let dropped = self.outbox.clear();
        if dropped > 0 {
            self.note(format!(
                "{} not sent: the connection ended first",
                format::size(dropped)
            ));
        }
    }

    pub(super) fn note(&mut self, text: String) {
        self.journal
            .event(self.shared.clock.now(), EntryKind::Note { text });
    }

    /// Reports a change together with what has crossed so far, so that no report is half old.
    pub(super) fn report(&self, change: impl FnOnce(&mut Link)) {
        let id = self.journal.connection();
        let recorder = self.shared.recorder_state(id, self.journal.state());
        self.shared.publish(|news| {
            if let Some(link) = news.link_mut(id) {
                link.sent = self.sent;
                link.received = self.received;
                link.unsent = self.outbox.unsent() + self.held();
                change(link);
            }
            news.recorder = recorder;
        });
    }
}
