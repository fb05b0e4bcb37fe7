//! P16: a full disk is survivable and visible. The real program, with its screen and without, on a file system of
//! 4 MiB and under a limit for files, with each `--on-full`: what is in the file is what came, or a gap says how much
//! is missing; the file ends at a whole block; recording goes on when there is space; the screen says it all the time.
//!
//! The file system is mounted in a namespace of its own, so that no privilege is needed: the proof starts itself again
//! in there.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use sockscope::capture::{Session, open_in_background};
use sockscope::model::{Direction, EntryId, EntryKind, Records as _};

use crate::peer::Numbers;
use crate::proofs::check_restored;
use crate::pty::{self, Pty, Reading};
use crate::wire;

/// Where the small file system is, for the proof that was started again.
const PLACE: &str = "SOCKSCOPE_PROOF_FULL";

/// What the file system holds.
const DISK: usize = 4 << 20;

/// The limit for files, in bytes.
const LIMIT: usize = 2 << 20;

/// What comes once there is space again.
const REST: usize = 100_000;

/// What takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Medium {
    /// The file system, in which something else takes so many bytes until it is removed.
    Disk(usize),
    /// `RLIMIT_FSIZE`.
    Limit,
}

/// Starts `arguments` of this program again where [`prove`] can run, and waits for it. Whether it could.
pub(crate) fn start_again(arguments: &[&str]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=4m none \"$0\" || { echo no mount; exit 0; }; exec \"$@\"";
    let output = Command::new("unshare")
        .args(["-Urm", "sh", "-c", script])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .env(PLACE, folder.path())
        .output();
    let (text, held) = match &output {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            (
                text + &String::from_utf8_lossy(&output.stderr),
                output.status.success(),
            )
        }
        Err(error) => (error.to_string(), false),
    };
    let ran = text.contains("all held");
    if !ran && (output.is_err() || text.contains("no mount") || text.contains("unshare failed")) {
        println!("skipped: no file system can be mounted in a namespace here: {text}");
        assert!(std::env::var_os("SOCKSCOPE_REQUIRE_PEERS").is_none());
        return false;
    }
    assert!(ran && held, "{text}");
    true
}

/// The place of the proof, if this is the program that was started again.
pub(crate) fn place() -> Option<PathBuf> {
    std::env::var_os(PLACE).map(PathBuf::from)
}

/// The proof: so many `rounds`, and `flood` bytes where more comes than the file takes.
pub(crate) fn prove(place: &Path, rounds: u32, flood: usize) {
    let mut numbers = Numbers(16);
    for _ in 0..rounds {
        let ballast = (DISK / 4) + numbers.below((DISK / 2) as u64) as usize;
        for medium in [Medium::Disk(ballast), Medium::Limit] {
            for on_full in ["pause", "continue", "stop"] {
                let case = Case::new(place, medium, on_full, flood);
                println!("{medium:?}, {on_full}, headless");
                case.headless();
                let case = Case::new(place, medium, on_full, flood);
                println!("{medium:?}, {on_full}, with a screen");
                case.screen();
            }
        }
    }
    println!("all held");
}

/// One run against a peer that sends a pattern.
struct Case {
    medium: Medium,
    on_full: &'static str,
    home: tempfile::TempDir,
    ballast: PathBuf,
    file: PathBuf,
    target: String,
    /// What the peer sends before it is told to go on.
    first: usize,
    go_on: SyncSender<()>,
    peer: JoinHandle<()>,
}

/// Takes space. The file of the case before gives its own back only when its last reader, a thread, has ended.
fn fill(ballast: &Path, size: usize) {
    let deadline = Instant::now() + pty::DEADLINE;
    while let Err(error) = fs::write(ballast, vec![0; size]) {
        assert!(
            error.kind() == ErrorKind::StorageFull && Instant::now() < deadline,
            "{error}"
        );
        thread::yield_now();
    }
}

/// Byte `at` of what the peer sends.
fn pattern(at: usize) -> u8 {
    (at ^ (at >> 8) ^ (at >> 16)) as u8
}

