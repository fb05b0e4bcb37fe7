//! The screen: takes the terminal, runs the loop, and brings everything to an orderly end. What is drawn is decided by
//! `app` and `ui`.

mod exports;
mod feed;
mod summary;
mod turns;
mod views;

use std::fmt;
use std::io::{self, Write as _};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::stream;
use ratatui::layout::Size;

use self::feed::Feed;
use self::summary::Kept;
use self::turns::{Ended, Host, Lines, Turns};
use self::views::Views;
use super::alarm::Alarm;
use super::desk::Desk;
use super::guard::{Guard, GuardError, Mouse, check_terminal, install_panic_hook};
use super::history::History;
use super::keys;
use super::output::{Delivery, within};
use super::signals::{Cause, Jobs, may_stop, stop_group, watch_hang_up, watch_signals};
use super::writer::FrameWriter;
use crate::app::{App, Ending, SessionFile, Settings};
use crate::capture::{Annotator, Opening, Recorder, Session};
use crate::model::Timestamp;
use crate::net::{Clock, Worker};
use crate::text::{Policy, Shown};
use crate::ui::Theme;

/// How long the worker may take to close its connection and the capture; less than the grace after a signal.
const FAREWELL: Duration = Duration::from_millis(1500);

/// How long the terminal may take to read the summary.
const PATIENCE: Duration = Duration::from_millis(500);

/// A size for a terminal that does not tell its own.
const FALLBACK: Size = Size {
    width: 80,
    height: 24,
};

/// The most of a window that is painted: far more than any display has, and little memory.
const LARGEST: Size = Size {
    width: 2000,
    height: 1000,
};

/// What the screen is made of.
#[derive(Debug)]
pub struct Screen {
    /// What the app starts with.
    pub settings: Settings,
    /// Where the log comes from.
    pub source: Source,
    /// The clock; a worker stamps with the same.
    pub clock: Clock,
    /// What was typed before.
    pub history: History,
    /// How roles look.
    pub theme: Theme,
}

/// Where the log comes from.
pub enum Source {
    /// A connection that is being recorded.
    Live {
        /// The network worker, already running.
        worker: Worker,
        /// The session file that it writes.
        recorder: Recorder,
    },
    /// A capture that is being read.
    Capture(Opening),
}

