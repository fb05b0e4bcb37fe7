//! The kernel's time stamps on real loopback sockets: every entry gets its own, whatever carries it, and asking for
//! them costs an idle connection nothing.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/worker.rs"]
mod worker;

use std::io::Read as _;
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;
use sockscope::capture::Session;
use sockscope::model::{
    Direction, Entry, EntryKind, LinkState, NetCommand, Records as _, Stamps, Timestamp, Timestamping,
    timeline,
};
use sockscope::net::{Options, TlsOptions};

use authority::{Authority, server};
use worker::{BOUND, Bench, peer};

fn stamping() -> Options {
    Options {
        timestamps: true,
        ..Options::default()
    }
}

/// Answers each read with the same bytes until the end.
fn echo(stream: &mut (impl std::io::Read + std::io::Write)) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        stream.write_all(&buffer[..count]).unwrap();
    }
}

/// The entries that went one way, with their stamps.
fn stamped(bench: &Bench, direction: Direction) -> Vec<(Entry, Option<Stamps>)> {
    let entries = bench.entries().into_iter();
    let wanted = entries.filter(|entry| entry.direction() == Some(direction));
    wanted
        .map(|entry| {
            let stamps = bench.session.stamps(entry.id);
            (entry, stamps)
        })
        .collect()
}

/// Waits until an entry of that direction has what is wanted.
fn wait_stamps(bench: &Bench, direction: Direction, wanted: impl Fn(&Stamps) -> bool) -> (Entry, Stamps) {
    let found = |bench: &Bench| {
        let all = stamped(bench, direction).into_iter();
        let mut all = all.filter_map(|(entry, stamps)| Some((entry, stamps?)));
        all.find(|(_, stamps)| wanted(stamps))
    };
    bench.wait("a stamp", |_| found(bench).is_some());
    found(bench).unwrap()
}

/// Whether times are all known and in this order.
fn in_order(times: &[Option<Timestamp>]) -> bool {
    times.iter().all(Option::is_some) && times.is_sorted()
}

/// Says something and waits for the answer, three times from when the kernel has begun to stamp what arrives: the
/// first packets after nobody had wanted that may be without.
fn talk(bench: &Bench, target: impl std::fmt::Display) {
    bench.dial(target);
    let link = bench.wait_link("time stamps", |link| link.timestamping == Timestamping::On);
    assert_eq!((link.state, link.sent.bytes), (LinkState::Open, 0));
    let mut answers = 0;
    let mut ask = || {
        bench.send(b"ping");
        answers += 1;
        bench.wait_link("an answer", |link| link.received.messages == answers);
    };
    let started = Instant::now();
    while stamped(bench, Direction::Received)
        .iter()
        .all(|(_, stamps)| stamps.is_none())
    {
        assert!(started.elapsed() < BOUND, "nothing that arrives is stamped");
        ask();
    }
    for _ in 0..LAST {
        ask();
    }
}

/// How many answers are looked at.
const LAST: usize = 3;

/// What holds of the last entries of such a talk over a stream.
fn check_stream(bench: &Bench) {
    let (sent, received) = (
        stamped(bench, Direction::Sent),
        stamped(bench, Direction::Received),
    );
    let pairs: Vec<_> = sent.iter().zip(&received).collect();
    for (sent, answer) in &pairs[pairs.len() - LAST..] {
        let (stamps, arrival) = (sent.1.unwrap(), answer.1.unwrap());
        let way = [
            stamps.queued,
            stamps.scheduled,
            stamps.on_wire,
            stamps.acknowledged,
            Some(answer.0.at),
        ];
        assert!(in_order(&way), "{stamps:?}, answered at {:?}", answer.0.at);
        assert!(
            in_order(&[stamps.on_wire, arrival.arrived, Some(answer.0.at)]),
            "{arrival:?}"
        );
        let line = timeline(&bench.session, &sent.0).unwrap();
        let words = [
            "queued → scheduled +",
            "acknowledged +",
            "answer arrived +",
            "read +",
        ];
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
}

#[test]
fn each_entry_of_a_stream_has_its_stamps_and_keeps_them() {
    let (address, server) = peer(|mut stream| echo(&mut stream));
    let bench = Bench::new(stamping());
    talk(&bench, address);
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    server.join().unwrap();
    check_stream(&bench);
    let said = |entry: &Entry| {
        let EntryKind::Note { text } = &entry.kind else {
            return None;
        };
        Some(text.clone())
    };
    let summary = bench.entries().iter().rev().find_map(said).unwrap();
    assert!(summary.starts_with("the kernel says: round trip "), "{summary}");
    assert!(summary.contains("0 segments retransmitted, 0 lost"), "{summary}");
    let reopened = Session::open(bench.session.path()).unwrap();
    assert!(reopened.has_stamps());
    for entry in bench.entries() {
        assert_eq!(
            reopened.stamps(entry.id),
            bench.session.stamps(entry.id),
            "{entry:?}"
        );
    }
}

#[test]
fn with_tls_the_last_record_of_an_entry_counts() {
    let root = Authority::root("root");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, root.pem()).unwrap();
    let (chain, key) = root.issue(&server(&["localhost"]));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (address, server) = peer(|stream| {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        echo(&mut StreamOwned::new(connection, stream));
    });
    let bench = Bench::new(Options {
        tls: TlsOptions {
            ca: Some(ca),
            ..TlsOptions::default()
        },
        ..stamping()
    });
    talk(&bench, format!("tls://localhost:{}", address.port()));
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    server.join().unwrap();
    check_stream(&bench);
}

