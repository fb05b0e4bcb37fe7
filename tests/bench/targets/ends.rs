//! What stands at the ends of a relay, and the relay that sets the limit: each a process of its own with plain blocking
//! calls.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::getpid;
use serde::{Deserialize, Serialize};

use crate::content::{self, LINE};
use crate::process::{Part, peak_memory, tell};
use crate::servers::{Sent, accept};

/// Bytes that one read of the relay returns at most; more are not faster.
const READ: usize = 256 << 10;

/// How long an application thinks between two messages.
const THINKS: Duration = Duration::from_millis(1);

/// Messages before those that are measured.
const WARM: u64 = 200;

/// What an application tells that has received everything.
#[derive(Deserialize, Serialize)]
pub(crate) struct Taken {
    /// From the first read to the last.
    pub(crate) seconds: f64,
}

/// What the relay tells when both sides have ended.
#[derive(Deserialize, Serialize)]
pub(crate) struct Relayed {
    /// In MiB.
    pub(crate) peak_memory: f64,
}

/// What an application tells that has asked and was answered.
#[derive(Deserialize, Serialize)]
pub(crate) struct Asked {
    /// How long each message took there and back.
    pub(crate) micros: Vec<f64>,
    /// All bytes one way.
    pub(crate) bytes: u64,
}

/// Starts an application that takes so many bytes, and waits for it.
pub(crate) fn take_from(address: &str, bytes: u64) -> Taken {
    let mut part = Part::start(&["take", address, &bytes.to_string()]);
    part.hear()
}

/// Starts an application that sends so many bytes and takes as many, and waits for it.
pub(crate) fn exchange_with(address: &str, bytes: u64) -> Taken {
    let mut part = Part::start(&["exchange-with", address, &bytes.to_string()]);
    part.hear()
}

/// Starts an application that sends so many messages, each when the last one has come back, and waits for it.
pub(crate) fn ask(address: &str, count: u64) -> Asked {
    let mut part = Part::start(&["ask", address, &count.to_string()]);
    part.hear()
}

/// Relays one application to `target`, and what crosses to two files.
pub(crate) fn tee(target: &str, file: &Path) {
    let application = accept();
    let server = TcpStream::connect(target).unwrap();
    application.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| pump(&application, &server, &file.with_extension("up")));
        pump(&server, &application, &file.with_extension("down"));
    });
    tell(&Relayed {
        peak_memory: peak_memory(getpid()),
    });
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, file: &Path) {
    let mut file = File::create(file).unwrap();
    let mut buffer = vec![0; READ];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        to.write_all(&buffer[..count]).unwrap();
        file.write_all(&buffer[..count]).unwrap();
    }
    // It may be gone already.
    let _ = to.shutdown(Shutdown::Write);
}

/// Receives until the other side ends, and tells how long it took.
pub(crate) fn take(address: &str, bytes: u64) {
    let stream = TcpStream::connect(address).unwrap();
    tell(&receive(&stream, bytes));
}

/// Receives until the other side ends.
fn receive(mut stream: &TcpStream, bytes: u64) -> Taken {
    let mut buffer = vec![0; 64 << 10];
    let mut first: Option<Instant> = None;
    let mut received = 0;
    while let count @ 1.. = stream.read(&mut buffer).unwrap() {
        first.get_or_insert_with(Instant::now);
        received += count as u64;
    }
    assert_eq!(received, bytes);
    Taken {
        seconds: first.map_or(0.0, |first| first.elapsed().as_secs_f64()),
    }
}

/// Sends so many bytes and ends.
fn send(mut stream: &TcpStream, bytes: u64) {
    let text = content::text();
    let mut left = bytes as usize;
    for piece in text.chunks(READ).cycle() {
        let piece = &piece[..piece.len().min(left)];
        if piece.is_empty() {
            break;
        }
        stream.write_all(piece).unwrap();
        left -= piece.len();
    }
    stream.shutdown(Shutdown::Write).unwrap();
}

/// Sends and receives at once.
fn exchange(stream: &TcpStream, bytes: u64) -> Taken {
    thread::scope(|scope| {
        scope.spawn(|| send(stream, bytes));
        receive(stream, bytes)
    })
}

/// The application of an exchange.
pub(crate) fn exchange_from(address: &str, bytes: u64) {
    let stream = TcpStream::connect(address).unwrap();
    tell(&exchange(&stream, bytes));
}

/// The server of an exchange.
pub(crate) fn exchange_at(bytes: u64) {
    let stream = accept();
    exchange(&stream, bytes);
    tell(&Sent { bytes });
}

/// Sends back what comes.
pub(crate) fn echo() {
    let mut stream = accept();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        stream.write_all(&buffer[..count]).unwrap();
    }
}

/// Asks, thinks, asks again.
pub(crate) fn asking(address: &str, count: u64) {
    let text = content::text();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = [0; LINE];
    let mut micros = Vec::with_capacity(count as usize);
    for (number, line) in (0..count + WARM).zip(text.chunks(LINE).cycle()) {
        let start = Instant::now();
        stream.write_all(line).unwrap();
        stream.read_exact(&mut answer).unwrap();
        if number >= WARM {
            micros.push(start.elapsed().as_secs_f64() * 1e6);
        }
        assert_eq!(answer, line);
        thread::sleep(THINKS);
    }
    let bytes = (count + WARM) * LINE as u64;
    tell(&Asked { micros, bytes });
}
