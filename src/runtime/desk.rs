//! The thread that keeps history on disk, so that a slow disk holds up no key. Decides nothing.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::sync::mpsc as async_mpsc;

use super::history::{History, HistoryError};
use crate::app::{Event, Report};
use crate::model::Endpoint;

/// Jobs that wait for the disk. A person does not type faster than that.
const QUEUE: usize = 64;

/// Something to look up or to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Keep what was sent to a target.
    Remember {
        /// The target.
        endpoint: Endpoint,
        /// The message, as typed.
        line: String,
    },
    /// Look up what was sent to a target.
    Recall(Endpoint),
    /// Put a target in front of the recent ones.
    Visit(Endpoint),
}

/// The way to the thread and back.
#[derive(Debug)]
pub(crate) struct Desk {
    jobs: mpsc::SyncSender<Job>,
    answers: async_mpsc::Receiver<Event>,
}

impl Desk {
    /// Starts the thread; it ends with this value.
    pub(crate) fn start(history: History) -> io::Result<Desk> {
        let (jobs, queue) = mpsc::sync_channel(QUEUE);
        let (sender, answers) = async_mpsc::channel(QUEUE);
        thread::Builder::new().name("history".into()).spawn(move || {
            for job in queue {
                let answer = work(&history, job).unwrap_or_else(|error| Some(failed(&error)));
                if let Some(answer) = answer
                    && sender.blocking_send(answer).is_err()
                {
                    break;
                }
            }
        })?;
        Ok(Desk { jobs, answers })
    }

    /// Hands in a job, or says why the thread cannot take it.
    pub(crate) fn ask(&self, job: Job) -> Option<Report> {
        let refused =
            "cannot keep history: the disk does not keep up; what was sent is in the recording".to_owned();
        self.jobs
            .try_send(job)
            .is_err()
            .then_some(Report::Failed(refused))
    }

    /// The next answer. Cancelling this loses nothing.
    pub(crate) async fn answer(&mut self) -> Event {
        match self.answers.recv().await {
            Some(event) => event,
            // The thread is gone, so there will be none.
            None => std::future::pending().await,
        }
    }
}

fn work(history: &History, job: Job) -> Result<Option<Event>, HistoryError> {
    match job {
        Job::Remember { endpoint, line } => history.remember(&endpoint, &line).map(|()| None),
        Job::Visit(endpoint) => history.visit(&endpoint).map(|()| None),
        Job::Recall(endpoint) => {
            let lines = history.typed(&endpoint)?;
            Ok(Some(Event::History { endpoint, lines }))
        }
    }
}

fn failed(error: &HistoryError) -> Event {
    Event::Report(Report::Failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_remembered_is_recalled() {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = Desk::start(History::open(&folder.path().join("state")).unwrap()).unwrap();
        let endpoint: Endpoint = "localhost:1".parse().unwrap();
        let line = "PING".to_owned();
        assert_eq!(desk.ask(Job::Visit(endpoint.clone())), None);
        let remember = Job::Remember {
            endpoint: endpoint.clone(),
            line: line.clone(),
        };
        assert_eq!(desk.ask(remember), None);
        assert_eq!(desk.ask(Job::Recall(endpoint.clone())), None);
        let lines = vec![line];
        assert_eq!(desk.answer().await, Event::History { endpoint, lines });
    }
}
