//! The server's end of TLS: over a wire in memory that cuts everything up, against itself; and on loopback against
//! clients that were not written for this project.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/pipe.rs"]
mod pipe;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose;
use sockscope::model::{Side, TlsReport, TlsRole, Verdict};
use sockscope::net::Received;
use sockscope::net::tls::{
    ClientHello, Fault, Greeting, LocalAuthority, Tls, TlsError, TlsOptions, TlsServer, TlsStream,
};
use tempfile::TempDir;

use authority::{Authority, Identity, pem, self_signed};
use pipe::{End, wire};
use server::is_installed;

/// The longest that anything here may take; reached only when something is wrong.
const BOUND: Duration = Duration::from_secs(20);

/// Where files for the options of TLS are.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn identity(&self, name: &str, (chain, key): &Identity) -> (PathBuf, PathBuf) {
        let chain: String = chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        (
            self.write(&format!("{name}.pem"), &chain),
            self.write(&format!("{name}.key"), &pem("PRIVATE KEY", key.secret_der())),
        )
    }
}

fn trusting(path: PathBuf) -> TlsOptions {
    TlsOptions {
        ca: Some(path),
        ..TlsOptions::default()
    }
}

fn at(target: &str) -> sockscope::model::Authority {
    target.parse().unwrap()
}

/// Shakes hands over a wire in memory; what came of it at the client and at the server.
fn shake(
    client: &mut TlsStream,
    server: &mut TlsStream,
    (ours, theirs): &mut (End, End),
) -> (Result<(), Fault>, Result<(), Fault>) {
    let mut done = [None, None];
    for _ in 0..100_000 {
        for (slot, tls, wire) in [(0, &mut *client, &mut *ours), (1, &mut *server, &mut *theirs)] {
            if done[slot].is_none() {
                done[slot] = match tls.shake(wire) {
                    Ok(true) => Some(Ok(())),
                    Ok(false) => None,
                    Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => None,
                    Err(fault) => Some(Err(fault)),
                };
            }
        }
        if let [Some(_), Some(_)] = &done {
            let [client, server] = done.map(Option::unwrap);
            return (client, server);
        }
        // One side gave up, and the other has heard all that there is.
        if let [Some(Err(_)), None] | [None, Some(Err(_))] = &done {
            let heard = tell_all(client, ours) & tell_all(server, theirs);
            if heard {
                let [client, server] = done.map(|done| done.unwrap_or(Ok(())));
                return (client, server);
            }
        }
    }
    panic!("the handshake does not end");
}

fn tell_all(tls: &mut TlsStream, wire: &mut End) -> bool {
    tls.flush(wire).is_ok() && !tls.wants_write()
}

fn report(tls: &TlsStream) -> TlsReport {
    tls.report(Duration::ZERO)
}

fn why(result: Result<(), Fault>) -> (Side, String) {
    match result {
        Err(Fault::Tls { by, why }) => (by, why),
        other => panic!("no fault of TLS: {other:?}"),
    }
}

fn receive(tls: &mut TlsStream, wire: &mut End) -> Vec<u8> {
    let mut got = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        match tls.receive(wire, &mut buffer) {
            Ok(Received::Bytes(count)) => got.extend_from_slice(&buffer[..count]),
            Ok(Received::End | Received::Cut) => return got,
            Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return got,
            Err(fault) => panic!("{fault:?}"),
        }
    }
}

/// A server with a certificate of localhost, and what a client needs to trust it.
fn known(folder: &Folder, change: impl FnOnce(&mut TlsOptions)) -> (TlsServer, TlsOptions) {
    let root = Authority::root("root");
    let ca = folder.write("ca.pem", &root.pem());
    let identity = root.issue(&authority::server(&["localhost", "127.0.0.1"]));
    let mut options = TlsOptions {
        server: Some(folder.identity("server", &identity)),
        ..TlsOptions::default()
    };
    change(&mut options);
    let server = Tls::load(&options).unwrap().server(&[]).unwrap();
    (server, trusting(ca))
}

