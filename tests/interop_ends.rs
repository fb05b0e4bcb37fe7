//! Programs that end, and answers that come late, at the real binary: what the kernel of a program that is interrupted,
//! terminated or killed sends in its name is shown and relayed as what it was, behind everything that came before
//! (P11, P12).
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on has failed, and looks for what it knows"
)]

#[path = "support/binary.rs"]
mod binary;
#[path = "support/server.rs"]
mod server;
#[path = "support/service.rs"]
mod service;

use std::io::{self, BufRead as _, BufReader, Lines, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sockscope::capture::Session;
use sockscope::model::{Direction, End, EndHow, EntryId, EntryKind, Records as _, Side};

use binary::{HANGS, Home, accept, finish, free_port, listen, recorded};
use server::is_installed;
use service::Service;

/// What the program at the end has sent before it ends.
const SENT: usize = 200_000;

/// What it was sent and has not read when it ends, which makes its kernel send RST instead of FIN.
const UNREAD: usize = 1000;

/// As long as others wait for the end of a direction before they give up the other one.
const LATE: Duration = Duration::from_millis(1500);

/// What ends a program: Ctrl-C, `kill`, `kill -9`.
const SIGNALS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL];

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// A program at one end of the tap, and what it says.
struct Program {
    child: Child,
    stdin: ChildStdin,
    says: Lines<BufReader<Box<dyn Read>>>,
}

impl Program {
    /// Starts it; what it says is on its standard error or else on its standard output.
    fn start(arguments: &[&str], on_stderr: bool) -> Program {
        // A shell may have started all of this in the background, where Ctrl-C is ignored.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT").args(arguments);
        command.stdin(Stdio::piped());
        if on_stderr {
            command.stdout(Stdio::null()).stderr(Stdio::piped());
        } else {
            command.stdout(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read>);
        let says = stdout.unwrap_or_else(|| Box::new(child.stderr.take().unwrap()));
        Program {
            stdin: child.stdin.take().unwrap(),
            says: BufReader::new(says).lines(),
            child,
        }
    }

    /// The script, which sends, and waits until so many bytes are there that it does not read.
    fn scripted(how: &str, address: &str, unread: usize) -> Program {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/ends.py");
        let (host, port) = address.rsplit_once(':').unwrap();
        let [sent, unread] = [SENT, unread].map(|count| count.to_string());
        Program::start(&["python3", script, how, host, port, &sent, &unread], false)
    }

    /// Waits until it says something with this in it.
    fn hear(&mut self, part: &str) -> String {
        let mut lines = self.says.by_ref().map(Result::unwrap);
        lines.find(|line| line.contains(part)).unwrap()
    }

    /// Ends it.
    fn end(&mut self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.signal().is_some() || status.code().is_some(), "{status}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended by itself in a test that passes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the other end sees a reset behind `expected`, and not an end.
fn sees_reset(stream: &mut TcpStream, expected: &[u8]) -> bool {
    let mut got = Vec::new();
    let ended = stream.read_to_end(&mut got);
    assert!(
        got == expected,
        "{} of {} bytes: {ended:?}",
        got.len(),
        expected.len()
    );
    match ended {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            true
        }
    }
}

/// How the only pair of a recording ended, and who had sent FIN first.
fn ended(service: Service) -> (End, Option<Side>) {
    // The file has it when it is printed.
    service.wait_either("closed: ", "reset by ");
    let file = service.file.clone();
    service.terminate();
    let session = Session::open(&file).unwrap();
    let kinds: Vec<EntryKind> = (0..session.len())
        .map(|id| session.entry(EntryId(id)).unwrap().kind)
        .collect();
    let first_fin = kinds.iter().find_map(|kind| match kind {
        EntryKind::HalfClose { by } => Some(*by),
        _ => None,
    });
    let end = kinds.iter().find_map(|kind| match kind {
        EntryKind::Close(end) => Some(*end),
        _ => None,
    });
    (end.unwrap(), first_fin)
}

/// The program of `side` ends by `signal`, with so many bytes unread.
fn check(side: Side, signal: Signal, unread: usize) {
    let what = format!("{side:?} {signal} {unread}");
    println!("{what}");
    let home = Home::new();
    let (mut program, service, mut other) = match side {
        Side::Local => {
            let (listener, address) = listen();
            let service = Service::start(&home, &["tap", "127.0.0.1:0", &address]);
            let program = Program::scripted("connect", &service.address, unread);
            (program, service, accept(&listener))
        }
        Side::Peer => {
            let mut program = Program::scripted("listen", "127.0.0.1:0", unread);
            let port = program.hear("listening").replace("listening ", "");
            let service = Service::start(&home, &["tap", "127.0.0.1:0", &format!("127.0.0.1:{port}")]);
            let other = TcpStream::connect(&service.address).unwrap();
            other.set_read_timeout(Some(HANGS)).unwrap();
            (program, service, other)
        }
    };
    other.write_all(&pattern(unread)).unwrap();
    program.hear("ready");
    program.end(signal);
    let reset = sees_reset(&mut other, &pattern(SENT));
    assert_eq!(reset, unread > 0, "{what}");
    drop(other);
    let file = service.file.clone();
    let (end, first_fin) = ended(service);
    if reset {
        assert_eq!((end.by, end.how), (side, EndHow::Rst), "{what}");
    } else {
        assert_eq!((end.how, first_fin), (EndHow::Fin, Some(side)), "{what}");
    }
    assert!(recorded(&file, side.direction()) == pattern(SENT), "{what}");
    let other = side.other().direction();
    assert!(recorded(&file, other) == pattern(unread), "{what}");
}

#[test]
fn an_application_that_is_ended_is_relayed_as_what_arrived() {
    if is_installed("python3") {
        for signal in SIGNALS {
            check(Side::Local, signal, 0);
            check(Side::Local, signal, UNREAD);
        }
    }
}

#[test]
fn a_server_that_is_ended_is_relayed_as_what_arrived() {
    if is_installed("python3") {
        for signal in SIGNALS {
            check(Side::Peer, signal, 0);
            check(Side::Peer, signal, UNREAD);
        }
    }
}

#[test]
fn programs_of_others_are_ended_at_either_end() {
    for program in ["socat", "ncat"] {
        if !is_installed(program) {
            continue;
        }
        for signal in SIGNALS {
            ended_client(program, signal);
            ended_server(program, signal);
        }
    }
}

fn ended_client(program: &str, signal: Signal) {
    let home = Home::new();
    let (listener, address) = listen();
    let service = Service::start(&home, &["tap", "127.0.0.1:0", &address]);
    let (host, port) = service.address.rsplit_once(':').unwrap();
    let mut client = match program {
        "socat" => Program::start(&["socat", "-", &format!("TCP:{host}:{port}")], false),
        _ => Program::start(&["ncat", host, port], false),
    };
    let mut other = accept(&listener);
    client.stdin.write_all(b"a question\n").unwrap();
    binary::expect(&mut other, b"a question\n");
    other.write_all(b"an answer\n").unwrap();
    client.hear("an answer");
    client.end(signal);
    assert!(!sees_reset(&mut other, b""), "{program} {signal}");
    drop(other);
    let (end, first_fin) = ended(service);
    assert_eq!((end.how, first_fin), (EndHow::Fin, Some(Side::Local)));
}

fn ended_server(program: &str, signal: Signal) {
    let home = Home::new();
    let target = free_port().to_string();
    let (host, port) = target.rsplit_once(':').unwrap();
    let mut server = match program {
        "socat" => {
            let listens = format!("TCP-LISTEN:{port},bind={host}");
            Program::start(&["socat", "-d", "-d", "-", &listens], true)
        }
        _ => Program::start(&["ncat", "-v", "-l", host, port], true),
    };
    server.hear("istening on");
    let service = Service::start(&home, &["tap", "127.0.0.1:0", &target]);
    let mut other = TcpStream::connect(&service.address).unwrap();
    other.set_read_timeout(Some(HANGS)).unwrap();
    server.stdin.write_all(b"a greeting\n").unwrap();
    binary::expect(&mut other, b"a greeting\n");
    server.end(signal);
    assert!(!sees_reset(&mut other, b""), "{program} {signal}");
    drop(other);
    let (end, first_fin) = ended(service);
    assert_eq!((end.how, first_fin), (EndHow::Fin, Some(Side::Peer)));
}

/// A server that answers late, when everything was asked.
fn late_server(listener: TcpListener) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut stream = accept(&listener);
        assert_eq!(binary::read_all(&mut stream), b"question\n");
        thread::park_timeout(LATE);
        stream.write_all(&pattern(300_000)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    })
}

