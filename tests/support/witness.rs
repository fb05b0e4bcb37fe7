//! A relay before a real server: it passes every byte on, the ends too, and remembers what crossed.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a harness that cannot go on fails the test"
)]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// What crossed one connection, as its peer saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crossed {
    /// From the client.
    pub(crate) sent: Vec<u8>,
    /// To the client.
    pub(crate) received: Vec<u8>,
}

/// The relay.
pub(crate) struct Witness {
    /// Where it listens.
    pub(crate) address: String,
    thread: JoinHandle<Vec<Crossed>>,
}

impl Witness {
    /// Relays the next `count` connections to `server`.
    pub(crate) fn before(server: &str, count: usize) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = server.to_owned();
        let thread = thread::spawn(move || {
            (0..count)
                .map(|_| {
                    let client = listener.accept().unwrap().0;
                    relay(&client, &TcpStream::connect(&server).unwrap())
                })
                .collect()
        });
        Witness { address, thread }
    }

    /// What crossed, once all connections have ended.
    pub(crate) fn crossed(self) -> Vec<Crossed> {
        self.thread.join().unwrap()
    }
}

fn relay(client: &TcpStream, server: &TcpStream) -> Crossed {
    thread::scope(|scope| {
        let sent = scope.spawn(|| pump(client, server));
        let received = pump(server, client);
        Crossed {
            sent: sent.join().unwrap(),
            received,
        }
    })
}

fn pump(mut from: &TcpStream, mut to: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = to.shutdown(Shutdown::Write);
    bytes
}
