//! P18: Wireshark reads the session file as it was meant, also while it grows: no unexpected expert
//! information, and Follow Stream returns the bytes that crossed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/server.rs"]
mod server;
#[path = "support/tshark.rs"]
mod tshark;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sockscope::capture::{Connection, Create, Existing, MAX_PAYLOAD, Recorder, Ring, Session};
use sockscope::model::Side::{Local, Peer};
use sockscope::model::{
    Agreed, Direction, End, EndHow, EntryKind, Records as _, Role, Side, Timestamp, TlsReport, TlsRole,
    Verdict,
};

use server::is_installed;
use tshark::{Transport, complaints, fields, tshark};

const START: u64 = 1_795_435_200_000_000_000;

/// Both directions of a stream as Follow Stream gives them: from the client, and from the server.
fn follow(path: &Path, streams: usize) -> Vec<[Vec<u8>; 2]> {
    let followed = tshark::follow(path, Transport::Tcp, streams as u32);
    followed.into_iter().map(|stream| stream.bytes).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A recording under way, with the bytes that crossed.
struct Sketch {
    _folder: tempfile::TempDir,
    path: PathBuf,
    recorder: Recorder,
    now: u64,
}

/// One connection of a sketch.
struct Line {
    connection: Connection,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Sketch {
    fn new() -> Sketch {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        let create = Create {
            path: path.clone(),
            existing: Existing::Refuse,
            max_size: None,
        };
        Sketch {
            recorder: Recorder::create(&create).unwrap(),
            _folder: folder,
            path,
            now: START,
        }
    }

    fn tick(&mut self) -> Timestamp {
        self.now += 1_000_003;
        Timestamp(self.now)
    }

    fn open(&mut self, local: &str, remote: &str) -> Line {
        self.open_as(Role::Client, local, remote)
    }

    fn open_as(&mut self, role: Role, local: &str, remote: &str) -> Line {
        let endpoint = format!("tcp://{remote}").parse().unwrap();
        let at = self.tick();
        let connection = self.recorder.connection(at, &endpoint, role).unwrap();
        let line = Line {
            connection,
            sent: Vec::new(),
            received: Vec::new(),
        };
        let note = EntryKind::Note {
            text: "dialing".into(),
        };
        self.event(&line, &note);
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        self.event(&line, &EntryKind::Open { local, remote });
        line
    }

    fn event(&mut self, line: &Line, kind: &EntryKind) {
        let at = self.tick();
        line.connection.event(at, kind).unwrap();
    }

    fn send(&mut self, line: &mut Line, bytes: &[u8]) {
        line.connection.data(self.tick(), Direction::Sent, bytes).unwrap();
        line.sent.extend(bytes);
    }

    fn receive(&mut self, line: &mut Line, bytes: &[u8]) {
        line.connection
            .data(self.tick(), Direction::Received, bytes)
            .unwrap();
        line.received.extend(bytes);
    }

    fn close(&mut self, line: &Line, by: Side, how: EndHow) {
        let errno = (how == EndHow::Rst).then_some(104);
        self.event(line, &EntryKind::Close(End { by, how, errno }));
    }

    fn assert_clean(&self, lines: &[&Line]) {
        assert_eq!(complaints(&self.path), Vec::<String>::new());
        self.assert_followed(lines);
    }

    fn assert_followed(&self, lines: &[&Line]) {
        let streams = follow(&self.path, lines.len());
        for (stream, (line, [client, server])) in lines.iter().zip(&streams).enumerate() {
            assert_eq!(sha256(client), sha256(&line.sent), "stream {stream}, sent");
            assert_eq!(
                sha256(server),
                sha256(&line.received),
                "stream {stream}, received"
            );
        }
    }
}

const V4: (&str, &str) = ("127.0.0.1:50312", "127.0.0.1:16379");
const V6: (&str, &str) = ("[::1]:50312", "[::1]:16379");

/// Bytes that no dissector takes for a protocol of its own.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn half_close(by: Side) -> EntryKind {
    EntryKind::HalfClose { by }
}

#[test]
fn a_talk_is_followed_in_both_families() {
    if !is_installed("tshark") {
        return;
    }
    for (local, remote) in [V4, V6] {
        let mut sketch = Sketch::new();
        let mut line = sketch.open(local, remote);
        for n in 1..40 {
            sketch.send(&mut line, &noise(n, 1));
            sketch.receive(&mut line, &noise(n * 31 % 97 + 1, 2));
        }
        sketch.event(&line, &half_close(Local));
        sketch.receive(&mut line, b"the reply comes after our FIN");
        sketch.close(&line, Peer, EndHow::Fin);
        sketch.assert_clean(&[&line]);
    }
}

#[test]
fn whoever_dialed_sends_the_syn() {
    if !is_installed("tshark") {
        return;
    }
    for (local, remote) in [V4, V6] {
        let mut sketch = Sketch::new();
        let mut line = sketch.open_as(Role::Server, remote, local);
        sketch.receive(&mut line, b"a question");
        sketch.send(&mut line, b"an answer");
        sketch.event(&line, &half_close(Peer));
        sketch.close(&line, Local, EndHow::Fin);
        assert_eq!(complaints(&sketch.path), Vec::<String>::new());
        assert_eq!(fields(&sketch.path, &["tcp.srcport"])[..2], ["50312", "16379"]);
        let streams = follow(&sketch.path, 1);
        assert_eq!(sha256(&streams[0][0]), sha256(&line.received));
        assert_eq!(sha256(&streams[0][1]), sha256(&line.sent));
    }
}

#[test]
fn a_relay_between_families_is_followed() {
    if !is_installed("tshark") {
        return;
    }
    let mut sketch = Sketch::new();
    let mut line = sketch.open_as(Role::Tap, V4.0, V6.1);
    sketch.send(&mut line, b"a question");
    sketch.receive(&mut line, b"an answer");
    sketch.close(&line, Local, EndHow::Fin);
    sketch.assert_clean(&[&line]);
    assert_eq!(fields(&sketch.path, &["ipv6.src"])[0], "::ffff:127.0.0.1");
}

#[test]
fn a_flood_of_largest_entries_wraps_and_is_followed() {
    if !is_installed("tshark") {
        return;
    }
    for (local, remote) in [V4, V6] {
        let mut sketch = Sketch::new();
        let mut line = sketch.open(local, remote);
        for n in 0..40 {
            sketch.receive(&mut line, &noise(MAX_PAYLOAD - n, n as u64));
        }
        sketch.send(&mut line, b"thanks");
        sketch.assert_clean(&[&line]);
        // The peer's numbers start 64 KiB below 2^32.
        let raw: Vec<u32> = fields(&sketch.path, &["tcp.seq_raw"])
            .iter()
            .map(|number| number.parse().unwrap())
            .collect();
        assert!(
            raw.windows(2)
                .any(|pair| pair[0] > u32::MAX - 70_000 && pair[1] < 70_000)
        );
    }
}

#[test]
fn ends_in_every_order_are_clean() {
    if !is_installed("tshark") {
        return;
    }
    for (first, second) in [(Local, Peer), (Peer, Local)] {
        let mut sketch = Sketch::new();
        let mut line = sketch.open(V4.0, V4.1);
        sketch.send(&mut line, b"hello");
        sketch.receive(&mut line, b"welcome");
        sketch.event(&line, &half_close(first));
        match second {
            Local => sketch.send(&mut line, b"we go on"),
            Peer => sketch.receive(&mut line, b"they go on"),
        }
        sketch.close(&line, second, EndHow::Fin);
        sketch.assert_clean(&[&line]);
    }
    for by in [Local, Peer] {
        let mut sketch = Sketch::new();
        let mut line = sketch.open(V6.0, V6.1);
        sketch.send(&mut line, b"hello");
        sketch.receive(&mut line, b"welcome");
        sketch.close(&line, by, EndHow::Rst);
        sketch.assert_clean(&[&line]);
        let resets = fields(&sketch.path, &["tcp.flags.reset"]);
        assert_eq!(
            resets
                .iter()
                .filter(|flag| *flag == "1" || *flag == "True")
                .count(),
            1
        );
    }
    for first in [Local, Peer] {
        let mut sketch = Sketch::new();
        let mut line = sketch.open(V4.0, V4.1);
        sketch.receive(&mut line, b"welcome");
        sketch.event(&line, &half_close(first));
        sketch.close(&line, Peer, EndHow::Rst);
        sketch.assert_clean(&[&line]);
    }
}

#[test]
fn ends_that_tcp_has_no_packet_for_are_clean() {
    if !is_installed("tshark") {
        return;
    }
    let mut sketch = Sketch::new();
    let mut line = sketch.open(V4.0, V4.1);
    sketch.send(&mut line, b"hello");
    sketch.close(&line, Local, EndHow::Timeout);
    let error = EntryKind::Error {
        text: "a \u{1b}[31m sentence".into(),
        errno: Some(110),
    };
    sketch.event(&line, &error);
    sketch.assert_clean(&[&line]);
    assert_eq!(fields(&sketch.path, &["frame.number"]).len(), 4);
}

#[test]
fn connections_one_after_the_other_from_the_same_port_stay_apart() {
    if !is_installed("tshark") {
        return;
    }
    let mut sketch = Sketch::new();
    let mut lines = Vec::new();
    for round in 0..4u8 {
        let mut line = sketch.open(V4.0, V4.1);
        sketch.send(&mut line, &[b'a' + round; 100]);
        sketch.receive(&mut line, &[b'A' + round; 1000]);
        let how = if round == 2 { EndHow::Rst } else { EndHow::Fin };
        if how == EndHow::Fin {
            sketch.event(&line, &half_close(Local));
        }
        sketch.close(&line, Peer, how);
        lines.push(line);
    }
    sketch.assert_followed(&lines.iter().collect::<Vec<_>>());
    // That the port is used again is true, and worth the remark.
    let complaints = complaints(&sketch.path);
    assert!(
        complaints
            .iter()
            .all(|text| text.contains("started with the same ports")),
        "{complaints:?}"
    );
}

#[test]
fn connections_at_the_same_time_stay_apart() {
    if !is_installed("tshark") {
        return;
    }
    let mut sketch = Sketch::new();
    let mut first = sketch.open(V4.0, V4.1);
    let mut second = sketch.open(V6.0, V6.1);
    for n in 1..30 {
        sketch.send(&mut first, &noise(n, 5));
        sketch.receive(&mut second, &noise(n, 6));
        sketch.receive(&mut first, &noise(n, 7));
        sketch.send(&mut second, &noise(n, 8));
    }
    sketch.assert_clean(&[&first, &second]);
}

/// Each file of a ring is followed by itself, also those that begin in the middle of a connection.
/// What came before an upgrade to TLS and what was decrypted after it are streams of their own, and one connection here.
#[test]
fn both_parts_of_an_upgraded_connection_are_followed() {
    if !is_installed("tshark") {
        return;
    }
    for ((local, remote), port) in [
        (V4, 16379),
        (V6, 16379),
        (("127.0.0.1:50312", "127.0.0.1:443"), 80),
    ] {
        let mut sketch = Sketch::new();
        let mut plain = sketch.open(local, remote);
        sketch.receive(&mut plain, &noise(30, 1));
        sketch.send(&mut plain, &noise(20, 2));
        sketch.receive(&mut plain, &noise(10, 3));
        sketch.event(&plain, &upgrade());
        let mut decrypted = Line {
            connection: plain.connection.clone(),
            sent: Vec::new(),
            received: Vec::new(),
        };
        let mut other = sketch.open("127.0.0.1:50313", "127.0.0.1:16379");
        for n in 1..20 {
            sketch.send(&mut decrypted, &noise(n, 4));
            sketch.receive(&mut other, &noise(n * 3, 5));
            sketch.receive(&mut decrypted, &noise(n * 31 % 97 + 1, 6));
        }
        sketch.event(&decrypted, &half_close(Local));
        sketch.close(&decrypted, Peer, EndHow::Fin);
        sketch.close(&other, Peer, EndHow::Rst);
        sketch.assert_clean(&[&plain, &decrypted, &other]);
        let ports = fields(&sketch.path, &["tcp.stream", "tcp.dstport"]);
        let server = format!("1\t{port}");
        assert!(ports.contains(&server), "{ports:?}");

        let session = Session::open(&sketch.path).unwrap();
        assert_eq!(session.conversations(), 2);
        let one = session.conversation(plain.connection.id()).unwrap();
        assert_eq!(one.sent, (plain.sent.len() + decrypted.sent.len()) as u64);
        assert_eq!(one.name, format!("tcp://{remote}"));
        assert_eq!(one.client(), Some(local.parse().unwrap()));
    }
}

fn upgrade() -> EntryKind {
    EntryKind::Tls(Box::new(TlsReport {
        role: TlsRole::Client,
        server_name: "localhost".into(),
        took: std::time::Duration::ZERO,
        agreed: Some(Agreed {
            version: "TLS 1.3".into(),
            cipher: "TLS_AES_128_GCM_SHA256".into(),
            group: None,
            alpn: None,
            resumed: false,
        }),
        verdict: Verdict::Trusted,
        chain: Vec::new(),
    }))
}

#[test]
fn every_file_of_a_ring_is_followed() {
    if !is_installed("tshark") {
        return;
    }
    for (local, remote) in [V4, V6] {
        let folder = tempfile::tempdir().unwrap();
        let ring = Ring {
            files: 100,
            each: 150_000,
            offset: 0,
        };
        let name = folder.path().join("a.pcapng");
        let mut sketch = Sketch {
            recorder: Recorder::create_ring(&name, ring, Timestamp(START)).unwrap(),
            path: name,
            _folder: folder,
            now: START,
        };
        let mut line = sketch.open(local, remote);
        for number in 0..40 {
            let len = 1 + number as usize * 7_919 % MAX_PAYLOAD;
            if number % 3 == 0 {
                sketch.send(&mut line, &noise(len, number));
            } else {
                sketch.receive(&mut line, &noise(len, number));
            }
        }
        sketch.event(&line, &half_close(Local));
        sketch.close(&line, Peer, EndHow::Fin);
        let files = sketch.recorder.files();
        assert!(files.len() > 5, "{files:?}");
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for path in &files {
            assert_eq!(complaints(path), Vec::<String>::new(), "{}", path.display());
            let followed = tshark::follow(path, Transport::Tcp, 1).swap_remove(0);
            let (ours, theirs) = (followed.sent_by(local), followed.sent_by(remote));
            sent.extend(ours);
            received.extend(theirs);
        }
        assert_eq!(sha256(&sent), sha256(&line.sent));
        assert_eq!(sha256(&received), sha256(&line.received));
    }
}

#[test]
fn a_gap_is_shown_as_missing_and_nothing_else() {
    if !is_installed("tshark") {
        return;
    }
    let mut sketch = Sketch::new();
    let mut line = sketch.open(V4.0, V4.1);
    sketch.receive(&mut line, b"before");
    let at = sketch.tick();
    line.connection.gap(at, Direction::Received, 1000).unwrap();
    sketch.receive(&mut line, b"after");
    assert_only_missing(&sketch.path, 1);
}

/// That so many parts are missing is all there is to say, once before and once where it is acknowledged.
fn assert_only_missing(path: &Path, gaps: usize) {
    let complaints = complaints(path);
    let count = |said| complaints.iter().filter(|text| text.contains(said)).count();
    let missing = count("Previous segment(s) not captured");
    let arrived = count("ACKed segment that wasn't captured");
    assert_eq!((missing, arrived), (gaps, gaps), "{complaints:?}");
    assert_eq!(complaints.len(), 2 * gaps, "{complaints:?}");
}

/// Nobody answers behind these gaps, so that no packet of the other side would say that what is missing arrived.
#[test]
fn what_stands_behind_a_gap_is_followed() {
    if !is_installed("tshark") {
        return;
    }
    for (local, remote) in [V4, V6] {
        let mut sketch = Sketch::new();
        let mut line = sketch.open(local, remote);
        let missing = |sketch: &mut Sketch, line: &mut Line, direction, bytes: u64| {
            line.connection.gap(sketch.tick(), direction, bytes).unwrap();
            let said = format!("[{bytes} bytes missing in capture file]\0");
            match direction {
                Direction::Sent => line.sent.extend(said.as_bytes()),
                Direction::Received => line.received.extend(said.as_bytes()),
            }
        };
        sketch.receive(&mut line, b"before");
        missing(&mut sketch, &mut line, Direction::Received, 1000);
        sketch.receive(&mut line, b"after");
        sketch.receive(&mut line, &noise(MAX_PAYLOAD, 1));
        missing(&mut sketch, &mut line, Direction::Received, 70_000);
        sketch.receive(&mut line, b"after the second");
        sketch.send(&mut line, b"a question");
        missing(&mut sketch, &mut line, Direction::Sent, 5);
        let at = sketch.tick();
        line.connection.masked(at, 6).unwrap();
        line.sent.extend(b"******");
        sketch.send(&mut line, b"and another");
        sketch.assert_followed(&[&line]);
        assert_only_missing(&sketch.path, 3);
        let again = Session::open(&sketch.path).unwrap();
        assert_eq!(again.len(), sketch.recorder.len());
    }
}

#[test]
fn the_file_opens_after_every_entry() {
    if !is_installed("tshark") {
        return;
    }
    let mut sketch = Sketch::new();
    let mut line = sketch.open(V4.0, V4.1);
    for n in 1..=8 {
        sketch.send(&mut line, &noise(n, 3));
        sketch.assert_clean(&[&line]);
        assert_eq!(fields(&sketch.path, &["frame.number"]).len(), 3 + n);
    }
}

#[test]
fn addresses_times_directions_and_checksums_are_those_recorded() {
    if !is_installed("tshark") {
        return;
    }
    let mut sketch = Sketch::new();
    let mut line = sketch.open("192.0.2.1:50312", "198.51.100.7:16379");
    sketch.send(&mut line, b"x");
    sketch.receive(&mut line, b"yy");
    let wanted = [
        "ip.src",
        "tcp.srcport",
        "ip.dst",
        "tcp.len",
        "frame.time_epoch",
        "frame.packet_flags_direction",
        "frame.interface_name",
    ];
    let rows = fields(&sketch.path, &wanted);
    let data: Vec<&str> = rows[3..].iter().map(String::as_str).collect();
    assert_eq!(
        data,
        [
            "192.0.2.1\t50312\t198.51.100.7\t1\t1795435200.004000012\t0x00000002\ttcp://198.51.100.7:16379",
            "198.51.100.7\t16379\t192.0.2.1\t2\t1795435200.005000015\t0x00000001\ttcp://198.51.100.7:16379",
        ]
    );
    let checked = tshark(
        &sketch.path,
        &[
            "-o",
            "ip.check_checksum:TRUE",
            "-T",
            "fields",
            "-e",
            "ip.checksum.status",
        ],
    );
    assert!(checked.lines().all(|status| status == "1"), "{checked}");
}
