//! The real program in a real terminal: the ways out (P5), Ctrl-Z (P6), the terminal that vanishes (P7) or stalls (P8),
//! resizing (P9), hostile bytes (P1), the size of a frame (P4), a full disk (P16), relaying (P10, P13)
//! and hostile servers (P21). Small forms; the full ones are benchmarks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod full;
#[path = "../support/oracle.rs"]
mod oracle;
#[path = "../support/peer.rs"]
mod peer;
mod proofs;
#[path = "../support/pty.rs"]
mod pty;
mod reading;
mod relay;
mod servers;
#[path = "../support/wire.rs"]
mod wire;

use std::time::Duration;

use nix::sys::signal::Signal;
use proofs::{Way, check_restored, connected, recorded, shell, sockscope};
use pty::{Pty, Reading};
use sockscope::model::Direction;

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
    // Without -f, bash may answer for the stop that it has just asked to end.
    pty.send("kill %1; wait -f %1; echo status'-'$?\r");
    pty.wait_text("status-143");
    pty.wait_restored();
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

#[test]
fn a_signal_at_any_moment_restores_the_terminal() {
    proofs::sigterm_at_random_moments(20);
}

#[test]
fn a_shell_stops_and_continues_it() {
    proofs::stops_and_continues(6);
}

#[test]
fn a_terminal_that_never_reads_stalls_neither_the_recording_nor_a_signal() {
    proofs::flood(Way::Signal, Reading::NotYet, 32 << 20);
}

#[test]
fn a_terminal_that_never_reads_stalls_no_key() {
    proofs::flood(Way::Key, Reading::NotYet, 32 << 20);
}

#[test]
fn a_full_disk_is_survivable_and_visible() {
    full::start_again(&["--exact", "full_child", "--nocapture", "--test-threads=1"]);
}

/// Not a test by itself: runs where a small file system is mounted.
#[test]
fn full_child() {
    if let Some(place) = full::place() {
        full::prove(&place, 1, 6 << 20);
    }
}

#[test]
fn any_size_works_under_traffic() {
    proofs::resizes_under_traffic(100);
}

#[test]
fn hostile_bytes_never_reach_the_terminal_raw() {
    proofs::hostile_bytes(256 << 10);
}

#[test]
fn one_message_cannot_flood_the_terminal() {
    proofs::largest_frames(1);
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_shown() {
    proofs::kills_at_random_moments(10);
}

#[test]
fn a_tap_is_exact_while_the_screen_scrolls_and_searches() {
    let memory = relay::exact(8 << 20);
    assert!(memory <= 64.0, "{memory} MiB");
}

#[test]
fn slow_readers_cost_no_memory() {
    let grown = relay::slow_readers(100, 20, Duration::ZERO);
    assert!(grown < 64.0, "{grown} MiB");
}

#[test]
fn hostile_servers_are_harmless() {
    let (servers, _) = servers::hostile_servers();
    assert!(servers >= 60, "{servers}");
}

#[test]
fn storms_of_resets_are_harmless() {
    servers::storms(300);
}
