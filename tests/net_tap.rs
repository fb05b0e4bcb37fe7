//! Relaying between an application and its server over real sockets: exact in bytes, order and ends (P10 to P13).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/relayed.rs"]
mod relayed;
#[path = "support/worker.rs"]
mod worker;

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sockscope::model::{
    ConnectionId, Direction, EndHow, Ending, LinkState, NetCommand, Outgoing, PeerCommand, Recording,
    Records as _, Role, Side,
};
use sockscope::net::Options;

use relayed::{
    application, bytes, end_of, is_reset, pattern, read_all, reset, server, story, tap, texts,
    until_it_stands, wait_pair,
};
use worker::{BOUND, Bench};

#[test]
fn both_directions_are_exact_at_once() {
    const BYTES: usize = 12 << 20;
    let (target, server) = server(1, |mut stream| {
        let mut writer = stream.try_clone().unwrap();
        let sending = thread::spawn(move || {
            for part in pattern(BYTES, 5).chunks(77_777) {
                writer.write_all(part).unwrap();
            }
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let got = read_all(&mut stream);
        sending.join().unwrap();
        got
    });
    let bench = Bench::new(Options::default());
    let address = tap(&bench, "127.0.0.1:0", target);
    let mut stream = application(&address);
    let mut writer = stream.try_clone().unwrap();
    let sending = thread::spawn(move || {
        for part in pattern(BYTES, 9).chunks(33_333) {
            writer.write_all(part).unwrap();
        }
        writer.shutdown(Shutdown::Write).unwrap();
    });
    assert!(
        read_all(&mut stream) == pattern(BYTES, 5),
        "what the application got"
    );
    sending.join().unwrap();
    assert!(
        server.join().unwrap() == [pattern(BYTES, 9)],
        "what the server got"
    );
    assert_eq!(end_of(&bench, 1).how, EndHow::Fin);
    assert!(
        bytes(&bench, 1, Direction::Sent) == pattern(BYTES, 9),
        "what is recorded"
    );
    assert!(
        bytes(&bench, 1, Direction::Received) == pattern(BYTES, 5),
        "what is recorded"
    );
    assert_eq!(bench.session.role(ConnectionId(1)), Role::Tap);
}

#[test]
fn either_side_may_finish_first_and_still_gets_the_answer() {
    // A second and a half is what others get wrong: they end when one direction has.
    for delay in [Duration::ZERO, Duration::from_millis(1500)] {
        let (target, first) = server(1, move |mut stream| {
            let asked = read_all(&mut stream);
            thread::sleep(delay);
            stream.write_all(&pattern(300_000, 1)).unwrap();
            asked
        });
        let bench = Bench::new(Options::default());
        let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
        stream.write_all(b"question").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(
            read_all(&mut stream) == pattern(300_000, 1),
            "the application asks"
        );
        assert_eq!(first.join().unwrap(), [b"question"]);
        let end = end_of(&bench, 1);
        assert_eq!((end.by, end.how), (Side::Local, EndHow::Fin), "who began it");
        assert!(
            story(&bench, 1).starts_with("open sent our-fin received"),
            "{}",
            story(&bench, 1)
        );
        assert!(story(&bench, 1).ends_with("received close-peer-fin"));

        let (target, second) = server(1, move |mut stream| {
            stream.write_all(b"question").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            read_all(&mut stream)
        });
        let bench = Bench::new(Options::default());
        let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
        assert_eq!(read_all(&mut stream), b"question");
        thread::sleep(delay);
        stream.write_all(&pattern(300_000, 2)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(second.join().unwrap() == [pattern(300_000, 2)], "the server asks");
        assert_eq!(end_of(&bench, 1).by, Side::Peer);
        assert!(story(&bench, 1).ends_with("sent close-our-fin"));
    }
}

#[test]
fn a_reset_arrives_as_a_reset_behind_everything_sent_before() {
    // The server resets.
    let (go, gone) = mpsc::sync_channel::<()>(1);
    let (target, server_side) = server(1, move |mut stream| {
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).unwrap();
        stream.write_all(&pattern(100_000, 1)).unwrap();
        gone.recv().unwrap();
        reset(stream);
    });
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    stream.write_all(b"question").unwrap();
    // What it has written is taken, or the reset would drop it at once.
    wait_pair(&bench, 1, "the answer", |link| link.received.bytes == 100_000);
    go.send(()).unwrap();
    server_side.join().unwrap();
    let mut got = Vec::new();
    let ended = stream.read_to_end(&mut got);
    assert!(is_reset(ended), "the application sees a reset");
    assert!(got == pattern(100_000, 1), "{} of 100,000 bytes", got.len());
    assert_eq!(
        (end_of(&bench, 1).by, end_of(&bench, 1).how),
        (Side::Peer, EndHow::Rst)
    );
    assert!(
        story(&bench, 1).ends_with("received peer-rst"),
        "{}",
        story(&bench, 1)
    );

    // The application resets.
    let (target, server_side) = server(1, |mut stream| {
        let mut got = Vec::new();
        let ended = stream.read_to_end(&mut got);
        (got, is_reset(ended))
    });
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    stream.write_all(b"question").unwrap();
    wait_pair(&bench, 1, "the question", |link| link.sent.bytes == 8);
    reset(stream);
    assert_eq!(server_side.join().unwrap(), [(b"question".to_vec(), true)]);
    assert_eq!(
        (end_of(&bench, 1).by, end_of(&bench, 1).how),
        (Side::Local, EndHow::Rst)
    );
    assert_eq!(story(&bench, 1), "open sent our-rst");
}

/// An application that has not read a long answer whose server was reset behind it, which is in the tap's log.
fn unread(bench: &Bench, answer: &[u8]) -> TcpStream {
    let sent = answer.to_vec();
    let (target, server_side) = server(1, move |mut stream| {
        stream.write_all(&sent).unwrap();
        stream
    });
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // Most of it stays on the way, which a reset would throw away.
    socket.set_recv_buffer_size(4096).unwrap();
    let address: SocketAddr = tap(bench, "127.0.0.1:0", target).parse().unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    wait_pair(bench, 1, "the answer", |link| {
        link.received.bytes == answer.len() as u64
    });
    server_side.join().unwrap().into_iter().for_each(reset);
    socket.into()
}

#[test]
fn a_reset_waits_for_a_reader_that_is_slow() {
    let answer = pattern(300_000, 1);
    let bench = Bench::new(Options::default());
    let mut stream = unread(&bench, &answer);
    let mut got = Vec::new();
    let ended = stream.read_to_end(&mut got);
    assert!(got == answer, "{} of {} bytes", got.len(), answer.len());
    assert!(is_reset(ended), "the application sees a reset");
    let end = end_of(&bench, 1);
    assert_eq!((end.by, end.how), (Side::Peer, EndHow::Rst));
}

#[test]
fn a_reset_does_not_wait_for_a_reader_that_is_gone() {
    let bench = Bench::new(Options::default());
    let stream = unread(&bench, &pattern(300_000, 1));
    let said = |bench: &Bench| {
        texts(bench, 1)
            .iter()
            .any(|text| text.contains("has not taken yet"))
    };
    bench.wait("it is said what is waited for", |_| said(&bench));
    drop(stream);
    let end = end_of(&bench, 1);
    assert_eq!((end.by, end.how), (Side::Peer, EndHow::Rst));
}

/// Waits until the peer's kernel has acknowledged everything.
fn until_acknowledged(stream: &TcpStream) {
    let started = std::time::Instant::now();
    let on_its_way = || {
        let text = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let port = |address: SocketAddr| format!(":{:04X}", address.port());
        let ends = [stream.local_addr(), stream.peer_addr()].map(|end| port(end.unwrap()));
        // proc(5): local and remote address, state, tx_queue:rx_queue.
        text.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.len() > 4
                && fields[1].ends_with(&ends[0])
                && fields[2].ends_with(&ends[1])
                && !fields[4].starts_with("00000000:")
        })
    };
    while on_its_way() {
        assert!(started.elapsed() < BOUND, "the peer did not take everything");
        thread::yield_now();
    }
}

