//! How relays end: whatever either side does, the other is told of it as what it was, and nothing that was received is
//! missing in the recording.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/relayed.rs"]
mod relayed;
#[path = "support/worker.rs"]
mod worker;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use sockscope::model::{ConnectionId, Direction, EndHow, LinkState, NetCommand, PeerCommand, Side};
use sockscope::net::{OnFull, Options};

use relayed::{
    application, bytes, end_of, pattern, read_all, reset, server, story, tap, texts, until_it_stands,
    wait_pair,
};
use worker::{BOUND, Bench};

/// Writes until nobody takes it any more; returns the bytes that the kernel has taken.
fn flood(mut stream: TcpStream) -> JoinHandle<usize> {
    thread::spawn(move || {
        let part = pattern(64 << 10, 1);
        let mut written = 0;
        while let Ok(count) = stream.write(&part) {
            written += count;
        }
        written
    })
}

/// Waits until the kernel says that a connection is broken.
fn until_broken(stream: &TcpStream) -> bool {
    let mut asked = [PollFd::new(stream.as_fd(), PollFlags::empty())];
    let most = PollTimeout::try_from(BOUND).unwrap();
    poll(&mut asked, most).unwrap();
    asked[0]
        .revents()
        .is_some_and(|told| told.contains(PollFlags::POLLERR))
}

#[test]
fn a_pair_ends_when_both_are_gone_while_bytes_wait_both_ways() {
    let (hand, take) = mpsc::sync_channel(1);
    let (target, kept) = server(1, move |stream| {
        hand.send(stream.try_clone().unwrap()).unwrap();
        stream
    });
    let bench = Bench::new(Options::default());
    let stream = application(&tap(&bench, "127.0.0.1:0", target));
    let sending = [
        flood(take.recv_timeout(BOUND).unwrap()),
        flood(stream.try_clone().unwrap()),
    ];
    until_it_stands(&bench);
    // Neither has read a byte, and each is gone before it could.
    stream.shutdown(Shutdown::Both).unwrap();
    reset(stream);
    for stream in kept.join().unwrap() {
        stream.shutdown(Shutdown::Both).unwrap();
        reset(stream);
    }
    assert_eq!(end_of(&bench, 1).how, EndHow::Rst);
    for sender in sending {
        sender.join().unwrap();
    }
    let texts = texts(&bench, 1).join("\n");
    assert_eq!(texts.matches("did not reach").count(), 2, "{texts}");
}

#[test]
fn a_reset_behind_a_fin_is_passed_on() {
    // The application gives up what it has asked for.
    let (target, told) = server(1, |mut stream| {
        let got = read_all(&mut stream);
        (got, until_broken(&stream))
    });
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    wait_pair(&bench, 1, "its FIN", |link| link.state == LinkState::HalfClosed);
    reset(stream);
    assert_eq!(told.join().unwrap(), [(b"question".to_vec(), true)]);
    assert_eq!(
        (end_of(&bench, 1).by, end_of(&bench, 1).how),
        (Side::Local, EndHow::Rst)
    );
    assert!(
        story(&bench, 1).ends_with("our-fin our-rst"),
        "{}",
        story(&bench, 1)
    );

    // The server gives up what it is told.
    let (go, wait) = mpsc::sync_channel::<()>(1);
    let wait = std::sync::Mutex::new(wait);
    let (target, server_side) = server(1, move |mut stream| {
        stream.write_all(b"hello").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        wait.lock().unwrap().recv_timeout(BOUND).unwrap();
        reset(stream);
    });
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    assert_eq!(read_all(&mut stream), b"hello");
    go.send(()).unwrap();
    assert!(until_broken(&stream));
    server_side.join().unwrap();
    assert_eq!(
        (end_of(&bench, 1).by, end_of(&bench, 1).how),
        (Side::Peer, EndHow::Rst)
    );
}

/// Sends part after part and reads all the while, until the end of what it gets. Returns what it got, and whether the end
/// was one.
fn chat(stream: TcpStream, seed: usize) -> JoinHandle<(Vec<u8>, bool)> {
    let mut writer = stream.try_clone().unwrap();
    let sending = thread::spawn(move || {
        let part = pattern(32 << 10, seed);
        while writer.write_all(&part).is_ok() {}
    });
    thread::spawn(move || {
        let (mut got, mut reader) = (Vec::new(), stream);
        let ended = reader.read_to_end(&mut got).is_ok();
        reader.shutdown(Shutdown::Both).ok();
        sending.join().unwrap();
        (got, ended)
    })
}

/// The end of a busy relay by the user: both get FIN behind all that is said to have reached them.
fn ends_in_order(end: impl Fn(&Bench)) {
    let (hand, take) = mpsc::sync_channel(1);
    let (target, accepted) = server(1, move |stream| hand.send(stream).unwrap());
    let bench = Bench::new(Options::default());
    let stream = application(&tap(&bench, "127.0.0.1:0", target));
    let sides = [chat(stream, 3), chat(take.recv_timeout(BOUND).unwrap(), 5)];
    wait_pair(&bench, 1, "bytes both ways", |link| {
        link.sent.bytes > 4 << 20 && link.received.bytes > 4 << 20
    });
    end(&bench);
    let [application, server] = sides.map(|side| side.join().unwrap());
    accepted.join().unwrap();
    let ended = end_of(&bench, 1);
    assert_eq!((ended.by, ended.how), (Side::Local, EndHow::Tap));
    let said = texts(&bench, 1).join("\n");
    // A machine that is busy otherwise may need longer than they get, which is said then.
    let late = said.contains("did not take all");
    assert!((application.1 && server.1) || late, "FIN, not RST: {said}");
    let recorded = [
        bytes(&bench, 1, Direction::Received),
        bytes(&bench, 1, Direction::Sent),
    ];
    for (got, recorded) in [&application.0, &server.0].into_iter().zip(&recorded) {
        assert!(recorded.starts_with(got), "{} of {}", got.len(), recorded.len());
    }
    let missed = recorded.iter().map(Vec::len).sum::<usize>() - application.0.len() - server.0.len();
    assert!(
        late || (missed > 0) == said.contains("did not reach"),
        "{missed}, {said}"
    );
}

