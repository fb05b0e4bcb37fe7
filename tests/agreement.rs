//! P18: what the real program records of real servers and scripted peers is what Wireshark reads. Of every session
//! tshark reports nothing but what is meant, its Follow Stream has the bytes that the peer sent and got, and the
//! fields of its packets are the entries of our log, to the nanosecond.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its peers has failed"
)]

#[path = "support/binary.rs"]
mod binary;
#[path = "support/dns.rs"]
mod dns;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/redis.rs"]
mod redis;
#[path = "support/server.rs"]
mod server;
#[path = "support/smtp.rs"]
mod smtp;
#[path = "support/tshark.rs"]
mod tshark;
#[path = "support/witness.rs"]
mod witness;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use socket2::{Domain, Socket, Type};
use sockscope::capture::Session;
use sockscope::model::{ConnectionId, Direction, EndHow, Entry, EntryId, EntryKind, Records as _, Side};

use binary::{Finished, Home, accept, expect, finish, listen, outlast, read_all, reset, serve};
use pty::{Pty, Reading};
use witness::{Crossed, Witness};

/// What tshark calls a message that it knows: no complaint, but worth a line.
const HTTP: &[&str] = &["GET /", "HTTP/1."];

/// No complaint is intended.
const NONE: &[&str] = &[];