#[test]
fn nothing_is_lost_when_the_server_closes_while_the_application_uploads() {
    const BYTES: usize = 2_000_000;
    for round in 0..20 {
        let (target, server_side) = server(1, move |mut stream| {
            stream.write_all(&pattern(BYTES, round)).unwrap();
            // What this kernel still holds is thrown away by the RST that closing with unread bytes makes.
            until_acknowledged(&stream);
        });
        let bench = Bench::new(Options::default());
        let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
        let mut writer = stream.try_clone().unwrap();
        // It fails in the middle.
        let uploading = thread::spawn(move || drop(writer.write_all(&pattern(8_000_000, 99))));
        let mut got = Vec::new();
        let ended = stream.read_to_end(&mut got);
        assert!(
            got == pattern(BYTES, round),
            "round {round}: {} bytes, {ended:?}",
            got.len()
        );
        server_side.join().unwrap();
        uploading.join().unwrap();
        drop(stream);
        assert_eq!(end_of(&bench, 1).how, EndHow::Rst, "round {round}");
        assert!(bytes(&bench, 1, Direction::Received) == pattern(BYTES, round));
    }
}

#[test]
fn a_reset_after_the_end_is_passed_on_too() {
    // The server says all it has to say and is gone; the application only notices when it goes on.
    let (target, server_side) = server(1, |mut stream| stream.write_all(b"bye").unwrap());
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    assert_eq!(read_all(&mut stream), b"bye");
    server_side.join().unwrap();
    let goes_on = pattern(64 << 10, 1);
    stream.set_write_timeout(Some(BOUND)).unwrap();
    let error = loop {
        if let Err(error) = stream.write_all(&goes_on) {
            break error;
        }
    };
    assert!(
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
        ),
        "{error}"
    );
    let end = end_of(&bench, 1);
    assert_eq!((end.by, end.how), (Side::Peer, EndHow::Rst));
    assert!(bytes(&bench, 1, Direction::Sent).len() >= 64 << 10);
}