#[test]
fn a_handshake_survives_any_cuts() {
    for most in [1, 7, 4096] {
        let folder = Folder::new();
        let (server, options) = known(&folder, |options| {
            options.alpn = vec!["imap".into(), "http/1.1".into()];
        });
        let options = TlsOptions {
            alpn: vec!["h2".into(), "http/1.1".into()],
            ..options
        };
        let mut client = Tls::load(&options).unwrap().client(&at("localhost:1")).unwrap();
        let mut server = server.accept().unwrap();
        let mut wires = wire(most);
        let (ours, theirs) = shake(&mut client, &mut server, &mut wires);
        ours.unwrap();
        theirs.unwrap();
        let (ours, theirs) = (report(&client), report(&server));
        assert_eq!((ours.role, theirs.role), (TlsRole::Client, TlsRole::Server));
        assert_eq!(ours.agreed, theirs.agreed);
        let agreed = theirs.agreed.unwrap();
        assert_eq!(
            (agreed.version.as_str(), agreed.alpn.as_deref(), agreed.resumed),
            ("TLS 1.3", Some("http/1.1"), false)
        );
        assert_eq!((ours.verdict, ours.chain.len()), (Verdict::Trusted, 1));
        assert_eq!((theirs.verdict, theirs.chain.len()), (Verdict::Unchecked, 0));
        assert_eq!(theirs.server_name, "localhost");

        let (ours, theirs) = &mut wires;
        for text in ["a question", &"an answer ".repeat(5000)] {
            let mut sent = 0;
            while sent < text.len() {
                sent += client.send(ours, &text.as_bytes()[sent..]).unwrap();
            }
            assert!(receive(&mut server, theirs) == text.as_bytes(), "{most} a time");
            let (mut got, mut sent) = (Vec::new(), 0);
            while sent < text.len() {
                sent += server.send(theirs, &text.as_bytes()[sent..]).unwrap();
                got.extend(receive(&mut client, ours));
            }
            assert!(got == text.as_bytes(), "{most} at a time");
        }
        assert!(!server.wants_reading() && !client.wants_reading());
    }
}

#[test]
fn what_comes_with_the_end_of_the_handshake_waits_to_be_read() {
    let folder = Folder::new();
    let (server, options) = known(&folder, |_| {});
    let mut client = Tls::load(&options).unwrap().client(&at("localhost:1")).unwrap();
    let mut server = server.accept().unwrap();
    let mut wires = wire(1 << 16);
    let mut through = false;
    while !through {
        through = client.shake(&mut wires.0).unwrap();
        if through {
            // Before the server has seen that the client is through.
            client.send(&mut wires.0, b"GET /").unwrap();
        }
        server.shake(&mut wires.1).unwrap();
    }
    assert!(server.wants_reading());
    assert_eq!(receive(&mut server, &mut wires.1), b"GET /");
    assert!(!server.wants_reading());
}

#[test]
fn a_second_connection_resumes_the_first() {
    let folder = Folder::new();
    let (server, options) = known(&folder, |_| {});
    let clients = Tls::load(&options).unwrap();
    let mut resumed = Vec::new();
    for _ in 0..2 {
        let mut client = clients.client(&at("localhost:1")).unwrap();
        let mut server = server.accept().unwrap();
        let mut wires = wire(4096);
        let (ours, theirs) = shake(&mut client, &mut server, &mut wires);
        ours.and(theirs).unwrap();
        // The tickets.
        receive(&mut client, &mut wires.0);
        let reports = [report(&client), report(&server)];
        assert_eq!(reports[0].verdict, Verdict::Trusted, "as it was proved before");
        resumed.push(reports.map(|report| report.agreed.unwrap().resumed));
    }
    assert_eq!(resumed, [[false, false], [true, true]]);
}

#[test]
fn a_certificate_is_made_on_the_spot() {
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let tls = Tls::load(&TlsOptions::default()).unwrap();
    let server = tls.server(&[address, Ipv4Addr::LOCALHOST.into()]).unwrap();
    assert!(server.is_made());
    let made = server.certificate();
    for name in ["localhost", "127.0.0.1", "::1", "192.0.2.7"] {
        assert_eq!(
            made.names.iter().filter(|known| *known == name).count(),
            1,
            "{name} in {:?}",
            made.names
        );
    }
    let lasts = (made.not_after - made.not_before) / (24 * 60 * 60);
    assert!((2..=14).contains(&lasts), "{lasts} days");
    assert_eq!(made.key, "EC P-256");
    assert_ne!(
        tls.server(&[]).unwrap().certificate().sha256,
        made.sha256,
        "a key of its own"
    );

    let insecure = TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    };
    let mut client = Tls::load(&insecure).unwrap().client(&at("localhost:1")).unwrap();
    let (ours, theirs) = shake(&mut client, &mut server.accept().unwrap(), &mut wire(4096));
    ours.and(theirs).unwrap();
    let seen = report(&client);
    assert_eq!(
        seen.chain[0].sha256, made.sha256,
        "what is shown is what clients see"
    );
    assert!(matches!(seen.verdict, Verdict::Ignored(_)));
}

