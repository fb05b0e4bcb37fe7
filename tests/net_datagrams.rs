//! UDP and Unix sockets on loopback: datagrams keep their boundaries, errors do not end what goes on, and it is said
//! what was lost.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/worker.rs"]
mod worker;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;

use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket};
use sockscope::capture::Session;
use sockscope::model::{Direction, EndHow, EntryId, EntryKind, LinkState, NetCommand, Records as _, Side};
use sockscope::net::Options;
use worker::{BOUND, Bench};

fn server() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket
}

/// What came or went, datagram by datagram.
fn datagrams(bench: &Bench, direction: Direction) -> Vec<Vec<u8>> {
    let entries = bench.entries().into_iter();
    let ours = entries.filter(|entry| entry.direction() == Some(direction));
    ours.map(|entry| bench.session.payload(entry.id, 0..u32::MAX).unwrap())
        .collect()
}

#[test]
fn datagrams_keep_their_boundaries_and_may_be_empty() {
    let server = server();
    let bench = Bench::new(Options::default());
    bench.dial(format!("udp://{}", server.local_addr().unwrap()));
    bench.wait_state(LinkState::Open);
    bench.send(b"one");
    bench.send(b"");
    bench.send(&vec![b'x'; 65_507]);
    let mut buffer = vec![0; 70_000];
    let (count, from) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"one");
    assert_eq!(server.recv_from(&mut buffer).unwrap().0, 0);
    assert_eq!(server.recv_from(&mut buffer).unwrap().0, 65_507);
    let largest = vec![7; 65_507];
    let answers: [&[u8]; 4] = [b"a", b"", b"bc", &largest];
    for answer in answers {
        server.send_to(answer, from).unwrap();
    }
    bench.wait_link("the answers", |link| link.received.messages == 4);
    bench.ask(NetCommand::Close);
    let link = bench.wait_state(LinkState::Closed);
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Local, EndHow::Close))
    );
    assert_eq!(datagrams(&bench, Direction::Received), answers);
    assert_eq!(
        datagrams(&bench, Direction::Sent),
        [b"one".to_vec(), Vec::new(), vec![b'x'; 65_507]]
    );
    assert!(bench.kinds().starts_with("try open sent") && bench.kinds().ends_with("closed"));
}

#[test]
fn nobody_listening_and_too_much_are_said_and_end_nothing() {
    let unheard = server();
    let target = unheard.local_addr().unwrap();
    drop(unheard);
    let bench = Bench::new(Options::default());
    bench.dial(format!("udp://{target}"));
    bench.wait_state(LinkState::Open);
    bench.send(b"anybody?");
    let errors = |bench: &Bench| {
        let entries = bench.entries().into_iter();
        let texts = entries.filter_map(|entry| {
            if let EntryKind::Error { text, .. } = entry.kind {
                Some(text)
            } else {
                None
            }
        });
        texts.collect::<Vec<_>>()
    };
    bench.wait("the refusal", |_| !errors(&bench).is_empty());
    assert!(errors(&bench)[0].contains("ICMP port unreachable"));
    // The server comes, and all is well.
    let server = UdpSocket::bind(target).unwrap();
    server.set_read_timeout(Some(BOUND)).unwrap();
    bench.send(&vec![0; 65_508]);
    bench.send(b"again");
    let mut buffer = [0; 64];
    let count = server.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"again");
    bench.wait_link("the record of it", |link| link.sent.messages == 2);
    assert!(
        errors(&bench).iter().any(|text| text.contains("at most 65,507")),
        "{:?}",
        errors(&bench)
    );
    assert_eq!(
        bench.worker.news.borrow().link.as_ref().map(|link| link.state),
        Some(LinkState::Open)
    );
}

