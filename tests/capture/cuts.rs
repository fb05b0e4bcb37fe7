//! P15: a file that is cut at any offset, or has any one bit flipped, opens up to the first thing that is wrong, and
//! is left as it is. Own recordings, pcap, pcapng and gzip; a sample in the tests, each offset and bit in the benchmark.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use sockscope::capture::{Session, open_in_background};
use sockscope::model::{
    Direction, End, EndHow, EntryId, EntryKind, FileState, Records as _, Side, Timestamp,
};

use super::sample::{self, Line};
use super::wire::{self, Order, Talk};

/// Bytes of an uncompressed file that nothing can lose its meaning with but what stands there: the headers of file,
/// section and interface end before it.
const HEADERS: usize = 512;

/// A whole file, and what of it can be read from its first bytes alone.
struct Whole {
    name: &'static str,
    bytes: Vec<u8>,
    /// Where each entry ends, in the file or in its unpacked form.
    ends: Vec<u64>,
    lines: Vec<Line>,
    packed: bool,
}

impl Whole {
    /// One of each kind, of some `size` bytes.
    fn all(size: usize, folder: &Path) -> Vec<Whole> {
        let pcap = packets(size);
        let pcap_bytes = wire::pcap(Order::Little, false, 101, 65_535, &pcap);
        let pcapng_bytes = wire::pcapng(Order::Big, 1, &pcap);
        let ends = entry_ends(&record_ends(&pcap_bytes));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&pcap_bytes).unwrap();
        let packed = encoder.finish().unwrap();
        let mut all = vec![own(size, folder)];
        let foreign = [
            (
                "pcapng",
                pcapng_bytes.clone(),
                entry_ends(&block_ends(&pcapng_bytes)),
                false,
            ),
            ("pcap", pcap_bytes, ends.clone(), false),
            ("gzip", packed, ends, true),
        ];
        for (name, bytes, ends, packed) in foreign {
            let path = folder.join("whole");
            wire::write_old(&path, &bytes);
            let (opening, report) = wire::open(&path);
            assert_eq!(report.remarks, Vec::<String>::new());
            let lines = sample::read_all(&opening.session);
            assert_eq!(lines.len(), ends.len(), "{name}");
            all.push(Whole {
                name,
                bytes,
                ends,
                lines,
                packed,
            });
        }
        all
    }

    /// How many entries lie wholly in the first `len` bytes of the file.
    fn entries_within(&self, len: usize) -> usize {
        let len = if self.packed {
            // As far as it can be unpacked.
            let mut unpacked = Vec::new();
            let mut decoder = MultiGzDecoder::new(&self.bytes[..len]);
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = decoder.read(&mut buffer) {
                unpacked.extend_from_slice(&buffer[..count]);
            }
            unpacked.len()
        } else {
            len
        };
        self.ends.iter().filter(|end| **end <= len as u64).count()
    }
}

/// A recording of ours with packets and annotations.
fn own(size: usize, folder: &Path) -> Whole {
    let path = folder.join("own.pcapng");
    let recorder = sample::create(&path);
    let connection = sample::connect(&recorder);
    let mut ends = Vec::new();
    let note = |text: String| EntryKind::Note { text };
    connection.event(Timestamp(1), &note("dialing".into())).unwrap();
    ends.push(recorder.size());
    connection
        .event(Timestamp(2), &sample::open_kind("[::1]:1", "[::1]:2"))
        .unwrap();
    ends.push(recorder.size());
    for number in 0..size as u64 {
        let at = Timestamp(3 + number);
        let start = recorder.size();
        match number % 5 {
            0 => connection.data(at, Direction::Sent, b"?").unwrap(),
            1 => connection.event(at, &note(format!("number {number}"))).unwrap(),
            2 => connection.gap(at, Direction::Received, number).unwrap(),
            _ => {
                let bytes = vec![number as u8; size / 40 + 1];
                connection.data(at, Direction::Received, &bytes).unwrap()
            }
        };
        // Behind it may stand an acknowledgement, which is no part of the entry.
        ends.push(start + block_len(&path, start));
        if recorder.size() + 200 >= size as u64 {
            break;
        }
    }
    let end = End {
        by: Side::Peer,
        how: EndHow::Rst,
        errno: Some(104),
    };
    connection.event(Timestamp(9), &EntryKind::Close(end)).unwrap();
    ends.push(recorder.size());
    Whole {
        name: "own",
        bytes: std::fs::read(&path).unwrap(),
        ends,
        lines: sample::read_all(&recorder.reader()),
        packed: false,
    }
}

/// The length of the block that starts there in a little-endian file.
fn block_len(path: &Path, start: u64) -> u64 {
    let mut len = [0; 4];
    let file = File::open(path).unwrap();
    file.read_exact_at(&mut len, start + 4).unwrap();
    u64::from(u32::from_le_bytes(len))
}

/// A conversation that takes some `size` bytes on the wire.
fn packets(size: usize) -> Vec<wire::Packet> {
    let mut talk = Talk::new("10.0.0.1:50000", "10.0.0.2:80", [u32::MAX - 99, 8]);
    talk.open();
    for number in 0..30 {
        talk.ask(&[number; 3]);
        talk.answer(
            &(0..size / 40)
                .map(|at| (at * 31) as u8 ^ number)
                .collect::<Vec<u8>>(),
        );
    }
    talk.close();
    talk.packets
}

/// Where the packets of a pcap file end.
fn record_ends(file: &[u8]) -> Vec<u64> {
    let mut ends = Vec::new();
    let mut at = 24;
    while let Some(len) = file.get(at + 8..at + 12) {
        at += 16 + u32::from_le_bytes(len.try_into().unwrap()) as usize;
        ends.push(at as u64);
    }
    ends
}

