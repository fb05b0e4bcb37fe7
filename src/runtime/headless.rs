//! The headless front end: the same worker without a screen. Standard input is sent, the log is printed by following
//! the session file, and the run ends with the connection. Decides nothing about content.
//!
//! # When it ends
//!
//! - The peer's FIN ends it once this side has finished too. If standard input is still open then, what it has to
//!   give is still sent: a terminal is not waited for, a pipe or file until it pauses for half a second.
//! - The end of standard input half-closes, and the peer's FIN is awaited; with `--stdin-eof ignore` it does nothing.
//! - A limit (`--count`, `--duration`, `--quit-after-idle`) or a closed standard output ends it from this side.
//! - With `--reconnect` an end is followed by the next dial, unless all input was sent and the peer answered it with
//!   its FIN; `--send` is sent on every connection.

mod course;
mod feed;
mod format;
mod print;
mod reading;
mod relay;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};

pub use course::{Limits, StdinEof};
pub use feed::{Feed, explain};
pub use format::Format;
pub use reading::Reading;
pub(super) use reading::read;

use super::signals::{Cause, Control};
use super::tell::tell;
use crate::capture::{CaptureError, Growth, Recorder, Wording};
use crate::model::{Full, Goal, NetCommand, NetEvent, Purpose, RecorderState};
use crate::net::{Clock, Worker};
use crate::text::{self, Policy};
use course::{Course, Rules, Verdict};
use feed::{Fed, Source};
use format::Style;
use print::{Output, PrintError, Printed, Printer};
use relay::Relay;

/// How long the worker may take to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a headless run does.
#[derive(Clone, Debug)]
pub struct Headless {
    /// What is printed.
    pub format: Format,
    /// How standard input becomes what is sent.
    pub feed: Feed,
    /// What its end does.
    pub stdin_eof: StdinEof,
    /// What is sent before it, each as one message.
    pub send: Vec<Vec<u8>>,
    /// When to end although the peer has not.
    pub limits: Limits,
}

/// What a run needs besides: where and how, and the worker that does it.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    pub(super) goal: Goal,
    pub(super) reconnect: bool,
    pub(super) policy: Policy,
    /// Seconds east of UTC.
    pub(super) offset: i32,
    pub(super) worker: &'a mut Worker,
    pub(super) recorder: &'a Recorder,
    pub(super) clock: Clock,
    pub(super) control: watch::Receiver<Control>,
}

/// How a run ended, if it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should.
    Ended,
    /// By a signal, which is to be raised again.
    Signalled(Cause),
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// The connection failed, was reset or timed out, or input was wrong.
    #[error("{0}")]
    Broken(String),
    /// The log could not be printed.
    #[error("{0}")]
    Print(String),
    /// The capture could not be opened, or the file is there already.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// There is no stream to read a capture from.
    #[error(
        "open - reads a capture from standard input: pipe one in, as in ssh host tcpdump -w - | sockscope open -"
    )]
    NoStream,
    /// The system refused a thread or a descriptor.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// Runs until it is over and everything is printed.
pub(super) fn run(options: Headless, setting: Setting<'_>) -> Result<Outcome, HeadlessError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let result = runtime.block_on(async {
        let source = Source::detect()?;
        let mut run = Run::start(options, setting, source)?;
        let result = run.follow().await;
        run.stop_worker().await;
        run.with_what_is_missing(result)
    });
    // A read of standard input that waits for a person must not hold the exit.
    runtime.shutdown_background();
    result
}

/// What happened next.
enum Happened {
    Signal(Cause),
    News,
    WorkerGone,
    Fed(Fed),
    Printed(Printed),
    Time,
    Given,
}

struct Run<'a> {
    setting: Setting<'a>,
    course: Box<dyn Course>,
    progress: Arc<Growth>,
    feed: Option<mpsc::Receiver<Fed>>,
    printed: mpsc::Receiver<Printed>,
    /// Whether the printer still prints, and how it failed if it did.
    printing: Printing,
    told: RecorderState,
    /// The certificate that was made on the spot, once its fingerprint was told.
    shown: Option<String>,
}

