//! The one way to the terminal: a descriptor behind a gate that frames pass while it is open. Writes may block as long
//! as the terminal likes, so only threads that nobody waits for without a limit call them. What a pseudo terminal takes
//! without waiting, anybody may give to it.

use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{Mode, fstat, major};
use nix::sys::termios::{FlowArg, FlushArg, tcflow, tcflush};
use nix::unistd::{dup, write};

/// How long the end waits for a terminal that does not read, twice: before and after its output is flushed.
const PATIENCE: Duration = Duration::from_millis(200);

/// The most that one write gives to the terminal, so that a frame can be abandoned half-way.
const PIECE: usize = 4096;

/// The device numbers of pseudo terminals (Linux Documentation/admin-guide/devices.txt). Writing to one is copying to
/// memory, while a console draws meanwhile and a serial line has a buffer of a page.
const PSEUDO_TERMINALS: RangeInclusive<u64> = 136..=143;

/// Whether frames may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    Shut,
}

/// What became of bytes that were to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The terminal has them.
    Written,
    /// The gate was shut, and they were dropped.
    Dropped,
    /// The terminal does not read; they may come to it later or never.
    Stuck,
    /// The terminal is gone.
    Failed,
}

/// A descriptor of the terminal, duplicated so that nobody else can close it.
#[derive(Debug)]
pub(crate) struct Output {
    fd: OwnedFd,
    /// The same terminal, if writes to it need not wait.
    swift: Option<OwnedFd>,
    gate: Mutex<Gate>,
    ending: AtomicBool,
}

impl Output {
    /// An output to the same terminal as `fd`, with its gate shut.
    pub(crate) fn new(fd: impl AsFd) -> io::Result<Output> {
        let fd = dup(fd)?;
        Ok(Output {
            swift: swift(&fd),
            fd,
            gate: Mutex::new(Gate::Shut),
            ending: AtomicBool::new(false),
        })
    }

    /// Lets frames pass.
    pub(crate) fn open(&self) {
        self.ending.store(false, Ordering::SeqCst);
        *self.lock() = Gate::Open;
    }

    /// Writes all of it if the gate is open, however long that takes; less only if [`Output::shut`] loses patience.
    pub(crate) fn write(&self, bytes: &[u8]) -> Delivery {
        let gate = self.lock();
        if *gate == Gate::Shut {
            return Delivery::Dropped;
        }
        for piece in bytes.chunks(PIECE) {
            if self.ending.load(Ordering::SeqCst) {
                return Delivery::Stuck;
            }
            let delivery = self.write_all(piece);
            if delivery != Delivery::Written {
                return delivery;
            }
        }
        Delivery::Written
    }

    /// Writes what the terminal takes without waiting; how many bytes that were.
    pub(crate) fn write_now(&self, bytes: &[u8]) -> usize {
        // Whoever holds the gate now is about to shut it.
        match (&self.swift, self.gate.try_lock()) {
            (Some(fd), Ok(gate)) if *gate == Gate::Open => write(fd, bytes).unwrap_or(0),
            (Some(_) | None, _) => 0,
        }
    }

