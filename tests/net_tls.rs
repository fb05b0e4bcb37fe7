//! TLS against scripted servers on loopback: every fault of a certificate is named, nothing is sent before it is
//! checked, and nothing that was sent is lost.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/worker.rs"]
mod worker;

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use sockscope::model::{Direction, EndHow, EntryKind, Link, LinkState, NetCommand, Side, Verdict};
use sockscope::net::{Options, TlsOptions, TlsVersion};
use tempfile::TempDir;

use authority::{Authority, Identity, pem, self_signed, server};
use worker::{Bench, peer};

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// An authority, and the file that says to trust it.
struct Trust {
    root: Authority,
    folder: TempDir,
}

impl Trust {
    fn new() -> Trust {
        let (root, folder) = (Authority::root("root"), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
        Trust { root, folder }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn options(&self) -> Options {
        with(TlsOptions {
            ca: Some(self.ca()),
            ..TlsOptions::default()
        })
    }

    fn good(&self) -> ServerConfig {
        config(self.root.issue(&server(&["localhost", "127.0.0.1"])))
    }
}

fn with(tls: TlsOptions) -> Options {
    Options {
        tls,
        ..Options::default()
    }
}

fn config((chain, key): Identity) -> ServerConfig {
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

fn speaking<T: Send + 'static>(
    config: Arc<ServerConfig>,
    script: impl FnOnce(Tls) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    peer(|stream| script(StreamOwned::new(ServerConnection::new(config).unwrap(), stream)))
}

/// Sends `hello` once the connection is open, and returns what came of it and what the server got.
fn meet(config: ServerConfig, options: Options, host: &str) -> (Bench, Link, io::Result<usize>) {
    let (address, server) = speaking(Arc::new(config), |mut tls| {
        let mut buffer = [0; 64];
        let got = tls.read(&mut buffer);
        // As it should be, so that it is seen that nothing else is wrong.
        tls.conn.send_close_notify();
        let _ = tls.flush();
        got
    });
    let bench = Bench::new(options);
    bench.dial(format!("tls://{host}:{}", address.port()));
    let link = bench.wait_link("an open or a failed connection", |link| {
        matches!(link.state, LinkState::Open | LinkState::Failed)
    });
    bench.send(b"hello");
    let got = server.join().unwrap();
    (bench, link, got)
}

/// Why a link failed, and what became of its certificate.
fn outcome(link: &Link) -> (String, Verdict) {
    let verdict = link
        .tls
        .as_ref()
        .map_or(Verdict::Unchecked, |tls| tls.verdict.clone());
    (link.reason.clone().unwrap_or_default(), verdict)
}

/// The certificate of localhost, with something changed.
fn local(change: fn(&mut CertificateParams)) -> CertificateParams {
    let mut params = server(&["localhost"]);
    change(&mut params);
    params
}

/// What is presented, who presents it, and what is wrong with it.
fn faults(root: &Authority) -> Vec<(&'static str, Identity, &'static str)> {
    let good = local(|_| {});
    let intermediate = root.intermediate(|_| {});
    let expired = root.intermediate(|params| params.not_after = date_time_ymd(2020, 1, 1));
    let of_the_expired = {
        let (mut chain, key) = expired.issue(&good);
        chain.push(expired.der());
        (chain, key)
    };
    let tampered = {
        let (mut chain, key) = root.issue(&good);
        let mut der = chain[0].to_vec();
        // A bit of the signature, which stands at the end.
        let at = der.len() - 20;
        der[at] ^= 1;
        chain[0] = der.into();
        (chain, key)
    };
    vec![
        (
            "for another name",
            root.issue(&server(&["other.example", "*.example.org"])),
            "it is for other.example, *.example.org, not for localhost",
        ),
        (
            "for no name",
            root.issue(&server(&[])),
            "it names no server, so not localhost either",
        ),
        (
            "expired",
            root.issue(&local(|p| p.not_after = date_time_ymd(2020, 1, 1))),
            "it expired on 2020-01-01 00:00:00 UTC",
        ),
        (
            "not yet valid",
            root.issue(&local(|p| p.not_before = date_time_ymd(4000, 1, 1))),
            "it is not valid before 4000-01-01 00:00:00 UTC; is the clock right?",
        ),
        (
            "self-signed",
            self_signed(&good),
            "nobody who is trusted has issued it",
        ),
        (
            "of an unknown authority",
            Authority::root("somebody else").issue(&good),
            "nobody who is trusted has issued it",
        ),
        (
            "without its intermediate",
            intermediate.issue(&good),
            "nobody who is trusted has issued it",
        ),
        (
            "of an expired authority",
            of_the_expired,
            "it expired on 2020-01-01 00:00:00 UTC",
        ),
        (
            "not for servers",
            root.issue(&local(|p| {
                p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            })),
            "it is not for servers",
        ),
        (
            "of an authority",
            root.issue(&local(|p| {
                p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            })),
            "it is the certificate of an authority, not of a server",
        ),
        ("tampered with", tampered, "its signature is wrong"),
    ]
}

#[test]
fn twelve_certificates_are_told_apart() {
    let trust = Trust::new();
    for (what, identity, why) in faults(&trust.root) {
        let (bench, link, got) = meet(config(identity), trust.options(), "localhost");
        let (reason, verdict) = outcome(&link);
        assert_eq!(verdict, Verdict::Refused(why.into()), "{what}");
        assert!(
            reason.contains(&format!("has a certificate that is not trusted: {why};")),
            "{what}: {reason}"
        );
        assert_eq!(link.state, LinkState::Failed, "{what}");
        // Not a byte reached the application, and what it got instead is an alert.
        assert!(
            got.is_err_and(|error| error.to_string().contains("alert")),
            "{what}"
        );
        assert!(bench.bytes(Direction::Sent).is_empty(), "{what}");
        assert!(
            bench.kinds().ends_with("try connected tls error"),
            "{what}: {}",
            bench.kinds()
        );
        let presented = link.tls.as_ref().map_or(0, |tls| tls.chain.len());
        assert!(presented > 0, "{what}: the chain is shown");
    }
    let good = server(&["localhost"]);
    let intermediate = trust.root.intermediate(|_| {});
    let (mut chain, key) = intermediate.issue(&good);
    chain.push(intermediate.der());
    for (what, identity) in [
        ("issued by the authority", trust.root.issue(&good)),
        ("with its intermediate", (chain, key)),
    ] {
        let (bench, link, got) = meet(config(identity), trust.options(), "localhost");
        assert_eq!(outcome(&link), (String::new(), Verdict::Trusted), "{what}");
        assert_eq!(got.unwrap(), 5, "{what}");
        bench.wait_link("the record of it", |link| link.sent.bytes == 5);
        assert_eq!(bench.bytes(Direction::Sent), b"hello");
    }
}

#[test]
fn an_address_has_to_be_in_the_certificate_too() {
    let trust = Trust::new();
    let (_bench, link, got) = meet(trust.good(), trust.options(), "127.0.0.1");
    assert_eq!((outcome(&link).1, got.unwrap()), (Verdict::Trusted, 5));
    let named = config(trust.root.issue(&server(&["localhost"])));
    let (_bench, link, _) = meet(named, trust.options(), "127.0.0.1");
    let why = "it is for localhost, not for 127.0.0.1";
    assert_eq!(outcome(&link).1, Verdict::Refused(why.into()));
}

#[test]
fn insecure_goes_on_and_says_so() {
    let (identity, options) = (
        self_signed(&server(&["localhost"])),
        with(TlsOptions {
            insecure: true,
            ..TlsOptions::default()
        }),
    );
    let (bench, link, got) = meet(config(identity), options, "localhost");
    let why = outcome(&link).1;
    assert!(matches!(why, Verdict::Ignored(_)), "{why:?}");
    assert_eq!(got.unwrap(), 5);
    bench.wait_link("the server's end", |link| link.first_fin == Some(Side::Peer));
    assert_eq!(
        bench.kinds(),
        "lookup lookup try connected tls open sent peer-fin"
    );
}

#[test]
fn an_end_without_close_notify_is_a_cut() {
    let trust = Trust::new();
    let (address, server) = speaking(Arc::new(trust.good()), |mut tls| {
        tls.write_all(b"half a sen").unwrap();
        tls.flush().unwrap();
        tls.sock.shutdown(Shutdown::Write).unwrap();
        let _ = tls.sock.read(&mut [0; 1024]);
    });
    let bench = Bench::new(trust.options());
    bench.dial(format!("tls://{address}"));
    bench.wait_link("the server's end", |link| link.first_fin == Some(Side::Peer));
    bench.ask(NetCommand::Close);
    let link = bench.wait_link("the end", |link| link.end.is_some());
    server.join().unwrap();
    assert_eq!(bench.bytes(Direction::Received), b"half a sen");
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Peer, EndHow::Truncated))
    );
    assert_eq!(
        bench.kinds(),
        "try connected tls open received error peer-fin truncated"
    );
}

