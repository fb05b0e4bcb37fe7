//! Opening in the background: at once, growing files, cancelling, streams, and files cut anywhere.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::stat::Mode;
use sockscope::capture::{Session, open_in_background};
use sockscope::model::{ConnectionId, Direction, EntryKind, FileState, Records, Side, Timestamp};

use super::sample;
use super::wire::{self, Order, Packet, Talk};

/// A conversation of `count` messages.
fn packets(count: usize) -> Vec<Packet> {
    let mut talk = Talk::new("10.0.0.1:50000", "10.0.0.2:80", [7, 8]);
    talk.open();
    for number in 0..count {
        talk.ask(format!("message {number}").as_bytes());
    }
    talk.packets
}

/// Entries of the first `count` packets: the SYN and the SYN/ACK are one each, the ACK is none.
fn entries(count: usize) -> u64 {
    (if count < 3 { count } else { count - 1 }) as u64
}

struct Growing {
    folder: tempfile::TempDir,
    file: File,
}

impl Growing {
    fn new() -> Growing {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("a")).unwrap();
        Growing { folder, file }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("a")
    }

    fn write(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).unwrap();
    }

    /// From now on it counts as finished.
    fn age(&self) {
        self.file
            .set_modified(SystemTime::now() - Duration::from_hours(1))
            .unwrap();
    }
}

#[test]
fn a_capture_that_grows_is_followed_block_by_block() {
    for file in [
        wire::pcap(Order::Little, false, 1, 65_535, &packets(20)),
        wire::pcapng(Order::Big, 113, &packets(20)),
    ] {
        let mut growing = Growing::new();
        // Nothing is there yet, not even what kind of file it will be.
        let opening = open_in_background(&growing.path()).unwrap();
        wire::wait(&opening, |report| report.state == FileState::Following);
        for part in file.chunks(97) {
            growing.write(part);
        }
        wire::wait(&opening, |report| report.entries == entries(23));
        assert_eq!(opening.session.len(), entries(23));
        assert_eq!(opening.session.cut(), 0);
    }
}

#[test]
fn a_torn_block_is_waited_for_and_only_then_called_cut() {
    let whole = wire::pcap(Order::Little, false, 101, 65_535, &packets(2));
    let mut growing = Growing::new();
    growing.write(&whole[..whole.len() - 5]);
    let opening = open_in_background(&growing.path()).unwrap();
    let report = wire::wait(&opening, |report| report.state == FileState::Following);
    assert_eq!((report.entries, report.remarks), (entries(4), Vec::new()));
    let report = wire::wait(&opening, |report| !report.remarks.is_empty());
    let left = 16 + 20 + 20 + "message 1".len() - 5;
    let torn = format!("the last {left} bytes are no whole block: cut off, or not written yet");
    assert_eq!(report.remarks, [torn]);
    assert_eq!(opening.session.cut(), left as u64);
    growing.write(&whole[whole.len() - 5..]);
    let report = wire::wait(&opening, |report| report.entries == entries(5));
    assert_eq!(report.remarks, Vec::<String>::new());
    assert_eq!(opening.session.cut(), 0);
}

