//! Where news of the log come from and where commands go: the network worker, or the reader of a file.

use std::fmt;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use crate::app::{Event, Report};
use crate::capture::Opening;
use crate::model::{ConnectionId, NetCommand, NetEvent};
use crate::net::Kernel;

/// Either of them. Whichever it is, what it says coalesces: only its latest report counts.
pub(in crate::runtime) enum Feed {
    /// The network worker.
    Worker {
        /// What it is asked.
        commands: mpsc::Sender<NetCommand>,
        /// Its latest report.
        news: watch::Receiver<NetEvent>,
        /// What the kernel knows of its connection.
        kernel: Kernel,
    },
    /// The reader of a capture.
    Capture(Opening),
}

impl Feed {
    /// Waits for the next report; `Err` once there will be none. Cancelling this loses nothing.
    pub(super) async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        match self {
            Feed::Worker { news, .. } => news.changed().await,
            Feed::Capture(opening) => opening.reports.changed().await,
        }
    }

    /// Whether there is a report that was not taken. The last one of all is told by [`Feed::changed`] alone.
    pub(super) fn has_news(&self) -> bool {
        match self {
            Feed::Worker { news, .. } => news.has_changed(),
            Feed::Capture(opening) => opening.reports.has_changed(),
        }
        .unwrap_or(false)
    }

    /// Takes the latest report.
    pub(super) fn take(&mut self) -> Event {
        match self {
            Feed::Worker { news, .. } => Event::Net(news.borrow_and_update().clone()),
            Feed::Capture(opening) => Event::File(opening.reports.borrow_and_update().clone()),
        }
    }

    /// Asks the kernel about the connection, if there can be one.
    pub(super) fn ask_kernel(&self, about: Option<ConnectionId>) -> Option<Event> {
        match self {
            Feed::Worker { kernel, .. } => Some(Event::Kernel(kernel.ask(about))),
            Feed::Capture(_) => None,
        }
    }

    /// Hands a command to the worker, or says why not.
    pub(super) fn command(&self, command: NetCommand) -> Option<Report> {
        match self {
            Feed::Worker { commands, .. } => match commands.try_send(command) {
                Ok(()) => None,
                Err(TrySendError::Full(command)) => Some(Report::Busy(command)),
                Err(TrySendError::Closed(command)) => Some(Report::WorkerGone(command)),
            },
            Feed::Capture(_) => Some(Report::WorkerGone(command)),
        }
    }

    /// Stops the indexing of a file.
    pub(super) fn stop_indexing(&self) {
        match self {
            Feed::Worker { .. } => {}
            Feed::Capture(opening) => opening.cancel(),
        }
    }

    /// The latest report of the worker, if there is one.
    pub(super) fn last(&self) -> NetEvent {
        match self {
            Feed::Worker { news, .. } => news.borrow().clone(),
            Feed::Capture(_) => NetEvent::default(),
        }
    }

    /// Tells the worker to end everything, and waits until it has. The reader of a file ends by itself, with whoever
    /// holds it.
    pub(super) async fn dismiss(&mut self) {
        let Feed::Worker { commands, news, .. } = self else {
            return;
        };
        // A closed channel says the same where the queue is full.
        let (closed, _) = mpsc::channel(1);
        let _ = std::mem::replace(commands, closed).try_send(NetCommand::Shutdown);
        while news.changed().await.is_ok() {}
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Feed::Worker { .. } => "Feed::Worker",
            Feed::Capture(_) => "Feed::Capture",
        })
    }
}