impl Case {
    fn new(place: &Path, medium: Medium, on_full: &'static str, flood: usize) -> Case {
        let ballast = place.join("ballast");
        let first = match medium {
            Medium::Disk(size) => {
                fill(&ballast, size);
                // What is held back has room in the end.
                if on_full == "pause" {
                    DISK - DISK / 8
                } else {
                    flood
                }
            }
            Medium::Limit => flood,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let target = listener.local_addr().unwrap().to_string();
        let (go_on, told) = sync_channel::<()>(1);
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let bytes: Vec<u8> = (0..first + REST).map(pattern).collect();
            // A run that stops may reset the connection.
            if stream.write_all(&bytes[..first]).is_ok() && told.recv().is_ok() {
                let _ = stream.write_all(&bytes[first..]);
            }
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        Case {
            medium,
            on_full,
            home: tempfile::tempdir().unwrap(),
            ballast,
            file: place.join("trace.pcapng"),
            target,
            first,
            go_on,
            peer,
        }
    }

    /// The words of the system for what is wrong.
    fn words(&self) -> &'static str {
        match self.medium {
            Medium::Disk(_) => "No space left on device",
            Medium::Limit => "ulimit -f",
        }
    }

    /// The program and its arguments, under a shell that sets the limit.
    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let script = match self.medium {
            Medium::Disk(_) => "exec \"$@\"".to_owned(),
            // In units of 512 bytes.
            Medium::Limit => format!("ulimit -f {}; exec \"$@\"", LIMIT / 512),
        };
        let fixed = ["-c", &script, "sh", env!("CARGO_BIN_EXE_sockscope"), "-w"];
        let mut all: Vec<String> = fixed.iter().map(|&word| word.to_owned()).collect();
        all.push(self.file.display().to_string());
        all.extend(["--on-full", self.on_full].map(str::to_owned));
        all.extend(more.iter().map(|&word| word.to_owned()));
        all.push(self.target.clone());
        all
    }

    /// Makes space, if there can be any, waits until recording has gone on, and lets the peer send the rest.
    fn make_space(&self) {
        if let Medium::Disk(_) = self.medium {
            fs::remove_file(&self.ballast).unwrap();
            if self.on_full != "stop" {
                let opening = open_in_background(&self.file).unwrap();
                let (first, on_full) = (self.first as u64, self.on_full);
                wire::wait(&opening, |_| {
                    let read = Walk::through(&opening.session);
                    // What was held back, or how much is missing.
                    read.at == first && (on_full == "pause" || read.missing > 0)
                });
            }
        }
        // A peer that was cut off does not listen.
        let _ = self.go_on.try_send(());
    }

    /// That the file holds what came, and ends at a whole block; cleans up.
    fn check(self) {
        let session = Session::open(&self.file).unwrap();
        assert_eq!(session.cut(), 0, "the file ends at a whole block");
        let read = Walk::through(&session);
        let all = (self.first + REST) as u64;
        match (self.on_full, self.medium) {
            ("pause", Medium::Disk(_)) => assert_eq!((read.at, read.missing), (all, 0)),
            ("continue", Medium::Disk(_)) => {
                assert!(read.missing > 0);
                assert_eq!(read.at, all);
                assert!(read.recorded_last >= REST as u64, "recording went on");
            }
            ("continue", Medium::Limit) => assert!(read.at <= all),
            (_, _) => {
                assert_eq!(read.missing, 0);
                assert!(read.at > (LIMIT / 4) as u64 && read.at < all, "{read:?}");
            }
        }
        if let Medium::Limit = self.medium {
            assert!(self.file.metadata().unwrap().len() <= LIMIT as u64);
        }
        drop(self.go_on);
        self.peer.join().unwrap();
        let _ = fs::remove_file(&self.ballast);
        fs::remove_file(&self.file).unwrap();
    }

    fn headless(self) {
        let mut child = Command::new("sh")
            .args(self.arguments(&["--headless", "--format", "none"]))
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let line = read_until(&mut told, self.words());
        assert!(line.contains(&self.file.display().to_string()), "{line}");
        self.make_space();
        let status = ended(&mut child, told);
        let expected = match (self.on_full, self.medium) {
            // Nothing will ever make room for what waits.
            ("stop", _) | ("pause", Medium::Limit) => 1,
            (_, _) => 0,
        };
        assert_eq!(status.code(), Some(expected));
        self.check();
    }

    fn screen(self) {
        let mut command = pty::command("sh", self.home.path());
        command.args(self.arguments(&[]));
        let mut pty = Pty::spawn(command, 100, 30, Reading::Always);
        let banner = match (self.on_full, self.medium) {
            ("continue", _) => "NOT RECORDED",
            ("stop", _) => "Recording has stopped",
            (_, Medium::Disk(_)) => "Recording paused",
            (_, Medium::Limit) => "Recording is over",
        };
        pty.wait_text(banner);
        self.make_space();
        match (self.on_full, self.medium) {
            ("pause", Medium::Disk(_)) => {
                pty.wait_for("the banner to go", |seen| !seen.text().contains(banner));
                pty.wait_text("half-closed");
            }
            ("continue", _) => {
                pty.wait_text("half-closed");
                // What is missing stays said.
                pty.wait_text(banner);
            }
            ("stop", _) => pty.wait_text("✗ failed"),
            (_, _) => {}
        }
        pty.send("\tQ");
        assert!(pty.wait_exit().success());
        check_restored(&pty, self.on_full);
        pty.wait_text("recorded in ");
        let text = pty.look(pty::Seen::text);
        let missing = text.contains(" not recorded");
        match (self.on_full, self.medium) {
            ("pause", Medium::Disk(_)) => assert!(!missing, "{text}"),
            // Whether what was read last was recorded after all depends on who was faster.
            ("stop", Medium::Disk(_)) => {}
            (_, _) => assert!(missing, "{text}"),
        }
        self.check();
    }
}