/// What socat gets that asks and half-closes.
fn asked_by_socat(address: &str) -> Vec<u8> {
    let address: SocketAddr = address.parse().unwrap();
    let mut command = Command::new("socat");
    command.args(["-t", "30", "-", &format!("TCP:{address}")]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"question\n").unwrap();
    let run = finish(child);
    assert!(run.status.success(), "{run:?}");
    run.stdout
}

#[test]
fn a_late_reply_arrives_whole_through_a_tap() {
    if !is_installed("socat") {
        return;
    }
    let home = Home::new();
    let (listener, address) = listen();
    let server = late_server(listener);
    let service = Service::start(&home, &["tap", "127.0.0.1:0", &address]);
    assert!(asked_by_socat(&service.address) == pattern(300_000));
    server.join().unwrap();
    let file = service.file.clone();
    let (end, first_fin) = ended(service);
    assert_eq!((end.how, first_fin), (EndHow::Fin, Some(Side::Local)));
    assert!(recorded(&file, Direction::Received) == pattern(300_000));
}

#[test]
fn a_late_reply_arrives_whole_where_we_connect() {
    let home = Home::new();
    let (listener, address) = listen();
    let server = late_server(listener);
    let run = home.run(&["--headless", "--format", "raw", &address], b"question\n");
    assert_eq!(run.code(), 0, "{}", run.stderr);
    assert!(run.stdout == pattern(300_000));
    server.join().unwrap();
}

#[test]
fn a_late_reply_arrives_whole_where_we_listen() {
    if !is_installed("socat") {
        return;
    }
    let home = Home::new();
    let mut command = home.sockscope(&["listen", "127.0.0.1:0"]);
    command.stdin(Stdio::piped());
    let mut service = Service::of(&home, command);
    let address = service.address.clone();
    let client = thread::spawn(move || asked_by_socat(&address));
    service.wait_line("question");
    service.wait_line("half-closed");
    thread::park_timeout(LATE);
    let reply: Vec<u8> = (0..30_000)
        .flat_map(|n| format!("line {n}\n").into_bytes())
        .collect();
    service.stdin().write_all(&reply).unwrap();
    assert!(client.join().unwrap() == reply);
}