/// Where the packets of a big-endian pcapng file end.
fn block_ends(file: &[u8]) -> Vec<u64> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(head) = file.get(at..at + 8) {
        at += u32::from_be_bytes(head[4..8].try_into().unwrap()) as usize;
        if head[..4] == [0, 0, 0, 6] {
            ends.push(at as u64);
        }
    }
    ends
}

/// Which of the packets of a conversation are entries: all but the two bare acknowledgements.
fn entry_ends(packets: &[u64]) -> Vec<u64> {
    let bare = [2, packets.len() - 1];
    let entries = packets
        .iter()
        .enumerate()
        .filter(|(number, _)| !bare.contains(number));
    entries.map(|(_, end)| *end).collect()
}

/// A copy of a file, to be damaged and opened again and again.
struct Victim {
    path: PathBuf,
    file: File,
}

impl Victim {
    fn new(folder: &Path, whole: &Whole) -> Victim {
        let path = folder.join(whole.name);
        wire::write_old(&path, &whole.bytes);
        let file = File::options().read(true).write(true).open(&path).unwrap();
        Victim { path, file }
    }

    /// Makes it count as finished.
    fn age(&self) {
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        self.file.set_modified(long_ago).unwrap();
    }

    /// Opens it, reads all there is, and returns it; `None` if it is refused, and then with a reason.
    fn open(&self, expected: &[u8], what: &str) -> Option<Vec<Line>> {
        self.age();
        let lines = open_in_background(&self.path).ok().and_then(|opening| {
            let report = wire::wait(&opening, |report| report.state != FileState::Indexing);
            if let FileState::Failed(why) = report.state {
                assert!(!why.is_empty(), "{what}");
                return None;
            }
            for number in 0..opening.session.len() {
                opening.session.surroundings(EntryId(number)).unwrap();
            }
            Some(sample::read_all(&opening.session))
        });
        assert!(
            std::fs::read(&self.path).unwrap() == expected,
            "{what}: it was modified"
        );
        lines
    }
}

/// Does the same to each kind of file at once: most of the time is spent waiting for the threads that open them.
fn each<T: Send>(size: usize, damage: impl Fn(&Whole, &Victim) -> T + Sync) -> Vec<T> {
    let folder = tempfile::tempdir().unwrap();
    let all = Whole::all(size, folder.path());
    thread::scope(|scope| {
        let threads: Vec<_> = all
            .iter()
            .map(|whole| scope.spawn(|| damage(whole, &Victim::new(folder.path(), whole))))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Cuts files of some `size` bytes at every `step`th offset; returns how many.
pub(crate) fn cuts(size: usize, step: usize) -> usize {
    let counts = each(size, |whole, victim| {
        let offsets = (0..=whole.bytes.len()).rev().step_by(step);
        offsets.map(|len| cut(whole, victim, len)).count()
    });
    counts.into_iter().sum()
}

fn cut(whole: &Whole, victim: &Victim, len: usize) {
    let what = format!("{} cut at {len}", whole.name);
    victim.file.set_len(len as u64).unwrap();
    let kept = &whole.bytes[..len];
    let lines = victim.open(kept, &what).unwrap_or_default();
    assert_eq!(lines.len(), whole.entries_within(len), "{what}");
    assert!(lines == whole.lines[..lines.len()], "{what}");
    if whole.name == "own" {
        // The way to open a recording of ours that waits for all of it agrees.
        let session = Session::open(&victim.path).unwrap();
        assert_eq!(session.len(), lines.len() as u64, "{what}");
    }
}

/// Whether a damaged file could be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Opened,
    Refused,
}

/// Flips every `step`th bit of files of some `size` bytes; returns how many flips there were, and how many made the
/// file one that is refused.
pub(crate) fn flips(size: usize, step: usize) -> (usize, usize) {
    let fates = each(size, |whole, victim| {
        let mut bytes = whole.bytes.clone();
        let bits = (0..bytes.len() * 8).step_by(step);
        bits.map(|bit| flip(whole, victim, &mut bytes, bit))
            .collect::<Vec<_>>()
    })
    .concat();
    let refused = fates.iter().filter(|fate| **fate == Fate::Refused).count();
    (fates.len(), refused)
}

fn flip(whole: &Whole, victim: &Victim, bytes: &mut [u8], bit: usize) -> Fate {
    let (at, mask) = (bit / 8, 1 << (bit % 8));
    let what = format!("{} with bit {bit} flipped", whole.name);
    bytes[at] ^= mask;
    victim.file.write_all_at(&bytes[at..=at], at as u64).unwrap();
    let lines = victim.open(bytes, &what);
    bytes[at] ^= mask;
    victim.file.write_all_at(&bytes[at..=at], at as u64).unwrap();
    let Some(lines) = lines else {
        return Fate::Refused;
    };
    // A compressed file says nothing of what came before its damage but in whole blocks.
    let sure = if whole.packed || at < HEADERS {
        0
    } else {
        whole.entries_within(at)
    };
    assert!(lines.len() >= sure, "{what}: {} of {sure} entries", lines.len());
    assert!(lines[..sure] == whole.lines[..sure], "{what}");
    Fate::Opened
}

#[test]
fn every_cut_opens_to_the_last_whole_entry() {
    assert!(cuts(4 << 10, 61) > 250);
}

#[test]
fn every_flip_opens_or_is_refused() {
    let (count, refused) = flips(4 << 10, 131);
    assert!(count > 800 && refused < count / 20, "{refused} of {count}");
}
