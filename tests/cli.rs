//! The command line of the real binary: what it refuses and how it says so, what it prints, and every way in which a
//! start or a connection fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot run the binary has failed")]

#[path = "support/binary.rs"]
mod binary;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::unistd::Uid;
use sockscope::capture::{Create, Existing, Recorder, Session, ring_of};
use sockscope::model::{EntryId, Records as _};
use sockscope::text::format;

use binary::{Finished, Home, expect, finish, free_port, serve};

/// Runs without a terminal and without input.
fn run(arguments: &[&str]) -> Finished {
    let home = Home::new();
    finish(home.sockscope(arguments).spawn().unwrap())
}

/// One line on standard error that says this, and this status.
fn check_error(run: &Finished, code: i32, parts: &[&str]) {
    assert_eq!(run.code(), code, "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(run.stderr.starts_with("sockscope: "), "{run:?}");
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} is not in {:?}", run.stderr);
    }
    assert!(!run.stderr.trim_end().chars().any(char::is_control), "{run:?}");
}

/// Wrong usage: one line that says this, and nothing else.
fn check_usage(arguments: &[&str], parts: &[&str]) {
    let run = run(arguments);
    check_error(&run, 2, parts);
    assert_eq!(run.stdout, b"");
}

#[test]
fn socket_options_are_read_before_anything_happens() {
    let check = check_usage;
    check(
        &["-o", "nodely", "a:1"],
        &["-o", "\"nodely\"", "write one of nodelay, cork"],
    );
    check(&["-o", "ttl", "a:1"], &["ttl needs a value: write ttl=1..255"]);
    check(&["-o", "ttl=0", "a:1"], &["ttl does not take \"0\""]);
    check(
        &["-o", "sndbuf=much", "a:1"],
        &["write sndbuf=SIZE, as in sndbuf=64K"],
    );
    check(
        &["-o", "nodelay", "udp://a:1"],
        &["-o nodelay means nothing for UDP sockets", "leave it out"],
    );
    check(
        &["-o", "ttl=5", "unix:/a"],
        &["-o ttl means nothing for Unix sockets"],
    );
    check(&["-o", "broadcast", "demo"], &["-o broadcast means nothing"]);
    check(
        &["--join", "10.0.0.1", "udp://a:1"],
        &["--join", "\"10.0.0.1\" is no multicast group"],
    );
    check(
        &["--join", "239.1.2.3", "a:1"],
        &["--join 239.1.2.3 is about UDP", "udp://239.1.2.3:PORT"],
    );
    check(
        &["listen", ":0", "--join", "ff02::1%lo"],
        &["udp://[ff02::1%lo]:PORT"],
    );
    check(
        &["listen", "unix-dgram:/a"],
        &["unix-dgram:/a can be connected to and not listened at"],
    );
    check(
        &["--bind", ":5000", "unix-dgram:/a"],
        &["--bind is about IP", "unix-dgram:/a is a Unix socket"],
    );
    check(&["open", "a.pcapng", "-o", "ttl=5"], &["-o is about connections"]);
}

#[test]
fn what_is_about_connections_is_refused_where_there_is_none() {
    for option in ["--timestamps", "--reconnect", "-6"] {
        let run = run(&["open", "a.pcapng", option]);
        check_error(&run, 2, &[option, "about connections", "leave it out"]);
    }
}

