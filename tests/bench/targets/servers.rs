//! The peers that are processes of their own, so that what they cost is not counted as anybody else's: they listen on a
//! free port, serve one connection, and tell when everything is on its way.

use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::content::{self, LINE};
use crate::peer;
use crate::process::{Part, tell};

/// The most bytes of a flood that one write hands over.
const PIECE: usize = 256 << 10;

/// How often paced messages are sent, all that are due at once.
const TICK: Duration = Duration::from_millis(1);

/// What a server tells first.
#[derive(Deserialize, Serialize)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
}

/// What a server tells when its kernel has taken everything.
#[derive(Deserialize, Serialize)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
}

/// A server as its parent sees it.
pub(crate) struct Server {
    pub(crate) address: String,
    part: Part,
}

impl Server {
    /// Starts one that sends `bytes` bytes as fast as they are taken.
    pub(crate) fn flood(bytes: u64) -> Server {
        Server::start(&["flood", &bytes.to_string()])
    }

    /// Starts one that never stops.
    pub(crate) fn endless() -> Server {
        Server::flood(u64::MAX)
    }

    /// Starts one that sends `count` messages of 64 bytes, so many a second; 0: as fast as they are taken.
    pub(crate) fn messages(count: u64, rate: u64) -> Server {
        Server::start(&["messages", &count.to_string(), &rate.to_string()])
    }

    /// Starts one that sends `bytes` bytes and takes as many at once.
    pub(crate) fn exchange(bytes: u64) -> Server {
        Server::start(&["exchange", &bytes.to_string()])
    }

    /// Starts one that sends back what comes.
    pub(crate) fn echo() -> Server {
        Server::start(&["echo"])
    }

    fn start(part: &[&str]) -> Server {
        let mut part = Part::start(part);
        let Listening { address } = part.hear();
        Server {
            address: address.to_string(),
            part,
        }
    }

    /// Waits until everything is on its way; how many bytes that is.
    pub(crate) fn sent(&mut self) -> u64 {
        let Sent { bytes } = self.part.hear();
        bytes
    }
}

/// Tells where it listens, and accepts one connection.
pub(crate) fn accept() -> TcpStream {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    tell(&Listening {
        address: listener.local_addr().unwrap(),
    });
    listener.accept().unwrap().0
}

/// Ends its side, tells the parent, and waits until the peer ends too.
fn finish(mut stream: TcpStream, bytes: u64) {
    // The peer may have ended first.
    let _ = stream.shutdown(Shutdown::Write);
    tell(&Sent { bytes });
    peer::drain(&mut stream);
}

/// Sends `total` bytes, or until the peer ends.
pub(crate) fn flood(total: u64) {
    let text = content::text();
    let mut stream = accept();
    let mut sent = 0;
    for piece in text.chunks(PIECE).cycle() {
        let left = usize::try_from(total - sent).unwrap_or(usize::MAX);
        let piece = &piece[..piece.len().min(left)];
        if piece.is_empty() || stream.write_all(piece).is_err() {
            break;
        }
        sent += piece.len() as u64;
    }
    finish(stream, sent);
}

/// Sends `count` messages, each as one write that nothing delays.
pub(crate) fn messages(count: u64, rate: u64) {
    let text = content::text();
    let mut messages = text.chunks(LINE).cycle();
    let mut stream = accept();
    stream.set_nodelay(true).unwrap();
    let start = Instant::now();
    let mut sent = 0;
    while sent < count {
        let due = match rate {
            0 => count,
            rate => (start.elapsed().as_micros() as u64 * rate / 1_000_000 + 1).min(count),
        };
        for message in messages.by_ref().take((due - sent) as usize) {
            stream.write_all(message).unwrap();
        }
        sent = due;
        if rate > 0 {
            std::thread::sleep(TICK);
        }
    }
    finish(stream, sent * LINE as u64);
}
