//! Announcing a connection before anything of it is recorded, and what happens when the session file does not take
//! that.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::capture::CaptureError;
use crate::model::{
    ConnectionId, Endpoint, Full, Link, LinkState, NetCommand, RecorderState, Role, Timestamp,
};

use super::OnFull;
use super::journal::{Journal, RETRY};
use super::shared::Shared;
use super::worker::{Next, interrupt};

/// Why there is no connection to record.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The file takes nothing now, and nothing may cross that could not be recorded.
    ForNow(CaptureError),
    /// The file will take nothing more, or the user wants to end then; the number is that of the connection that is
    /// not made.
    ForGood(CaptureError, ConnectionId),
}

/// Announces a connection in the session file.
pub(super) fn announce(
    shared: &Shared,
    endpoint: &Endpoint,
    started: Timestamp,
    role: Role,
) -> Result<Journal, Refusal> {
    let on_full = shared.options.on_full;
    let lost = Arc::clone(&shared.lost);
    let later = || shared.recorder.connection_to_be(started, endpoint, role);
    match (shared.recorder.connection(started, endpoint, role), on_full) {
        (Ok(connection), _) => Ok(Journal::new(connection, on_full, lost)),
        (Err(error), OnFull::Continue) => Ok(Journal::full(later(), on_full, lost, &error)),
        (Err(error), OnFull::Stop) => Err(Refusal::ForGood(error, later().id())),
        // Nothing would ever come of waiting.
        (Err(error), OnFull::Pause) if error.full() == Full::ForGood => {
            Err(Refusal::ForGood(error, later().id()))
        }
        (Err(error), OnFull::Pause) => Err(Refusal::ForNow(error)),
    }
}

/// What the report says of a file that takes nothing now.
pub(super) fn paused(shared: &Shared, error: &CaptureError) -> RecorderState {
    RecorderState::Paused {
        reason: shared.options.on_full.reason(error),
        full: error.full(),
    }
}

/// Announces the connection in front, in the file and in the report, and waits for the file if it has to.
pub(super) async fn announce_front(
    shared: &Shared,
    commands: &mut mpsc::Receiver<NetCommand>,
    endpoint: &Endpoint,
    started: Timestamp,
    round: u32,
) -> Result<Journal, Next> {
    loop {
        match announce(shared, endpoint, started, Role::Client) {
            Ok(journal) => {
                let mut link = Link::new(journal.connection(), endpoint.clone(), started);
                link.state = LinkState::Resolving;
                link.round = round;
                let state = shared.recorder_state(link.id, journal.state());
                shared.publish(|news| {
                    news.link = Some(link);
                    news.recorder = state;
                });
                return Ok(journal);
            }
            Err(Refusal::ForGood(error, id)) => {
                refuse(shared, Link::new(id, endpoint.clone(), started), &error);
                return Err(Next::Idle);
            }
            Err(Refusal::ForNow(error)) => shared.publish(|news| news.recorder = paused(shared, &error)),
        }
        tokio::select! {
            biased;
            command = commands.recv() => {
                if let Some(next) = interrupt(shared, command, endpoint) {
                    return Err(next);
                }
            }
            () = sleep(RETRY) => {}
        }
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
