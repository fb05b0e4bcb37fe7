//! Moving bytes from one side to the other: read, record, write all, and only then read again.

use std::io;

use tokio::io::{Interest, Ready};
use tokio::time::Instant;

use super::pair::{Half, Pair, Whose, place};
use crate::capture::MAX_PAYLOAD;
use crate::model::{Direction, EntryKind, Side, Tally, Timestamp};
use crate::net::channel::Received;
use crate::net::tls::Fault;
use crate::net::words;
use crate::text::format;

/// Bytes in a row before the other side and commands are looked at: a few milliseconds' worth at full speed.
const BATCH: usize = 2 << 20;

/// Reads in a row.
const READS: usize = 32;

impl Pair<'_> {
    /// What is worth waiting for at a side.
    pub(super) fn interest(&self, side: Side) -> Option<Interest> {
        if self.over || self.journal.is_blocked() {
            return None;
        }
        let end = &self.ends[place(side)];
        let from = &self.ends[place(side.other())];
        let reads = end.reading == Half::Open && !end.holds() && !from.is_mid_message();
        let writes = end.writing != Half::Over
            && (from.holds()
                || !end.outbox.is_empty()
                || end.channel.wants_write()
                || end.writing == Half::Ending);
        // Behind its FIN only an error can still arrive: a reset.
        let breaks = end.reading == Half::Over && !end.gone && !end.channel.has_datagrams();
        let wanted = [
            reads.then_some(Interest::READABLE),
            writes.then_some(Interest::WRITABLE),
            breaks.then_some(Interest::ERROR),
        ];
        wanted.into_iter().flatten().reduce(|all, one| all | one)
    }

    /// Does what a side is ready for.
    pub(super) fn transfer(&mut self, side: Side, ready: Ready) {
        if ready.is_writable() || ready.is_write_closed() || ready.is_error() {
            self.flush(side);
        }
        if self.end(side).reading == Half::Open {
            if ready.is_readable() || ready.is_read_closed() || ready.is_error() {
                self.pump(side);
            }
        } else if ready.is_error() {
            self.error_behind_fin(side);
        }
        self.stop_if_full();
    }

    /// Reads from a side, a bounded batch, as long as the other takes what was read before.
    pub(super) fn pump(&mut self, side: Side) {
        let mixed = self.is_mixed();
        let mut read = 0;
        for _ in 0..READS {
            let (end, to) = (&self.ends[place(side)], &self.ends[place(side.other())]);
            let may_read = end.reading == Half::Open && !end.holds() && !to.is_mid_message();
            if !may_read || self.over || self.journal.is_blocked() {
                return;
            }
            if read >= BATCH {
                break;
            }
            let end = self.end(side);
            match end.channel.receive(&mut end.buffer) {
                Ok(Received::Bytes(0)) if mixed => {
                    let name = &self.ends[place(side)].name;
                    self.note(format!(
                        "{name} sent an empty datagram: a stream has none, so nothing is passed on"
                    ));
                }
                Ok(Received::Bytes(count)) => {
                    read += count;
                    end.pending = 0..count;
                    end.whole = end.channel.has_datagrams();
                    self.tell_dropped(side);
                    self.record(side, count);
                    self.pass_on(side);
                }
                Ok(Received::End) => return self.ended(side),
                Ok(Received::Cut) => {
                    self.error(self.cut_short(side), None);
                    self.end(side).cut = true;
                    return self.ended(side);
                }
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                // What ICMP says of one datagram is not the end of the others.
                Err(Fault::Io(error)) if end.channel.has_datagrams() => {
                    let text = words::undelivered(&end.name, &error);
                    self.error(text, error.raw_os_error());
                }
                Err(Fault::Io(error)) => return self.broken(side, &error),
                Err(Fault::Cut { why }) => return self.alerted(side, side, &why),
                Err(Fault::Tls { by, why }) => return self.alerted(side, by, &why),
            }
        }
        self.busy = true;
    }

    /// Writes to the other side what was read from this one and recorded. What is not in the file yet waits for that.
    fn pass_on(&mut self, side: Side) {
        if self.journal.is_blocked() {
            return;
        }
        if self.end(side.other()).writing == Half::Open {
            self.flush(side.other());
        } else {
            self.miss(side);
        }
    }

    /// What was read from a side cannot reach the other any more.
    pub(super) fn miss(&mut self, side: Side) {
        let end = self.end(side);
        let count = end.pending.len() as u64;
        (end.pending, end.whole) = (0..0, false);
        self.end(side.other()).missed += count;
    }

    /// Says how many datagrams of a side the kernel has dropped since this was said last.
    fn tell_dropped(&mut self, side: Side) {
        let end = self.end(side);
        let dropped = end.channel.take_dropped();
        if dropped > 0 {
            let text = format!("of {} {}", end.name, words::dropped(dropped));
            self.error(text, None);
        }
    }

    /// Records what was just read from a side.
    fn record(&mut self, side: Side, count: usize) {
        let at = self.shared.clock.now();
        let direction = side.direction();
        let bytes = self.ends[place(side)].buffer.get(..count).unwrap_or_default();
        self.journal.stream(at, direction, bytes);
        let messages = if self.ends[place(side)].channel.has_datagrams() {
            1
        } else {
            count.div_ceil(MAX_PAYLOAD)
        };
        self.count(direction, messages as u64, count as u64, at);
    }

    fn count(&mut self, direction: Direction, messages: u64, bytes: u64, at: Timestamp) {
        let tally: &mut Tally = match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        };
        tally.add(messages, bytes, at);
        self.last_byte = Instant::now();
    }

    /// Writes to a side what the other has sent and what the user has, until it takes no more.
    pub(super) fn flush(&mut self, side: Side) {
        loop {
            let (to, from) = (&self.ends[place(side)], &self.ends[place(side.other())]);
            if to.writing == Half::Over {
                self.pass_on_reset(side);
                return;
            }
            if self.journal.is_blocked() {
                return;
            }
            // A message of the user goes between two chunks of the relay, never into one; and whole.
            let ours = if to.channel.is_sending() {
                to.offered == Whose::Ours
            } else {
                to.is_mid_message() || (!from.holds() && !to.outbox.is_empty())
            };
            let written = if ours {
                self.write_ours(side)
            } else if from.holds() {
                self.write_theirs(side)
            } else {
                return self.settle(side);
            };
            match written {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.end(side).channel.has_datagrams() => self.not_sent(side, &error),
                Err(error) => return self.write_failed(side, &error),
            }
        }
    }

    /// Writes to a side some of what the user sends to it, and records that.
    fn write_ours(&mut self, side: Side) -> io::Result<()> {
        let to = &mut self.ends[place(side)];
        to.offered = Whose::Ours;
        let most = if to.channel.has_datagrams() {
            usize::MAX
        } else {
            MAX_PAYLOAD
        };
        let Some((bytes, recording)) = to.outbox.front(most) else {
            return Ok(());
        };
        let count = to.channel.send(bytes)?;
        let at = self.shared.clock.now();
        let direction = side.other().direction();
        self.journal.injected(at, direction, &bytes[..count], recording);
        to.outbox.advance(count);
        self.count(direction, 1, count as u64, at);
        Ok(())
    }

    /// Writes to a side some of what the other has sent, which is recorded already.
    fn write_theirs(&mut self, side: Side) -> io::Result<()> {
        let [application, server] = &mut self.ends;
        let (to, from) = match side {
            Side::Local => (application, server),
            Side::Peer => (server, application),
        };
        to.offered = Whose::Theirs;
        let bytes = from.buffer.get(from.pending.clone()).unwrap_or_default();
        // An empty datagram says nothing in a stream.
        if !bytes.is_empty() || to.channel.has_datagrams() {
            from.pending.start += to.channel.send(bytes)?;
        }
        from.whole = false;
        Ok(())
    }

    /// Everything is written: what TLS has to say goes, and the end, if there is one.
    fn settle(&mut self, side: Side) {
        let end = self.end(side);
        match end.channel.flush() {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => return self.write_failed(side, &error),
        }
        if !self.pass_on_reset(side) && self.end(side).writing == Half::Ending {
            self.pass_on_end(side);
        }
    }

    /// A datagram was not taken, for its own fault or for that of an earlier one.
    fn not_sent(&mut self, side: Side, error: &io::Error) {
        let end = self.end(side);
        let text = words::undelivered(&end.name, error);
        let is_earlier = words::errno(error) == Some(nix::errno::Errno::ECONNREFUSED);
        let skipped = if is_earlier {
            None
        } else if end.outbox.is_empty() {
            let from = self.end(side.other());
            let skipped = from.pending.len() as u64;
            (from.pending, from.whole) = (0..0, false);
            Some(skipped)
        } else {
            Some(end.outbox.skip())
        };
        self.error(text, error.raw_os_error());
        if let Some(bytes) = skipped {
            let bytes = format::size(bytes);
            self.note(format!("{bytes} not passed on, for that reason"));
        }
    }

    pub(super) fn error(&mut self, text: String, errno: Option<i32>) {
        self.journal
            .event(self.shared.clock.now(), EntryKind::Error { text, errno });
    }
}
