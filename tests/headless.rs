//! The headless front end against scripted peers: what is sent, what is printed, when it ends and with which status.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/oracle.rs"]
mod oracle;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sockscope::model::{Direction, Side};

use binary::{Home, accept, closed_by, expect, finish, listen, outlast, read_all, recorded, reset, serve};

#[test]
fn text_shows_both_directions_and_nothing_raw() {
    let (address, peer) = serve(|mut stream| {
        expect(&mut stream, b"PING\r\n");
        stream.write_all(b"+PONG\r\n\x1b]0;x\x07\xff").unwrap();
        assert_eq!(read_all(&mut stream), b"");
    });
    let home = Home::new();
    let run = home.run(&["--headless", "--utc", &address], b"PING\r\n");
    peer.join().unwrap();
    assert_eq!(run.code(), 0, "{run:?}");
    let lines = run.lines();
    assert_eq!(lines[0], format!("· connecting to {address}"));
    assert!(lines[1].starts_with("· open: 127.0.0.1:"), "{lines:?}");
    assert!(lines.contains(&"→      6 B  PING␍␊".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"←     14 B  +PONG␍␊␛]0;x␇\\xff".to_owned()),
        "{lines:?}"
    );
    assert_eq!(*lines.last().unwrap(), closed_by(Side::Peer));
    assert_eq!(run.stderr, "");
}

#[test]
fn seven_bits_are_enough_if_asked_for() {
    let (address, peer) = serve(|mut stream| {
        stream.write_all("é\r\n".as_bytes()).unwrap();
    });
    let run = Home::new().run(&["--headless", "--ascii", &address], b"");
    peer.join().unwrap();
    assert!(run.stdout.is_ascii(), "{}", run.text());
    assert!(run.lines()[1].starts_with("-- open: 127.0.0.1:") && run.lines()[1].contains(" -> "));
    assert!(
        run.lines().iter().any(|line| line.starts_with("<-      4 B")),
        "{run:?}"
    );
}

#[test]
fn no_byte_of_a_peer_reaches_a_terminal_raw() {
    // Every scalar of the basic plane and of those with tags and private use, every byte alone, and sequences that
    // terminals obey.
    let scalars = ('\0'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}');
    let mut hostile: Vec<u8> = scalars.collect::<String>().into_bytes();
    hostile.extend((0..=255u8).flat_map(|byte| [byte, b' ']));
    hostile.extend(b"\x1b]52;c;AAAA\x07\x1b[2J\x9b31m\x1bPq\x1b\\\xe2\x80\xae");
    for format in ["text", "hex", "jsonl"] {
        let bytes = hostile.clone();
        let (address, peer) = serve(move |mut stream| stream.write_all(&bytes).unwrap());
        let run = Home::new().run(
            &["--headless", "--format", format, "--read-size", "4096", &address],
            b"",
        );
        peer.join().unwrap();
        assert_eq!(run.code(), 0, "{}", run.stderr);
        assert!(run.stdout.len() > hostile.len());
        assert_eq!(oracle::violations(&run.stdout), Vec::<String>::new(), "{format}");
    }
}

#[test]
fn hex_is_a_dump_of_each_entry() {
    let (address, peer) = serve(|mut stream| {
        stream.write_all(&(0..=40).collect::<Vec<u8>>()).unwrap();
    });
    let run = Home::new().run(&["--headless", "--format", "hex", &address], b"");
    peer.join().unwrap();
    let text = run.text();
    assert!(
        text.contains("←     41 B\n  00000000  00 01 02 03 04 05 06 07  08"),
        "{text}"
    );
    assert!(
        text.contains("\n  00000020  20 21 22 23 24 25 26 27  28 "),
        "{text}"
    );
}

