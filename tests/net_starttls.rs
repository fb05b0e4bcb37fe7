//! TLS on connections that began in the clear, against scripted servers on loopback: both parts in one log, refusals in
//! the server's words, and nothing that was meant for TLS in the clear.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/worker.rs"]
mod worker;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sockscope::model::{
    Direction, EndHow, EntryKind, Link, LinkState, NetCommand, Preset, Records as _, Side, Verdict,
};
use sockscope::net::{Options, TlsOptions};
use tempfile::TempDir;

use authority::{Authority, server};
use worker::{Bench, peer};

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// An authority that the worker trusts, and a server with a certificate of localhost by it.
struct Trust {
    config: Arc<ServerConfig>,
    folder: TempDir,
}

impl Trust {
    fn new() -> Trust {
        let (root, folder) = (Authority::root("root"), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
        let (chain, key) = root.issue(&server(&["localhost", "127.0.0.1"]));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Trust {
            config: Arc::new(config),
            folder,
        }
    }

    fn options(&self) -> Options {
        Options {
            tls: TlsOptions {
                ca: Some(self.folder.path().join("ca.pem")),
                ..TlsOptions::default()
            },
            ..Options::default()
        }
    }

    fn required(&self, preset: Preset) -> Options {
        Options {
            starttls: Some(preset),
            ..self.options()
        }
    }

    /// Plays `script` on the first connection.
    fn serve<T: Send + 'static>(
        &self,
        script: impl FnOnce(Talk) -> T + Send + 'static,
    ) -> (SocketAddr, JoinHandle<T>) {
        let config = Arc::clone(&self.config);
        peer(move |stream| script(Talk { stream, config }))
    }
}

/// The server's end, in the clear.
struct Talk {
    stream: TcpStream,
    config: Arc<ServerConfig>,
}

impl Talk {
    fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Says it byte by byte, each in a segment of its own.
    fn say_slowly(&mut self, text: &[u8]) {
        self.stream.set_nodelay(true).unwrap();
        for byte in text {
            self.stream.write_all(&[*byte]).unwrap();
        }
    }

    /// Reads what must come, to the byte.
    fn expect(&mut self, expected: &[u8]) {
        let mut got = vec![0; expected.len()];
        self.stream.read_exact(&mut got).unwrap();
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(expected));
    }

    fn upgrade(self) -> Tls {
        StreamOwned::new(ServerConnection::new(self.config).unwrap(), self.stream)
    }

    /// What else comes in the clear until the other side ends.
    fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }
}

/// Reads a line, answers it, and says that this is the end.
fn answer(mut tls: Tls, reply: &str) -> Vec<u8> {
    let mut buffer = [0; 256];
    let count = tls.read(&mut buffer).unwrap();
    tls.write_all(reply.as_bytes()).unwrap();
    tls.conn.send_close_notify();
    tls.flush().unwrap();
    tls.sock.shutdown(Shutdown::Write).unwrap();
    let _ = tls.read_to_end(&mut Vec::new());
    buffer[..count].to_vec()
}

fn dial(bench: &Bench, address: SocketAddr) {
    bench.dial(format!("tcp://localhost:{}", address.port()));
}

fn is_up(link: &Link) -> bool {
    link.state == LinkState::Open && link.tls.as_ref().is_some_and(|tls| tls.agreed.is_some())
}

/// What was said one way, in the clear and decrypted, and what happened, without the dialing.
fn told(bench: &Bench) -> String {
    let kinds = bench.kinds();
    let open = kinds.find("open").unwrap_or(0);
    kinds[open..].to_owned()
}

/// The texts of the entries that say what went wrong, and of the notes.
fn texts(bench: &Bench) -> Vec<String> {
    let entries = bench.entries().into_iter();
    let texts = entries.filter_map(|entry| {
        let (EntryKind::Error { text, .. } | EntryKind::Note { text }) = entry.kind else {
            return None;
        };
        Some(text)
    });
    texts.collect()
}

