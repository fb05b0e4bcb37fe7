//! Captures that tcpdump and dumpcap make of real servers, opened while they are written: the payload of each
//! direction equals what tshark follows, also when packets were swapped and repeated on the way.

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
#[path = "support/redis.rs"]
mod redis;
#[path = "support/server.rs"]
mod server;
#[path = "support/tshark.rs"]
mod tshark;
#[path = "support/wire.rs"]
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sockscope::capture::{Create, Existing, MAX_PAYLOAD, Opening, Recorder, Session, open_in_background};
use sockscope::model::{
    Direction, End, EndHow, EntryId, EntryKind, Protocol, Records, Role, Side, Timestamp,
};

use binary::Home;
use server::{command, is_installed};
use tshark::Transport;

/// Both directions of a conversation, by its ends.
type Streams = BTreeMap<(String, String), (Vec<u8>, Vec<u8>)>;

/// A program that captures, and the file that it writes.
struct Capture {
    child: Child,
    opening: Opening,
    path: PathBuf,
}

impl Capture {
    /// Starts it and waits until it captures, which the header of its file shows.
    fn start(home: &Home, name: &str, program: &str, arguments: &[&str], filter: &str) -> Option<Capture> {
        if !is_installed(program) || !is_installed("tshark") {
            return None;
        }
        let path = home.path(name);
        fs::write(&path, "").unwrap();
        // tcpdump gives up root before it opens its file.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        fs::set_permissions(home.path(""), fs::Permissions::from_mode(0o777)).unwrap();
        let mut command = command(program);
        command.args(arguments).arg("-w").arg(&path);
        if program == "dumpcap" {
            command.arg("-f");
        }
        let child = command
            .arg(filter)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let opening = open_in_background(&path).unwrap();
        let mut capture = Capture { child, opening, path };
        if capture.is_refused() {
            println!("skipped: {program} may not capture here");
            assert!(std::env::var_os("SOCKSCOPE_REQUIRE_PEERS").is_none());
            return None;
        }
        Some(capture)
    }

    /// Waits for the header of the file, or the end of the program.
    fn is_refused(&mut self) -> bool {
        let mut said = [0; 1];
        // Both programs say something once they capture, or before they end.
        let stderr = self.child.stderr.as_mut().unwrap();
        if stderr.read(&mut said).unwrap_or_default() == 0 {
            return true;
        }
        wire::wait(&self.opening, |report| report.indexed >= 24);
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until all that was sent is in the log; then ends the program.
    fn finish(mut self, all_is_there: impl Fn(&Session) -> bool) -> (PathBuf, Session) {
        let session = self.opening.session.clone();
        wire::wait(&self.opening, |_| all_is_there(&session));
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap();
        // dumpcap writes statistics at the end.
        let size = fs::metadata(&self.path).unwrap().len();
        let report = wire::wait(&self.opening, |report| report.indexed == size);
        // Even loopback sends a segment again now and then.
        let said = report.remarks.concat();
        assert!(
            said.is_empty() || said.ends_with("the first copy is shown"),
            "{said}"
        );
        (self.path.clone(), session)
    }
}

fn closed(session: &Session) -> usize {
    (0..session.len())
        .filter(|number| matches!(session.entry(EntryId(*number)).unwrap().kind, EntryKind::Close(_)))
        .count()
}

/// What we read.
fn ours(session: &Session) -> Streams {
    let mut streams = Streams::new();
    let all = session.conversation_page(0..u64::MAX);
    for number in 0..session.len() {
        let id = EntryId(number);
        let entry = session.entry(id).unwrap();
        let conversation = &all[entry.connection.0 as usize];
        let ends = (
            conversation.client().unwrap().to_string(),
            conversation.server().unwrap().to_string(),
        );
        let stream = streams.entry(ends).or_default();
        let EntryKind::Data { direction } = entry.kind else {
            assert!(!matches!(entry.kind, EntryKind::Gap { .. }), "{entry:?}");
            continue;
        };
        let bytes = session.payload(id, 0..u32::MAX).unwrap();
        match direction {
            Direction::Sent => stream.0.extend(bytes),
            Direction::Received => stream.1.extend(bytes),
        }
    }
    streams
}

/// What tshark reads.
fn theirs(path: &Path, transport: Transport, count: u32) -> Streams {
    tshark::follow(path, transport, count)
        .into_iter()
        .map(|stream| {
            let ([first, second], [by_first, by_second]) = (stream.ends, stream.bytes);
            // Of datagrams the higher port is the client's for us; for tshark, whoever speaks first.
            if transport == Transport::Udp && port(&first) < port(&second) {
                ((second, first), (by_second, by_first))
            } else {
                ((first, second), (by_first, by_second))
            }
        })
        .collect()
}

fn port(end: &str) -> u16 {
    end.parse::<std::net::SocketAddr>().unwrap().port()
}

fn assert_same(ours: &Streams, theirs: &Streams) {
    let ends = |streams: &Streams| streams.keys().cloned().collect::<Vec<_>>();
    assert_eq!(ends(ours), ends(theirs));
    for (ends, (sent, received)) in ours {
        let (client, server) = &theirs[ends];
        assert!(
            sent == client,
            "{ends:?}: {} and {} bytes",
            sent.len(),
            client.len()
        );
        assert!(
            received == server,
            "{ends:?}: {} and {} bytes",
            received.len(),
            server.len()
        );
    }
}

/// Talks to redis over some connections at once: large values, pipelines, an error.
fn use_redis(address: &str) {
    let mut clients: Vec<TcpStream> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let value = vec![b'a' + number as u8; 100_000 * number + 1];
        write!(
            client,
            "*3\r\n$3\r\nSET\r\n$4\r\nkey{number}\r\n${}\r\n",
            value.len()
        )
        .unwrap();
        client.write_all(&value).unwrap();
        client.write_all(b"\r\nPING\r\nHELLO?\r\n").unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        write!(client, "GET key{number}\r\nQUIT\r\n").unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert!(answer.ends_with(b"\r\n+OK\r\n"));
    }
}