#[test]
fn wrong_usage_is_one_line_and_status_2() {
    let check = check_usage;
    check(&["host"], &["\"host\" has no port", "HOST:PORT"]);
    check(&["::1:80"], &["ambiguous", "[::1]:80"]);
    check(&["ssh://host:53"], &["ssh://", "not supported"]);
    check(&["a:1", "b:2"], &["unexpected argument 'b:2'", "--help"]);
    check(
        &["--forse", "a:1"],
        &["unexpected argument '--forse'", "'--force'"],
    );
    check(&["--\u{1b}[31mred\u{202e}", "a:1"], &["red\\u{202e}"]);
    check(&["-4", "-6", "a:1"], &["'-4'", "'-6'"]);
    check(&["--eol", "crfl", "a:1"], &["'crfl'", "crlf"]);
    check(&["--connect-timeout", "5", "a:1"], &["--connect-timeout", "5s"]);
    check(&["--idle-timeout", "0s", "a:1"], &["more than zero"]);
    check(&["--read-size", "0", "a:1"], &["--read-size", "from 1 to 65495"]);
    check(&["--read-size", "65496", "a:1"], &["--read-size"]);
    check(&["--max-size", "much", "a:1"], &["--max-size", "64K"]);
    check(
        &["--max-size", "0", "a:1"],
        &["nothing fits into 0 bytes", "64K", "no bound"],
    );
    check(&["--max-size", "0K", "a:1"], &["nothing fits into 0 bytes"]);
    check(&["--ring", "3", "a:1"], &["--ring", "add --max-size", "100M"]);
    check(&["--ring", "1", "--max-size", "1M", "a:1"], &["--ring", "from 2"]);
    check(&["--ring", "3", "--max-size", "64K", "a:1"], &["65536", "128K"]);
    check(
        &["--ring", "3", "--max-size", "1M", "-w", "-", "a:1"],
        &["--ring", "--write -", "leave one of them out"],
    );
    check(&["open", "a.pcapng", "--ring", "3"], &["--ring", "leave it out"]);
    check(
        &["--bind", "eth0", "a:1"],
        &["\"eth0\" is not a local address", ":5000"],
    );
    check(
        &["--count", "0", "--headless", "a:1"],
        &["--count", "more than zero"],
    );
    check(
        &["--count", "x", "--headless", "a:1"],
        &["--count", "whole number, as in 10"],
    );
    check(&["localhost", "6379"], &["write localhost:6379"]);
    check(&["--headless", "::1", "80"], &["write [::1]:80"]);
    check(&["--force", "--headless", "a:1"], &["--write"]);
    check(
        &["-w", "-", "--format", "text", "a:1"],
        &["--write -", "leave --format out"],
    );
    check(&["-w", "-"], &["needs a target"]);
    check(&["-w", "", "--headless", "a:1"], &["--write"]);
    check(&["--headless"], &["needs a target"]);
    check(&["--send", "x", "a:1"], &["--send", "add --headless"]);
    check(&["--format", "hex", "a:1"], &["--format", "add --headless"]);
    check(
        &["--view", "hex", "--headless", "a:1"],
        &["--view", "--format hex"],
    );
    check(
        &["--headless", "--input", "hex", "--send", "abc", "a:1"],
        &["cannot send \"abc\"", "column 3"],
    );
    check(&["demo", "-6", "--headless"], &["127.0.0.1"]);
    check(&["a:1", "demo"], &["demo"]);
    check(&["completions", "ksh"], &["'ksh'", "bash"]);
    check(&["a:1", "sessions"], &["leave the target out"]);
    check(&["sessions", "delete"], &["NAME"]);
    check(&["open"], &["FILE"]);
    check(
        &["open", "a.pcapng", "-w", "b.pcapng"],
        &["--write", "add --headless"],
    );
    check(
        &["open", "a.pcapng", "--format", "hex"],
        &["--format", "add --headless"],
    );
    check(
        &["open", "a.pcapng", "--headless", "--count", "1"],
        &["--count", "leave it out"],
    );
    check(
        &["open", "a.pcapng", "--headless", "--filter", "size>"],
        &["--filter \"size>\" cannot be read"],
    );
    check(
        &["open", "a.pcapng", "--headless", "--format", "none", "-w", "b"],
        &["--format none writes nothing"],
    );
    check(
        &["open", "a.pcapng", "-w", "-", "--format", "raw"],
        &["leave --format out"],
    );
    check(
        &["--headless", "--format", "python", "a:1"],
        &["record first", "open FILE --headless"],
    );
    check(&["--filter", "dir:rx", "a:1"], &["--filter", "open FILE"]);
    check(&["a:1", "open", "a.pcapng"], &["leave the target out"]);
    check(&["sessions", "prune"], &["'prune'"]);
    check(&["--theme", "x", "a:1"], &["unexpected argument '--theme'"]);
}

#[test]
fn options_of_tls_where_it_is_not_spoken_are_mistakes() {
    let check = |arguments: &[&str], parts: &[&str]| check_error(&run(arguments), 2, parts);
    check(
        &["--starttls", "smtp", "tls://a:465"],
        &["from the first byte on", "write a:465"],
    );
    check(&["--starttls", "smpt", "a:25"], &["'smpt'", "smtp"]);
    check(
        &["--starttls", "smtp", "udp://a:25"],
        &["--starttls", "leave it out"],
    );
    check(&["--starttls", "smtp", "unix:/run/x"], &["add --sni NAME"]);
    check(
        &["--headless", "--ca", "f", "a:25"],
        &["--ca", "tls://a:25", "--starttls"],
    );
    check(
        &["--headless", "--ca", "f", "unix:/run/x"],
        &["--ca", "--starttls"],
    );
}

