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
    Address, ConnectionId, End, EndHow, Endpoint, EntryKind, Link, LinkState, NetCommand, NetEvent,
    PeerCommand, Side,
};

use super::announce::announce_front;
use super::dial::{Dial, Failure, Step};
use super::journal::Journal;
use super::session::{After, Session};
use super::shared::{Fate, Shared};
use super::tls::{Tls, TlsError};
use super::{Clock, Kernel, Options, backoff, connect, listen};

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

/// What the worker does next.
#[derive(Debug)]
pub(super) enum Next {
    /// Wait for a command.
    Idle,
    /// Dial.
    Dial { endpoint: Endpoint, round: u32 },
    /// Dial after a while.
    Wait { endpoint: Endpoint, round: u32 },
    /// Wait for connections, and relay each to the target if there is one.
    Listen {
        address: Address,
        target: Option<Endpoint>,
    },
    /// End.
    Stop,
}

/// Starts the worker on a thread of its own. It records to `recorder` and stamps with `clock`.
pub fn spawn(options: Options, recorder: Recorder, clock: Clock) -> Result<Worker, StartError> {
    let tls = Tls::load(&options.tls)?;
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (shared, news) = Shared::new(options, recorder, clock, tls);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let kernel = shared.kernel.clone();
    thread::Builder::new().name("net".to_owned()).spawn(move || {
        runtime.block_on(run(&shared, inbox));
        // A lookup that hangs must not hold the exit.
        runtime.shutdown_background();
    })?;
    Ok(Worker {
        commands,
        news,
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
            Next::Listen { address, target } => listen::run(shared, &mut commands, address, target).await,
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
        (NetCommand::Timestamps(on), _) => {
            shared.timestamps.set(on);
            Next::Idle
        }
        (NetCommand::Send(_), _) => {
            shared.handled(Fate::Refused);
            Next::Idle
        }
        (NetCommand::Peers(peers, PeerCommand::Send(..)), _) => {
            refuse_all(shared, &peers);
            Next::Idle
        }
        (NetCommand::Listen(address), _) => Next::Listen {
            address,
            target: None,
        },
        (NetCommand::Tap(address, target), _) => Next::Listen {
            address,
            target: Some(target),
        },
        (NetCommand::Option(request), _) => {
            shared.adjust_later(request);
            Next::Idle
        }
        (
            NetCommand::Reconnect
            | NetCommand::StartTls(_)
            | NetCommand::HalfClose
            | NetCommand::Close
            | NetCommand::Reset
            | NetCommand::Peers(..)
            | NetCommand::Cancel,
            _,
        ) => {
            // Nothing to do them to; the report is renewed, so that the sender sees the state it missed.
            shared.publish(|_| {});
            Next::Idle
        }
    }
}

/// Nobody is there to send to.
fn refuse_all(shared: &Shared, peers: &[ConnectionId]) {
    for _ in peers {
        shared.handled(Fate::Refused);
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
        Some(NetCommand::Peers(peers, PeerCommand::Send(..))) => {
            refuse_all(shared, &peers);
            None
        }
        Some(NetCommand::Timestamps(on)) => {
            shared.timestamps.set(on);
            None
        }
        // Whoever dials does not listen.
        Some(
            NetCommand::HalfClose
            | NetCommand::StartTls(_)
            | NetCommand::Peers(..)
            | NetCommand::Listen(_)
            | NetCommand::Tap(..),
        ) => None,
        Some(NetCommand::Option(request)) => {
            shared.adjust_later(request);
            None
        }
    }
}

async fn dial(
    shared: &Shared,
    commands: &mut mpsc::Receiver<NetCommand>,
    endpoint: Endpoint,
    round: u32,
) -> Next {
    let started = shared.clock.now();
    let mut journal = match announce_front(shared, commands, &endpoint, started, round).await {
        Ok(journal) => journal,
        Err(next) => return next,
    };
    let mut dial =
        connect::over_ip(shared, &endpoint).map(|target| Dial::new(target, &shared.options, shared.clock));
    let ended = {
        let mut run = pin!(connect::connect(shared, &mut journal, &mut dial, &endpoint, None));
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
    let text = reason.clone();
    connect::record(shared, journal, Step::Event(at, EntryKind::Error { text, errno }));
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
        news.recorder = shared.recorder_state(journal.connection(), journal.state());
    });
}

fn after(shared: &Shared, after: After, endpoint: Endpoint, round: u32) -> Next {
    match after {
        After::Ended => {
            let lasted = shared.report(|news| {
                let link = news.link.as_ref();
                link.and_then(|link| Some(link.ended?.since(link.opened?)))
                    .unwrap_or_default()
            });
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
    let front = |change: &dyn Fn(&mut Link)| shared.publish(|news| news.link.as_mut().map_or((), change));
    front(&|link| {
        link.state = LinkState::Waiting;
        link.retry_at = Some(until);
    });
    let mut over = pin!(sleep(pause));
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => {
                if let Some(next) = interrupt(shared, command, &endpoint) {
                    front(&|link| {
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