#[test]
fn what_comes_before_a_fault_is_kept() {
    let trust = Trust::new();
    let (address, server) = speaking(Arc::new(trust.good()), |mut tls| {
        tls.write_all(b"whole").unwrap();
        tls.flush().unwrap();
        // No record of TLS.
        tls.sock.write_all(&[0x99; 100]).unwrap();
        let _ = tls.sock.read_to_end(&mut Vec::new());
    });
    let bench = Bench::new(trust.options());
    bench.dial(format!("tls://{address}"));
    let link = bench.wait_state(LinkState::Failed);
    server.join().unwrap();
    assert_eq!(bench.bytes(Direction::Received), b"whole");
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Local, EndHow::Alert))
    );
    assert!(link.reason.unwrap().contains("broke the rules of TLS"));
    assert!(
        bench.kinds().ends_with("open received error alert"),
        "{}",
        bench.kinds()
    );
}

#[test]
fn a_late_answer_after_our_end_arrives_whole() {
    let trust = Trust::new();
    let (address, server) = speaking(Arc::new(trust.good()), |mut tls| {
        let mut asked = Vec::new();
        tls.read_to_end(&mut asked).unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        tls.write_all(&vec![b'x'; 300_000]).unwrap();
        tls.conn.send_close_notify();
        tls.flush().unwrap();
        asked
    });
    let bench = Bench::new(trust.options());
    bench.dial(format!("tls://{address}"));
    bench.wait_state(LinkState::Open);
    bench.send(b"question");
    bench.ask(NetCommand::HalfClose);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"question");
    assert_eq!(bench.bytes(Direction::Received), vec![b'x'; 300_000]);
}

