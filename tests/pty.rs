//! The real program in a real terminal: the ways out (P5), Ctrl-Z (P6), the terminal that vanishes (P7) or stalls (P8),
//! resizing (P9), hostile bytes (P1) and the size of a frame (P4). Small forms; the full ones are benchmarks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/pty.rs"]
mod pty;

use std::io::Write as _;
use std::net::Shutdown;
use std::path::Path;

use nix::sys::signal::Signal;
use portable_pty::CommandBuilder;
use pty::{Pty, Reading};
use sockscope::capture::Session;
use sockscope::model::{Direction, EntryId, EntryKind, Records as _};

/// Bytes that the stalled terminal must not stop.
const FLOOD: usize = 32 << 20;

fn sockscope(home: &Path, arguments: &[&str]) -> CommandBuilder {
    let mut command = pty::command(env!("CARGO_BIN_EXE_sockscope"), home);
    command.args(arguments);
    command
}

/// The program, connected to a peer that sends `bytes` and waits.
fn connected(home: &Path, bytes: &[u8]) -> Pty {
    let peer = peer::sends(bytes.to_vec());
    let pty = Pty::spawn(sockscope(home, &[&peer.target]), 100, 30, Reading::Always);
    pty.wait_text("● open");
    pty
}

/// All bytes that a session file holds for one direction.
fn recorded(path: &Path, direction: Direction) -> u64 {
    let session = Session::open(path).unwrap();
    let entries = (0..session.len()).map(|id| session.entry(EntryId(id)).unwrap());
    entries
        .filter(|entry| entry.kind == EntryKind::Data { direction })
        .map(|entry| u64::from(entry.len))
        .sum()
}

/// The terminal is back, and nothing was written that is not ours.
fn check_restored(pty: &Pty, way: &str) {
    pty.wait_restored();
    assert!(pty.is_cooked(), "{way}: the line discipline is not what it was");
    let raw = pty.look(|seen| seen.raw.clone());
    assert_eq!(oracle::violations(&raw), Vec::<String>::new(), "{way}");
}

#[test]
fn every_key_that_quits_restores_the_terminal() {
    let ways = [
        ("quit now", "\tQ"),
        ("quit and keep", "\tqy"),
        ("quit and discard", "\tqd"),
        ("Ctrl-C twice", "\x03\x03"),
    ];
    for (way, keys) in ways {
        let home = tempfile::tempdir().unwrap();
        let mut pty = connected(home.path(), b"hello\n");
        pty.wait_text("hello");
        pty.send(keys);
        let status = pty.wait_exit();
        assert!(status.success(), "{way}: {status}");
        check_restored(&pty, way);
        let kept = home
            .path()
            .join("state/sockscope/sessions")
            .read_dir()
            .unwrap()
            .count();
        assert_eq!(kept, usize::from(!way.contains("discard")), "{way}");
    }
}

#[test]
fn every_signal_that_ends_restores_the_terminal_and_shows_in_the_status() {
    let signals = [
        (Signal::SIGTERM, "Terminated"),
        (Signal::SIGHUP, "Hangup"),
        (Signal::SIGINT, "Interrupt"),
        (Signal::SIGQUIT, "Quit"),
    ];
    for (signal, name) in signals {
        let home = tempfile::tempdir().unwrap();
        let pty = connected(home.path(), b"hello\n");
        pty.signal(signal);
        assert_eq!(pty.wait_exit().signal(), Some(name));
        check_restored(&pty, name);
    }
}

#[test]
fn a_signal_at_any_moment_restores_the_terminal() {
    let mut numbers = peer::Numbers(7);
    for round in 0..20 {
        let home = tempfile::tempdir().unwrap();
        let peer = peer::floods(peer::hostile(4096));
        let pty = Pty::spawn(sockscope(home.path(), &[&peer.target]), 100, 30, Reading::Always);
        let moment = numbers.below(40_000) as usize;
        pty.wait_for("some output", |seen| seen.raw.len() > moment);
        pty.signal(Signal::SIGTERM);
        assert_eq!(pty.wait_exit().signal(), Some("Terminated"), "round {round}");
        check_restored(&pty, "SIGTERM");
    }
}

/// How the program is made to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The key, which raw mode brings as a byte.
    Key,
    /// The signal that asks, from outside.
    Ask,
    /// The signal that cannot be refused, so that nothing can be restored.
    Force,
}