#[test]
fn datagrams_were_on_the_wire_and_arrived() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(BOUND)).unwrap();
    let bench = Bench::new(stamping());
    bench.dial(format!("udp://{}", server.local_addr().unwrap()));
    bench.wait_link("time stamps", |link| link.timestamping == Timestamping::On);
    let mut buffer = [0; 16];
    for (round, text) in (1..).zip([b"one".as_slice(), b"", b"three"]) {
        if text.is_empty() {
            // One that is too large is sent by nobody; those after it have their stamps all the same.
            bench.send(&vec![0; 70_000]);
            let from = bench
                .worker
                .news
                .borrow()
                .link
                .as_ref()
                .and_then(|link| link.local);
            server.send_to(b"", from.unwrap()).unwrap();
        } else {
            bench.send(text);
            let (count, from) = server.recv_from(&mut buffer).unwrap();
            server.send_to(&buffer[..count], from).unwrap();
        }
        bench.wait_link("an answer", |link| link.received.messages == round);
    }
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    let sent = stamped(&bench, Direction::Sent);
    assert_eq!(sent.len(), 2);
    for (entry, stamps) in sent {
        let stamps = stamps.unwrap_or_else(|| panic!("{entry:?}"));
        assert!(
            in_order(&[stamps.queued, stamps.scheduled, stamps.on_wire]),
            "{stamps:?}"
        );
        assert_eq!(stamps.acknowledged, None);
    }
    for (entry, stamps) in stamped(&bench, Direction::Received) {
        assert!(stamps.is_none_or(|stamps| in_order(&[stamps.arrived, Some(entry.at)])));
    }
}

#[test]
fn they_are_switched_on_and_off_while_bytes_cross() {
    let (address, server) = peer(|mut stream| echo(&mut stream));
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    let mut answers = 0;
    let mut ask = |on: Option<bool>| {
        if let Some(on) = on {
            bench.ask(NetCommand::Timestamps(on));
        }
        bench.send(b"ping");
        answers += 1;
        bench.wait_link("an answer", |link| link.received.messages == answers);
    };
    for on in [None, Some(true), None, Some(false), Some(true), Some(true)] {
        ask(on);
    }
    bench.ask(NetCommand::Close);
    let link = bench.wait_state(LinkState::Closed);
    server.join().unwrap();
    assert_eq!(link.timestamping, Timestamping::On);
    let acknowledged = |stamps: Option<Stamps>| stamps.is_some_and(|stamps| stamps.acknowledged.is_some());
    let sent = stamped(&bench, Direction::Sent).into_iter();
    let known: Vec<bool> = sent.map(|(_, stamps)| acknowledged(stamps)).collect();
    assert_eq!(known, [false, true, true, false, true, true]);
    let received = stamped(&bench, Direction::Received);
    assert!(received[0].1.is_none() && received[3].1.is_none());
}