/// A server of TLS 1.2 may talk in the same breath as it ends the handshake: the socket has no more to say after that.
#[test]
fn what_comes_with_the_end_of_the_handshake_is_shown_at_once() {
    let trust = Trust::new();
    let (chain, key) = trust.root.issue(&server(&["localhost", "127.0.0.1"]));
    let config = ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS12])
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let greeting: Vec<u8> = (0..5000_u32).map(|at| at as u8).collect();
    let said = greeting.clone();
    let (address, server) = speaking(Arc::new(config), move |mut tls| {
        // It waits in the connection for the end of the handshake.
        tls.conn.writer().write_all(&said).unwrap();
        let _ = tls.read_to_end(&mut Vec::new());
    });
    let options = Options {
        read_size: 100,
        ..trust.options()
    };
    let bench = Bench::new(options);
    bench.dial(format!("tls://{address}"));
    bench.wait_link("the whole greeting", |link| link.received.bytes == 5000);
    assert_eq!(bench.bytes(Direction::Received), greeting);
    bench.ask(NetCommand::Close);
    server.join().unwrap();
}

#[test]
fn both_directions_carry_megabytes_at_once() {
    const BYTES: usize = 8 << 20;
    let trust = Trust::new();
    let pattern =
        |seed: usize| -> Vec<u8> { (0..BYTES).map(|at| (at * 31 + at / 251 + seed) as u8).collect() };
    let answer = pattern(7);
    let (address, server) = speaking(Arc::new(trust.good()), move |mut tls| {
        let mut got = Vec::new();
        let mut buffer = vec![0; 50_000];
        for part in answer.chunks(70_000) {
            tls.write_all(part).unwrap();
            let count = tls.read(&mut buffer).unwrap();
            got.extend_from_slice(&buffer[..count]);
        }
        tls.conn.send_close_notify();
        tls.flush().unwrap();
        tls.read_to_end(&mut got).unwrap();
        got
    });
    let bench = Bench::new(trust.options());
    bench.dial(format!("tls://{address}"));
    bench.wait_state(LinkState::Open);
    for part in pattern(3).chunks(1 << 20) {
        bench.send(part);
    }
    bench.ask(NetCommand::HalfClose);
    let link = bench.wait_link("the end", |link| link.end.is_some());
    assert_eq!(
        link.end.map(|end| end.how),
        Some(EndHow::Fin),
        "{:?}",
        link.reason
    );
    assert!(server.join().unwrap() == pattern(3), "what the server got");
    assert!(bench.bytes(Direction::Received) == pattern(7), "what came");
    assert!(
        bench.bytes(Direction::Sent) == pattern(3),
        "what is recorded as sent"
    );
}