#[test]
fn what_was_received_and_what_was_dropped_is_what_was_sent() {
    const SENT: u64 = 5_000;
    let server = server();
    let bench = Bench::new(Options::default());
    bench.dial(format!("udp://{}", server.local_addr().unwrap()));
    bench.wait_state(LinkState::Open);
    bench.send(b"go");
    let (_, from) = server.recv_from(&mut [0; 8]).unwrap();
    for _ in 0..SENT {
        server.send_to(&[1; 1000], from).unwrap();
    }
    // What comes last tells what was dropped before it; only one after all others surely arrives.
    let mut received = bench
        .wait_link("datagrams", |link| link.received.messages > 0)
        .received;
    loop {
        std::thread::yield_now();
        let now = bench.worker.news.borrow().link.as_ref().unwrap().received;
        if now == received {
            break;
        }
        received = now;
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    server.send_to(b"last", from).unwrap();
    let last = |bench: &Bench| {
        datagrams(bench, Direction::Received)
            .last()
            .is_some_and(|d| d == b"last")
    };
    bench.wait_link("the last one", |_| last(&bench));
    let dropped: u64 = bench
        .entries()
        .into_iter()
        .filter_map(|entry| {
            let EntryKind::Error { text, .. } = entry.kind else {
                return None;
            };
            let count = text
                .strip_prefix("the kernel dropped ")?
                .split(' ')
                .next()?
                .replace(',', "");
            count.parse::<u64>().ok()
        })
        .sum();
    let received = datagrams(&bench, Direction::Received).len() as u64;
    assert_eq!(received + dropped, SENT + 1, "{dropped} dropped");
}

#[test]
fn our_end_waits_for_answers_and_then_closes() {
    let server = server();
    let bench = Bench::new(Options::default());
    bench.dial(format!("udp://{}", server.local_addr().unwrap()));
    bench.wait_state(LinkState::Open);
    bench.send(b"question");
    bench.ask(NetCommand::HalfClose);
    let (_, from) = server.recv_from(&mut [0; 64]).unwrap();
    let link = bench.wait_state(LinkState::HalfClosed);
    assert_eq!(link.first_fin, Some(Side::Local), "it only receives");
    server.send_to(b"answer", from).unwrap();
    let link = bench.wait_state(LinkState::Closed);
    assert_eq!(link.end.map(|end| end.how), Some(EndHow::Close));
    assert_eq!(datagrams(&bench, Direction::Received), [b"answer"]);
}

#[test]
fn a_unix_stream_is_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        stream.read_to_end(&mut asked).unwrap();
        stream.write_all(&vec![b'y'; 300_000]).unwrap();
        asked
    });
    let bench = Bench::new(Options::default());
    bench.dial(format!("unix:{}", path.display()));
    bench.wait_state(LinkState::Open);
    bench.send(b"question");
    bench.ask(NetCommand::HalfClose);
    let link = bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"question");
    assert_eq!(bench.bytes(Direction::Received), vec![b'y'; 300_000]);
    assert_eq!(link.end.map(|end| end.how), Some(EndHow::Fin));
    assert_eq!(
        (link.local, link.remote),
        (None, None),
        "stand-ins are not shown as addresses"
    );
    let kinds = bench.kinds();
    assert!(
        kinds.starts_with("note note open sent our-fin received"),
        "{kinds}"
    );
}

#[test]
fn unix_sockets_that_cannot_be_reached_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, expected: &str| {
        let bench = Bench::new(Options::default());
        bench.dial(format!("unix:{}", folder.path().join(name).display()));
        let link = bench.wait_state(LinkState::Failed);
        let reason = link.reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
    };
    check("none", "there is no socket");
    drop(UnixListener::bind(folder.path().join("stale")).unwrap());
    check("stale", "nobody listens");
    let _datagrams = UnixDatagram::bind(folder.path().join("datagrams")).unwrap();
    check("datagrams", "is a socket for datagrams: write unix-dgram:");
}

/// Notes, in their order.
fn notes(bench: &Bench) -> Vec<String> {
    let texts = bench.entries().into_iter().filter_map(|entry| {
        if let EntryKind::Note { text } = entry.kind {
            Some(text)
        } else {
            None
        }
    });
    texts.collect()
}

