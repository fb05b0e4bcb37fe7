//! Serving one connection that was accepted.

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
use crate::net::words;

/// How long a peer that sends datagrams may be silent: nobody says when the last one was sent. As long as Linux
/// remembers those who ask without being answered (`nf_conntrack_udp_timeout`).
const SILENCE: Duration = Duration::from_secs(30);

/// Serves it until it ends, by either side.
pub(super) async fn peer(
    shared: &Shared,
    mut journal: Journal,
    arrival: Arrival,
    endpoint: Endpoint,
    mut inbox: mpsc::Receiver<NetCommand>,
) -> After {
    let Arrival {
        socket,
        local,
        remote,
        who,
    } = arrival;
    let peer = who.clone().unwrap_or_else(|| remote.to_string());
    if let Endpoint::Unix(_) = endpoint {
        let stand_ins = format!(
            "a Unix socket has no addresses of IP: in the packets of the recording {local} and {remote} stand for them"
        );
        for text in who.into_iter().chain([stand_ins]) {
            journal.event(shared.clock.now(), EntryKind::Note { text });
        }
    }
    // The socket that all datagrams share has them already.
    if socket.carries() != Carries::Datagrams
        && let Err(refused) = apply(&shared.sockets(), &SockRef::from(&socket))
    {
        let (text, errno) = (
            words::option(&refused.setting, &refused.error),
            refused.error.raw_os_error(),
        );
        journal.event(shared.clock.now(), EntryKind::Error { text, errno });
    }
    let channel = Channel::new(socket, journal.connection(), Side::Peer, &shared.kernel);
    let silence = (channel.carries() == Carries::Datagrams).then_some(SILENCE);
    let connected = Connected {
        channel,
        ends: (local, remote),
        peer,
    };
    let mut session = Session::new(shared, journal, connected);
    session.end_when_silent(silence);
    session.run(&mut inbox).await
}