#[test]
fn arguments_that_are_not_utf8_are_refused_and_file_names_are_not() {
    let home = Home::new();
    let mut command = home.sockscope(&["--headless"]);
    command.arg(OsStr::from_bytes(b"h\xffst:1"));
    check_error(&finish(command.spawn().unwrap()), 2, &["UTF-8"]);

    let name = OsStr::from_bytes(b"trace\xff.pcapng");
    let mut command = home.sockscope(&["--headless", &free_port().to_string(), "-w"]);
    command.arg(name);
    check_error(&finish(command.spawn().unwrap()), 1, &["refused"]);
    assert!(home.path("").join(name).exists());
}

#[test]
fn without_a_terminal_there_is_no_screen() {
    check_error(
        &run(&["a:1"]),
        2,
        &["standard input is not a terminal", "--headless"],
    );
    check_error(&run(&["demo"]), 2, &["--headless"]);
    check_error(&run(&[]), 2, &["--headless"]);
}

#[test]
fn wrong_usage_of_listen_and_tap_is_told() {
    let check = |arguments: &[&str], parts: &[&str]| check_error(&run(arguments), 2, parts);
    check(&["listen", "foo"], &["\"foo\" has no port", "HOST:PORT"]);
    check(&["listen", ":9000", "a:1"], &["unexpected argument 'a:1'"]);
    check(&["a:1", "listen", ":9000"], &["leave the target"]);
    check(
        &["listen", ":9000", "--reconnect"],
        &["--reconnect", "leave it out"],
    );
    check(&["listen", ":9000", "--bind", ":5"], &["--bind", "leave it out"]);
    check(&["tap", ":9000"], &["<TARGET>"]);
    check(
        &["tap", ":9000", "b:2", "--headless", "--send", "x"],
        &["--send", "leave it out"],
    );
}

#[test]
fn wrong_usage_of_tls_as_a_server_is_told() {
    let check = |arguments: &[&str], parts: &[&str]| {
        let arguments = [&["--headless"], arguments].concat();
        check_error(&run(&arguments), 2, parts);
    };
    let tls = "tls://127.0.0.1:0";
    check(&["listen", tls, "--cert", "a"], &["--key"]);
    check(&["listen", tls, "--key", "a"], &["--cert"]);
    check(
        &["listen", ":0", "--client-ca", "a"],
        &["--client-ca", "tls:// before the address"],
    );
    check(
        &["listen", ":0", "--alpn", "h2"],
        &["--alpn", "tls:// before the address"],
    );
    check(&["listen", tls, "--ca", "a"], &["--ca", "--client-ca"]);
    check(&["listen", tls, "--insecure"], &["--insecure", "leave it out"]);
    check(
        &["listen", tls, "--starttls", "smtp"],
        &["--starttls", "leave it out"],
    );
    check(&["listen", tls, "--tls-intercept"], &["sockscope tap"]);
    check(
        &["listen", ":0", "--connect-timeout", "1s"],
        &["--connect-timeout", "leave it out"],
    );
    check(
        &["a:1", "--cert", "a", "--key", "b"],
        &["--cert", "sockscope listen"],
    );
    check(&["a:1", "--tls-intercept"], &["--tls-intercept", "sockscope tap"]);
    check(
        &["tap", ":0", "a:1", "--ca", "a"],
        &["--ca", "tls:// before the target"],
    );
    check(
        &["tap", ":0", "tls://a:1", "--client-ca", "a"],
        &["--client-ca", "tls:// before the address"],
    );
    check(
        &["tap", ":0", "a:1", "--tls-min", "1.3"],
        &["--tls-min", "the target or both"],
    );
    check(
        &["tap", ":0", "a:1", "--starttls", "smtp"],
        &["--starttls", "only passes on"],
    );
    check(
        &["tap", ":0", "a:1", "--tls-intercept"],
        &["tls:// before the target"],
    );
    check(
        &["tap", "udp://:0", "tls://a:1", "--tls-intercept"],
        &["datagrams do not carry"],
    );
    let intercept = ["tap", tls, "tls://a:1", "--tls-intercept"];
    check(
        &[&intercept[..], &["--cert", "a", "--key", "b"]].concat(),
        &["leave --cert out"],
    );
    check(
        &[&intercept[..], &["--client-ca", "a"]].concat(),
        &["leave --client-ca out"],
    );
    check(
        &[&intercept[..], &["--alpn", "h2"]].concat(),
        &["leave --alpn out"],
    );
    // What the files hold is known before anybody comes.
    let home = Home::new();
    let missing = home.run(
        &["--headless", "listen", tls, "--cert", "no.pem", "--key", "no.key"],
        b"",
    );
    check_error(&missing, 1, &["no.key", "no such file"]);
    assert!(home.kept().is_empty());
}

