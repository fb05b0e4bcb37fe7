//! Moving bytes between the socket, the recorder and the outbox, a bounded batch at a time.

use std::io;

use nix::errno::Errno;
use tokio::io::{Interest, Ready};
use tokio::time::Instant;

use crate::model::{Direction, Recording, Tally, Timestamp};
use crate::net::channel::{Channel, Received};
use crate::net::tls::Fault;
use crate::net::words;

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
        match (read, write) {
            (Some(read), Some(write)) => Some(read | write),
            // Behind the peer's FIN only an error can still arrive: a reset.
            (None, Some(write)) => Some(write | Interest::ERROR),
            (None, None) => Some(Interest::ERROR),
            (read, None) => read,
        }
    }

    pub(super) fn transfer(&mut self, ready: Ready) {
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
        self.stop_if_full();
    }

    pub(super) fn read(&mut self) {
        for _ in 0..BATCH {
            if self.journal.is_blocked() {
                return;
            }
            match self.receive() {
                Ok(Received::End) => return self.peer_ended(),
                Ok(Received::Cut) => return self.peer_cut_off(),
                Ok(Received::Bytes(count)) => {
                    let at = self.shared.clock.now();
                    let bytes = &self.buffer[..count];
                    self.journal.data(at, Direction::Received, bytes, Recording::AsIs);
                    count_in(&mut self.received, count, at);
                    self.last_byte = Instant::now();
                }
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(Fault::Io(error)) => return self.broken(&error),
                Err(Fault::Tls { by, why }) => return self.alerted(by, &why),
            }
        }
    }

    fn receive(&mut self) -> Result<Received, Fault> {
        match &mut self.channel {
            Some(channel) => channel.receive(&mut self.buffer),
            None => Err(Fault::Io(io::ErrorKind::WouldBlock.into())),
        }
    }

    pub(super) fn write(&mut self) {
        for _ in 0..BATCH {
            let Some((bytes, recording)) = self.outbox.front() else {
                break;
            };
            let Some(channel) = self.channel.as_mut().filter(|_| !self.journal.is_blocked()) else {
                return;
            };
            match channel.send(bytes) {
                Ok(count) => {
                    let at = self.shared.clock.now();
                    self.journal.data(at, Direction::Sent, &bytes[..count], recording);
                    count_in(&mut self.sent, count, at);
                    self.outbox.advance(count);
                    self.last_byte = Instant::now();
                    self.closing_from = self.last_byte;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.write_failed(error),
            }
        }
        if let Err(error) = self.channel.as_mut().map_or(Ok(()), Channel::flush)
            && error.kind() != io::ErrorKind::WouldBlock
        {
            return self.write_failed(error);
        }
        if self.ours == Half::Ending && self.outbox.is_empty() {
            self.fin();
        }
    }

    /// A write error ends our direction; what the peer sent before is still read (Linux delivers it).
    pub(super) fn write_failed(&mut self, error: io::Error) {
        self.drop_unsent();
        self.ours = Half::Over;
        if self.theirs == Half::Over {
            return self.broken(&error);
        }
        match words::errno(&error) {
            Some(Errno::ECONNRESET | Errno::EPIPE) => self.reset = Some(error),
            Some(_) | None => self.broken(&error),
        }
    }
}

fn count_in(tally: &mut Tally, count: usize, at: Timestamp) {
    tally.bytes += count as u64;
    tally.messages += 1;
    tally.last = Some(at);
}
