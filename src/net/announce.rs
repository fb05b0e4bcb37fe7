//! Announcing a connection before it is dialed, and what happens when the session file does not take that.

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::capture::{CaptureError, Role};
use crate::model::{Endpoint, Full, Link, LinkState, NetCommand, RecorderState, Timestamp};

use super::OnFull;
use super::journal::{Journal, RETRY};
use super::worker::{Next, Shared, interrupt};

/// Announces a connection in the session file and in the report.
pub(super) async fn announce(
    shared: &Shared,
    commands: &mut mpsc::Receiver<NetCommand>,
    endpoint: &Endpoint,
    started: Timestamp,
    round: u32,
) -> Result<Journal, Next> {
    let on_full = shared.options.on_full;
    // What was lost before stays said.
    let lost = shared.lost();
    let later = || shared.recorder.connection_to_be(started, endpoint, Role::Client);
    loop {
        let result = shared.recorder.connection(started, endpoint, Role::Client);
        let journal = match (result, on_full) {
            (Ok(connection), _) => Journal::new(connection, on_full, lost),
            (Err(error), OnFull::Continue) => Journal::full(later(), on_full, lost, &error),
            (Err(error), OnFull::Stop) => {
                refuse(shared, Link::new(later().id(), endpoint.clone(), started), &error);
                return Err(Next::Idle);
            }
            (Err(error), OnFull::Pause) if error.full() == Full::ForGood => {
                // Nothing would ever come of waiting.
                refuse(shared, Link::new(later().id(), endpoint.clone(), started), &error);
                return Err(Next::Idle);
            }
            (Err(error), OnFull::Pause) => {
                let (reason, full) = (on_full.reason(&error), error.full());
                shared.publish(|news| news.recorder = RecorderState::Paused { reason, full });
                // Nothing may cross that could not be recorded.
                tokio::select! {
                    biased;
                    command = commands.recv() => match interrupt(shared, command, endpoint) {
                        Some(next) => return Err(next),
                        None => continue,
                    },
                    () = sleep(RETRY) => continue,
                }
            }
        };
        let mut link = Link::new(journal.connection(), endpoint.clone(), started);
        link.state = LinkState::Resolving;
        link.round = round;
        shared.publish(|news| {
            news.link = Some(link);
            news.recorder = journal.state();
        });
        return Ok(journal);
    }
}

/// Says that nothing is dialed because nothing of it could be recorded.
fn refuse(shared: &Shared, mut link: Link, error: &CaptureError) {
    let reason = shared.options.on_full.reason(error);
    link.state = LinkState::Failed;
    link.ended = Some(shared.clock.now());
    link.reason = Some(reason.clone());
    link.given_up = true;
    shared.publish(|news| {
        news.link = Some(link);
        news.recorder = RecorderState::Stopped { reason };
    });
}