#[test]
fn help_lists_what_exists_and_nothing_else() {
    let short = run(&["-h"]);
    let long = run(&["--help"]);
    for help in [&short, &long] {
        assert_eq!((help.code(), help.stderr.as_str()), (0, ""));
        let text = help.text();
        for part in [
            "Usage: sockscope [OPTIONS] [TARGET]",
            "sockscope listen",
            "sockscope tap",
            "sockscope demo",
            "sockscope sessions",
            "sockscope open",
            "Connection:",
            "Recording:",
            "Scripts and pipes:",
            "--quit-after-idle",
            "Examples:",
            "Exit status:",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        for later in ["--config", "--theme", "--encoding"] {
            assert!(!text.contains(later), "{later:?} does not exist yet");
        }
    }
    let version = run(&["--version"]);
    assert_eq!(
        version.text(),
        concat!("sockscope ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn the_local_authority_is_made_once_and_its_key_stays() {
    let home = Home::new();
    check_error(&home.run(&["a:1", "ca"], b""), 2, &["leave the target out"]);
    let printed = || home.run(&["ca"], b"");
    let first = printed();
    assert_eq!((first.code(), first.stderr.as_str()), (0, ""));
    let pem = first.text();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"), "{pem}");
    assert!(pem.ends_with("-----END CERTIFICATE-----\n"), "{pem}");
    assert_eq!(printed().text(), pem);
    let key = home.path("state/sockscope/ca.key");
    assert_eq!(key.metadata().unwrap().mode() & 0o7777, 0o600);
    let help = home.run(&["ca", "--help"], b"").text();
    for part in ["curl --cacert", "update-ca-certificates", "ca.key"] {
        assert!(help.contains(part), "{part:?} is not in {help}");
    }
    fs::write(&key, "no key").unwrap();
    check_error(&printed(), 1, &["ca.key", "move it away"]);
    assert_eq!(fs::read(&key).unwrap(), b"no key");
}

#[test]
fn completions_and_the_man_page_are_printed() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code(), 0);
        assert!(script.text().contains("quit-after-idle"), "{shell}");
    }
    let page = run(&["man"]);
    assert_eq!(page.code(), 0);
    assert!(page.text().starts_with(".ie") || page.text().contains(".TH sockscope 1"));
    assert!(page.text().contains("quit\\-after\\-idle"));
}

#[test]
fn a_closed_or_full_standard_output_is_no_panic() {
    let home = Home::new();
    for arguments in [
        ["--help"].as_slice(),
        &["--version"],
        &["man"],
        &["completions", "bash"],
    ] {
        let mut child = home.sockscope(arguments).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(finish(child).code(), 0, "{arguments:?}");

        let mut command = home.sockscope(arguments);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let full = finish(command.spawn().unwrap());
        check_error(&full, 1, &["standard output"]);

        let mut command = home.sockscope(arguments);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        command.stderr(Stdio::from(
            File::options().write(true).open("/dev/full").unwrap(),
        ));
        assert_eq!(finish(command.spawn().unwrap()).code(), 1);
    }
}

