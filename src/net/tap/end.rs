//! How a relay ends: what either side did is passed on to the other as what it was, behind everything sent before.

use std::io;

use nix::errno::Errno;
use tokio::time::Instant;

use super::pair::{Half, Pair, Whose, place};
use crate::model::{End, EndHow, EntryKind, Link, LinkState, Side};
use crate::net::session::After;
use crate::net::words;
use crate::text::format;

impl Pair<'_> {
    /// A side sent FIN. The other is told once it has everything.
    pub(super) fn ended(&mut self, side: Side) {
        let end = self.end(side);
        end.reading = Half::Over;
        if end.gone {
            // What was written to it before has failed: it is gone altogether, and that was a reset.
            return self.broken(side, &io::Error::from_raw_os_error(Errno::ECONNRESET as i32));
        }
        if self.end(side.other()).reading == Half::Open {
            self.first_fin.get_or_insert(side);
            self.journal
                .event(self.shared.clock.now(), EntryKind::HalfClose { by: side });
            self.report(|link| {
                link.state = LinkState::HalfClosed;
                link.first_fin.get_or_insert(side);
            });
        }
        let other = self.end(side.other());
        if other.writing == Half::Open {
            other.writing = Half::Ending;
        }
        self.flush(side.other());
        self.end_if_both_have(side);
    }

    /// Tells a side that the other has finished.
    pub(super) fn pass_on_end(&mut self, side: Side) {
        let cut = self.end(side.other()).cut;
        let channel = &mut self.end(side).channel;
        if !channel.has_datagrams() {
            // To a side that speaks TLS it looks as it does from here.
            match if cut { channel.cut_off() } else { channel.finish() } {
                Ok(()) => {}
                // TLS's word for it waits for room.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // It is gone already: why arrives on the reading side.
                Err(error) if words::errno(&error) == Some(Errno::ENOTCONN) => {}
                Err(error) => return self.write_failed(side, &error),
            }
        }
        self.end(side).writing = Half::Over;
        self.end_if_both_have(side.other());
    }

    /// Both sides have finished, and both were told: it is over.
    fn end_if_both_have(&mut self, last: Side) {
        let [application, server] = &self.ends;
        let mixed = application.channel.has_datagrams() != server.channel.has_datagrams();
        if mixed && self.ends.iter().any(|end| end.reading == Half::Over) {
            // Datagrams have no end of their own.
            self.last_call.get_or_insert(Instant::now());
            return;
        }
        let done = |end: &super::pair::End| end.reading == Half::Over && end.writing == Half::Over;
        if !self.ends.iter().all(done) {
            return;
        }
        let cut = [Side::Local, Side::Peer]
            .into_iter()
            .find(|side| self.ends[place(*side)].cut);
        let (by, how) = match cut {
            Some(by) => (by, EndHow::Truncated),
            None => (self.first_fin.map_or(last, Side::other), EndHow::Fin),
        };
        let reason = cut.map(|side| self.cut_short(side));
        self.conclude(End { by, how, errno: None }, reason);
    }

    /// A side ended while TLS had not said that it would.
    pub(super) fn cut_short(&self, side: Side) -> String {
        format!(
            "{} ended the connection without close_notify: what it sent may be cut short (RFC 8446 §6.1)",
            self.ends[place(side)].name
        )
    }

    /// A side is gone, with a reset or an error. What it sent before has to arrive; then the other is reset too.
    pub(super) fn broken(&mut self, side: Side, error: &io::Error) {
        if self.over {
            return;
        }
        let end = self.end(side);
        (end.reading, end.writing) = (Half::Over, Half::Over);
        self.drop_ours(side);
        // What the other side has sent by now was received, though nobody is left to get it.
        self.drain(side.other());
        let how = match words::errno(error) {
            Some(Errno::ECONNRESET | Errno::EPIPE) => EndHow::Rst,
            Some(Errno::ETIMEDOUT) => EndHow::Timeout,
            Some(_) | None => EndHow::Os,
        };
        let reason = words::broken(&self.end(side).name, error);
        if how != EndHow::Rst {
            self.error(reason.clone(), error.raw_os_error());
        }
        let end = End {
            by: side,
            how,
            errno: error.raw_os_error(),
        };
        let other = self.end(side.other());
        other.reading = Half::Over;
        // One that reads slowly gets the rest before the reset.
        self.reset_other(end, reason);
    }

    /// What the user sends to a side that is gone reaches nobody.
    fn drop_ours(&mut self, side: Side) {
        let end = self.end(side);
        end.offered = Whose::Theirs;
        let dropped = end.outbox.clear();
        if dropped > 0 {
            self.note(format!(
                "{} of yours not sent: that side ended first",
                format::size(dropped)
            ));
        }
    }

    /// Records what a side has sent though it cannot be passed on any more.
    fn drain(&mut self, side: Side) {
        let unwanted = |pair: &mut Self| {
            let end = pair.end(side);
            let count = end.pending.len() as u64;
            (end.pending, end.whole) = (0..0, false);
            count
        };
        let mut lost = unwanted(self);
        let before = match side {
            Side::Local => self.sent.bytes,
            Side::Peer => self.received.bytes,
        };
        self.pump(side);
        let after = match side {
            Side::Local => self.sent.bytes,
            Side::Peer => self.received.bytes,
        };
        lost += after - before;
        unwanted(self);
        if lost > 0 {
            let name = self.end(side.other()).name.clone();
            self.note(format!(
                "the last {} did not reach {name}, which was gone",
                format::size(lost)
            ));
        }
    }

    /// A side does not take any more. What it has sent is still read (Linux delivers it), and says how it ended.
    pub(super) fn write_failed(&mut self, side: Side, error: &io::Error) {
        let end = self.end(side);
        end.writing = Half::Over;
        end.gone = true;
        self.drop_ours(side);
        let is_end = matches!(words::errno(error), Some(Errno::ECONNRESET | Errno::EPIPE));
        if self.end(side).reading == Half::Over || !is_end {
            return self.broken(side, error);
        }
        self.pump(side);
    }

    /// TLS cannot go on at a side. What it sent before has to arrive; then the other is reset.
    pub(super) fn alerted(&mut self, side: Side, by: Side, why: &str) {
        if self.over {
            return;
        }
        let reason = format!("{} {why}", self.end(side).name);
        self.error(reason.clone(), None);
        let end = self.end(side);
        (end.reading, end.writing) = (Half::Over, Half::Over);
        self.drop_ours(side);
        self.drain(side.other());
        self.end(side.other()).reading = Half::Over;
        // As TLS tells it, `Local` is this program.
        let how = match by {
            Side::Local => EndHow::Tap,
            Side::Peer => EndHow::Alert,
        };
        let end = End {
            by: side,
            how,
            errno: None,
        };
        self.reset_other(end, reason);
    }

    /// The user ends both sides: with FIN, behind what waits to be written.
    pub(super) fn close(&mut self) {
        self.note("you closed both sides (FIN)".to_owned());
        for side in [Side::Local, Side::Peer] {
            self.end(side).reading = Half::Over;
            let other = self.end(side.other());
            if other.writing == Half::Open {
                other.writing = Half::Ending;
            }
        }
        self.flush(Side::Local);
        self.flush(Side::Peer);
    }

    /// The program ends: what is here is recorded and passed on as far as it can be, and both get FIN.
    pub(super) fn shut_down(&mut self) {
        for side in [Side::Local, Side::Peer] {
            self.pump(side);
        }
        if !self.over {
            self.close();
        }
        self.finish_now("");
    }

    /// Ends both sides as they are.
    pub(super) fn finish_now(&mut self, remark: &str) {
        if self.over {
            return;
        }
        if !remark.is_empty() {
            self.note(remark.to_owned());
        }
        if self.reset_now() {
            return;
        }
        let end = End {
            by: Side::Local,
            how: EndHow::Tap,
            errno: None,
        };
        self.conclude(end, None);
    }

    pub(super) fn stop_if_full(&mut self) {
        if self.over {
            return;
        }
        if let Some(reason) = self.journal.must_stop().map(str::to_owned) {
            self.after = After::Full;
            let end = End {
                by: Side::Local,
                how: EndHow::Tap,
                errno: None,
            };
            self.conclude(end, Some(reason));
        }
    }

    /// It is over.
    pub(super) fn conclude(&mut self, end: End, reason: Option<String>) {
        if self.over {
            return;
        }
        self.over = true;
        for side in [Side::Local, Side::Peer] {
            let lost = self.end(side).pending.len() as u64;
            if lost > 0 {
                let name = self.end(side.other()).name.clone();
                self.note(format!("the last {} did not reach {name}", format::size(lost)));
            }
        }
        let at = self.shared.clock.now();
        self.journal.event(at, EntryKind::Close(end));
        let by = match end.how {
            EndHow::Fin => self.first_fin.unwrap_or(end.by),
            EndHow::Rst
            | EndHow::Timeout
            | EndHow::Truncated
            | EndHow::Alert
            | EndHow::Close
            | EndHow::Tap
            | EndHow::Os => end.by,
        };
        let orderly = matches!(end.how, EndHow::Fin | EndHow::Close) || self.after == After::Closed;
        self.report(|link| {
            link.state = if orderly {
                LinkState::Closed
            } else {
                LinkState::Failed
            };
            link.end = Some(End { by, ..end });
            link.ended = Some(at);
            link.reason = reason;
        });
    }

    pub(super) fn note(&mut self, text: String) {
        self.journal
            .event(self.shared.clock.now(), EntryKind::Note { text });
    }

    /// Reports a change together with what has crossed so far.
    pub(super) fn report(&self, change: impl FnOnce(&mut Link)) {
        let id = self.journal.connection();
        let recorder = self.shared.recorder_state(id, self.journal.state());
        let unsent = self.ends.iter().map(|end| end.outbox.unsent()).sum();
        self.shared.publish(|news| {
            if let Some(link) = news.link_mut(id) {
                link.sent = self.sent;
                link.received = self.received;
                link.unsent = unsent;
                change(link);
            }
            news.recorder = recorder;
        });
    }
}