#[test]
fn jsonl_tells_everything() {
    let (address, peer) = serve(|mut stream| {
        expect(&mut stream, "é\n".as_bytes());
        stream.write_all(b"\xff\x1b").unwrap();
        assert_eq!(read_all(&mut stream), b"");
    });
    let run = Home::new().run(&["--headless", "--format", "jsonl", &address], "é\n".as_bytes());
    peer.join().unwrap();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stdout.is_ascii());
    let objects = run.objects();
    for (id, object) in objects.iter().enumerate() {
        assert_eq!((&object["id"], &object["conn"]), (&json!(id), &json!(0)));
        let at = object["at"].as_str().unwrap();
        assert!(at.len() == 30 && at.ends_with('Z'), "{at}");
    }
    let of_kind = |kind: &str| {
        let found = objects.iter().find(|object| object["kind"] == kind);
        found
            .unwrap_or_else(|| panic!("no {kind} in {objects:?}"))
            .clone()
    };
    assert_eq!(of_kind("attempt")["outcome"], "started");
    assert_eq!(of_kind("open")["remote"], json!(address));
    assert_eq!(of_kind("half-close")["by"], "local");
    assert_eq!(
        (&of_kind("close")["by"], &of_kind("close")["how"]),
        (&json!("peer"), &json!("fin"))
    );
    let data: Vec<_> = objects.iter().filter(|object| object["kind"] == "data").collect();
    assert_eq!((&data[0]["dir"], &data[0]["len"]), (&json!("sent"), &json!(3)));
    assert_eq!(
        (&data[0]["hex"], &data[0]["text"]),
        (&json!("c3a90a"), &json!("é\n"))
    );
    assert_eq!(
        (&data[1]["dir"], &data[1]["hex"]),
        (&json!("received"), &json!("ff1b"))
    );
    assert_eq!(data[1].get("text"), None);
}

#[test]
fn raw_is_every_received_byte_and_none_is_nothing() {
    let all: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    for (format, expected) in [("raw", all.clone()), ("none", Vec::new())] {
        let sent = all.clone();
        let (address, peer) = serve(move |mut stream| {
            stream.write_all(&sent).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            read_all(&mut stream)
        });
        let home = Home::new();
        let run = home.run(&["--headless", "--format", format, &address], &all);
        assert_eq!(peer.join().unwrap(), all, "standard input arrives byte for byte");
        assert_eq!(run.code(), 0, "{}", run.stderr);
        assert!(run.stdout == expected, "{} bytes", run.stdout.len());
        let kept = home.kept();
        assert!(recorded(&kept[0], Direction::Sent) == all && recorded(&kept[0], Direction::Received) == all);
    }
}

#[test]
fn a_character_split_at_every_byte_is_shown_once() {
    let (address, peer) = serve(|mut stream| stream.write_all("é漢😀".as_bytes()).unwrap());
    let run = Home::new().run(&["--headless", "--read-size", "1", &address], b"");
    peer.join().unwrap();
    let shown: String = run
        .lines()
        .iter()
        .filter_map(|line| line.strip_prefix("←      1 B  "))
        .collect();
    assert_eq!(shown, "é‥漢‥‥😀‥‥‥");
}

#[test]
fn the_end_of_input_half_closes_and_the_answer_is_complete() {
    let (address, peer) = serve(|mut stream| {
        let asked = read_all(&mut stream);
        stream.write_all(&asked.repeat(3)).unwrap();
    });
    let run = Home::new().run(&["--headless", "--format", "raw", &address], b"x\n");
    peer.join().unwrap();
    assert_eq!((run.code(), run.text().as_str()), (0, "x\nx\nx\n"));
}

