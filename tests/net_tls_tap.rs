//! TLS in a tap: ended or added on the way, or read between two programs that speak it to each other; exact in bytes,
//! order and ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/relayed.rs"]
mod relayed;
#[path = "support/secure.rs"]
mod secure;
#[path = "support/worker.rs"]
mod worker;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use socket2::SockRef;
use sockscope::model::{
    ConnectionId, Direction, EndHow, EntryKind, LinkState, NetCommand, Outgoing, PeerCommand, Recording,
    Side, TlsRole, Verdict,
};
use sockscope::net::Options;
use sockscope::net::tls::LocalAuthority;

use relayed::{application, bytes, end_of, tap, texts, until_it_stands, wait_pair};
use secure::{Client, Served, Trust, client, finish, read_all, serve};
use worker::{Bench, word};

/// A server that plays a script with one connection, in the clear.
fn server<T: Send + 'static>(
    script: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    worker::peer(script)
}

/// The same in TLS.
fn secure<T: Send + 'static>(
    trust: &Trust,
    alpn: &[&str],
    script: impl FnOnce(Served) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let config = trust.server(alpn);
    let (address, thread) = server(move |stream| script(serve(&config, stream)));
    (format!("tls://localhost:{}", address.port()), thread)
}

/// Who ended a pair, and how.
fn how(bench: &Bench, id: u32) -> (Side, EndHow) {
    let end = end_of(bench, id);
    (end.by, end.how)
}

/// What happened, but for the dial.
fn story(bench: &Bench, id: u32) -> String {
    let all = bench.entries();
    let of_it = all.iter().filter(|entry| entry.connection == ConnectionId(id));
    let words = of_it.map(|entry| {
        if let EntryKind::Tls(report) = &entry.kind {
            match report.role {
                TlsRole::Server => "application-tls",
                TlsRole::Client => "server-tls",
            }
        } else {
            word(&entry.kind)
        }
    });
    let dial = ["lookup", "try", "connected", "failed", "abandoned", "note"];
    let mut words: Vec<&str> = words.filter(|word| !dial.contains(word)).collect();
    words.dedup();
    words.join(" ")
}

fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251 + seed) as u8).collect()
}

/// A client that trusts the authority of an interception, and asks for this server.
fn trusting(trust: &Trust, address: &str, asked: (&str, &[&str])) -> Client {
    let local = LocalAuthority::open(trust.folder.path()).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(local.pem().as_bytes()).unwrap())
        .unwrap();
    client(roots, address, asked)
}

fn intercepting(trust: &Trust) -> Options {
    let mut options = trust.options();
    options.tls.server = None;
    options.tls.intercept = Some(trust.folder.path().to_owned());
    options
}

#[test]
fn tls_is_ended_and_added_exactly_in_every_mix() {
    const BYTES: usize = 3 << 20;
    let trust = Trust::new();
    for (ends, begins) in [(true, false), (false, true), (true, true)] {
        let bench = Bench::new(trust.options());
        // The application finishes first, and what the server sends after that arrives.
        let (target, server_side) = if begins {
            secure(&trust, &[], |mut tls| {
                let (got, ended) = read_all(&mut tls);
                ended.unwrap();
                tls.write_all(&pattern(BYTES, 5)).unwrap();
                finish(&mut tls);
                got
            })
        } else {
            let (target, thread) = server(|mut stream| {
                let mut got = Vec::new();
                stream.read_to_end(&mut got).unwrap();
                stream.write_all(&pattern(BYTES, 5)).unwrap();
                got
            });
            (target.to_string(), thread)
        };
        let address = tap(
            &bench,
            if ends { "tls://127.0.0.1:0" } else { "127.0.0.1:0" },
            target,
        );
        let got = if ends {
            let mut tls = trust.client(&address, "localhost");
            tls.write_all(&pattern(BYTES, 9)).unwrap();
            finish(&mut tls);
            let (got, ended) = read_all(&mut tls);
            ended.unwrap();
            got
        } else {
            let mut stream = application(&address);
            stream.write_all(&pattern(BYTES, 9)).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut got = Vec::new();
            stream.read_to_end(&mut got).unwrap();
            got
        };
        assert!(
            got == pattern(BYTES, 5),
            "{ends} {begins}: what the application got"
        );
        assert!(
            server_side.join().unwrap() == pattern(BYTES, 9),
            "{ends} {begins}: what the server got"
        );
        assert_eq!(how(&bench, 1), (Side::Local, EndHow::Fin), "who began it");
        assert!(bytes(&bench, 1, Direction::Sent) == pattern(BYTES, 9));
        assert!(bytes(&bench, 1, Direction::Received) == pattern(BYTES, 5));
        let told = match (ends, begins) {
            (true, false) => "application-tls",
            (false, true) => "server-tls",
            _ => "application-tls server-tls",
        };
        assert_eq!(
            story(&bench, 1),
            format!("{told} open sent our-fin received close-peer-fin")
        );
        let link = wait_pair(&bench, 1, "the end", |link| link.state == LinkState::Closed);
        assert_eq!(
            (link.application_tls.is_some(), link.tls.is_some()),
            (ends, begins)
        );
        bench.reopens_equal();
    }
}

