//! A capture without a screen: its entries go to standard output or into files, in any format. A stream is followed
//! to its end, a file as far as it goes when it was read.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::print::{Output, Printed, watch_reader};
use super::{HeadlessError, Outcome, signal};
use crate::capture::{
    Annotator, CaptureError, Existing, Export, Growth, Opening, Order, Target, Wording,
    open_stream_in_background,
};
use crate::model::{
    ExportFormat, ExportState, FileReport, FileState, Portion, Query, Records as _, Reference,
};
use crate::runtime::captured::Captured;
use crate::runtime::signals::Control;
use crate::runtime::tell::tell;

/// What is made of a capture.
#[derive(Clone, Debug)]
pub struct Reading {
    /// As what it is printed, if at all.
    pub format: Option<ExportFormat>,
    /// Which entries; all of them without it.
    pub filter: Option<String>,
    /// The file that is written instead of standard output.
    pub file: Option<(PathBuf, Existing)>,
}

/// What happened next.
enum Happened {
    Signal(crate::runtime::signals::Cause),
    Read(FileReport),
    Exported,
    ReaderGone,
}

/// Reads a capture, or standard input without one, until everything is written.
pub(in crate::runtime) fn read(
    reading: Reading,
    captured: Option<&Captured>,
    wording: Wording,
    control: watch::Receiver<Control>,
) -> Result<Outcome, HeadlessError> {
    let (opening, rest) = open(captured)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(Course::new(opening, rest, control).run(reading, wording))
}

/// Whether a capture that was read to its end is at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// A file: what is written to it later is left out. Nothing of it is passed on before, since what the user added
    /// to an entry may stand anywhere behind it.
    AtEnd,
    /// A stream, which says when it is over.
    WhenOver,
}

fn open(captured: Option<&Captured>) -> Result<(Opening, Rest), HeadlessError> {
    let Some(captured) = captured else {
        if io::stdin().is_terminal() {
            return Err(HeadlessError::NoStream);
        }
        let stream = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let opening = open_stream_in_background(Path::new("standard input"), stream)?;
        return Ok((opening, Rest::WhenOver));
    };
    let opening = captured.open()?;
    let rest = if opening.session.is_of_files() {
        Rest::AtEnd
    } else {
        Rest::WhenOver
    };
    Ok((opening, rest))
}

struct Course {
    opening: Opening,
    rest: Rest,
    control: watch::Receiver<Control>,
    growth: Arc<Growth>,
    /// Whether what the user added to entries was read.
    annotated: bool,
}

impl Course {
    fn new(opening: Opening, rest: Rest, control: watch::Receiver<Control>) -> Course {
        Course {
            opening,
            rest,
            control,
            growth: Arc::default(),
            annotated: false,
        }
    }

    async fn run(mut self, reading: Reading, wording: Wording) -> Result<Outcome, HeadlessError> {
        if let Some(cause) = self.first_entry().await {
            return Ok(Outcome::Signalled(cause));
        }
        let portion = match &reading.filter {
            None => Portion::All,
            Some(filter) => Portion::Query(self.query(filter, wording)?),
        };
        let (report, mut gone) = mpsc::channel(1);
        let Some(format) = reading.format else {
            let mut nothing = None;
            return self.follow(&mut nothing, &mut gone).await;
        };
        let target = match reading.file {
            Some((path, existing)) => Target::File { path, existing },
            None => {
                watch_reader(report)?;
                Target::Stream(Box::new(Output::stdout()?))
            }
        };
        let order = Order {
            portion,
            format,
            wording,
            target,
        };
        let session = self.opening.session.clone();
        let mut export = Some(Export::follow(session, order, self.growth.clone()));
        self.follow(&mut export, &mut gone).await
    }

    /// Waits until there is an entry, or there will be none: its time is what others refer to.
    async fn first_entry(&mut self) -> Option<crate::runtime::signals::Cause> {
        let mut reports = self.opening.reports.clone();
        let there = reports.wait_for(|report| report.entries > 0 || report.state != FileState::Indexing);
        tokio::select! {
            biased;
            cause = signal(&mut self.control) => Some(cause),
            _ = there => None,
        }
    }

