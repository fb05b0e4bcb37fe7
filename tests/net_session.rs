//! The network worker against scripted peers on real loopback sockets: what crosses is recorded, in order, whoever
//! ends it and however.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/worker.rs"]
mod worker;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{MsgFlags, send};
use sha2::{Digest as _, Sha256};
use socket2::SockRef;
use sockscope::capture::{Create, Existing, Recorder};
use sockscope::model::{
    Closing, Direction, EndHow, Entry, EntryKind, LinkState, NetCommand, NetEvent, Phase, RecorderState,
    Side, Waterfall,
};
use sockscope::net::{Bind, OnFull, Options};

use worker::{BOUND, Bench, peer};

fn read_all(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Waits until the peer's kernel has acknowledged everything: `tx_queue` of proc(5), /proc/net/tcp.
fn until_acknowledged(stream: &TcpStream) {
    let port = |address: SocketAddr| format!(":{:04X}", address.port());
    let (local, remote) = (
        port(stream.local_addr().unwrap()),
        port(stream.peer_addr().unwrap()),
    );
    let started = std::time::Instant::now();
    while started.elapsed() < BOUND {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut lines = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ours = lines
            .find(|fields| fields.len() > 4 && fields[1].ends_with(&local) && fields[2].ends_with(&remote));
        if ours.is_some_and(|fields| fields[4].starts_with("00000000:")) {
            return;
        }
        thread::yield_now();
    }
    panic!("the peer did not take everything");
}

fn pattern(len: usize, seed: u64) -> Vec<u8> {
    let mut x = seed | 1;
    let step = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x as u8
    };
    std::iter::repeat_with(step).take(len).collect()
}

#[test]
fn what_is_typed_comes_back_from_a_tutorial_server() {
    let (address, server) = peer(|mut stream| {
        let mut buffer = [0; 1024];
        let count = stream.read(&mut buffer).unwrap();
        stream.write_all(&buffer[..count]).unwrap();
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    bench.send(b"Hello, server!\n");
    let link = bench.wait_state(LinkState::HalfClosed);
    server.join().unwrap();
    assert_eq!(link.first_fin, Some(Side::Peer));
    assert_eq!((link.sent.bytes, link.received.bytes), (15, 15));
    bench.ask(NetCommand::Close);
    let link = bench.wait_state(LinkState::Closed);
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Peer, EndHow::Fin))
    );
    assert_eq!(bench.kinds(), "try open sent received peer-fin close-our-fin");
    assert_eq!(bench.bytes(Direction::Received), b"Hello, server!\n");
}

#[test]
fn the_waterfall_of_a_dial_is_the_same_in_its_recording() {
    let (address, server) = peer(|mut stream| {
        let mut buffer = [0; 4];
        stream.read_exact(&mut buffer).unwrap();
        stream.write_all(b"pong").unwrap();
        drop(read_all(&stream));
    });
    let bench = Bench::new(Options::default());
    bench.dial(format!("localhost:{}", address.port()));
    bench.wait_state(LinkState::Open);
    bench.send(b"ping");
    let link = bench.wait_link("the answer", |link| link.received.bytes == 4);
    let told = |phases: Vec<Phase>| -> Vec<_> {
        let words = phases.iter().map(|phase| (phase.label(), phase.result()));
        words.collect()
    };
    let live = told(link.phases());
    let labels: Vec<&str> = live.iter().map(|(label, _)| *label).collect();
    let count = |wanted| labels.iter().filter(|label| **label == wanted).count();
    assert_eq!(count("lookup AAAA") + count("lookup A"), 2, "{live:?}");
    let connected = ("connect", format!("{address} connected"));
    assert!(live.contains(&connected), "{live:?}");
    assert_eq!(labels.last(), Some(&"first byte"));
    let opening = bench.entries().into_iter();
    let mut opening = opening.filter(|entry| matches!(entry.kind, EntryKind::Open { .. }));
    let kept = Waterfall::ending_with(&bench.session, &opening.next().unwrap()).unwrap();
    let sorted = |mut told: Vec<(&'static str, String)>| {
        told.sort();
        told
    };
    // An answer that came after the opening is in no entry.
    let awaited = |(_, result): &(&str, String)| result == "not waited for";
    let live: Vec<_> = live.into_iter().filter(|told| !awaited(told)).collect();
    assert_eq!(sorted(told(kept)), sorted(live));
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    server.join().unwrap();
}

