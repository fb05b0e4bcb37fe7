//! Scans over the whole log in the background: a search or a filter, whose hits are there to ask for as they are
//! found, while the log grows.
//!
//! Deliberately absent: what is done with hits, and drawing them.

mod highlight;
mod hits;
mod judge;
mod pass;
mod streams;
mod stretch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;

pub use self::highlight::Highlights;
pub use self::hits::Hits;
use self::judge::Judge;
pub use self::judge::Sought;
pub(super) use self::pass::Pass;
#[cfg(test)]
use self::pass::take_in;
use self::streams::Streams;
use super::{Session, background};
use crate::model::{EntryId, Found, Records as _};

/// Bytes of the file that are searched in the first round. Each round is twice as long, so that the first hits come
/// at once and the rest fast.
const FIRST_ROUND: u64 = 256 << 10;

/// The most bytes of a round.
const ROUND: u64 = 8 << 20;

/// The time between two reports of a scan that goes on.
const PACE: Duration = Duration::from_millis(40);

/// How far a scan is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Entries that were looked at: all before this one.
    pub scanned: u64,
    /// Entries that there are.
    pub of: u64,
    /// Hits that were found.
    pub hits: u64,
    /// How often entries were decided anew, because of what the user added to them: others may be hits then, as many as
    /// before.
    pub renewals: u64,
    /// What it is doing.
    pub state: ScanState,
}

/// What a scan is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ScanState {
    /// It looks at entries.
    #[default]
    Scanning,
    /// It has seen all there are, and waits for more.
    Waiting,
    /// It was stopped; what was found stays.
    Stopped,
    /// The log could not be read, with the reason in words; what was found stays.
    Failed(String),
}

/// A scan in a thread of its own. Dropping it ends it.
#[derive(Debug)]
pub struct Scan {
    session: Session,
    hits: Hits,
    /// What a filter shows, to which those who go from hit to hit keep.
    shown: Option<Shown>,
    reports: watch::Receiver<ScanReport>,
    stop: Arc<AtomicBool>,
    /// `None` if the system gave us no thread.
    thread: Option<JoinHandle<()>>,
}

impl Scan {
    /// Starts looking for `sought` from the beginning of the log.
    pub fn start(session: Session, sought: Sought) -> Scan {
        let hits = Hits::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, reports) = watch::channel(ScanReport::default());
        let worker = Worker {
            pass: Pass::new(session.clone(), sought, hits.clone()),
            session: session.clone(),
            hits: hits.clone(),
            stop: stop.clone(),
            reports: sender.clone(),
            reported: None,
            renewals: 0,
        };
        let thread = background::spawn("scan", move || worker.run());
        let thread = match thread {
            Ok(thread) => Some(thread),
            Err(error) => {
                sender.send_modify(|report| {
                    report.state = ScanState::Failed(format!("cannot start a thread: {error}"));
                });
                None
            }
        };
        Scan {
            session,
            hits,
            shown: None,
            reports,
            stop,
            thread,
        }
    }

    /// From now on, only hits that this filter shows are gone to; without one, all.
    pub fn keep_to(&mut self, filter: Option<&Scan>) {
        self.shown = filter.map(|filter| Shown {
            hits: filter.hits(),
            reports: filter.reports(),
        });
    }

    /// The entries before this one were looked at, by the filter too, unless that will look at no more.
    fn passed(&self) -> u64 {
        let scanned = self.report().scanned;
        let shown = self.shown.as_ref().map(|shown| shown.reports.borrow().clone());
        match shown.map(|filter| (filter.state, filter.scanned)) {
            Some((ScanState::Scanning | ScanState::Waiting, passed)) => scanned.min(passed),
            Some((ScanState::Stopped | ScanState::Failed(_), _)) | None => scanned,
        }
    }

    /// What was found so far. It stays readable when the scan is gone.
    pub fn hits(&self) -> Hits {
        self.hits.clone()
    }

    /// How far it is.
    pub fn report(&self) -> ScanReport {
        self.reports.borrow().clone()
    }

    /// Tells of every change, some 25 times a second at most, and of nothing while nothing changes.
    pub fn reports(&self) -> watch::Receiver<ScanReport> {
        self.reports.clone()
    }

    /// Says that there may be new entries or annotations. Costs nothing if there are none.
    pub fn poke(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Ends the scan and keeps what was found.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.poke();
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        // Not joined: it ends within the entry that it looks at, and nobody needs to wait for that.
        self.stop();
    }
}

