//! From an endpoint to an open connection: the dial, and the handshake above TCP.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use crate::model::{Attempt, AttemptOutcome, Authority, Endpoint, EntryKind, LinkState};
use crate::text::format;

use super::channel::Channel;
use super::dial::{Dial, Failure, Step};
use super::journal::Journal;
use super::tls::Fault;
use super::words;
use super::worker::Shared;

/// Where to find what an endpoint names.
pub(super) fn authority(endpoint: &Endpoint) -> &Authority {
    match endpoint {
        Endpoint::Tcp(authority) | Endpoint::Tls(authority) => authority,
    }
}

/// Dials, and shakes hands.
pub(super) async fn connect(
    shared: &Shared,
    journal: &mut Journal,
    dial: &mut Dial<'_>,
    endpoint: &Endpoint,
) -> Result<(Channel, SocketAddr), Failure> {
    let deadline = Instant::now() + shared.options.connect_timeout;
    let (stream, remote) = dial.run(deadline, |step| record(shared, journal, step)).await?;
    let channel = Channel::new(stream, journal.connection(), &shared.kernel);
    match endpoint {
        Endpoint::Tcp(_) => Ok((channel, remote)),
        Endpoint::Tls(authority) => {
            let outcome = AttemptOutcome::Connected;
            let took = dial.took();
            let attempt = EntryKind::Attempt(Attempt {
                remote,
                took,
                outcome,
            });
            record(shared, journal, Step::Event(shared.clock.now(), attempt));
            secure(shared, journal, channel, (authority, remote), deadline).await
        }
    }
}

/// Makes it a TLS connection.
async fn secure(
    shared: &Shared,
    journal: &mut Journal,
    mut channel: Channel,
    (authority, remote): (&Authority, SocketAddr),
    deadline: Instant,
) -> Result<(Channel, SocketAddr), Failure> {
    shared.link(|link| {
        link.state = LinkState::Handshaking;
        link.remote = Some(remote);
    });
    let tls = shared
        .tls
        .client(authority)
        .map_err(|error| failure(error.to_string()))?;
    let shaken = timeout_at(deadline, channel.secure(Box::new(tls))).await;
    let Ok((report, result)) = shaken else {
        let limit = format::took(shared.options.connect_timeout);
        return Err(Failure {
            reason: format!(
                "{remote} accepted the connection and did not answer in TLS within {limit}: is TLS spoken on this \
                 port?"
            ),
            errno: None,
            timed_out: true,
        });
    };
    let report = Arc::new(report);
    let event = EntryKind::Tls(Box::new((*report).clone()));
    record(shared, journal, Step::Event(shared.clock.now(), event));
    shared.link(|link| link.tls = Some(report));
    match result {
        Ok(()) => Ok((channel, remote)),
        Err(Fault::Io(error)) => Err(Failure {
            reason: words::broken(remote, &error),
            errno: error.raw_os_error(),
            timed_out: false,
        }),
        Err(Fault::Tls { why, .. }) => Err(failure(format!("{remote} {why}"))),
    }
}

fn failure(reason: String) -> Failure {
    Failure {
        reason,
        errno: None,
        timed_out: false,
    }
}

/// Writes down and shows what a dial tells.
pub(super) fn record(shared: &Shared, journal: &mut Journal, step: Step) {
    match step {
        Step::Event(at, kind) => {
            journal.event(at, kind);
            shared.publish(|news| news.recorder = journal.state());
        }
        Step::Trying(remote) => shared.link(|link| {
            link.state = LinkState::Connecting;
            link.remote = Some(remote);
        }),
    }
}