fn smtp_until_go(talk: &mut Talk, address: &str) {
    talk.say("220 mail.example ESMTP\r\n");
    talk.expect(format!("EHLO [{address}]\r\n").as_bytes());
    talk.say("250-mail.example\r\n250 STARTTLS\r\n");
    talk.expect(b"STARTTLS\r\n");
}

#[test]
fn a_mail_server_is_asked_for_tls_in_its_words() {
    let trust = Trust::new();
    let (address, server) = trust.serve(|mut talk| {
        smtp_until_go(&mut talk, "127.0.0.1");
        talk.say_slowly(b"220 2.0.0 Ready to start TLS\r\n");
        answer(talk.upgrade(), "221 bye\r\n")
    });
    let bench = Bench::new(trust.options());
    bench.dial(format!("tcp://127.0.0.1:{}", address.port()));
    bench.wait_state(LinkState::Open);
    bench.ask(NetCommand::StartTls(Some(Preset::Smtp)));
    let link = bench.wait_link("TLS", is_up);
    let report = link.tls.unwrap();
    assert_eq!(
        (&report.verdict, report.server_name.as_str()),
        (&Verdict::Trusted, "127.0.0.1")
    );
    bench.send(b"QUIT\r\n");
    bench.wait_link("the server's end", |link| link.first_fin == Some(Side::Peer));
    bench.ask(NetCommand::Close);
    let link = bench.wait_link("the end", |link| link.end.is_some());
    assert_eq!(
        (link.state, link.end.unwrap().how),
        (LinkState::Closed, EndHow::Fin)
    );
    assert_eq!(server.join().unwrap(), b"QUIT\r\n");

    let sent = String::from_utf8(bench.bytes(Direction::Sent)).unwrap();
    assert_eq!(sent, "EHLO [127.0.0.1]\r\nSTARTTLS\r\nQUIT\r\n");
    let received = String::from_utf8(bench.bytes(Direction::Received)).unwrap();
    assert!(
        received.starts_with("220 mail.example ESMTP\r\n250-mail"),
        "{received}"
    );
    assert!(received.ends_with("TLS\r\n221 bye\r\n"), "{received}");
    let kinds = told(&bench);
    assert!(
        kinds.starts_with("open received sent received sent received"),
        "{kinds}"
    );
    assert!(
        kinds.ends_with("tls sent received peer-fin close-our-fin"),
        "{kinds}"
    );
    let connections: Vec<_> = bench.entries().iter().map(|entry| entry.connection.0).collect();
    assert!(connections.iter().all(|id| *id == 0), "{connections:?}");
    assert_eq!(bench.session.conversations(), 1);
}

#[test]
fn without_words_the_handshake_starts_at_once() {
    let trust = Trust::new();
    let (address, server) = trust.serve(|mut talk| {
        talk.say("hello\n");
        talk.expect(b"now\n");
        answer(talk.upgrade(), "yes")
    });
    let bench = Bench::new(trust.options());
    dial(&bench, address);
    bench.wait_link("the greeting", |link| link.received.bytes == 6);
    bench.send(b"now\n");
    bench.ask(NetCommand::StartTls(None));
    // Held back until TLS is there.
    bench.send(b"secret");
    bench.wait_link("the answer", |link| link.received.bytes == 9);
    assert!(
        told(&bench).starts_with("open received sent tls sent received"),
        "{}",
        told(&bench)
    );
    bench.ask(NetCommand::StartTls(None));
    bench.wait("the refusal", |_| {
        texts(&bench).iter().any(|text| text.contains("already"))
    });
    assert_eq!(
        texts(&bench),
        ["TLS was not started: the connection speaks TLS already"]
    );
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"secret");
}

