//! Exports by the real binary, judged by other programs: tshark reads the captures, Python runs the scripts, xxd turns
//! the hexdumps back; and what becomes of a file when the disk is full or a signal comes.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its peers has failed"
)]

#[path = "support/binary.rs"]
mod binary;
#[path = "support/server.rs"]
mod server;
#[path = "support/wire.rs"]
mod wire;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sha2::{Digest as _, Sha256};
use sockscope::capture::{Annotator, Connection, Create, Existing, Recorder, Session};
use sockscope::model::{
    Annotation, Direction, End, EndHow, EntryId, EntryKind, Records as _, Role, Side, Timestamp,
};

use binary::{Finished, Home, accept, expect, finish, listen, read_all, recorded, serve};
use server::is_installed;
use wire::{Flag, From, Talk};

/// Every byte, and what would end a string or a line of a script.
fn hostile() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).collect();
    bytes.extend(b"\"\"\"'''\\\"\\\n\r\n# x\x1b]0;x\x07\xe2\x80\xae\0end");
    bytes
}

fn recorder(path: &Path) -> Recorder {
    Recorder::create(&Create {
        path: path.to_owned(),
        existing: Existing::Refuse,
        max_size: None,
    })
    .unwrap()
}

fn connect(recorder: &Recorder, number: u64, port: u16) -> Connection {
    let endpoint = format!("localhost:{port}").parse().unwrap();
    let connection = recorder
        .connection(Timestamp(number), &endpoint, Role::Client)
        .unwrap();
    let open = EntryKind::Open {
        local: format!("127.0.0.1:{}", 50_000 + number).parse().unwrap(),
        remote: format!("127.0.0.1:{port}").parse().unwrap(),
    };
    connection.event(Timestamp(number), &open).unwrap();
    connection
}

fn note(connection: &Connection, text: &str) {
    let kind = EntryKind::Note { text: text.into() };
    connection.event(Timestamp(9), &kind).unwrap();
}

fn ok(run: &Finished) {
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""), "{run:?}");
}

fn tshark(arguments: &[&str], path: &Path) -> String {
    let output = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(path)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The bytes of a stream as tshark follows it: those of the client, and those of the server.
fn followed(path: &Path, protocol: &str, stream: usize) -> (Vec<u8>, Vec<u8>) {
    let text = tshark(&["-q", "-z", &format!("follow,{protocol},raw,{stream}")], path);
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match hex::decode(line.trim()) {
            Ok(bytes) if line.starts_with('\t') => received.extend(bytes),
            Ok(bytes) => sent.extend(bytes),
            // What it says around them.
            Err(_) => {}
        }
    }
    (sent, received)
}

#[test]
fn json_of_a_recording_is_what_the_live_run_printed() {
    let home = Home::new();
    let (address, server) = serve(|mut stream| {
        expect(&mut stream, b"PING\r\n");
        stream.write_all(&hostile()).unwrap();
        stream.write_all("é漢".as_bytes()).unwrap();
    });
    let arguments = ["--headless", "--format", "jsonl", "-w", "a.pcapng", &address];
    let live = home.run(&arguments, b"PING\r\n");
    server.join().unwrap();
    let again = home.run(&["open", "a.pcapng", "--headless", "--format", "jsonl"], b"");
    ok(&again);
    assert_eq!(again.text(), live.text());
    // And of an export that was opened again; and as a file.
    ok(&home.run(&["open", "a.pcapng", "--headless", "-w", "b.pcapng"], b""));
    let third = home.run(
        &[
            "open",
            "b.pcapng",
            "--headless",
            "--format",
            "jsonl",
            "-w",
            "c.jsonl",
        ],
        b"",
    );
    ok(&third);
    assert_eq!(fs::read_to_string(home.path("c.jsonl")).unwrap(), live.text());
    // The kept ones are printed by their names.
    let kept = home.run(&["sessions", "open", "nothing", "--headless"], b"");
    assert_eq!(kept.code(), 1, "{kept:?}");
}