#[test]
fn the_server_may_finish_first_and_unix_sockets_mix() {
    let trust = Trust::new();
    let path = trust.path("server.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server_side = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"question").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut got = Vec::new();
        stream.read_to_end(&mut got).unwrap();
        got
    });
    let bench = Bench::new(trust.options());
    let address = tap(&bench, "tls://127.0.0.1:0", format!("unix:{}", path.display()));
    let mut tls = trust.client(&address, "localhost");
    let (asked, ended) = read_all(&mut tls);
    ended.unwrap();
    assert_eq!(asked, b"question");
    tls.write_all(&pattern(300_000, 2)).unwrap();
    finish(&mut tls);
    assert!(server_side.join().unwrap() == pattern(300_000, 2));
    assert_eq!(how(&bench, 1), (Side::Peer, EndHow::Fin));
    bench.reopens_equal();
}

#[test]
fn what_is_agreed_on_with_the_application_is_what_the_server_is_asked_for() {
    let trust = Trust::new();
    let (target, server_side) = secure(&trust, &["h2", "http/1.1"], |mut tls| {
        let _ = read_all(&mut tls);
        tls.conn.alpn_protocol().map(<[u8]>::to_vec)
    });
    let mut options = trust.options();
    options.tls.alpn = vec!["h2".into(), "http/1.1".into()];
    let bench = Bench::new(options);
    let address = tap(&bench, "tls://127.0.0.1:0", target);
    let mut roots = RootCertStore::empty();
    roots.add(trust.root.der()).unwrap();
    let mut tls = client(roots, &address, ("localhost", &["http/1.1"]));
    tls.write_all(b"x").unwrap();
    finish(&mut tls);
    assert_eq!(server_side.join().unwrap().as_deref(), Some(&b"http/1.1"[..]));
}

#[test]
fn a_cut_is_passed_on_as_a_cut_and_a_reset_as_a_reset() {
    let trust = Trust::new();
    // The server ends without close_notify.
    let (target, server_side) = secure(&trust, &[], |mut tls| {
        tls.read_exact(&mut [0; 8]).unwrap();
        tls.write_all(b"half an ans").unwrap();
        tls.flush().unwrap();
        tls.sock.shutdown(Shutdown::Write).unwrap();
        // The application says its end as it should.
        read_all(&mut tls).1.map_err(|error| error.kind())
    });
    let bench = Bench::new(trust.options());
    let mut tls = trust.client(&tap(&bench, "tls://127.0.0.1:0", target), "localhost");
    tls.write_all(b"question").unwrap();
    let (answer, ended) = read_all(&mut tls);
    assert_eq!(
        (answer.as_slice(), ended.map_err(|error| error.kind())),
        (&b"half an ans"[..], Err(ErrorKind::UnexpectedEof))
    );
    finish(&mut tls);
    assert_eq!(server_side.join().unwrap(), Ok(()));
    assert_eq!(how(&bench, 1), (Side::Peer, EndHow::Truncated));
    assert_eq!(
        story(&bench, 1),
        "application-tls server-tls open sent received error peer-fin truncated"
    );
    assert!(texts(&bench, 1).join("\n").contains("without close_notify"));
    bench.reopens_equal();

    // The application resets.
    let (target, server_side) = secure(&trust, &[], |mut tls| {
        let (got, ended) = read_all(&mut tls);
        (got, ended.unwrap_err().raw_os_error())
    });
    let bench = Bench::new(trust.options());
    let mut tls = trust.client(&tap(&bench, "tls://127.0.0.1:0", target), "localhost");
    tls.write_all(b"question").unwrap();
    wait_pair(&bench, 1, "the question", |link| link.sent.bytes == 8);
    SockRef::from(&tls.sock).set_linger(Some(Duration::ZERO)).unwrap();
    drop(tls);
    assert_eq!(server_side.join().unwrap(), (b"question".to_vec(), Some(104)));
    assert_eq!(how(&bench, 1), (Side::Local, EndHow::Rst));
}

