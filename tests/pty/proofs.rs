//! The proofs that drive the real program in a real terminal, each with its size as a parameter: small in the tests,
//! full in the benchmark.

use std::io::Write as _;
use std::net::Shutdown;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use portable_pty::CommandBuilder;
use sockscope::capture::Session;
use sockscope::model::{Direction, EntryId, EntryKind, Records as _};
use sockscope::text::format;

use crate::oracle;
use crate::peer;
use crate::pty::{self, Pty, Reading};

pub(crate) fn sockscope(home: &Path, arguments: &[&str]) -> CommandBuilder {
    let mut command = pty::command(env!("CARGO_BIN_EXE_sockscope"), home);
    command.args(arguments);
    command
}

/// The program, connected to a peer that sends `bytes` and waits.
pub(crate) fn connected(home: &Path, bytes: &[u8]) -> Pty {
    let peer = peer::sends(bytes.to_vec());
    let pty = Pty::spawn(sockscope(home, &[&peer.target]), 100, 30, Reading::Always);
    pty.wait_text("● open");
    pty
}

/// All bytes that a session file holds for one direction.
pub(crate) fn recorded(path: &Path, direction: Direction) -> u64 {
    let session = Session::open(path).unwrap();
    let entries = (0..session.len()).map(|id| session.entry(EntryId(id)).unwrap());
    entries
        .filter(|entry| entry.kind == EntryKind::Data { direction })
        .map(|entry| u64::from(entry.len))
        .sum()
}

/// The terminal is back, and nothing was written that is not ours.
pub(crate) fn check_restored(pty: &Pty, way: &str) {
    pty.wait_restored();
    assert!(pty.is_cooked(), "{way}: the line discipline is not what it was");
    let raw = pty.look(|seen| seen.raw.clone());
    assert_eq!(oracle::violations(&raw), Vec::<String>::new(), "{way}");
}

/// P5: SIGTERM at random moments of the start and of a flood.
pub(crate) fn sigterm_at_random_moments(rounds: u32) {
    let mut numbers = peer::Numbers(7);
    for round in 0..rounds {
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

/// P6: a shell stops and continues the program, by key and by signal.
pub(crate) fn stops_and_continues(cycles: usize) {
    let home = tempfile::tempdir().unwrap();
    let peer = peer::sends(b"hello\n".to_vec());
    let mut pty = Pty::spawn(shell(home.path()), 100, 30, Reading::Always);
    pty.wait_text("$ ");
    pty.send(&format!("{} {}\r", env!("CARGO_BIN_EXE_sockscope"), peer.target));
    let ways = [Stop::Key, Stop::Ask, Stop::Key, Stop::Force, Stop::Key, Stop::Key];
    for (cycle, stop) in ways.into_iter().cycle().take(cycles).enumerate() {
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
        seen.count(b"\x1b[?1049h") == cycles + 1 && seen.text().contains("● open")
    });
    pty.send("\tQ");
    // Until the program is gone, what is typed is still its own.
    pty.wait_for("the prompt behind the summary", |seen| {
        seen.text().contains("recorded in") && seen.text().trim_end().ends_with('$')
    });
    pty.wait_restored();
    pty.send("echo status'-'$?\r");
    pty.wait_text("status-0");
    pty.send("exit\r");
    assert!(pty.wait_exit().success());
}

/// A shell without a line editor, which would change the line discipline and the paste mode by itself.
pub(crate) fn shell(home: &Path) -> CommandBuilder {
    let mut command = pty::command("bash", home);
    command.args(["--norc", "--noprofile", "--noediting", "-i"]);
    command.env("PS1", "$ ");
    command
}

/// How the user ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A key that quits.
    Key,
    /// SIGTERM.
    Signal,
}

