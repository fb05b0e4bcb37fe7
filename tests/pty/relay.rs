//! The real program as a tap, with its screen live: exact in both directions at once (P10), and no larger for those who
//! read slowly (P13). Small in the tests, full in the benchmark.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::unistd::Pid;
use sha2::{Digest as _, Sha256};
use sockscope::capture::Session;
use sockscope::model::{Direction, EntryId, Records as _};

use crate::peer::Numbers;
use crate::proofs::{check_restored, sockscope};
use crate::pty::{DEADLINE, Pty, Reading};

/// SHA-256.
type Sum = [u8; 32];

/// Bytes of one write.
const PIECE: usize = 64 << 10;

/// What one server writes until nobody takes it, and then as it is taken.
const STUCK: Duration = Duration::from_millis(500);

/// The program before `server`, and where it listens.
pub(crate) fn tap(home: &Path, options: &[&str], server: &str) -> (Pty, String) {
    let file = home.join("tap.pcapng");
    let mut arguments = vec!["tap", "127.0.0.1:0", server, "-w", file.to_str().unwrap()];
    arguments.extend(options);
    let pty = Pty::spawn(sockscope(home, &arguments), 100, 30, Reading::Always);
    let address = bound(&pty);
    (pty, address)
}

/// Where the program says that it listens; a row of the log is whole when its number is there.
pub(crate) fn bound(pty: &Pty) -> String {
    let find = |text: String| {
        let mut rows = text.lines().filter(|row| row.contains("#1 "));
        let (_, rest) = rows.next()?.split_once("listening on ")?;
        rest.split(' ').next().map(str::to_owned)
    };
    pty.wait_for("where it listens", |seen| find(seen.text()).is_some());
    pty.look(|seen| find(seen.text())).unwrap()
}

/// P10: so many bytes each way at once, while the screen scrolls and searches. The most memory that it took, in MiB.
pub(crate) fn exact(len: usize) -> f64 {
    let home = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    let (mut pty, address) = tap(home.path(), &[], &server);
    let application = TcpStream::connect(address).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    let ends = [
        send(&application, 1, len),
        receive(&accepted),
        send(&accepted, 2, len),
        receive(&application),
    ];
    pty.wait_text("● open");
    // A tap begins in the log: nothing that is typed goes to the server.
    let searches = [
        "/hex:00 01 02\r",
        "G",
        "k",
        "g",
        " ",
        "/qzx\r",
        "n",
        "k",
        "x",
        "G",
        "\x1b",
    ];
    for keys in searches.iter().cycle() {
        if ends.iter().all(JoinHandle::is_finished) {
            break;
        }
        let seen = pty.look(|seen| seen.raw.len());
        pty.send(keys);
        pty.wait_for("a frame after a key", |now| now.raw.len() > seen);
    }
    let [sent, at_server, answered, at_application] = ends.map(|end| end.join().unwrap());
    assert_eq!(at_server, sent, "what the server got");
    assert_eq!(at_application, answered, "what the application got");
    assert_ne!(sent, answered, "both directions are the same");
    drop((application, accepted));
    pty.wait_text("● listening");
    let memory = memory(pty.pid(), "VmHWM:");
    pty.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(pty.wait_exit().signal(), Some("Terminated"));
    check_restored(&pty, "a relay");
    let recorded = sums(&home.path().join("tap.pcapng"));
    assert_eq!(recorded, [sent, answered], "what is in the file");
    memory
}

/// Sends bytes that look random and ends; their sum.
fn send(stream: &TcpStream, seed: u64, len: usize) -> JoinHandle<Sum> {
    let mut stream = stream.try_clone().unwrap();
    thread::spawn(move || {
        let mut numbers = Numbers(seed);
        let mut sum = Sha256::new();
        let mut left = len;
        while left > 0 {
            let mut piece: Vec<u8> = (0..PIECE / 8)
                .flat_map(|_| numbers.next().to_ne_bytes())
                .collect();
            piece.truncate(left);
            sum.update(&piece);
            stream.write_all(&piece).unwrap();
            left -= piece.len();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        sum.finalize().into()
    })
}

/// Receives until the other side ends; the sum of it.
fn receive(stream: &TcpStream) -> JoinHandle<Sum> {
    let mut stream = stream.try_clone().unwrap();
    thread::spawn(move || {
        let mut sum = Sha256::new();
        let mut buffer = vec![0; PIECE];
        while let count @ 1.. = stream.read(&mut buffer).unwrap() {
            sum.update(&buffer[..count]);
        }
        sum.finalize().into()
    })
}

/// The sums of what a recording holds, sent and received.
fn sums(path: &Path) -> [Sum; 2] {
    let session = Session::open(path).unwrap();
    assert_eq!(session.cut(), 0);
    let mut sums = [Sha256::new(), Sha256::new()];
    for id in (0..session.len()).map(EntryId) {
        let entry = session.entry(id).unwrap();
        if let Some(direction) = entry.direction() {
            let place = usize::from(direction == Direction::Received);
            sums[place].update(session.payload(id, 0..entry.len).unwrap());
        }
    }
    sums.map(|sum| sum.finalize().into())
}

/// P13: so many applications that read 1 KiB at a time from servers that write as fast as anybody takes it, with
/// `pace` between. How much the memory grew, in MiB.
pub(crate) fn slow_readers(connections: usize, rounds: u32, pace: Duration) -> f64 {
    let home = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    // So that what the kernel holds, and the file, stay small; the program's own memory is what counts.
    let options = ["-o", "sndbuf=64K", "-o", "rcvbuf=64K"];
    let (pty, address) = tap(home.path(), &options, &server);
    let before = memory(pty.pid(), "VmRSS:");
    let (sender, stuck) = mpsc::sync_channel(connections);
    let mut applications = Vec::new();
    for _ in 0..connections {
        applications.push(TcpStream::connect(&address).unwrap());
        let (stream, _) = listener.accept().unwrap();
        let sender = sender.clone();
        thread::spawn(move || push(stream, &sender));
    }
    for _ in 0..connections {
        stuck.recv_timeout(DEADLINE).unwrap();
    }
    let mut buffer = [0; 1024];
    for _ in 0..rounds {
        for application in &mut applications {
            application.read_exact(&mut buffer).unwrap();
        }
        thread::park_timeout(pace);
    }
    pty.wait_text(&format!("{connections} open"));
    let grown = memory(pty.pid(), "VmHWM:") - before;
    pty.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(pty.wait_exit().signal(), Some("Terminated"));
    check_restored(&pty, "slow readers");
    grown
}

/// Writes until the other side is gone; says when nothing was taken for a while.
fn push(mut stream: TcpStream, stuck: &mpsc::SyncSender<()>) {
    let piece = vec![b'x'; PIECE];
    stream.set_write_timeout(Some(STUCK)).unwrap();
    let mut told = false;
    loop {
        match stream.write(&piece) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if !told {
                    told = true;
                    // Nobody may be waiting for it any more.
                    let _ = stuck.send(());
                }
            }
            Err(_) => return,
        }
    }
}

/// What /proc says of the memory of a process, in MiB.
fn memory(pid: Pid, field: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    let kib: f64 = value.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024.0
}