#[test]
fn a_reader_that_does_not_read_slows_the_sender_and_gets_everything() {
    const BYTES: usize = 24 << 20;
    let (target, sender) = server(1, |mut stream| stream.write_all(&pattern(BYTES, 3)).unwrap());
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    let before = until_it_stands(&bench);
    assert!(
        before < BYTES as u64,
        "{before} bytes were taken from the server and kept"
    );
    assert!(
        read_all(&mut stream) == pattern(BYTES, 3),
        "what the application got"
    );
    sender.join().unwrap();
}

#[test]
fn what_a_side_is_told_that_is_gone_is_kept_and_said() {
    // The application goes away in the middle of an answer.
    let (target, sender) = server(1, |mut stream| {
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).unwrap();
        let mut written = 0u64;
        for part in pattern(64 << 20, 3).chunks(64 << 10) {
            match stream.write(part) {
                Ok(count) => written += count as u64,
                Err(_) => break,
            }
        }
        written
    });
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    stream.write_all(b"question").unwrap();
    let mut some = vec![0; 200_000];
    stream.read_exact(&mut some).unwrap();
    until_it_stands(&bench);
    drop(stream);
    assert_eq!(
        (end_of(&bench, 1).by, end_of(&bench, 1).how),
        (Side::Local, EndHow::Rst)
    );
    assert!(sender.join().unwrap()[0] < 64 << 20, "the server is told");
    let recorded = bytes(&bench, 1, Direction::Received);
    assert!(recorded.len() >= 200_000 && recorded == pattern(recorded.len(), 3));
    let texts = texts(&bench, 1);
    assert!(
        texts.iter().any(|text| text.contains("did not reach 127.0.0.1")),
        "{texts:?}"
    );
}