#[test]
fn what_finds_no_connection_is_counted_as_refused() {
    let (address, server) = peer(|stream| drop(read_all(&stream)));
    let bench = Bench::new(Options::default());
    bench.send(b"too early");
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    bench.send(b"in time");
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    bench.send(b"too late");
    let news = bench.wait("three sends", |news| news.sends.handled == 3);
    assert_eq!(news.sends.refused, 2);
    server.join().unwrap();
    assert_eq!(bench.bytes(Direction::Sent), b"in time");
}

#[test]
fn our_half_close_leaves_the_reply_whole() {
    let (address, server) = peer(|mut stream| {
        let request = read_all(&stream);
        stream.write_all(&pattern(300_000, 7)).unwrap();
        request
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    bench.send(b"request");
    bench.ask(NetCommand::HalfClose);
    let link = bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"request");
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Local, EndHow::Fin))
    );
    assert_eq!(bench.bytes(Direction::Received), pattern(300_000, 7));
    assert!(
        bench.kinds().starts_with("try open sent our-fin received"),
        "{}",
        bench.kinds()
    );
    assert!(bench.kinds().ends_with("close-peer-fin"), "{}", bench.kinds());
}

#[test]
fn after_the_peers_fin_we_can_still_send() {
    let (address, server) = peer(|stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&stream)
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::HalfClosed);
    bench.send(b"still here");
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"still here");
    assert_eq!(bench.kinds(), "try open peer-fin sent close-our-fin");
}

#[test]
fn urgent_data_stands_where_it_was_sent() {
    let (address, server) = peer(|mut stream| {
        for piece in [&b"before "[..], b"URGENT", b" after"] {
            if piece == b"URGENT" {
                send(stream.as_raw_fd(), piece, MsgFlags::MSG_OOB).unwrap();
            } else {
                stream.write_all(piece).unwrap();
            }
        }
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::HalfClosed);
    server.join().unwrap();
    assert_eq!(bench.bytes(Direction::Received), b"before URGENT after");
}

#[test]
fn the_end_of_the_program_tells_the_peers_fin_only_once() {
    let (address, thread) = peer(|stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&stream)
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::HalfClosed);
    bench.ask(NetCommand::Shutdown);
    assert!(bench.ends());
    assert_eq!(thread.join().unwrap(), b"");
    assert_eq!(bench.kinds(), "try open peer-fin close-our-fin");
}

#[test]
fn nothing_received_is_lost_when_the_peer_closes_while_we_upload() {
    for round in 0..100 {
        let (address, server) = peer(move |mut stream| {
            stream.write_all(&pattern(2_000_000, round)).unwrap();
            // What this kernel still holds is thrown away by the RST below; what reached ours must not be.
            until_acknowledged(&stream);
            // Closing with unread bytes makes the kernel send RST behind the data.
        });
        let bench = Bench::new(Options::default());
        bench.dial(address);
        bench.wait_state(LinkState::Open);
        bench.send(&pattern(4_000_000, 99));
        let link = bench.wait_link("the end", |link| link.end.is_some() || link.first_fin.is_some());
        server.join().unwrap();
        if link.end.is_none() {
            bench.ask(NetCommand::Close);
            bench.wait_link("the end", |link| link.end.is_some());
        }
        let received = bench.bytes(Direction::Received);
        assert_eq!(received.len(), 2_000_000, "round {round}: {}", bench.kinds());
        assert_eq!(received, pattern(2_000_000, round));
    }
}

#[test]
fn a_reset_is_named_and_what_came_before_it_is_kept() {
    let (address, server) = peer(|mut stream| {
        stream.write_all(b"last words").unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_link("the words", |link| link.received.bytes == 10);
    bench.send(b"x");
    let link = bench.wait_state(LinkState::Failed);
    server.join().unwrap();
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Peer, EndHow::Rst))
    );
    assert!(link.reason.unwrap().contains("reset the connection"));
    assert_eq!(bench.kinds(), "try open received sent peer-rst");
}