#[test]
fn of_nothing_no_file_is_written() {
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    connect(&recorder, 0, 80);
    let arguments = ["open", "a.pcapng", "--headless", "--filter", "dir:rx"];
    // What is printed may well be nothing.
    ok(&home.run(&arguments, b""));
    let run = home.run(&[&arguments[..], &["-w", "b.pcapng"]].concat(), b"");
    assert_eq!(run.code(), 1, "{run:?}");
    let said = "sockscope: nothing was written: there is no entry for which dir:rx holds\n";
    assert_eq!(run.stderr, said);
    assert!(!home.path("b.pcapng").exists());
}

#[test]
fn raw_bytes_are_those_that_crossed() {
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let connection = connect(&recorder, 0, 80);
    let (mut sent, mut received) = (Sha256::new(), Sha256::new());
    for number in 0..200u32 {
        let bytes: Vec<u8> = number.to_le_bytes().repeat(1 + number as usize % 5000);
        connection.data(Timestamp(9), Direction::Sent, &bytes).unwrap();
        sent.update(&bytes);
        connection
            .data(Timestamp(9), Direction::Received, &hostile())
            .unwrap();
        received.update(hostile());
    }
    ok(&home.run(
        &["open", "a.pcapng", "--headless", "--format", "raw", "-w", "out"],
        b"",
    ));
    let sha = |name: &str| Sha256::digest(fs::read(home.path(name)).unwrap());
    assert_eq!(sha("out.sent"), sent.finalize());
    assert_eq!(sha("out.received"), received.clone().finalize());
    let printed = home.run(&["open", "a.pcapng", "--headless", "--format", "raw"], b"");
    ok(&printed);
    assert_eq!(Sha256::digest(&printed.stdout), received.finalize());
}

/// A capture of others in which the answers of a server are not all there, and the client sends nothing that would
/// say in our packets that it has got them.
#[test]
fn wireshark_follows_what_stands_behind_a_gap() {
    if !is_installed("tshark") {
        return;
    }
    let home = Home::new();
    let mut talk = Talk::new("10.0.0.1:5000", "10.0.0.2:80", [0, 0]);
    talk.open();
    talk.ask(b"GET\n");
    for answer in [&b"AAAA\n"[..], b"BBBB\n", b"CCCC\n", b"DDDD\n", b"EEEE\n"] {
        talk.answer(answer);
        talk.ask(b"");
    }
    talk.send(From::Server, Flag::Fin, b"");
    talk.packets.retain(|packet| !packet.ip.ends_with(b"BBBB\n"));
    wire::write_old(
        &home.path("a.pcap"),
        &wire::pcap(wire::Order::Little, false, 1, 65_535, &talk.packets),
    );
    let run = home.run(&["open", "a.pcap", "--headless", "-w", "b.pcapng"], b"");
    assert_eq!(run.code(), 0, "{run:?}");
    let expected = [
        b"AAAA\n",
        &b"[5 bytes missing in capture file]\0"[..],
        b"CCCC\nDDDD\nEEEE\n",
    ]
    .concat();
    let (sent, received) = followed(&home.path("b.pcapng"), "tcp", 0);
    assert_eq!(
        String::from_utf8_lossy(&received),
        String::from_utf8_lossy(&expected)
    );
    assert_eq!(sent, b"GET\n");
}

