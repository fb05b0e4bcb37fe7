//! The real binary without a screen while it waits for connections: started, heard, ended by a signal.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness, and none the whole; a harness that fails fails the test"
)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::binary::{HANGS, Home};

/// What it says when it waits.
const LISTENING: &str = "listening on ";

#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// A running program that listens or taps.
pub struct Service {
    child: Child,
    said: Arc<Said>,
    /// Where it listens first.
    pub address: String,
    /// Its recording.
    pub file: PathBuf,
}

impl Service {
    /// Starts the binary with these arguments, which begin with `listen` or `tap`.
    pub fn start(home: &Home, arguments: &[&str]) -> Service {
        Service::of(home, home.sockscope(arguments))
    }

    /// Starts the command, which ends in those arguments.
    pub fn of(home: &Home, mut command: Command) -> Service {
        let file = home.path("service.pcapng");
        command.args(["--headless", "--force", "-w"]).arg(&file);
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let said = Arc::new(Said::default());
        let hears = Arc::clone(&said);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                hears.lines.lock().unwrap().push(line);
                hears.more.notify_all();
            }
        });
        let mut service = Service {
            child,
            said,
            address: String::new(),
            file,
        };
        let line = service.wait_line(LISTENING);
        let address = line.split(LISTENING).nth(1).unwrap();
        address
            .split(' ')
            .next()
            .unwrap()
            .clone_into(&mut service.address);
        service
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Its standard input, if the command had a pipe.
    pub fn stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Waits until it has printed a line with this in it.
    pub fn wait_line(&self, part: &str) -> String {
        self.wait_either(part, part)
    }

    /// The same for one of two.
    pub fn wait_either(&self, one: &str, other: &str) -> String {
        let is_it = |line: &&String| line.contains(one) || line.contains(other);
        let give_up = Instant::now() + HANGS;
        let mut lines = self.said.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(is_it) {
                return line.clone();
            }
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never said {one:?}: {:#?}", shortened(&lines));
            lines = self.said.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// How many lines have this in them so far.
    pub fn count(&self, part: &str) -> usize {
        let lines = self.said.lines.lock().unwrap();
        lines.iter().filter(|line| line.contains(part)).count()
    }

    /// Ends it as `kill` does; everything that it has printed.
    pub fn terminate(mut self) -> Vec<String> {
        kill(self.pid(), Signal::SIGTERM).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(Signal::SIGTERM as i32),
            "{status}: {:#?}",
            shortened(&self.lines())
        );
        // The reader ends with the pipe.
        let give_up = Instant::now() + HANGS;
        while Arc::strong_count(&self.said) > 1 {
            assert!(Instant::now() < give_up, "its output has no end");
            thread::yield_now();
        }
        self.lines()
    }

    fn lines(&self) -> Vec<String> {
        self.said.lines.lock().unwrap().clone()
    }
}

/// Lines as far as they say what happened.
fn shortened(lines: &[String]) -> Vec<String> {
    let short = |line: &String| line.chars().take(160).collect();
    lines.iter().map(short).collect()
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
