//! Being the server of TLS connections: many at once, each with its handshake, faults and ends of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/secure.rs"]
mod secure;
#[path = "support/server.rs"]
mod server;
#[path = "support/worker.rs"]
mod worker;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose;
use sockscope::model::{
    ConnectionId, Direction, EndHow, EntryKind, Link, LinkState, Listening, NetCommand, NetEvent, Outgoing,
    PeerCommand, Recording, Side, TlsRole, Verdict,
};
use sockscope::net::{Options, TlsOptions};

use secure::{Trust, finish, read_all};
use server::is_installed;
use worker::{BOUND, Bench, word};

fn listen(bench: &Bench, address: &str) -> Listening {
    bench.ask(NetCommand::Listen(address.parse().unwrap()));
    let news = bench.wait("listening", |news| {
        let listening = news.listening.as_ref();
        listening.is_some_and(|listening| listening.state == LinkState::Listening)
    });
    news.listening.unwrap()
}

fn wait_peer(bench: &Bench, id: u32, what: &str, until: impl Fn(&Link) -> bool) -> Link {
    let found = |news: &NetEvent| news.peers.get(ConnectionId(id)).is_some_and(&until);
    let news = bench.wait(what, found);
    news.peers.get(ConnectionId(id)).unwrap().clone()
}

fn failed(bench: &Bench, id: u32) -> (Side, EndHow, String) {
    let link = wait_peer(bench, id, "the failure", |link| link.state == LinkState::Failed);
    let end = link.end.unwrap();
    (end.by, end.how, link.reason.unwrap())
}

fn to(id: u32, command: PeerCommand) -> NetCommand {
    NetCommand::Peers(vec![ConnectionId(id)], command)
}

fn message(bytes: &[u8]) -> PeerCommand {
    let message = Outgoing {
        bytes: bytes.to_vec(),
        recording: Recording::AsIs,
    };
    PeerCommand::Send(message, Direction::Sent)
}

fn story(bench: &Bench, id: u32) -> String {
    let all = bench.entries();
    let of_it = all.iter().filter(|entry| entry.connection == ConnectionId(id));
    of_it.map(|entry| word(&entry.kind)).collect::<Vec<_>>().join(" ")
}

