//! From an endpoint to an open connection: the dial, and the handshake above TCP.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use crate::model::{Attempt, AttemptOutcome, Authority, Endpoint, EntryKind, LinkState, Side};
use crate::text::format;

use super::channel::Channel;
use super::credentials::Credentials;
use super::dial::{Dial, Failure, Step};
use super::journal::Journal;
use super::reach::{Means, Transport};
use super::shared::Shared;
use super::tls::{Fault, TlsStream};
use super::{unix, words};

/// An open connection, and whom it is with.
pub(super) struct Connected {
    /// What is read and written.
    pub(super) channel: Channel,
    /// Our address and the peer's; of what has none over IP, those that stand for them in the file.
    pub(super) ends: (SocketAddr, SocketAddr),
    /// What was dialed.
    pub(super) endpoint: Endpoint,
    /// What the peer is called in sentences.
    pub(super) peer: String,
}

/// What a server is asked for in TLS on behalf of somebody else.
pub(super) struct Asked {
    /// The name of the server, if that is said (RFC 6066 §3).
    pub(super) name: Option<String>,
    /// The application protocols, the preferred one first (RFC 7301).
    pub(super) alpn: Vec<Vec<u8>>,
}

/// What is dialed over IP, and how.
pub(super) fn over_ip<'a>(shared: &Shared, endpoint: &'a Endpoint) -> Option<(&'a Authority, Means)> {
    let (authority, transport) = match endpoint {
        Endpoint::Tcp(authority) | Endpoint::Tls(authority) => (authority, Transport::Tcp),
        Endpoint::Udp(authority) => (authority, Transport::Udp),
        Endpoint::Unix(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) => return None,
    };
    let means = Means {
        transport,
        bind: shared.options.bind,
        sockets: shared.sockets(),
        join: shared.options.join.clone(),
    };
    Some((authority, means))
}

/// Dials, and shakes hands, asking for what the options say or what was `asked` for.
pub(super) async fn connect(
    shared: &Shared,
    journal: &mut Journal,
    dial: &mut Option<Dial<'_>>,
    endpoint: &Endpoint,
    asked: Option<&Asked>,
) -> Result<Connected, Failure> {
    let deadline = Instant::now() + shared.options.connect_timeout;
    let Some(dial) = dial else {
        return connect_unix(shared, journal, endpoint).await;
    };
    tell_unsuiting(shared, journal, endpoint);
    let (socket, remote) = dial.run(deadline, |step| record(shared, journal, step)).await?;
    let mut channel = Channel::new(socket, journal.connection(), Side::Peer, &shared.kernel);
    if let Endpoint::Tls(authority) = endpoint {
        let attempt = EntryKind::Attempt(Attempt {
            remote,
            took: dial.took(),
            outcome: AttemptOutcome::Connected,
        });
        record(shared, journal, Step::Event(shared.clock.now(), attempt));
        let tls = match asked {
            Some(Asked { name, alpn }) => shared.tls.client_with(authority, name.as_deref(), alpn),
            None => shared.tls.client(authority),
        };
        let tls = tls.map_err(|error| failure(error.to_string()))?;
        secure(shared, journal, &mut channel, (tls, remote), deadline).await?;
    }
    Ok(Connected {
        // The local address is known as soon as the socket is connected; without it the remote one stands in.
        ends: (channel.local().unwrap_or(remote), remote),
        channel,
        endpoint: endpoint.clone(),
        peer: remote.to_string(),
    })
}

/// Says which options are left out because they mean nothing for what is dialed.
fn tell_unsuiting(shared: &Shared, journal: &mut Journal, endpoint: &Endpoint) {
    let kind = endpoint.socket_kind();
    if let Some(setting) = shared.sockets().unsuiting(kind) {
        let text = format!("the socket option {setting} is not set: it means nothing for {kind} sockets");
        record(
            shared,
            journal,
            Step::Event(shared.clock.now(), EntryKind::Note { text }),
        );
    }
}

async fn connect_unix(
    shared: &Shared,
    journal: &mut Journal,
    endpoint: &Endpoint,
) -> Result<Connected, Failure> {
    let Some(target) = unix::Target::of(endpoint) else {
        return Err(failure(format!("{endpoint} cannot be dialed")));
    };
    shared.link(journal.connection(), |link| link.state = LinkState::Connecting);
    tell_unsuiting(shared, journal, endpoint);
    let socket = unix::connect(target, &shared.sockets(), shared.options.connect_timeout).await?;
    let ends = unix::stand_ins(target.address, journal.connection());
    let stand_ins = format!(
        "a Unix socket has no addresses of IP: in the packets of the recording {} and {} stand for them",
        ends.0, ends.1
    );
    let peer = Credentials::of_peer(&socket).map(|who| format!("the peer is {}", who.words()));
    for text in peer.into_iter().chain([stand_ins]) {
        let note = EntryKind::Note { text };
        record(shared, journal, Step::Event(shared.clock.now(), note));
    }
    Ok(Connected {
        channel: Channel::new(socket, journal.connection(), Side::Peer, &shared.kernel),
        ends,
        endpoint: endpoint.clone(),
        peer: endpoint.to_string(),
    })
}

/// Makes it a TLS connection.
async fn secure(
    shared: &Shared,
    journal: &mut Journal,
    channel: &mut Channel,
    (tls, remote): (TlsStream, SocketAddr),
    deadline: Instant,
) -> Result<(), Failure> {
    shared.link(journal.connection(), |link| {
        link.state = LinkState::Handshaking;
        link.remote = Some(remote);
    });
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
    shared.link(journal.connection(), |link| link.tls = Some(report));
    match result {
        Ok(()) => Ok(()),
        Err(Fault::Io(error)) => Err(Failure {
            reason: words::broken(&remote.to_string(), &error),
            errno: error.raw_os_error(),
            timed_out: false,
        }),
        Err(Fault::Tls { why, .. } | Fault::Cut { why }) => Err(failure(format!("{remote} {why}"))),
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
            journal.event(at, kind.clone());
            let state = shared.recorder_state(journal.connection(), journal.state());
            shared.publish(|news| {
                if let Some(link) = news.link_mut(journal.connection()) {
                    Arc::make_mut(&mut link.dial).take_in(at, &kind);
                }
                news.recorder = state;
            });
        }
        Step::Asked(at, family) => shared.link(journal.connection(), |link| {
            Arc::make_mut(&mut link.dial).asked(at, family);
        }),
        Step::Trying(remote) => shared.link(journal.connection(), |link| {
            link.state = LinkState::Connecting;
            link.remote = Some(remote);
        }),
    }
}
