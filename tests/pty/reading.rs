//! Reading what was recorded: a file, one that grows, standard input.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use sockscope::capture::{Connection, Create, Existing, Recorder, Session};
use sockscope::model::{Direction, EntryKind, Records as _, Role, Timestamp};

use crate::peer;
use crate::proofs::{check_restored, shell, sockscope};
use crate::pty::{Pty, Reading};

fn record(path: &Path) -> (Recorder, Connection) {
    let create = Create {
        path: path.to_owned(),
        existing: Existing::Refuse,
        max_size: None,
    };
    let recorder = Recorder::create(&create).unwrap();
    let endpoint = "tcp://localhost:6379".parse().unwrap();
    let connection = recorder
        .connection(Timestamp(1), &endpoint, Role::Client)
        .unwrap();
    let open = EntryKind::Open {
        local: "127.0.0.1:50000".parse().unwrap(),
        remote: "127.0.0.1:6379".parse().unwrap(),
    };
    connection.event(Timestamp(2), &open).unwrap();
    (recorder, connection)
}

fn say(connection: &Connection, text: &str) {
    let at = Timestamp(3);
    connection.data(at, Direction::Received, text.as_bytes()).unwrap();
}

#[test]
fn a_recording_is_shown_and_followed_while_it_grows() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.pcapng");
    let (_recorder, connection) = record(&path);
    say(&connection, "first words");
    let command = sockscope(home.path(), &["open", path.to_str().unwrap()]);
    let mut pty = Pty::spawn(command, 100, 30, Reading::Always);
    pty.wait_text("first words");
    pty.wait_text("following");
    say(&connection, "later words");
    pty.wait_text("later words");
    pty.send("q");
    assert!(pty.wait_exit().success());
    check_restored(&pty, "a recording");
}

#[test]
fn marks_and_comments_are_there_when_the_file_is_opened_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.pcapng");
    let (recorder, connection) = record(&path);
    say(&connection, "first words");
    drop(recorder);
    let open = || {
        let command = sockscope(home.path(), &["open", path.to_str().unwrap()]);
        Pty::spawn(command, 100, 30, Reading::Always)
    };
    let mut pty = open();
    pty.wait_text("first words");
    pty.send(":2\rm");
    pty.wait_text("◆ #2");
    // What is asked for last is kept though the program ends at once.
    pty.send(";look here\rq");
    assert!(pty.wait_exit().success());
    let mut pty = open();
    pty.wait_text("◆ #2");
    pty.wait_text("; look here");
    pty.send("q");
    assert!(pty.wait_exit().success());
    check_restored(&pty, "marks");
}

#[test]
fn a_comment_on_a_live_connection_is_in_its_recording() {
    let home = tempfile::tempdir().unwrap();
    let peer = peer::sends(b"hello\n".to_vec());
    let path = home.path().join("live.pcapng");
    let command = sockscope(home.path(), &["-w", path.to_str().unwrap(), &peer.target]);
    let mut pty = Pty::spawn(command, 100, 30, Reading::Always);
    pty.wait_text("hello");
    pty.send("\t2;said hello\r");
    pty.wait_text("; said hello");
    pty.send("Q");
    assert!(pty.wait_exit().success());
    let session = Session::open(&path).unwrap();
    assert_eq!(session.annotations(), 1);
}

#[test]
fn standard_input_is_shown_and_keys_come_from_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.pcapng");
    let (recorder, connection) = record(&path);
    say(&connection, "piped words");
    drop(recorder);
    let mut pty = Pty::spawn(shell(home.path()), 100, 30, Reading::Always);
    pty.wait_text("$ ");
    pty.send(&format!(
        "cat a.pcapng | {} open -\r",
        env!("CARGO_BIN_EXE_sockscope")
    ));
    pty.wait_text("piped words");
    pty.wait_text("complete");
    pty.send("q");
    pty.wait_for("the prompt", |seen| seen.text().trim_end().ends_with('$'));
    pty.send("echo status'-'$?; exit\r");
    pty.wait_text("status-0");
    assert!(pty.wait_exit().success());
}

#[test]
fn what_is_no_capture_is_refused_before_anything_is_drawn() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notes.txt");
    File::create(&path)
        .unwrap()
        .write_all(b"dear diary, today I wrote a server\n")
        .unwrap();
    let command = sockscope(home.path(), &["open", path.to_str().unwrap()]);
    let pty = Pty::spawn(command, 100, 30, Reading::Always);
    assert_eq!(pty.wait_exit().exit_code(), 1);
    pty.wait_text("notes.txt");
    assert_eq!(pty.look(|seen| seen.count(b"\x1b[?1049h")), 0);
}

#[test]
fn a_live_session_is_piped_from_one_program_to_the_other() {
    let home = tempfile::tempdir().unwrap();
    let peer = peer::sends(b"over the pipe\n".to_vec());
    let mut pty = Pty::spawn(shell(home.path()), 100, 30, Reading::Always);
    pty.wait_text("$ ");
    let program = env!("CARGO_BIN_EXE_sockscope");
    pty.send(&format!(
        "{program} {} -w - --duration 5s < /dev/null | {program} open -\r",
        peer.target
    ));
    pty.wait_text("← 14 B");
    pty.wait_text("following");
    pty.send("q");
    pty.wait_for("the prompt", |seen| seen.text().trim_end().ends_with('$'));
    pty.send("exit\r");
    assert!(pty.wait_exit().success());
}

#[test]
fn a_search_and_a_filter_find_their_entries() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.pcapng");
    let (_recorder, connection) = record(&path);
    for number in 0..500 {
        say(&connection, &format!("entry number {number}\n"));
    }
    let command = sockscope(home.path(), &["open", path.to_str().unwrap(), "--view", "text"]);
    let mut pty = Pty::spawn(command, 100, 30, Reading::Always);
    pty.wait_text("entry number 0");
    pty.send("/number 42\r");
    pty.wait_text("/number 42: 1 of 11");
    pty.send("n");
    pty.wait_text("number 420");
    pty.send("fre:\"number 4[0-9]$\"\r");
    pty.wait_text("10 of 10");
    pty.send("f\x15\r");
    pty.wait_text("501");
    pty.send("q");
    assert!(pty.wait_exit().success());
    check_restored(&pty, "a search and a filter");
}

#[test]
fn what_is_shown_is_exported() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.pcapng");
    let (_recorder, connection) = record(&path);
    say(&connection, "first words");
    say(&connection, "other words");
    let command = sockscope(home.path(), &["open", path.to_str().unwrap()]);
    let mut pty = Pty::spawn(command, 100, 30, Reading::Always);
    pty.wait_text("other words");
    pty.wait_text("following");
    pty.send("fother\r");
    pty.wait_for("the filter", |seen| {
        !seen.text().contains("first words") && seen.text().contains("other words")
    });
    pty.send("E");
    pty.wait_text("Export what the filter other shows, 1 entry");
    pty.send("r");
    pty.wait_text("export to: a-");
    let out = home.path().join("out");
    pty.send(&format!("\x15{}\r", out.display()));
    pty.wait_text("exported 1 entry to");
    assert_eq!(
        std::fs::read(home.path().join("out.received")).unwrap(),
        b"other words"
    );
    assert_eq!(std::fs::read(home.path().join("out.sent")).unwrap(), b"");
    pty.send(&format!(":export raw {}\r", out.display()));
    pty.wait_text("exists already");
    pty.send("o");
    pty.wait_for("the end", |seen| !seen.text().contains("exists already"));
    pty.send("q");
    assert!(pty.wait_exit().success());
    check_restored(&pty, "an export");
}
