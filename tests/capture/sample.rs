//! Sessions to record, and what must be read back from them.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the tests use the whole of it, and the benchmark a part; what cannot go on has failed"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use sockscope::capture::{CaptureError, Connection, Create, Existing, MAX_PAYLOAD, Recorder, Session};
use sockscope::model::{
    Agreed, Attempt, AttemptOutcome, ConnectionId, Direction, End, EndHow, Entry, EntryId, EntryKind, Family,
    Lookup, Records, Role, Side, Timestamp, TlsReport, TlsRole, Verdict,
};

/// One call of the recorder.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Announce {
        at: u64,
    },
    Data {
        connection: usize,
        at: u64,
        direction: Direction,
        bytes: Vec<u8>,
    },
    Masked {
        connection: usize,
        at: u64,
        len: usize,
    },
    Event {
        connection: usize,
        at: u64,
        kind: EntryKind,
    },
}

/// An entry with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) entry: Entry,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn create(path: &Path) -> Recorder {
    Recorder::create(&Create {
        path: path.to_owned(),
        existing: Existing::Refuse,
        max_size: None,
    })
    .unwrap()
}

pub(crate) fn connect(recorder: &Recorder) -> Connection {
    recorder
        .connection(
            Timestamp(1_700_000_000_000_000_000),
            &"tcp://localhost:6379".parse().unwrap(),
            Role::Client,
        )
        .unwrap()
}

pub(crate) fn open_kind(local: &str, remote: &str) -> EntryKind {
    EntryKind::Open {
        local: local.parse().unwrap(),
        remote: remote.parse().unwrap(),
    }
}

/// A connection that is announced and open over IPv4.
pub(crate) fn opened(recorder: &Recorder) -> Connection {
    let connection = connect(recorder);
    connection
        .event(Timestamp(5), &open_kind("127.0.0.1:50312", "127.0.0.1:6379"))
        .unwrap();
    connection
}

/// The whole log.
pub(crate) fn read_all(session: &dyn Records) -> Vec<Line> {
    (session.first().0..session.len())
        .map(|number| {
            let entry = session.entry(EntryId(number)).unwrap();
            Line {
                bytes: session.payload(EntryId(number), 0..u32::MAX).unwrap(),
                entry,
            }
        })
        .collect()
}

/// What this program is to the connection of that number.
pub(crate) fn role(number: usize) -> Role {
    [Role::Client, Role::Server, Role::Tap][number % 3]
}

/// Performs the steps, and returns what must be in the log afterwards.
pub(crate) fn record(recorder: &Recorder, steps: &[Step]) -> Vec<Line> {
    let mut connections: Vec<Connection> = Vec::new();
    let mut lines = Vec::new();
    let mut push = |id: EntryId, connection: &Connection, at: u64, kind: EntryKind, bytes: Vec<u8>| {
        assert_eq!(id.0, lines.len() as u64);
        let entry = Entry {
            id,
            connection: connection.id(),
            at: Timestamp(at),
            kind,
            len: bytes.len() as u32,
        };
        lines.push(Line { entry, bytes });
    };
    let pick = |connections: &[Connection], number: usize| -> Option<Connection> {
        (!connections.is_empty()).then(|| connections[number % connections.len()].clone())
    };
    for step in steps {
        match step {
            Step::Announce { at } => {
                let endpoint = "tcp://[fe80::1%eth0]:https".parse().unwrap();
                let role = role(connections.len());
                let connection = recorder.connection(Timestamp(*at), &endpoint, role).unwrap();
                assert_eq!(connection.id(), ConnectionId(connections.len() as u32));
                connections.push(connection);
            }
            Step::Data {
                connection,
                at,
                direction,
                bytes,
            } => {
                let Some(connection) = pick(&connections, *connection) else {
                    continue;
                };
                match connection.data(Timestamp(*at), *direction, bytes) {
                    Ok(id) => push(
                        id,
                        &connection,
                        *at,
                        EntryKind::Data {
                            direction: *direction,
                        },
                        bytes.clone(),
                    ),
                    Err(CaptureError::NotOpen) => {}
                    // What crossed no socket is no entry, and leaves nothing behind.
                    Err(CaptureError::Empty) => assert!(bytes.is_empty()),
                    Err(other) => panic!("{other}"),
                }
            }
            Step::Masked { connection, at, len } => {
                let Some(connection) = pick(&connections, *connection) else {
                    continue;
                };
                match connection.masked(Timestamp(*at), *len) {
                    Ok(id) => {
                        let text = match len {
                            1 => "the byte sent before this is hidden; an asterisk stands for it".to_owned(),
                            len => {
                                format!(
                                    "the {len} bytes sent before this are hidden; asterisks stand for them"
                                )
                            }
                        };
                        let stars = vec![b'*'; *len];
                        push(
                            id,
                            &connection,
                            *at,
                            EntryKind::Data {
                                direction: Direction::Sent,
                            },
                            stars,
                        );
                        push(
                            EntryId(id.0 + 1),
                            &connection,
                            *at,
                            EntryKind::Note { text },
                            Vec::new(),
                        );
                    }
                    Err(CaptureError::NotOpen) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            Step::Event { connection, at, kind } => {
                let Some(connection) = pick(&connections, *connection) else {
                    continue;
                };
                let id = connection.event(Timestamp(*at), kind).unwrap();
                push(id, &connection, *at, kind.clone(), Vec::new());
            }
        }
    }
    lines
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Sent), Just(Direction::Received)]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Local), Just(Side::Peer)]
}