#[test]
fn a_single_byte_that_is_left_over_is_one() {
    let whole = wire::pcap(Order::Little, false, 101, 65_535, &packets(1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("torn.pcap");
    wire::write_old(&path, &[whole, vec![0]].concat());
    let (_opening, report) = wire::open(&path);
    assert_eq!(
        report.remarks,
        ["the last 1 byte is no whole block: cut off, or not written yet"]
    );
}

#[test]
fn a_recording_under_way_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    let connection = sample::opened(&recorder);
    let opening = open_in_background(&path).unwrap();
    wire::wait(&opening, |report| report.entries == 1);
    for number in 0..200u32 {
        connection
            .data(Timestamp(6), Direction::Sent, &number.to_le_bytes())
            .unwrap();
    }
    let report = wire::wait(&opening, |report| report.entries == 201);
    assert_eq!((report.conversations, report.remarks.len()), (1, 0));
    assert_eq!(
        sample::read_all(&opening.session),
        sample::read_all(&recorder.reader())
    );
    let listed = &opening.session.conversation_page(0..9)[0];
    assert_eq!(
        (listed.id, listed.name.as_str()),
        (ConnectionId(0), "tcp://localhost:6379")
    );
    assert_eq!((listed.entries, listed.sent, listed.received), (201, 800, 0));
    assert_eq!(listed.server().unwrap().to_string(), "127.0.0.1:6379");
    let live = recorder.reader().conversation_page(0..9);
    assert_eq!(live, opening.session.conversation_page(0..9));
}

#[test]
fn cancelling_keeps_what_was_found() {
    let growing = {
        let mut growing = Growing::new();
        growing.write(&wire::pcap(Order::Little, false, 101, 65_535, &packets(50_000)));
        growing.age();
        growing
    };
    let opening = open_in_background(&growing.path()).unwrap();
    opening.cancel();
    let report = wire::wait(&opening, |report| report.state == FileState::Cancelled);
    assert_eq!(opening.session.len(), report.entries);
    if let Some(last) = report.entries.checked_sub(1) {
        opening.session.entry(sockscope::model::EntryId(last)).unwrap();
    }
    let session = opening.session.clone();
    drop(opening);
    assert_eq!(session.len(), report.entries);
}

#[test]
fn dropping_the_handle_ends_the_thread() {
    let growing = Growing::new();
    let opening = open_in_background(&growing.path()).unwrap();
    wire::wait(&opening, |report| report.state == FileState::Following);
    let mut reports = opening.reports.clone();
    drop(opening);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // The sender goes with the thread.
    runtime.block_on(async { while reports.changed().await.is_ok() {} });
    assert_eq!(reports.borrow().state, FileState::Cancelled);
}

#[test]
fn a_file_that_shrinks_has_failed() {
    let mut growing = Growing::new();
    growing.write(&wire::pcap(Order::Little, false, 101, 65_535, &packets(9)));
    let opening = open_in_background(&growing.path()).unwrap();
    wire::wait(&opening, |report| report.state == FileState::Following);
    growing.file.set_len(30).unwrap();
    let report = wire::wait(&opening, |report| matches!(report.state, FileState::Failed(_)));
    assert_eq!(
        report.state,
        FileState::Failed(
            "the file became shorter: its bytes are no longer those that were indexed; open it again"
                .to_owned()
        )
    );
}

#[test]
fn a_fifo_is_read_until_its_writer_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    let opening = open_in_background(&path).unwrap();
    let whole = wire::pcapng(Order::Little, 1, &packets(30));
    let mut writer = File::options().write(true).open(&path).unwrap();
    writer.write_all(&whole[..2000]).unwrap();
    let report = wire::wait(&opening, |report| report.entries > 3);
    assert!(matches!(report.state, FileState::Indexing | FileState::Following));
    writer.write_all(&whole[2000..]).unwrap();
    drop(writer);
    let report = wire::wait(&opening, |report| report.state == FileState::Complete);
    assert_eq!(report.entries, entries(33));
    assert_eq!(
        wire::lines(&opening.session).last().unwrap(),
        "0 32 Sent message 29"
    );
}

#[test]
fn our_own_recording_is_read_through_a_pipe_and_gzip_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    let connection = sample::opened(&recorder);
    connection
        .data(Timestamp(6), Direction::Received, b"hello")
        .unwrap();
    connection
        .event(Timestamp(7), &EntryKind::HalfClose { by: Side::Peer })
        .unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let expected = sample::read_all(&recorder.reader());
    let (reader, mut writer) = std::io::pipe().unwrap();
    let stream = File::from(std::os::fd::OwnedFd::from(reader));
    let opening = sockscope::capture::open_stream_in_background(Path::new("-"), stream).unwrap();
    writer.write_all(&bytes).unwrap();
    drop(writer);
    wire::wait(&opening, |report| report.state == FileState::Complete);
    assert_eq!(sample::read_all(&opening.session), expected);
    let packed = folder.path().join("a.gz");
    let mut encoder = GzEncoder::new(File::create(&packed).unwrap(), Compression::fast());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap();
    let (opening, report) = wire::open(&packed);
    assert_eq!((report.state, report.remarks.len()), (FileState::Complete, 0));
    assert_eq!(sample::read_all(&opening.session), expected);
}

#[test]
fn a_compressed_stream_is_unpacked_as_it_comes() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let stream = File::from(std::os::fd::OwnedFd::from(reader));
    let opening = sockscope::capture::open_stream_in_background(Path::new("-"), stream).unwrap();
    let whole = wire::pcapng(Order::Little, 1, &packets(30));
    // Two members, as where two compressed files were joined, and what comes of the first is shown before the second.
    let (first, second) = whole.split_at(2000);
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    for byte in packed(first) {
        writer.write_all(&[byte]).unwrap();
    }
    wire::wait(&opening, |report| report.entries > 3);
    writer.write_all(&packed(second)).unwrap();
    drop(writer);
    let report = wire::wait(&opening, |report| report.state == FileState::Complete);
    assert_eq!((report.entries, report.remarks.len()), (entries(33), 0));
    assert_eq!(
        wire::lines(&opening.session).last().unwrap(),
        "0 32 Sent message 29"
    );
}

#[test]
fn a_compressed_stream_that_waits_can_be_left() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let stream = File::from(std::os::fd::OwnedFd::from(reader));
    let opening = sockscope::capture::open_stream_in_background(Path::new("-"), stream).unwrap();
    // A header, and nothing of what it announces.
    writer.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]).unwrap();
    wire::wait(&opening, |report| report.state == FileState::Following);
    opening.cancel();
    wire::wait(&opening, |report| report.state == FileState::Cancelled);
}

