//! Against a real nginx: an HTTP/1.1 request typed by hand, and a file of some size.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/server.rs"]
mod server;

use sha2::{Digest as _, Sha256};

use binary::Home;
use server::Server;

fn nginx(home: &Home) -> Option<Server> {
    let large = vec![0xa5; 4 << 20];
    nginx::start(home, &[("index.html", b"hello from nginx\n"), ("large", &large)])
}

#[test]
fn nginx_answers_a_request_typed_by_hand() {
    let home = Home::new();
    let Some(nginx) = nginx(&home) else {
        return;
    };
    let typed = b"GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    let run = home.run(&["--headless", "--eol", "crlf", &nginx.address], typed);
    println!("{}", run.text());
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
    let text = run.text();
    assert!(text.contains("←") && text.contains("HTTP/1.1 200 OK␍␊"), "{text}");
    assert!(text.contains("hello from nginx␊"), "{text}");
    assert!(run.ends_in_order(), "{text}");
}

#[test]
fn a_large_answer_is_complete() {
    let home = Home::new();
    let Some(nginx) = nginx(&home) else {
        return;
    };
    let typed = b"GET /large HTTP/1.0\r\n\r\n";
    // nginx gives up an answer when the client half-closes before all of it is written.
    let arguments = [
        "--headless",
        "--format",
        "raw",
        "--stdin-eof",
        "ignore",
        &nginx.address,
    ];
    let run = home.run(&arguments, typed);
    assert_eq!(run.code(), 0, "{}", run.stderr);
    let body = run
        .stdout
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    assert_eq!(run.stdout.len() - body, 4 << 20);
    assert_eq!(
        Sha256::digest(&run.stdout[body..]),
        Sha256::digest(vec![0xa5; 4 << 20])
    );
}