#[test]
fn wireshark_reads_an_export_and_its_comments() {
    if !is_installed("tshark") {
        return;
    }
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let first = connect(&recorder, 0, 6379);
    let second = connect(&recorder, 1, 6379);
    first.data(Timestamp(9), Direction::Sent, &hostile()).unwrap();
    note(&first, "the next answer is \"odd\"\x1b[2J");
    first
        .data(Timestamp(9), Direction::Received, b"+odd\r\n")
        .unwrap();
    second.data(Timestamp(9), Direction::Sent, b"unseen").unwrap();
    first
        .event(Timestamp(10), &EntryKind::HalfClose { by: Side::Peer })
        .unwrap();
    let end = End {
        by: Side::Local,
        how: EndHow::Fin,
        errno: None,
    };
    first.event(Timestamp(11), &EntryKind::Close(end)).unwrap();
    ok(&home.run(&["open", "a.pcapng", "--headless", "-w", "all.pcapng"], b""));
    let all = home.path("all.pcapng");
    assert_eq!(followed(&all, "tcp", 0), (hostile(), b"+odd\r\n".to_vec()));
    let comments = tshark(
        &[
            "-Y",
            "frame.comment",
            "-T",
            "fields",
            "-e",
            "tcp.payload",
            "-e",
            "frame.comment",
        ],
        &all,
    );
    assert_eq!(
        comments.trim_end(),
        format!("{}\tthe next answer is \"odd\"␛[2J", hex::encode("+odd\r\n"))
    );
    // Nothing about it is remarkable, and neither is it about a part: what was left out is no gap.
    let filter = [
        "open",
        "a.pcapng",
        "--headless",
        "--filter",
        "conn:0 dir:rx",
        "-w",
        "part.pcapng",
    ];
    ok(&home.run(&filter, b""));
    for name in ["all.pcapng", "part.pcapng"] {
        assert_eq!(
            tshark(&["-Y", "tcp.analysis.flags"], &home.path(name)),
            "",
            "{name}"
        );
    }
    let part = home.path("part.pcapng");
    assert_eq!(
        tshark(&["-T", "fields", "-e", "tcp.payload"], &part).trim(),
        hex::encode("+odd\r\n")
    );
    assert_eq!(Session::open(&part).unwrap().len(), 1);
}

#[test]
fn marks_and_comments_are_exported_and_opened_again() {
    if !is_installed("tshark") {
        return;
    }
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let connection = connect(&recorder, 0, 6379);
    note(&connection, "before");
    let sent = connection
        .data(Timestamp(9), Direction::Sent, b"PING\r\n")
        .unwrap();
    let received = connection
        .data(Timestamp(9), Direction::Received, b"+PONG\r\n")
        .unwrap();
    let both = Annotation {
        marked: true,
        comment: Some("slow\nsee \"RFC 793\"".into()),
    };
    let mark = Annotation {
        marked: true,
        comment: None,
    };
    let mut annotator = Annotator::of_recording(recorder.clone());
    annotator.annotate(sent, both.clone()).unwrap();
    annotator.annotate(received, mark.clone()).unwrap();
    let filter = [
        "open",
        "a.pcapng",
        "--headless",
        "--filter",
        "kind:data",
        "-w",
        "b.pcapng",
    ];
    ok(&home.run(&filter, b""));
    let fields = [
        "-Y",
        "frame.comment",
        "-T",
        "fields",
        "-e",
        "tcp.len",
        "-e",
        "frame.comment",
    ];
    let comments = tshark(&fields, &home.path("b.pcapng"));
    assert_eq!(comments, "6\tmarked\\nslow\\nsee \"RFC 793\"\n7\tmarked\n");
    let opened = Session::open(&home.path("b.pcapng")).unwrap();
    assert_eq!(opened.annotation(EntryId(0)), Some(both));
    assert_eq!(opened.annotation(EntryId(1)), Some(mark));
    let json = home
        .run(&["open", "b.pcapng", "--headless", "--format", "jsonl"], b"")
        .objects();
    assert_eq!(json[0]["comment"], "slow\nsee \"RFC 793\"");
    assert_eq!((&json[1]["marked"], json[1].get("comment")), (&true.into(), None));
    let text = home.run(&["open", "a.pcapng", "--headless"], b"").text();
    assert!(
        text.contains("PING␍␊\n  # marked\n  # slow\n  # see \"RFC 793\"\n"),
        "{text}"
    );
}

