//! P22: more clients than descriptors. The real binary under `ulimit -n` turns away whom it has no descriptor for, says
//! so once, serves the others, and serves whoever comes when some have gone.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the tests and the benchmark use a part each; a proof that cannot go on has failed"
)]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::time::{clock_getcpuclockid, clock_gettime};
use sockscope::capture::Session;
use sockscope::model::Direction;

use crate::binary::{HANGS, Home, recorded};
use crate::service::Service;

/// Descriptors that the program may have.
const LIMIT: &str = "ulimit -n 40; exec \"$0\" \"$@\"";

/// What whoever is served gets.
const GREETING: &[u8] = b"hello\n";

/// How it waits for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// For itself.
    Listening,
    /// For a server behind it.
    Relaying,
}

/// How a client fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Served,
    TurnedAway,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowded {
    pub(crate) served: usize,
    pub(crate) turned_away: usize,
    /// The processor time that it took while nothing happened.
    pub(crate) spent: Duration,
}

/// So many come at once; when it is known how each fared, nothing happens for so long.
pub(crate) fn too_many(waits: Waits, clients: usize, quiet: Duration) -> Crowded {
    let home = Home::new();
    let target = greeting_server();
    let mut command = Command::new("bash");
    home.prepare(&mut command);
    command.args(["-c", LIMIT, env!("CARGO_BIN_EXE_sockscope")]);
    match waits {
        Waits::Listening => command.args(["listen", "127.0.0.1:0", "--send", "hello", "--eol", "lf"]),
        Waits::Relaying => command.args(["tap", "127.0.0.1:0", &target]),
    };
    let service = Service::of(&home, command);
    let mut came: Vec<TcpStream> = (0..clients).map(|_| come(&service)).collect();
    let fates: Vec<Fate> = came.iter_mut().map(fate).collect();
    let served = fates.iter().filter(|fate| **fate == Fate::Served).count();
    assert!(
        served > 0 && served < clients,
        "{served} of {clients} were served"
    );
    let spent = rest(&service, quiet);
    // Those who were served still are.
    let (stream, _) = came
        .iter_mut()
        .zip(&fates)
        .find(|(_, fate)| **fate == Fate::Served)
        .unwrap();
    stream.write_all(b"still here\n").unwrap();
    service.wait_line("still here");
    drop(came);
    // Descriptors come back as the ends of connections are noticed, so the first who comes may be too early.
    let again = (0..clients).any(|_| fate(&mut come(&service)) == Fate::Served);
    assert!(again, "nobody is served any more");
    let lines = service.terminate();
    check(waits, &lines, clients, served);
    let file = home.path("service.pcapng");
    assert_eq!(Session::open(&file).unwrap().cut(), 0);
    let direction = match waits {
        Waits::Listening => Direction::Received,
        Waits::Relaying => Direction::Sent,
    };
    assert_eq!(recorded(&file, direction), b"still here\n");
    Crowded {
        served,
        turned_away: clients - served,
        spent,
    }
}

/// The log says how many were turned away and why, and nothing else went wrong.
fn check(waits: Waits, lines: &[String], clients: usize, served: usize) {
    let about = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
    assert!(about("too many open files") > 0, "{lines:#?}");
    assert_eq!(about("was not accepted"), 0, "{lines:#?}");
    if waits == Waits::Relaying {
        // Some had to go because there was no descriptor for the way to the server.
        return;
    }
    let counted = lines.iter().filter_map(|line| {
        let (before, _) = line.split_once(" more connections were closed at once")?;
        before.rsplit(' ').next()?.replace(',', "").parse::<usize>().ok()
    });
    let turned_away = about("was closed at once") + counted.sum::<usize>();
    assert!(
        turned_away >= clients - served,
        "{turned_away} of {}: {lines:#?}",
        clients - served
    );
}

/// What it costs that nothing happens; what it says meanwhile is judged at the end.
fn rest(service: &Service, quiet: Duration) -> Duration {
    let before = cpu(service);
    thread::park_timeout(quiet);
    cpu(service).saturating_sub(before)
}

fn cpu(service: &Service) -> Duration {
    let clock = clock_getcpuclockid(service.pid()).unwrap();
    clock_gettime(clock).unwrap().into()
}

fn come(service: &Service) -> TcpStream {
    let stream = TcpStream::connect(&service.address).unwrap();
    stream.set_read_timeout(Some(HANGS)).unwrap();
    stream
}

/// Waits until it is known.
fn fate(stream: &mut TcpStream) -> Fate {
    let mut greeting = [0; GREETING.len()];
    match stream.read_exact(&mut greeting) {
        Ok(()) => {
            assert_eq!(greeting, GREETING);
            Fate::Served
        }
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
            ) =>
        {
            Fate::TurnedAway
        }
        Err(error) => panic!("neither served nor turned away: {error}"),
    }
}

/// A server that greets everybody and then waits for the end.
fn greeting_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            thread::spawn(move || {
                // Whoever came may be gone already.
                let _ = stream.write_all(GREETING);
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            });
        }
    });
    address
}