#[test]
fn the_end_of_input_can_be_ignored_and_dev_null_is_none() {
    for null in [true, false] {
        let (address, peer) = serve(|mut stream| {
            stream.write_all(b"bye\n").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            read_all(&mut stream)
        });
        let home = Home::new();
        let mut command = home.sockscope(&["--headless", "--format", "jsonl", "--stdin-eof"]);
        command.args([if null { "half-close" } else { "ignore" }, &address]);
        if !null {
            // A pipe without a writer: an input that has ended.
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        drop(child.stdin.take());
        let run = finish(child);
        assert_eq!(peer.join().unwrap(), b"");
        assert_eq!(run.code(), 0, "{run:?}");
        let halves = run.objects();
        let first = halves
            .iter()
            .find(|object| object["kind"] == "half-close")
            .unwrap();
        assert_eq!(first["by"], "peer", "{halves:?}");
    }
}

#[test]
fn lines_are_read_as_the_options_say() {
    let check = |arguments: &[&str], input: &[u8], expected: &[u8]| {
        let (address, peer) = serve(|mut stream| read_all(&mut stream));
        let mut all = vec!["--headless", "--format", "none"];
        all.extend(arguments);
        all.push(&address);
        let run = Home::new().run(&all, input);
        assert_eq!(run.code(), 0, "{run:?}");
        let got = peer.join().unwrap();
        assert_eq!(
            got.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    };
    check(&["--eol", "crlf"], b"EHLO me\nQUIT", b"EHLO me\r\nQUIT\r\n");
    check(&["--input", "text"], b"a\r\nb\n", b"a\nb\n");
    check(&["--input", "hex"], b"de:ad 0xbe,ef\n", b"\xde\xad\xbe\xef");
    check(
        &["--input", "escaped", "--eol", "none"],
        b"\\x00\\u{e9}\n",
        b"\x00\xc3\xa9",
    );
    check(
        &["--send", "one", "--send", "two", "--eol", "nul"],
        b"three\n",
        b"one\0two\0three\0",
    );
    check(&["--send", "first"], b"then\r\n", b"first\nthen\r\n");
}

#[test]
fn a_line_that_means_nothing_ends_the_run() {
    let (address, peer) = serve(|mut stream| read_all(&mut stream));
    let run = Home::new().run(&["--headless", "--input", "hex", &address], b"00\n0x0g\n");
    assert_eq!(peer.join().unwrap(), b"\0", "what was right before it was sent");
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(
        run.stderr
            .starts_with("sockscope: line 2 of standard input cannot be sent: "),
        "{}",
        run.stderr
    );
}

#[test]
fn one_shots_end_by_themselves() {
    let check = |arguments: &[&str], expected: &str| {
        let (address, peer) = serve(|mut stream| {
            expect(&mut stream, b"go\n");
            for answer in [b"1", b"2", b"3"] {
                stream.write_all(answer).unwrap();
            }
            read_all(&mut stream)
        });
        let home = Home::new();
        let mut command = home.sockscope(&[
            "--headless",
            "--read-size",
            "1",
            "--send",
            "go",
            "--format",
            "raw",
        ]);
        command.args(arguments).arg(&address);
        let run = finish(command.spawn().unwrap());
        peer.join().unwrap();
        assert_eq!((run.code(), run.text().as_str()), (0, expected), "{run:?}");
    };
    check(&["--count", "2"], "12");
    check(&["--count", "3"], "123");
    check(&["--quit-after-idle", "200ms"], "123");
    check(&["--duration", "1s"], "123");
}

#[test]
fn the_peers_end_ends_it_although_input_is_open() {
    let (address, peer) = serve(|mut stream| {
        expect(&mut stream, b"quit\n");
        stream.write_all(b"bye\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&mut stream), b"");
    });
    let home = Home::new();
    let mut command = home.sockscope(&["--headless", "--format", "raw", &address]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"quit\n").unwrap();
    let run = finish(child);
    drop(stdin);
    peer.join().unwrap();
    assert_eq!((run.code(), run.text().as_str()), (0, "bye\n"));
}

#[test]
fn an_upload_goes_on_after_the_peers_fin() {
    let (address, peer) = serve(|mut stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&mut stream).len()
    });
    let run = Home::new().run(&["--headless", &address], &vec![b'x'; 2_000_000]);
    assert_eq!(run.code(), 0, "{}", run.stderr);
    assert_eq!(peer.join().unwrap(), 2_000_000);
}

#[test]
fn a_peer_that_does_not_read_holds_back_input() {
    // More than the kernel's buffers, the worker's queue and the pipe hold together.
    const MUCH: usize = 48 << 20;
    let (address, peer) = serve(|mut stream| {
        expect(&mut stream, &[b'x'; 10]);
        stream.write_all(b"not now\n").unwrap();
        let mut digest = 10;
        digest += read_all(&mut stream).len();
        digest
    });
    let run = Home::new().run(&["--headless", "--format", "raw", &address], &vec![b'x'; MUCH]);
    assert_eq!(
        (run.code(), run.text().as_str()),
        (0, "not now\n"),
        "{}",
        run.stderr
    );
    assert_eq!(peer.join().unwrap(), MUCH);
}

#[test]
fn a_slow_pipe_does_not_slow_the_wire() {
    const MUCH: usize = 32 << 20;
    let bytes: Vec<u8> = (0..=255).cycle().take(MUCH).collect();
    let expected = Sha256::digest(&bytes);
    let (address, peer) = serve(move |mut stream| {
        // Returns only once all of it was taken, though nobody reads the other end of the pipe yet.
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&mut stream)
    });
    let home = Home::new();
    let mut command = home.sockscope(&["--headless", "--format", "raw", &address]);
    let child = command.spawn().unwrap();
    assert_eq!(peer.join().unwrap(), b"");
    let run = finish(child);
    assert_eq!(run.code(), 0, "{}", run.stderr);
    assert_eq!(Sha256::digest(&run.stdout), expected);
}

