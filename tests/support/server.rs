//! Starts a server that was not written for this project on a free port of 127.0.0.1, and ends it by its id.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness, and none the whole; a harness that fails fails the test"
)]

use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);

/// Between two attempts to reach a server that says nothing when it is ready.
const KNOCK: Duration = Duration::from_millis(20);

/// A running server; it ends with this value.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
}

/// Whether the program is there. Where it has to be, its absence fails the test.
pub fn is_installed(program: &str) -> bool {
    let found = Command::new("sh")
        .args([
            "-c",
            "PATH=$PATH:/usr/sbin:/sbin; command -v \"$1\"",
            "sh",
            program,
        ])
        .stdout(Stdio::null())
        .status()
        .unwrap()
        .success();
    if !found {
        println!("skipped: {program} is not installed");
        assert!(
            std::env::var_os("SOCKSCOPE_REQUIRE_PEERS").is_none(),
            "{program} is required and not installed"
        );
    }
    found
}

/// A command for a program that may lie where only root looks.
pub fn command(program: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "PATH=$PATH:/usr/sbin:/sbin; exec \"$0\" \"$@\"", program]);
    command
}

impl Server {
    /// Starts the server and waits until it says that it is ready.
    pub fn start_until(command: &mut Command, address: String, ready: &str) -> Server {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = std::sync::mpsc::sync_channel(64);
        for stream in [Box::new(stdout) as Box<dyn Read + Send>, Box::new(stderr)] {
            let sender = sender.clone();
            // Until the server ends, so that it never waits for its own log.
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        drop(sender);
        let server = Server { child, address };
        let mut said = Vec::new();
        while let Ok(line) = lines.recv_timeout(START) {
            if line.contains(ready) {
                return server;
            }
            said.push(line);
        }
        panic!("it did not say {ready:?}: {said:#?}");
    }

    /// Starts the server and waits until it can be reached.
    pub fn start_reachable(command: &mut Command, address: String) -> Server {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, address };
        let started = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            assert!(started.elapsed() < START, "nothing listens on {}", server.address);
            thread::park_timeout(KNOCK);
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
