//! Against a real nginx: an HTTP/1.1 request typed by hand, and a file of some size.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its server has failed"
)]

#[path = "support/binary.rs"]
mod binary;
#[path = "support/server.rs"]
mod server;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use sha2::{Digest as _, Sha256};

use binary::{Home, free_port};
use server::{Server, command, is_installed};

fn nginx(home: &Home) -> Option<Server> {
    is_installed("nginx").then(|| {
        let address = free_port().to_string();
        let root = home.path("root");
        fs::create_dir(&root).unwrap();
        // nginx gives up root in the processes that read files.
        for folder in [home.path(""), root.clone()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(root.join("index.html"), "hello from nginx\n").unwrap();
        fs::write(root.join("large"), vec![0xa5; 4 << 20]).unwrap();
        let mut temporary = String::new();
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            write!(temporary, "{kind}_temp_path {}; ", home.path(kind).display()).unwrap();
        }
        let configuration = home.path("nginx.conf");
        let text = format!(
            "daemon off; master_process off; pid {}; error_log stderr notice; events {{}}\n\
             http {{ access_log off; {temporary}\n\
             server {{ listen {address}; root {}; }} }}\n",
            home.path("pid").display(),
            root.display(),
        );
        fs::write(&configuration, text).unwrap();
        let mut nginx = command("nginx");
        nginx.arg("-c").arg(configuration).arg("-p").arg(home.path(""));
        Server::start_reachable(&mut nginx, address)
    })
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