/// Bytes that no dissector takes for a protocol of its own.
fn noise(len: usize) -> Vec<u8> {
    let mut state = len as u64 | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A session that was recorded.
struct Recorded {
    home: Home,
    session: Session,
}

/// The file of the session that is being recorded.
fn trace(home: &Home) -> String {
    home.path("trace.pcapng").to_str().unwrap().to_owned()
}

impl Recorded {
    /// Opens what a run has recorded.
    fn open(home: Home) -> Recorded {
        let session = Session::open(Path::new(&trace(&home))).unwrap();
        assert_eq!(session.cut(), 0);
        Recorded { home, session }
    }

    /// Runs the binary without a screen.
    fn headless(home: Home, arguments: &[&str], input: &[u8]) -> Recorded {
        let file = trace(&home);
        let run = home.run(
            &[&["--headless", "--format", "jsonl", "-w", &file], arguments].concat(),
            input,
        );
        let recorded = Recorded::open(home);
        recorded.is_printed_by(&run);
        recorded
    }

    fn entries(&self) -> Vec<Entry> {
        (0..self.session.len())
            .map(|number| self.session.entry(EntryId(number)).unwrap())
            .collect()
    }

    /// That the JSON lines of the run are the log. A run that ends by itself prints nothing of its own end.
    fn is_printed_by(&self, run: &Finished) {
        let objects = run.objects();
        let entries = self.entries();
        for entry in &entries[objects.len()..] {
            assert!(
                is_our_end(&entry.kind),
                "{entry:?} is not printed: {}",
                run.stderr
            );
        }
        for (object, entry) in objects.iter().zip(&entries) {
            assert_eq!(object["id"], entry.id.0);
            assert_eq!(object["conn"], entry.connection.0);
            assert_eq!(nanoseconds(object["at"].as_str().unwrap()), entry.at.0);
            if let EntryKind::Data { direction } = entry.kind {
                let word = match direction {
                    Direction::Sent => "sent",
                    Direction::Received => "received",
                };
                assert_eq!(
                    (&object["dir"], &object["len"]),
                    (&Value::from(word), &Value::from(entry.len))
                );
                let bytes = self.session.payload(entry.id, 0..entry.len).unwrap();
                assert_eq!(object["hex"].as_str().unwrap(), hex::encode(bytes));
            }
        }
    }

    /// What one direction of a connection holds.
    fn bytes(&self, connection: ConnectionId, direction: Direction) -> Vec<u8> {
        let wanted = EntryKind::Data { direction };
        let of_it = |entry: &Entry| entry.connection == connection && entry.kind == wanted;
        self.entries()
            .into_iter()
            .filter(of_it)
            .flat_map(|entry| self.session.payload(entry.id, 0..entry.len).unwrap())
            .collect()
    }

    /// That the log is what the peers saw of each connection that was opened, and that tshark agrees; of its
    /// complaints those are expected that begin as one of `intended` does.
    fn agrees(&self, crossed: &[Crossed], intended: &[&str]) {
        let entries = self.entries();
        let opened: Vec<(ConnectionId, String)> = entries
            .iter()
            .filter_map(|entry| {
                let EntryKind::Open { local, .. } = &entry.kind else {
                    return None;
                };
                Some((entry.connection, local.to_string()))
            })
            .collect();
        assert_eq!(opened.len(), crossed.len(), "{entries:?}");
        for ((connection, _), crossed) in opened.iter().zip(crossed) {
            assert_same(
                &self.bytes(*connection, Direction::Sent),
                &crossed.sent,
                "ours, sent",
            );
            assert_same(
                &self.bytes(*connection, Direction::Received),
                &crossed.received,
                "ours, received",
            );
        }
        if !server::is_installed("tshark") {
            return;
        }
        let (packets, streams) = self.read_by_tshark(opened.len());
        assert_eq!(complaints(&packets, intended), Vec::<&str>::new());
        for (((_, local), stream), crossed) in opened.iter().zip(&streams).zip(crossed) {
            // Nobody follows a stream that carried nothing.
            if crossed.sent.is_empty() && crossed.received.is_empty() {
                assert_eq!(stream.bytes.concat(), b"");
                continue;
            }
            assert_eq!(stream.ends[0], *local, "whoever dialed comes first");
            assert_same(&stream.bytes[0], &crossed.sent, "tshark, sent");
            assert_same(&stream.bytes[1], &crossed.received, "tshark, received");
        }
        assert_fields(&packets, &entries);
    }

    /// Packets and streams in one run, because each costs a third of a second.
    fn read_by_tshark(&self, streams: usize) -> (Vec<Packet>, Vec<tshark::Followed>) {
        let mut arguments = vec!["-T", "fields", "-E", "aggregator=|"];
        for field in FIELDS {
            arguments.extend(["-e", field]);
        }
        let taps: Vec<String> = (0..streams)
            .map(|number| format!("follow,tcp,raw,{number}"))
            .collect();
        for tap in &taps {
            arguments.extend(["-z", tap]);
        }
        let output = tshark::tshark(Path::new(&trace(&self.home)), &arguments);
        let mut followed = tshark::parse(output.as_bytes());
        followed.sort_by_key(|(_, number, _)| *number);
        let packets = output
            .lines()
            .take_while(|line| line.contains('\t'))
            .map(Packet::new);
        (
            packets.collect(),
            followed.into_iter().map(|(_, _, stream)| stream).collect(),
        )
    }
}

/// Whether it is the end that the program itself puts to a connection.
fn is_our_end(kind: &EntryKind) -> bool {
    ended(kind).is_some_and(|(by, _)| by == Side::Local)
}

/// Whose end an entry tells of, and how it came.
fn ended(kind: &EntryKind) -> Option<(Side, EndHow)> {
    if let EntryKind::HalfClose { by } = kind {
        return Some((*by, EndHow::Fin));
    }
    let EntryKind::Close(end) = kind else {
        return None;
    };
    Some((end.by, end.how))
}

const FIELDS: [&str; 10] = [
    "frame.time_epoch",
    "frame.interface_id",
    "frame.packet_flags_direction",
    "tcp.len",
    "tcp.flags.syn",
    "tcp.flags.fin",
    "tcp.flags.reset",
    "tcp.stream",
    "frame.protocols",
    "_ws.expert.message",
];

/// A packet as tshark tells of it.
#[derive(Debug)]
struct Packet {
    at: u64,
    interface: u32,
    direction: Direction,
    len: u32,
    syn: bool,
    fin: bool,
    rst: bool,
    expert: String,
}

impl Packet {
    fn new(line: &str) -> Packet {
        let fields: Vec<&str> = line.split('\t').collect();
        let flag = |field: &str| matches!(field, "1" | "True");
        Packet {
            at: fields[0].replace('.', "").parse().unwrap(),
            interface: fields[1].parse().unwrap(),
            direction: match fields[2] {
                "0x00000002" => Direction::Sent,
                "0x00000001" => Direction::Received,
                other => unreachable!("{other} is no direction"),
            },
            len: fields[3].parse().unwrap(),
            syn: flag(fields[4]),
            fin: flag(fields[5]),
            rst: flag(fields[6]),
            expert: fields[9].to_owned(),
        }
    }
}

/// What tshark holds against the packets, beyond the flags and what is intended.
fn complaints<'a>(packets: &'a [Packet], intended: &[&str]) -> Vec<&'a str> {
    let known = |message: &str| {
        tshark::MENTIONS
            .iter()
            .chain(intended)
            .any(|known| message.starts_with(known))
    };
    packets
        .iter()
        .flat_map(|packet| packet.expert.split('|'))
        .filter(|message| !message.is_empty() && !known(message))
        .collect()
}