#[test]
fn all_addresses_of_the_machine_are_named_for_a_wildcard() {
    let tls = Tls::load(&TlsOptions::default()).unwrap();
    let server = tls.server(&[Ipv4Addr::UNSPECIFIED.into()]).unwrap();
    let names = &server.certificate().names;
    assert!(!names.iter().any(|name| name == "0.0.0.0"), "{names:?}");
    assert!(names.iter().any(|name| name == "127.0.0.1"), "{names:?}");
}

#[test]
fn a_client_that_does_not_trust_us_says_so() {
    let tls = Tls::load(&TlsOptions::default()).unwrap();
    let folder = Folder::new();
    let other = folder.write("other.pem", &Authority::root("somebody else").pem());
    let mut client = Tls::load(&trusting(other))
        .unwrap()
        .client(&at("localhost:1"))
        .unwrap();
    let mut server = tls.server(&[]).unwrap().accept().unwrap();
    let (ours, theirs) = shake(&mut client, &mut server, &mut wire(4096));
    let (by, said) = why(ours);
    assert_eq!(by, Side::Local);
    assert!(said.contains("nobody who is trusted has issued it"), "{said}");
    let (by, said) = why(theirs);
    assert_eq!(by, Side::Peer);
    assert_eq!(
        said,
        "refused TLS with the alert unknown_ca (48): it does not trust our certificate"
    );
    let report = report(&server);
    assert_eq!((report.server_name.as_str(), report.agreed), ("localhost", None));
}

#[test]
fn what_clients_present_is_checked_and_shown() {
    let folder = Folder::new();
    let known_root = Authority::root("for clients");
    let clients = folder.write("clients.pem", &known_root.pem());
    let (server, options) = known(&folder, |options| options.client_ca = Some(clients));
    let mut params = authority::server(&["somebody"]);
    let for_servers = known_root.issue(&params);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let check = |identity: Option<Identity>, verdict: Verdict, chain: usize, expected: &str| {
        let options = TlsOptions {
            client: identity.map(|identity| folder.identity("client", &identity)),
            ..options.clone()
        };
        let mut client = Tls::load(&options).unwrap().client(&at("localhost:1")).unwrap();
        let mut server = server.accept().unwrap();
        let (_, theirs) = shake(&mut client, &mut server, &mut wire(4096));
        let report = report(&server);
        assert_eq!((&report.verdict, report.chain.len()), (&verdict, chain));
        match theirs {
            Ok(()) => assert_eq!(expected, ""),
            fault => assert_eq!(why(fault), (Side::Local, expected.to_owned())),
        }
    };
    check(Some(known_root.issue(&params)), Verdict::Trusted, 1, "");
    check(
        None,
        Verdict::Unchecked,
        0,
        "presented no certificate, and --client-ca asks for one",
    );
    let unknown = "nobody who is trusted has issued it";
    check(
        Some(self_signed(&params)),
        Verdict::Refused(unknown.into()),
        1,
        &format!("has a certificate that is not trusted: {unknown}"),
    );
    check(
        Some(for_servers),
        Verdict::Refused("it is not for clients".into()),
        1,
        "has a certificate that is not trusted: it is not for clients",
    );
}

#[test]
fn what_is_no_tls_is_named() {
    let tls = Tls::load(&TlsOptions::default()).unwrap();
    let server = tls.server(&[]).unwrap();
    let check = |said: &[u8], expected: &str| {
        let (mut ours, mut theirs) = wire(4096);
        ours.write_all(said).unwrap();
        let (by, first) = why(server.accept().unwrap().shake(&mut theirs).map(drop));
        assert_eq!(by, Side::Local);
        assert!(first.contains(expected), "{first}");
        let mut alert = [0; 7];
        ours.read_exact(&mut alert).unwrap();
        assert_eq!((alert[0], alert[5]), (21, 2), "a fatal alert");

        let (mut ours, mut theirs) = wire(4096);
        ours.write_all(said).unwrap();
        let Err(Fault::Tls { why, .. }) = Greeting::default().listen(&mut theirs) else {
            panic!("{said:?} is taken for TLS");
        };
        assert_eq!(why, first);
        ours.read_exact(&mut alert).unwrap();
        assert_eq!((alert[0], alert[5]), (21, 2), "a fatal alert");
    };
    check(
        b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "it sent plain HTTP: \"GET /index.html HTTP/1.1\"",
    );
    check(
        b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
        "it sent plain text: \"SSH-2.0-",
    );
    check(&[0xff; 100], "broke the rules of TLS");
}

