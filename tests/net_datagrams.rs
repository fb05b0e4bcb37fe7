//! UDP and Unix sockets on loopback: datagrams keep their boundaries, errors do not end what goes on, and it is said
//! what was lost.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/worker.rs"]
mod worker;

use std::io::{Read as _, Write as _};
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;

use sockscope::model::{Direction, EndHow, EntryKind, LinkState, NetCommand, Records as _, Side};
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
    bench.send(&vec![b'x'; 65_507]);
    let mut buffer = vec![0; 70_000];
    let (count, from) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"one");
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
        [b"one".to_vec(), vec![b'x'; 65_507]]
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
    let _datagrams = std::os::unix::net::UnixDatagram::bind(folder.path().join("datagrams")).unwrap();
    check("datagrams", "is a socket for datagrams");
}