#[test]
fn a_closed_pipe_is_a_normal_end() {
    // Before anything is printed, and while the connection is silent.
    let (address, peer) = serve(|mut stream| {
        stream.write_all(b"hello\n").unwrap();
        read_all(&mut stream)
    });
    let home = Home::new();
    let mut command = home.sockscope(&["--headless", "--format", "raw", &address]);
    let mut child = command.spawn().unwrap();
    let mut hello = [0; 6];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut hello).unwrap();
    drop(stdout);
    let run = finish(child);
    peer.join().unwrap();
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
    assert_eq!(recorded(&home.kept()[0], Direction::Received), b"hello\n");
}

#[test]
fn standard_output_that_fails_is_an_error() {
    let (address, peer) = serve(|mut stream| {
        // Output fails at the first line, which may be before the connection is open.
        let _ = stream.write_all(b"hello\n");
        outlast(&mut stream);
    });
    let home = Home::new();
    let mut command = home.sockscope(&["--headless", &address]);
    command.stdout(File::options().write(true).open("/dev/full").unwrap());
    let run = finish(command.spawn().unwrap());
    peer.join().unwrap();
    assert_eq!(run.code(), 1);
    assert!(
        run.stderr
            .starts_with("sockscope: cannot write to standard output: "),
        "{}",
        run.stderr
    );
}

#[test]
fn closed_standard_streams_are_survived() {
    let (address, peer) = serve(|mut stream| {
        stream.write_all(b"hello\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&mut stream)
    });
    let home = Home::new();
    let mut command = std::process::Command::new("sh");
    home.prepare(&mut command);
    command.args([
        "-c",
        "exec \"$@\" <&- >&- 2>&-",
        "sh",
        env!("CARGO_BIN_EXE_sockscope"),
    ]);
    command.args(["--headless", &address]);
    let run = finish(command.spawn().unwrap());
    peer.join().unwrap();
    assert_eq!(run.code(), 0);
    assert_eq!(recorded(&home.kept()[0], Direction::Received), b"hello\n");
}

#[test]
fn a_reset_is_a_failure_and_loses_nothing() {
    let (address, peer) = serve(|mut stream| {
        stream.write_all(b"last words").unwrap();
        expect(&mut stream, b"x");
        reset(stream);
    });
    let home = Home::new();
    let mut command = home.sockscope(&["--headless", "--format", "jsonl", &address]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"x").unwrap();
    let run = finish(child);
    peer.join().unwrap();
    assert_eq!(run.code(), 1, "{run:?}");
    let objects = run.objects();
    let close = objects.iter().find(|object| object["kind"] == "close").unwrap();
    assert_eq!((&close["by"], &close["how"]), (&json!("peer"), &json!("rst")));
    assert!(
        objects.iter().any(|object| object["text"] == "last words"),
        "{objects:?}"
    );
    assert!(run.stderr.contains("reset the connection"), "{}", run.stderr);
}

#[test]
fn silence_can_end_a_connection() {
    let (address, peer) = serve(|mut stream| read_all(&mut stream));
    let home = Home::new();
    let mut command = home.sockscope(&["--headless", "--idle-timeout", "100ms", &address]);
    let run = finish(command.spawn().unwrap());
    peer.join().unwrap();
    assert_eq!(run.code(), 1, "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn a_signal_keeps_the_recording_and_is_the_status() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let (address, peer) = serve(|mut stream| {
            stream.write_all(b"hello\n").unwrap();
            read_all(&mut stream)
        });
        let home = Home::new();
        let mut command = home.sockscope(&["--headless", "--format", "raw", &address]);
        let mut child = command.spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let run = finish(child);
        peer.join().unwrap();
        assert_eq!(run.status.signal(), Some(signal as i32), "{run:?}");
        assert_eq!(recorded(&home.kept()[0], Direction::Received), b"hello\n");
    }
}

#[test]
fn what_was_printed_is_in_the_file_whenever_it_is_killed() {
    for printed in [1, 70_000, 1_000_000] {
        let (address, peer) = serve(|mut stream| {
            // Until the program is gone.
            let pattern: Vec<u8> = (0..=250).cycle().take(251 * 400).collect();
            while stream.write_all(&pattern).is_ok() {}
        });
        let home = Home::new();
        let mut command = home.sockscope(&["--headless", "--format", "raw", &address]);
        let mut child = command.spawn().unwrap();
        let mut shown = vec![0; printed];
        child.stdout.as_mut().unwrap().read_exact(&mut shown).unwrap();
        child.kill().unwrap();
        let run = finish(child);
        peer.join().unwrap();
        shown.extend(run.stdout);
        let kept = recorded(&home.kept()[0], Direction::Received);
        assert!(
            kept.starts_with(&shown),
            "{} printed, {} recorded",
            shown.len(),
            kept.len()
        );
    }
}

