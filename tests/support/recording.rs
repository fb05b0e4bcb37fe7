//! A recording of many small messages, as a key-value server would see them.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "every benchmark uses a part of this, and none the whole; one that cannot write has failed"
)]

use std::net::SocketAddr;
use std::path::Path;

use sockscope::capture::{Connection, Create, Existing, Recorder};
use sockscope::model::{Direction, EntryKind, Role, Timestamp};

/// What stands once in the recording, near its end.
pub const NEEDLE: &str = "NEEDLE-7f3a";

/// Creates a session file with one open connection.
pub fn begin(path: &Path) -> (Recorder, Connection) {
    let recorder = Recorder::create(&Create {
        path: path.to_owned(),
        existing: Existing::Replace,
        max_size: None,
    })
    .unwrap();
    let endpoint = "tcp://localhost:6379".parse().unwrap();
    let connection = recorder
        .connection(Timestamp(0), &endpoint, Role::Client)
        .unwrap();
    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let open = EntryKind::Open {
        local: address,
        remote: address,
    };
    connection.event(Timestamp(0), &open).unwrap();
    (recorder, connection)
}

/// Records so many requests and replies of some thirty bytes, half of each.
pub fn small_messages(connection: &Connection, count: u64) {
    let mut random = 1u64;
    for number in 0..count / 2 {
        let request = format!("GET key:{:08}\r\n", next(&mut random) % 100_000_000);
        let reply = if number + 10 == count / 2 {
            format!("$11\r\n{NEEDLE}\r\n")
        } else {
            format!("$20\r\nvalue:{:014}\r\n", next(&mut random) % 1_000_000_000_000)
        };
        let at = Timestamp(number * 1000);
        connection.data(at, Direction::Sent, request.as_bytes()).unwrap();
        let at = Timestamp(at.0 + 300);
        connection
            .data(at, Direction::Received, reply.as_bytes())
            .unwrap();
    }
}

/// A number that looks random (xorshift64).
pub fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