/// That the packets are the entries: one for each that has bytes or a flag, at its time, in its direction.
fn assert_fields(packets: &[Packet], entries: &[Entry]) {
    let told: Vec<_> = packets
        .iter()
        .filter(|packet| packet.len > 0 || packet.fin || packet.rst)
        .map(|packet| {
            let flag = match (packet.fin, packet.rst) {
                (true, false) => "fin",
                (false, true) => "rst",
                _ => "",
            };
            (packet.at, packet.interface, packet.len, packet.direction, flag)
        })
        .collect();
    let ours: Vec<_> = entries
        .iter()
        .filter_map(|entry| {
            let (direction, flag) = match (entry.direction(), ended(&entry.kind)) {
                (Some(direction), _) => (direction, ""),
                (None, Some((by, EndHow::Fin))) => (from(by), "fin"),
                (None, Some((by, EndHow::Rst))) => (from(by), "rst"),
                (
                    None,
                    Some((
                        _,
                        EndHow::Timeout
                        | EndHow::Truncated
                        | EndHow::Alert
                        | EndHow::Close
                        | EndHow::Tap
                        | EndHow::Os,
                    ))
                    | None,
                ) => return None,
            };
            Some((entry.at.0, entry.connection.0, entry.len, direction, flag))
        })
        .collect();
    assert_eq!(told, ours);
    let openings: Vec<u64> = entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Open { .. }))
        .map(|entry| entry.at.0)
        .collect();
    let syn: Vec<u64> = packets
        .iter()
        .filter(|packet| packet.syn)
        .map(|packet| packet.at)
        .collect();
    assert_eq!(syn, openings.iter().flat_map(|at| [*at, *at]).collect::<Vec<_>>());
}

fn from(by: Side) -> Direction {
    match by {
        Side::Local => Direction::Sent,
        Side::Peer => Direction::Received,
    }
}

/// The nanoseconds since 1970 of an RFC 3339 time.
fn nanoseconds(text: &str) -> u64 {
    let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
    time.timestamp_nanos_opt().unwrap().cast_unsigned()
}

fn assert_same(found: &[u8], expected: &[u8], what: &str) {
    let digest = |bytes: &[u8]| (bytes.len(), hex::encode(Sha256::digest(bytes)));
    assert_eq!(digest(found), digest(expected), "{what}");
}

fn crossed(sent: &[u8], received: &[u8]) -> Crossed {
    Crossed {
        sent: sent.to_vec(),
        received: received.to_vec(),
    }
}

#[test]
fn redis_asked_and_answering() {
    let home = Home::new();
    let Some(redis) = redis::start(&home) else {
        return;
    };
    let witness = Witness::before(&redis.address, 1);
    let lines = b"PING\nSET greeting hello\nGET greeting\nHELLO?\nQUIT\n";
    let recorded = Recorded::headless(home, &["--eol", "crlf", &witness.address], lines);
    let crossed = witness.crossed();
    assert!(crossed[0].received.ends_with(b"+OK\r\n"));
    recorded.agrees(&crossed, NONE);
}

