//! From plain options to a running program: creates the session file, starts the worker and hands both to the screen
//! or to the headless front end. Decides only in which order.

mod capture;

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::demo::Demo;
use super::guard::{GuardError, check_terminal, install_panic_hook};
use super::headless::{self, Headless, HeadlessError, Reading, Setting};
use super::history::History;
use super::screen::{self, Screen, Source};
use super::sessions;
use super::signals::{Jobs, watch_signals};
use super::store::{Bound, Earlier, Place, Store, state_directory};
use super::tell::tell;
use crate::app::{Settings, TimeColumn, View, Zone};
use crate::capture::CaptureError;
use crate::model::Goal;
use crate::net::{self, Clock, Worker};
use crate::text::{InputType, LineEnding, Policy};
use crate::ui::Theme;

/// Everything that the command line decides.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to connect.
    pub peer: Peer,
    /// How connections are made.
    pub net: net::Options,
    /// Whether a tap answers in the name of its target, with certificates by the local authority of this user.
    pub intercept: bool,
    /// Where the session is recorded.
    pub place: Place,
    /// How long the recording may become.
    pub bound: Bound,
    /// Which characters are shown as they are.
    pub policy: Policy,
    /// The zone of times of day.
    pub zone: Zone,
    /// What the user sees.
    pub front: Front,
}

/// What to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The user is asked.
    Ask,
    /// What the goal says.
    Goal(Goal),
    /// A server of our own.
    Demo,
    /// Nobody: this capture is read, or these as one; `-` is standard input.
    Capture(Vec<PathBuf>),
    /// Nobody: the kept recording of this name is read, or the newest.
    Kept(Option<String>),
}

/// What the user sees.
#[derive(Clone, Debug)]
pub enum Front {
    /// The full screen.
    Screen(ScreenPlan),
    /// Standard input and output.
    Headless(Headless),
    /// Standard output or a file, made of a capture.
    Reading(Reading),
}

/// What the screen starts with.
#[derive(Clone, Copy, Debug)]
pub struct ScreenPlan {
    /// The view of the log.
    pub view: View,
    /// How typed input is read.
    pub input: InputType,
    /// What Enter appends.
    pub eol: LineEnding,
    /// Whether the mouse is asked for.
    pub mouse: bool,
    /// Whether history is read and kept.
    pub memory: Memory,
}

/// Whether anything outlives the run besides the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// What is typed and the targets are kept.
    Kept,
    /// Neither is read or kept.
    Off,
}

/// Why the program could not start, or how it failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no terminal, or it cannot show a screen.
    #[error(transparent)]
    Terminal(#[from] GuardError),
    /// The session file could not be created.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The demo server could not be started.
    #[error("cannot start the demo server on 127.0.0.1: {0}")]
    Demo(io::Error),
    /// The system refused a thread or a descriptor.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    /// The network worker could not be started.
    #[error(transparent)]
    Net(#[from] net::StartError),
    /// There is no stream to read a capture from.
    #[error(
        "open - reads a capture from standard input: pipe one in, as in ssh host tcpdump -w - | sockscope open -"
    )]
    NoStream,
    /// The local authority cannot be used.
    #[error(transparent)]
    Tls(#[from] net::TlsError),
    /// A recording that was to be deleted is not there.
    #[error(
        "there is no recording {0:?}, and nothing was done: sockscope sessions lists those that are kept"
    )]
    NoSuchRecording(String),
    /// A part of a name that several recordings have.
    #[error("{1} recordings have {0:?} in their names: write more of it; sockscope sessions lists them")]
    Ambiguous(String, usize),
    /// The newest recording was asked for, and there is none.
    #[error("no recording is kept yet: a connection makes one; -w FILE names it")]
    NoRecording,
    /// The connection or the output failed.
    #[error(transparent)]
    Headless(#[from] HeadlessError),
}

impl RunError {
    /// The exit status that it stands for.
    pub fn status(&self) -> ExitCode {
        match self {
            RunError::NoStream
            | RunError::Headless(HeadlessError::NoStream)
            | RunError::Terminal(GuardError::NoInput | GuardError::NoOutput | GuardError::Dumb) => 2.into(),
            RunError::Terminal(GuardError::Io(_))
            | RunError::Capture(_)
            | RunError::Demo(_)
            | RunError::Start(_)
            | RunError::Net(_)
            | RunError::Tls(_)
            | RunError::NoSuchRecording(_)
            | RunError::Ambiguous(..)
            | RunError::NoRecording
            | RunError::Headless(_) => 1.into(),
        }
    }
}