/// The first line on standard error with these words.
fn read_until(told: &mut BufReader<ChildStderr>, words: &str) -> String {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "{words:?} was never said");
    }
    line
}

/// Waits for the end, and for what is said until then.
fn ended(child: &mut Child, mut told: BufReader<ChildStderr>) -> ExitStatus {
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    child.wait().unwrap()
}

/// What a recording says of what the peer sent.
#[derive(Debug, Default)]
struct Walk {
    /// How far the peer was received.
    at: u64,
    /// Bytes that are missing.
    missing: u64,
    /// Bytes that were recorded since the last gap.
    recorded_last: u64,
}

impl Walk {
    /// Compares every recorded byte with what the peer sent there.
    fn through(session: &Session) -> Walk {
        let mut walk = Walk::default();
        for number in 0..session.len() {
            let entry = session.entry(EntryId(number)).unwrap();
            match entry.kind {
                EntryKind::Data {
                    direction: Direction::Received,
                } => {
                    let bytes = session.payload(entry.id, 0..u32::MAX).unwrap();
                    let start = walk.at as usize;
                    let right = bytes.iter().zip(start..).all(|(byte, at)| *byte == pattern(at));
                    assert!(right, "entry {number} is not what came at {start}");
                    walk.at += u64::from(entry.len);
                    walk.recorded_last += u64::from(entry.len);
                }
                EntryKind::Gap { bytes, .. } => {
                    walk.at += bytes;
                    walk.missing += bytes;
                    walk.recorded_last = 0;
                }
                EntryKind::Data {
                    direction: Direction::Sent,
                }
                | EntryKind::Lookup(_)
                | EntryKind::Attempt(_)
                | EntryKind::Tls(_)
                | EntryKind::Open { .. }
                | EntryKind::HalfClose { .. }
                | EntryKind::Close(_)
                | EntryKind::Error { .. }
                | EntryKind::Note { .. } => {}
            }
        }
        walk
    }
}