#[test]
fn an_alert_of_a_side_ends_both() {
    let trust = Trust::new();
    let (target, server_side) = server(|mut stream| {
        let mut got = Vec::new();
        let ended = stream.read_to_end(&mut got);
        (got, ended.unwrap_err().raw_os_error())
    });
    let bench = Bench::new(trust.options());
    let mut tls = trust.client(&tap(&bench, "tls://127.0.0.1:0", target), "localhost");
    tls.write_all(b"question").unwrap();
    wait_pair(&bench, 1, "the question", |link| link.sent.bytes == 8);
    // No record of anybody who has the keys.
    tls.sock.write_all(&[23, 3, 3, 0, 20]).unwrap();
    tls.sock.write_all(&[7; 20]).unwrap();
    assert_eq!(server_side.join().unwrap(), (b"question".to_vec(), Some(104)));
    assert_eq!(end_of(&bench, 1).how, EndHow::Tap, "the tap refuses that");
    assert!(
        texts(&bench, 1).join("\n").contains("broke the rules of TLS"),
        "{}",
        texts(&bench, 1).join("\n")
    );
}

#[test]
fn silence_ends_both_sides_with_the_word_of_tls_for_it() {
    let trust = Trust::new();
    let (target, server_side) = secure(&trust, &[], |mut tls| {
        let (got, ended) = read_all(&mut tls);
        (got, ended.map_err(|error| error.kind()))
    });
    let mut options = trust.options();
    options.idle_timeout = Some(Duration::from_millis(300));
    let bench = Bench::new(options);
    let mut tls = trust.client(&tap(&bench, "tls://127.0.0.1:0", target), "localhost");
    tls.write_all(b"question").unwrap();
    let (got, ended) = read_all(&mut tls);
    assert_eq!((got, ended.map_err(|error| error.kind())), (Vec::new(), Ok(())));
    assert_eq!(server_side.join().unwrap(), (b"question".to_vec(), Ok(())));
    assert!(texts(&bench, 1).join("\n").contains("--idle-timeout"));
}

#[test]
fn what_came_before_tls_failed_arrives_before_the_reset() {
    const BYTES: usize = 6 << 20;
    let trust = Trust::new();
    let (go, wait) = mpsc::sync_channel(1);
    let (target, server_side) = server(move |mut stream| {
        wait.recv().unwrap();
        let mut got = Vec::new();
        let ended = stream.read_to_end(&mut got);
        (got, ended.unwrap_err().raw_os_error())
    });
    let bench = Bench::new(trust.options());
    let mut tls = trust.client(&tap(&bench, "tls://127.0.0.1:0", target), "localhost");
    let all: Vec<u8> = (0..BYTES).map(|place| (place % 251) as u8).collect();
    let sent = all.clone();
    let application = thread::spawn(move || {
        tls.write_all(&sent).unwrap();
        tls.flush().unwrap();
        // No record of anybody who has the keys.
        tls.sock.write_all(&[23, 3, 3, 0, 20]).unwrap();
        tls.sock.write_all(&[7; 20]).unwrap();
        tls
    });
    wait_pair(&bench, 1, "bytes", |link| link.sent.bytes > 100_000);
    go.send(()).unwrap();
    let (got, ended) = server_side.join().unwrap();
    assert_eq!((got.len(), ended), (BYTES, Some(104)));
    assert!(got == all, "what the application wrote");
    assert_eq!(how(&bench, 1), (Side::Local, EndHow::Tap));
    drop(application.join().unwrap());
}

