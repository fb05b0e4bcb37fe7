//! What of the log is shown, and what is searched for in it: the scans of the filter and of the search.

use std::future::pending;

use tokio::sync::watch;

use crate::app::{Event, Report, Scanned};
use crate::capture::{Filtered, Scan, ScanReport, ScanState, Session, Sought};
use crate::model::{Found, Query, Records};
use crate::text::Pattern;

/// The log and the scans over it.
#[derive(Debug)]
pub(in crate::runtime) struct Views {
    session: Session,
    search: Option<Watched>,
    filter: Option<(Watched, Filtered)>,
}

/// A scan, and what it reported.
#[derive(Debug)]
struct Watched {
    scan: Scan,
    reports: watch::Receiver<ScanReport>,
    /// What was passed on last.
    told: ScanReport,
}

impl Watched {
    fn start(session: Session, sought: Sought) -> Watched {
        let scan = Scan::start(session, sought);
        let reports = scan.reports();
        Watched {
            scan,
            reports,
            told: ScanReport::default(),
        }
    }

    /// Waits until it has got on.
    async fn changed(&mut self) {
        if self.reports.changed().await.is_err() {
            // It has ended, and what it said last was passed on.
            pending::<()>().await;
        }
    }

    /// Its latest report, if that is another one.
    fn take(&mut self) -> Option<Scanned> {
        let report = self.reports.borrow_and_update().clone();
        if report == self.told {
            return None;
        }
        self.told = report;
        Some(Scanned {
            found: self.told.hits,
            scanned: self.told.scanned,
            of: self.told.of,
        })
    }

    /// Why it could not go on, if its latest report says so.
    fn trouble(&self) -> Option<Event> {
        match &self.told.state {
            ScanState::Failed(why) => Some(Event::Report(Report::Failed(why.clone()))),
            ScanState::Scanning | ScanState::Waiting | ScanState::Stopped => None,
        }
    }
}

impl Views {
    /// All of the log.
    pub(in crate::runtime) fn new(session: Session) -> Views {
        Views {
            session,
            search: None,
            filter: None,
        }
    }

    /// All of the log, whatever is shown.
    pub(super) fn session(&self) -> Session {
        self.session.clone()
    }

    /// What is shown.
    pub(super) fn records(&self) -> &dyn Records {
        match &self.filter {
            Some((_, filtered)) => filtered,
            None => &self.session,
        }
    }

    /// What the search has found.
    pub(super) fn hits(&self) -> Option<&dyn Found> {
        self.search.as_ref().map(|watched| &watched.scan as &dyn Found)
    }

    /// Searches for something else, or for nothing any more.
    pub(super) fn search(&mut self, pattern: Option<Pattern>) {
        self.search = pattern.map(|pattern| Watched::start(self.session.clone(), Sought::Pattern(pattern)));
        self.keep_to_filter();
    }

    /// Shows something else, or everything again.
    pub(super) fn filter(&mut self, query: Option<Query>) {
        self.filter = query.map(|query| {
            let watched = Watched::start(self.session.clone(), Sought::Query(query));
            let filtered = Filtered::new(self.session.clone(), &watched.scan);
            (watched, filtered)
        });
        self.keep_to_filter();
    }

    /// Stops looking for more that is to be shown.
    pub(super) fn stop_filter(&self) {
        if let Some((watched, _)) = &self.filter {
            watched.scan.stop();
        }
    }

    /// Hits that are not shown are not gone to.
    fn keep_to_filter(&mut self) {
        if let Some(search) = &mut self.search {
            let filter = self.filter.as_ref().map(|(watched, _)| &watched.scan);
            search.scan.keep_to(filter);
        }
    }

    /// Says that the log may have grown.
    pub(super) fn poke(&self) {
        let filter = self.filter.as_ref().map(|(watched, _)| watched);
        for watched in self.search.iter().chain(filter) {
            watched.scan.poke();
        }
    }

    /// Waits until a scan has got on. Cancelling this loses nothing.
    pub(super) async fn changed(&mut self) {
        let search = async {
            match &mut self.search {
                Some(watched) => watched.changed().await,
                None => pending().await,
            }
        };
        let filter = async {
            match &mut self.filter {
                Some((watched, _)) => watched.changed().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = search => {}
            () = filter => {}
        }
    }

    /// What the scans have to report.
    pub(super) fn take(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some((watched, _)) = &mut self.filter {
            let progress = watched.take();
            events.extend(progress.map(Event::Filtered));
            events.extend(progress.and_then(|_| watched.trouble()));
        }
        if let Some(watched) = &mut self.search {
            let progress = watched.take();
            events.extend(progress.map(Event::Searched));
            events.extend(progress.and_then(|_| watched.trouble()));
        }
        events
    }
}
