//! Exports: what was recorded, or a part of it, in the formats of others.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `chosen` | the entries that are exported, one after the other |
//! | `form`, `pcapng`, `python`, `piece`, `json` | how they are written in each format |
//! | `output`, `error` | files that exist only if it succeeds |
//! | `words` | what is exported, and why that may be nothing |
//!
//! An export has a thread of its own and takes the same memory however long the log is. It holds what was recorded
//! when it started; what comes later is not in it.

mod chosen;
mod error;
mod form;
mod json;
mod output;
mod pcapng;
mod piece;
mod python;
mod words;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use self::chosen::Chosen;
use self::error::ExportError;
use self::form::Form;
pub use self::output::Target;
use self::output::{Output, Parts};
pub use self::piece::{Piece, Wording};
use super::search::{Hits, Pass};
use super::{CaptureError, Growth, Session, Sought, background};
use crate::model::{
    ConnectionId, Entry, ExportFormat, ExportReport, ExportState, Portion, Records as _, RecordsError, Role,
    Surroundings,
};

/// Bytes of the log that are passed before it is looked whether to go on.
const ROUND: u64 = 4 << 20;

/// The time between two reports.
const PACE: Duration = Duration::from_millis(40);

/// What is to be exported, as what and where to.
pub struct Order {
    /// Which entries.
    pub portion: Portion,
    /// As what.
    pub format: ExportFormat,
    /// How they are worded, where they are.
    pub wording: Wording,
    /// Where to. Raw bytes of more than one entry go to two files, whose names end with `.sent` and `.received`; in a
    /// stream there are only those that were received.
    pub target: Target,
}

/// An export in a thread of its own. Dropping it stops it, and nothing of it is left.
#[derive(Debug)]
pub struct Export {
    /// How it stands: the latest report, at most some twenty a second.
    pub reports: watch::Receiver<ExportReport>,
    growth: Arc<Growth>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Export {
    /// Starts to export what is in `session` now.
    pub fn start(session: Session, order: Order) -> Export {
        let growth = Growth::default();
        growth.complete(session.len());
        Export::follow(session, order, Arc::new(growth))
    }

    /// Starts to export what is in `session` as it grows, until `growth` is complete.
    pub fn follow(session: Session, order: Order, growth: Arc<Growth>) -> Export {
        let stop = Arc::new(AtomicBool::new(false));
        let (reporter, reports) = watch::channel(ExportReport::default());
        let work = Work::new(session, order, growth.clone(), stop.clone(), reporter.clone());
        let thread = background::spawn("export", move || work.run());
        let thread = match thread {
            Ok(thread) => Some(thread),
            Err(error) => {
                reporter.send_modify(|report| {
                    report.state = ExportState::Failed(format!("cannot start a thread: {error}"));
                });
                None
            }
        };
        Export {
            reports,
            growth,
            stop,
            thread,
        }
    }

    /// Stops it; its files are removed, which the last report tells.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        // It may be waiting for more.
        self.growth.complete(0);
    }

    /// Waits until it has ended.
    pub fn join(mut self) -> ExportReport {
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by its hook.
            drop(thread.join());
        }
        self.reports.borrow().clone()
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What runs in the thread.
struct Work {
    session: Session,
    what: String,
    format: ExportFormat,
    portion: Portion,
    wording: Wording,
    target: Option<Target>,
    growth: Arc<Growth>,
    stop: Arc<AtomicBool>,
    reporter: watch::Sender<ExportReport>,
    reported: Option<Instant>,
    report: ExportReport,
}

impl Work {
    fn new(
        session: Session,
        order: Order,
        growth: Arc<Growth>,
        stop: Arc<AtomicBool>,
        reporter: watch::Sender<ExportReport>,
    ) -> Work {
        Work {
            what: words::description(&session, &order.portion),
            session,
            format: order.format,
            portion: order.portion,
            wording: order.wording,
            target: Some(order.target),
            growth,
            stop,
            reporter,
            reported: None,
            report: ExportReport::default(),
        }
    }

    fn run(mut self) {
        let state = match self.export() {
            Ok(files) => ExportState::Done(files),
            Err(Failure { error, left }) => match (&error, left.as_slice()) {
                (ExportError::File(CaptureError::Exists(path)), _) => {
                    ExportState::Exists(path.display().to_string())
                }
                _ if error.is_closed() => ExportState::Closed,
                (ExportError::Stopped, []) => ExportState::Stopped,
                (ExportError::Nothing(why), []) => ExportState::Nothing(why.clone()),
                (_, []) => ExportState::Failed(error.to_string()),
                (_, left) => ExportState::Failed(format!("{error}; {} is not whole", left.join(", "))),
            },
        };
        self.report.state = state;
        self.reporter.send_replace(self.report);
    }

    /// Writes everything; returns the files. After an error there are none, or those that could not be removed.
    fn export(&mut self) -> Result<Vec<String>, Failure> {
        let parts = match self.format {
            ExportFormat::Raw if !self.portion.is_one() => Parts::Directions,
            ExportFormat::Raw
            | ExportFormat::Pcapng
            | ExportFormat::Jsonl
            | ExportFormat::Hexdump
            | ExportFormat::Text
            | ExportFormat::Python => Parts::One,
        };
        let Some(target) = self.target.take() else {
            return Ok(Vec::new());
        };
        let mut out = Output::create(target, parts, &self.session).map_err(|error| Failure {
            error: error.into(),
            left: Vec::new(),
        })?;
        let result = self.write(&mut out);
        // A file that is put in place of another one, or one that nobody can use, helps nobody.
        let result = match result {
            Ok(()) if self.report.entries == 0 && out.is_kept() => {
                Err(ExportError::Nothing(words::nothing(&self.session, &self.portion)))
            }
            result => result,
        };
        result
            .and_then(|()| out.finish(&self.session))
            .map_err(|error| Failure {
                error,
                left: out.abandon(),
            })
    }