#[test]
fn every_failed_connection_is_named() {
    let check = |arguments: &[&str], parts: &[&str]| {
        let mut all = vec!["--headless"];
        all.extend(arguments);
        check_error(&run(&all), 1, parts);
    };
    let nobody = free_port().to_string();
    check(&[&nobody], &[&nobody, "refused", "start the server"]);
    check(&["255.255.255.255:80"], &["255.255.255.255:80", "check"]);
    check(
        &["no.such.host.invalid:80"],
        &["no.such.host.invalid", "check the name"],
    );
    let port = free_port().port();
    let refused = run(&["--headless", &format!("localhost:{port}")]);
    check_error(&refused, 1, &["refused"]);
    assert!(
        !refused.stderr.contains("no host"),
        "a name with one family is known: {refused:?}"
    );
    let unknown = run(&["--headless", "no.such.host.invalid:80"]);
    assert_eq!(
        unknown.stderr.matches("no.such.host.invalid").count(),
        1,
        "{unknown:?}"
    );
    check(&["127.0.0.1:no-such-service"], &["no-such-service"]);
    check(&["--bind", "192.0.2.1", &nobody], &["192.0.2.1", "--bind"]);
}

#[test]
fn a_peer_that_does_not_answer_is_a_time_out() {
    // A listener whose queue is full drops what comes next.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            // Under way, or waiting for ever.
            let _ = client.connect(&address);
            client
        })
        .collect();
    let target = address.as_socket().unwrap().to_string();
    let silent = run(&["--headless", "--connect-timeout", "300ms", &target]);
    check_error(&silent, 1, &[&target, "--connect-timeout"]);
    drop(waiting);
}