#[test]
fn unix_datagrams_keep_their_boundaries_and_can_be_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.sock");
    let server = UnixDatagram::bind(&path).unwrap();
    server.set_read_timeout(Some(BOUND)).unwrap();
    let bench = Bench::new(Options::default());
    bench.dial(format!("unix-dgram:{}", path.display()));
    let link = bench.wait_state(LinkState::Open);
    assert_eq!((link.local, link.remote), (None, None));
    // The last is more than an IP packet holds, and one entry all the same.
    let largest = vec![b'x'; 100_000];
    let questions: [&[u8]; 4] = [b"one", b"", b"three", &largest];
    let mut buffer = vec![0; 300_000];
    let mut from = None;
    for question in questions {
        bench.send(question);
        let (count, sender) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], question);
        from = Some(sender);
    }
    let large: Vec<u8> = (0..=252).cycle().take(200_000).collect();
    let answers: [&[u8]; 4] = [b"a", b"", &large, b"z"];
    let from = from.unwrap();
    assert!(
        from.as_abstract_name().is_some(),
        "an address of its own: {from:?}"
    );
    for answer in answers {
        server.send_to_addr(answer, &from).unwrap();
    }
    bench.wait_link("the answers", |link| link.received.messages == 4);
    assert_eq!(datagrams(&bench, Direction::Sent), questions);
    assert_eq!(datagrams(&bench, Direction::Received), answers);
    let sender = format!("datagrams come from process {} (", std::process::id());
    let told = notes(&bench)
        .iter()
        .filter(|note| note.starts_with(&sender))
        .count();
    assert_eq!(told, 1, "{:?}", notes(&bench));
    // Any part of what lies in several packets can be read.
    let entries = bench.entries();
    let whole = entries.iter().find(|entry| entry.len == 200_000).unwrap();
    for range in [
        0..1,
        65_500..65_510,
        130_000..131_100,
        199_999..200_000,
        150_000..u32::MAX,
    ] {
        let end = (range.end as usize).min(large.len());
        let part = bench.session.payload(whole.id, range.clone()).unwrap();
        assert_eq!(part, large[range.start as usize..end]);
    }
    // The server goes, which is the end: whoever comes there next is another one.
    drop(server);
    bench.send(b"still there?");
    let link = bench.wait_state(LinkState::Failed);
    assert!(link.reason.unwrap().contains("its server has ended"));
    reopened(&bench);
}

/// The file of a bench that has ended shows the same entries and bytes when it is opened.
fn reopened(bench: &Bench) {
    let opened = Session::open(bench.session.path()).unwrap();
    assert_eq!(opened.len(), bench.session.len());
    assert_eq!(opened.cut(), 0);
    for number in 0..opened.len() {
        let id = EntryId(number);
        assert_eq!(opened.entry(id), bench.session.entry(id));
        let all = 0..u32::MAX;
        assert_eq!(opened.payload(id, all.clone()), bench.session.payload(id, all));
    }
}

#[test]
fn a_unix_datagram_that_is_too_large_is_said_and_ends_nothing() {
    let name = format!("sockscope-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let server = UnixDatagram::bind_addr(&address).unwrap();
    server.set_read_timeout(Some(BOUND)).unwrap();
    let bench = Bench::new(Options {
        sockets: ["sndbuf=16K"]
            .map(|text| text.parse().unwrap())
            .into_iter()
            .collect(),
        ..Options::default()
    });
    bench.dial(format!("unix-dgram:@{name}"));
    bench.wait_state(LinkState::Open);
    bench.send(&vec![0; 60_000]);
    bench.send(b"fits");
    let mut buffer = [0; 64];
    let count = server.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"fits");
    let said = |entry: &sockscope::model::Entry| matches!(&entry.kind, EntryKind::Error { text, .. } if text.contains("-o sndbuf="));
    bench.wait("the error", |_| bench.entries().iter().any(said));
    // Datagrams have no end that could be told; ours waits a while for answers.
    bench.ask(NetCommand::HalfClose);
    let link = bench.wait_state(LinkState::Closed);
    assert_eq!(link.end.map(|end| end.how), Some(EndHow::Close));
}