#[test]
fn a_download_of_10_mb_from_nginx() {
    let home = Home::new();
    let large = noise(10_000_000);
    let Some(nginx) = nginx::start(&home, &[("large", &large)]) else {
        return;
    };
    let witness = Witness::before(&nginx.address, 1);
    let arguments = ["--stdin-eof", "ignore", &witness.address];
    let recorded = Recorded::headless(home, &arguments, b"GET /large HTTP/1.0\r\n\r\n");
    let crossed = witness.crossed();
    assert!(crossed[0].received.ends_with(&large));
    recorded.agrees(&crossed, HTTP);
}

#[test]
fn a_page_from_pythons_http_server() {
    let home = Home::new();
    let Some(python) = python(&home) else {
        return;
    };
    let witness = Witness::before(&python.address, 1);
    let request = "GET /page.html HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    let recorded = Recorded::headless(home, &["--eol", "crlf", &witness.address], request.as_bytes());
    let crossed = witness.crossed();
    assert!(crossed[0].received.ends_with("<p>Grüße, 世界</p>\n".as_bytes()));
    recorded.agrees(&crossed, HTTP);
}

fn python(home: &Home) -> Option<server::Server> {
    server::is_installed("python3").then(|| {
        std::fs::write(home.path("page.html"), "<p>Grüße, 世界</p>\n").unwrap();
        let address = binary::free_port();
        let mut python = server::command("python3");
        python
            .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"])
            .arg(home.path(""))
            .arg(address.port().to_string());
        server::Server::start_until(&mut python, address.to_string(), "Serving HTTP")
    })
}

#[test]
fn a_mail_to_an_smtp_server() {
    let home = Home::new();
    let Some(smtp) = smtp::start() else {
        return;
    };
    let witness = Witness::before(&smtp.address, 1);
    let mail = "EHLO me.example\nMAIL FROM:<a@example.org>\nRCPT TO:<b@example.org>\nDATA\nSubject: é\n\n漢\n.\nQUIT\n";
    let recorded = Recorded::headless(home, &["--eol", "crlf", &witness.address], mail.as_bytes());
    let crossed = witness.crossed();
    assert!(crossed[0].received.starts_with(b"220 mail.example"));
    recorded.agrees(&crossed, NONE);
}

#[test]
fn a_name_asked_for_over_tcp() {
    let home = Home::new();
    let Some(dns) = dns::start(&home) else {
        return;
    };
    let witness = Witness::before(&dns.address, 1);
    let query = dns::query(7, 1);
    let typed = format!("{:04x} {}\n", query.len(), hex::encode(&query));
    let arguments = [
        "--input",
        "hex",
        "--stdin-eof",
        "ignore",
        "--count",
        "1",
        &witness.address,
    ];
    let recorded = Recorded::headless(home, &arguments, typed.as_bytes());
    let crossed = witness.crossed();
    assert!(crossed[0].received.ends_with(&[192, 0, 2, 7]));
    recorded.agrees(&crossed, NONE);
}

#[test]
fn an_upload_of_10_mb() {
    let (address, peer) = serve(|mut stream| {
        let got = read_all(&mut stream);
        stream.write_all(&Sha256::digest(&got)).unwrap();
        got
    });
    let sent = noise(10_000_000);
    let recorded = Recorded::headless(Home::new(), &[&address], &sent);
    let got = peer.join().unwrap();
    assert_same(&got, &sent, "the peer's");
    recorded.agrees(&[crossed(&got, &Sha256::digest(&sent))], NONE);
}

#[test]
fn half_closed_from_our_side() {
    let (address, peer) = serve(|mut stream| {
        let got = read_all(&mut stream);
        stream.write_all(&got.repeat(9)).unwrap();
        got
    });
    let recorded = Recorded::headless(Home::new(), &[&address], b"the end comes first\n");
    let got = peer.join().unwrap();
    recorded.agrees(&[crossed(&got, &got.repeat(9))], NONE);
}