#[test]
fn a_session_is_resumed_and_still_trusted() {
    let trust = Trust::new();
    let config = Arc::new(trust.good());
    let bench = Bench::new(trust.options());
    let mut resumed = Vec::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = listener.accept().unwrap();
            let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            tls.write_all(b"hi").unwrap();
            tls.conn.send_close_notify();
            tls.flush().unwrap();
            let _ = tls.read_to_end(&mut Vec::new());
        }
    });
    for round in 0..2 {
        bench.dial(format!("tls://localhost:{}", address.port()));
        let link = bench.wait_link("the server's end", |link| {
            link.id.0 == round && link.first_fin == Some(Side::Peer)
        });
        let tls = link.tls.unwrap();
        assert_eq!((&tls.verdict, tls.chain.len()), (&Verdict::Trusted, 1));
        resumed.push(tls.agreed.as_ref().unwrap().resumed);
        bench.ask(NetCommand::Close);
        bench.wait_state(LinkState::Closed);
    }
    server.join().unwrap();
    assert_eq!(resumed, [false, true]);
}

#[test]
fn servers_that_want_a_certificate_get_ours() {
    let trust = Trust::new();
    let mut roots = RootCertStore::empty();
    roots.add(trust.root.der()).unwrap();
    let demanding = || {
        let (chain, key) = trust.root.issue(&server(&["localhost"]));
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots.clone()))
            .build()
            .unwrap();
        ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .unwrap()
    };
    let (bench, _, _) = meet(demanding(), trust.options(), "localhost");
    let link = bench.wait_link("the refusal", |link| link.end.is_some());
    assert_eq!(
        link.end.map(|end| (end.by, end.how)),
        Some((Side::Peer, EndHow::Alert))
    );
    assert!(link.reason.unwrap().contains("certificate_required (116)"));

    let mut params = server(&["client"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (chain, key) = trust.root.issue(&params);
    let (cert, private) = (
        trust.folder.path().join("c.pem"),
        trust.folder.path().join("k.pem"),
    );
    std::fs::write(&cert, pem("CERTIFICATE", &chain[0])).unwrap();
    std::fs::write(&private, pem("PRIVATE KEY", key.secret_der())).unwrap();
    let options = with(TlsOptions {
        ca: Some(trust.ca()),
        client: Some((cert, private)),
        min: TlsVersion::V1_3,
        ..TlsOptions::default()
    });
    let (_bench, _, got) = meet(demanding(), options, "localhost");
    assert_eq!(got.unwrap(), 5);
}

#[test]
fn what_is_no_tls_is_named() {
    let check = |answer: &'static [u8], expected: &str| {
        let (address, server) = peer(move |mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let bench = Bench::new(Options::default());
        bench.dial(format!("tls://{address}"));
        let link = bench.wait_state(LinkState::Failed);
        server.join().unwrap();
        let reason = link.reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
        assert!(bench.bytes(Direction::Sent).is_empty());
    };
    check(b"", "ended the connection during the TLS handshake");
    check(b"HTTP/1.1 400 Bad Request\r\n\r\n", "it answered in plain HTTP");
    check(b"220 mail ESMTP\r\n", "after STARTTLS");
    check(b"+OK ready\r\n", "after STARTTLS");
    check(&[0xff; 64], "broke the rules of TLS");
    check(&[21, 3, 3, 0, 2, 2, 40], "the alert handshake_failure (40)");
    // Half a record.
    check(
        &[22, 3, 3, 0, 100, 2],
        "ended the connection during the TLS handshake",
    );
}

#[test]
fn silence_is_told_from_a_server_that_cannot_be_reached() {
    let (address, server) = peer(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let bench = Bench::new(Options {
        connect_timeout: Duration::from_millis(300),
        ..Options::default()
    });
    bench.dial(format!("tls://{address}"));
    let link = bench.wait_state(LinkState::Failed);
    server.join().unwrap();
    let reason = link.reason.unwrap();
    assert!(reason.contains("did not answer in TLS within 0.3 s"), "{reason}");
    assert_eq!(link.end.map(|end| end.how), Some(EndHow::Timeout));
}

#[test]
fn what_was_agreed_on_is_in_the_log() {
    let trust = Trust::new();
    let mut config = trust.good();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let options = with(TlsOptions {
        ca: Some(trust.ca()),
        alpn: vec!["h2".into(), "http/1.1".into()],
        ..TlsOptions::default()
    });
    let (bench, link, _) = meet(config, options, "localhost");
    let agreed = link.tls.as_ref().unwrap().agreed.clone().unwrap();
    assert_eq!(
        (agreed.version.as_str(), agreed.alpn.as_deref()),
        ("TLS 1.3", Some("h2"))
    );
    let logged = bench.entries().into_iter().find_map(|entry| {
        if let EntryKind::Tls(report) = entry.kind {
            Some(report)
        } else {
            None
        }
    });
    assert_eq!(logged.as_deref(), link.tls.as_deref());
}