#[test]
fn a_refusal_is_told_in_the_servers_words_and_what_was_meant_for_tls_is_not_sent() {
    let trust = Trust::new();
    let (address, server) = trust.serve(|mut talk| {
        smtp_until_go(&mut talk, "127.0.0.1");
        talk.say("454 4.7.0 TLS not available due to local problem\r\n");
        talk.expect(b"NOOP\r\n");
        talk.rest()
    });
    let bench = Bench::new(trust.options());
    dial(&bench, address);
    bench.wait_state(LinkState::Open);
    bench.ask(NetCommand::StartTls(Some(Preset::Smtp)));
    bench.send(b"AUTH PLAIN c2VjcmV0\r\n");
    bench.wait("the refusal", |_| {
        texts(&bench)
            .iter()
            .any(|text| text.starts_with("TLS was not started"))
    });
    bench.wait_state(LinkState::Open);
    bench.send(b"NOOP\r\n");
    bench.wait_link("the end of what is said", |link| {
        link.unsent == 0 && link.sent.messages == 3
    });
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"");
    assert_eq!(
        texts(&bench),
        [
            "21 B not sent: it was meant for TLS".to_owned(),
            format!(
                "TLS was not started: {address} refuses STARTTLS: \"454 4.7.0 TLS not available due to local problem\""
            ),
        ]
    );
    assert!(!told(&bench).contains("tls"), "{}", told(&bench));
}

#[test]
fn a_refusal_ends_a_connection_that_is_of_no_use_without() {
    let trust = Trust::new();
    let (address, server) = trust.serve(|mut talk| {
        talk.say("* OK ready\r\n");
        talk.expect(b"tls1 CAPABILITY\r\n");
        talk.say("* CAPABILITY IMAP4rev1\r\ntls1 OK\r\n");
        talk.rest()
    });
    let bench = Bench::new(trust.required(Preset::Imap));
    dial(&bench, address);
    bench.send(b"a1 LOGIN me secret\r\n");
    let link = bench.wait_state(LinkState::Failed);
    assert_eq!(server.join().unwrap(), b"", "not a byte of it in the clear");
    let why = format!("{address} does not offer STARTTLS in its CAPABILITY");
    assert_eq!(link.reason, Some(why.clone()));
    assert!(texts(&bench).contains(&why), "{:?}", texts(&bench));
    assert!(
        told(&bench).ends_with("error our-fin close-peer-fin"),
        "{}",
        told(&bench)
    );
}

#[test]
fn what_is_slipped_in_behind_the_go_ahead_ends_it() {
    let trust = Trust::new();
    let check = |preset: Preset, script: fn(&mut Talk), slipped: &'static str| {
        let (address, server) = trust.serve(move |mut talk| {
            script(&mut talk);
            talk.rest()
        });
        let bench = Bench::new(trust.required(preset));
        dial(&bench, address);
        let link = bench.wait_state(LinkState::Failed);
        // Not even the start of a handshake.
        assert_eq!(server.join().unwrap(), b"", "{preset}");
        let reason = link.reason.unwrap();
        assert!(reason.contains("CVE-2011-0411"), "{reason}");
        let end = link.end.unwrap();
        assert_eq!((end.by, end.how), (Side::Local, EndHow::Rst));
        let received = String::from_utf8(bench.bytes(Direction::Received)).unwrap();
        assert!(received.ends_with(slipped), "{received}");
        assert!(
            told(&bench).ends_with("received error our-rst"),
            "{}",
            told(&bench)
        );
    };
    check(
        Preset::Smtp,
        |talk| {
            smtp_until_go(talk, "127.0.0.1");
            talk.say("220 go\r\n250 injected\r\n");
        },
        "250 injected\r\n",
    );
    check(
        Preset::Pop3,
        |talk| {
            talk.say("+OK\r\n");
            talk.expect(b"STLS\r\n");
            talk.say("+OK\r\n+OK more\r\n");
        },
        "+OK more\r\n",
    );
}

/// What is slipped in later, when nobody listens for words any more, is no TLS.
#[test]
fn what_is_slipped_in_later_is_no_tls() {
    let trust = Trust::new();
    let (address, server) = trust.serve(|mut talk| {
        talk.say("+OK\r\n");
        talk.expect(b"STLS\r\n");
        talk.say("+OK\r\n");
        // The start of the handshake.
        talk.expect(&[22, 3, 1]);
        talk.say("+OK injected\r\n");
        talk.rest()
    });
    let bench = Bench::new(trust.required(Preset::Pop3));
    dial(&bench, address);
    let link = bench.wait_state(LinkState::Failed);
    server.join().unwrap();
    let reason = link.reason.unwrap();
    assert!(reason.contains("does not speak TLS here"), "{reason}");
    assert!(told(&bench).ends_with("tls error alert"), "{}", told(&bench));
}