/// Runs the program. After a signal it does not return: the process ends by the same signal.
pub fn run(plan: &Plan) -> Result<(), RunError> {
    install_panic_hook();
    match (&plan.front, &plan.peer) {
        // Its standard input is a capture, and the keys come from elsewhere.
        (Front::Screen(_), Peer::Capture(paths)) if capture::is_stream(paths) => {}
        // Before anything is created for nothing.
        (Front::Screen(_), _) => check_terminal()?,
        (Front::Headless(_) | Front::Reading(_), _) => {}
    }
    let demo = match plan.peer {
        Peer::Demo => Some(Demo::start().map_err(RunError::Demo)?),
        Peer::Ask | Peer::Goal(_) | Peer::Capture(_) | Peer::Kept(_) => None,
    };
    let goal = match (&demo, plan.peer.clone()) {
        (Some(demo), _) => Some(Goal::Connect(demo.endpoint())),
        (None, Peer::Goal(goal)) => Some(goal),
        (None, Peer::Ask | Peer::Demo | Peer::Capture(_) | Peer::Kept(_)) => None,
    };
    match (plan.front.clone(), &plan.peer) {
        (Front::Screen(options), Peer::Capture(paths)) => {
            capture::show(plan, options, capture::named(paths).as_ref())
        }
        (Front::Screen(options), Peer::Kept(name)) => {
            capture::show(plan, options, Some(&sessions::find(name.as_deref())?))
        }
        (Front::Screen(options), _) => run_screen(plan, options, goal),
        (Front::Reading(reading), Peer::Capture(paths)) => {
            capture::print(plan, reading, capture::named(paths).as_ref())
        }
        (Front::Reading(reading), Peer::Kept(name)) => {
            capture::print(plan, reading, Some(&sessions::find(name.as_deref())?))
        }
        (Front::Reading(_), Peer::Ask | Peer::Goal(_) | Peer::Demo) => {
            Err(HeadlessError::Broken("there is no capture to read: name a file".into()).into())
        }
        (Front::Headless(options), _) => match goal {
            Some(goal) => run_headless(plan, options, goal),
            None => Err(HeadlessError::Broken("there is nothing to connect to: name a target".into()).into()),
        },
    }
}

fn run_headless(plan: &Plan, options: Headless, goal: Goal) -> Result<(), RunError> {
    let control = watch_signals(Jobs::Kernel)?;
    let clock = Clock::start();
    let store = Store::create(&plan.place, clock.now(), Some(goal.endpoint()), plan.bound)?;
    match &store.earlier {
        Earlier::None | Earlier::Kept(_) => {}
        Earlier::Excess(notice) | Earlier::SameName(notice) => tell(notice),
    }
    let mut worker = start(plan, &store, clock)?;
    let result = headless::run(
        options,
        Setting {
            goal,
            reconnect: plan.net.reconnect,
            policy: plan.policy,
            offset: plan.zone.offset(),
            worker: &mut worker,
            recorder: &store.recorder,
            clock,
            control: control.subscribe(),
        },
    );
    match (result, store.settle()) {
        (Ok(headless::Outcome::Ended), settled) => Ok(settled?),
        (result, settled) => {
            // What came of the connection decides how the program ends, but nothing of the recording goes unsaid.
            if let Err(error) = settled {
                tell(&error.to_string());
            }
            match result? {
                headless::Outcome::Ended => Ok(()),
                headless::Outcome::Signalled(cause) => cause.end_process(),
            }
        }
    }
}

fn run_screen(plan: &Plan, options: ScreenPlan, goal: Option<Goal>) -> Result<(), RunError> {
    let clock = Clock::start();
    let store = Store::create(
        &plan.place,
        clock.now(),
        goal.as_ref().map(Goal::endpoint),
        plan.bound,
    )?;
    let mut greetings = match &store.earlier {
        Earlier::None => Vec::new(),
        Earlier::Kept(notice) | Earlier::Excess(notice) | Earlier::SameName(notice) => vec![notice.clone()],
    };
    let history = match options.memory {
        Memory::Off => History::none(),
        Memory::Kept => remembered(&mut greetings),
    };
    let history = match plan.peer {
        Peer::Demo => history.without(goal.as_ref().map(|goal| goal.endpoint().clone())),
        Peer::Ask | Peer::Goal(_) | Peer::Capture(_) | Peer::Kept(_) => history,
    };
    let recents = history.targets().unwrap_or_else(|error| {
        greetings.push(error.to_string());
        Vec::new()
    });
    let settings = Settings {
        goal,
        view: options.view,
        time: TimeColumn::default(),
        input: options.input,
        eol: options.eol,
        policy: plan.policy,
        zone: plan.zone,
        session: store.file.clone(),
        recents,
        mouse: options.mouse,
        greetings,
    };
    let worker = start(plan, &store, clock)?;
    let outcome = screen::run(Screen {
        settings,
        source: Source::Live {
            worker,
            recorder: store.recorder.clone(),
        },
        clock,
        history,
        theme: theme(),
    });
    match outcome {
        Ok(screen::Outcome::Quit) => Ok(()),
        Ok(screen::Outcome::Outside(cause)) => cause.end_process(),
        Err(error) => {
            store.settle()?;
            Err(error.into())
        }
    }
}

/// Starts the network worker; nothing is left behind if that fails.
fn start(plan: &Plan, store: &Store, clock: Clock) -> Result<Worker, RunError> {
    let started = options(plan)
        .and_then(|options| net::spawn(options, store.recorder.clone(), clock).map_err(RunError::from));
    if started.is_err() {
        store.settle()?;
    }
    started
}

/// How connections are made, with what is kept for that between runs.
fn options(plan: &Plan) -> Result<net::Options, RunError> {
    let mut options = plan.net.clone();
    if plan.intercept {
        options.tls.intercept = Some(state_directory()?);
    }
    Ok(options)
}

/// History on disk, or none with a word why.
fn remembered(greetings: &mut Vec<String>) -> History {
    let opened = match state_directory() {
        Ok(directory) => History::open(&directory).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    opened.unwrap_or_else(|why| {
        greetings.push(why);
        History::none()
    })
}

/// No colours where the user wants none (<https://no-color.org>).
fn theme() -> Theme {
    match env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => Theme::Plain,
        Some(_) | None => Theme::Ansi,
    }
}