#[test]
fn a_shell_stops_and_continues_it() {
    let home = tempfile::tempdir().unwrap();
    let peer = peer::sends(b"hello\n".to_vec());
    let mut pty = Pty::spawn(shell(home.path()), 100, 30, Reading::Always);
    pty.wait_text("$ ");
    pty.send(&format!("{} {}\r", env!("CARGO_BIN_EXE_sockscope"), peer.target));
    let stops = [Stop::Key, Stop::Ask, Stop::Key, Stop::Force, Stop::Key, Stop::Key];
    for (cycle, stop) in stops.into_iter().enumerate() {
        let (entered, left, stopped) = pty.look(|seen| {
            let words = seen.count(b"Stopped");
            (cycle + 1, seen.count(b"\x1b[?1049l"), words)
        });
        pty.wait_for("the screen, drawn in full", |seen| {
            let text = seen.text();
            seen.count(b"\x1b[?1049h") == entered && text.contains("● open") && text.contains("hello")
        });
        match stop {
            Stop::Key => pty.send("\x1a"),
            Stop::Ask => pty.signal_foreground(Signal::SIGTSTP),
            Stop::Force => pty.signal_foreground(Signal::SIGSTOP),
        }
        pty.wait_for("the shell's word that it stopped", |seen| {
            seen.count(b"Stopped") > stopped
        });
        if stop != Stop::Force {
            assert_eq!(
                pty.look(|seen| seen.count(b"\x1b[?1049l")),
                left + 1,
                "cycle {cycle}"
            );
            pty.wait_restored();
            // Quoted, so that the echo of the line is not taken for its output.
            pty.send(&format!("stty -a; echo cycle'-'{cycle}\r"));
            pty.wait_text(&format!("cycle-{cycle}"));
            let cooked = pty.look(|seen| seen.text().contains(" icanon") && seen.text().contains(" echo "));
            assert!(cooked, "cycle {cycle}");
        }
        pty.send("clear; fg\r");
    }
    pty.wait_for("the screen, drawn in full", |seen| {
        seen.count(b"\x1b[?1049h") == stops.len() + 1 && seen.text().contains("● open")
    });
    pty.send("\tQ");
    pty.wait_restored();
    pty.send("echo status'-'$?\r");
    pty.wait_text("status-0");
    pty.send("exit\r");
    assert!(pty.wait_exit().success());
}

#[test]
fn a_stopped_program_can_be_ended_from_the_shell() {
    let home = tempfile::tempdir().unwrap();
    let peer = peer::sends(b"hello\n".to_vec());
    let mut pty = Pty::spawn(shell(home.path()), 100, 30, Reading::Always);
    pty.wait_text("$ ");
    pty.send(&format!("{} {}\r", env!("CARGO_BIN_EXE_sockscope"), peer.target));
    pty.wait_text("● open");
    pty.send("\x1a");
    pty.wait_for("the shell's word that it stopped", |seen| {
        seen.count(b"Stopped") == 1
    });
    pty.wait_restored();
    // In the background there is no terminal to take: it stops again.
    pty.send("bg; wait; echo again'-'stopped\r");
    pty.wait_text("again-stopped");
    pty.send("kill %1; wait %1; echo status'-'$?\r");
    pty.wait_text("status-143");
    pty.wait_restored();
}

/// A shell without a line editor, which would change the line discipline and the paste mode by itself.
fn shell(home: &Path) -> CommandBuilder {
    let mut command = pty::command("bash", home);
    command.args(["--norc", "--noprofile", "--noediting", "-i"]);
    command.env("PS1", "$ ");
    command
}

#[test]
fn a_terminal_that_vanishes_ends_the_program() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("kept.pcapng");
    let peer = peer::sends(b"hello\n".to_vec());
    let command = sockscope(home.path(), &["-w", file.to_str().unwrap(), &peer.target]);
    let mut pty = Pty::spawn(command, 100, 30, Reading::Always);
    pty.wait_text("hello");
    pty.hang_up();
    assert_eq!(pty.wait_exit().signal(), Some("Hangup"));
    assert_eq!(recorded(&file, Direction::Received), 6);
}

/// How the user ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Key,
    Signal,
}

#[test]
fn a_terminal_that_never_reads_stalls_neither_the_recording_nor_a_signal() {
    check_stalled(Way::Signal);
}

#[test]
fn a_terminal_that_never_reads_stalls_no_key() {
    check_stalled(Way::Key);
}

fn check_stalled(way: Way) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("kept.pcapng");
    let peer = peer::serve(|mut stream| {
        stream.write_all(&vec![b'x'; FLOOD]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    });
    let command = sockscope(home.path(), &["-w", file.to_str().unwrap(), &peer.target]);
    let mut pty = Pty::spawn(command, 100, 30, Reading::NotYet);
    // Everything is taken off its hands though nobody has read a byte of the screen.
    peer.thread.join().unwrap();
    match way {
        Way::Key => pty.send("\tQ"),
        Way::Signal => pty.signal(Signal::SIGTERM),
    }
    let status = pty.wait_exit();
    assert_eq!(status.signal(), (way == Way::Signal).then_some("Terminated"));
    let received = recorded(&file, Direction::Received);
    // What the kernels' socket buffers held when the signal came was not read.
    assert!(received > FLOOD as u64 * 3 / 4, "{received}");
    assert!(pty.is_cooked());
    // Whoever reads the terminal later finds it restored.
    pty.read_on();
    pty.wait_restored();
}