#[test]
fn our_reset_reaches_the_peer() {
    let (address, server) = peer(|mut stream| stream.read(&mut [0; 16]).unwrap_err().kind());
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    bench.ask(NetCommand::Reset);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(bench.kinds(), "try open our-rst");
}

#[test]
fn a_peer_that_does_not_read_stops_nothing_else() {
    let (go, gone) = std::sync::mpsc::sync_channel::<()>(0);
    let (address, server) = peer(move |mut stream| {
        // Speaks, and never reads, until the test is over.
        stream.write_all(b"I do not read").unwrap();
        let _ = gone.recv();
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    bench.send(&pattern(15_000_000, 3));
    let link = bench.wait_link("reading goes on", |link| {
        link.received.bytes == 13 && link.unsent > 0
    });
    assert!(link.unsent > 0 && link.unsent < 15_000_000, "{}", link.unsent);
    bench.send(&pattern(15_000_000, 3));
    bench.ask(NetCommand::Reset);
    bench.wait_state(LinkState::Closed);
    let notes = bench
        .entries()
        .into_iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Note { .. }));
    assert_eq!(
        notes.count(),
        2,
        "what was refused and what was dropped is said: {}",
        bench.kinds()
    );
    drop(go);
    server.join().unwrap();
}

#[test]
fn both_directions_are_exact_at_full_speed() {
    const LEN: usize = 16 << 20;
    let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let (address, server) = peer(|stream| {
        let mut writer = stream.try_clone().unwrap();
        let sender = thread::spawn(move || {
            writer.write_all(&pattern(LEN, 1)).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let bytes = read_all(&stream);
        sender.join().unwrap();
        bytes
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    bench.send(&pattern(LEN, 2));
    bench.ask(NetCommand::HalfClose);
    bench.wait_state(LinkState::Closed);
    assert_eq!(digest(&server.join().unwrap()), digest(&pattern(LEN, 2)));
    assert_eq!(
        digest(&bench.bytes(Direction::Received)),
        digest(&pattern(LEN, 1))
    );
    assert_eq!(digest(&bench.bytes(Direction::Sent)), digest(&pattern(LEN, 2)));
}

#[test]
fn a_read_returns_no_more_than_asked() {
    let (address, server) = peer(|mut stream| stream.write_all(b"abcde").unwrap());
    let bench = Bench::new(Options {
        read_size: 2,
        ..Options::default()
    });
    bench.dial(address);
    bench.wait_state(LinkState::HalfClosed);
    server.join().unwrap();
    let lens: Vec<u32> = bench
        .entries()
        .iter()
        .filter(|e| e.direction().is_some())
        .map(|e| e.len)
        .collect();
    assert_eq!(lens.iter().sum::<u32>(), 5);
    assert!(lens.iter().all(|len| *len <= 2));
}

#[test]
fn a_request_stands_before_its_reply() {
    let (address, server) = peer(|mut stream| {
        let mut byte = [0];
        while stream.read(&mut byte).unwrap() > 0 {
            stream.write_all(&byte).unwrap();
        }
    });
    let bench = Bench::new(Options::default());
    bench.dial(address);
    bench.wait_state(LinkState::Open);
    for n in 1..=200u64 {
        bench.send(b"?");
        bench.wait_link("the reply", |link| link.received.bytes == n);
    }
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    server.join().unwrap();
    let expected = format!("try open{} our-fin close-peer-fin", " sent received".repeat(200));
    assert_eq!(bench.kinds(), expected);
}

#[test]
fn a_refused_connection_is_named() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = Bench::new(Options::default());
    bench.dial(address);
    let link = bench.wait_state(LinkState::Failed);
    assert!(link.reason.unwrap().contains("refused the connection"));
    assert_eq!(bench.kinds(), "try failed error");
}

#[test]
fn a_silent_host_ends_in_our_time_out() {
    // A listener whose backlog is full answers no SYN.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into())
        .unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let _fill = TcpStream::connect(address).unwrap();
    let bench = Bench::new(Options {
        connect_timeout: Duration::from_millis(300),
        ..Options::default()
    });
    bench.dial(address);
    let link = bench.wait_state(LinkState::Failed);
    assert!(link.reason.unwrap().contains("--connect-timeout"));
    assert_eq!(link.end.map(|end| end.how), Some(EndHow::Timeout));
    assert_eq!(bench.kinds(), "try timed-out error");
}

#[test]
fn a_name_tries_every_address_and_the_living_one_wins() {
    // Listens on IPv4 only, so that localhost's IPv6 address, where there is one, refuses first.
    let (address, server) = peer(|stream| drop(read_all(&stream)));
    let bench = Bench::new(Options::default());
    bench.ask(NetCommand::Connect(
        format!("localhost:{}", address.port()).parse().unwrap(),
    ));
    let link = bench.wait_state(LinkState::Open);
    assert_eq!(link.remote, Some(address));
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    server.join().unwrap();
    // The answer for the other family may come too late to be waited for (RFC 8305 section 3): one or two.
    assert!(bench.kinds().starts_with("lookup "), "{}", bench.kinds());
    assert!(bench.kinds().contains(" try open "), "{}", bench.kinds());
}

#[test]
fn an_unknown_name_and_a_wrong_family_are_named() {
    let bench = Bench::new(Options::default());
    bench.ask(NetCommand::Connect("nowhere.invalid:80".parse().unwrap()));
    assert!(
        bench
            .wait_state(LinkState::Failed)
            .reason
            .unwrap()
            .contains("nowhere.invalid")
    );
    let bench = Bench::new(Options {
        family: Some(sockscope::model::Family::V6),
        ..Options::default()
    });
    bench.ask(NetCommand::Connect("127.0.0.1:80".parse().unwrap()));
    assert!(
        bench
            .wait_state(LinkState::Failed)
            .reason
            .unwrap()
            .contains("-6 asks for IPv6 only")
    );
}

#[test]
fn the_local_end_can_be_chosen() {
    let (address, server) = peer(|stream| stream.peer_addr().unwrap());
    let bind = Bind {
        ip: Some("127.0.0.2".parse().unwrap()),
        port: 0,
    };
    let bench = Bench::new(Options {
        bind: Some(bind),
        ..Options::default()
    });
    bench.dial(address);
    bench.wait_state(LinkState::HalfClosed);
    assert_eq!(server.join().unwrap().ip(), bind.ip.unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _holder = TcpListener::bind(taken).unwrap();
    let bind = Bind {
        ip: Some(taken.ip()),
        port: taken.port(),
    };
    let bench = Bench::new(Options {
        bind: Some(bind),
        ..Options::default()
    });
    bench.dial(address);
    let reason = bench.wait_state(LinkState::Failed).reason.unwrap();
    assert!(reason.contains("is in use: choose another --bind"), "{reason}");
}

#[test]
fn silence_ends_an_idle_connection() {
    let (address, server) = peer(|stream| read_all(&stream));
    let bench = Bench::new(Options {
        idle_timeout: Some(Duration::from_millis(100)),
        ..Options::default()
    });
    bench.dial(address);
    let link = bench.wait_state(LinkState::Failed);
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Local, EndHow::Timeout))
    );
    assert!(link.reason.unwrap().contains("--idle-timeout"));
    drop(bench);
    server.join().unwrap();
}

#[test]
fn a_lost_connection_is_dialed_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let bench = Bench::new(Options {
        reconnect: true,
        ..Options::default()
    });
    bench.dial(address);
    drop(listener.accept().unwrap());
    let waiting = bench.wait_state(LinkState::Waiting);
    assert!(waiting.retry_at.is_some());
    let (second, _) = listener.accept().unwrap();
    let link = bench.wait_link("open again", |link| {
        link.state == LinkState::Open && link.id.0 == 1
    });
    assert_eq!(link.round, 2);
    bench.ask(NetCommand::Close);
    drop(second);
    bench.wait_link("closed for good", |link| {
        link.state == LinkState::Closed && link.id.0 == 1
    });
}