#[test]
fn what_was_written_beside_a_capture_of_others_is_exported() {
    let home = Home::new();
    let mut talk = Talk::new("192.0.2.1:5000", "192.0.2.2:6379", [7, 900]);
    talk.open();
    talk.ask(b"PING\r\n");
    let path = home.path("a.pcap");
    wire::write_old(
        &path,
        &wire::pcap(wire::Order::Little, true, 1, usize::MAX, &talk.packets),
    );
    let (opening, _) = wire::open(&path);
    let comment = Annotation {
        marked: false,
        comment: Some("theirs".into()),
    };
    let mut annotator = Annotator::of_file(opening.session.clone());
    annotator.annotate(EntryId(2), comment.clone()).unwrap();
    ok(&home.run(&["open", "a.pcap", "--headless", "-w", "b.pcapng"], b""));
    let opened = Session::open(&home.path("b.pcapng")).unwrap();
    assert_eq!(opened.annotation(EntryId(2)), Some(comment));
}

#[test]
fn wireshark_reads_what_became_of_a_capture_of_others() {
    if !is_installed("tshark") {
        return;
    }
    let home = Home::new();
    let mut talk = Talk::new("[2001:db8::1]:5000", "[2001:db8::2]:6379", [7, u32::MAX]);
    talk.open();
    for number in 0..50u8 {
        talk.ask(&[number; 900]);
        talk.answer(&[number; 1400]);
    }
    talk.close();
    let mut packets = talk.packets.clone();
    let question = hex::decode("123401000001000000000000076578616d706c65036f72670000010001").unwrap();
    for (from, to) in [
        ("[2001:db8::1]:5300", "[2001:db8::9]:53"),
        ("192.0.2.1:5300", "192.0.2.9:53"),
    ] {
        let ip = wire::udp(from, to, &question);
        packets.push(wire::Packet { at: talk.now, ip });
    }
    let original = home.path("foreign.pcap");
    wire::write_old(
        &original,
        &wire::pcap(wire::Order::Little, true, 1, usize::MAX, &packets),
    );
    ok(&home.run(&["open", "foreign.pcap", "--headless", "-w", "ours.pcapng"], b""));
    let ours = home.path("ours.pcapng");
    assert_eq!(followed(&ours, "tcp", 0), followed(&original, "tcp", 0));
    let names = [
        "-Y",
        "dns",
        "-o",
        "udp.check_checksum:TRUE",
        "-T",
        "fields",
        "-e",
        "dns.qry.name",
        "-e",
        "udp.checksum.status",
    ];
    // The checksum is right over IPv6 and absent over IPv4.
    assert_eq!(tshark(&names, &ours), "example.org\t1\nexample.org\t3\n");
    assert_eq!(tshark(&["-Y", "_ws.expert.severity >= error"], &ours), "");
}

#[test]
fn a_hexdump_is_turned_back_by_xxd() {
    if !is_installed("xxd") {
        return;
    }
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let connection = connect(&recorder, 0, 80);
    connection
        .data(Timestamp(9), Direction::Received, &hostile())
        .unwrap();
    ok(&home.run(
        &["open", "a.pcapng", "--headless", "--format", "hex", "-w", "a.txt"],
        b"",
    ));
    let text = fs::read_to_string(home.path("a.txt")).unwrap();
    assert!(
        text.starts_with(
            "# sockscope: exported from a.pcapng; recorded from 1970-01-01 00:00:00.000000 UTC on\n"
        ),
        "{text}"
    );
    assert!(
        text.bytes().all(|byte| byte >= b' ' || byte == b'\n'),
        "no control characters"
    );
    let turn_back = "grep '^  [0-9a-f]\\{8\\}  ' a.txt | cut -c13-62 | xxd -r -p";
    let output = Command::new("sh")
        .args(["-c", turn_back])
        .current_dir(home.path(""))
        .output()
        .unwrap();
    assert_eq!(output.stdout, hostile());
}