#[test]
fn a_port_that_needs_privileges_is_named() {
    let home = Home::new();
    let mut command = if Uid::effective().is_root() {
        // Root without the one capability that matters here.
        let mut command = Command::new("setpriv");
        home.prepare(&mut command);
        command.args(["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]);
        command.arg(env!("CARGO_BIN_EXE_sockscope"));
        command
    } else {
        home.sockscope(&[])
    };
    command.args(["--headless", "--bind", "127.0.0.1:1", &free_port().to_string()]);
    let Ok(child) = command.spawn() else {
        assert!(
            std::env::var_os("SOCKSCOPE_REQUIRE_PEERS").is_none(),
            "setpriv is absent"
        );
        println!("skipped: setpriv is absent");
        return;
    };
    let run = finish(child);
    if run.stderr.contains("refused the connection") {
        println!("skipped: this machine lets everybody bind port 1");
        return;
    }
    check_error(&run, 1, &["not permitted", "127.0.0.1:1", "--bind"]);
}

#[test]
fn a_recording_that_cannot_be_created_is_named_before_anything_is_dialed() {
    let home = Home::new();
    let (address, _peer) = serve(|_| panic!("nobody should come"));
    fs::write(home.path("there"), "precious").unwrap();
    symlink(home.path("there"), home.path("link")).unwrap();
    fs::create_dir(home.path("folder")).unwrap();
    let check = |file: &str, options: &[&str], parts: &[&str]| {
        let mut all = vec!["--headless", "-w", file, &address];
        all.extend(options);
        check_error(&home.run(&all, b""), 1, parts);
    };
    check("there", &[], &["there", "exists already", "--force"]);
    check("link", &[], &["link"]);
    check("link", &["--force"], &["link"]);
    check("folder", &["--force"], &["folder"]);
    check(
        "missing/file",
        &[],
        &["missing/file", "No such file or directory"],
    );
    assert_eq!(fs::read(home.path("there")).unwrap(), b"precious");

    fs::create_dir_all(home.path("state")).unwrap();
    symlink(home.path("folder"), home.path("state/sockscope")).unwrap();
    check_error(&home.run(&["--headless", &address], b""), 1, &["state/sockscope"]);
    assert_eq!(fs::read_dir(home.path("folder")).unwrap().count(), 0);
}

#[test]
fn a_full_disk_is_told_and_the_file_ends_at_a_whole_block() {
    for (choice, code, told) in [
        ("stop", 1, "ulimit -f"),
        ("continue", 0, "not recorded"),
        // A limit never makes room again: waiting for that would be waiting for ever.
        ("pause", 1, "ulimit -f"),
    ] {
        let home = Home::new();
        let (address, peer) = serve(|mut stream| {
            // A run that stops may reset the connection.
            let _ = stream.write_all(&vec![b'x'; 200_000]);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let mut command = Command::new("sh");
        home.prepare(&mut command);
        command.args([
            "-c",
            "ulimit -f 64; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_sockscope"),
        ]);
        command.args([
            "--headless",
            "--format",
            "none",
            "-w",
            "trace",
            "--on-full",
            choice,
            &address,
        ]);
        let run = finish(command.spawn().unwrap());
        peer.join().unwrap();
        assert_eq!(run.code(), code, "{run:?}");
        assert!(run.stderr.contains(told), "{run:?}");
        let session = Session::open(&home.path("trace")).unwrap();
        assert_eq!(session.cut(), 0);
        // Who chose an end needs no advice against it, and what was chosen is none; the total counts every gap.
        assert_eq!(
            run.stderr.contains("--on-full continue"),
            choice == "pause",
            "{run:?}"
        );
        if choice == "continue" {
            let recorded = session.conversation_page(0..1)[0].received;
            let missing = format!("{} were not recorded; the log", format::size(200_000 - recorded));
            assert!(run.stderr.contains(&missing), "{run:?}");
        }
    }
}

/// Sends 2 MB, which take 16 files of 128 KiB, and returns what of it the files hold.
fn ring(home: &Home, options: &[&str], files: impl Fn() -> Vec<PathBuf>) -> Vec<u8> {
    let bytes: Vec<u8> = (0..2_000_000u32)
        .map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8)
        .collect();
    let all = bytes.clone();
    let (address, peer) = serve(move |mut stream| stream.write_all(&all).unwrap());
    let mut arguments = vec![
        "--headless",
        "--format",
        "raw",
        "--ring",
        "3",
        "--max-size",
        "128K",
    ];
    arguments.extend(options);
    arguments.push(&address);
    let run = finish(home.sockscope(&arguments).spawn().unwrap());
    peer.join().unwrap();
    assert_eq!(run.code(), 0, "{run:?}");
    // What the printer was too slow for is told; this one has nothing else to say.
    if run.stdout != bytes {
        assert!(
            run.stderr.contains(" not printed: a ring file was removed"),
            "{:?}",
            run.stderr
        );
    }
    let files = files();
    assert_eq!(files.len(), 3, "{files:?}");
    let mut kept = Vec::new();
    let mut next = None;
    for path in &files {
        assert!(path.metadata().unwrap().len() <= 128 << 10);
        let session = Session::open(path).unwrap();
        assert_eq!(session.cut(), 0);
        assert!(next.is_none_or(|next| next == session.first().0));
        next = Some(session.len());
        for number in session.first().0..session.len() {
            kept.extend(session.payload(EntryId(number), 0..u32::MAX).unwrap());
        }
    }
    assert!(
        kept.len() > 128_000 && bytes.ends_with(&kept),
        "{} bytes",
        kept.len()
    );
    kept
}

#[test]
fn a_ring_keeps_its_newest_files() {
    let home = Home::new();
    let files = || -> Vec<PathBuf> {
        let all = fs::read_dir(home.path(""))
            .unwrap()
            .map(|item| item.unwrap().path());
        let mut traces: Vec<_> = all
            .filter(|path| path.extension().is_some_and(|extension| extension == "pcapng"))
            .collect();
        traces.sort();
        traces
    };
    ring(&home, &["-w", "trace.pcapng"], files);
    let name = files()[2].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("trace_000"), "{name}");
}

/// The next file of a ring cannot be begun while its folder is gone.
#[test]
fn a_ring_that_cannot_go_on_says_so_once_and_loses_nothing() {
    let home = Home::new();
    fs::create_dir(home.path("folder")).unwrap();
    let (gone, is_gone) = std::sync::mpsc::sync_channel(1);
    let (address, peer) = serve(move |mut stream| {
        stream.write_all(&vec![b'a'; 100_000]).unwrap();
        is_gone.recv().unwrap();
        stream.write_all(&vec![b'b'; 300_000]).unwrap();
    });
    let arguments = [
        "--headless",
        "--format",
        "raw",
        "--ring",
        "9",
        "--max-size",
        "128K",
    ];
    let more = ["-w", "folder/trace.pcapng", &address];
    let mut child = home.sockscope(&[&arguments[..], &more].concat()).spawn().unwrap();
    let mut first = vec![0; 100_000];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    fs::rename(home.path("folder"), home.path("moved")).unwrap();
    gone.send(()).unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(
        line.contains("reading is paused") && line.contains("trace_00002_*.pcapng: No such file"),
        "{line}"
    );
    fs::rename(home.path("moved"), home.path("folder")).unwrap();
    line.clear();
    told.read_line(&mut line).unwrap();
    assert!(line.contains("recording goes on"), "{line}");
    let mut rest = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    assert!(rest == vec![b'b'; 300_000], "{} bytes", rest.len());
    assert!(child.wait().unwrap().success());
    peer.join().unwrap();
    line.clear();
    told.read_to_string(&mut line).unwrap();
    assert_eq!(line, "");
    let mut numbers: Vec<u32> = fs::read_dir(home.path("folder"))
        .unwrap()
        .map(|item| ring_of(&item.unwrap().path()).unwrap().1)
        .collect();
    numbers.sort_unstable();
    assert!(numbers.len() >= 4);
    assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
}

/// Both runs name a ring in the folder of recordings.
#[test]
fn two_rings_of_one_name_are_listed_and_deleted_apart() {
    let home = Home::new();
    drop(home.run(&["sessions"], b""));
    let trace = home.path("state/sockscope/sessions/trace.pcapng");
    for expected in ["", "this one is"] {
        let (address, peer) = serve(|mut stream| stream.write_all(&vec![b'x'; 500_000]).unwrap());
        let arguments = [
            "--headless",
            "--format",
            "none",
            "--ring",
            "2",
            "--max-size",
            "128K",
        ];
        let more = ["-w", trace.to_str().unwrap(), &address];
        let run = home.run(&[&arguments[..], &more].concat(), b"");
        peer.join().unwrap();
        assert_eq!(run.code(), 0, "{run:?}");
        assert!(
            run.stderr.contains(expected) && run.stderr.is_empty() == expected.is_empty(),
            "{run:?}"
        );
    }
    let list = home.run(&["sessions"], b"").text();
    assert!(list.contains("2 recordings"), "{list}");
    for name in [
        "  trace.pcapng  (ring of 2 files)",
        "  trace-2.pcapng  (ring of 2 files)",
    ] {
        assert!(list.contains(name), "{list}");
    }
    let deleted = home.run(&["sessions", "delete", "trace"], b"").text();
    assert!(
        deleted.starts_with("deleted trace.pcapng (2 files, "),
        "{deleted}"
    );
    assert_eq!(home.kept().len(), 2);
    assert!(
        home.kept()
            .iter()
            .all(|path| path.to_str().unwrap().contains("trace-2_"))
    );
}

#[test]
fn a_ring_is_listed_and_deleted_as_one_recording() {
    let home = Home::new();
    let files = || {
        let mut kept = home.kept();
        kept.sort();
        kept
    };
    let kept = ring(&home, &[], files);
    let finished = |arguments: &[&str]| finish(home.sockscope(arguments).spawn().unwrap());
    let list = finished(&["sessions"]).text();
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 5, "{list}");
    assert!(lines[0].ends_with(".pcapng  (ring of 3 files)"), "{list}");
    assert!(lines[4].starts_with("1 recording, "), "{list}");
    let name = lines[0].split_whitespace().nth(4).unwrap();
    let file = |line: &str| line.split_whitespace().last().unwrap().to_owned();
    let [oldest, newest] = [lines[1], lines[3]].map(file);
    // It is opened as one log, by its name and by those of its files; a file by its own name alone.
    let raw = |arguments: &[&str]| finished(&[arguments, &["--headless", "--format", "raw"]].concat()).stdout;
    assert!(raw(&["sessions", "open"]) == kept);
    assert!(raw(&["sessions", "open", name]) == kept);
    let paths = files();
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    assert!(raw(&["open", paths[0], paths[1], paths[2]]) == kept);
    assert!(raw(&["open", paths[2], paths[0], paths[1]]) == kept);
    let alone = raw(&["sessions", "open", &newest]);
    assert!(alone.len() < kept.len() && kept.ends_with(&alone));
    assert!(raw(&["open", paths[2]]) == alone);
    check_error(
        &finished(&["open", paths[0], "-", "--headless"]),
        2,
        &["- is standard input", "by itself"],
    );
    check_error(
        &finished(&["sessions", "delete", name, "no-such"]),
        1,
        &["nothing was done"],
    );
    let deleted = finished(&["sessions", "delete", &oldest]).text();
    assert!(deleted.starts_with(&format!("deleted {oldest} (")), "{deleted}");
    assert_eq!(files().len(), 2);
    let deleted = finished(&["sessions", "delete", name.strip_suffix(".pcapng").unwrap()]).text();
    assert!(
        deleted.starts_with(&format!("deleted {name} (2 files, ")),
        "{deleted}"
    );
    assert_eq!(files().len(), 0);
}

