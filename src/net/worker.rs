//! The worker's thread: takes commands, and decides what follows what: dial, session, waiting, dial again.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::pin::pin;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::capture::Recorder;
use crate::model::{
    End, EndHow, Endpoint, EntryKind, Link, LinkState, NetCommand, NetEvent, RecorderState, Side,
};

use super::announce::announce;
use super::dial::{Dial, Failure};
use super::journal::Journal;
use super::session::{After, Session};
use super::tls::{Tls, TlsError};
use super::{Clock, Kernel, Options, backoff, connect};

/// Commands that may wait; the worker takes them at once, so this is reached only if it is stuck.
const COMMANDS: usize = 64;
/// A connection that lasted this long starts a new series of attempts.
const SETTLED: Duration = Duration::from_secs(5);

/// The running worker, seen from outside. It has ended when `news` is closed.
#[derive(Debug)]
pub struct Worker {
    /// What it is asked. Bounded: use `try_send` where waiting is not allowed.
    pub commands: mpsc::Sender<NetCommand>,
    /// Its latest report. Closed when the worker has ended.
    pub news: watch::Receiver<NetEvent>,
    /// What the kernel knows of its connection.
    pub kernel: Kernel,
}

/// Why the worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system refuses a thread or a descriptor.
    #[error("cannot start: {0}")]
    Io(#[from] io::Error),
    /// A file that an option of TLS names cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What every part of the worker uses.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) recorder: Recorder,
    pub(super) clock: Clock,
    pub(super) kernel: Kernel,
    pub(super) tls: Tls,
    news: watch::Sender<NetEvent>,
}

impl Shared {
    /// Changes the report in place and wakes whoever waits for news.
    pub(super) fn publish(&self, change: impl FnOnce(&mut NetEvent)) {
        let (entries, size) = (self.recorder.len(), self.recorder.size());
        let (payload, ring) = (self.recorder.payload_bytes(), self.recorder.ring());
        self.news.send_modify(|news| {
            change(news);
            news.entries = entries;
            news.size = size;
            news.payload = payload;
            news.ring = ring;
        });
    }

    /// A request to send is queued, or will never be sent.
    pub(super) fn handled(&self, fate: Fate) {
        self.publish(|news| {
            news.sends.handled += 1;
            news.sends.refused += u64::from(fate == Fate::Refused);
        });
    }

    /// Bytes that crossed and were not recorded, as they were last reported.
    pub(super) fn lost(&self) -> u64 {
        match self.news.borrow().recorder {
            RecorderState::Losing { bytes, .. } => bytes,
            RecorderState::Recording | RecorderState::Paused { .. } | RecorderState::Stopped { .. } => 0,
        }
    }

    /// Changes the connection in front.
    pub(super) fn link(&self, change: impl FnOnce(&mut Link)) {
        self.publish(|news| news.link.as_mut().map_or((), change));
    }
}

/// What becomes of a request to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits to be sent.
    Queued,
    /// It will not be sent.
    Refused,
}

/// What the worker does next.
#[derive(Debug)]
pub(super) enum Next {
    /// Wait for a command.
    Idle,
    /// Dial.
    Dial { endpoint: Endpoint, round: u32 },
    /// Dial after a while.
    Wait { endpoint: Endpoint, round: u32 },
    /// End.
    Stop,
}

