//! P21: hostile servers are harmless. Each breaks another rule of TCP's use, of TLS or of a protocol that begins TLS; the
//! program lives, answers keys, shows nothing raw and leaves the terminal as it was. The same of crowds that reset.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::peer::{self, Numbers};
use crate::proofs::{check_restored, sockscope};
use crate::pty::{Pty, Reading};
use crate::relay::bound;

/// What a server does after it has sent what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Fin,
    Rst,
    /// It says nothing more.
    Silence,
    /// It sends back what comes.
    Echo,
    /// It begins anew, for ever.
    Again,
}

/// A server, as data.
#[derive(Clone, Debug)]
struct Script {
    name: String,
    /// How it is dialed.
    scheme: &'static str,
    options: Vec<&'static str>,
    /// It waits until it is spoken to.
    listens_first: bool,
    bytes: Vec<u8>,
    /// Bytes of one write.
    step: usize,
    then: Then,
}

fn tcp(name: &str, bytes: impl Into<Vec<u8>>, then: Then) -> Script {
    Script {
        name: name.to_owned(),
        scheme: "",
        options: Vec::new(),
        listens_first: false,
        bytes: bytes.into(),
        step: 64 << 10,
        then,
    }
}

fn tls(name: &str, bytes: impl Into<Vec<u8>>, then: Then) -> Script {
    Script {
        scheme: "tls://",
        options: vec!["--connect-timeout", "2s"],
        listens_first: true,
        ..tcp(name, bytes, then)
    }
}

fn starttls(protocol: &'static str, name: &str, bytes: impl Into<Vec<u8>>, then: Then) -> Script {
    Script {
        options: vec!["--starttls", protocol, "--connect-timeout", "2s"],
        ..tcp(&format!("{protocol}: {name}"), bytes, then)
    }
}

impl Script {
    fn in_steps_of(self, step: usize) -> Script {
        Script { step, ..self }
    }

    /// Plays it with one client until that is gone or everything is over.
    fn play(&self, mut stream: TcpStream, over: &AtomicBool) {
        if self.listens_first && !matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
            return;
        }
        loop {
            for piece in self.bytes.chunks(self.step) {
                if over.load(Ordering::Relaxed) || stream.write_all(piece).is_err() {
                    return;
                }
            }
            if self.then != Then::Again {
                break;
            }
        }
        match self.then {
            Then::Fin | Then::Again => {}
            Then::Rst => drop(SockRef::from(&stream).set_linger(Some(Duration::ZERO))),
            Then::Silence => peer::drain(&mut stream),
            Then::Echo => {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..count]).is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// A record of TLS (RFC 8446, section 5.1).
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 3, 3];
    bytes.extend((body.len() as u16).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    (0..len).map(|_| numbers.next() as u8).collect()
}

/// Servers that misuse a connection.
fn of_tcp() -> Vec<Script> {
    vec![
        tcp("nothing, FIN", "", Then::Fin),
        tcp("nothing, RST", "", Then::Rst),
        tcp("silence", "", Then::Silence),
        tcp("FIN behind a byte", "x", Then::Fin),
        tcp("RST behind a byte", "x", Then::Rst),
        tcp("RST in a flood", noise(1, 1 << 20), Then::Rst),
        tcp("noise without end", noise(2, 1 << 20), Then::Again),
        tcp("zeros without end", vec![0; 1 << 20], Then::Again),
        tcp("line breaks without end", vec![b'\n'; 1 << 20], Then::Again),
        tcp("no line break, 4 MiB", vec![b'x'; 4 << 20], Then::Silence),
        tcp("single bytes", noise(3, 5000), Then::Silence).in_steps_of(1),
        tcp("hostile to terminals", peer::hostile(256 << 10), Then::Silence),
        tcp("the same in threes", peer::hostile(16 << 10), Then::Silence).in_steps_of(3),
        tcp(
            "marks without end",
            "a\u{301}\u{302}".repeat(100_000),
            Then::Again,
        ),
        tcp("an OSC that never ends", b"\x1b]0;".repeat(50_000), Then::Again),
        tcp("half a character", b"\xe6\xbc".to_vec(), Then::Fin),
        tcp("an echo", "echo\n", Then::Echo),
    ]
}

/// Servers that break TLS.
fn of_tls() -> Vec<Script> {
    let mut all = vec![
        tls("nothing, FIN", "", Then::Fin),
        tls("nothing, RST", "", Then::Rst),
        tls("silence", "", Then::Silence),
        tls("noise", noise(4, 100_000), Then::Silence),
        tls("noise byte by byte", noise(5, 3000), Then::Silence).in_steps_of(1),
        tls("an echo of what we said", "", Then::Echo),
        tls("HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", Then::Fin),
        tls("SMTP", "220 mail ESMTP\r\n", Then::Silence),
        tls("half a header", [22, 3], Then::Fin),
        tls("half a record", [22, 3, 3, 0, 100, 2], Then::Fin),
        tls("half a record, silence", [22, 3, 3, 0, 100, 2], Then::Silence),
        tls("half a record, RST", [22, 3, 3, 0, 100, 2], Then::Rst),
        tls(
            "a record that is too long",
            [&[22, 3, 3, 0xff, 0xff][..], &[0; 70_000]].concat(),
            Then::Silence,
        ),
        tls("empty records without end", record(22, &[]), Then::Again),
        tls("a kind that is none", record(99, &[0; 10]), Then::Silence),
        tls(
            "ChangeCipherSpec without end",
            record(20, &[1]).repeat(1000),
            Then::Again,
        ),
        tls("data before the handshake", record(23, &[0; 100]), Then::Silence),
        tls("HelloRequest without end", record(22, &[0, 0, 0, 0]), Then::Again),
        tls(
            "a ServerHello of 16 MiB",
            record(22, &[2, 0xff, 0xff, 0xff, 3, 3]),
            Then::Silence,
        ),
        tls(
            "a ServerHello of noise",
            record(22, &[&[2, 0, 0, 70][..], &noise(6, 70)].concat()),
            Then::Silence,
        ),
        tls(
            "warnings without end",
            record(21, &[1, 90]).repeat(1000),
            Then::Again,
        ),
        tls("an alert that is cut", record(21, &[2]), Then::Fin),
    ];
    for alert in [0, 10, 20, 40, 42, 46, 48, 50, 70, 71, 80, 112, 116, 120, 255] {
        all.push(tls(
            &format!("the alert {alert}"),
            record(21, &[2, alert]),
            Then::Fin,
        ));
    }
    all
}