    /// Goes through the log, in rounds while it grows. An entry that only bytes of a later round make a hit is left
    /// out: it was passed.
    fn write(&mut self, out: &mut Output) -> Result<(), ExportError> {
        let hits = Hits::default();
        let mut pass = match &self.portion {
            Portion::Query(query) | Portion::Within(_, query) => {
                let sought = Sought::Query(query.clone());
                Some(Pass::new(self.session.clone(), sought, hits.clone()))
            }
            Portion::All | Portion::Entries(_) => None,
        };
        let mut chosen = Chosen::new(self.session.clone(), &self.portion, hits);
        let mut form = Form::new(self.format, &self.session, &self.portion, self.wording);
        let mut begun = false;
        let mut seen = 0;
        loop {
            let grown = self.growth.wait(seen, None);
            seen = grown.entries;
            let end = chosen.end(grown.entries);
            self.report.of = end;
            if let Some(pass) = &mut pass {
                self.find(pass, end)?;
            }
            if !begun {
                // Now it is known when the first entry happened.
                begun = true;
                if self.has_several(grown.complete) {
                    form.number_connections();
                }
                form.begin(&self.what, &self.session, out)
                    .map_err(ExportError::write(out.name()))?;
            }
            self.pass(&mut chosen, end, &mut form, out)?;
            if grown.complete {
                form.end(out).map_err(ExportError::write(out.name()))?;
                return self.go_on();
            }
            // Whoever follows a stream sees what there is of it.
            std::io::Write::flush(out).map_err(ExportError::write(out.name()))?;
        }
    }

    /// Whether entries of several connections may be exported. Whether a file has them is known when it was read as a
    /// whole, but for those of programs that wait for connections.
    fn has_several(&self, complete: bool) -> bool {
        let only = match &self.portion {
            Portion::Query(query) | Portion::Within(_, query) => query.connection().is_some(),
            Portion::Entries(_) => self.portion.is_one(),
            Portion::All => false,
        };
        let waits = self.session.role(ConnectionId(0)) == Role::Listener;
        !only && (waits || complete && self.session.conversations() > 1)
    }

    /// Finds the entries before `end` that the query holds for.
    fn find(&mut self, pass: &mut Pass, end: u64) -> Result<(), ExportError> {
        while pass.next() < end {
            self.go_on()?;
            pass.read(end, ROUND, &self.stop)?;
            self.tell(ExportState::Finding, pass.next());
        }
        Ok(())
    }

    /// Writes the chosen entries before `end`.
    fn pass(
        &mut self,
        chosen: &mut Chosen,
        end: u64,
        form: &mut Form,
        out: &mut Output,
    ) -> Result<(), ExportError> {
        while chosen.next() < end {
            self.go_on()?;
            let mut result = Ok(());
            let session = (&self.session, self.session.has_stamps());
            let entries = &mut self.report.entries;
            chosen.read(end, ROUND, &mut |entry, bytes| {
                result = write_entry(session, entry, bytes, form, out);
                *entries += 1;
                if result.is_ok() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            result?;
            self.report.bytes = out.bytes();
            self.tell(ExportState::Writing, chosen.next());
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), ExportError> {
        if self.stop.load(Ordering::Relaxed) {
            Err(ExportError::Stopped)
        } else {
            Ok(())
        }
    }

    fn tell(&mut self, state: ExportState, passed: u64) {
        self.report.state = state;
        self.report.passed = passed;
        if self.reported.is_none_or(|at| at.elapsed() >= PACE) {
            self.reporter.send_replace(self.report.clone());
            self.reported = Some(Instant::now());
        }
    }
}

/// Why an export failed, and what files of it are left.
struct Failure {
    error: ExportError,
    left: Vec<String>,
}

fn write_entry(
    (session, has_stamps): (&Session, bool),
    entry: &Entry,
    bytes: &[u8],
    form: &mut Form,
    out: &mut Output,
) -> Result<(), ExportError> {
    let annotation = session.annotation(entry.id);
    let mut piece = Piece {
        entry,
        bytes,
        surroundings: Surroundings::default(),
        annotation: annotation.as_ref(),
        role: session.role(entry.connection),
        stamps: entry
            .direction()
            .filter(|_| has_stamps)
            .and_then(|_| session.stamps(entry.id)),
    };
    if form.decodes() {
        piece.surroundings = surroundings(session, &piece)?;
    }
    form.entry(&piece, out).map_err(ExportError::write(out.name()))
}

/// The bytes around an entry, where they make a difference: looking for them costs more than most entries.
fn surroundings(session: &Session, piece: &Piece<'_>) -> Result<Surroundings, RecordsError> {
    // A continuation byte (RFC 3629 §3) may belong to a character that began before.
    let is_rest = piece
        .bytes
        .first()
        .is_some_and(|byte| matches!(byte, 0x80..=0xbf));
    if is_rest || piece.is_cut() {
        session.surroundings(piece.entry.id)
    } else {
        Ok(Surroundings::default())
    }
}

#[cfg(test)]
mod tests;
