//! Listening and tapping in TLS with programs that were not written for this project: curl and nginx.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/binary.rs"]
mod binary;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sockscope::model::Direction;

use authority::{Authority, pem};
use binary::{Home, recorded};
use server::is_installed;

/// The binary while it waits for connections.
struct Waiting {
    child: Child,
    /// Takes what it prints.
    reader: Option<JoinHandle<()>>,
    capture: PathBuf,
    address: String,
}

impl Waiting {
    fn start(home: &Home, arguments: &[&str]) -> Waiting {
        let mut command = home.sockscope(&["--headless", "--force", "-w"]);
        let capture = home.path("capture.pcapng");
        let mut child = command.arg(&capture).args(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let address = line.split("listening on ").nth(1);
        let address = address.unwrap_or_else(|| panic!("{line}")).trim().to_owned();
        let reader = thread::spawn(move || drop(io::copy(&mut lines, &mut io::sink())));
        Waiting {
            child,
            reader: Some(reader),
            capture,
            address,
        }
    }

    /// Its port, as `:9000`.
    fn port(&self) -> &str {
        &self.address[self.address.rfind(':').unwrap()..]
    }

    /// Ends it; what it has recorded, and what it has printed on standard error.
    fn stop(mut self, home: &Home) -> (String, String) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        let mut said = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let capture = self.capture.display().to_string();
        (home.run(&["open", "--headless", &capture], b"").text(), said)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn certificates(home: &Home) {
    let root = Authority::root("root");
    fs::write(home.path("root.pem"), root.pem()).unwrap();
    let (chain, key) = root.issue(&authority::server(&["localhost", "127.0.0.1"]));
    fs::write(home.path("cert.pem"), pem("CERTIFICATE", &chain[0])).unwrap();
    fs::write(home.path("key.pem"), pem("PRIVATE KEY", key.secret_der())).unwrap();
}

fn path(home: &Home, name: &str) -> String {
    home.path(name).display().to_string()
}

fn curl(arguments: &[&str]) -> Output {
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "--max-time",
        "20",
        "-w",
        "%{stderr}HTTP/%{http_version} %{response_code}",
    ]);
    curl.args(arguments).env("LC_ALL", "C").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An nginx that speaks HTTP/1.1 and HTTP/2 in TLS, with a large file.
fn start_nginx(home: &Home, large: &[u8]) -> Option<server::Server> {
    certificates(home);
    let directives = format!(
        "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3;",
        path(home, "cert.pem"),
        path(home, "key.pem")
    );
    nginx::start_with(home, &[("large", large)], "ssl http2", &directives)
}

#[test]
fn curl_trusts_the_intercepting_tap_in_both_versions_of_http() {
    if !is_installed("curl") {
        return;
    }
    let home = Home::new();
    let large: Vec<u8> = (0..3_000_000_u32).map(|at| (at * 31 / 7) as u8).collect();
    let Some(nginx) = start_nginx(&home, &large) else {
        return;
    };
    let printed = home.run(&["ca"], b"");
    assert_eq!(printed.code(), 0, "{printed:?}");
    let (local, root) = (path(&home, "local.pem"), path(&home, "root.pem"));
    fs::write(&local, printed.text()).unwrap();
    let target = format!("tls://{}", nginx.address);
    for (version, expected) in [("--http1.1", "HTTP/1.1 200"), ("--http2", "HTTP/2 200")] {
        let arguments = [
            "tap",
            "tcp://127.0.0.1:0",
            &target,
            "--tls-intercept",
            "--ca",
            &root,
        ];
        let tap = Waiting::start(&home, &arguments);
        // A name, which is asked for, and an address, which is not.
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("https://{host}{}/large", tap.port());
            let got = curl(&[version, "--cacert", &local, &url]);
            assert_eq!(text(&got.stderr), expected, "{host}");
            assert!(
                got.stdout == large,
                "{host} {version}: {} bytes",
                got.stdout.len()
            );
        }
        // Who does not trust the authority is not served, and the log says so.
        let got = curl(&[version, &format!("https://localhost{}/large", tap.port())]);
        assert_eq!(got.status.code(), Some(60), "{}", text(&got.stderr));
        let capture = tap.capture.clone();
        let (log, said) = tap.stop(&home);
        assert_eq!(said, "");
        let protocol = if version == "--http2" {
            "ALPN h2"
        } else {
            "ALPN http/1.1"
        };
        assert_eq!(
            log.matches(protocol).count(),
            5,
            "three times with nginx, twice with curl: {log}"
        );
        assert_eq!(
            log.matches("the certificate of CN=server is trusted").count(),
            3,
            "{log}"
        );
        assert!(log.contains("the client asked for localhost"), "{log}");
        assert!(log.contains("it does not trust our certificate"), "{log}");
        let (asked, answered) = (
            recorded(&capture, Direction::Sent),
            recorded(&capture, Direction::Received),
        );
        let requests = if version == "--http2" {
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        } else {
            "GET /large HTTP/1.1\r\n"
        };
        assert_eq!(text(&asked).matches(requests).count(), 2);
        assert!(answered.len() >= 2 * large.len());
    }
}

