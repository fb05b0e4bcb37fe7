//! Showing a capture: a file, or what comes on standard input.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use nix::unistd::dup2_stdin;

use super::{Plan, RunError, ScreenPlan, theme};
use crate::app::{Purpose, SessionFile, Settings, TimeColumn};
use crate::capture::{Wording, open_stream_in_background};
use crate::net::Clock;
use crate::runtime::captured::Captured;
use crate::runtime::guard::{GuardError, check_terminal};
use crate::runtime::headless::{self, Reading};
use crate::runtime::history::History;
use crate::runtime::screen::{self, Screen, Source};
use crate::runtime::signals::{Jobs, watch_signals};

/// The name that stands for standard input.
const STREAM: &str = "-";

/// Whether standard input is named.
pub(super) fn is_stream(paths: &[PathBuf]) -> bool {
    matches!(paths, [only] if only == Path::new(STREAM))
}

/// The files that are named; none if standard input is.
pub(super) fn named(paths: &[PathBuf]) -> Option<Captured> {
    (!is_stream(paths)).then(|| Captured::new(paths))
}

/// Shows a capture, or standard input without one; it is indexed in the background.
pub(super) fn show(plan: &Plan, options: ScreenPlan, captured: Option<&Captured>) -> Result<(), RunError> {
    let (opening, name) = match captured {
        Some(captured) => (captured.open()?, captured.name().display().to_string()),
        None => {
            let name = "standard input";
            let stream = keys_from_terminal()?;
            let opening = open_stream_in_background(Path::new(name), stream)?;
            (opening, name.to_owned())
        }
    };
    let settings = Settings {
        goal: None,
        view: options.view,
        time: TimeColumn::default(),
        input: options.input,
        eol: options.eol,
        policy: plan.policy,
        zone: plan.zone,
        session: SessionFile::Opened(name),
        recents: Vec::new(),
        mouse: options.mouse,
        greetings: Vec::new(),
    };
    let outcome = screen::run(Screen {
        settings,
        source: Source::Capture(opening),
        clock: Clock::start(),
        history: History::none(),
        theme: theme(),
    })?;
    match outcome {
        screen::Outcome::Quit => Ok(()),
        screen::Outcome::Outside(cause) => cause.end_process(),
    }
}

/// Prints or exports a capture, or standard input without one.
pub(super) fn print(plan: &Plan, reading: Reading, captured: Option<&Captured>) -> Result<(), RunError> {
    let control = watch_signals(Jobs::Kernel)?;
    let wording = Wording {
        policy: plan.policy,
        offset: plan.zone.offset(),
        purpose: Purpose::Reading,
        connections: false,
    };
    match headless::read(reading, captured, wording, control.subscribe())? {
        headless::Outcome::Ended => Ok(()),
        headless::Outcome::Signalled(cause) => cause.end_process(),
    }
}

/// Takes standard input for the capture, and puts the controlling terminal in its place.
fn keys_from_terminal() -> Result<File, RunError> {
    if io::stdin().is_terminal() {
        return Err(RunError::NoStream);
    }
    let stream = io::stdin().as_fd().try_clone_to_owned()?;
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let terminal = terminal.map_err(|_| GuardError::NoInput)?;
    dup2_stdin(terminal).map_err(io::Error::from)?;
    check_terminal()?;
    Ok(stream.into())
}
