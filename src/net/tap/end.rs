//! How a relay ends: what either side did is passed on to the other as what it was, behind everything sent before.

use std::io;
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use tokio::time::Instant;

use super::pair::{Half, Pair, Whose, place};
use super::reset::{LOOK, is_on_its_way};
use crate::model::{Closing, End, EndHow, EntryKind, Link, LinkState, Side};
use crate::net::session::After;
use crate::net::words;
use crate::text::format;

/// The most batches in a row that are read from a side that nobody is left to hear: more than its buffers hold.
const ROUNDS: usize = 64;

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
        let closing = self.closing_from.is_some();
        if !closing && self.is_mixed() && self.ends.iter().any(|end| end.reading == Half::Over) {
            // Datagrams have no end of their own.
            self.last_call.get_or_insert(Instant::now());
            return;
        }
        let done = |end: &super::pair::End| end.reading == Half::Over && end.writing == Half::Over;
        if !self.ends.iter().all(done) {
            return;
        }
        if closing {
            return self.finish_now();
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

    /// A side that has sent FIN had an error after it.
    pub(super) fn error_behind_fin(&mut self, side: Side) {
        let end = self.end(side);
        if end.gone {
            return;
        }
        match end.channel.take_error() {
            Ok(Some(error)) | Err(error) => self.broken(side, &error),
            Ok(None) if end.channel.only_stamped() => {}
            Ok(None) => self.broken(side, &io::Error::from_raw_os_error(Errno::ECONNRESET as i32)),
        }
    }

    /// A side is gone, with a reset or an error. What it sent before has to arrive; then the other is reset too.
    pub(super) fn broken(&mut self, side: Side, error: &io::Error) {
        if !self.lose(side) {
            return;
        }
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
        // One that reads slowly gets the rest before the reset.
        self.reset_other(end, reason);
    }

    /// Nothing crosses a side any more. Records what the other has sent by now, though nobody is left to get it. Returns
    /// whether the other is still to be told.
    fn lose(&mut self, side: Side) -> bool {
        if self.over {
            return false;
        }
        let end = self.end(side);
        (end.reading, end.writing, end.gone) = (Half::Over, Half::Over, true);
        self.drop_ours(side);
        self.miss(side.other());
        self.drain(side.other());
        if self.resetting.is_some() {
            // Both are gone.
            self.flush(side);
        }
        if self.over || self.resetting.is_some() {
            return false;
        }
        self.end(side.other()).reading = Half::Over;
        true
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

    /// Records what a side has sent by now though it cannot be passed on any more. What it sends meanwhile may follow it.
    fn drain(&mut self, side: Side) {
        let end = self.end(side);
        let arrived = if end.channel.has_datagrams() {
            u64::MAX
        } else {
            rustix::io::ioctl_fionread(end.channel.options().as_fd()).unwrap_or(0)
        };
        let enough = self.crossed(side).saturating_add(arrived);
        for _ in 0..ROUNDS {
            let before = self.crossed(side);
            self.pump(side);
            let after = self.crossed(side);
            if self.over || after == before || after >= enough {
                return;
            }
        }
    }

    /// Bytes that a side has sent.
    fn crossed(&self, side: Side) -> u64 {
        match side {
            Side::Local => self.sent.bytes,
            Side::Peer => self.received.bytes,
        }
    }

    /// A side does not take any more. What it has sent is still read (Linux delivers it), and says how it ended.
    pub(super) fn write_failed(&mut self, side: Side, error: &io::Error) {
        let end = self.end(side);
        end.writing = Half::Over;
        end.gone = true;
        self.drop_ours(side);
        self.miss(side.other());
        let is_end = matches!(words::errno(error), Some(Errno::ECONNRESET | Errno::EPIPE));
        if self.end(side).reading == Half::Over || !is_end {
            return self.broken(side, error);
        }
        self.pump(side);
    }

    /// TLS cannot go on at a side. What it sent before has to arrive; then the other is reset.
    pub(super) fn alerted(&mut self, side: Side, by: Side, why: &str) {
        if !self.lose(side) {
            return;
        }
        let reason = format!("{} {why}", self.end(side).name);
        self.error(reason.clone(), None);
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

    /// The user ends both sides: with FIN, behind what waits to be written. What they send until they end too is recorded.
    pub(super) fn close(&mut self) {
        self.closing_from.get_or_insert(Instant::now());
        self.note("you closed both sides (FIN)".to_owned());
        for end in &mut self.ends {
            if end.channel.has_datagrams() {
                end.reading = Half::Over;
            }
            if end.writing == Half::Open {
                end.writing = Half::Ending;
            }
        }
        self.report(|link| link.closing = Some(Closing::End));
        self.flush(Side::Local);
        self.flush(Side::Peer);
    }

    /// The program ends: what is here is recorded and passed on as far as it can be, and both get FIN.
    pub(super) fn shut_down(&mut self) {
        for side in [Side::Local, Side::Peer] {
            self.pump(side);
        }
        if !self.over && self.closing_from.is_none() {
            self.close();
        }
        self.leave_when_taken();
    }

    /// While the program ends: nothing holds it up once both sides have all that was written to them.
    pub(super) fn leave_when_taken(&mut self) {
        if self.over || self.after != After::Stop || self.resetting.is_some() {
            return;
        }
        let taken = |end: &super::pair::End| end.writing == Half::Over && !is_on_its_way(end);
        if self.ends.iter().all(taken) {
            self.finish_now();
        } else {
            self.look_at = Some(Instant::now() + LOOK);
        }
    }

    /// The sides had their time to take what was written to them, and to end.
    pub(super) fn grace_is_over(&mut self) {
        let late = |end: &&super::pair::End| !end.gone && (end.writing != Half::Over || is_on_its_way(end));
        let names: Vec<String> = self
            .ends
            .iter()
            .filter(late)
            .map(|end| end.name.clone())
            .collect();
        let grace = format::took(self.grace());
        for name in names {
            self.note(format!(
                "{name} did not take all that was written to it within {grace}"
            ));
        }
        self.finish_now();
    }

    /// Ends both sides as they are.
    pub(super) fn finish_now(&mut self) {
        if self.over || self.reset_now() {
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
            self.miss(side.other());
            let end = self.end(side);
            if end.missed > 0 {
                let (lost, gone) = (
                    format::size(end.missed),
                    if end.gone { ", which was gone" } else { "" },
                );
                let text = format!("the last {lost} did not reach {}{gone}", end.name);
                self.note(text);
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
            link.closing = None;
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