/// What could not be recorded ends a run also where it was asked to connect again.
#[test]
fn a_full_file_ends_a_run_that_would_connect_again() {
    let home = Home::new();
    let (address, peer) = serve(|mut stream| drop(stream.write_all(&vec![b'x'; 200_000])));
    let options = ["--headless", "--format", "none", "--reconnect", "--max-size"];
    let size = ["100K", "--on-full", "stop", &address];
    let run = finish(home.sockscope(&[&options[..], &size].concat()).spawn().unwrap());
    peer.join().unwrap();
    check_error(&run, 1, &["--max-size of 102400"]);
    // The same where not even a connection can be announced: nobody is dialed.
    let create = Create {
        path: home.path("empty"),
        existing: Existing::Refuse,
        max_size: None,
    };
    let empty = Recorder::create(&create).unwrap().size().to_string();
    let size = [&empty, "--on-full", "stop", "127.0.0.1:1"];
    let run = finish(home.sockscope(&[&options[..], &size].concat()).spawn().unwrap());
    check_error(&run, 1, &["--max-size of"]);
}

#[test]
fn a_recording_that_another_program_takes_away_is_missed() {
    type Harm = fn(&std::path::Path);
    let harms: [(Harm, &str); 2] = [
        (|path| fs::remove_file(path).unwrap(), "removed or replaced"),
        (
            |path| drop(File::create(path).unwrap()),
            "was cut by another program",
        ),
    ];
    for (harm, told) in harms {
        let home = Home::new();
        let path = home.path("trace");
        let recording = path.clone();
        let (address, peer) = serve(move |mut stream| {
            stream.write_all(b"hello").unwrap();
            // What was answered to has been recorded.
            expect(&mut stream, b"?");
            harm(&recording);
        });
        let run = home.run(
            &[
                "--headless",
                "--format",
                "none",
                "--send",
                "?",
                "--eol",
                "none",
                "-w",
                "trace",
                &address,
            ],
            b"",
        );
        peer.join().unwrap();
        assert_eq!(run.code(), 1, "{run:?}");
        assert!(run.stderr.contains(told), "{run:?}");
        let _ = fs::remove_file(path);
    }
}