/// Serves clients one after the other; what each of them sent comes out of the handle.
fn repeated(
    listener: TcpListener,
    clients: usize,
    script: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static,
) -> JoinHandle<Vec<Vec<u8>>> {
    let script = std::sync::Arc::new(script);
    thread::spawn(move || {
        let serve = |number| {
            let mut stream = accept(&listener);
            let script = script.clone();
            thread::spawn(move || {
                let mut copy = stream.try_clone().unwrap();
                script(number, &mut copy);
                read_all(&mut stream)
            })
        };
        let served: Vec<_> = (0..clients).map(serve).collect();
        served.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn python(home: &Home, script: &str, address: &str) -> Finished {
    let (host, port) = address.rsplit_once(':').unwrap();
    let mut command = Command::new("python3");
    home.prepare(&mut command);
    finish(command.arg(script).args([host, port]).spawn().unwrap())
}

#[test]
fn the_script_repeats_what_the_client_sent() {
    if !is_installed("python3") {
        return;
    }
    let home = Home::new();
    let (listener, address) = listen();
    let script = |_: usize, stream: &mut TcpStream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        expect(stream, b"EHLO\r\n");
        // In other pieces than it came before.
        for byte in b"250 ok\r\n" {
            stream.write_all(&[*byte]).unwrap();
        }
        let mut request = hostile();
        request.extend(vec![b'x'; 200_000]);
        expect(stream, &request);
        stream.write_all(&vec![b'y'; 300_000]).unwrap();
        // The client sends FIN, and still reads.
        assert_eq!(read_all(stream), b"last words");
        stream.write_all(b"bye").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    };
    let first = repeated(listener, 1, script);
    let (mut request, mut input) = (hostile(), b"EHLO\r\n".to_vec());
    request.extend(vec![b'x'; 200_000]);
    input.extend(&request);
    input.extend(b"last words");
    let run = home.run(
        &["--headless", "--format", "none", "-w", "a.pcapng", &address],
        &input,
    );
    ok(&run);
    first.join().unwrap();
    ok(&home.run(
        &[
            "open",
            "a.pcapng",
            "--headless",
            "--format",
            "python",
            "-w",
            "a.py",
        ],
        b"",
    ));
    let text = fs::read(home.path("a.py")).unwrap();
    assert!(
        text.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')),
        "printable ASCII only"
    );
    let (listener, address) = listen();
    let second = repeated(listener, 1, script);
    let run = python(&home, "a.py", &address);
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""), "{run:?}");
    second.join().unwrap();
    assert!(
        run.text().contains("0: sent FIN\n") && run.text().ends_with("0: closed\n"),
        "{}",
        run.text()
    );
}