    /// Shuts the gate behind the frame that is being written, then writes `last`. Gives up on a terminal that does
    /// not read: its pending output is thrown away so that `last` comes first should it ever read again.
    pub(crate) fn shut(self: &Arc<Self>, last: &'static [u8]) -> Delivery {
        let (done, outcome) = mpsc::sync_channel(1);
        let output = Arc::clone(self);
        let writer = move || {
            let mut gate = output.lock();
            *gate = Gate::Shut;
            // The receiver is gone only if it gave up.
            let _ = done.send(output.write_all(last));
        };
        if thread::Builder::new()
            .name("restore".into())
            .spawn(writer)
            .is_err()
        {
            return Delivery::Failed;
        }
        if let Ok(delivery) = outcome.recv_timeout(PATIENCE) {
            return delivery;
        }
        self.ending.store(true, Ordering::SeqCst);
        // These fail only if the terminal is gone, which the writer will notice. Flushing makes room and wakes nobody
        // (Linux drivers/tty/pty.c); stopping and starting the output does.
        let _ = tcflush(&self.fd, FlushArg::TCOFLUSH);
        let _ = tcflow(&self.fd, FlowArg::TCOOFF);
        let _ = tcflow(&self.fd, FlowArg::TCOON);
        outcome.recv_timeout(PATIENCE).unwrap_or(Delivery::Stuck)
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut bytes: &[u8]) -> Delivery {
        while !bytes.is_empty() {
            match write(&self.fd, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::EINTR) => {}
                // Somebody who shares the terminal made it non-blocking.
                Err(Errno::EAGAIN) => wait_writable(self.fd.as_fd()),
                Err(_) => return Delivery::Failed,
            }
        }
        Delivery::Written
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Opens a pseudo terminal again: a flag of the descriptor that we got would hold for everybody who shares it. `None`
/// where that does not work, as when the terminal belongs to the user from whom we were started.
fn swift(fd: &OwnedFd) -> Option<OwnedFd> {
    let device = major(fstat(fd).ok()?.st_rdev);
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = OFlag::O_WRONLY | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    PSEUDO_TERMINALS
        .contains(&device)
        .then(|| open(path.as_str(), flags, Mode::empty()).ok())
        .flatten()
}

fn wait_writable(fd: BorrowedFd<'_>) {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    // Whatever it reports, the write that follows tells more.
    let _ = poll(&mut fds, PollTimeout::NONE);
}

/// Runs `work` on a thread of its own and waits at most `limit` for it. Whether it ended in time.
pub(crate) fn within(limit: Duration, work: impl FnOnce() + Send + 'static) -> bool {
    let (done, ended) = mpsc::sync_channel(1);
    let run = move || {
        work();
        // The receiver is gone only if it gave up.
        let _ = done.send(());
    };
    thread::Builder::new()
        .name("bounded".into())
        .spawn(run)
        .is_ok_and(|_| ended.recv_timeout(limit).is_ok())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use nix::pty::openpty;

    use super::*;

    #[test]
    fn nothing_passes_a_shut_gate() {
        let (mut reader, writer) = io::pipe().unwrap();
        let output = Arc::new(Output::new(&writer).unwrap());
        assert_eq!(output.write(b"early"), Delivery::Dropped);
        output.open();
        assert_eq!(output.write(b"frame"), Delivery::Written);
        assert_eq!(output.shut(b"undo"), Delivery::Written);
        assert_eq!(output.write(b"late"), Delivery::Dropped);
        drop((output, writer));
        let mut seen = String::new();
        reader.read_to_string(&mut seen).unwrap();
        assert_eq!(seen, "frameundo");
    }

    #[test]
    fn a_pseudo_terminal_takes_what_it_can_without_waiting() {
        let pty = openpty(None, None).unwrap();
        let output = Arc::new(Output::new(&pty.slave).unwrap());
        assert_eq!(output.write_now(b"early"), 0);
        output.open();
        assert_eq!(output.write_now(b"frame"), 5);
        // Nobody reads: it fills up.
        let taken = output.write_now(&vec![b'x'; 1 << 20]);
        assert!(0 < taken && taken < 1 << 20, "{taken}");
        let mut seen = vec![0; 5 + taken];
        std::fs::File::from(pty.master).read_exact(&mut seen).unwrap();
        assert!(seen.starts_with(b"framex"));
        let _ = output.shut(b"");
        assert_eq!(output.write_now(b"late"), 0);
    }

    #[test]
    fn what_is_no_pseudo_terminal_is_left_to_those_who_may_wait() {
        let (_reader, writer) = io::pipe().unwrap();
        let output = Output::new(&writer).unwrap();
        output.open();
        assert_eq!(output.write_now(b"frame"), 0);
    }

    #[test]
    fn a_reader_that_never_reads_does_not_hold_the_end() {
        let (mut reader, writer) = io::pipe().unwrap();
        let output = Arc::new(Output::new(&writer).unwrap());
        output.open();
        let stuck = Arc::clone(&output);
        // More than a pipe holds: this thread stays in the write.
        thread::spawn(move || stuck.write(&vec![b'x'; 1 << 20]));
        // Once a byte is here, the thread holds the gate.
        reader.read_exact(&mut [0]).unwrap();
        assert_eq!(output.shut(b"undo"), Delivery::Stuck);
    }

    #[test]
    fn a_closed_terminal_is_a_failure_and_no_loop() {
        let (reader, writer) = io::pipe().unwrap();
        let output = Output::new(&writer).unwrap();
        output.open();
        drop(reader);
        assert_eq!(output.write(b"frame"), Delivery::Failed);
    }
}