#[test]
fn a_unix_socket_says_that_it_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let bench = Bench::new(stamping());
    bench.dial(format!("unix:{}", path.display()));
    let link = bench.wait_link("an answer", |link| link.timestamping != Timestamping::Off);
    let why = "a Unix socket has no time stamps".to_owned();
    assert_eq!(link.timestamping, Timestamping::Refused(why));
    assert_eq!(link.state, LinkState::Open);
    drop(listener);
}

/// What the network threads of this process have used of the processors, in nanoseconds (proc(5), `schedstat`).
fn processor_time() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let used = tasks.filter_map(|task| {
        let folder = task.ok()?.path();
        let name = std::fs::read_to_string(folder.join("comm")).ok()?;
        let used = std::fs::read_to_string(folder.join("schedstat")).ok()?;
        (name.trim() == "net").then_some(())?;
        used.split(' ').next()?.parse::<u64>().ok()
    });
    used.sum()
}

/// Lets a second pass in which nothing happens, and says how much of it was used.
fn idle_second() -> Duration {
    let (_silent, nothing) = mpsc::sync_channel::<()>(1);
    let before = processor_time();
    assert!(nothing.recv_timeout(Duration::from_secs(1)).is_err());
    Duration::from_nanos(processor_time().saturating_sub(before))
}

/// A loop that spins takes all of a second, or what a busy machine leaves it.
const SPINNING: Duration = Duration::from_millis(100);

#[test]
fn waiting_with_stamps_uses_no_processor() {
    let (address, server) = peer(|mut stream| echo(&mut stream));
    let bench = Bench::new(stamping());
    talk(&bench, address);
    wait_stamps(&bench, Direction::Sent, |stamps| stamps.acknowledged.is_some());
    let used = idle_second();
    assert!(used < SPINNING, "idle, and {used:?} of a second used");
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    server.join().unwrap();
}

#[test]
fn waiting_for_a_peer_that_does_not_read_uses_no_processor_and_loses_nothing() {
    const LEN: usize = 12 << 20;
    let (read, wait) = mpsc::sync_channel::<()>(1);
    let (address, server) = peer(move |mut stream| {
        wait.recv_timeout(BOUND).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let bench = Bench::new(stamping());
    bench.dial(address);
    bench.wait_link("time stamps", |link| link.timestamping == Timestamping::On);
    let bytes: Vec<u8> = (0..LEN).map(|at| (at / 3) as u8).collect();
    bench.send(&bytes);
    // The first of it is acknowledged, and then there is no room.
    wait_stamps(&bench, Direction::Sent, |stamps| stamps.acknowledged.is_some());
    bench.wait_link("a full buffer", |link| link.unsent > 0);
    let used = idle_second();
    assert!(used < SPINNING, "stalled, and {used:?} of a second used");
    assert!(bench.worker.news.borrow().link.as_ref().unwrap().unsent > 0);
    read.send(()).unwrap();
    bench.ask(NetCommand::HalfClose);
    assert_eq!(server.join().unwrap(), bytes);
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    // One acknowledgement of megabytes may tell more at once than the kernel's queue of 128 KiB takes.
    let acknowledged = stamped(&bench, Direction::Sent).into_iter();
    let acknowledged = acknowledged.filter(|(_, stamps)| stamps.is_some_and(|s| s.acknowledged.is_some()));
    assert!(acknowledged.count() > 1);
}

#[test]
fn a_stamp_behind_the_peers_fin_is_no_reset_and_a_reset_is_one() {
    let (go, wait) = mpsc::sync_channel::<()>(1);
    let (address, server) = peer(move |mut stream: TcpStream| {
        stream.shutdown(Shutdown::Write).unwrap();
        let mut buffer = [0; 8];
        stream.read_exact(&mut buffer).unwrap();
        wait.recv_timeout(BOUND).unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let bench = Bench::new(stamping());
    bench.dial(address);
    bench.wait_state(LinkState::HalfClosed);
    bench.send(b"ping");
    bench.send(b"ping");
    wait_stamps(&bench, Direction::Sent, |stamps| stamps.acknowledged.is_some());
    bench.wait_link("both", |link| link.sent.messages == 2);
    assert_eq!(bench.kinds(), "try open peer-fin sent sent");
    go.send(()).unwrap();
    server.join().unwrap();
    let link = bench.wait_state(LinkState::Failed);
    assert!(link.reason.unwrap().contains("reset"));
    assert_eq!(bench.kinds(), "try open peer-fin sent sent note peer-rst");
}
