//! The terminal comes back (P5) where the real program offers no way to get there: panics and errors. This test binary
//! runs itself again in a pseudo terminal, takes the terminal and fails in the way that the environment names.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its child has failed")]

#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/pty.rs"]
mod pty;

use std::io::{self, Write as _};
use std::thread;

use pty::{Pty, Reading};
use sockscope::runtime::{Guard, GuardError, Mouse, check_terminal, enter_sequence, install_panic_hook};

/// Names the way in which the child fails.
const ROLE: &str = "SOCKSCOPE_TEST_ROLE";

/// What the child prints when it is about to fail, so that the parent knows it got there.
const READY: &str = "\x1b[?1049h\x1b[2Jready";

/// The child. Does nothing when it runs as one of the tests.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    install_panic_hook();
    if role == "dumb" {
        let refused = check_terminal();
        println!("{}", refused.as_ref().unwrap_err());
        assert!(matches!(refused, Err(GuardError::Dumb)));
        return;
    }
    let guard = Guard::take().unwrap();
    let mut out = io::stdout();
    out.write_all(&enter_sequence(Mouse::On)).unwrap();
    out.write_all(READY.as_bytes()).unwrap();
    out.flush().unwrap();
    match role.as_str() {
        "panic in main" => panic!("boom \x1b]0;owned\x07"),
        "panic elsewhere" => {
            let _ = thread::spawn(|| panic!("boom \x1b[31m")).join();
            unreachable!("the hook ends the process");
        }
        "error" => {
            let fails = || -> io::Result<()> {
                let _guard = guard;
                Err(io::Error::other("told by ?"))
            };
            println!("{}", fails().unwrap_err());
            std::process::exit(1);
        }
        other => panic!("no such role: {other}"),
    }
}

#[test]
fn the_oracle_finds_what_must_not_be_written() {
    let check = |bytes: &[u8], wrong: bool| {
        assert_eq!(
            !oracle::violations(bytes).is_empty(),
            wrong,
            "{}",
            bytes.escape_ascii()
        );
    };
    check(
        "\x1b[?1049h\x1b[?2026h\x1b[1;1H\x1b[0;31mplain 漢 e\u{301} ␛\x1b[?2026l".as_bytes(),
        false,
    );
    check(b"before\r\n\x1b[?1049h\x1b[?1049lafter\r\n", false);
    check(b"\x1b[?1049h\n", true);
    check(b"\x07", true);
    check(b"\x1b]8;;http://x\x1b\\", true);
    check(b"\x1b[6n", true);
    check(b"\x1bc", true);
    check(b"\x1bP+q\x1b\\", true);
    check("\u{9b}31m".as_bytes(), true);
    check("a\u{202e}b".as_bytes(), true);
    check("\u{301}".as_bytes(), true);
    check(b"\xff", true);
}

fn run(role: &str, term: &str) -> Pty {
    let home = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut command = pty::command(program.to_str().unwrap(), home.path());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role);
    command.env("TERM", term);
    Pty::spawn(command, 80, 24, Reading::Always)
}

fn check(role: &str, status: u32, message: &str) {
    let pty = run(role, "xterm-256color");
    let exit = pty.wait_exit();
    assert_eq!((exit.exit_code(), exit.signal()), (status, None), "{role}");
    pty.wait_restored();
    pty.wait_text(message);
    assert!(pty.is_cooked(), "{role}");
    let raw = pty.look(|seen| seen.raw.clone());
    // The test runner's own line breaks stand before the screen and after it.
    assert_eq!(oracle::violations(&raw), Vec::<String>::new(), "{role}");
    assert!(
        raw.windows(READY.len()).any(|window| window == READY.as_bytes()),
        "{role}"
    );
}

#[test]
fn a_panic_in_main_restores_and_reports_escaped() {
    check("panic in main", 101, "boom ␛]0;owned␇");
}

#[test]
fn a_panic_in_another_thread_restores_and_ends_the_program() {
    check("panic elsewhere", 101, "boom ␛[31m");
}

#[test]
fn an_error_restores() {
    check("error", 1, "told by ?");
}

#[test]
fn a_dumb_terminal_is_refused() {
    let pty = run("dumb", "dumb");
    pty.wait_text("TERM=dumb");
    assert!(pty.wait_exit().success());
    assert_eq!(pty.look(|seen| seen.count(b"\x1b")), 0);
}