#[test]
fn what_the_user_sends_to_a_slow_side_is_never_mixed_up() {
    const BYTES: usize = 12 << 20;
    let trust = Trust::new();
    let (target, sender) = server(|mut stream| {
        stream.write_all(&vec![b'.'; BYTES]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read(&mut [0]);
    });
    let mut options = trust.options();
    // So that every record waits for room.
    options.sockets = std::iter::once("sndbuf=16384".parse().unwrap()).collect();
    let bench = Bench::new(options);
    let address = tap(&bench, "tls://127.0.0.1:0", target);
    let mut tls = trust.client(&address, "localhost");
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock).unwrap();
    }
    until_it_stands(&bench);
    // Each fits one record or a few, so that any of them may be the one that waits.
    let messages = (0..50).map(|number| vec![b'A' + number % 26; 60_000]);
    for bytes in messages.clone() {
        let recording = Recording::AsIs;
        let command = PeerCommand::Send(Outgoing { bytes, recording }, Direction::Received);
        bench.ask(NetCommand::Peers(vec![ConnectionId(1)], command));
    }
    bench.wait("the messages", |news| news.sends.handled == 50);
    let (got, ended) = read_all(&mut tls);
    ended.unwrap();
    let mut without_dots = got.clone();
    without_dots.retain(|byte| *byte != b'.');
    let expected = messages.collect::<Vec<_>>().concat();
    assert_eq!(got.len(), BYTES + expected.len());
    assert!(without_dots == expected, "each whole, in their order");
    // A message goes between two chunks of the relay, never into one, and is never cut.
    let mut runs = 1;
    for pair in got.windows(2) {
        runs += usize::from(pair[0] != pair[1]);
    }
    assert!(runs <= 2 * 50 + 1, "{runs} runs");
    finish(&mut tls);
    sender.join().unwrap();
    assert!(bytes(&bench, 1, Direction::Received) == got, "as it is recorded");
}

#[test]
fn a_server_that_is_not_trusted_is_not_given_a_byte() {
    let trust = Trust::new();
    let stranger = Trust::named("stranger");
    let (target, server_side) = secure(&stranger, &[], |mut tls| {
        let mut got = [0; 8];
        tls.read(&mut got).is_ok()
    });
    let bench = Bench::new(trust.options());
    let mut stream = application(&tap(&bench, "127.0.0.1:0", &target));
    stream.write_all(b"question").unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().raw_os_error(), Some(104));
    assert!(!server_side.join().unwrap());
    let link = wait_pair(&bench, 1, "the failure", |link| link.state == LinkState::Failed);
    assert!(
        link.reason
            .unwrap()
            .contains("nobody who is trusted has issued it")
    );
    assert!(matches!(link.tls.unwrap().verdict, Verdict::Refused(_)));
    assert_eq!(story(&bench, 1), "server-tls error");
    assert!(bytes(&bench, 1, Direction::Sent).is_empty());
}

#[test]
fn an_intercepted_client_and_its_server_speak_as_if_alone() {
    const BYTES: usize = 2 << 20;
    let trust = Trust::new();
    for (offered, spoken, chosen) in [
        (&["h2", "http/1.1"][..], &["http/1.1", "h2"][..], Some("h2")),
        (&["http/1.1"], &["h2", "http/1.1"], Some("http/1.1")),
        (&["h2"], &[], None),
        (&[], &["h2"], None),
    ] {
        let (target, server_side) = secure(&trust, spoken, |mut tls| {
            let (got, ended) = read_all(&mut tls);
            ended.unwrap();
            tls.write_all(&pattern(BYTES, 1)).unwrap();
            finish(&mut tls);
            let name = tls.conn.server_name().map(str::to_owned);
            (got, name, tls.conn.alpn_protocol().map(<[u8]>::to_vec))
        });
        let bench = Bench::new(intercepting(&trust));
        let address = tap(&bench, "127.0.0.1:0", target.replace("localhost", "127.0.0.1"));
        let mut tls = trusting(&trust, &address, ("localhost", offered));
        tls.write_all(&pattern(BYTES, 2)).unwrap();
        finish(&mut tls);
        let (got, ended) = read_all(&mut tls);
        ended.unwrap();
        assert!(got == pattern(BYTES, 1), "{offered:?} {spoken:?}");
        let (got, name, alpn) = server_side.join().unwrap();
        assert!(got == pattern(BYTES, 2), "{offered:?} {spoken:?}");
        assert_eq!(name.as_deref(), Some("localhost"), "what the client asked for");
        let chosen = chosen.map(|name| name.as_bytes().to_vec());
        // The server prefers its own order, whatever it is.
        let both = tls.conn.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(alpn, both, "{offered:?} {spoken:?}");
        assert_eq!(alpn.is_some(), chosen.is_some(), "{offered:?} {spoken:?}");
        assert_eq!(
            story(&bench, 1),
            "server-tls application-tls open sent our-fin received close-peer-fin"
        );
        assert!(bytes(&bench, 1, Direction::Sent) == pattern(BYTES, 2));
        assert!(bytes(&bench, 1, Direction::Received) == pattern(BYTES, 1));
        bench.reopens_equal();
    }
}

