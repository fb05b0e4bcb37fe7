//! Datagrams and messages: recorded, opened, searched and exported as what they are, however large.

use std::fs;
use std::path::Path;

use sockscope::capture::{
    CaptureError, Connection, Existing, Export, MAX_MESSAGE, Order, Recorder, Session, Target, Wording,
};
use sockscope::model::{
    Direction, EntryId, EntryKind, ExportFormat, ExportState, Portion, Protocol, Purpose, Query,
    Records as _, Reference, Role, Timestamp,
};
use sockscope::text::Policy;

use super::sample;

/// The number of packet blocks in a file, and of those that are UDP over IPv4.
fn packets(path: &Path) -> (usize, usize) {
    let bytes = fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut all, mut udp) = (0, 0, 0);
    while at < bytes.len() {
        if word(at) == 6 {
            all += 1;
            udp += usize::from(bytes[at + 28 + 9] == 17);
        }
        at += word(at + 4) as usize;
    }
    (all, udp)
}

fn open(recorder: &Recorder, target: &str) -> Connection {
    let endpoint = target.parse().unwrap();
    let connection = recorder
        .connection(Timestamp(1), &endpoint, Role::Client)
        .unwrap();
    let opened = sample::open_kind("127.0.0.1:4000", "127.1.2.3:1");
    connection.event(Timestamp(2), &opened).unwrap();
    connection
}

fn export(session: &Session, portion: Portion, path: &Path) {
    let order = Order {
        portion,
        format: ExportFormat::Pcapng,
        wording: Wording {
            policy: Policy::default(),
            offset: 0,
            purpose: Purpose::Reading,
            connections: false,
        },
        target: Target::File {
            path: path.to_owned(),
            existing: Existing::Refuse,
        },
    };
    let report = Export::start(session.clone(), order).join();
    assert!(matches!(report.state, ExportState::Done(_)), "{report:?}");
}

#[test]
fn a_message_is_one_entry_in_as_many_packets_as_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    let connection = open(&recorder, "unix-dgram:/run/a.sock");
    let sizes = [0, 5, 65_507, 65_508, 131_008, 131_009, 200_000];
    for (number, size) in (0..).zip(sizes) {
        let direction = if number % 2 == 0 {
            Direction::Sent
        } else {
            Direction::Received
        };
        let mut bytes = vec![b'a' + number; size];
        bytes.extend_from_slice(b"needle");
        bytes.truncate(size);
        connection.data(Timestamp(3), direction, &bytes).unwrap();
    }
    let hidden = connection.masked(Timestamp(4), 70_000).unwrap();
    let too_long = connection.data(Timestamp(5), Direction::Sent, &vec![0; MAX_MESSAGE + 1]);
    assert!(matches!(too_long, Err(CaptureError::TooLong(_))));
    let live = sample::read_all(&recorder.reader());
    assert_eq!(
        live.len(),
        1 + sizes.len() + 2,
        "the note on what is hidden is one too"
    );
    assert_eq!(live[hidden.0 as usize].bytes, vec![b'*'; 70_000]);
    // Another walk finds the same.
    let opened = Session::open(&path).unwrap();
    assert_eq!((sample::read_all(&opened), opened.cut()), (live.clone(), 0));
    let known = opened.conversation_page(0..1).pop().unwrap();
    assert_eq!(
        (known.protocol, known.entries),
        (Protocol::Udp, live.len() as u64)
    );
    // 65,504 bytes in all packets of a message but the last.
    assert_eq!(packets(&path), (3 + 2 + 2 + 3 + 4 + 2, 3 + 2 + 2 + 3 + 4 + 2));
    // So does an export, which a filter finds in the same way.
    let all = folder.path().join("all.pcapng");
    export(&opened, Portion::All, &all);
    assert_eq!(sample::read_all(&Session::open(&all).unwrap()), live);
    assert_eq!(packets(&all), packets(&path));
    let large = folder.path().join("large.pcapng");
    let query = Query::parse("size>100000", &Reference::default()).unwrap();
    export(&opened, Portion::Query(query), &large);
    let found = sample::read_all(&Session::open(&large).unwrap());
    assert_eq!(found.len(), 3);
    assert_eq!(found[2].bytes, live[7].bytes);
}

#[test]
fn an_export_of_datagrams_has_no_packets_of_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let connection = open(&recorder, "udp://127.1.2.3:1");
    connection
        .data(Timestamp(3), Direction::Sent, b"question")
        .unwrap();
    connection.data(Timestamp(4), Direction::Received, b"").unwrap();
    let closed = EntryKind::Note {
        text: "a note".into(),
    };
    connection.event(Timestamp(5), &closed).unwrap();
    let path = folder.path().join("b.pcapng");
    export(&recorder.reader(), Portion::All, &path);
    assert_eq!(packets(&path), (2, 2));
    let again = Session::open(&path).unwrap();
    assert_eq!(sample::read_all(&again), sample::read_all(&recorder.reader()));
    assert_eq!(
        again.entry(EntryId(0)).unwrap().kind,
        sample::open_kind("127.0.0.1:4000", "127.1.2.3:1")
    );
}