/// Captures redis with a program, and compares.
fn redis_with(name: &str, program: &str, arguments: &[&str]) {
    let home = Home::new();
    let Some(redis) = redis::start(&home) else {
        return;
    };
    let port = redis.address.rsplit(':').next().unwrap();
    let Some(capture) = Capture::start(&home, name, program, arguments, &format!("tcp port {port}")) else {
        return;
    };
    use_redis(&redis.address);
    let (path, session) = capture.finish(|session| closed(session) == 5);
    assert_same(&ours(&session), &theirs(&path, Transport::Tcp, 5));
}

#[test]
fn redis_captured_by_tcpdump() {
    redis_with("a.pcap", "tcpdump", &["-n", "-i", "lo", "-U", "-B", "65536"]);
}

#[test]
fn redis_captured_by_tcpdump_with_nanoseconds_on_any_interface() {
    let precise = "--time-stamp-precision=nano";
    redis_with(
        "a.pcap",
        "tcpdump",
        &["-n", "-i", "any", "-U", "-B", "65536", precise],
    );
}

#[test]
fn redis_captured_by_dumpcap() {
    redis_with("a.pcapng", "dumpcap", &["-i", "lo", "-B", "64"]);
}

#[test]
fn nginx_captured_by_dumpcap_and_then_shuffled() {
    let home = Home::new();
    let Some(nginx) = nginx::start(&home, &[("large", &large())]) else {
        return;
    };
    let port = nginx.address.rsplit(':').next().unwrap();
    let arguments = ["-P", "-i", "lo", "-B", "64"];
    let Some(capture) = Capture::start(
        &home,
        "a.pcap",
        "dumpcap",
        &arguments,
        &format!("tcp port {port}"),
    ) else {
        return;
    };
    let mut client = TcpStream::connect(&nginx.address).unwrap();
    client.write_all(b"GET /large HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    drop(client);
    let (path, session) = capture.finish(|session| closed(session) == 1);
    let whole = ours(&session);
    assert!(whole.values().all(|(_, received)| received.len() > 2 << 20));
    assert_same(&whole, &theirs(&path, Transport::Tcp, 1));
    let bytes = fs::read(&path).unwrap();
    for seed in 0..20 {
        let shuffled = home.path("shuffled.pcap");
        wire::write_old(&shuffled, &shuffle(&bytes, seed));
        let (opening, _) = wire::open(&shuffled);
        assert_same(&ours(&opening.session), &whole);
    }
}

/// Bytes that look random.
fn large() -> Vec<u8> {
    (0..2_500_000u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect()
}

/// The records of a pcap file, some swapped with near ones and some repeated; the opening stays at the start.
fn shuffle(pcap: &[u8], seed: u64) -> Vec<u8> {
    const NEAR: usize = 6;
    let mut state = seed;
    let mut roll = |sides: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % sides
    };
    let (header, mut rest) = pcap.split_at(24);
    let mut records = Vec::new();
    while let Some(len) = rest.get(8..12) {
        let len = 16 + u32::from_le_bytes(len.try_into().unwrap()) as usize;
        records.push(&rest[..len]);
        rest = &rest[len..];
    }
    let (opening, mut body) = (records[..3].to_vec(), records[3..].to_vec());
    for group in body.chunks_mut(NEAR) {
        for place in (1..group.len()).rev() {
            group.swap(place, roll(place + 1));
        }
    }
    for _ in 0..body.len() / 5 {
        let repeated = body[roll(body.len())];
        let to = roll(body.len() + 1);
        // Not so early that it would come before its own time.
        if body[..to].contains(&repeated) {
            body.insert(to, repeated);
        }
    }
    [&[header], &opening[..], &body[..]].concat().concat()
}

#[test]
fn datagrams_captured_by_tcpdump() {
    let home = Home::new();
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let arguments = ["-n", "-i", "lo", "-U"];
    let filter = format!("udp port {port}");
    let Some(capture) = Capture::start(&home, "a.pcap", "tcpdump", &arguments, &filter) else {
        return;
    };
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    let mut buffer = vec![0; 70_000];
    for len in [1, 100, 65_000, 30_000] {
        client.send(&vec![b'q'; len]).unwrap();
        let (count, from) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(count, len);
        server.send_to(&vec![b'r'; len / 2], from).unwrap();
        client.recv(&mut buffer).unwrap();
    }
    let (path, session) = capture.finish(|session| session.len() == 8);
    let listed = &session.conversation_page(0..9)[0];
    assert_eq!(listed.protocol, Protocol::Udp);
    assert_eq!(listed.sent + listed.received, 95_101 + 47_550);
    assert_same(&ours(&session), &theirs(&path, Transport::Udp, 1));
}

/// Asks a DNS server over UDP, and returns its answer.
fn ask(server: &str, query: &[u8]) -> Vec<u8> {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(binary::HANGS)).unwrap();
    client.send_to(query, server).unwrap();
    let mut answer = vec![0; 512];
    let len = client.recv(&mut answer).unwrap();
    answer.truncate(len);
    answer
}