    /// Reads what was written beside a file that is only read, once. Nothing of it was passed on before.
    fn load_annotations(&mut self) {
        let session = self.opening.session.clone();
        if self.rest == Rest::WhenOver || session.is_empty() || std::mem::replace(&mut self.annotated, true) {
            return;
        }
        if let Err(error) = Annotator::of_file(session).load() {
            tell(&error.to_string());
        }
    }

    fn query(&self, filter: &str, wording: Wording) -> Result<Query, HeadlessError> {
        let session = &self.opening.session;
        let first = session.entry(session.first());
        let reference = Reference {
            offset: wording.offset,
            start: first.map(|entry| entry.at).unwrap_or_default(),
        };
        Query::parse(filter, &reference).map_err(|error| HeadlessError::Broken(error.message))
    }

    /// Follows the reading and the export until both are over.
    async fn follow(
        &mut self,
        export: &mut Option<Export>,
        gone: &mut mpsc::Receiver<Printed>,
    ) -> Result<Outcome, HeadlessError> {
        let mut read = self.opening.reports.borrow_and_update().clone();
        loop {
            if self.is_over(&read) {
                self.load_annotations();
                self.growth.complete(self.opening.session.len());
                if export.is_none() {
                    return judge(&read).map(|()| Outcome::Ended);
                }
            } else if self.rest == Rest::WhenOver {
                self.growth.reached(self.opening.session.len());
            }
            match self.next(export.as_mut(), gone).await {
                Happened::Signal(cause) => {
                    if let Some(export) = export.take() {
                        export.stop();
                        // It removes what it has written so far.
                        export.join();
                    }
                    return Ok(Outcome::Signalled(cause));
                }
                Happened::Read(report) => read = report,
                Happened::ReaderGone => return Ok(Outcome::Ended),
                Happened::Exported => {
                    let Some(export) = export.take() else { continue };
                    return exported(export.join().state, &read);
                }
            }
        }
    }

    async fn next(&mut self, export: Option<&mut Export>, gone: &mut mpsc::Receiver<Printed>) -> Happened {
        let exported = async {
            match export {
                // Its end closes the channel too.
                Some(export) => drop(export.reports.wait_for(|report| report.state.is_last()).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            cause = signal(&mut self.control) => Happened::Signal(cause),
            () = exported => Happened::Exported,
            Ok(()) = self.opening.reports.changed() => {
                Happened::Read(self.opening.reports.borrow_and_update().clone())
            }
            Some(_) = gone.recv() => Happened::ReaderGone,
        }
    }

    /// Whether no more entries will come.
    fn is_over(&self, report: &FileReport) -> bool {
        match report.state {
            FileState::Indexing => false,
            FileState::Following => {
                if self.rest == Rest::AtEnd {
                    // What waits for missing packets is let go; the last report says so.
                    self.opening.cancel();
                }
                false
            }
            FileState::Complete | FileState::Cut | FileState::Cancelled | FileState::Failed(_) => true,
        }
    }
}

/// What became of the export, and of the reading.
fn exported(state: ExportState, read: &FileReport) -> Result<Outcome, HeadlessError> {
    match state {
        ExportState::Done(_) => judge(read).map(|()| Outcome::Ended),
        ExportState::Closed | ExportState::Stopped => Ok(Outcome::Ended),
        ExportState::Exists(path) => Err(CaptureError::Exists(path.into()).into()),
        ExportState::Failed(why) => Err(HeadlessError::Print(why)),
        ExportState::Nothing(why) => {
            judge(read).and(Err(HeadlessError::Print(format!("nothing was written: {why}"))))
        }
        ExportState::Finding | ExportState::Writing => Err(HeadlessError::Print(
            "the export has stopped: please report it".into(),
        )),
    }
}

/// Says what was left out or repaired, and whether the reading failed.
fn judge(read: &FileReport) -> Result<(), HeadlessError> {
    for remark in &read.remarks {
        tell(remark);
    }
    match &read.state {
        FileState::Failed(why) => Err(HeadlessError::Broken(format!(
            "the capture cannot be read: {why}"
        ))),
        FileState::Indexing
        | FileState::Following
        | FileState::Complete
        | FileState::Cut
        | FileState::Cancelled => Ok(()),
    }
}