#[test]
fn a_certificate_that_is_not_trusted_ends_it() {
    let (trust, other) = (Trust::new(), Trust::new());
    let (address, server) = trust.serve(|mut talk| {
        talk.say("+OK\r\n");
        talk.expect(b"STLS\r\n");
        talk.say("+OK\r\n");
        let mut tls = talk.upgrade();
        tls.read(&mut [0; 64]).map_err(|error| error.to_string())
    });
    let bench = Bench::new(other.options());
    dial(&bench, address);
    bench.wait_state(LinkState::Open);
    bench.ask(NetCommand::StartTls(Some(Preset::Pop3)));
    let link = bench.wait_state(LinkState::Failed);
    assert!(server.join().unwrap().unwrap_err().contains("alert"));
    let report = link.tls.unwrap();
    assert!(
        matches!(report.verdict, Verdict::Refused(_)),
        "{:?}",
        report.verdict
    );
    assert_eq!(report.chain.len(), 1, "it is shown");
    let end = link.end.unwrap();
    assert_eq!((end.by, end.how), (Side::Local, EndHow::Alert));
    assert!(
        link.reason
            .unwrap()
            .contains("has a certificate that is not trusted")
    );
}

#[test]
fn a_server_that_goes_away_is_told() {
    let trust = Trust::new();
    let check = |preset: Option<Preset>, script: fn(Talk), expected: &str| {
        let (address, server) = trust.serve(script);
        let bench = Bench::new(trust.options());
        dial(&bench, address);
        bench.wait_state(LinkState::Open);
        bench.ask(NetCommand::StartTls(preset));
        let link = bench.wait_state(LinkState::Failed);
        server.join().unwrap();
        let reason = link.reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
        assert!(
            told(&bench).ends_with("error peer-fin close-our-fin"),
            "{}",
            told(&bench)
        );
    };
    check(
        Some(Preset::Ftp),
        |mut talk| {
            talk.say("220 ready\r\n");
            talk.expect(b"AUTH TLS\r\n");
        },
        "ended the connection before TLS had begun",
    );
    check(
        None,
        |mut talk| {
            // All of the client's first message, so that nothing is left to be reset for.
            let mut head = [0; 5];
            talk.stream.read_exact(&mut head).unwrap();
            let len = usize::from(u16::from_be_bytes([head[3], head[4]]));
            talk.stream.read_exact(&mut vec![0; len]).unwrap();
        },
        "ended the connection during the TLS handshake",
    );
}

#[test]
fn silence_is_not_waited_for_longer_than_for_a_connection() {
    let trust = Trust::new();
    for (preset, expected) in [
        (Some(Preset::Xmpp), "did not answer as xmpp does within 0.3 s"),
        (None, "did not answer in TLS within 0.3 s"),
    ] {
        let (address, server) = trust.serve(Talk::rest);
        let bench = Bench::new(Options {
            connect_timeout: Duration::from_millis(300),
            ..trust.options()
        });
        dial(&bench, address);
        bench.wait_state(LinkState::Open);
        bench.ask(NetCommand::StartTls(preset));
        let link = bench.wait_state(LinkState::Failed);
        server.join().unwrap();
        assert!(
            link.reason.as_ref().unwrap().contains(expected),
            "{:?}",
            link.reason
        );
        assert_eq!(link.end.unwrap().how, EndHow::Timeout);
    }
}

