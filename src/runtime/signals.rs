//! Signals and the vanished terminal, handled by threads of their own so that a busy loop cannot hold them up: the
//! first request to end is passed on, the second one or the end of the grace period ends the process.
//!
//! Deliberately absent: closing the capture. Whoever reads [`Control`] does that.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgrp, getppid, getsid, tcgetpgrp};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tokio::sync::watch;

use super::guard;

/// How long the capture may take to close after a signal.
const GRACE: Duration = Duration::from_secs(2);

/// The same when the terminal is gone: nobody is there to wait for.
const GRACE_ALONE: Duration = Duration::from_millis(700);

/// How long a signal to end may come after the SIGCONT that was sent with it.
const SETTLE: Duration = Duration::from_millis(100);

/// Who answers to the shell's job control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jobs {
    /// The kernel: a program without a screen has nothing to restore.
    Kernel,
    /// We: the terminal is given back before the program stops, and taken again when it goes on.
    Screen,
}

/// What ends the program from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A signal, by its number.
    Signal(i32),
    /// The terminal was closed, and no SIGHUP told so.
    TerminalGone,
}

impl Cause {
    /// The signal that the status of the process shows.
    fn signal(self) -> i32 {
        match self {
            Cause::Signal(signal) => signal,
            Cause::TerminalGone => SIGHUP,
        }
    }

    /// Ends the process as the signal would have, so that whoever started it sees the right status.
    pub fn end_process(self) -> ! {
        let signal = self.signal();
        // Fails only for signals that it does not know, and these are not watched.
        let _ = emulate_default_handler(signal);
        process::exit(128 + signal)
    }
}

/// What the threads ask of the program; the latest state, never its history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The program is to end.
    pub ending: Option<Cause>,
    /// How often the program went on after it was stopped.
    pub resumes: u32,
}

/// Starts to watch the signals that end, stop and continue the program. A write past the file size limit becomes an
/// error instead of a signal (SIGXFSZ), as one to a closed pipe already is (SIGPIPE, by Rust's start-up).
pub fn watch_signals(jobs: Jobs) -> io::Result<watch::Sender<Control>> {
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT])?;
    if jobs == Jobs::Screen {
        signals.add_signal(SIGTSTP)?;
        signals.add_signal(SIGCONT)?;
    }
    let control = watch::Sender::new(Control::default());
    let sender = control.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGTSTP => stop(),
                SIGCONT => go_on(&sender),
                ending => request_end(&sender, Cause::Signal(ending), GRACE),
            }
        }
    })?;
    Ok(control)
}

/// Starts to watch for the end of the terminal. Reading it would not do: crossterm 0.29 reads a vanished terminal
/// again and again without an end (crossterm issue 793).
pub(crate) fn watch_hang_up(terminal: impl AsFd, control: watch::Sender<Control>) -> io::Result<()> {
    let terminal: OwnedFd = terminal.as_fd().try_clone_to_owned()?;
    thread::Builder::new().name("hang-up".into()).spawn(move || {
        if wait_hang_up(&terminal) {
            request_end(&control, Cause::TerminalGone, GRACE_ALONE);
        }
    })?;
    Ok(())
}

/// Whether the kernel would let this process group stop: a group without a job-control shell above it would stay
/// stopped for ever (POSIX.1-2024 XBD 3.264, orphaned process group).
pub(crate) fn may_stop() -> bool {
    let Ok(session) = getsid(None) else {
        return false;
    };
    getpgrp() != session && getsid(Some(getppid())) == Ok(session)
}

/// Asks the whole process group to stop, as the terminal does for Ctrl-Z.
pub(crate) fn stop_group() -> io::Result<()> {
    Ok(kill(Pid::from_raw(0), Signal::SIGTSTP)?)
}

/// Restores the terminal and stops this process; SIGCONT lets it return.
fn stop() {
    if may_stop() {
        guard::leave();
        // SIGTSTP has a handler now, and SIGSTOP needs none.
        let _ = emulate_default_handler(SIGTSTP);
    }
}

/// Passes on that the program runs again. In the background there is no terminal to take, so it stops again, unless
/// it was continued in order to end: `kill %1` sends the signal to end and SIGCONT, and either may be seen first.
fn go_on(control: &watch::Sender<Control>) {
    if resume_in_foreground(control) {
        return;
    }
    let control = control.clone();
    let stop_again = move || {
        thread::sleep(SETTLE);
        if control.borrow().ending.is_none() && !resume_in_foreground(&control) {
            stop();
        }
    };
    // Without the thread it runs in the background, and stops as soon as it reads the terminal.
    let _ = thread::Builder::new().name("background".into()).spawn(stop_again);
}

fn resume_in_foreground(control: &watch::Sender<Control>) -> bool {
    let foreground = tcgetpgrp(io::stdin()) == Ok(getpgrp());
    if foreground {
        control.send_modify(|control| control.resumes = control.resumes.wrapping_add(1));
    }
    foreground
}

/// Blocks until the other side of the terminal is closed; false if that cannot be watched.
fn wait_hang_up(terminal: &OwnedFd) -> bool {
    loop {
        // Hang-up is reported without being asked for, and nothing else is wanted.
        let mut fds = [PollFd::new(terminal.as_fd(), PollFlags::empty())];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => {
                return fds[0]
                    .revents()
                    .is_some_and(|seen| seen.intersects(PollFlags::POLLHUP | PollFlags::POLLERR));
            }
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
}

/// Asks for an orderly end; the second time, or when that takes too long, ends the process at once.
fn request_end(control: &watch::Sender<Control>, cause: Cause, grace: Duration) {
    let first = control.send_if_modified(|control| {
        let first = control.ending.is_none();
        control.ending.get_or_insert(cause);
        first
    });
    // A hang-up comes as a signal too, where the terminal controls the session.
    let both = matches!(control.borrow().ending, Some(other) if other.signal() == SIGHUP && cause.signal() == SIGHUP);
    if !first && !both {
        end_now(cause);
    }
    let force = move || {
        thread::sleep(grace);
        end_now(cause);
    };
    if thread::Builder::new().name("grace".into()).spawn(force).is_err() {
        end_now(cause);
    }
}

fn end_now(cause: Cause) -> ! {
    guard::leave();
    cause.end_process()
}

#[cfg(test)]
mod tests {
    use nix::pty::openpty;

    use super::*;

    #[test]
    fn a_closed_terminal_is_noticed() {
        let pty = openpty(None, None).unwrap();
        let waits = thread::spawn(move || wait_hang_up(&pty.slave));
        drop(pty.master);
        assert!(waits.join().unwrap());
    }
}