#[test]
fn the_script_repeats_several_connections_and_their_ends() {
    if !is_installed("python3") {
        return;
    }
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let first = connect(&recorder, 0, 1);
    let second = connect(&recorder, 1, 1);
    let data = |connection: &Connection, direction, bytes: &[u8]| {
        connection.data(Timestamp(9), direction, bytes).unwrap();
    };
    data(&first, Direction::Sent, b"one");
    note(&first, "\"\"\"\nimport os # \\");
    data(&second, Direction::Sent, b"two");
    data(&second, Direction::Received, b"TWO");
    data(&first, Direction::Received, b"ONE");
    data(&second, Direction::Sent, b"deux");
    let end = |by, how| EntryKind::Close(End { by, how, errno: None });
    first
        .event(Timestamp(9), &EntryKind::HalfClose { by: Side::Local })
        .unwrap();
    first.event(Timestamp(9), &end(Side::Peer, EndHow::Fin)).unwrap();
    second
        .event(Timestamp(9), &end(Side::Local, EndHow::Fin))
        .unwrap();
    ok(&home.run(
        &[
            "open",
            "a.pcapng",
            "--headless",
            "--format",
            "python",
            "-w",
            "a.py",
        ],
        b"",
    ));
    let text = fs::read_to_string(home.path("a.py")).unwrap();
    let steps: Vec<&str> = text
        .split("# What was recorded.")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    let steps = steps.join(" ");
    assert_eq!(
        steps,
        "connect(0, \"127.0.0.1\", 1) # tcp://localhost:1 connect(1, \"127.0.0.1\", 1) # tcp://localhost:1 \
         send(0, b\"one\") # \"\"\"\\x0aimport os # \\ send(1, b\"two\") receive(0, 3) receive(1, 3) send(1, b\"deux\") \
         finish(0) receive_end(0) close(0) close(1) sys.exit(status)"
    );
    let (listener, address) = listen();
    let server = repeated(listener, 2, |number, stream| {
        let (question, answer) = [("one", "ONE"), ("two", "TWO")][number];
        expect(stream, question.as_bytes());
        stream.write_all(answer.as_bytes()).unwrap();
        if number == 0 {
            assert_eq!(read_all(stream), b"");
            stream.shutdown(Shutdown::Write).unwrap();
        }
    });
    let run = python(&home, "a.py", &address);
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""), "{run:?}");
    assert_eq!(server.join().unwrap(), [b"".to_vec(), b"deux".to_vec()]);
    // A server that answers less is named, and the script does not hang on it.
    let (listener, address) = listen();
    let server = repeated(listener, 2, |_, stream| {
        stream.write_all(b"O").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    });
    let run = python(&home, "a.py", &address);
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(
        run.stderr.contains("2 bytes did not come: the server has ended"),
        "{run:?}"
    );
    server.join().unwrap();
    // Without a server every connection says so, and nothing more is tried.
    let run = python(&home, "a.py", &binary::free_port().to_string());
    assert_eq!((run.code(), run.stderr.lines().count()), (1, 2), "{run:?}");
}

/// The binary with a capture on its standard input, the rest of which is yet to come.
fn reading(home: &Home, arguments: &[&str], recording: &Path) -> (Child, std::process::ChildStdin) {
    let mut child = home.sockscope(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&fs::read(recording).unwrap()).unwrap();
    (child, stdin)
}

#[test]
fn a_stream_is_printed_as_it_comes() {
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let connection = connect(&recorder, 0, 80);
    connection
        .data(Timestamp(9), Direction::Received, b"first")
        .unwrap();
    let arguments = ["open", "-", "--headless", "--filter", "dir:rx"];
    let (mut child, mut stdin) = reading(&home, &arguments, recorder.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("first"));
    let size = recorder.size() as usize;
    connection
        .data(Timestamp(9), Direction::Sent, b"not this")
        .unwrap();
    connection
        .data(Timestamp(9), Direction::Received, b"second")
        .unwrap();
    stdin
        .write_all(&fs::read(recorder.path()).unwrap()[size..])
        .unwrap();
    assert!(lines.next().unwrap().unwrap().ends_with("second"));
    drop(stdin);
    assert!(lines.next().is_none());
    ok(&finish(child));
}

#[test]
fn a_reader_that_goes_away_ends_the_printing_of_a_stream() {
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    connect(&recorder, 0, 80);
    let (mut child, _stdin) = reading(&home, &["open", "-", "--headless"], recorder.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    drop(lines);
    ok(&finish(child));
}

#[test]
fn a_signal_leaves_no_unfinished_file() {
    use std::os::unix::process::ExitStatusExt as _;
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    connect(&recorder, 0, 80);
    let arguments = ["open", "-", "--headless", "--format", "raw", "-w", "out"];
    let (child, stdin) = reading(&home, &arguments, recorder.path());
    let out = home.path("out.received");
    while !out.exists() {
        thread::yield_now();
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let run = finish(child);
    assert_eq!(run.status.signal(), Some(Signal::SIGINT as i32), "{run:?}");
    assert!(!out.exists() && !home.path("out.sent").exists());
    drop(stdin);
}

#[test]
fn what_is_damaged_is_said_and_the_rest_is_printed() {
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let connection = connect(&recorder, 0, 80);
    connection
        .data(Timestamp(9), Direction::Received, b"whole")
        .unwrap();
    connection
        .data(Timestamp(9), Direction::Received, b"torn")
        .unwrap();
    let bytes = fs::read(recorder.path()).unwrap();
    wire::write_old(&home.path("b.pcapng"), &bytes[..bytes.len() - 7]);
    let run = home.run(&["open", "b.pcapng", "--headless"], b"");
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.text().trim_end().ends_with("whole"));
    assert!(run.stderr.contains("no whole block"), "{run:?}");
    fs::write(home.path("empty"), "").unwrap();
    let run = home.run(&["open", "empty", "--headless"], b"");
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stderr.contains("it is empty"), "{run:?}");
    fs::write(home.path("c.txt"), "just words, and more than twelve").unwrap();
    let run = home.run(&["open", "c.txt", "--headless"], b"");
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(run.stderr.contains("it begins as no capture does"), "{run:?}");
}