#[test]
fn a_database_is_asked_only_first() {
    let trust = Trust::new();
    let (address, server) = trust.serve(|mut talk| {
        talk.expect(&[0, 0, 0, 8, 4, 210, 22, 47]);
        talk.say("S");
        answer(talk.upgrade(), "R")
    });
    let bench = Bench::new(trust.required(Preset::Postgresql));
    dial(&bench, address);
    bench.wait_link("TLS", is_up);
    bench.send(b"startup");
    bench.wait_link("the server's end", |link| link.first_fin == Some(Side::Peer));
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"startup");

    let (address, server) = trust.serve(Talk::rest);
    let bench = Bench::new(trust.options());
    dial(&bench, address);
    bench.wait_state(LinkState::Open);
    bench.send(b"x");
    bench.wait_link("it is sent", |link| link.sent.bytes == 1);
    bench.ask(NetCommand::StartTls(Some(Preset::Postgresql)));
    bench.wait("the refusal", |_| !texts(&bench).is_empty());
    assert_eq!(
        texts(&bench),
        [
            "TLS was not started: postgresql starts TLS only before anything else is sent: connect anew, and start TLS \
             first"
        ]
    );
    assert_eq!(bench.wait_state(LinkState::Open).sent.bytes, 1);
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"x");
}

/// The greeting that is the question to the answer may have come long before.
#[test]
fn a_greeting_that_was_heard_before_counts() {
    let trust = Trust::new();
    let mut greeting = b"\x1f\0\0\0\x0a8.0.1\0\x07\0\0\0challeng\0\xff\xff\x2d\x02\0\xff\xc7\x15".to_vec();
    greeting[0] = (greeting.len() - 4) as u8;
    let len = greeting.len() as u64;
    let (address, server) = trust.serve(move |mut talk| {
        talk.say_slowly(&greeting);
        let mut request = [0; 36];
        talk.stream.read_exact(&mut request).unwrap();
        assert_eq!(request[..4], [32, 0, 0, 1]);
        answer(talk.upgrade(), "OK")
    });
    let bench = Bench::new(trust.options());
    dial(&bench, address);
    bench.wait_link("the greeting", |link| link.received.bytes == len);
    bench.ask(NetCommand::StartTls(Some(Preset::Mysql)));
    bench.wait_link("TLS", is_up);
    bench.send(b"login");
    bench.wait_link("the server's end", |link| link.first_fin == Some(Side::Peer));
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    assert_eq!(server.join().unwrap(), b"login");
}

#[test]
fn nothing_else_than_an_open_stream_starts_tls() {
    let trust = Trust::new();
    let (address, server) = trust.serve(|talk| {
        talk.stream.shutdown(Shutdown::Write).unwrap();
        talk.rest()
    });
    let bench = Bench::new(trust.options());
    dial(&bench, address);
    bench.wait_state(LinkState::HalfClosed);
    bench.ask(NetCommand::StartTls(None));
    bench.wait("the refusal", |_| !texts(&bench).is_empty());
    assert_eq!(
        texts(&bench),
        ["TLS was not started: a side of the connection has ended"]
    );
    bench.ask(NetCommand::Close);
    bench.wait_state(LinkState::Closed);
    server.join().unwrap();

    let bench = Bench::new(trust.options());
    bench.dial("udp://127.0.0.1:9");
    bench.wait_state(LinkState::Open);
    bench.ask(NetCommand::StartTls(Some(Preset::Smtp)));
    bench.wait("the refusal", |_| !texts(&bench).is_empty());
    assert_eq!(texts(&bench), ["TLS was not started: datagrams carry no TLS"]);
}

#[test]
fn a_close_gives_up_what_is_under_way() {
    let trust = Trust::new();
    for command in [NetCommand::Close, NetCommand::Cancel, NetCommand::Reset] {
        let (address, server) = trust.serve(|mut talk| {
            talk.say("220 ready\r\n");
            talk.rest()
        });
        let bench = Bench::new(trust.options());
        dial(&bench, address);
        bench.wait_state(LinkState::Open);
        bench.ask(NetCommand::StartTls(Some(Preset::Ftp)));
        bench.wait_link("the question", |link| link.sent.bytes == 10);
        bench.send(b"secret");
        bench.ask(command.clone());
        bench.wait_link("the end", |link| link.end.is_some());
        assert_eq!(server.join().unwrap(), b"AUTH TLS\r\n", "{command:?}");
        assert!(
            texts(&bench).iter().any(|text| text.starts_with("6 B not sent")),
            "{:?}",
            texts(&bench)
        );
    }
}
