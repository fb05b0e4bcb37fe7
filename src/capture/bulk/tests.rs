//! Reading in bulk is reading entry by entry, whatever the file holds.

use std::io::Write as _;
use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::capture::joined::Parts;
use crate::capture::packet::{Flags, Segment};
use crate::capture::walk::{self, Content};
use crate::capture::window::Window;
use crate::capture::{Connection, Create, Existing, Recorder, block, frame};
use crate::model::{Direction, Entry, EntryId, EntryKind, Protocol, Records, Role, Timestamp};

type Line = (Entry, Vec<u8>);

fn record(folder: &tempfile::TempDir) -> (Recorder, Vec<Connection>) {
    let recorder = Recorder::create(&Create {
        path: folder.path().join("a.pcapng"),
        existing: Existing::Refuse,
        max_size: None,
    })
    .unwrap();
    let connections = ["127.0.0.1:1", "[::1]:1"]
        .map(|address| {
            let address: SocketAddr = address.parse().unwrap();
            let connection = recorder
                .connection(Timestamp(1), &"tcp://localhost:1".parse().unwrap(), Role::Client)
                .unwrap();
            let open = EntryKind::Open {
                local: address,
                remote: address,
            };
            connection.event(Timestamp(2), &open).unwrap();
            connection
        })
        .to_vec();
    (recorder, connections)
}

fn one_by_one(session: &Session) -> Vec<Line> {
    let read = |id| {
        let entry = session.entry(EntryId(id)).unwrap();
        let payload = session.payload(EntryId(id), 0..entry.len).unwrap();
        (entry, payload)
    };
    (0..session.len()).map(read).collect()
}

fn collect(lines: &mut Vec<Line>) -> impl FnMut(Passed<'_>) -> ControlFlow<()> {
    |passed| {
        lines.push((passed.entry.clone(), passed.bytes.to_vec()));
        ControlFlow::Continue(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn in_bulk_is_one_by_one(
        steps in proptest::collection::vec((0..2usize, any::<bool>(), prop_oneof![0..40usize, 0..65_495usize], 0..12u8), 1..60),
        budget in prop_oneof![1..200u64, Just(1 << 20)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, connections) = record(&folder);
        let session = recorder.reader();
        for want in [Want::Payloads, Want::Headers] {
            let mut found = Vec::new();
            let mut bulk = Bulk::new(session.clone(), want);
            for (number, (connection, sent, len, kind)) in steps.iter().enumerate() {
                let connection = &connections[*connection];
                let direction = if *sent { Direction::Sent } else { Direction::Received };
                let at = Timestamp(number as u64);
                match (kind, len) {
                    (0, _) => drop(connection.gap(at, direction, 5).unwrap()),
                    (1, _) => drop(connection.event(at, &EntryKind::Note { text: "x".repeat(*len) }).unwrap()),
                    (_, 0) => drop(connection.masked(at, 3).unwrap()),
                    (_, len) => drop(connection.data(at, direction, &vec![*kind; *len]).unwrap()),
                }
                // A part of it is read while the file grows.
                bulk.read(number as u64 / 2, budget, &mut collect(&mut found)).unwrap();
            }
            while bulk.next() < session.len() {
                bulk.read(u64::MAX, budget, &mut collect(&mut found)).unwrap();
            }
            let mut expected = one_by_one(&session);
            if want == Want::Headers {
                for (_, bytes) in found.iter_mut().chain(&mut expected) {
                    bytes.clear();
                }
            }
            prop_assert!(found == expected);
        }
    }

    #[test]
    fn what_is_read_in_one_look_is_what_the_walk_reads(
        v6 in any::<bool>(), len in 1..40usize, changes in proptest::collection::vec((0..200usize, any::<u8>()), 0..4),
    ) {
        let address: SocketAddr = if v6 { "[::1]:1" } else { "127.0.0.1:1" }.parse().unwrap();
        let segment = Segment { from: address, to: address, seq: 0, ack: 0, flags: Flags::Data, payload_len: len };
        let frame = block::DataFrame::new(3, Timestamp(1 << 40), Direction::Sent, &segment);
        let mut bytes = [frame.head(), &vec![7; len], frame.tail()].concat();
        let whole = frame::read(&bytes, 4);
        prop_assert!(whole.is_some());
        for cut in 0..bytes.len() {
            prop_assert_eq!(frame::read(&bytes[..cut], 4), None);
        }
        for (at, byte) in &changes {
            let at = at % bytes.len();
            bytes[at] = *byte;
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut buffer = Vec::new();
        let mut window = Window::new(&file, bytes.len() as u64, 4096, &mut buffer);
        let walked = walk::block_at(&mut window, 0, 4);
        if let Some(frame) = frame::read(&bytes, 4) {
            let expected = Content::Data {
                interface: frame.interface,
                at: frame.at,
                direction: frame.direction,
                protocol: Protocol::Tcp,
                offset: frame.payload.start as u64,
                len: frame.payload.len() as u32,
                parts: Parts::One,
            };
            prop_assert_eq!(walked.unwrap(), walk::Block { len: frame.len, content: expected });
        }
    }
}

#[test]
fn breaking_off_goes_on_behind_the_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, connections) = record(&folder);
    for number in 0..10 {
        connections[0]
            .data(Timestamp(number), Direction::Sent, b"x")
            .unwrap();
    }
    let mut bulk = Bulk::new(recorder.reader(), Want::Payloads);
    let mut seen = Vec::new();
    while bulk.next() < 12 {
        bulk.read(12, u64::MAX, &mut |passed| {
            let id = passed.entry.id.0;
            seen.push(id);
            if id % 3 == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    }
    assert_eq!(seen, (0..12).collect::<Vec<u64>>());
}