#[test]
fn an_end_before_the_handshake_is_told_from_one_within_it() {
    struct Ends<'a>(&'a [u8]);
    impl Read for Ends<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Write for Ends<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let tls = Tls::load(&TlsOptions::default()).unwrap();
    let server = tls.server(&[]).unwrap();
    let check = |said: &[u8], expected: &str| {
        let Err(Fault::Cut { why }) = server.accept().unwrap().shake(&mut Ends(said)) else {
            panic!("it goes on");
        };
        assert_eq!(why, expected);
    };
    check(b"", "ended the connection before the TLS handshake");
    check(
        &[22, 3, 1, 0, 100],
        "ended the connection during the TLS handshake",
    );
}

#[test]
fn wrong_files_say_what_is_wrong_with_them() {
    let folder = Folder::new();
    let root = Authority::root("root");
    let mine = folder.identity("mine", &root.issue(&authority::server(&["localhost"])));
    let other = folder.identity("other", &root.issue(&authority::server(&["localhost"])));
    let load = |chain: &Path, key: &Path| -> Result<TlsServer, TlsError> {
        Tls::load(&TlsOptions {
            server: Some((chain.to_owned(), key.to_owned())),
            ..TlsOptions::default()
        })?
        .server(&[])
    };
    let check = |chain: &Path, key: &Path, expected: &str| {
        let error = load(chain, key).err().unwrap().to_string();
        let folder = folder.0.path().display().to_string();
        assert_eq!(error.replace(&folder, "DIR"), expected);
    };
    assert!(!load(&mine.0, &mine.1).unwrap().is_made());
    check(
        &mine.0,
        &other.1,
        "the server certificate cannot be used: the key is not the certificate's",
    );
    check(
        &mine.1,
        &mine.1,
        "cannot read certificates from DIR/mine.key: there is no -----BEGIN CERTIFICATE----- in it (PEM)",
    );
    check(
        &mine.0,
        &mine.0,
        "cannot read a private key from DIR/mine.pem: there is no -----BEGIN PRIVATE KEY----- in it (PEM)",
    );
    check(
        &folder.0.path().join("none"),
        &mine.1,
        "cannot read certificates from DIR/none: no such file or directory",
    );
}

/// Reads a client's first message off a wire in memory.
fn hello(client: &mut TlsStream, wires: &mut (End, End)) -> ClientHello {
    let mut greeting = Greeting::default();
    for _ in 0..100_000 {
        match client.shake(&mut wires.0) {
            Ok(_) => {}
            Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => panic!("{fault:?}"),
        }
        if let Some(hello) = greeting.listen(&mut wires.1).unwrap() {
            return hello;
        }
    }
    panic!("the client says nothing");
}

