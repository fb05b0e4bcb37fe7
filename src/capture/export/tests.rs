//! What people wrote about entries is in every format.

use std::io::Read as _;

use super::*;
use crate::capture::{Create, Existing, Recorder, block, walk};
use crate::model::{Annotation, Direction, EntryKind, Purpose, Role, Timestamp};
use crate::text::Policy;

const WORDING: Wording = Wording {
    policy: Policy {
        rtl: false,
        ascii: false,
    },
    offset: 0,
    purpose: Purpose::Reading,
    connections: false,
};

/// Writes one entry with what was added to it.
fn written(format: ExportFormat, annotation: &Annotation) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&Create {
        path: folder.path().join("a.pcapng"),
        existing: Existing::Refuse,
        max_size: None,
    })
    .unwrap();
    let endpoint = "localhost:1".parse().unwrap();
    let connection = recorder
        .connection(Timestamp(1), &endpoint, Role::Client)
        .unwrap();
    let open = EntryKind::Open {
        local: "127.0.0.1:2".parse().unwrap(),
        remote: "127.0.0.1:1".parse().unwrap(),
    };
    connection.event(Timestamp(1), &open).unwrap();
    let id = connection.data(Timestamp(2), Direction::Sent, b"hello").unwrap();
    let session = recorder.reader();
    let path = folder.path().join("out");
    let target = Target::File {
        path: path.clone(),
        existing: Existing::Refuse,
    };
    let mut out = Output::create(target, Parts::One, &session).unwrap();
    let mut form = Form::new(format, &session, &Portion::All, WORDING);
    let entry = session.entry(id).unwrap();
    form.entry(
        &Piece {
            entry: &entry,
            bytes: b"hello",
            surroundings: Surroundings::default(),
            annotation: Some(annotation),
            role: Role::Client,
            stamps: None,
        },
        &mut out,
    )
    .unwrap();
    out.finish(&session).unwrap();
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

#[test]
fn marks_and_comments_are_in_every_format() {
    let annotation = Annotation {
        marked: true,
        comment: Some("why?\n\"quoted\" \x1b[31m".into()),
    };
    let text = |format| String::from_utf8_lossy(&written(format, &annotation)).into_owned();
    assert!(text(ExportFormat::Text).ends_with("hello\n  # marked\n  # why?\n  # \"quoted\" ␛[31m\n"));
    assert!(
        text(ExportFormat::Hexdump).contains("  # marked\n  # why?\n  # \"quoted\" ␛[31m\n  00000000  68")
    );
    let json = r#""text":"hello","marked":true,"comment":"why?\n\"quoted\" \u001b[31m"}"#;
    assert!(text(ExportFormat::Jsonl).trim_end().ends_with(json));
    let script = text(ExportFormat::Python);
    assert!(script.contains("# marked\n# why?\n# \"quoted\" "));
    assert!(script.ends_with("send(0, b\"hello\")\n"));
    assert_eq!(text(ExportFormat::Raw), "hello");
}

#[test]
fn a_comment_is_an_option_of_its_packet() {
    let annotation = Annotation {
        marked: false,
        comment: Some("first\nsecond".into()),
    };
    let bytes = written(ExportFormat::Pcapng, &annotation);
    // The interface, then the packet: header, 40 bytes of IP and TCP, five of payload and three to fill up.
    let len = u32::from_le_bytes(*bytes[4..].first_chunk().unwrap()) as usize;
    let packet = &bytes[len..];
    assert_eq!(packet[..4], block::PACKET.to_le_bytes());
    let options = &packet[28 + 48..packet.len() - 4];
    assert_eq!(walk::find(options, 1), Some(&b"first\nsecond"[..]));
    assert_eq!(
        walk::find(options, block::EPB_FLAGS),
        Some(&2u32.to_le_bytes()[..])
    );
}

#[test]
fn a_long_comment_is_cut_at_a_character() {
    let annotation = Annotation {
        marked: false,
        comment: Some("é".repeat(40_000)),
    };
    let bytes = written(ExportFormat::Pcapng, &annotation);
    let len = u32::from_le_bytes(*bytes[4..].first_chunk().unwrap()) as usize;
    let options = &bytes[len..][28 + 48..];
    let comment = walk::find(options, 1).unwrap();
    assert_eq!(comment, "é".repeat(32_767).as_bytes());
}