/// A listening socket for connected messages.
fn seqpacket(path: &Path) -> OwnedFd {
    let socket = socket(
        AddressFamily::Unix,
        SockType::SeqPacket,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
    .unwrap();
    bind(socket.as_raw_fd(), &UnixAddr::new(path).unwrap()).unwrap();
    listen(&socket, Backlog::new(4).unwrap()).unwrap();
    socket
}

fn accepted(listener: &OwnedFd) -> UnixDatagram {
    // Reading and writing are the same calls for both kinds.
    let socket = UnixListener::from(listener.try_clone().unwrap())
        .accept()
        .unwrap()
        .0;
    let socket = UnixDatagram::from(OwnedFd::from(socket));
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket
}

#[test]
fn seqpacket_tells_empty_messages_from_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.sock");
    let listener = seqpacket(&path);
    let bench = Bench::new(Options::default());
    bench.dial(format!("unix-seqpacket:{}", path.display()));
    bench.wait_state(LinkState::Open);
    let server = accepted(&listener);
    let largest = vec![b'x'; 70_000];
    let questions: [&[u8]; 3] = [b"one", b"", &largest];
    let mut buffer = vec![0; 300_000];
    for question in questions {
        bench.send(question);
        let count = server.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], question);
    }
    let answers: [&[u8]; 4] = [b"", b"a", b"", b"b"];
    for answer in answers {
        server.send(answer).unwrap();
    }
    bench.wait_link("the answers", |link| link.received.messages == 4);
    assert_eq!(
        bench.wait_link("it is open", |_| true).state,
        LinkState::Open,
        "an empty message is no end"
    );
    // Both directions end by themselves.
    server.shutdown(Shutdown::Write).unwrap();
    bench.wait_link("the peer's end", |link| link.first_fin == Some(Side::Peer));
    bench.send(b"more");
    assert_eq!(server.recv(&mut buffer).unwrap(), 4);
    bench.ask(NetCommand::HalfClose);
    let link = bench.wait_state(LinkState::Closed);
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Peer, EndHow::Fin))
    );
    assert_eq!(server.recv(&mut buffer).unwrap(), 0);
    assert_eq!(datagrams(&bench, Direction::Received), answers);
    let peer = format!("the peer is process {} (", std::process::id());
    assert!(notes(&bench)[0].starts_with(&peer), "{:?}", notes(&bench));
    reopened(&bench);
}

#[test]
fn a_seqpacket_peer_that_does_not_read_what_it_got_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.sock");
    let listener = seqpacket(&path);
    let bench = Bench::new(Options::default());
    bench.dial(format!("unix-seqpacket:{}", path.display()));
    bench.wait_state(LinkState::Open);
    let server = accepted(&listener);
    bench.send(b"unread");
    bench.wait_link("it is sent", |link| link.sent.messages == 1);
    drop(server);
    let link = bench.wait_link("the end", |link| link.end.is_some());
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Peer, EndHow::Rst))
    );
    assert!(link.reason.unwrap().contains("without reading all of it"));
}

#[test]
fn unix_sockets_of_another_kind_say_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let _stream = UnixListener::bind(at("stream")).unwrap();
    let _datagrams = UnixDatagram::bind(at("datagrams")).unwrap();
    let _messages = seqpacket(&at("messages"));
    let check = |scheme: &str, name: &str, expected: &str| {
        let bench = Bench::new(Options::default());
        bench.dial(format!("{scheme}:{}", at(name).display()));
        let reason = bench.wait_state(LinkState::Failed).reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
    };
    check("unix-dgram", "stream", "is a stream: write unix:/");
    check(
        "unix-seqpacket",
        "datagrams",
        "is a socket for datagrams: write unix-dgram:/",
    );
    check(
        "unix",
        "messages",
        "is a socket for messages: write unix-seqpacket:/",
    );
    check("unix-dgram", "none", "there is no socket unix-dgram:/");
}

