//! Runs the real binary in a directory of its own, and collects what it leaves: status, output, recordings.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness, and none the whole; a harness that fails fails the test"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sockscope::app::sentence;
use sockscope::capture::Session;
use sockscope::model::{
    Direction, End, EndHow, EntryId, EntryKind, Purpose, Records as _, Role, Side, Sides,
};
use tempfile::TempDir;

/// Longer than anything here takes on a loaded machine; what reaches it hangs.
pub const HANGS: Duration = Duration::from_mins(1);

/// A directory in which the binary keeps what it keeps.
pub struct Home {
    dir: TempDir,
}

/// The last line of the text formats when both sides sent FIN, and this one sent the last.
pub fn closed_by(by: Side) -> String {
    let end = End {
        by,
        how: EndHow::Fin,
        errno: None,
    };
    format!(
        "· {}",
        sentence(&EntryKind::Close(end), Sides::of(Purpose::Live, Role::Client))
    )
}

/// What a run left.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Home {
        Home {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a command of ours keep to the directory; without input, and with its output collected.
    pub fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("TERM", "xterm-256color")
            .env("TZ", "UTC")
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// The binary with these arguments.
    pub fn sockscope(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sockscope"));
        self.prepare(&mut command);
        command.args(arguments);
        command
    }

    /// Runs the binary with these arguments and this input to its end.
    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Finished {
        let mut command = self.sockscope(arguments);
        command.stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A run that ends before it has read everything closes the pipe.
        thread::spawn(move || drop(stdin.write_all(&input)));
        finish(child)
    }

    /// The recordings in the folder of sessions.
    pub fn kept(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.path("state/sockscope/sessions")) else {
            return Vec::new();
        };
        folder.map(|item| item.unwrap().path()).collect()
    }
}

impl Finished {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// The lines of the text formats without their times.
    pub fn lines(&self) -> Vec<String> {
        let text = self.text();
        let untimed = text
            .lines()
            .map(|line| line.get(16..).unwrap_or(line).trim_start());
        untimed.map(str::to_owned).collect()
    }

    /// Whether the text formats end with both sides' FIN, whichever came first.
    pub fn ends_in_order(&self) -> bool {
        let lines = self.lines();
        let last = lines.last();
        [Side::Local, Side::Peer]
            .map(closed_by)
            .iter()
            .any(|line| last == Some(line))
    }

    /// The objects of the JSON format.
    pub fn objects(&self) -> Vec<Value> {
        let text = self.text();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The exit status, for programs that were not killed.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("killed: {self:?}"))
    }
}

/// Waits for the end of a run; one that hangs is killed and fails the test.
pub fn finish(mut child: Child) -> Finished {
    let pid = Pid::from_raw(child.id().cast_signed());
    let stdout = child.stdout.take().map(|mut pipe| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            bytes
        })
    });
    let stderr = child.stderr.take().map(|mut pipe| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        })
    });
    let (sender, ended) = mpsc::sync_channel(1);
    thread::spawn(move || sender.send(child.wait().unwrap()));
    let status = ended.recv_timeout(HANGS);
    if status.is_err() {
        kill(pid, Signal::SIGKILL).unwrap();
    }
    let finished = Finished {
        stdout: stdout.map(|thread| thread.join().unwrap()).unwrap_or_default(),
        stderr: stderr.map(|thread| thread.join().unwrap()).unwrap_or_default(),
        status: status.unwrap_or_else(|_| ended.recv().unwrap()),
    };
    assert!(status.is_ok(), "it did not end: {finished:?}");
    finished
}

/// A listener on a free port of 127.0.0.1.
pub fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A port of 127.0.0.1 on which nothing listens.
pub fn free_port() -> SocketAddr {
    listen().0.local_addr().unwrap()
}

/// The next client, with a bound on how long its bytes are waited for.
pub fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(HANGS)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Serves one client on a thread of its own; what the script returns comes out of the handle.
pub fn serve<T: Send + 'static>(
    script: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, thread::JoinHandle<T>) {
    let (listener, address) = listen();
    (address, thread::spawn(move || script(accept(&listener))))
}

/// Reads until the client has finished.
pub fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Waits until the client is gone, in whichever way.
pub fn outlast(stream: &mut TcpStream) {
    let _ = std::io::copy(stream, &mut std::io::sink());
}

/// Reads exactly these bytes.
pub fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(
        bytes.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

/// Ends a connection with RST.
pub fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
}

/// Everything that one direction of a recording holds.
pub fn recorded(path: &Path, direction: Direction) -> Vec<u8> {
    let session = Session::open(path).unwrap();
    let mut bytes = Vec::new();
    for id in (0..session.len()).map(EntryId) {
        let entry = session.entry(id).unwrap();
        if entry.direction() == Some(direction) {
            bytes.extend(session.payload(id, 0..entry.len).unwrap());
        }
    }
    bytes
}