/// Opens the first `len` bytes of a file, for each `len`, and checks what is left of its entries.
fn cut_anywhere(bytes: &[u8], whole: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut most = 0;
    for len in 0..=bytes.len() {
        wire::write_old(&path, &bytes[..len]);
        let (opening, report) = wire::open(&path);
        assert!(!matches!(report.state, FileState::Failed(_)), "{report:?}");
        let lines = wire::lines(&opening.session);
        assert_eq!(lines, whole[..lines.len()], "cut at {len}");
        assert!(lines.len() >= most, "cut at {len}");
        most = lines.len();
        // What is left over is said.
        assert_eq!(
            opening.session.cut() > 0,
            report.remarks.iter().any(|r| r.contains("no whole block"))
        );
    }
    assert_eq!(most, whole.len());
}

#[test]
fn a_foreign_capture_cut_anywhere_opens_to_the_last_whole_packet() {
    for bytes in [
        wire::pcap(Order::Big, true, 276, 65_535, &packets(4)),
        wire::pcapng(Order::Little, 1, &packets(4)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        wire::write_old(&path, &bytes);
        let whole = wire::lines(&wire::open(&path).0.session);
        assert_eq!(whole.len() as u64, entries(7));
        cut_anywhere(&bytes, &whole);
    }
}

#[test]
fn a_compressed_file_cut_anywhere_shows_what_can_be_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(&wire::pcap(Order::Little, false, 1, 65_535, &packets(40)))
        .unwrap();
    let bytes = encoder.finish().unwrap();
    // The last eight bytes are the trailer, without which nothing tells that all is there (RFC 1952 §2.2).
    let trailer = bytes.len() - 8;
    for len in (0..trailer).step_by(13).chain(trailer..bytes.len()) {
        wire::write_old(&path, &bytes[..len]);
        let (opening, report) = wire::open(&path);
        wire::lines(&opening.session);
        if len > 3 {
            assert_eq!(report.state, FileState::Cut, "{len} of {}", bytes.len());
            assert_eq!(
                report.remarks[0],
                "the compressed data ends in the middle; what could be unpacked is shown, and what is compressed is read \
                 once: if it was still being written, open it again"
            );
        }
    }
    wire::write_old(&path, &bytes);
    let (_, report) = wire::open(&path);
    assert_eq!((report.state, report.remarks.len()), (FileState::Complete, 0));
}

#[test]
fn what_follows_compressed_data_costs_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(&wire::pcap(Order::Little, false, 1, 65_535, &packets(40)))
        .unwrap();
    let bytes = encoder.finish().unwrap();
    let check = |behind: &[u8], expected: &[&str]| {
        wire::write_old(&path, &[&bytes, behind].concat());
        let (opening, report) = wire::open(&path);
        assert_eq!(report.state, FileState::Complete, "{behind:?}");
        assert_eq!(report.remarks, expected, "{behind:?}");
        assert_eq!(
            wire::lines(&opening.session).len() as u64,
            entries(43),
            "{behind:?}"
        );
    };
    check(b"", &[]);
    // What fills up the last block of a tape is worth no word (gzip(1)).
    check(&[0; 512], &[]);
    let said = "the last 5 bytes, behind the compressed data, are no gzip, and were left out";
    check(b"junk\n", &[said]);
    let said = "the last 900 bytes, behind the compressed data, are no gzip, and were left out";
    check(&[7; 900], &[said]);
    // What only begins like another member.
    let said = "the last 12 bytes, behind the compressed data, are no gzip, and were left out";
    check(b"\x1f junk junk\n".get(..12).unwrap(), &[said]);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let stream = File::from(std::os::fd::OwnedFd::from(reader));
    let opening = sockscope::capture::open_stream_in_background(Path::new("-"), stream).unwrap();
    writer.write_all(&bytes).unwrap();
    writer.write_all(b"junk").unwrap();
    let report = wire::wait(&opening, |report| report.state == FileState::Complete);
    assert_eq!(
        (report.entries, report.remarks),
        (
            entries(43),
            vec!["what follows the compressed data is no gzip, and was left out".to_owned()]
        )
    );
}

#[test]
fn what_is_damaged_ends_the_log_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let file = wire::pcapng(Order::Little, 1, &packets(4));
    let mut bytes = file.clone();
    bytes.extend([0; 40]);
    wire::write_old(&path, &bytes);
    let (opening, report) = wire::open(&path);
    assert_eq!(report.state, FileState::Complete);
    assert_eq!(
        report.remarks,
        [format!(
            "byte {} and what follows, 40 bytes, were left out: the block has an impossible length",
            file.len()
        )]
    );
    assert_eq!((opening.session.len(), opening.session.cut()), (entries(7), 40));
    // The same in a recording of ours, where the two ways to open it agree.
    let path = folder.path().join("own");
    let recorder = sample::create(&path);
    sample::opened(&recorder);
    drop(recorder);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend([0; 40]);
    wire::write_old(&path, &bytes);
    let (opening, report) = wire::open(&path);
    assert_eq!((report.state, report.entries), (FileState::Complete, 1));
    assert_eq!(opening.session.cut(), Session::open(&path).unwrap().cut());
}