#[test]
fn waiting_can_be_given_up() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = Bench::new(Options {
        reconnect: true,
        ..Options::default()
    });
    bench.dial(address);
    bench.wait_state(LinkState::Waiting);
    bench.ask(NetCommand::Cancel);
    let link = bench.wait_link("given up", |link| {
        link.state != LinkState::Waiting && link.retry_at.is_none()
    });
    assert_eq!(link.id.0, 0);
}

#[test]
fn another_target_can_be_dialed_from_inside() {
    let (first, one) = peer(|stream| read_all(&stream));
    let (second, two) = peer(|stream| read_all(&stream));
    let bench = Bench::new(Options::default());
    bench.dial(first);
    bench.wait_state(LinkState::Open);
    bench.send(b"one");
    bench.dial(second);
    bench.wait_link("the second", |link| {
        link.state == LinkState::Open && link.id.0 == 1
    });
    bench.send(b"two");
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    assert_eq!(
        (one.join().unwrap(), two.join().unwrap()),
        (b"one".to_vec(), b"two".to_vec())
    );
}

#[test]
fn a_full_file_pauses_reading_and_loses_nothing() {
    let (address, server) = peer(|mut stream| {
        let _ = stream.write_all(&pattern(400_000, 5));
    });
    let bench = Bench::limited(Options::default(), Some(150_000));
    bench.dial(address);
    let news = bench.wait("the pause", |news| {
        matches!(news.recorder, RecorderState::Paused { .. })
    });
    let RecorderState::Paused { reason, .. } = news.recorder else {
        panic!("paused")
    };
    assert!(reason.contains("--max-size"), "{reason}");
    let recorded = bench.bytes(Direction::Received);
    assert_eq!(
        recorded,
        pattern(400_000, 5)[..recorded.len()],
        "the file ends at a whole entry"
    );
    bench.ask(NetCommand::Reset);
    // The peer is told at once, though the file still takes nothing.
    server.join().unwrap();
    bench.wait_state(LinkState::Closed);
}