#[test]
fn recordings_are_listed_and_deleted_by_name() {
    let home = Home::new();
    let finished = |arguments: &[&str]| finish(home.sockscope(arguments).spawn().unwrap());
    assert!(
        finished(&["sessions"])
            .text()
            .starts_with("0 recordings, 0 B in ")
    );

    for _ in 0..2 {
        let (peer, _) = serve(|mut stream| stream.write_all(b"kept").unwrap());
        let run = finished(&["--headless", "--format", "none", &peer]);
        assert_eq!(run.code(), 0, "{run:?}");
    }
    let list = finished(&["sessions", "list", "--utc"]);
    let text = list.text();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    assert_eq!(names.len(), 3, "{text}");
    assert!(text.contains("2 recordings, "), "{text}");

    let stem = names[0].strip_suffix(".pcapng").unwrap();
    let read = |arguments: &[&str]| finished(&[&["sessions", "open"], arguments, &["--headless"]].concat());
    assert!(read(&[]).text().contains("kept"), "the newest");
    assert!(
        read(&[&stem[..stem.len() - 1]]).text().contains("kept"),
        "a part of its name"
    );
    check_error(&read(&["127.0.0.1"]), 1, &["2 recordings", "write more of it"]);
    check_error(&read(&["no-such"]), 1, &["no-such"]);
    let sessions = home.path("state/sockscope/sessions");
    let sidecar = sessions.join(format!("{}.sockscope", names[0]));
    fs::write(&sidecar, "").unwrap();
    check_error(
        &finished(&["sessions", "delete", stem, "no-such"]),
        1,
        &["no-such", "nothing was done"],
    );
    check_error(
        &finished(&["sessions", "delete", "../history"]),
        1,
        &["nothing was done"],
    );
    assert!(
        finished(&["sessions", "delete", stem, stem])
            .text()
            .starts_with("deleted ")
    );
    assert!(!sidecar.exists(), "what was written about it goes too");
    let left = finished(&["sessions"]);
    assert!(
        !left.text().contains(names[0]) && left.text().contains(names[1]),
        "{left:?}"
    );
}