#[test]
fn names_asked_for_over_udp_and_tcp_captured_by_dumpcap() {
    const ADDRESS: u16 = 1;
    const TEXT: u16 = 16;
    let home = Home::new();
    let Some(dns) = dns::start(&home) else {
        return;
    };
    let filter = format!("port {}", port(&dns.address));
    let Some(capture) = Capture::start(&home, "a.pcapng", "dumpcap", &["-i", "any", "-B", "64"], &filter)
    else {
        return;
    };
    for number in 0..6 {
        let kind = if number % 2 == 0 { ADDRESS } else { TEXT };
        let query = dns::query(number, kind);
        let answer = ask(&dns.address, &query);
        assert_eq!(answer[..2], query[..2]);
        assert_eq!(answer.ends_with(&[192, 0, 2, 7]), kind == ADDRESS);
    }
    let query = dns::query(99, ADDRESS);
    let mut stream = TcpStream::connect(&dns.address).unwrap();
    stream.write_all(&(query.len() as u16).to_be_bytes()).unwrap();
    stream.write_all(&query).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(&[192, 0, 2, 7]));
    let all_is_there = |session: &Session| closed(session) == 1 && datagrams(session) == 12;
    let (path, session) = capture.finish(all_is_there);
    let mut expected = theirs(&path, Transport::Udp, 6);
    expected.extend(theirs(&path, Transport::Tcp, 1));
    assert_same(&ours(&session), &expected);
}

/// Entries of conversations over UDP.
fn datagrams(session: &Session) -> u64 {
    let all = session.conversation_page(0..u64::MAX).into_iter();
    all.filter(|one| one.protocol == Protocol::Udp)
        .map(|one| one.entries)
        .sum()
}

#[test]
fn a_recording_of_ours_that_editcap_rewrote_has_the_same_payload() {
    let home = Home::new();
    if !is_installed("editcap") {
        return;
    }
    let own = home.path("own.pcapng");
    let recorder = Recorder::create(&Create {
        path: own.clone(),
        existing: Existing::Refuse,
        max_size: None,
    })
    .unwrap();
    for (number, (local, remote)) in [("127.0.0.1:50000", "127.0.0.1:80"), ("[::1]:50001", "[::1]:80")]
        .into_iter()
        .enumerate()
    {
        let endpoint = format!("tcp://{remote}").parse().unwrap();
        let connection = recorder
            .connection(Timestamp(1), &endpoint, Role::Client)
            .unwrap();
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        connection
            .event(Timestamp(2), &EntryKind::Open { local, remote })
            .unwrap();
        for len in [1, 1000, MAX_PAYLOAD] {
            for direction in [Direction::Sent, Direction::Received] {
                let bytes = vec![b'a' + number as u8; len];
                connection.data(Timestamp(3), direction, &bytes).unwrap();
            }
        }
        for by in [Side::Local, Side::Peer] {
            let end = End {
                by,
                how: EndHow::Fin,
                errno: None,
            };
            let kind = match by {
                Side::Local => EntryKind::HalfClose { by },
                Side::Peer => EntryKind::Close(end),
            };
            connection.event(Timestamp(4), &kind).unwrap();
        }
    }
    let expected = ours(&recorder.reader());
    for format in ["pcap", "nsecpcap", "pcapng"] {
        let foreign = home.path(format);
        let edited = Command::new("editcap")
            .args(["-F", format])
            .args([&own, &foreign])
            .status()
            .unwrap();
        assert!(edited.success());
        let (opening, report) = wire::open(&foreign);
        assert_eq!(report.remarks, Vec::<String>::new());
        assert_same(&ours(&opening.session), &expected);
        assert_eq!(closed(&opening.session), 2);
    }
}