#[test]
fn a_busy_relay_that_the_user_closes_ends_in_order() {
    ends_in_order(|bench| bench.ask(NetCommand::Peers(vec![ConnectionId(1)], PeerCommand::Close)));
}

#[test]
fn a_busy_relay_ends_in_order_with_the_program() {
    ends_in_order(|bench| bench.ask(NetCommand::Shutdown));
}

#[test]
fn a_side_that_never_stops_keeps_neither_the_other_nor_the_end_waiting() {
    let (hand, take) = mpsc::sync_channel(1);
    let (target, accepted) = server(1, move |stream| hand.send(stream).unwrap());
    let bench = Bench::new(Options::default());
    let stream = application(&tap(&bench, "127.0.0.1:0", target));
    let sending = flood(stream.try_clone().unwrap());
    let mut served = take.recv_timeout(BOUND).unwrap();
    let mut answers = served.try_clone().unwrap();
    let reading = thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        while served.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    wait_pair(&bench, 1, "a flood", |link| link.sent.bytes > 64 << 20);
    answers.write_all(b"stop").unwrap();
    let mut got = [0; 4];
    (&stream).read_exact(&mut got).unwrap();
    assert_eq!(&got, b"stop");
    // It does not listen.
    bench.ask(NetCommand::Peers(vec![ConnectionId(1)], PeerCommand::Close));
    wait_pair(&bench, 1, "the close", |link| link.closing.is_some());
    let ended = wait_pair(&bench, 1, "the end", |link| link.end.is_some());
    assert_eq!((ended.end.unwrap().how, ended.closing), (EndHow::Tap, None));
    sending.join().unwrap();
    reading.join().unwrap();
    accepted.join().unwrap();
}

#[test]
fn what_the_kernel_had_received_for_one_that_is_gone_is_recorded() {
    let (target, sender) = server(1, |mut stream| {
        let mut written = 0;
        while let Ok(count) = stream.write(&pattern(64 << 10, 1)) {
            written += count;
        }
        written
    });
    let bench = Bench::new(Options::default());
    let stream = application(&tap(&bench, "127.0.0.1:0", target));
    let before = until_it_stands(&bench);
    reset(stream);
    assert_eq!(end_of(&bench, 1).how, EndHow::Rst);
    sender.join().unwrap();
    // The buffer of a socket holds more than one read takes.
    let recorded = bytes(&bench, 1, Direction::Received).len() as u64;
    assert!(recorded >= before + (512 << 10), "{recorded}, {before} before");
    let texts = texts(&bench, 1).join("\n");
    assert!(texts.contains("did not reach"), "{texts}");
}

#[test]
fn what_the_file_does_not_take_is_not_passed_on() {
    const MAX_SIZE: u64 = 2 << 20;
    let (target, server_side) = server(1, |mut stream| {
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got);
        got
    });
    let options = Options {
        on_full: OnFull::Pause,
        ..Options::default()
    };
    let bench = Bench::limited(options, Some(MAX_SIZE));
    let stream = application(&tap(&bench, "127.0.0.1:0", target));
    let sending = flood(stream.try_clone().unwrap());
    bench.wait("a full file", |news| {
        matches!(news.recorder, sockscope::model::RecorderState::Paused { .. })
    });
    // Whoever waited no longer than that would see what was passed on too early.
    thread::sleep(Duration::from_millis(100));
    bench.ask(NetCommand::Shutdown);
    let got = server_side.join().unwrap().remove(0);
    stream.shutdown(Shutdown::Both).ok();
    drop(stream);
    sending.join().unwrap();
    let recorded = bytes(&bench, 1, Direction::Sent);
    assert!(
        recorded.len() > 1 << 20 && recorded.starts_with(&got),
        "{} got, {}",
        got.len(),
        recorded.len()
    );
}

#[test]
fn an_empty_datagram_has_no_place_in_a_stream() {
    let (target, server_side) = server(1, |mut stream| {
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(b"world").unwrap();
        got
    });
    let bench = Bench::new(Options::default());
    let address = tap(&bench, "udp://127.0.0.1:0", target);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket.connect(address.trim_start_matches("udp://")).unwrap();
    socket.send(b"").unwrap();
    socket.send(b"hello").unwrap();
    let mut answer = [0; 100];
    let count = socket.recv(&mut answer).unwrap();
    assert_eq!(&answer[..count], b"world");
    assert_eq!(server_side.join().unwrap(), [*b"hello"]);
    assert_eq!(bytes(&bench, 1, Direction::Sent), b"hello");
    let texts = texts(&bench, 1).join("\n");
    assert!(texts.contains("sent an empty datagram"), "{texts}");
}
