//! TLS with servers that were not written for this project: nginx and `openssl s_server`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/binary.rs"]
mod binary;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/server.rs"]
mod server;

use std::fs;

use authority::{Authority, pem, self_signed};
use binary::{Home, free_port};
use server::{Server, command, is_installed};

/// Writes an authority and a certificate of localhost by it, and one of an unknown server.
fn certificates(home: &Home) {
    let root = Authority::root("root");
    fs::write(home.path("ca.pem"), root.pem()).unwrap();
    let names = authority::server(&["localhost", "127.0.0.1"]);
    for (name, (chain, key)) in [("known", root.issue(&names)), ("unknown", self_signed(&names))] {
        fs::write(home.path(&format!("{name}.pem")), pem("CERTIFICATE", &chain[0])).unwrap();
        fs::write(
            home.path(&format!("{name}.key")),
            pem("PRIVATE KEY", key.secret_der()),
        )
        .unwrap();
    }
}

fn path(home: &Home, name: &str) -> String {
    home.path(name).display().to_string()
}

#[test]
fn nginx_answers_over_tls_of_both_versions() {
    for (offered, version) in [("TLSv1.2", "TLS 1.2"), ("TLSv1.3", "TLS 1.3")] {
        let home = Home::new();
        certificates(&home);
        let large = vec![0x5a; 4 << 20];
        let directives = format!(
            "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols {offered};",
            path(&home, "known.pem"),
            path(&home, "known.key")
        );
        let Some(nginx) = nginx::start_with(&home, &[("large", &large)], "ssl", &directives) else {
            return;
        };
        let target = format!("tls://{}", nginx.address);
        let ca = path(&home, "ca.pem");
        let capture = path(&home, "s.pcapng");
        let typed = b"GET /large HTTP/1.0\r\n\r\n";
        let arguments = [
            "--headless",
            "--format",
            "raw",
            "--stdin-eof",
            "ignore",
            "--ca",
            &ca,
            "--alpn",
            "http/1.1",
            "-w",
            &capture,
            &target,
        ];
        let run = home.run(&arguments, typed);
        assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
        let body = run
            .stdout
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap()
            + 4;
        assert!(run.stdout.starts_with(b"HTTP/1.1 200 OK") && run.stdout[body..] == large);
        let log = home.run(&["open", "--headless", &capture], b"").text();
        assert!(log.contains(&format!("{version}, ")), "{log}");
        assert!(log.contains("the certificate of CN=server is trusted"), "{log}");

        let run = home.run(&["--headless", &target], typed);
        assert_eq!(run.code(), 1);
        assert!(
            run.stderr
                .contains("nobody who is trusted has issued it; --ca FILE"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn openssl_sees_our_certificate_and_wants_one() {
    if !is_installed("openssl") {
        return;
    }
    let home = Home::new();
    certificates(&home);
    let address = free_port().to_string();
    let mut openssl = command("openssl");
    openssl
        .args(["s_server", "-www", "-accept", &address, "-Verify", "1", "-cert"])
        .arg(home.path("known.pem"))
        .arg("-key")
        .arg(home.path("known.key"));
    let server = Server::start_until(&mut openssl, address, "ACCEPT");
    let target = format!("tls://{}", server.address);
    let ca = path(&home, "ca.pem");
    let typed = b"GET / HTTP/1.0\r\n\r\n";
    let run = home.run(&["--headless", "--ca", &ca, &target], typed);
    assert_eq!(run.code(), 1);
    assert!(
        run.stderr.contains("alert certificate_required (116)"),
        "{}",
        run.stderr
    );

    let (cert, key) = (path(&home, "unknown.pem"), path(&home, "unknown.key"));
    let keys = path(&home, "keys");
    let arguments = [
        "--headless",
        "--ca",
        &ca,
        "--client-cert",
        &cert,
        "--client-key",
        &key,
        "--keylog",
        &keys,
        &target,
    ];
    let run = home.run(&arguments, typed);
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
    assert!(run.text().contains("Client certificate"), "{}", run.text());
    let logged = fs::read_to_string(keys).unwrap();
    assert!(logged.contains("CLIENT_TRAFFIC_SECRET_0 "), "{logged}");
}
