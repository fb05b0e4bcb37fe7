//! Serving one connection that was accepted, or relaying it.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::sync::mpsc;

use super::accept::Arrival;
use crate::model::{Endpoint, EntryKind, NetCommand, Side};
use crate::net::channel::Channel;
use crate::net::connect::Connected;
use crate::net::journal::Journal;
use crate::net::session::{After, Session};
use crate::net::shared::Shared;
use crate::net::socket::Carries;
use crate::net::sockopt::apply;
use crate::net::tap::{self, Application};
use crate::net::words;

/// How long a peer that sends datagrams may be silent: nobody says when the last one was sent. As long as Linux
/// remembers those who ask without being answered (`nf_conntrack_udp_timeout`).
const SILENCE: Duration = Duration::from_secs(30);

/// Serves it until it ends, by either side; `endpoint` is what it dialed, and `target` what it is relayed to.
pub(super) async fn peer(
    shared: &Shared,
    mut journal: Journal,
    arrival: Arrival,
    (endpoint, target): (Endpoint, Option<Endpoint>),
    mut inbox: mpsc::Receiver<NetCommand>,
) -> After {
    let Arrival {
        socket,
        local,
        remote,
        who,
    } = arrival;
    let name = who.clone().unwrap_or_else(|| remote.to_string());
    if let Endpoint::Unix(_) = endpoint {
        introduce(shared, &mut journal, who, (local, remote));
    }
    // The socket that all datagrams share has them already.
    if socket.carries() != Carries::Datagrams
        && let Err(refused) = apply(&shared.sockets(), &SockRef::from(&socket))
    {
        let text = words::option(&refused.setting, &refused.error);
        let errno = refused.error.raw_os_error();
        journal.event(shared.clock.now(), EntryKind::Error { text, errno });
    }
    let side = if target.is_some() { Side::Local } else { Side::Peer };
    let channel = Channel::new(socket, journal.connection(), side, &shared.kernel);
    if let Some(target) = target {
        let application = Application {
            channel,
            remote,
            local,
            name,
        };
        return tap::relay(shared, journal, application, &target, inbox).await;
    }
    let silence = channel.has_datagrams().then_some(SILENCE);
    let connected = Connected {
        endpoint,
        channel,
        ends: (local, remote),
        peer: name,
    };
    let mut session = Session::new(shared, journal, connected);
    session.end_when_silent(silence);
    session.run(&mut inbox).await
}

/// Says who is at the other end of a Unix socket, and what stands for the addresses that it has not.
fn introduce(
    shared: &Shared,
    journal: &mut Journal,
    who: Option<String>,
    (local, remote): (SocketAddr, SocketAddr),
) {
    let stand_ins = format!(
        "a Unix socket has no addresses of IP: in the packets of the recording {local} and {remote} stand for them"
    );
    for text in who.into_iter().chain([stand_ins]) {
        journal.event(shared.clock.now(), EntryKind::Note { text });
    }
}
