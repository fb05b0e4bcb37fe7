//! The thread that keeps history and annotations on disk, so that a slow disk holds up no key. Decides nothing.

use std::io;
use std::sync::mpsc::{self, TrySendError};
use std::thread;

use tokio::sync::mpsc as async_mpsc;

use super::history::History;
use crate::app::{Event, Keeping, Report, Typed};
use crate::capture::Annotator;
use crate::model::{Annotation, Endpoint, EntryId};

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
        line: Typed,
    },
    /// Look up what was sent to a target.
    Recall(Endpoint),
    /// Put a target in front of the recent ones.
    Visit(Endpoint),
    /// Keep what was added to the entry of that number.
    Annotate(EntryId, Annotation),
    /// Look up what was added earlier.
    RecallAnnotations,
}

/// The way to the thread and back.
#[derive(Debug)]
pub(crate) struct Desk {
    jobs: mpsc::SyncSender<Job>,
    answers: async_mpsc::Receiver<Event>,
}

impl Desk {
    /// Starts the thread; it ends with this value.
    pub(crate) fn start(history: History, mut annotator: Annotator) -> io::Result<Desk> {
        let (jobs, queue) = mpsc::sync_channel(QUEUE);
        let (sender, answers) = async_mpsc::channel(QUEUE);
        thread::Builder::new().name("desk".into()).spawn(move || {
            for job in queue {
                let answer = work(&history, &mut annotator, job);
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
    pub(crate) fn ask(&self, job: Job) -> Option<Event> {
        let refused = |text: &str| Event::Report(Report::Failed(text.to_owned()));
        let (TrySendError::Full(job) | TrySendError::Disconnected(job)) = self.jobs.try_send(job).err()?;
        Some(match job {
            Job::Annotate(number, annotation) => Event::Annotated {
                number,
                annotation,
                result: Err("not kept: the disk does not keep up; try again in a moment".to_owned()),
            },
            Job::RecallAnnotations => refused("annotations were not looked up: the disk does not keep up"),
            Job::Remember { .. } | Job::Recall(_) | Job::Visit(_) => {
                refused("cannot keep history: the disk does not keep up; what was sent is in the recording")
            }
        })
    }

    /// Waits until everything that was asked for is done. Nothing more can be asked then.
    pub(crate) async fn dismiss(&mut self) {
        let (closed, _) = mpsc::sync_channel(0);
        drop(std::mem::replace(&mut self.jobs, closed));
        while self.answers.recv().await.is_some() {}
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

fn work(history: &History, annotator: &mut Annotator, job: Job) -> Option<Event> {
    match job {
        Job::Remember { endpoint, line } => failed(history.remember(&endpoint, &line)),
        Job::Visit(endpoint) => failed(history.visit(&endpoint)),
        Job::Recall(endpoint) => match history.typed(&endpoint) {
            Ok(lines) => Some(Event::History { endpoint, lines }),
            Err(error) => failed(Err(error)),
        },
        Job::Annotate(number, annotation) => {
            let keeping = match annotator {
                Annotator::Recording(_) | Annotator::Sidecars(_) => Keeping::ForGood,
                Annotator::Memory(_) => Keeping::ForNow,
            };
            let result = annotator.annotate(number, annotation.clone());
            Some(Event::Annotated {
                number,
                annotation,
                result: result.map(|()| keeping).map_err(|error| error.to_string()),
            })
        }
        Job::RecallAnnotations => match annotator.load() {
            // What was found is to be drawn.
            Ok(()) => Some(Event::Recalled),
            Err(error) => failed(Err(error)),
        },
    }
}

fn failed(result: Result<(), impl std::error::Error>) -> Option<Event> {
    let error = result.err()?;
    Some(Event::Report(Report::Failed(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Create, Existing, Recorder};
    use crate::text::InputType;

    #[tokio::test]
    async fn what_is_remembered_is_recalled() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::create(&Create {
            path: folder.path().join("a.pcapng"),
            existing: Existing::Refuse,
            max_size: None,
        });
        let annotator = Annotator::of_recording(recorder.unwrap());
        let history = History::open(&folder.path().join("state")).unwrap();
        let mut desk = Desk::start(history, annotator).unwrap();
        let endpoint: Endpoint = "localhost:1".parse().unwrap();
        let line = Typed::new("PING", InputType::Escaped);
        assert_eq!(desk.ask(Job::Visit(endpoint.clone())), None);
        let remember = Job::Remember {
            endpoint: endpoint.clone(),
            line: line.clone(),
        };
        assert_eq!(desk.ask(remember), None);
        assert_eq!(desk.ask(Job::Recall(endpoint.clone())), None);
        let lines = vec![line];
        assert_eq!(desk.answer().await, Event::History { endpoint, lines });
        assert_eq!(desk.ask(Job::Annotate(EntryId(0), Annotation::default())), None);
        let answer = desk.answer().await;
        assert!(
            matches!(&answer, Event::Annotated { number: EntryId(0), result: Err(why), .. } if why.contains("no such entry"))
        );
        desk.dismiss().await;
        assert!(matches!(
            desk.ask(Job::RecallAnnotations),
            Some(Event::Report(Report::Failed(_)))
        ));
    }
}