/// A recording of a few mebibytes.
fn large(home: &Home) {
    let recorder = recorder(&home.path("large.pcapng"));
    let connection = connect(&recorder, 0, 80);
    for _ in 0..32 {
        for direction in [Direction::Sent, Direction::Received] {
            connection
                .data(Timestamp(9), direction, &vec![7; 60_000])
                .unwrap();
        }
    }
}

#[test]
fn a_file_size_limit_is_told_and_leaves_no_file() {
    let home = Home::new();
    large(&home);
    let binary = env!("CARGO_BIN_EXE_sockscope");
    for format in ["pcapng", "jsonl", "raw", "hex", "text", "python"] {
        let script =
            format!("ulimit -f 100; exec {binary} open large.pcapng --headless --format {format} -w out");
        let mut command = Command::new("sh");
        home.prepare(&mut command);
        let run = finish(command.args(["-c", &script]).spawn().unwrap());
        assert_eq!(run.code(), 1, "{format}: {run:?}");
        assert!(
            run.stderr
                .starts_with("sockscope: cannot write out: File too large; "),
            "{run:?}"
        );
        let left = fs::read_dir(home.path(""))
            .unwrap()
            .map(|item| item.unwrap().file_name());
        let left: Vec<_> = left
            .filter(|name| name.to_string_lossy().starts_with("out"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_no_file() {
    if !is_installed("unshare") {
        return;
    }
    let home = Home::new();
    large(&home);
    fs::create_dir(home.path("small")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m none small || exit 77; echo old > small/out; {} open large.pcapng --headless -w \
         small/out --force; echo $? $(ls -A small) $(cat small/out)",
        env!("CARGO_BIN_EXE_sockscope")
    );
    let mut command = Command::new("unshare");
    home.prepare(&mut command);
    let run = finish(command.args(["--mount", "sh", "-c", &script]).spawn().unwrap());
    if run.stderr.contains("Operation not permitted") || run.status.code() == Some(77) {
        println!("skipped: a file system can be mounted only by root");
        return;
    }
    assert_eq!(
        run.text(),
        "1 out old\n",
        "the old file is there, and nothing else: {run:?}"
    );
    let expected = "sockscope: cannot write small/out: No space left on device; free some space, or choose another place\n";
    assert_eq!(run.stderr, expected);
}

#[test]
fn what_was_received_is_in_every_format() {
    let home = Home::new();
    let recorder = recorder(&home.path("a.pcapng"));
    let connection = connect(&recorder, 0, 80);
    connection
        .data(Timestamp(9), Direction::Received, b"payload")
        .unwrap();
    let copy = home.run(&["open", "a.pcapng", "--headless", "--format", "pcapng"], b"");
    fs::write(home.path("b.pcapng"), &copy.stdout).unwrap();
    assert_eq!(recorded(&home.path("b.pcapng"), Direction::Received), b"payload");
    let same = home.run(&["open", "a.pcapng", "-w", "-"], b"");
    assert_eq!(same.stdout, copy.stdout);
    let nothing = home.run(&["open", "a.pcapng", "--headless", "--format", "none"], b"");
    ok(&nothing);
    assert!(nothing.stdout.is_empty());
}
