//! The export of the screen: at most one at a time, in a thread of its own.

use std::env;
use std::future::pending;
use std::path::PathBuf;

use crate::app::{Event, ExportOrder, Settings};
use crate::capture::{Export, Order, Session, Target, Wording};
use crate::model::ExportReport;

/// The export that is under way, if there is one.
#[derive(Debug)]
pub(super) struct Exports {
    wording: Wording,
    running: Option<Export>,
    told: ExportReport,
}

impl Exports {
    /// None yet; what is exported is worded as it is shown.
    pub(super) fn new(settings: &Settings) -> Exports {
        Exports {
            wording: Wording {
                policy: settings.policy,
                offset: settings.zone.offset(),
                purpose: settings.session.purpose(),
                connections: false,
            },
            running: None,
            told: ExportReport::default(),
        }
    }

    /// Starts one.
    pub(super) fn start(&mut self, session: Session, order: ExportOrder) {
        let ExportOrder {
            portion,
            format,
            path,
            existing,
        } = order;
        let order = Order {
            portion,
            format,
            wording: self.wording,
            target: Target::File {
                path: at_home(&path),
                existing,
            },
        };
        self.told = ExportReport::default();
        self.running = Some(Export::start(session, order));
    }

    /// Stops it; its last report says so.
    pub(super) fn stop(&self) {
        if let Some(export) = &self.running {
            export.stop();
        }
    }

    /// Waits until it has got on. Cancelling this loses nothing.
    pub(super) async fn changed(&mut self) {
        if let Some(export) = &mut self.running
            && export.reports.changed().await.is_ok()
        {
            return;
        }
        // There is none, or it has ended and what it said last was passed on.
        pending::<()>().await;
    }

    /// Its latest report, if that is another one.
    pub(super) fn take(&mut self) -> Option<Event> {
        let export = self.running.as_mut()?;
        let report = export.reports.borrow_and_update().clone();
        if report.state.is_last() {
            self.running = None;
        } else if report == self.told {
            return None;
        }
        self.told = report.clone();
        Some(Event::Exported(report))
    }

    /// Stops it, and waits until its file is removed.
    pub(super) async fn dismiss(&mut self) {
        if let Some(mut export) = self.running.take() {
            export.stop();
            // Its end closes the channel too.
            drop(export.reports.wait_for(|report| report.state.is_last()).await);
        }
    }
}

/// The path that was typed; `~/` is the home directory, as in a shell.
fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        (Some(_), None) | (None, _) => PathBuf::from(path),
    }
}