#[test]
fn a_target_that_is_not_trusted_refuses_the_intercepted_client() {
    if !is_installed("curl") {
        return;
    }
    let home = Home::new();
    let Some(nginx) = start_nginx(&home, b"secret") else {
        return;
    };
    let target = format!("tls://{}", nginx.address);
    let tap = Waiting::start(&home, &["tap", "127.0.0.1:0", &target, "--tls-intercept"]);
    let local = path(&home, "local.pem");
    fs::write(&local, home.run(&["ca"], b"").text()).unwrap();
    let url = format!("https://localhost{}/large", tap.port());
    let got = curl(&["--cacert", &local, &url]);
    assert_eq!(got.status.code(), Some(35), "{}", text(&got.stderr));
    assert!(
        text(&got.stderr).contains("alert internal error"),
        "{}",
        text(&got.stderr)
    );
    assert!(got.stdout.is_empty());
    let (log, _) = tap.stop(&home);
    assert!(
        log.contains("nobody who is trusted has issued it; --ca FILE"),
        "{log}"
    );

    // Not verified because the user wants it so.
    let tap = Waiting::start(
        &home,
        &["tap", "127.0.0.1:0", &target, "--tls-intercept", "--insecure"],
    );
    let got = curl(&[
        "--cacert",
        &local,
        &format!("https://localhost{}/large", tap.port()),
    ]);
    assert_eq!(got.stdout, b"secret", "{}", text(&got.stderr));
    let (log, _) = tap.stop(&home);
    assert!(log.contains("is not trusted, and used all the same"), "{log}");
}

#[test]
fn curl_is_served_by_a_certificate_of_a_file_and_of_the_moment() {
    if !is_installed("curl") {
        return;
    }
    let home = Home::new();
    certificates(&home);
    let (cert, key, root) = (
        path(&home, "cert.pem"),
        path(&home, "key.pem"),
        path(&home, "root.pem"),
    );
    let answer = r"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
    let common = [
        "listen",
        "tls://127.0.0.1:0",
        "--input",
        "escaped",
        "--eol",
        "none",
        "--send",
        answer,
    ];
    let keys = path(&home, "keys");
    let own = [&common[..], &["--cert", &cert, "--key", &key, "--keylog", &keys]].concat();
    let listening = Waiting::start(&home, &own);
    let got = curl(&[
        "--cacert",
        &root,
        &format!("https://localhost{}/", listening.port()),
    ]);
    assert_eq!(
        (text(&got.stdout).as_str(), text(&got.stderr).as_str()),
        ("yes", "HTTP/1.1 200")
    );
    let (log, said) = listening.stop(&home);
    assert!(
        log.contains("clients get to see the certificate of CN=server, SHA-256 "),
        "{log}"
    );
    assert_eq!(said, "", "whoever has the file knows the fingerprint");
    let logged = fs::read_to_string(keys).unwrap();
    assert!(logged.contains("SERVER_TRAFFIC_SECRET_0 "), "{logged}");

    let listening = Waiting::start(&home, &common);
    let got = curl(&["-k", &format!("https://localhost{}/", listening.port())]);
    assert_eq!(text(&got.stdout), "yes");
    let (_, said) = listening.stop(&home);
    let fingerprint = said.split("SHA-256 ").nth(1).and_then(|rest| rest.get(..64));
    assert!(
        fingerprint.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{said}"
    );
}
