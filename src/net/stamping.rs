//! Time stamps of one connection (Linux `SO_TIMESTAMPING`): asked for, learnt from the socket's error queue, and
//! brought together with the entries that they are about.
//!
//! The error queue raises `EPOLLERR`, which tokio takes for the end of writing and never forgets. So once time stamps
//! were asked for, room for writing is awaited on a registration of its own, which is renewed whenever there is none
//! left.

mod ledger;
#[cfg(target_os = "linux")]
pub(super) mod linux;

use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use tokio::io::Interest;
use tokio::time::sleep;

use self::ledger::{Ledger, Style};
use super::Clock;
use super::socket::Socket;
use crate::model::{EntryId, Stamped, Timestamp};

/// How often writing is tried while there is no descriptor at which room for it could be awaited.
const BLIND: Duration = Duration::from_millis(10);

/// A point on the way of bytes that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// They came to the packet scheduler.
    Scheduled,
    /// They were given to the device.
    OnWire,
    /// The peer's kernel has acknowledged them.
    Acknowledged,
}

/// A message of the error queue: the point, which bytes, and when by the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Learnt {
    stage: Stage,
    key: u32,
    at: Timestamp,
}

/// Why there are no time stamps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// What is behind the socket has none.
    #[error("a Unix socket has no time stamps")]
    Unix,
    /// Others send to the same socket.
    #[error("there are no time stamps of a socket that many send to")]
    Shared,
    /// The kernel is older than Linux 6.2, and counts from what is unacknowledged.
    #[error(
        "on kernels before Linux 6.2 time stamps can begin only while nothing is unacknowledged; try again"
    )]
    Busy,
    /// The system has none.
    #[cfg(not(target_os = "linux"))]
    #[error("this system does not offer time stamps")]
    NotOffered,
    /// The system refused.
    #[error("the system refuses time stamps: {0}")]
    Io(String),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::Io(error.to_string())
    }
}

/// Time stamps of one connection, from when they were first asked for.
#[derive(Debug)]
pub(super) struct Stamping {
    clock: Clock,
    /// Whether they are wanted now.
    active: bool,
    /// A copy of the socket at which room for writing is awaited; `None` if there could be none.
    writer: Option<Socket>,
    ledger: Ledger,
    /// When the bytes that were read last arrived in the kernel.
    arrived: Option<Timestamp>,
}

impl Stamping {
    /// Asks for time stamps.
    pub(super) fn start(socket: &Socket, clock: Clock) -> Result<Stamping, Refused> {
        let style = style(socket)?;
        let writer = socket.copy()?;
        ask(socket)?;
        Ok(Stamping {
            clock,
            active: true,
            writer: Some(writer),
            ledger: Ledger::new(style),
            arrived: None,
        })
    }

    /// Asks for them again, or no more. What is known by then is kept.
    pub(super) fn switch(&mut self, socket: &Socket, on: bool) -> Result<(), Refused> {
        if on == self.active {
            return Ok(());
        }
        if on {
            ask(socket)?;
        } else {
            self.gather(socket);
            silence(socket)?;
        }
        // The kernel counts anew.
        self.ledger.restart();
        self.active = on;
        Ok(())
    }

    /// Whether they are wanted.
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// The kernel took so many bytes from us; of datagrams, one.
    pub(super) fn count(&mut self, bytes: usize) {
        self.ledger.count(bytes as u64);
    }

    /// A datagram was refused; the kernel may have counted it or not, so it begins to count anew.
    pub(super) fn miscounted(&mut self, socket: &Socket) {
        if self.active && self.ledger.style() == Style::Datagrams && silence(socket).is_ok() {
            self.ledger.restart();
            self.active = ask(socket).is_ok();
        }
    }

    /// What was counted last is this entry, which the kernel was given at `queued`.
    pub(super) fn sent(&mut self, entry: EntryId, at: Timestamp, queued: Timestamp) {
        if self.active {
            self.ledger.sent(entry, at, queued);
        }
    }

    /// What was read last is this entry.
    pub(super) fn received(&mut self, entry: EntryId, at: Timestamp) {
        if let Some(arrived) = self.arrived.take() {
            self.ledger.received(entry, at, arrived);
        }
    }

    /// When what is read now arrived, by the wall clock.
    pub(super) fn arrived(&mut self, wall: Option<Timestamp>) {
        if let Some(wall) = wall {
            self.arrived = Some(self.clock.of_wall(wall));
        }
    }

    /// Takes in what the kernel has told meanwhile.
    pub(super) fn gather(&mut self, socket: &Socket) {
        let (clock, ledger) = (self.clock, &mut self.ledger);
        let mut drained = false;
        // Within it, so that the reactor knows what of this was heard and what came later.
        socket.heard_errors(|| {
            drained = true;
            drain(socket, |learnt| {
                ledger.stamp(learnt.stage, learnt.key, clock.of_wall(learnt.at));
            });
        });
        if !drained {
            drain(socket, |learnt| {
                ledger.stamp(learnt.stage, learnt.key, clock.of_wall(learnt.at));
            });
        }
    }

    /// When there is something to write down.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.ledger.due()
    }

    /// What is to be written down by `now`; all that is known if that is not told.
    pub(super) fn take(&mut self, now: Option<Timestamp>) -> Vec<Stamped> {
        self.ledger.take(now)
    }

    /// Waits until there may be room for writing.
    pub(super) async fn writable(&self) {
        match &self.writer {
            Some(writer) => drop(writer.ready(Interest::WRITABLE).await),
            None => sleep(BLIND).await,
        }
    }

    /// There was no room for writing: what tokio takes for the end of writing is forgotten.
    pub(super) fn blocked(&mut self, socket: &Socket) {
        self.gather(socket);
        self.writer = socket.copy().ok();
    }
}

fn style(socket: &Socket) -> Result<Style, Refused> {
    match socket {
        Socket::Tcp(_) => Ok(Style::Stream),
        Socket::Udp(_) => Ok(Style::Datagrams),
        Socket::Unix(_) | Socket::Messages(_) => Err(Refused::Unix),
        Socket::Lane(_) | Socket::Group(_) => Err(Refused::Shared),
    }
}

#[cfg(target_os = "linux")]
fn ask(socket: &Socket) -> Result<(), Refused> {
    linux::ask(socket.as_fd())
}

#[cfg(target_os = "linux")]
fn silence(socket: &Socket) -> Result<(), Refused> {
    linux::silence(socket.as_fd())
}

#[cfg(target_os = "linux")]
fn drain(socket: &Socket, tell: impl FnMut(Learnt)) {
    linux::drain(socket.as_fd(), tell);
}

#[cfg(not(target_os = "linux"))]
fn ask(_: &Socket) -> Result<(), Refused> {
    Err(Refused::NotOffered)
}

#[cfg(not(target_os = "linux"))]
fn silence(_: &Socket) -> Result<(), Refused> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn drain(_: &Socket, _: impl FnMut(Learnt)) {}