/// Servers that break what comes before TLS.
fn of_starttls() -> Vec<Script> {
    let mut all: Vec<Script> = [
        "smtp",
        "imap",
        "pop3",
        "ftp",
        "xmpp",
        "ldap",
        "postgresql",
        "mysql",
    ]
    .into_iter()
    .map(|protocol| starttls(protocol, "noise", noise(7, 20_000), Then::Silence))
    .collect();
    all.extend([
        starttls("smtp", "a greeting without end", "220-more\r\n", Then::Again),
        starttls("smtp", "a line without end", vec![b'2'; 64 << 10], Then::Again),
        starttls("smtp", "silence", "", Then::Silence),
        starttls("smtp", "FIN behind the greeting", "220 mail\r\n", Then::Fin),
        starttls(
            "smtp",
            "all answers at once",
            "220 mail\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n250 and this in the clear\r\n",
            Then::Silence,
        ),
        starttls(
            "imap",
            "escapes in the refusal",
            "* OK \x1b]0;owned\x07\r\n",
            Then::Echo,
        ),
    ]);
    all
}

/// P21: every server is met by a program of its own. How many there were, and the longest that a key took to show.
pub(crate) fn hostile_servers() -> (usize, Duration) {
    let scripts = [of_tcp(), of_tls(), of_starttls()].concat();
    let longest = scripts.iter().map(meet).max().unwrap();
    (scripts.len(), longest)
}

/// Meets a server; how long the keys took to show.
fn meet(script: &Script) -> Duration {
    println!("{}{}", script.scheme, script.name);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("{}{}", script.scheme, listener.local_addr().unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let (sender, played) = mpsc::sync_channel(1);
    let (plays, ends) = (script.clone(), Arc::clone(&over));
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        sender.send(()).unwrap();
        plays.play(stream, &ends);
    });
    let home = tempfile::tempdir().unwrap();
    let mut arguments = vec![target.as_str()];
    arguments.extend(&script.options);
    let mut pty = Pty::spawn(sockscope(home.path(), &arguments), 100, 30, Reading::Always);
    played.recv_timeout(crate::pty::DEADLINE).unwrap();
    pty.wait_text("─ Log ");
    let took = (0..3).map(|_| help(&mut pty)).max().unwrap();
    over.store(true, Ordering::Relaxed);
    // The first may be answered by a question.
    pty.send("\x03\x03");
    let status = pty.wait_exit();
    assert!(status.success(), "{}: {status}", script.name);
    check_restored(&pty, &script.name);
    took
}

/// Opens the help and closes it; the longer that it took.
fn help(pty: &mut Pty) -> Duration {
    let mut press = |open: bool| {
        let start = Instant::now();
        pty.send("\x1bOP");
        pty.wait_for("the help, or no help", |seen| {
            seen.text().contains("─ Help: ") == open
        });
        start.elapsed()
    };
    press(true).max(press(false))
}

/// P21: so many connections that are opened and reset at once, at a listener and through a tap to a server that resets
/// them too. The longest that a key took to show meanwhile.
pub(crate) fn storms(connections: usize) -> Duration {
    let server = resetting_server();
    let listens = ["listen", "127.0.0.1:0"];
    let taps = ["tap", "127.0.0.1:0", &server];
    [&listens[..], &taps[..]]
        .into_iter()
        .map(|arguments| storm(arguments, connections))
        .max()
        .unwrap()
}

fn storm(arguments: &[&str], connections: usize) -> Duration {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::spawn(sockscope(home.path(), arguments), 100, 30, Reading::Always);
    let address = bound(&pty);
    let storming = thread::spawn(move || {
        for number in 0..connections {
            let mut stream = TcpStream::connect(&address).unwrap();
            if number % 2 == 0 {
                // It may be gone already.
                let _ = stream.write_all(&peer::hostile(300));
            }
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    });
    let mut longest = Duration::ZERO;
    loop {
        let over = storming.is_finished();
        longest = longest.max(help(&mut pty));
        if over {
            break;
        }
    }
    storming.join().unwrap();
    pty.wait_text("● listening");
    pty.send("\x03\x03");
    assert!(pty.wait_exit().success(), "{arguments:?}");
    check_restored(&pty, "a storm");
    longest
}

/// A server that resets everybody at once.
fn resetting_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            // It may be gone already.
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
    });
    address
}
