//! Moving bytes between the socket, the recorder and the outbox, a bounded batch at a time.

use std::io;

use nix::errno::Errno;
use tokio::io::{Interest, Ready};
use tokio::time::Instant;

use crate::capture::MAX_PAYLOAD;
use crate::model::{Direction, EntryKind};
use crate::net::channel::{Channel, Received};
use crate::net::socket::Carries;
use crate::net::tls::Fault;
use crate::net::words;
use crate::text::format;

use super::{Half, Session};

/// Reads or writes in a row before commands are looked at: a few milliseconds' worth at full speed.
const BATCH: usize = 32;

impl Session<'_> {
    pub(super) fn interest(&self) -> Option<Interest> {
        if self.over || self.journal.is_blocked() {
            return None;
        }
        let read = (self.theirs == Half::Open).then_some(Interest::READABLE);
        let of_tls = self.channel.as_ref().is_some_and(Channel::wants_write);
        let write = (of_tls || !self.outbox.is_empty()).then_some(Interest::WRITABLE);
        let error = (self.carries == Carries::Datagrams).then_some(Interest::ERROR);
        let data = match (read, write) {
            (Some(read), Some(write)) => read | write,
            // Behind the peer's FIN only an error can still arrive: a reset.
            (None, Some(write)) => write | Interest::ERROR,
            (None, None) => Interest::ERROR,
            (Some(read), None) => read,
        };
        Some(error.map_or(data, |error| data | error))
    }

    pub(super) fn transfer(&mut self, ready: Ready) {
        if self.is_shaking() {
            self.go_on_with_tls();
            return self.stop_if_full();
        }
        if ready.is_error() {
            self.gather_stamps();
        }
        if self.carries == Carries::Datagrams
            && ready.is_error()
            && let Some(error) = self.channel.as_ref().and_then(Channel::take_refusal)
        {
            if !self.is_only_of_one(&error) {
                return self.broken(&error);
            }
            self.datagram_failed(&error);
        }
        if ready.is_writable() || ready.is_write_closed() {
            self.write();
        }
        if self.theirs == Half::Open && !self.over {
            if ready.is_readable() || ready.is_read_closed() || ready.is_error() {
                self.read();
            }
        } else if ready.is_error() && !self.over {
            self.error_behind_fin();
        }
        self.go_on_with_tls();
        self.stop_if_full();
    }

    pub(super) fn read(&mut self) {
        for _ in 0..BATCH {
            if self.journal.is_blocked() {
                return;
            }
            match self.receive() {
                Ok(Received::End) if self.upgrade.is_some() => {
                    return self.ended_before_tls("ended the connection before TLS had begun");
                }
                Ok(Received::End) => return self.peer_ended(),
                Ok(Received::Cut) => return self.peer_cut_off(),
                Ok(Received::Bytes(count)) => {
                    self.tell_sender();
                    let at = self.shared.clock.now();
                    let entry = self.record_received(at, count);
                    self.stamp_received(entry, at);
                    self.received.count(count as u64, at);
                    self.last_byte = Instant::now();
                    if self.overheard(count) {
                        return;
                    }
                    self.tell_dropped();
                    self.tell_cut(count);
                }
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                // What ICMP says of one datagram is not the end of the others.
                Err(Fault::Io(error)) if self.is_only_of_one(&error) => self.datagram_failed(&error),
                Err(Fault::Io(error)) => return self.broken(&error),
                Err(Fault::Tls { by, why }) => return self.alerted(by, &why),
                // The handshake is over, so the channel says `Cut` itself.
                Err(Fault::Cut { .. }) => return self.peer_cut_off(),
            }
        }
        self.busy = true;
    }

    fn receive(&mut self) -> Result<Received, Fault> {
        match &mut self.channel {
            Some(channel) => channel.receive(&mut self.buffer),
            None => Err(Fault::Io(io::ErrorKind::WouldBlock.into())),
        }
    }

    pub(super) fn write(&mut self) {
        for _ in 0..BATCH {
            let most = match self.carries {
                Carries::Stream => MAX_PAYLOAD,
                Carries::Messages | Carries::Datagrams => usize::MAX,
            };
            let Some((bytes, recording)) = self.outbox.front(most) else {
                break;
            };
            let Some(channel) = self.channel.as_mut().filter(|_| !self.journal.is_blocked()) else {
                return;
            };
            let queued = channel.queued_at(self.shared.clock);
            match channel.send(bytes) {
                Ok(count) => {
                    let at = self.shared.clock.now();
                    let entry = self.journal.data(at, Direction::Sent, &bytes[..count], recording);
                    channel.stamp_sent(entry, at, queued);
                    self.sent.count(count as u64, at);
                    self.outbox.advance(count);
                    self.last_byte = Instant::now();
                    self.closing_from = self.last_byte;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.is_only_of_one(&error) => self.datagram_not_sent(&error),
                // A stream would have taken a part of it.
                Err(error) if self.is_too_large(&error) => self.datagram_not_sent(&error),
                Err(error) => return self.write_failed(error),
            }
        }
        if let Err(error) = self.channel.as_mut().map_or(Ok(()), Channel::flush)
            && error.kind() != io::ErrorKind::WouldBlock
        {
            return self.write_failed(error);
        }
        if self.ours == Half::Ending && self.outbox.is_empty() && self.upgrade.is_none() {
            self.fin();
        }
    }

    /// Says how many datagrams the kernel has dropped since this was said last.
    fn tell_dropped(&mut self) {
        let dropped = self.channel.as_mut().map_or(0, Channel::take_dropped);
        if dropped > 0 {
            let text = words::dropped(dropped);
            let errno = None;
            self.journal
                .event(self.shared.clock.now(), EntryKind::Error { text, errno });
        }
    }

    /// Says who sends, if that is somebody else than before.
    fn tell_sender(&mut self) {
        let sender = self.channel.as_mut().and_then(Channel::take_sender);
        if let Some(sender) = sender {
            self.note(format!("datagrams come from {}", sender.words()));
        }
    }

    /// Says that a message was larger than anything that is recorded.
    fn tell_cut(&mut self, count: usize) {
        let cut = self.channel.as_mut().map_or(0, Channel::take_cut);
        if cut > 0 {
            let text = format!(
                "the message had {} more bytes than the {} that one entry holds: they are lost",
                format::count(cut as u64),
                format::count(count as u64)
            );
            let errno = None;
            self.journal
                .event(self.shared.clock.now(), EntryKind::Error { text, errno });
        }
    }

    /// Whether an error is that of one datagram, and others may go through. A Unix socket whose peer has gone has none
    /// any more, also when another one takes its address.
    fn is_only_of_one(&self, error: &io::Error) -> bool {
        let gone = matches!(
            words::errno(error),
            Some(Errno::ECONNREFUSED | Errno::ECONNRESET | Errno::ENOTCONN | Errno::EPIPE)
        );
        self.carries == Carries::Datagrams && !(gone && self.is_unix())
    }

    /// Whether a message is larger than the socket takes.
    fn is_too_large(&self, error: &io::Error) -> bool {
        self.carries == Carries::Messages && words::errno(error) == Some(Errno::EMSGSIZE)
    }

    /// An error that came back for a datagram of before (RFC 1122 §4.1.3.3).
    fn datagram_failed(&mut self, error: &io::Error) {
        let text = if self.is_unix() {
            words::undelivered_unix(&self.peer, error)
        } else {
            words::undelivered(&self.peer, error)
        };
        let errno = error.raw_os_error();
        self.journal
            .event(self.shared.clock.now(), EntryKind::Error { text, errno });
    }

    /// A datagram was not taken: for the fault of an earlier one, and then it is tried again, or for its own.
    fn datagram_not_sent(&mut self, error: &io::Error) {
        self.datagram_failed(error);
        if words::errno(error) != Some(Errno::ECONNREFUSED) {
            let size = format::size(self.outbox.skip());
            self.note(format!("{size} not sent, for that reason"));
        }
    }

    /// A write error ends our direction; what the peer sent before is still read (Linux delivers it).
    pub(super) fn write_failed(&mut self, error: io::Error) {
        self.drop_unsent();
        self.ours = Half::Over;
        // Nothing is read any more, or comes from anybody.
        if self.theirs == Half::Over || self.carries == Carries::Datagrams {
            return self.broken(&error);
        }
        match words::errno(&error) {
            Some(Errno::ECONNRESET | Errno::EPIPE) => self.reset = Some(error),
            Some(_) | None => self.broken(&error),
        }
    }
}
