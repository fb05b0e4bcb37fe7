//! Serving one connection that was accepted, or relaying it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use tokio::sync::mpsc;

use super::accept::Arrival;
use crate::model::{Endpoint, EntryKind, NetCommand, Side};
use crate::net::acceptor::{Acceptor, Guest};
use crate::net::channel::Channel;
use crate::net::connect::Connected;
use crate::net::journal::Journal;
use crate::net::session::{After, Session};
use crate::net::shared::Shared;
use crate::net::socket::{Carries, Socket};
use crate::net::sockopt::apply;
use crate::net::tap::{self, Application};
use crate::net::words;

/// How long a peer that sends datagrams may be silent: nobody says when the last one was sent. As long as Linux
/// remembers those who ask without being answered (`nf_conntrack_udp_timeout`).
const SILENCE: Duration = Duration::from_secs(30);

/// What is to be done for whoever comes.
pub(super) struct Whom {
    /// What it dialed.
    pub(super) endpoint: Endpoint,
    /// What it is relayed to.
    pub(super) target: Option<Endpoint>,
    /// What comes before its first byte.
    pub(super) acceptor: Rc<Acceptor>,
}

/// Serves it until it ends, by either side.
pub(super) async fn peer(
    shared: &Shared,
    mut journal: Journal,
    arrival: Arrival,
    whom: Whom,
    inbox: mpsc::Receiver<NetCommand>,
) -> After {
    let Whom {
        endpoint,
        target,
        acceptor,
    } = whom;
    let Arrival {
        socket,
        local,
        remote,
        who,
    } = arrival;
    let name = who.clone().unwrap_or_else(|| remote.to_string());
    if let Endpoint::Unix(_) = endpoint {
        let role = if target.is_some() { "application" } else { "peer" };
        let who = who.map(|who| format!("the {role} is {who}"));
        introduce(shared, &mut journal, who, (local, remote));
    }
    set_options(shared, &mut journal, &socket);
    let side = if target.is_some() { Side::Local } else { Side::Peer };
    let channel = Channel::new(socket, journal.connection(), side, &shared.kernel);
    if let Some(target) = target {
        let application = Application {
            channel,
            remote,
            local,
            name,
        };
        return tap::relay(shared, journal, (application, &acceptor), &target, inbox).await;
    }
    let arrived = Connected {
        endpoint,
        channel,
        ends: (local, remote),
        peer: name,
    };
    serve(shared, journal, (arrived, &acceptor), inbox).await
}

/// Is the server of whoever has come.
async fn serve(
    shared: &Shared,
    mut journal: Journal,
    (mut arrived, acceptor): (Connected, &Acceptor),
    mut inbox: mpsc::Receiver<NetCommand>,
) -> After {
    shared.link(journal.connection(), |link| {
        // Of a Unix socket they are stand-ins.
        let ends = arrived.endpoint.is_over_ip().then_some(arrived.ends);
        (link.local, link.remote) = ends.unzip();
    });
    let mut guest = Guest {
        shared,
        journal: &mut journal,
        channel: &mut arrived.channel,
        name: &arrived.peer,
        side: Side::Peer,
    };
    if let Err(after) = Box::pin(guest.welcome(acceptor, &mut inbox)).await {
        return after;
    }
    let silence = arrived.channel.has_datagrams().then_some(SILENCE);
    let mut session = Session::new(shared, journal, arrived);
    session.end_when_silent(silence);
    session.run(&mut inbox).await
}

/// Sets what is to be set on it.
fn set_options(shared: &Shared, journal: &mut Journal, socket: &Socket) {
    // The socket that all datagrams share has them already.
    if socket.carries() != Carries::Datagrams
        && let Err(refused) = apply(&shared.sockets(), &SockRef::from(socket))
    {
        let text = words::option(&refused.setting, &refused.error);
        let errno = refused.error.raw_os_error();
        journal.event(shared.clock.now(), EntryKind::Error { text, errno });
    }
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