#[test]
fn injected_bytes_arrive_between_those_of_the_sides_and_are_marked() {
    let (target, server_side) = server(1, |mut stream| {
        let mut all = Vec::new();
        let mut buffer = [0; 100];
        while !all.ends_with(b"END\n") {
            let count = stream.read(&mut buffer).unwrap();
            all.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(b"bye").unwrap();
        all
    });
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
    stream.write_all(b"one\n").unwrap();
    wait_pair(&bench, 1, "the first", |link| link.sent.bytes == 4);
    let inject = |bytes: &[u8], direction, recording| {
        let message = Outgoing {
            bytes: bytes.to_vec(),
            recording,
        };
        bench.ask(NetCommand::Peers(
            vec![ConnectionId(1)],
            PeerCommand::Send(message, direction),
        ));
    };
    inject(b"two\n", Direction::Sent, Recording::AsIs);
    inject(b"hello\n", Direction::Received, Recording::AsIs);
    let mut hello = [0; 6];
    stream.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello\n");
    inject(b"secret\n", Direction::Sent, Recording::Masked);
    wait_pair(&bench, 1, "both", |link| link.sent.bytes == 15);
    stream.write_all(b"END\n").unwrap();
    assert_eq!(server_side.join().unwrap(), [b"one\ntwo\nsecret\nEND\n"]);
    assert_eq!(read_all(&mut stream), b"bye");
    drop(stream);
    assert_eq!(end_of(&bench, 1).how, EndHow::Fin);
    assert_eq!(bytes(&bench, 1, Direction::Sent), b"one\ntwo\n*******END\n");
    let marks: Vec<String> = texts(&bench, 1)
        .into_iter()
        .filter(|text| text.contains("injected"))
        .collect();
    assert_eq!(marks.len(), 3, "{marks:?}");
    assert!(
        marks[0].contains("to the server, not the application"),
        "{marks:?}"
    );
    assert!(
        marks[1].contains("to the application, not the server"),
        "{marks:?}"
    );
    assert!(marks[2].contains("asterisks"), "{marks:?}");
}

#[test]
fn a_server_that_is_not_there_is_said_to_both() {
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", nowhere));
    assert!(is_reset(stream.read(&mut [0])), "as if the server were gone");
    let failed = wait_pair(&bench, 1, "the failure", |link| link.state == LinkState::Failed);
    let reason = failed.reason.unwrap();
    assert!(reason.contains("nothing listens there"), "{reason}");
}

#[test]
fn the_user_can_end_both_sides() {
    for (command, how) in [(PeerCommand::Close, "fin"), (PeerCommand::Reset, "rst")] {
        let (target, server_side) = server(1, |mut stream| {
            let mut got = Vec::new();
            let ended = stream.read_to_end(&mut got);
            (got, ended.map_err(|error| error.raw_os_error()))
        });
        let bench = Bench::new(Options::default());
        let mut stream = application(&tap(&bench, "127.0.0.1:0", target));
        stream.write_all(b"x").unwrap();
        wait_pair(&bench, 1, "a byte", |link| link.sent.bytes == 1);
        bench.ask(NetCommand::Peers(vec![ConnectionId(1)], command));
        let (expected, seen) = match how {
            "fin" => (Ok(1), stream.read(&mut [0]).is_ok_and(|count| count == 0)),
            _ => (Err(Some(104)), is_reset(stream.read(&mut [0]))),
        };
        assert!(seen, "{how} at the application");
        assert_eq!(server_side.join().unwrap(), [(b"x".to_vec(), expected)]);
        drop(stream);
        let ended = wait_pair(&bench, 1, "the end", |link| link.end.is_some());
        assert_eq!(ended.state, LinkState::Closed);
        assert!(texts(&bench, 1).iter().any(|text| text.starts_with("you ")));
    }
}

#[test]
fn what_was_dialed_for_an_application_is_over_once_it_is_open() {
    let (target, server) = server(1, |mut stream| read_all(&mut stream));
    let bench = Bench::new(Options::default());
    let stream = application(&tap(&bench, "127.0.0.1:0", target));
    let opened = wait_pair(&bench, 1, "the opening", |link| link.state == LinkState::Open);
    let phases = opened.dial.phases();
    assert!(!phases.is_empty());
    for phase in phases {
        let end = phase.end.unwrap_or_else(|| panic!("{:?} goes on", phase.kind));
        assert_eq!((end.how, end.words.as_str()), (Ending::Well, "connected"));
    }
    drop(stream);
    server.join().unwrap();
}

#[test]
fn many_pairs_are_relayed_at_once() {
    const PAIRS: usize = 50;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    let echo = thread::spawn(move || {
        let serving: Vec<JoinHandle<()>> = (0..PAIRS)
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                thread::spawn(move || {
                    let mut writer = stream.try_clone().unwrap();
                    io::copy(&mut stream, &mut writer).unwrap();
                    writer.shutdown(Shutdown::Write).unwrap();
                })
            })
            .collect();
        for one in serving {
            one.join().unwrap();
        }
    });
    let bench = Bench::new(Options::default());
    let address = tap(&bench, "127.0.0.1:0", target);
    let asking: Vec<JoinHandle<()>> = (0..PAIRS)
        .map(|number| {
            let address = address.clone();
            thread::spawn(move || {
                let mut stream = application(&address);
                let mut writer = stream.try_clone().unwrap();
                let sending = thread::spawn(move || {
                    writer.write_all(&pattern(200_000, number)).unwrap();
                    writer.shutdown(Shutdown::Write).unwrap();
                });
                assert!(read_all(&mut stream) == pattern(200_000, number), "pair {number}");
                sending.join().unwrap();
            })
        })
        .collect();
    for one in asking {
        one.join().unwrap();
    }
    echo.join().unwrap();
    let news = bench.wait("all to end", |news| {
        news.peers.len() == PAIRS && news.peers.iter().all(|link| link.end.is_some())
    });
    for link in news.peers.iter() {
        assert_eq!(link.end.unwrap().how, EndHow::Fin);
        assert!(bytes(&bench, link.id.0, Direction::Sent) == bytes(&bench, link.id.0, Direction::Received));
    }
}

