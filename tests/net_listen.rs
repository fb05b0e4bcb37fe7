//! Waiting for connections: many peers at once, each with its own bytes, ends and commands, over real sockets.

#![expect(clippy::unwrap_used, reason = "a harness that fails fails the test")]

#[path = "support/worker.rs"]
mod worker;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use sockscope::model::{
    ConnectionId, Direction, EndHow, EntryId, EntryKind, Link, LinkState, NetCommand, NetEvent, Outgoing,
    PeerCommand, Recording, Records as _, Role, Side,
};
use sockscope::net::Options;

use worker::{BOUND, Bench, word};

/// Listens, and returns where.
fn listen(bench: &Bench, address: &str) -> Vec<String> {
    bench.ask(NetCommand::Listen(address.parse().unwrap()));
    let news = bench.wait("listening", |news| {
        news.listening
            .as_ref()
            .is_some_and(|listening| listening.state == LinkState::Listening)
    });
    news.listening.unwrap().bound
}

fn connect(bound: &[String]) -> TcpStream {
    let stream = TcpStream::connect(&bound[0]).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream
}

fn to(id: u32, command: PeerCommand) -> NetCommand {
    NetCommand::Peers(vec![ConnectionId(id)], command)
}

fn message(bytes: &[u8]) -> PeerCommand {
    let message = Outgoing {
        bytes: bytes.to_vec(),
        recording: Recording::AsIs,
    };
    PeerCommand::Send(message, Direction::Sent)
}

fn wait_peer(bench: &Bench, id: u32, what: &str, until: impl Fn(&Link) -> bool) -> NetEvent {
    bench.wait(what, |news| news.peers.get(ConnectionId(id)).is_some_and(&until))
}

/// The words for what happened to a connection, in order.
fn story(bench: &Bench, id: u32) -> String {
    let all = bench.entries();
    let of_it = all.iter().filter(|entry| entry.connection == ConnectionId(id));
    of_it.map(|entry| word(&entry.kind)).collect::<Vec<_>>().join(" ")
}

fn bytes(bench: &Bench, id: u32, direction: Direction) -> Vec<u8> {
    let all = bench.entries().into_iter();
    let data =
        all.filter(|entry| entry.connection == ConnectionId(id) && entry.direction() == Some(direction));
    data.flat_map(|entry| bench.session.payload(entry.id, 0..u32::MAX).unwrap())
        .collect()
}

#[test]
fn the_loopback_addresses_of_both_families_are_bound_to_one_port() {
    let bench = Bench::new(Options::default());
    let bound = listen(&bench, ":0");
    let addresses: Vec<SocketAddr> = bound.iter().map(|place| place.parse().unwrap()).collect();
    assert!(
        addresses.iter().all(|address| address.ip().is_loopback()),
        "{bound:?}"
    );
    assert!(
        addresses
            .iter()
            .all(|address| address.port() == addresses[0].port() && address.port() > 0)
    );
    assert_eq!(bench.session.role(ConnectionId(0)), Role::Listener);
    assert_eq!(bench.kinds(), "note");
}

#[test]
fn many_peers_are_served_at_once_and_each_gets_its_own() {
    let bench = Bench::new(Options::default());
    let bound = listen(&bench, "127.0.0.1:0");
    let mut peers: Vec<TcpStream> = (0..20).map(|_| connect(&bound)).collect();
    for (number, peer) in peers.iter_mut().enumerate() {
        write!(peer, "I am {number}").unwrap();
    }
    let news = bench.wait("everybody", |news| {
        news.peers.live().count() == 20 && news.peers.totals()[1].bytes == 20 * 5 + 10 + 20
    });
    // Whoever said it has that connection.
    for link in news.peers.iter() {
        assert_eq!((link.role, link.state), (Role::Server, LinkState::Open));
        let said = String::from_utf8(bytes(&bench, link.id.0, Direction::Received)).unwrap();
        let number: usize = said.strip_prefix("I am ").unwrap().parse().unwrap();
        assert_eq!(link.remote.unwrap(), peers[number].local_addr().unwrap());
        bench.ask(to(link.id.0, message(format!("you are {number}").as_bytes())));
        let mut answer = vec![0; format!("you are {number}").len()];
        peers[number].read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), format!("you are {number}"));
    }
    let all: Vec<ConnectionId> = news.peers.iter().map(|link| link.id).collect();
    bench.ask(NetCommand::Peers(all, message(b"!")));
    for peer in &mut peers {
        let mut answer = [0];
        peer.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"!");
    }
    let sends = bench.wait("the last", |news| news.sends.handled == 40).sends;
    assert_eq!(sends.refused, 0);
}