/// Starts the worker on a thread of its own. It records to `recorder` and stamps with `clock`.
pub fn spawn(options: Options, recorder: Recorder, clock: Clock) -> Result<Worker, StartError> {
    let tls = Tls::load(&options.tls)?;
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (news, report) = watch::channel(NetEvent::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let kernel = Kernel::default();
    let shared = Shared {
        kernel: kernel.clone(),
        tls,
        options,
        recorder,
        clock,
        news,
    };
    thread::Builder::new().name("net".to_owned()).spawn(move || {
        runtime.block_on(run(&shared, inbox));
        // A lookup that hangs must not hold the exit.
        runtime.shutdown_background();
    })?;
    Ok(Worker {
        commands,
        news: report,
        kernel,
    })
}

async fn run(shared: &Shared, mut commands: mpsc::Receiver<NetCommand>) {
    let mut last: Option<Endpoint> = None;
    let mut next = Next::Idle;
    loop {
        next = match next {
            Next::Idle => match commands.recv().await {
                Some(command) => idle(shared, command, last.as_ref()),
                None => Next::Stop,
            },
            Next::Dial { endpoint, round } => {
                last = Some(endpoint.clone());
                dial(shared, &mut commands, endpoint, round).await
            }
            Next::Wait { endpoint, round } => wait(shared, &mut commands, endpoint, round).await,
            Next::Stop => return,
        };
    }
}

/// A command while there is no connection and none is wanted.
fn idle(shared: &Shared, command: NetCommand, last: Option<&Endpoint>) -> Next {
    match (command, last) {
        (NetCommand::Connect(endpoint), _) => Next::Dial { endpoint, round: 1 },
        (NetCommand::Reconnect, Some(endpoint)) => Next::Dial {
            endpoint: endpoint.clone(),
            round: 1,
        },
        (NetCommand::Shutdown, _) => Next::Stop,
        (NetCommand::Send(_), _) => {
            shared.handled(Fate::Refused);
            Next::Idle
        }
        (
            NetCommand::Reconnect
            | NetCommand::StartTls(_)
            | NetCommand::HalfClose
            | NetCommand::Close
            | NetCommand::Reset
            | NetCommand::Cancel,
            _,
        ) => {
            // Nothing to do them to; the report is renewed, so that the sender sees the state it missed.
            shared.publish(|_| {});
            Next::Idle
        }
    }
}

/// A command that ends a dial or a wait, as what comes next; the others have nothing to act on.
pub(super) fn interrupt(shared: &Shared, command: Option<NetCommand>, endpoint: &Endpoint) -> Option<Next> {
    match command {
        None | Some(NetCommand::Shutdown) => Some(Next::Stop),
        Some(NetCommand::Connect(endpoint)) => Some(Next::Dial { endpoint, round: 1 }),
        Some(NetCommand::Reconnect) => Some(Next::Dial {
            endpoint: endpoint.clone(),
            round: 1,
        }),
        Some(NetCommand::Close | NetCommand::Reset | NetCommand::Cancel) => Some(Next::Idle),
        Some(NetCommand::Send(_)) => {
            shared.handled(Fate::Refused);
            None
        }
        Some(NetCommand::HalfClose | NetCommand::StartTls(_)) => None,
    }
}

async fn dial(
    shared: &Shared,
    commands: &mut mpsc::Receiver<NetCommand>,
    endpoint: Endpoint,
    round: u32,
) -> Next {
    let started = shared.clock.now();
    let mut journal = match announce(shared, commands, &endpoint, started, round).await {
        Ok(journal) => journal,
        Err(next) => return next,
    };
    let mut dial = connect::over_ip(&endpoint).map(|target| Dial::new(target, &shared.options, shared.clock));
    let ended = {
        let mut run = pin!(connect::connect(shared, &mut journal, &mut dial, &endpoint));
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => {
                    if let Some(next) = interrupt(shared, command, &endpoint) {
                        break Err(next);
                    }
                }
                result = &mut run => break Ok(result),
            }
        }
    };
    match ended {
        Ok(Ok(connected)) => {
            let session = Session::new(shared, journal, connected);
            after(shared, session.run(commands).await, endpoint, round)
        }
        Ok(Err(failure)) => {
            failed(shared, &mut journal, failure);
            again(shared, endpoint, round)
        }
        Err(next) => {
            if let Some(dial) = &mut dial {
                dial.abandon(|step| connect::record(shared, &mut journal, step));
            }
            let reason = "the attempt was given up".to_owned();
            failed(
                shared,
                &mut journal,
                Failure {
                    reason,
                    errno: None,
                    timed_out: false,
                },
            );
            next
        }
    }
}

fn failed(shared: &Shared, journal: &mut Journal, failure: Failure) {
    let at = shared.clock.now();
    let Failure {
        reason,
        errno,
        timed_out,
    } = failure;
    journal.event(
        at,
        EntryKind::Error {
            text: reason.clone(),
            errno,
        },
    );
    shared.publish(|news| {
        if let Some(link) = &mut news.link {
            link.state = LinkState::Failed;
            link.ended = Some(at);
            link.reason = Some(reason);
            link.end = timed_out.then_some(End {
                by: Side::Local,
                how: EndHow::Timeout,
                errno: None,
            });
        }
        news.recorder = journal.state();
    });
}

fn after(shared: &Shared, after: After, endpoint: Endpoint, round: u32) -> Next {
    match after {
        After::Ended => {
            let lasted = {
                let news = shared.news.borrow();
                let link = news.link.as_ref();
                link.and_then(|link| Some(link.ended?.since(link.opened?)))
                    .unwrap_or_default()
            };
            again(shared, endpoint, if lasted >= SETTLED { 0 } else { round })
        }
        After::Full | After::Closed => Next::Idle,
        After::Dial(endpoint) => Next::Dial { endpoint, round: 1 },
        After::Redial => Next::Dial { endpoint, round: 1 },
        After::Stop => Next::Stop,
    }
}

fn again(shared: &Shared, endpoint: Endpoint, round: u32) -> Next {
    if shared.options.reconnect {
        Next::Wait {
            endpoint,
            round: round.saturating_add(1),
        }
    } else {
        Next::Idle
    }
}

async fn wait(
    shared: &Shared,
    commands: &mut mpsc::Receiver<NetCommand>,
    endpoint: Endpoint,
    round: u32,
) -> Next {
    // Any spread does; a random one keeps many clients from coming back at the same moment.
    let spread = RandomState::new().hash_one(round);
    let pause = backoff::wait(round.saturating_sub(1), spread);
    let until = shared.clock.now() + pause;
    shared.link(|link| {
        link.state = LinkState::Waiting;
        link.retry_at = Some(until);
    });
    let mut over = pin!(sleep(pause));
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => {
                if let Some(next) = interrupt(shared, command, &endpoint) {
                    shared.link(|link| {
                        link.state = LinkState::Closed;
                        link.retry_at = None;
                    });
                    return next;
                }
            }
            () = &mut over => return Next::Dial { endpoint, round },
        }
    }
}