#[test]
fn an_interceptor_answers_in_the_name_of_the_server_that_is_asked_for() {
    let folder = Folder::new();
    let authority = LocalAuthority::open(folder.0.path()).unwrap();
    let trusting_it = trusting(folder.write("local.pem", authority.pem()));
    let clients = Tls::load(&trusting_it).unwrap();
    let ours = Tls::load(&TlsOptions::default()).unwrap();
    let interceptor = ours.interceptor(authority);
    let mut presented = Vec::new();
    for (target, chosen) in [
        ("mail.example:993", None),
        ("mail.example:993", Some("h2")),
        ("www.example:443", Some("http/1.1")),
        ("127.0.0.1:443", None),
    ] {
        let offered = [b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut client = clients.client_with(&at(target), None, &offered).unwrap();
        let mut wires = wire(3);
        let hello = hello(&mut client, &mut wires);
        let (host, _) = target.rsplit_once(':').unwrap();
        let by_name = host.ends_with("example");
        assert_eq!(hello.name(), Some(host).filter(|_| by_name));
        assert_eq!(hello.alpn(), offered);
        let answer = interceptor.answer(hello, "127.0.0.1", chosen.map(str::as_bytes), &mut wires.1);
        let mut server = answer.unwrap().unwrap();
        let (client_side, server_side) = shake(&mut client, &mut server, &mut wires);
        client_side.and(server_side).unwrap();
        let (seen, told) = (report(&client), report(&server));
        assert_eq!((&seen.verdict, seen.chain.len()), (&Verdict::Trusted, 1));
        assert_eq!(seen.chain[0].names, [host]);
        assert_eq!(seen.chain[0].key, "EC P-256");
        assert!(seen.chain[0].issuer.starts_with("CN=sockscope local CA of user "));
        let alpn = told.agreed.unwrap().alpn;
        assert_eq!((alpn.as_deref(), told.role), (chosen, TlsRole::Server));
        presented.push(seen.chain[0].sha256.clone());
    }
    assert_eq!(presented[0], presented[1], "made once");
    assert_ne!(presented[0], presented[2]);
}

#[test]
fn an_interceptor_refuses_what_the_client_did_not_offer() {
    let folder = Folder::new();
    let authority = LocalAuthority::open(folder.0.path()).unwrap();
    let clients = Tls::load(&trusting(folder.write("local.pem", authority.pem()))).unwrap();
    let ours = Tls::load(&TlsOptions::default()).unwrap();
    let interceptor = ours.interceptor(authority);
    let mut client = clients
        .client_with(&at("www.example:443"), None, &[b"h2".to_vec()])
        .unwrap();
    let mut wires = wire(4096);
    let hello = hello(&mut client, &mut wires);
    let answer = interceptor
        .answer(hello, "x", Some(b"imap"), &mut wires.1)
        .unwrap();
    let mut server = match answer {
        Ok(server) => server,
        Err(fault) => {
            assert!(why(Err(fault)).1.contains("none of the application protocols"));
            let (_, said) = why(client.shake(&mut wires.0).map(drop));
            assert!(said.contains("no_application_protocol (120)"), "{said}");
            return;
        }
    };
    let (ours, theirs) = shake(&mut client, &mut server, &mut wires);
    assert!(why(theirs).1.contains("none of the application protocols"));
    assert!(why(ours).1.contains("no_application_protocol (120)"));
}

#[test]
fn a_client_of_ours_can_ask_as_another_client_did() {
    let folder = Folder::new();
    let (server, options) = known(&folder, |options| options.alpn = vec!["h2".into()]);
    let clients = Tls::load(&options).unwrap();
    let mut client = clients
        .client_with(&at("192.0.2.1:443"), Some("localhost"), &[b"h2".to_vec()])
        .unwrap();
    let mut server = server.accept().unwrap();
    let (ours, theirs) = shake(&mut client, &mut server, &mut wire(4096));
    ours.and(theirs).unwrap();
    assert_eq!(report(&client).verdict, Verdict::Trusted);
    assert_eq!(report(&server).server_name, "localhost");
    assert_eq!(report(&client).agreed.unwrap().alpn.as_deref(), Some("h2"));
}

/// What the server's end tells of the handshake, if it got as far, and how it ended.
type Served = (Option<TlsReport>, Result<(), Fault>);

/// Serves one client on loopback, as a wire that waits; what came of the handshake.
fn serve<S: Send + 'static>(
    server: S,
    accept: impl FnOnce(&S, &mut TcpStream) -> Result<TlsStream, Fault> + Send + 'static,
) -> (u16, JoinHandle<Served>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (mut wire, _) = listener.accept().unwrap();
        wire.set_read_timeout(Some(BOUND)).unwrap();
        let mut tls = match accept(&server, &mut wire) {
            Ok(tls) => tls,
            Err(fault) => return (None, Err(fault)),
        };
        if let Err(fault) = tls.shake(&mut wire) {
            return (Some(report(&tls)), Err(fault));
        }
        let mut request = Vec::new();
        let mut buffer = [0; 1000];
        while !request.ends_with(b"\r\n\r\n") && !request.ends_with(b"\n") {
            match tls.receive(&mut wire, &mut buffer) {
                Ok(Received::Bytes(count)) => request.extend_from_slice(&buffer[..count]),
                Ok(Received::End | Received::Cut) => break,
                Err(fault) => return (Some(report(&tls)), Err(fault)),
            }
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes";
        let told = tls.send(&mut wire, answer).and_then(|_| tls.finish(&mut wire));
        (Some(report(&tls)), told.map_err(Fault::from))
    });
    (port, thread)
}