#[test]
fn any_size_works_under_traffic() {
    let home = tempfile::tempdir().unwrap();
    let peer = peer::floods(peer::hostile(4096));
    let mut pty = Pty::spawn(sockscope(home.path(), &[&peer.target]), 100, 30, Reading::Always);
    pty.wait_text("● open");
    let mut numbers = peer::Numbers(9);
    let corners = [
        (0, 0),
        (1, 1),
        (19, 5),
        (20, 4),
        (20, 5),
        (1000, 1),
        (1, 1000),
        (0, 50),
        (50, 0),
        (1000, 1000),
    ];
    let random = (0..100).map(|_| (numbers.below(300) as u16, numbers.below(120) as u16));
    for (columns, rows) in corners.into_iter().chain(random) {
        pty.resize(columns, rows);
    }
    pty.resize(80, 24);
    pty.wait_text("● open");
    pty.send("\tQ");
    assert!(pty.wait_exit().success());
    pty.wait_restored();
    let raw = pty.look(|seen| seen.raw.clone());
    assert_eq!(oracle::violations(&raw), Vec::<String>::new());
}

#[test]
fn hostile_bytes_never_reach_the_terminal_raw() {
    let home = tempfile::tempdir().unwrap();
    let bytes = peer::hostile(256 << 10);
    let mut pty = connected(home.path(), &bytes);
    // The view of each kind, from the start of the log to its end.
    for keys in [
        "\tx", "g", " ", " ", "x", "g", " ", " ", "x", "g", " ", "G", "k", "\r", "\x1b",
    ] {
        let seen = pty.look(|seen| seen.raw.len());
        pty.send(keys);
        pty.wait_for("a frame after a key", |now| now.raw.len() > seen);
    }
    pty.send("\x03\x03");
    pty.wait_exit();
    check_restored(&pty, "hostile bytes");
}

#[test]
fn one_message_cannot_flood_the_terminal() {
    let samples = [
        format!("a{}", "\u{301}".repeat(500_000)).into_bytes(),
        "x\u{301}\u{302}".repeat(200_000).into_bytes(),
        [b"\x1b]0;".as_slice(), &vec![b'a'; 1 << 20]].concat(),
        "漢é\u{1b}".repeat(150_000).into_bytes(),
    ];
    for bytes in samples {
        let home = tempfile::tempdir().unwrap();
        let peer = peer::sends(bytes);
        let mut pty = Pty::spawn(sockscope(home.path(), &[&peer.target]), 200, 60, Reading::Always);
        pty.wait_text("● open");
        for keys in ["\t\x0c", "x\x0c", "x\x0c", "z\x0c"] {
            let clears = pty.look(|seen| seen.count(b"\x1b[2J"));
            pty.send(keys);
            pty.wait_for("a full frame", |seen| seen.count(b"\x1b[2J") > clears);
        }
        pty.send("Q");
        pty.wait_exit();
        pty.wait_restored();
        let largest = pty.look(|seen| largest_frame(&seen.raw));
        assert!(largest > 1000 && largest <= 192 * 1024, "{largest}");
    }
}

#[test]
fn a_terminal_without_a_cursor_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let mut command = sockscope(home.path(), &["127.0.0.1:1"]);
    command.env("TERM", "dumb");
    let pty = Pty::spawn(command, 80, 24, Reading::Always);
    assert_eq!(pty.wait_exit().exit_code(), 2);
    pty.wait_text("TERM=dumb");
    assert_eq!(pty.look(|seen| seen.count(b"\x1b")), 0);
    assert!(!home.path().join("state").exists());
}

#[test]
fn a_paste_with_line_breaks_waits_and_the_mouse_and_the_keys_arrive() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = connected(home.path(), b"hello\n");
    pty.wait_text("hello");
    pty.send("\x1b[200~first\r\nsecond\x1b[201~");
    pty.wait_text("second");
    pty.wait_text("sent 0 B in 0");
    pty.send("\r");
    pty.wait_text("sent 13 B in 1");
    // A click into the log, and the keys of Input are no longer offered.
    pty.send("\x1b[<0;5;6M\x1b[<0;5;6m");
    pty.wait_for("another footer", |seen| !seen.text().contains("Alt-L"));
    // Ctrl-H and Ctrl-J are their bytes: erase, and a new line without sending.
    pty.send("iab\x08\x0ac");
    pty.wait_for("two lines", |seen| {
        let text = seen.text();
        text.contains("> a ") && !text.contains("> ab") && text.contains("line 2 of 2")
    });
    pty.send("\x03\x03\x03");
    assert!(pty.wait_exit().success());
    check_restored(&pty, "Ctrl-C");
}

/// The bytes from one synchronized update's start to its end, at most.
fn largest_frame(raw: &[u8]) -> usize {
    const BEGIN: &[u8] = b"\x1b[?2026h";
    const END: &[u8] = b"\x1b[?2026l";
    let mut largest = 0;
    let mut start = 0;
    for at in memchr::memchr_iter(b'\x1b', raw) {
        if raw[at..].starts_with(BEGIN) {
            start = at;
        } else if raw[at..].starts_with(END) {
            largest = largest.max(at + END.len() - start);
        }
    }
    largest
}
