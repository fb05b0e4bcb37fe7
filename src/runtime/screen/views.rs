//! What of the log is shown, and what is searched for in it: the scans of the filter and of the search.

use std::future::pending;

use crate::app::{Event, Scanned};
use crate::capture::{Filtered, Scan, ScanReport, Session, Sought};
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
    reports: tokio::sync::watch::Receiver<ScanReport>,
}

impl Watched {
    fn start(session: Session, sought: Sought) -> Watched {
        let scan = Scan::start(session, sought);
        let reports = scan.reports();
        Watched { scan, reports }
    }

    /// Waits until it has got on, and leaves the report to be taken.
    async fn changed(&mut self) {
        if self.reports.changed().await.is_err() {
            pending::<()>().await;
        }
        self.reports.mark_changed();
    }

    fn take(&mut self) -> Option<Scanned> {
        if !self.reports.has_changed().unwrap_or(false) {
            return None;
        }
        let report = self.reports.borrow_and_update();
        Some(Scanned {
            found: report.hits,
            scanned: report.scanned,
            of: report.of,
        })
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
    }

    /// Shows something else, or everything again.
    pub(super) fn filter(&mut self, query: Option<Query>) {
        self.filter = query.map(|query| {
            let watched = Watched::start(self.session.clone(), Sought::Query(query));
            let filtered = Filtered::new(self.session.clone(), &watched.scan);
            (watched, filtered)
        });
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
        let filter = self.filter.as_mut().and_then(|(watched, _)| watched.take());
        let search = self.search.as_mut().and_then(Watched::take);
        let filter = filter.map(Event::Filtered);
        filter.into_iter().chain(search.map(Event::Searched)).collect()
    }
}