/// Where printing stands.
enum Printing {
    GoesOn,
    Over,
    Failed(PrintError),
}

impl<'a> Run<'a> {
    fn start(options: Headless, setting: Setting<'a>, source: Source) -> io::Result<Run<'a>> {
        let style = Style {
            format: options.format,
            wording: Wording {
                policy: setting.policy,
                offset: setting.offset,
                purpose: Purpose::Live,
                connections: match setting.goal {
                    Goal::Connect(_) => false,
                    Goal::Listen(_) | Goal::Tap(..) => true,
                },
            },
        };
        let progress = Arc::new(Growth::default());
        let (report, printed) = mpsc::channel(2);
        let records = setting.recorder.reader();
        let (out, count) = (Output::stdout()?, options.limits.count);
        if options.format == Format::Capture {
            relay::spawn(
                Relay::new(records, out, count),
                Arc::clone(&progress),
                report.clone(),
            )?;
        } else {
            print::spawn(
                Printer::new(records, out, style, count),
                Arc::clone(&progress),
                report.clone(),
            )?;
        }
        if options.format != Format::None {
            print::watch_reader(report)?;
        }
        let rules = Rules {
            goal: setting.goal.clone(),
            send: options.send,
            stdin_eof: options.stdin_eof,
            limits: options.limits,
            reconnect: setting.reconnect,
            source,
        };
        let feed = match source {
            Source::Nothing => None,
            Source::Terminal | Source::Stream => Some(feed::spawn(options.feed)?),
        };
        Ok(Run {
            course: course::towards(rules, setting.clock.now()),
            setting,
            progress,
            feed,
            printed,
            printing: Printing::GoesOn,
            told: RecorderState::Recording,
            shown: None,
        })
    }

    async fn follow(&mut self) -> Result<Outcome, HeadlessError> {
        loop {
            if let Some(verdict) = self.course.verdict() {
                return self.finish(verdict).await;
            }
            match self.next().await {
                Happened::Signal(cause) => return Ok(Outcome::Signalled(cause)),
                Happened::News => self.news(),
                Happened::WorkerGone => {
                    let lost = Verdict::Broken("the network worker has stopped: please report it".into());
                    return self.finish(lost).await;
                }
                Happened::Fed(fed) => {
                    if let Some(wrong) = self.course.feed(fed, self.setting.clock.now()) {
                        tell(&wrong);
                    }
                }
                Happened::Printed(printed) => {
                    self.printed(printed);
                    self.course.end(Verdict::Ended, self.setting.clock.now());
                }
                Happened::Time => self.course.pass(self.setting.clock.now()),
                Happened::Given => {}
            }
        }
    }

    async fn next(&mut self) -> Happened {
        let deadline = self.course.deadline();
        let wake = deadline.map(|at| self.setting.clock.instant(at).into());
        let worker = &mut *self.setting.worker;
        tokio::select! {
            biased;
            cause = signal(&mut self.setting.control) => Happened::Signal(cause),
            permit = worker.commands.reserve(), if self.course.has_command() => {
                if let (Ok(permit), Some(command)) = (permit, self.course.command()) {
                    permit.send(command);
                }
                Happened::Given
            }
            changed = worker.news.changed() => match changed {
                Ok(()) => Happened::News,
                Err(_) => Happened::WorkerGone,
            },
            Some(printed) = self.printed.recv() => Happened::Printed(printed),
            fed = fed(&mut self.feed), if self.course.wants_input() => Happened::Fed(fed),
            () = sleep_until(wake.unwrap_or_else(tokio::time::Instant::now)), if wake.is_some() => Happened::Time,
        }
    }

    fn news(&mut self) {
        let news = self.setting.worker.news.borrow_and_update().clone();
        let recorder = news.recorder.clone();
        self.progress.reached(news.entries);
        if recorder != self.told {
            match &recorder {
                RecorderState::Recording => {
                    if matches!(self.told, RecorderState::Paused { .. }) {
                        tell("recording goes on, and so does reading: nothing was lost");
                    }
                }
                RecorderState::Paused {
                    reason,
                    full: Full::ForNow,
                } => {
                    tell(&format!("reading is paused, so that nothing is lost: {reason}"));
                }
                // Nothing would ever come of waiting.
                RecorderState::Paused {
                    reason,
                    full: Full::ForGood,
                } => {
                    let verdict = Verdict::Broken(reason.clone());
                    self.course.end(verdict, self.setting.clock.now());
                }
                // The end of the connection says why.
                RecorderState::Stopped { .. } => {}
                RecorderState::Losing { reason, .. } => {
                    // Once, not at every byte that is lost.
                    if !matches!(self.told, RecorderState::Losing { .. }) {
                        tell(reason);
                    }
                }
            }
            self.told = recorder;
        }
        self.tell_fingerprint(&news);
        self.course.report(news, self.setting.clock.now());
    }

    /// Says which certificate clients get to see that can be trusted by nothing else.
    fn tell_fingerprint(&mut self, news: &NetEvent) {
        let listening = news.listening.as_ref().filter(|listening| listening.self_signed);
        let Some(fingerprint) = listening.and_then(|listening| listening.fingerprint.as_ref()) else {
            return;
        };
        if self.shown.as_ref() != Some(fingerprint) {
            tell(&format!(
                "clients get to see a certificate that was made on the spot, SHA-256 {fingerprint}; --cert and --key show \
                 another"
            ));
            self.shown = Some(fingerprint.clone());
        }
    }

    fn printed(&mut self, printed: Printed) {
        self.printing = match printed {
            Printed::All | Printed::Enough | Printed::Closed => Printing::Over,
            Printed::Failed(error) => Printing::Failed(error),
        };
    }

    /// Prints the rest, and turns the verdict into a result.
    async fn finish(&mut self, verdict: Verdict) -> Result<Outcome, HeadlessError> {
        self.progress.complete(self.setting.recorder.len());
        if matches!(self.printing, Printing::GoesOn) {
            tokio::select! {
                biased;
                cause = signal(&mut self.setting.control) => return Ok(Outcome::Signalled(cause)),
                Some(printed) = self.printed.recv() => self.printed(printed),
            }
        }
        match (&self.printing, verdict) {
            (Printing::Failed(error), _) => Err(HeadlessError::Print(error.to_string())),
            (Printing::GoesOn | Printing::Over, Verdict::Ended) => Ok(Outcome::Ended),
            (Printing::GoesOn | Printing::Over, Verdict::Broken(why)) => Err(HeadlessError::Broken(why)),
        }
    }

    /// Says how much crossed and was not recorded, of all connections and whenever it was; with the error, if there is
    /// one, since that is one line.
    fn with_what_is_missing(&self, result: Result<Outcome, HeadlessError>) -> Result<Outcome, HeadlessError> {
        let missing = match self.setting.worker.news.borrow().recorder {
            RecorderState::Losing { bytes, .. } if bytes > 0 => text::format::size(bytes),
            RecorderState::Losing { .. }
            | RecorderState::Recording
            | RecorderState::Paused { .. }
            | RecorderState::Stopped { .. } => return result,
        };
        let said = format!("{missing} were not recorded; the log says where, as far as it had room for that");
        match result {
            Err(HeadlessError::Broken(why)) => Err(HeadlessError::Broken(format!("{why}; {said}"))),
            Ok(_) | Err(_) => {
                tell(&said);
                result
            }
        }
    }

    /// Lets the worker record its end. The news are over when it has.
    async fn stop_worker(&mut self) {
        let worker = &mut *self.setting.worker;
        let stop = async {
            if worker.commands.send(NetCommand::Shutdown).await.is_ok() {
                while worker.news.changed().await.is_ok() {}
            }
        };
        // A worker that hangs in a system call is left behind.
        let _ = timeout(PATIENCE, stop).await;
    }
}

/// Waits for the signal that is to end the program.
async fn signal(control: &mut watch::Receiver<Control>) -> Cause {
    loop {
        if let Some(cause) = control.borrow_and_update().ending {
            return cause;
        }
        if control.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn fed(feed: &mut Option<mpsc::Receiver<Fed>>) -> Fed {
    match feed {
        Some(feed) => feed.recv().await.unwrap_or(Fed::End),
        None => std::future::pending().await,
    }
}