fn address() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<[u8; 4]>(), any::<u16>()).prop_map(SocketAddr::from),
        (any::<[u8; 16]>(), any::<u16>()).prop_map(SocketAddr::from),
        any::<u32>()
            .prop_map(|zone| std::net::SocketAddrV6::new("fe80::7".parse().unwrap(), 80, 0, zone).into()),
    ]
}

fn duration() -> impl Strategy<Value = Duration> {
    (any::<u32>(), 0..1_000_000_000u32).prop_map(|(secs, nanos)| Duration::new(u64::from(secs), nanos))
}

fn kind() -> impl Strategy<Value = EntryKind> {
    let how = prop_oneof![
        Just(EndHow::Fin),
        Just(EndHow::Rst),
        Just(EndHow::Timeout),
        Just(EndHow::Os)
    ];
    let outcome = prop_oneof![
        Just(AttemptOutcome::Started),
        Just(AttemptOutcome::TimedOut),
        Just(AttemptOutcome::Abandoned),
        (any::<i32>(), any::<String>()).prop_map(|(errno, text)| AttemptOutcome::Failed { errno, text }),
    ];
    let family = prop_oneof![Just(Family::V4), Just(Family::V6)];
    let result = prop_oneof![
        proptest::collection::vec(address(), 0..4).prop_map(Ok),
        any::<String>().prop_map(Err),
    ];
    let tls = (any::<String>(), duration(), any::<bool>());
    prop_oneof![
        2 => tls.prop_map(|(name, took, agreed)| handshake(name, took, agreed)),
        4 => (address(), address()).prop_map(|(local, remote)| EntryKind::Open { local, remote }),
        1 => side().prop_map(|by| EntryKind::HalfClose { by }),
        1 => (side(), how, any::<Option<i32>>()).prop_map(|(by, how, errno)| EntryKind::Close(End { by, how, errno })),
        1 => (any::<String>(), any::<Option<i32>>()).prop_map(|(text, errno)| EntryKind::Error { text, errno }),
        1 => (direction(), any::<u64>()).prop_map(|(direction, bytes)| EntryKind::Gap { direction, bytes }),
        1 => any::<String>().prop_map(|text| EntryKind::Note { text }),
        1 => (any::<String>(), family, duration(), result)
            .prop_map(|(name, family, took, result)| EntryKind::Lookup(Lookup { name, family, took, result })),
        1 => (address(), duration(), outcome)
            .prop_map(|(remote, took, outcome)| EntryKind::Attempt(Attempt { remote, took, outcome })),
    ]
}

/// A TLS handshake; on an open connection it is an upgrade, if anything was agreed on.
pub(crate) fn handshake(server_name: String, took: Duration, agreed: bool) -> EntryKind {
    EntryKind::Tls(Box::new(TlsReport {
        role: TlsRole::Client,
        server_name,
        took,
        agreed: agreed.then(|| Agreed {
            version: "TLS 1.3".into(),
            cipher: "TLS_AES_128_GCM_SHA256".into(),
            group: None,
            alpn: None,
            resumed: false,
        }),
        verdict: Verdict::Unchecked,
        chain: Vec::new(),
    }))
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..6),
        4 => proptest::collection::vec(any::<u8>(), 1..300),
        1 => (any::<u8>(), MAX_PAYLOAD - 9..=MAX_PAYLOAD).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

/// Any order of calls, most of them data on open connections.
pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => any::<u64>().prop_map(|at| Step::Announce { at }),
        12 => (any::<usize>(), any::<u64>(), direction(), bytes())
            .prop_map(|(connection, at, direction, bytes)| Step::Data { connection, at, direction, bytes }),
        1 => (any::<usize>(), any::<u64>(), 1..200usize)
            .prop_map(|(connection, at, len)| Step::Masked { connection, at, len }),
        4 => (any::<usize>(), any::<u64>(), kind())
            .prop_map(|(connection, at, kind)| Step::Event { connection, at, kind }),
    ];
    let first = |at| {
        vec![
            Step::Announce { at },
            Step::Event {
                connection: 0,
                at,
                kind: open_kind("127.0.0.1:1", "127.0.0.1:2"),
            },
        ]
    };
    (any::<u64>(), proptest::collection::vec(step, 0..most))
        .prop_map(move |(at, rest)| first(at).into_iter().chain(rest).collect())
}

/// What must be read as the bytes next to entry `at`: the streams themselves are the oracle.
pub(crate) fn next_to(lines: &[Line], at: usize) -> (Vec<u8>, Vec<u8>) {
    let here = &lines[at].entry;
    let stream = |lines: &[Line]| -> Vec<u8> {
        let same = |line: &&Line| {
            line.entry.connection == here.connection
                && here.direction().is_some()
                && line.entry.direction() == here.direction()
        };
        lines
            .iter()
            .filter(same)
            .flat_map(|line| line.bytes.clone())
            .collect()
    };
    let (before, after) = (stream(&lines[..at]), stream(&lines[at + 1..]));
    (
        before[before.len().saturating_sub(3)..].to_vec(),
        after[..after.len().min(3)].to_vec(),
    )
}

/// That `session` is these lines, byte for byte.
pub(crate) fn assert_is(session: &Session, lines: &[Line]) {
    assert_eq!(session.len(), lines.len() as u64);
    for (found, expected) in read_all(session).iter().zip(lines) {
        assert_eq!(found, expected);
    }
}