#[test]
fn ends_are_those_of_each_peer() {
    let bench = Bench::new(Options::default());
    let bound = listen(&bench, "127.0.0.1:0");
    let mut first = connect(&bound);
    first.write_all(b"question").unwrap();
    first.shutdown(Shutdown::Write).unwrap();
    wait_peer(&bench, 1, "its FIN", |link| link.state == LinkState::HalfClosed);
    let second = connect(&bound);
    let third = connect(&bound);
    wait_peer(&bench, 3, "the third", |link| link.state == LinkState::Open);
    // The answer to somebody who has finished arrives, and then our FIN.
    bench.ask(to(1, message(b"answer")));
    bench.ask(to(1, PeerCommand::Close));
    let mut answer = String::new();
    first.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "answer");
    bench.ask(to(2, PeerCommand::Reset));
    let reset = (&second).read(&mut [0]).unwrap_err();
    assert_eq!(reset.raw_os_error(), Some(104));
    drop(third);
    wait_peer(&bench, 3, "the third's FIN", |link| {
        link.first_fin == Some(Side::Peer)
    });
    wait_peer(&bench, 1, "the end of the first", |link| {
        link.state == LinkState::Closed
    });
    wait_peer(&bench, 2, "the end of the second", |link| {
        link.end
            .is_some_and(|end| (end.by, end.how) == (Side::Local, EndHow::Rst))
    });
    assert_eq!(story(&bench, 1), "open received peer-fin sent close-our-fin");
    assert_eq!(story(&bench, 2), "open our-rst");
    assert_eq!(story(&bench, 3), "open peer-fin");
    // Whoever is gone gets nothing, and that is said.
    bench.ask(to(1, message(b"too late")));
    bench.wait("the refusal", |news| {
        (news.sends.handled, news.sends.refused) == (2, 1)
    });
}

#[test]
fn what_listens_can_stop_and_serve_on_and_listen_again() {
    let bench = Bench::new(Options::default());
    let bound = listen(&bench, "127.0.0.1:0");
    let mut peer = connect(&bound);
    wait_peer(&bench, 1, "the peer", |link| link.state == LinkState::Open);
    bench.ask(NetCommand::Cancel);
    bench.wait("the end of listening", |news| {
        news.listening
            .as_ref()
            .is_some_and(|listening| listening.state == LinkState::Closed)
    });
    assert!(
        TcpStream::connect(&bound[0]).is_err(),
        "nobody listens there any more"
    );
    bench.ask(to(1, message(b"still here")));
    let mut answer = [0; 10];
    peer.read_exact(&mut answer).unwrap();
    bench.ask(to(1, PeerCommand::Close));
    drop(peer);
    wait_peer(&bench, 1, "its end", |link| link.state == LinkState::Closed);
    let again = listen(&bench, &bound[0]);
    assert_eq!(again, bound);
    connect(&again);
    bench.wait("somebody new", |news| {
        news.peers.iter().any(|link| link.id == ConnectionId(3))
    });
}