/// Who said what in which connection of the recording: number, name, and the datagrams that came.
fn heard(bench: &Bench) -> Vec<(u32, String, Vec<Vec<u8>>)> {
    let known = bench.session.conversation_page(0..100);
    let of = |id| {
        let all = bench.entries().into_iter();
        let its =
            all.filter(|entry| entry.connection == id && entry.direction() == Some(Direction::Received));
        its.map(|entry| bench.session.payload(entry.id, 0..u32::MAX).unwrap())
            .collect()
    };
    known
        .into_iter()
        .map(|one| (one.id.0, one.name, of(one.id)))
        .collect()
}

/// Somebody who hears what goes to everybody, or to a group on the loopback interface.
fn member(group: Option<Ipv4Addr>) -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    if let Some(group) = group {
        socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
    }
    socket.set_read_timeout(Some(BOUND)).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// Asks whoever is there, two of whom answer from addresses of their own, in turn.
fn asked_by_many(bench: &Bench, target: &str, member: &UdpSocket) {
    bench.dial(target);
    bench.wait_state(LinkState::Open);
    bench.send(b"who is there?");
    let mut buffer = [0; 64];
    let (count, asker) = member.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"who is there?");
    let [two, three] = ["127.0.0.2:0", "127.0.0.3:0"].map(|address| UdpSocket::bind(address).unwrap());
    two.send_to(b"I am", asker).unwrap();
    bench.wait_link("the first answer", |link| link.received.messages == 1);
    three.send_to(b"me too", asker).unwrap();
    three.send_to(b"", asker).unwrap();
    bench.wait_link("the next ones", |link| link.received.messages == 3);
    two.send_to(b"still", asker).unwrap();
    bench.wait_link("the last one", |link| link.received.messages == 4);
    let link = bench.worker.news.borrow().link.clone().unwrap();
    assert_eq!(
        link.remote.unwrap().to_string(),
        target.trim_start_matches("udp://")
    );
    assert_eq!(link.local, Some(asker), "what they answer to");
    let [two, three] = [two, three].map(|socket| socket.local_addr().unwrap());
    let expected = [
        (0, target.to_owned(), vec![]),
        (
            1,
            format!("udp://{two}"),
            vec![b"I am".to_vec(), b"still".to_vec()],
        ),
        (2, format!("udp://{three}"), vec![b"me too".to_vec(), Vec::new()]),
    ];
    assert_eq!(heard(bench), expected);
    // The packets have the addresses that they had.
    let known = bench.session.conversation_page(0..100);
    assert_eq!((known[1].local, known[1].remote), (Some(asker), Some(two)));
    // Where another one goes on, the log says who.
    let texts = notes(bench);
    assert_eq!(texts.last().unwrap(), &format!("from {two}"));
    assert_eq!(
        texts.iter().filter(|text| text.starts_with("from ")).count(),
        1,
        "{texts:?}"
    );
}

#[test]
fn whoever_answers_a_broadcast_is_heard_and_named() {
    let (member, port) = member(None);
    let bench = Bench::new(Options::default());
    asked_by_many(&bench, &format!("udp://127.255.255.255:{port}"), &member);
    reopened(&bench);
}

fn on_loopback(written: &[&str]) -> Options {
    Options {
        sockets: written.iter().map(|text| text.parse().unwrap()).collect(),
        ..Options::default()
    }
}