fn texts(bench: &Bench, id: u32) -> String {
    let all = bench.entries().into_iter();
    let of_it = all.filter(|entry| entry.connection == ConnectionId(id));
    let texts = of_it.filter_map(|entry| {
        if let EntryKind::Note { text } | EntryKind::Error { text, .. } = entry.kind {
            Some(text)
        } else {
            None
        }
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn with(change: impl FnOnce(&mut TlsOptions)) -> Options {
    let mut options = Options::default();
    change(&mut options.tls);
    options
}

/// The first bytes of an alert, and what follows its level (RFC 8446 §6).
fn alert(answer: &[u8]) -> u8 {
    assert_eq!((answer.len(), answer[0]), (7, 21), "{answer:?} is no alert");
    answer[6]
}

#[test]
fn both_ends_of_a_connection_can_be_this_program() {
    let trust = Trust::new();
    let mut options = trust.options();
    options.tls.alpn = vec!["imap".into()];
    let ours = Bench::new(options);
    let listening = listen(&ours, "tls://127.0.0.1:0");
    let port = listening.bound[0].rsplit_once(':').unwrap().1.to_owned();
    let mut options = trust.options();
    options.tls.alpn = vec!["h2".into(), "imap".into()];
    let client = Bench::new(options);
    client.dial(format!("tls://localhost:{port}"));
    client.wait_state(LinkState::Open);
    let link = wait_peer(&ours, 1, "the client", |link| link.state == LinkState::Open);
    let report = link.tls.unwrap();
    assert_eq!(
        (report.role, report.server_name.as_str()),
        (TlsRole::Server, "localhost")
    );
    assert_eq!(report.agreed.as_ref().unwrap().alpn.as_deref(), Some("imap"));
    let question: Vec<u8> = (0..3_000_000_u32).map(|at| (at * 31 / 7) as u8).collect();
    client.send(&question);
    client.ask(NetCommand::HalfClose);
    wait_peer(&ours, 1, "all of it", |link| link.state == LinkState::HalfClosed);
    ours.ask(to(1, message(b"answer")));
    ours.ask(to(1, PeerCommand::Close));
    client.wait_state(LinkState::Closed);
    let link = wait_peer(&ours, 1, "the end", |link| link.state == LinkState::Closed);
    assert_eq!(link.end.unwrap().how, EndHow::Fin);
    assert!(ours.bytes(Direction::Received) == question && client.bytes(Direction::Received) == b"answer");
    let told = story(&ours, 1);
    assert!(
        told.starts_with("tls open received") && told.ends_with("received peer-fin sent close-our-fin"),
        "{told}"
    );
    ours.reopens_equal();
    // Nothing says that this certificate was made for the occasion.
    assert!(!listening.self_signed && listening.fingerprint.is_some());
}

#[test]
fn a_certificate_made_on_the_spot_is_known_by_its_fingerprint() {
    if !is_installed("openssl") {
        return;
    }
    let bench = Bench::new(Options::default());
    let listening = listen(&bench, "tls://127.0.0.1:0");
    assert!(listening.self_signed);
    let shown = listening.fingerprint.unwrap();
    assert!(texts(&bench, 0).contains(&format!("made on the spot, SHA-256 {shown}")));
    let script = format!(
        "openssl s_client -connect {} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256",
        listening.bound[0]
    );
    let seen = run("sh", &["-c", &script]);
    let seen = text(&seen.stdout).replace(':', "").to_lowercase();
    assert!(seen.contains(&shown), "{seen} is not {shown}");
    // Each time it listens it is another one.
    bench.ask(NetCommand::Cancel);
    bench.wait("the end", |news| {
        news.listening
            .as_ref()
            .is_some_and(|listening| listening.state == LinkState::Closed)
    });
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).env("LC_ALL", "C");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn clients_are_asked_for_a_certificate() {
    if !is_installed("openssl") {
        return;
    }
    let trust = Trust::new();
    let mut options = trust.options();
    options.tls.client_ca = Some(trust.path("ca.pem"));
    let bench = Bench::new(options);
    let address = listen(&bench, "tls://127.0.0.1:0").bound.swap_remove(0);
    let mut params = authority::server(&["ada"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (cert, key) = trust.identity("client", &trust.root.issue(&params));
    let (other, other_key) = trust.identity("other", &authority::self_signed(&params));
    let shown = |path: &std::path::Path| path.display().to_string();
    for (number, with) in [None, Some((other, other_key)), Some((cert, key))]
        .into_iter()
        .enumerate()
    {
        let mut arguments = vec!["s_client".to_owned(), "-connect".into(), address.clone()];
        if let Some((cert, key)) = &with {
            arguments.extend(["-cert".into(), shown(cert), "-key".into(), shown(key)]);
        }
        let mut command = Command::new("openssl");
        let child = command
            .args(&arguments)
            // One that is refused waits until it hears why.
            .args(["-quiet", if number == 2 { "-no_ign_eof" } else { "-ign_eof" }])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        // It may be refused before it has read that.
        let _ = child.stdin.take().unwrap().write_all(b"hello\n");
        let said = text(&child.wait_with_output().unwrap().stderr);
        let id = number as u32 + 1;
        match number {
            0 => {
                let (by, how, reason) = failed(&bench, id);
                assert_eq!((by, how), (Side::Local, EndHow::Alert));
                assert!(
                    reason.ends_with("presented no certificate, and --client-ca asks for one"),
                    "{reason}"
                );
                assert!(said.contains("alert certificate required"), "{said}");
                assert_eq!(story(&bench, id), "tls error alert");
            }
            1 => {
                let (_, _, reason) = failed(&bench, id);
                assert!(reason.contains("nobody who is trusted has issued it"), "{reason}");
                let link = wait_peer(&bench, id, "the report", |link| link.tls.is_some());
                assert!(matches!(link.tls.unwrap().verdict, Verdict::Refused(_)));
                assert!(said.contains("alert"), "{said}");
            }
            _ => {
                let link = wait_peer(&bench, id, "its bytes", |link| link.received.bytes == 6);
                let report = link.tls.unwrap();
                assert_eq!((&report.verdict, report.chain.len()), (&Verdict::Trusted, 1));
                assert!(story(&bench, id).starts_with("tls open received"));
            }
        }
    }
    bench.reopens_equal();
}

#[test]
fn what_is_no_tls_is_told_and_answered_with_an_alert() {
    let bench = Bench::new(Options::default());
    let address = listen(&bench, "tls://127.0.0.1:0").bound.swap_remove(0);
    let mut plain = TcpStream::connect(&address).unwrap();
    plain.set_read_timeout(Some(BOUND)).unwrap();
    plain.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    plain.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).unwrap();
    assert!([10, 50, 70].contains(&alert(&answer)), "{answer:?}");
    let (by, how, reason) = failed(&bench, 1);
    assert_eq!((by, how), (Side::Local, EndHow::Alert));
    assert!(
        reason.ends_with("does not speak TLS here: it sent plain HTTP: \"GET /a HTTP/1.1\""),
        "{reason}"
    );
    assert_eq!(story(&bench, 1), "tls error alert");
    assert_eq!(texts(&bench, 1), reason);

    // Somebody who says nothing at all.
    drop(TcpStream::connect(&address).unwrap());
    let (by, how, reason) = failed(&bench, 2);
    assert_eq!((by, how), (Side::Peer, EndHow::Truncated));
    assert!(
        reason.ends_with("ended the connection before the TLS handshake"),
        "{reason}"
    );
    bench.reopens_equal();
}

#[test]
fn a_slow_handshake_holds_up_nobody_and_ends() {
    let trust = Trust::new();
    let mut options = trust.options();
    options.connect_timeout = Duration::from_millis(1500);
    let bench = Bench::new(options);
    let address = listen(&bench, "tls://127.0.0.1:0").bound.swap_remove(0);
    // Half of the header of a record.
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut slow = TcpStream::connect(&address).unwrap();
            slow.write_all(&[22, 3, 1]).unwrap();
            slow
        })
        .collect();
    let handshaking = |news: &NetEvent| {
        let links = news.peers.iter();
        links.filter(|link| link.state == LinkState::Handshaking).count()
    };
    bench.wait("twenty", |news| handshaking(news) == 20);
    let mut quick = trust.client(&address, "localhost");
    quick.write_all(b"hello").unwrap();
    let news = bench.wait("the quick one", |news| {
        news.peers.live().any(|link| link.received.bytes == 5)
    });
    assert_eq!(handshaking(&news), 20, "it was served meanwhile");
    // It stays, and they go.
    let news = bench.wait("their ends", |news| handshaking(news) == 0);
    assert_eq!(news.peers.live().count(), 1);
    let (by, how, reason) = failed(&bench, 1);
    assert_eq!((by, how), (Side::Local, EndHow::Timeout));
    assert!(
        reason.contains("did not finish the TLS handshake within 1.5 s (--connect-timeout)"),
        "{reason}"
    );
    assert_eq!(story(&bench, 1), "error timeout");
    drop(slow);
    finish(&mut quick);
    wait_peer(&bench, 21, "its end", |link| link.state == LinkState::HalfClosed);
}

#[test]
fn an_end_without_close_notify_is_told_apart() {
    let trust = Trust::new();
    let bench = Bench::new(trust.options());
    let address = listen(&bench, "tls://127.0.0.1:0").bound.swap_remove(0);
    let mut client = trust.client(&address, "localhost");
    client.write_all(b"hello").unwrap();
    client.sock.shutdown(Shutdown::Write).unwrap();
    wait_peer(&bench, 1, "its end", |link| link.first_fin == Some(Side::Peer));
    bench.ask(to(1, message(b"answer")));
    bench.ask(to(1, PeerCommand::Close));
    let (answer, ended) = read_all(&mut client);
    ended.unwrap();
    assert_eq!(answer, b"answer");
    let link = wait_peer(&bench, 1, "the end", |link| link.end.is_some());
    assert_eq!(link.end.unwrap().how, EndHow::Truncated);
    assert_eq!(
        story(&bench, 1),
        "tls open received error peer-fin sent truncated"
    );
    bench.reopens_equal();
}

#[test]
fn the_user_and_the_end_of_the_program_end_handshakes() {
    let bench = Bench::new(Options::default());
    let address = listen(&bench, "tls://127.0.0.1:0").bound.swap_remove(0);
    let mut first = TcpStream::connect(&address).unwrap();
    first.set_read_timeout(Some(BOUND)).unwrap();
    wait_peer(&bench, 1, "the handshake", |link| {
        link.state == LinkState::Handshaking
    });
    bench.ask(to(1, message(b"too early")));
    bench.wait("the refusal", |news| news.sends.refused == 1);
    bench.ask(to(1, PeerCommand::Close));
    let (by, how, reason) = failed(&bench, 1);
    assert_eq!((by, how), (Side::Local, EndHow::Close));
    assert!(
        reason.ends_with("was let go during the TLS handshake"),
        "{reason}"
    );
    assert_eq!(first.read(&mut [0]).unwrap(), 0);
    let _second = TcpStream::connect(&address).unwrap();
    wait_peer(&bench, 2, "another", |link| link.state == LinkState::Handshaking);
    // What is left is for the end of the test, which waits for the end of the worker.
}

#[test]
fn a_certificate_that_does_not_fit_its_key_is_told_before_anybody_comes() {
    let trust = Trust::new();
    let (cert, _) = trust.identity("a", &trust.known());
    let (_, key) = trust.identity("b", &trust.known());
    let bench = Bench::new(with(|tls| tls.server = Some((cert, key))));
    bench.ask(NetCommand::Listen("tls://127.0.0.1:0".parse().unwrap()));
    let news = bench.wait("the failure", |news| {
        let listening = news.listening.as_ref();
        listening.is_some_and(|listening| listening.state == LinkState::Failed)
    });
    let reason = news.listening.unwrap().reason.unwrap();
    assert_eq!(
        reason,
        "the server certificate cannot be used: the key is not the certificate's"
    );
    assert_eq!(bench.kinds(), "error");
}