/// P8: a flood is recorded though nobody reads the terminal; how long it took to take it off the peer's hands.
pub(crate) fn flood(way: Way, reading: Reading, len: usize) -> Duration {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("kept.pcapng");
    let peer = peer::serve(move |mut stream| {
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..len / piece.len() {
            stream.write_all(&piece).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
    });
    let command = sockscope(home.path(), &["-w", file.to_str().unwrap(), &peer.target]);
    let start = Instant::now();
    let mut pty = Pty::spawn(command, 100, 30, reading);
    // Everything is taken though the screen may not have been read.
    peer.thread.join().unwrap();
    let took = start.elapsed();
    match way {
        Way::Key => pty.send("\tQ"),
        Way::Signal => pty.signal(Signal::SIGTERM),
    }
    let status = pty.wait_exit();
    assert_eq!(status.signal(), (way == Way::Signal).then_some("Terminated"));
    let received = recorded(&file, Direction::Received);
    // What the kernels' socket buffers held when the signal came was not read.
    assert!(received > len as u64 * 3 / 4, "{received}");
    assert!(pty.is_cooked());
    // Whoever reads the terminal later finds it restored.
    if reading == Reading::NotYet {
        pty.read_on();
    }
    pty.wait_restored();
    took
}

/// P9: any size, under hostile traffic.
pub(crate) fn resizes_under_traffic(count: u32) {
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
    let random = (0..count).map(|_| (numbers.below(300) as u16, numbers.below(120) as u16));
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

/// P1: hostile bytes over TCP, looked at in every view.
pub(crate) fn hostile_bytes(len: usize) {
    let home = tempfile::tempdir().unwrap();
    let bytes = peer::hostile(len);
    let mut pty = connected(home.path(), &bytes);
    pty.wait_text(&format!("received {} in", format::size(bytes.len() as u64)));
    // The view of each kind, from the start of the log to its end.
    for keys in [
        "\tx", "g", " ", " ", "x", "g", " ", " ", "x", "g", " ", "G", "k", "\r", "\x1b",
    ] {
        let seen = pty.look(|seen| seen.raw.len());
        pty.send(keys);
        pty.wait_for("a frame after a key", |now| now.raw.len() > seen);
    }
    // Right behind an Esc, a terminal's Ctrl-C would be Alt-Ctrl-C.
    pty.wait_for("the Inspector to close", |seen| {
        !seen.text().contains("Inspector")
    });
    pty.send("\x03");
    pty.wait_text("Quit?");
    pty.send("\x03");
    pty.wait_exit();
    check_restored(&pty, "hostile bytes");
}

/// P4: messages made to be expensive; `scale` repeats each.
pub(crate) fn largest_frames(scale: usize) -> usize {
    let mut largest = 0;
    let samples = [
        format!("a{}", "\u{301}".repeat(500_000)).into_bytes(),
        "x\u{301}\u{302}".repeat(200_000).into_bytes(),
        [b"\x1b]0;".as_slice(), &vec![b'a'; 1 << 20]].concat(),
        "漢é\u{1b}".repeat(150_000).into_bytes(),
    ];
    for bytes in samples {
        let home = tempfile::tempdir().unwrap();
        let peer = peer::sends(bytes.repeat(scale));
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
        let frame = pty.look(|seen| largest_frame(&seen.raw));
        assert!(frame > 1000 && frame <= 192 * 1024, "{frame}");
        largest = largest.max(frame);
    }
    largest
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

/// P14: `kill -9` at random moments of a flood. Every file opens, and holds every message that the screen counted.
pub(crate) fn kills_at_random_moments(rounds: u32) {
    let mut numbers = peer::Numbers(11);
    for round in 0..rounds {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("killed.pcapng");
        let peer = peer::floods(peer::hostile(4096));
        let command = sockscope(home.path(), &["-w", file.to_str().unwrap(), &peer.target]);
        let pty = Pty::spawn(command, 100, 30, Reading::Always);
        let moment = 2000 + numbers.below(60_000) as usize;
        pty.wait_for("some output", |seen| seen.raw.len() > moment);
        pty.signal(Signal::SIGKILL);
        pty.wait_exit();
        let shown = pty.look(|seen| messages_shown(&seen.text()));
        let session = Session::open(&file).unwrap();
        let entries = (0..session.len()).map(|id| session.entry(EntryId(id)).unwrap());
        let received = EntryKind::Data {
            direction: Direction::Received,
        };
        let kept = entries.filter(|entry| entry.kind == received).count() as u64;
        assert!(
            kept >= shown,
            "round {round}: {shown} were shown, {kept} are in the file"
        );
    }
}

/// How many received messages the Status pane counts; none before the connection is open.
fn messages_shown(screen: &str) -> u64 {
    let counted = screen
        .split_once("received ")
        .and_then(|(_, rest)| rest.split_once(" in "));
    counted.map_or(0, |(_, rest)| {
        let digits = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == ',')
            .filter(char::is_ascii_digit);
        digits.collect::<String>().parse().unwrap_or(0)
    })
}