#[test]
fn an_intercepted_client_is_refused_when_its_server_is() {
    let trust = Trust::new();
    let stranger = Trust::named("stranger");
    // Not verified.
    let (target, server_side) = secure(&stranger, &[], |mut tls| tls.read(&mut [0]).is_ok());
    let bench = Bench::new(intercepting(&trust));
    let address = tap(&bench, "127.0.0.1:0", target);
    let mut tls = trusting(&trust, &address, ("localhost", &[]));
    let refused = tls.write_all(b"question").unwrap_err().to_string();
    assert!(refused.contains("InternalError"), "{refused}");
    assert!(!server_side.join().unwrap(), "it was not given a byte");
    let link = wait_pair(&bench, 1, "the failure", |link| link.state == LinkState::Failed);
    assert!(
        link.reason
            .unwrap()
            .contains("nobody who is trusted has issued it")
    );
    assert!(
        texts(&bench, 1)
            .join("\n")
            .contains("was refused with the alert internal_error (80)")
    );
    assert_eq!(story(&bench, 1), "server-tls error");

    // Verified, and of another name than the one that was asked for.
    let (target, _server) = secure(&trust, &[], |mut tls| tls.read(&mut [0]).is_ok());
    let bench = Bench::new(intercepting(&trust));
    let address = tap(&bench, "127.0.0.1:0", target);
    let mut tls = trusting(&trust, &address, ("example.org", &[]));
    assert!(tls.write_all(b"question").is_err());
    let link = wait_pair(&bench, 1, "the failure", |link| link.state == LinkState::Failed);
    let reason = link.reason.unwrap();
    assert!(
        reason.contains("it is for localhost, 127.0.0.1, not for example.org"),
        "{reason}"
    );
    assert!(reason.ends_with(
        "the application asked for example.org: --sni localhost asks for the target all the same"
    ));

    // Not there.
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = Bench::new(intercepting(&trust));
    let address = tap(&bench, "127.0.0.1:0", format!("tls://{nowhere}"));
    let mut tls = trusting(&trust, &address, ("localhost", &[]));
    assert!(tls.write_all(b"question").is_err());
    let link = wait_pair(&bench, 1, "the failure", |link| link.state == LinkState::Failed);
    assert!(link.reason.unwrap().contains("nothing listens there"));

    // Verified, and speaks nothing of what the client does.
    let (target, _server) = secure(&trust, &["imap"], |mut tls| tls.read(&mut [0]).is_ok());
    let bench = Bench::new(intercepting(&trust));
    let address = tap(&bench, "127.0.0.1:0", target);
    let mut tls = trusting(&trust, &address, ("localhost", &["h2"]));
    assert!(tls.write_all(b"question").is_err());
    let link = wait_pair(&bench, 1, "the failure", |link| link.state == LinkState::Failed);
    let reason = link.reason.unwrap();
    assert!(reason.contains("no_application_protocol (120)"), "{reason}");
}

#[test]
fn an_intercepted_client_that_trusts_nobody_is_named_and_its_server_let_go() {
    let trust = Trust::new();
    let (target, server_side) = secure(&trust, &[], |mut tls| {
        let (got, ended) = read_all(&mut tls);
        (got, ended.is_ok())
    });
    let bench = Bench::new(intercepting(&trust));
    let address = tap(&bench, "127.0.0.1:0", target);
    let mut tls = client(RootCertStore::empty(), &address, ("localhost", &[]));
    assert!(tls.write_all(b"question").is_err());
    let _ = tls.flush();
    drop(tls);
    assert_eq!(server_side.join().unwrap(), (Vec::new(), true), "an end in order");
    assert_eq!(how(&bench, 1), (Side::Local, EndHow::Alert));
    assert!(
        texts(&bench, 1)
            .join("\n")
            .contains("it does not trust our certificate")
    );
    assert_eq!(story(&bench, 1), "server-tls application-tls error alert");

    // What is no TLS never reaches the server.
    let (sender, reached) = mpsc::sync_channel(1);
    let (target, _server) = server(move |_| sender.send(()));
    let bench = Bench::new(intercepting(&trust));
    let address = tap(&bench, "127.0.0.1:0", format!("tls://{target}"));
    let mut plain = application(&address);
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).unwrap();
    assert_eq!((answer.len(), answer[0]), (7, 21), "an alert");
    assert_eq!(how(&bench, 1), (Side::Local, EndHow::Tap));
    assert!(
        texts(&bench, 1)
            .join("\n")
            .contains("it sent plain HTTP: \"GET / HTTP/1.1\"")
    );
    assert!(reached.try_recv().is_err());
    // So that its thread ends.
    drop(TcpStream::connect(target).unwrap());
    bench.reopens_equal();
}