impl Source {
    /// Where news come from, what is shown, and what there is to settle at the end.
    fn parts(self) -> (Feed, Session, Option<Recorder>) {
        match self {
            Source::Live { worker, recorder } => {
                let feed = Feed::Worker {
                    commands: worker.commands,
                    news: worker.news,
                    kernel: worker.kernel,
                };
                (feed, recorder.reader(), Some(recorder))
            }
            Source::Capture(opening) => {
                let session = opening.session.clone();
                (Feed::Capture(opening), session, None)
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Live { .. } => "Source::Live",
            Source::Capture(_) => "Source::Capture",
        })
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The user quit.
    Quit,
    /// A signal or the loss of the terminal; the caller ends the process with [`Cause::end_process`].
    Outside(Cause),
}

/// Runs until the user quits or the program is ended from outside. The terminal is back, the worker has ended and the
/// summary is printed when this returns.
pub fn run(screen: Screen) -> Result<Outcome, GuardError> {
    check_terminal()?;
    install_panic_hook();
    let control = watch_signals(Jobs::Screen)?;
    let guard = Guard::take()?;
    watch_hang_up(io::stdin(), control.clone())?;
    let display = FrameWriter::start(guard.output())?;
    let mut input = keys::start()?;
    let alarm = Rc::new(Alarm::default());

    let mouse = if screen.settings.mouse {
        Mouse::On
    } else {
        Mouse::Off
    };
    let file = screen.settings.session.clone();
    let (feed, session, recorder) = screen.source.parts();
    let desk = Desk::start(screen.history, annotator(recorder.as_ref(), &session))?;
    let lines = Lines {
        feed,
        control: control.subscribe(),
        desk,
    };
    let turns = Turns::new(
        App::new(screen.settings),
        Process {
            guard,
            clock: screen.clock,
            alarm: Rc::clone(&alarm),
        },
        display,
        lines,
        Views::new(session),
        screen.theme,
        mouse,
    );
    let events = stream::poll_fn(move |context| input.poll_recv(context));
    let (ended, last, guard) = alarm.block_on(async {
        let (ended, turns) = turns.run(events).await;
        let (host, mut lines, mut exports) = turns.dissolve();
        // A peer or a disk that holds the worker up must not hold the user.
        tokio::select! {
            ((), (), ()) = async { tokio::join!(lines.desk.dismiss(), lines.feed.dismiss(), exports.dismiss()) } => {}
            () = alarm.sleep_until(Instant::now() + FAREWELL) => {}
        }
        (ended, lines.feed.last(), host.guard)
    });
    let delivery = guard.leave();
    let kept = match recorder {
        Some(recorder) => settle(ended, &file, &recorder),
        None => Kept::Not,
    };
    say(delivery, summary::lines(&last, &kept));
    Ok(match ended {
        Ended::User(_) => Outcome::Quit,
        Ended::Outside(cause) => Outcome::Outside(cause),
    })
}

/// Who keeps annotations: the recording that is being made, a sidecar of the file that is read, nobody for a pipe.
fn annotator(recorder: Option<&Recorder>, session: &Session) -> Annotator {
    match recorder {
        Some(recorder) => Annotator::of_recording(recorder.clone()),
        None if session.is_of_files() => Annotator::of_file(session.clone()),
        None => Annotator::of_stream(session.clone()),
    }
}

/// Removes a recording that holds no byte, or that the user chose to discard; any other is kept.
fn settle(ended: Ended, session: &SessionFile, recorder: &Recorder) -> Kept {
    let path = session.path().to_owned();
    let unwanted = match session {
        SessionFile::Named(_) | SessionFile::Opened(_) => None,
        SessionFile::Temporary(_) if recorder.payload_bytes() == 0 => Some(Kept::Not),
        SessionFile::Temporary(_) => (ended == Ended::User(Ending::Discard)).then_some(Kept::Discarded),
    };
    let Some(gone) = unwanted else {
        return match recorder.check() {
            Ok(()) => Kept::At(path),
            Err(error) => Kept::Lost(error.to_string()),
        };
    };
    match recorder.discard() {
        Ok(()) => gone,
        Err(error) => Kept::Undeletable {
            path,
            why: error.to_string(),
        },
    }
}

/// Prints what is left to say, unless the terminal did not even take its own restoration.
fn say(delivery: Delivery, lines: Vec<String>) {
    if delivery != Delivery::Written {
        return;
    }
    let print = move || {
        let mut out = io::stdout().lock();
        for line in lines {
            // Nobody is left to be told of a failure.
            let _ = writeln!(out, "{}", Shown::of(&line, Policy::default()));
        }
    };
    within(PATIENCE, print);
}

/// The process that the loop runs in.
struct Process {
    guard: Guard,
    clock: Clock,
    alarm: Rc<Alarm>,
}

impl Host for Process {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep_until(&self, at: Instant) {
        self.alarm.sleep_until(at).await;
    }

    fn size(&self) -> Size {
        match crossterm::terminal::window_size() {
            // A size of nothing is how a terminal says that it does not know, as behind a serial line.
            Ok(size) if size.columns > 0 && size.rows > 0 => Size {
                width: size.columns.min(LARGEST.width),
                height: size.rows.min(LARGEST.height),
            },
            Ok(_) | Err(_) => FALLBACK,
        }
    }

    fn retake(&mut self) -> io::Result<()> {
        self.guard.retake()
    }

    fn suspend(&mut self) -> Result<(), String> {
        if !may_stop() {
            return Err("cannot suspend: no shell is there to continue from".to_owned());
        }
        stop_group().map_err(|error| format!("cannot suspend: {error}"))
    }
}