#[test]
fn a_full_file_can_be_ignored_or_end_the_connection() {
    let (address, server) = peer(|mut stream| stream.write_all(&pattern(400_000, 5)).unwrap());
    let bench = Bench::limited(
        Options {
            on_full: OnFull::Continue,
            ..Options::default()
        },
        Some(150_000),
    );
    bench.dial(address);
    let news = bench.wait("everything crossed", |news| {
        news.link
            .as_ref()
            .is_some_and(|link| link.received.bytes == 400_000)
    });
    server.join().unwrap();
    let RecorderState::Losing { bytes, .. } = news.recorder else {
        panic!("losing")
    };
    let recorded = bench.bytes(Direction::Received).len() as u64;
    assert_eq!(bytes + recorded, 400_000);
    bench.ask(NetCommand::Close);
    bench.wait_link("the end", |link| link.end.is_some());
    let missing = || -> u64 {
        let gap = |entry: Entry| {
            let EntryKind::Gap { bytes, .. } = entry.kind else {
                return 0;
            };
            bytes
        };
        bench.entries().into_iter().map(gap).sum()
    };
    bench.wait("what is missing is written down", |_| {
        recorded + missing() == 400_000
    });
    let kinds = bench.kinds();
    let (gap, fin) = (kinds.rfind("gap"), kinds.find("fin"));
    assert!(
        gap < fin,
        "what is missing stands before what came after it: {kinds}"
    );

    let (address, server) = peer(|mut stream| drop(stream.write_all(&pattern(4_000_000, 5))));
    let bench = Bench::limited(
        Options {
            on_full: OnFull::Stop,
            ..Options::default()
        },
        Some(150_000),
    );
    bench.dial(address);
    let link = bench.wait_state(LinkState::Failed);
    assert!(link.reason.unwrap().contains("--max-size"));
    // The connection is over for the peer too.
    server.join().unwrap();
}

/// The size of a file in which nothing is recorded yet: a bound at which no connection can be announced.
fn empty() -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&Create {
        path: folder.path().join("empty"),
        existing: Existing::Refuse,
        max_size: None,
    });
    recorder.unwrap().size()
}