#[test]
fn whoever_answers_a_multicast_is_heard_and_named() {
    let (member, port) = member(Some(Ipv4Addr::new(239, 7, 7, 7)));
    let bench = Bench::new(on_loopback(&["multicast-interface=lo", "ttl=3"]));
    asked_by_many(&bench, &format!("udp://239.7.7.7:{port}"), &member);
    let link = bench.worker.news.borrow().link.clone().unwrap();
    let shown = |name: &str| {
        link.options
            .iter()
            .find(|setting| setting.option.to_string() == name)
            .unwrap()
            .shown()
    };
    assert_eq!(
        (shown("ttl"), shown("multicast-interface")),
        ("3".into(), "lo".into())
    );
    let plain = Bench::new(on_loopback(&["multicast-interface=lo"]));
    plain.dial(format!("udp://239.7.7.7:{port}"));
    let link = plain.wait_state(LinkState::Open);
    let ttl = link
        .options
        .iter()
        .find(|setting| setting.option.to_string() == "ttl")
        .unwrap();
    assert_eq!(
        ttl.to_string(),
        "ttl=1",
        "datagrams to groups stay in the network unless one wants otherwise"
    );
}

#[test]
fn what_is_sent_to_a_joined_group_arrives_and_is_told_from_our_own() {
    let group = Ipv4Addr::new(239, 7, 7, 8);
    // Some port that is free.
    let port = server().local_addr().unwrap().port();
    let bench = Bench::new(Options {
        join: vec![format!("{group}%lo").parse().unwrap()],
        ..Options::default()
    });
    bench.dial(format!("udp://{group}:{port}"));
    let link = bench.wait_state(LinkState::Open);
    assert_eq!(link.local.unwrap().port(), port, "where the group's datagrams go");
    let other = socket2::SockRef::from(&server()).try_clone().unwrap();
    other.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
    let other = UdpSocket::from(other);
    other.send_to(b"news", (group, port)).unwrap();
    bench.wait_link("the news", |link| link.received.messages == 1);
    bench.send(b"ours");
    bench.wait_link("our own", |link| link.received.messages == 2);
    let (ours, others) = (link.local.unwrap(), other.local_addr().unwrap());
    let expected = [
        (0, format!("udp://{group}:{port}"), vec![]),
        (1, format!("udp://{others}"), vec![b"news".to_vec()]),
        (2, format!("udp://{ours}"), vec![b"ours".to_vec()]),
    ];
    assert_eq!(heard(&bench), expected);
    let known = bench.session.conversation_page(1..2).pop().unwrap();
    assert_eq!(
        known.local.unwrap().to_string(),
        format!("{group}:{port}"),
        "to whom it was sent"
    );
    assert!(
        notes(&bench)
            .last()
            .unwrap()
            .starts_with("these are your own datagrams")
    );
}

#[test]
fn joining_does_not_keep_a_single_server_from_answering() {
    let server = UdpSocket::bind("[::1]:0").unwrap();
    server.set_read_timeout(Some(BOUND)).unwrap();
    let bench = Bench::new(Options {
        join: vec!["ff02::77%lo".parse().unwrap()],
        bind: Some(sockscope::net::Bind::default()),
        ..Options::default()
    });
    bench.dial(format!("udp://{}", server.local_addr().unwrap()));
    bench.wait_state(LinkState::Open);
    bench.send(b"question");
    let (_, from) = server.recv_from(&mut [0; 64]).unwrap();
    server.send_to(b"answer", from).unwrap();
    bench.wait_link("the answer", |link| link.received.messages == 1);
    assert_eq!(heard(&bench).len(), 1, "it is the one who was asked");
}

#[test]
fn a_group_that_cannot_be_joined_is_named() {
    let check = |join: &str, expected: &str| {
        let bench = Bench::new(Options {
            join: vec![join.parse().unwrap()],
            ..Options::default()
        });
        bench.dial("udp://239.7.7.9:7");
        let reason = bench.wait_state(LinkState::Failed).reason.unwrap();
        assert_eq!(reason, format!("cannot join {join}: {expected}"));
    };
    check(
        "239.7.7.9%no-such-if",
        "there is no such interface, or none that takes part: ip link lists them",
    );
    check("ff02::77%lo", "it is of another address family than the target");
}
