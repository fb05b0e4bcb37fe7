//! The terminal always comes back: what was changed is undone once, whichever way the program ends. Knows nothing of
//! what is drawn.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{self, PanicHookInfo};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Duration;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};

use super::output::{Delivery, Output, within};
use crate::text::{Policy, Shown};

/// The exit status after a panic, which is Rust's own.
const PANIC_STATUS: i32 = 101;

/// How long the panic message may take to be written.
const PATIENCE: Duration = Duration::from_millis(500);

/// Alternate screen, bracketed paste, the title saved, the cursor hidden.
const ENTER: &[u8] = b"\x1b[22;0t\x1b[?1049h\x1b[?2004h\x1b[?25l";

/// Reports of presses, drags and the wheel, in the encoding without a limit (SGR).
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";

/// Every way of reporting the mouse off.
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l";

/// Ends whatever string or sequence was cut short, synchronized update, kitty keys, mouse, focus, paste, alternate
/// screen, style; shows the cursor and brings the title back.
const UNDO: &[u8] = b"\x1b\\\x1b[?2026l\x1b[<u\
    \x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\
    \x1b[?1049l\x1b[0m\x1b[?25h\x1b[23;0t";

/// The terminal that was entered, for those who must leave it from wherever they are.
static ENTERED: Mutex<Option<Arc<Terminal>>> = Mutex::new(None);

/// Why there can be no screen.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// Standard input is a pipe or a file.
    #[error(
        "standard input is not a terminal: run sockscope in a terminal, or with --headless in scripts and pipes"
    )]
    NoInput,
    /// Standard output is a pipe or a file.
    #[error(
        "standard output is not a terminal: run sockscope in a terminal, or with --headless in scripts and pipes"
    )]
    NoOutput,
    /// The terminal has no cursor to move.
    #[error("the terminal cannot show a screen (TERM=dumb): set TERM to what it is, or use --headless")]
    Dumb,
    /// The terminal refused.
    #[error("cannot set up the terminal: {0}")]
    Io(#[from] io::Error),
}

/// Whether mouse reports are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// They are.
    On,
    /// They are not, and the terminal selects text itself.
    Off,
}

/// Whether the terminal is ours now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Ours,
    Returned,
}

#[derive(Debug)]
struct Terminal {
    input: OwnedFd,
    output: Arc<Output>,
    hold: Mutex<Hold>,
}

/// Whether the terminal is ours, and what it was like before.
#[derive(Debug)]
struct Hold {
    phase: Phase,
    saved: Termios,
}

/// Holds the terminal for as long as it lives.
#[derive(Debug)]
pub struct Guard {
    terminal: Arc<Terminal>,
}

/// Refuses where no screen can be shown: standard input and output have to be terminals that can move a cursor.
pub fn check_terminal() -> Result<(), GuardError> {
    if !io::stdin().is_terminal() {
        return Err(GuardError::NoInput);
    }
    if !io::stdout().is_terminal() {
        return Err(GuardError::NoOutput);
    }
    if env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(GuardError::Dumb);
    }
    Ok(())
}

/// Makes every panic, in any thread, restore the terminal, print one escaped message and end the process with 101.
pub fn install_panic_hook() {
    static FIRST: Once = Once::new();
    panic::set_hook(Box::new(|info| {
        FIRST.call_once(|| {
            leave();
            let message = panic_message(info);
            // Standard error may be the terminal that does not read.
            within(PATIENCE, move || drop(writeln!(io::stderr(), "{message}")));
            process::exit(PANIC_STATUS);
        });
        // Another thread panicked at the same time; the first one ends the process.
        loop {
            thread::park();
        }
    }));
}

/// Gives the terminal back, if it is ours: the undo that everything uses. Once; later calls do nothing.
pub(crate) fn leave() {
    let entered = lock(&ENTERED).clone();
    if let Some(terminal) = entered {
        terminal.leave();
    }
}

/// What the first frame after [`Guard::take`] starts with.
pub fn enter_sequence(mouse: Mouse) -> Vec<u8> {
    match mouse {
        Mouse::On => [ENTER, MOUSE_ON].concat(),
        Mouse::Off => ENTER.to_vec(),
    }
}

/// What switches mouse reports on or off.
pub(crate) fn mouse_sequence(mouse: Mouse) -> &'static [u8] {
    match mouse {
        Mouse::On => MOUSE_ON,
        Mouse::Off => MOUSE_OFF,
    }
}

impl Guard {
    /// Takes the terminal on standard input and output: saves the line discipline, enters raw mode and opens the way
    /// for frames. The escape sequences are [`enter_sequence`], which only the thread that writes frames may write,
    /// because a terminal that does not read would hold anybody else.
    pub fn take() -> Result<Guard, GuardError> {
        check_terminal()?;
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let saved = tcgetattr(&input).map_err(io::Error::from)?;
        let terminal = Arc::new(Terminal {
            input,
            output: Arc::new(Output::new(io::stdout())?),
            hold: Mutex::new(Hold {
                phase: Phase::Returned,
                saved,
            }),
        });
        *lock(&ENTERED) = Some(Arc::clone(&terminal));
        let guard = Guard { terminal };
        guard.retake()?;
        Ok(guard)
    }

    /// Takes the terminal again after the program was stopped, whoever changed it meanwhile.
    pub(crate) fn retake(&self) -> io::Result<()> {
        let mut hold = lock(&self.terminal.hold);
        // crossterm does nothing where it believes to be in raw mode already.
        disable_raw_mode()?;
        enable_raw_mode()?;
        self.terminal.output.open();
        hold.phase = Phase::Ours;
        Ok(())
    }

    /// Where frames go.
    pub(crate) fn output(&self) -> Arc<Output> {
        Arc::clone(&self.terminal.output)
    }

    /// Gives the terminal back; whether it took the undo.
    pub(crate) fn leave(self) -> Delivery {
        self.terminal.leave()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.terminal.leave();
    }
}

impl Terminal {
    fn leave(&self) -> Delivery {
        let mut hold = lock(&self.hold);
        if hold.phase == Phase::Returned {
            return Delivery::Dropped;
        }
        hold.phase = Phase::Returned;
        let delivery = self.output.shut(UNDO);
        // These fail only if the terminal is gone. Neither waits for output to drain.
        let _ = disable_raw_mode();
        let _ = tcsetattr(&self.input, SetArg::TCSANOW, &hold.saved);
        delivery
    }
}

fn panic_message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = info.location().map_or_else(String::new, |at| format!(" at {at}"));
    let text = format!("sockscope: internal error{place}: {what}; please report it");
    Shown::of(&text, Policy::default()).to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