#[expect(clippy::unnecessary_wraps, reason = "other ways to accept can fail")]
fn plainly(server: &TlsServer, _: &mut TcpStream) -> Result<TlsStream, Fault> {
    Ok(server.accept().unwrap())
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn curl_is_served_and_its_refusal_named() {
    if !is_installed("curl") {
        return;
    }
    let folder = Folder::new();
    for (versions, version) in [
        (&["--tls-max", "1.2"][..], "TLS 1.2"),
        (&["--tlsv1.3"], "TLS 1.3"),
    ] {
        let (server, options) = known(&folder, |options| options.alpn = vec!["http/1.1".into()]);
        let ca = options.ca.unwrap().display().to_string();
        let (port, serving) = serve(server, plainly);
        let url = format!("https://localhost:{port}/");
        let mut arguments = vec!["-sS", "--max-time", "20", "--cacert", &ca, &url];
        arguments.extend(versions);
        let got = run("curl", &arguments);
        assert_eq!(
            (text(&got.stdout).as_str(), text(&got.stderr).as_str()),
            ("yes", "")
        );
        let (report, result) = serving.join().unwrap();
        result.unwrap();
        let report = report.unwrap();
        let agreed = report.agreed.unwrap();
        assert_eq!(
            (
                report.server_name.as_str(),
                agreed.version.as_str(),
                agreed.alpn.as_deref()
            ),
            ("localhost", version, Some("http/1.1"))
        );
    }
    let made = Tls::load(&TlsOptions::default()).unwrap().server(&[]).unwrap();
    let (port, serving) = serve(made, plainly);
    let got = run(
        "curl",
        &["-sS", "--max-time", "20", &format!("https://localhost:{port}/")],
    );
    assert_eq!(got.status.code(), Some(60), "{}", text(&got.stderr));
    let (by, said) = why(serving.join().unwrap().1);
    assert_eq!(by, Side::Peer);
    assert!(said.ends_with("it does not trust our certificate"), "{said}");
}

#[test]
fn curl_trusts_the_local_authority() {
    if !is_installed("curl") {
        return;
    }
    let folder = Folder::new();
    let authority = LocalAuthority::open(folder.0.path()).unwrap();
    let ca = folder.write("local.pem", authority.pem()).display().to_string();
    for (host, alpn) in [("localhost", "http/1.1"), ("127.0.0.1", "http/1.1")] {
        let authority = LocalAuthority::open(folder.0.path()).unwrap();
        let ours = Tls::load(&TlsOptions::default()).unwrap();
        let interceptor = ours.interceptor(authority);
        let (port, serving) = serve(interceptor, move |interceptor, wire| {
            let hello = Greeting::default().listen(wire)?.unwrap();
            assert!(hello.alpn().contains(&b"h2".to_vec()), "{:?}", hello.alpn());
            interceptor
                .answer(hello, "127.0.0.1", Some(alpn.as_bytes()), wire)
                .unwrap()
        });
        let url = format!("https://{host}:{port}/");
        let got = run("curl", &["-sS", "--max-time", "20", "--cacert", &ca, &url]);
        assert_eq!(
            (text(&got.stdout).as_str(), text(&got.stderr).as_str()),
            ("yes", ""),
            "{host}"
        );
        let (report, result) = serving.join().unwrap();
        result.unwrap();
        assert_eq!(report.unwrap().agreed.unwrap().alpn.as_deref(), Some(alpn));
    }
}

#[test]
fn openssl_sees_the_certificate_that_is_shown() {
    if !is_installed("openssl") {
        return;
    }
    let server = Tls::load(&TlsOptions::default()).unwrap().server(&[]).unwrap();
    let shown = server.certificate().sha256.clone();
    let (port, serving) = serve(server, plainly);
    let target = format!("127.0.0.1:{port}");
    let script = format!(
        "echo hello | openssl s_client -connect {target} -servername localhost -ign_eof 2>/dev/null \
         | openssl x509 -noout -fingerprint -sha256"
    );
    let got = run("sh", &["-c", &script]);
    let seen = text(&got.stdout).replace(':', "").to_lowercase();
    assert!(seen.contains(&shown), "{seen} is not {shown}");
    serving.join().unwrap().1.unwrap();
}

#[test]
fn a_client_of_old_versions_is_told_apart() {
    if !is_installed("openssl") {
        return;
    }
    let server = Tls::load(&TlsOptions::default()).unwrap().server(&[]).unwrap();
    let (port, serving) = serve(server, plainly);
    let target = format!("127.0.0.1:{port}");
    let arguments = [
        "s_client",
        "-connect",
        &target,
        "-tls1_1",
        "-cipher",
        "DEFAULT:@SECLEVEL=0",
    ];
    let got = run("openssl", &arguments);
    let (by, said) = why(serving.join().unwrap().1);
    assert_eq!(by, Side::Local);
    assert!(
        said.starts_with("offered no version that is spoken here"),
        "{said}"
    );
    assert!(text(&got.stderr).contains("alert"), "{}", text(&got.stderr));
}