#[test]
fn a_port_that_is_taken_is_said_and_another_one_can_be_tried() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let bench = Bench::new(Options::default());
    bench.ask(NetCommand::Listen(address.to_string().parse().unwrap()));
    let failed = bench.wait("the failure", |news| {
        news.listening
            .as_ref()
            .is_some_and(|listening| listening.state == LinkState::Failed)
    });
    let reason = failed.listening.unwrap().reason.unwrap();
    assert!(
        reason.contains("another program does") && reason.contains(&address.to_string()),
        "{reason}"
    );
    assert_eq!(bench.kinds(), "error");
    for (wrong, part) in [
        ("192.0.2.7:9", "not an address of this machine"),
        ("unix:/nowhere/a.sock", "no such directory"),
        ("nowhere.invalid:9", "no host"),
    ] {
        bench.ask(NetCommand::Listen(wrong.parse().unwrap()));
        bench.wait(part, |news| {
            let reason = news
                .listening
                .as_ref()
                .and_then(|listening| listening.reason.as_ref());
            reason.is_some_and(|reason| reason.contains(part) || reason.contains("has no IPv"))
        });
    }
    listen(&bench, "127.0.0.1:0");
}

#[test]
fn the_end_of_the_program_ends_all_with_fin() {
    let bench = Bench::new(Options::default());
    let bound = listen(&bench, "127.0.0.1:0");
    let mut peers: Vec<TcpStream> = (0..5).map(|_| connect(&bound)).collect();
    bench.wait("everybody", |news| news.peers.live().count() == 5);
    bench.ask(NetCommand::Shutdown);
    for peer in &mut peers {
        assert_eq!(peer.read(&mut [0]).unwrap(), 0, "a FIN and no reset");
    }
    assert!(bench.ends());
    for id in 1..=5 {
        assert_eq!(story(&bench, id), "open our-fin");
    }
}

#[test]
fn datagrams_of_each_sender_are_a_connection() {
    let bench = Bench::new(Options::default());
    let bound = listen(&bench, "udp://127.0.0.1:0");
    let sockets: Vec<UdpSocket> = (0..3)
        .map(|_| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(&bound[0]).unwrap();
            socket.set_read_timeout(Some(BOUND)).unwrap();
            socket
        })
        .collect();
    // What comes before it has a socket of its own is not lost, nor put in another order.
    for number in 0..50u8 {
        for socket in &sockets {
            socket.send(&[number; 3]).unwrap();
        }
        if number == 20 {
            sockets[0].send(b"").unwrap();
        }
    }
    let news = bench.wait("all datagrams", |news| news.peers.totals()[1].messages == 151);
    assert_eq!(news.peers.len(), 3);
    for link in news.peers.iter() {
        let number = sockets
            .iter()
            .position(|socket| socket.local_addr().unwrap() == link.remote.unwrap());
        let expected: Vec<u8> = (0..50u8).flat_map(|number| [number; 3]).collect();
        assert_eq!(bytes(&bench, link.id.0, Direction::Received), expected);
        bench.ask(to(link.id.0, message(b"answer")));
        let mut answer = [0; 20];
        let count = sockets[number.unwrap()].recv(&mut answer).unwrap();
        assert_eq!(&answer[..count], b"answer");
        assert_eq!(link.local.unwrap().to_string(), bound[0]);
    }
    // One that is closed is another connection when it speaks again.
    let first = news.peers.iter().next().unwrap();
    bench.ask(to(first.id.0, PeerCommand::Close));
    wait_peer(&bench, first.id.0, "its end", |link| {
        link.state == LinkState::Closed
    });
    let socket = sockets
        .iter()
        .find(|socket| socket.local_addr().unwrap() == first.remote.unwrap());
    socket.unwrap().send(b"again").unwrap();
    bench.wait("a new connection", |news| news.peers.len() == 4);
}