#[test]
fn a_pipe_that_nobody_reads_does_not_hold_the_exit() {
    let (address, peer) = serve(|mut stream| {
        // More than the pipe takes, so that printing waits.
        let _ = stream.write_all(&vec![b'x'; 1 << 20]);
        outlast(&mut stream);
    });
    let home = Home::new();
    let mut command = home.sockscope(&["--headless", "--format", "raw", &address]);
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1]).unwrap();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let run = finish(child);
    drop(stdout);
    peer.join().unwrap();
    assert_eq!(run.status.signal(), Some(Signal::SIGTERM as i32), "{run:?}");
}

#[test]
fn a_recording_is_private_and_kept_unless_it_is_empty() {
    let home = Home::new();
    let refused = home.run(&["--headless", &binary::free_port().to_string()], b"");
    assert_eq!(refused.code(), 1);
    assert_eq!(home.kept(), Vec::<std::path::PathBuf>::new(), "nothing crossed");

    let (address, peer) = serve(|mut stream| stream.write_all(b"hello\n").unwrap());
    let named = home.path("named.pcapng");
    let run = home.run(&["--headless", "-w", named.to_str().unwrap(), &address], b"");
    peer.join().unwrap();
    assert_eq!(run.code(), 0, "{run:?}");
    assert_eq!(recorded(&named, Direction::Received), b"hello\n");
    assert_eq!(fs::metadata(&named).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.kept(), Vec::<std::path::PathBuf>::new());

    let again = home.run(&["--headless", "-w", named.to_str().unwrap(), &address], b"");
    assert_eq!(again.code(), 1);
    assert!(
        again.stderr.contains("exists already") && again.stderr.contains("--force"),
        "{}",
        again.stderr
    );
    assert_eq!(
        recorded(&named, Direction::Received),
        b"hello\n",
        "and it is as it was"
    );
}

#[test]
fn reconnecting_sends_again_and_goes_on() {
    let (listener, address) = listen();
    let peer = thread::spawn(move || {
        for answer in [b"one", b"two"] {
            let mut stream = accept(&listener);
            expect(&mut stream, b"SUBSCRIBE\n");
            stream.write_all(answer).unwrap();
        }
    });
    let home = Home::new();
    let mut command = home.sockscope(&[
        "--headless",
        "--reconnect",
        "--send",
        "SUBSCRIBE",
        "--format",
        "raw",
    ]);
    command.args(["--count", "2", &address]);
    let run = finish(command.spawn().unwrap());
    peer.join().unwrap();
    assert_eq!((run.code(), run.text().as_str()), (0, "onetwo"), "{run:?}");
}

#[test]
fn the_demo_works_without_a_screen() {
    let home = Home::new();
    for arguments in [["demo", "--headless"], ["--headless", "demo"]] {
        let run = home.run(&arguments, b"Hello, server!\nbye\n");
        assert_eq!(run.code(), 0, "{run:?}");
        let text = run.text();
        assert!(
            text.contains("welcome to the sockscope demo") && text.contains("goodbye␍␊"),
            "{text}"
        );
        assert!(run.ends_in_order(), "{text}");
    }
    let run = home.run(&["demo", "--headless"], b"reset\n");
    assert_eq!(run.code(), 1, "{run:?}");
}

#[test]
fn those_who_come_are_told_apart() {
    let home = Home::new();
    let command = &mut home.sockscope(&["--headless", "listen", "127.0.0.1:0"]);
    let mut child = command.spawn().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        line.split_once(' ').unwrap().1.trim_end().to_owned()
    };
    let listening = line();
    let address = listening.strip_prefix("  0 · listening on ").unwrap();
    let mut peers: Vec<std::net::TcpStream> = Vec::new();
    for number in 1..=2 {
        peers.push(std::net::TcpStream::connect(address).unwrap());
        assert!(line().starts_with(&format!("{number:>3} · open: ")));
    }
    for (number, peer) in (1..).zip(&mut peers) {
        peer.write_all(b"hello\n").unwrap();
        assert_eq!(line(), format!("{number:>3} ←      6 B  hello␊"));
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let run = finish(child);
    assert_eq!(run.status.signal(), Some(Signal::SIGTERM as i32));
    // The same is told of the recording.
    let kept = home.kept().remove(0);
    let run = finish(
        home.sockscope(&["open", kept.to_str().unwrap(), "--headless"])
            .spawn()
            .unwrap(),
    );
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("  2 ←      6 B  hello␊\n"), "{text}");
}