#[test]
fn half_closed_from_the_peers_side() {
    let (address, peer) = serve(|mut stream| {
        stream.write_all(b"go on without me\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&mut stream)
    });
    let sent = noise(1_000_000);
    let recorded = Recorded::headless(Home::new(), &[&address], &sent);
    let got = peer.join().unwrap();
    assert_same(&got, &sent, "the peer's");
    recorded.agrees(&[crossed(&got, b"go on without me\n")], NONE);
}

#[test]
fn reset_by_the_peer() {
    let (address, peer) = serve(|mut stream| {
        expect(&mut stream, b"go\n");
        stream.write_all(&noise(5000)).unwrap();
        expect(&mut stream, b"away\n");
        reset(stream);
    });
    let home = Home::new();
    let mut child = home
        .sockscope(&["--headless", "--format", "jsonl", "-w", &trace(&home), &address])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"go\naway\n").unwrap();
    let run = finish(child);
    drop(stdin);
    peer.join().unwrap();
    let recorded = Recorded::open(home);
    recorded.is_printed_by(&run);
    let last = recorded.entries().pop().unwrap();
    assert!(
        matches!(&last.kind, EntryKind::Close(end) if end.how == EndHow::Rst),
        "{last:?}"
    );
    recorded.agrees(&[crossed(b"go\naway\n", &noise(5000))], NONE);
}

/// The binary in a terminal, recording to the file of the home.
fn screen(home: &Home, arguments: &[&str]) -> Pty {
    let mut command = pty::command(env!("CARGO_BIN_EXE_sockscope"), &home.path(""));
    command.args(["-w", &trace(home)]);
    command.args(arguments);
    Pty::spawn(command, 100, 30, Reading::Always)
}

#[test]
fn reset_from_the_screen() {
    let (address, peer) = serve(|mut stream| {
        expect(&mut stream, b"hello\n");
        stream.write_all(b"welcome\n").unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap_err()
    });
    let home = Home::new();
    let mut pty = screen(&home, &[&address]);
    pty.wait_text("● open");
    pty.send("hello\r");
    pty.wait_text("welcome");
    pty.send("\x07reset\r");
    pty.wait_text("closed");
    pty.send("\tQ");
    assert!(pty.wait_exit().success());
    assert_eq!(peer.join().unwrap().kind(), std::io::ErrorKind::ConnectionReset);
    Recorded::open(home).agrees(&[crossed(b"hello\n", b"welcome\n")], NONE);
}

#[test]
fn typed_and_pasted_on_the_screen_in_many_scripts() {
    let script = "Grüße, 世界! עברית ελληνικά 👩‍🚀\n";
    let (address, peer) = serve(move |mut stream| {
        // Split in the middle of characters.
        for part in script.as_bytes().chunks(5) {
            stream.write_all(part).unwrap();
            expect(&mut stream, "ёж 漢字\n".as_bytes());
        }
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&mut stream)
    });
    let home = Home::new();
    let mut pty = screen(&home, &[&address]);
    pty.wait_text("● open");
    let rounds = script.len().div_ceil(5);
    for round in 1..=rounds {
        pty.send("\x1b[200~ёж \x1b[201~漢字\r");
        pty.wait_text(&format!("in {round} "));
    }
    pty.wait_text("half-closed");
    pty.send("\x07close\r");
    pty.wait_text("closed by");
    assert_eq!(peer.join().unwrap(), b"");
    pty.send("\tQ");
    assert!(pty.wait_exit().success());
    let sent = "ёж 漢字\n".repeat(rounds);
    Recorded::open(home).agrees(&[crossed(sent.as_bytes(), script.as_bytes())], NONE);
}

#[test]
fn the_demo_on_the_screen() {
    let home = Home::new();
    let mut pty = screen(&home, &["demo"]);
    pty.wait_text("● open");
    pty.send("utf8\r");
    pty.send("burst\r");
    pty.send("bye\r");
    // Quitting behind the peer's FIN adds our own, and nothing else.
    pty.wait_text("half-closed");
    pty.send("\tQ");
    assert!(pty.wait_exit().success());
    let recorded = Recorded::open(home);
    // Nobody stands between the program and its own server: what it says itself is compared with tshark.
    let connection = ConnectionId(0);
    let [sent, received] =
        [Direction::Sent, Direction::Received].map(|direction| recorded.bytes(connection, direction));
    assert!(sent == b"utf8\nburst\nbye\n" && received.len() > 4000);
    recorded.agrees(&[crossed(&sent, &received)], NONE);
}