#[test]
fn a_file_that_is_full_before_dialing_does_what_was_asked_for() {
    let with = |on_full| {
        let options = Options {
            on_full,
            reconnect: true,
            ..Options::default()
        };
        Bench::limited(options, Some(empty()))
    };
    let (address, server) = peer(|mut stream| stream.write_all(&pattern(400_000, 5)).unwrap());

    // A bound stays: there is nothing to wait for.
    for on_full in [OnFull::Stop, OnFull::Pause] {
        let bench = with(on_full);
        bench.dial(address);
        let link = bench.wait_state(LinkState::Failed);
        assert!(link.given_up, "{link:?}");
        assert!(link.reason.unwrap().contains("--max-size"));
        bench.wait("what is wrong with the recording", |news| {
            matches!(news.recorder, RecorderState::Stopped { .. })
        });
    }

    let bench = with(OnFull::Continue);
    bench.dial(address);
    let news = bench.wait("everything crossed", |news| {
        let received = news.link.as_ref().map(|link| link.received.bytes);
        received == Some(400_000)
    });
    assert!(
        matches!(news.recorder, RecorderState::Losing { bytes: 400_000, .. }),
        "{:?}",
        news.recorder
    );
    // What was lost stays said when the next connection begins.
    bench.wait_link("the next round", |link| link.round > 1);
    let lost = |news: &NetEvent| matches!(news.recorder, RecorderState::Losing { bytes: 400_000, .. });
    assert!(lost(&bench.worker.news.borrow()));
    server.join().unwrap();
}

#[test]
fn a_connection_that_a_full_file_has_ended_is_not_dialed_again() {
    let (address, server) = peer(|mut stream| drop(stream.write_all(&pattern(4_000_000, 5))));
    let options = Options {
        on_full: OnFull::Stop,
        reconnect: true,
        ..Options::default()
    };
    let bench = Bench::limited(options, Some(150_000));
    bench.dial(address);
    let link = bench.wait_link("the end", |link| link.given_up);
    assert_eq!(link.state, LinkState::Failed);
    server.join().unwrap();
}

#[test]
fn leaving_while_recording_is_paused_tells_what_is_missing() {
    let (address, server) = peer(|mut stream| {
        let _ = stream.write_all(&pattern(400_000, 5));
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let bench = Bench::limited(Options::default(), Some(150_000));
    bench.dial(address);
    bench.wait("the pause", |news| {
        matches!(news.recorder, RecorderState::Paused { .. })
    });
    bench.ask(NetCommand::Shutdown);
    assert!(bench.ends());
    let news = bench.worker.news.borrow().clone();
    let received = news.link.unwrap().received.bytes;
    let recorded = bench.bytes(Direction::Received).len() as u64;
    let RecorderState::Losing { reason, bytes } = news.recorder else {
        panic!("{:?}", news.recorder)
    };
    assert!(reason.contains("--max-size"), "{reason}");
    assert!(bytes > 0);
    assert_eq!(bytes, received - recorded);
    server.join().unwrap();
}

/// A peer that sends a line every now and then until it is cut off.
fn chatty() -> (SocketAddr, JoinHandle<()>) {
    peer(|mut stream| {
        while stream.write_all(b"tick\n").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    })
}

#[test]
fn a_peer_that_never_stops_cannot_keep_us_from_going_elsewhere() {
    let (from, chatty) = chatty();
    let (to, next) = peer(|mut stream| stream.read_to_end(&mut Vec::new()).map(drop));
    let bench = Bench::new(Options::default());
    bench.dial(from);
    bench.wait_state(LinkState::Open);
    bench.dial(to);
    let link = bench.wait_link("the close", |link| link.closing.is_some());
    assert_eq!(link.closing, Some(Closing::Dial(to.to_string().parse().unwrap())));
    bench.wait_link("the other target", |link| {
        link.state == LinkState::Open && link.remote == Some(to)
    });
    chatty.join().unwrap();
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    next.join().unwrap().unwrap();
}

#[test]
fn a_reset_hurries_a_pending_dial() {
    let (from, chatty) = chatty();
    let (to, next) = peer(|mut stream| stream.read_to_end(&mut Vec::new()).map(drop));
    let bench = Bench::new(Options::default());
    bench.dial(from);
    bench.wait_state(LinkState::Open);
    bench.dial(to);
    bench.ask(NetCommand::Reset);
    bench.wait_link("the other target", |link| {
        link.state == LinkState::Open && link.remote == Some(to)
    });
    assert!(bench.kinds().contains("our-rst"), "{}", bench.kinds());
    chatty.join().unwrap();
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    next.join().unwrap().unwrap();
}