/// What a filter shows, and how far it is.
#[derive(Debug)]
struct Shown {
    hits: Hits,
    reports: watch::Receiver<ScanReport>,
}

impl Found for Scan {
    fn count(&self) -> u64 {
        self.hits.count()
    }

    fn scanned(&self) -> u64 {
        self.passed()
    }

    fn entries(&self) -> u64 {
        self.report().of
    }

    fn next(&self, from: EntryId) -> Option<EntryId> {
        let shown = self.shown.as_ref().map(|shown| &shown.hits);
        self.hits.at_or_after_among(shown, from.max(self.session.first()))
    }

    fn previous(&self, to: EntryId) -> Option<EntryId> {
        let shown = self.shown.as_ref().map(|shown| &shown.hits);
        let found = self.hits.at_or_before_among(shown, to)?;
        (found >= self.session.first()).then_some(found)
    }

    fn rank(&self, id: EntryId) -> u64 {
        self.hits.rank(id)
    }

    fn hidden_before(&self, id: EntryId) -> u64 {
        let shown = self.shown.as_ref();
        shown.map_or(0, |shown| self.hits.rank_outside(&shown.hits, id))
    }

    fn nth(&self, rank: u64) -> Option<EntryId> {
        self.hits.nth(rank)
    }
}

/// What runs in the thread.
struct Worker {
    session: Session,
    pass: Pass,
    hits: Hits,
    stop: Arc<AtomicBool>,
    reports: watch::Sender<ScanReport>,
    reported: Option<Instant>,
    renewals: u64,
}

impl Worker {
    fn run(mut self) {
        let mut round = FIRST_ROUND;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return self.report(ScanState::Stopped);
            }
            match self.pass.renew() {
                Ok(renewed) => self.renewals += u64::from(renewed),
                Err(error) => return self.report(ScanState::Failed(error.to_string())),
            }
            let len = self.session.len();
            if self.pass.next() >= len {
                self.wait();
                continue;
            }
            if let Err(error) = self.pass.read(len, round, &self.stop) {
                return self.report(ScanState::Failed(error.to_string()));
            }
            round = (round * 2).min(ROUND);
            if self.due().is_zero() {
                self.report(ScanState::Scanning);
            }
        }
    }

    /// Sleeps until there may be something new, and reports before that what was not reported yet.
    fn wait(&mut self) {
        let news = self.news(ScanState::Waiting);
        if *self.reports.borrow() == news {
            return thread::park();
        }
        let due = self.due();
        let first = self.reports.borrow().state == ScanState::Scanning;
        if first || due.is_zero() {
            self.report(ScanState::Waiting);
        } else {
            thread::park_timeout(due);
        }
    }

    /// How long until the next report.
    fn due(&self) -> Duration {
        self.reported
            .map_or(Duration::ZERO, |at| PACE.saturating_sub(at.elapsed()))
    }

    fn news(&self, state: ScanState) -> ScanReport {
        let scanned = self.pass.next();
        ScanReport {
            scanned,
            of: self.session.len().max(scanned),
            hits: self.hits.count(),
            renewals: self.renewals,
            state,
        }
    }

    fn report(&mut self, state: ScanState) {
        self.reports.send_replace(self.news(state));
        self.reported = Some(Instant::now());
    }
}

#[cfg(test)]
mod log;
#[cfg(test)]
mod tests;