#[test]
fn refused_and_then_nothing() {
    let address = binary::free_port().to_string();
    let recorded = Recorded::headless(Home::new(), &[&address], b"never sent\n");
    let kinds = recorded.entries();
    assert!(
        kinds
            .iter()
            .any(|entry| matches!(entry.kind, EntryKind::Attempt(_)))
    );
    recorded.agrees(&[], NONE);
}

#[test]
fn timed_out_while_dialing() {
    // A listener whose backlog is full answers no SYN.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener
        .bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let fills = std::net::TcpStream::connect(address).unwrap();
    let target = address.to_string();
    let recorded = Recorded::headless(
        Home::new(),
        &["--connect-timeout", "300ms", &target],
        b"never sent\n",
    );
    recorded.agrees(&[], NONE);
    drop(fills);
}

#[test]
fn timed_out_in_silence() {
    let (address, peer) = serve(|mut stream| {
        stream.write_all(b"and now nothing\n").unwrap();
        outlast(&mut stream);
    });
    let arguments = ["--stdin-eof", "ignore", "--idle-timeout", "200ms", &address];
    let recorded = Recorded::headless(Home::new(), &arguments, b"");
    peer.join().unwrap();
    recorded.agrees(&[crossed(b"", b"and now nothing\n")], NONE);
}

#[test]
fn three_connections_one_after_the_other() {
    let (listener, address) = listen();
    let peer = thread::spawn(move || {
        for round in 0..3 {
            let mut stream = accept(&listener);
            expect(&mut stream, b"hello\n");
            stream.write_all(format!("round {round}\n").as_bytes()).unwrap();
            match round {
                0 => drop(stream),
                1 => reset(stream),
                _ => outlast(&mut stream),
            }
        }
    });
    let arguments = [
        "--reconnect",
        "--send",
        "hello",
        "--stdin-eof",
        "ignore",
        "--count",
        "3",
        &address,
    ];
    let recorded = Recorded::headless(Home::new(), &arguments, b"");
    peer.join().unwrap();
    let rounds: Vec<Crossed> = (0..3)
        .map(|round| crossed(b"hello\n", format!("round {round}\n").as_bytes()))
        .collect();
    recorded.agrees(&rounds, NONE);
}

#[test]
fn over_ipv6() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        println!("skipped: there is no IPv6 here");
        assert!(std::env::var_os("SOCKSCOPE_REQUIRE_PEERS").is_none());
        return;
    };
    let address = listener.local_addr().unwrap().to_string();
    let peer = thread::spawn(move || {
        let mut stream = accept(&listener);
        stream.write_all(&noise(200_000)).unwrap();
        read_all(&mut stream)
    });
    let recorded = Recorded::headless(Home::new(), &[&address], &noise(100_000));
    let got = peer.join().unwrap();
    assert_same(&got, &noise(100_000), "the peer's");
    recorded.agrees(&[crossed(&got, &noise(200_000))], NONE);
}

#[test]
fn one_byte_at_a_time() {
    let (address, peer) = serve(|mut stream| {
        stream.write_all(&noise(700)).unwrap();
        read_all(&mut stream)
    });
    let recorded = Recorded::headless(Home::new(), &["--read-size", "1", &address], b"x");
    let got = peer.join().unwrap();
    let reads = recorded.entries();
    let single = |entry: &&Entry| entry.len == 1 && entry.direction() == Some(Direction::Received);
    assert_eq!(reads.iter().filter(single).count(), 700);
    recorded.agrees(&[crossed(&got, &noise(700))], NONE);
}

#[test]
fn a_connection_that_carries_nothing() {
    let (address, peer) = serve(drop);
    let recorded = Recorded::headless(Home::new(), &[&address], b"");
    peer.join().unwrap();
    recorded.agrees(&[crossed(b"", b"")], NONE);
}