#[test]
fn a_unix_socket_is_private_and_named_and_goes_with_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let address = format!("unix:{}", path.display());
    let bench = Bench::new(Options::default());
    listen(&bench, &address);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let mut peer = UnixStream::connect(&path).unwrap();
    peer.write_all(b"hello").unwrap();
    let news = wait_peer(&bench, 1, "its bytes", |link| link.received.bytes == 5);
    let who = news.peers.iter().next().unwrap().who.clone().unwrap();
    assert!(who.contains(&format!("process {}", std::process::id())), "{who}");
    assert_eq!(story(&bench, 1), "note note open received");
    let other = Bench::new(Options::default());
    other.ask(NetCommand::Listen(address.parse().unwrap()));
    other.wait("the refusal", |news| {
        let reason = news
            .listening
            .as_ref()
            .and_then(|listening| listening.reason.as_ref());
        reason.is_some_and(|reason| reason.contains("another program listens"))
    });
    drop(bench);
    assert!(!path.exists(), "it is removed");
    // A socket of another type is somebody's too, and so is one whose queue is full.
    let datagrams = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let refused = |bench: &Bench| {
        bench.ask(NetCommand::Listen(address.parse().unwrap()));
        bench.wait("the refusal", |news| {
            let reason = news
                .listening
                .as_ref()
                .and_then(|listening| listening.reason.as_ref());
            reason.is_some_and(|reason| reason.contains("another program listens"))
        });
        assert!(path.exists());
    };
    refused(&Bench::new(Options::default()));
    drop(datagrams);
    std::fs::remove_file(&path).unwrap();
    let busy = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    let name = socket2::SockAddr::unix(&path).unwrap();
    busy.bind(&name).unwrap();
    busy.listen(0).unwrap();
    let waiting =
        [(); 2].map(|()| socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap());
    for socket in &waiting {
        socket.set_nonblocking(true).unwrap();
        drop(socket.connect(&name));
    }
    refused(&Bench::new(Options::default()));
    drop((waiting, busy));
    std::fs::remove_file(&path).unwrap();
    // What a server left behind that was killed is no obstacle; any other file is.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    listen(&other, &address);
    drop(other);
    std::fs::write(&path, "mine").unwrap();
    let third = Bench::new(Options::default());
    third.ask(NetCommand::Listen(address.parse().unwrap()));
    third.wait("the refusal", |news| {
        let reason = news
            .listening
            .as_ref()
            .and_then(|listening| listening.reason.as_ref());
        reason.is_some_and(|reason| reason.contains("is no socket"))
    });
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[test]
fn the_opening_says_who_dialed() {
    let bench = Bench::new(Options::default());
    let bound = listen(&bench, "127.0.0.1:0");
    let peer = connect(&bound);
    wait_peer(&bench, 1, "the peer", |link| link.state == LinkState::Open);
    let open = bench.session.entry(EntryId(1)).unwrap();
    let (local, remote) = (peer.peer_addr().unwrap(), peer.local_addr().unwrap());
    assert_eq!(open.kind, EntryKind::Open { local, remote });
    let conversation = bench.session.conversation(ConnectionId(1)).unwrap();
    assert_eq!(
        (conversation.client(), conversation.server()),
        (Some(remote), Some(local))
    );
}

#[test]
fn accepted_connections_take_the_socket_options_and_changes_of_them() {
    let bench = Bench::new(Options {
        sockets: ["ttl=9", "nodelay=off"]
            .map(|text| text.parse().unwrap())
            .into_iter()
            .collect(),
        ..Options::default()
    });
    let bound = listen(&bench, ":0");
    let has =
        |link: &Link, expected: &str| link.options.iter().any(|setting| setting.to_string() == expected);
    let _first = connect(&bound);
    wait_peer(&bench, 1, "its options", |link| {
        has(link, "ttl=9") && has(link, "nodelay=off")
    });
    bench.ask(to(1, PeerCommand::Option("ttl=5".parse().unwrap())));
    let news = wait_peer(&bench, 1, "the change", |link| has(link, "ttl=5"));
    assert!(
        news.answer
            .is_none_or(|answer| answer.text == "ttl is 5 now; it was 9")
    );
    let _second = connect(&bound);
    wait_peer(&bench, 2, "what was changed", |link| has(link, "ttl=5"));
}