#[test]
fn datagrams_are_relayed_whole_and_each_sender_gets_its_own_answers() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(BOUND)).unwrap();
    let target = server.local_addr().unwrap();
    let answering = thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        for _ in 0..8 {
            let (count, from) = server.recv_from(&mut buffer).unwrap();
            let answer = [b"<", &buffer[..count], b">"].concat();
            server.send_to(&answer[..answer.len().min(65_507)], from).unwrap();
        }
    });
    let bench = Bench::new(Options::default());
    let address = tap(&bench, "udp://127.0.0.1:0", format!("udp://{target}"));
    for seed in 0..2 {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(BOUND)).unwrap();
        socket.connect(&address).unwrap();
        let mut buffer = vec![0; 65_536];
        for size in [3, 0, 1400, 65_505] {
            let question = pattern(size, seed);
            socket.send(&question).unwrap();
            let count = socket.recv(&mut buffer).unwrap();
            assert!(
                buffer[..count] == [b"<", question.as_slice(), b">"].concat(),
                "{size} bytes"
            );
        }
    }
    answering.join().unwrap();
    let news = bench.wait("all", |news| {
        news.peers.totals().map(|tally| tally.messages) == [8, 8]
    });
    assert_eq!(news.peers.len(), 2, "a pair for each sender");
}

#[test]
fn kinds_of_endpoints_mix() {
    // From a Unix socket to TCP, and from TCP to a Unix socket.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tap.sock");
    let (target, tcp) = server(1, |mut stream| {
        let asked = read_all(&mut stream);
        stream.write_all(b"answer").unwrap();
        asked
    });
    let bench = Bench::new(Options::default());
    tap(&bench, &format!("unix:{}", path.display()), target);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut stream), b"answer");
    assert_eq!(tcp.join().unwrap(), [b"question"]);
    assert_eq!(end_of(&bench, 1).how, EndHow::Fin);

    let path = folder.path().join("server.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let unix = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let asked = read_all(&mut stream);
        stream.write_all(b"answer").unwrap();
        asked
    });
    let bench = Bench::new(Options::default());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", format!("unix:{}", path.display())));
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut stream), b"answer");
    assert_eq!(unix.join().unwrap(), b"question");
    assert_eq!(end_of(&bench, 1).how, EndHow::Fin);
    assert_eq!(story(&bench, 1), "open sent our-fin received close-peer-fin");
}

#[test]
fn both_sockets_of_a_relay_take_the_socket_options_and_changes_of_them() {
    let (address, server) = server(1, |mut stream| {
        let mut got = Vec::new();
        stream.read_to_end(&mut got).unwrap();
        got
    });
    let bench = Bench::new(Options {
        sockets: ["ttl=9"].map(|text| text.parse().unwrap()).into_iter().collect(),
        ..Options::default()
    });
    let place = tap(&bench, ":0", format!("tcp://{address}"));
    let mut application = application(&place);
    wait_pair(&bench, 1, "it is relayed", |link| link.state == LinkState::Open);
    let request = PeerCommand::Option("ttl=5".parse().unwrap());
    bench.ask(NetCommand::Peers(vec![ConnectionId(1)], request));
    let news = bench.wait("the answer", |news| news.answer.is_some());
    let answer = news.answer.unwrap();
    assert!(!answer.refused, "{answer:?}");
    // Both had what was set at the start, and have what was asked for.
    assert_eq!(
        answer.text.matches("ttl is 5 now; it was 9").count(),
        2,
        "{answer:?}"
    );
    application.write_all(b"on it goes").unwrap();
    application.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.join().unwrap(), [b"on it goes"]);
}
