//! P20: captures that were mutated open without a panic, in bounded time and memory, and all that is found in them
//! can be read.

use std::path::Path;
use std::time::{Duration, Instant};

use sockscope::model::{EntryId, FileState, Records};

use super::wire::{self, Flag, From, Order, Packet, START, Talk};

/// A small generator (Knuth's MMIX constants), so that a mutation can be made again from its number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }
}

/// Captures that have everything in them.
fn seeds() -> Vec<Vec<u8>> {
    let mut talk = Talk::new("10.0.0.1:50000", "10.0.0.2:80", [u32::MAX - 5, 8]);
    talk.open();
    for number in 0..12 {
        talk.ask(&[b'a' + number; 30]);
        talk.answer(&[b'A' + number; 50]);
    }
    talk.close();
    let mut six = Talk::new("[fe80::1]:50000", "[fe80::2]:80", [1, 2]);
    six.open();
    six.ask(b"hello");
    six.send(From::Server, Flag::Rst, b"");
    let mut packets = talk.packets;
    packets.extend(six.packets);
    let datagram = wire::udp("10.0.0.1:40000", "10.0.0.2:53", &[b'q'; 64]);
    let mut fragment = datagram.clone();
    fragment[6] = 0x20;
    for ip in [datagram, fragment] {
        packets.push(Packet { at: START, ip });
    }
    packets.swap(5, 9);
    packets.remove(12);
    let little = Order::Little;
    let mixed = [
        wire::section(little),
        wire::interface(little, 1, 60, &[(9, &[0x8a]), (14, &[0xff; 8])]),
        wire::enhanced(little, 0, START, &wire::frame(1, &packets[3].ip), usize::MAX),
        wire::block(little, 3, &[&[200, 0, 0, 0], &packets[3].ip[..]].concat()),
        wire::pcapng(Order::Big, 276, &packets),
    ]
    .concat();
    vec![
        wire::pcap(little, false, 1, 65_535, &packets),
        wire::pcap(Order::Big, true, 113, 70, &packets),
        wire::pcapng(little, 101, &packets),
        mixed,
    ]
}

/// Flips, overwrites, cuts out, repeats and inserts.
fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    const WORDS: [u32; 8] = [0, 1, 4, 0x7fff_ffff, 0x8000_0000, u32::MAX, 0x0010_0000, 262_144];
    for _ in 0..=dice.roll(6) {
        let at = dice.roll(bytes.len());
        match dice.roll(6) {
            0 => bytes[at] ^= 1 << dice.roll(8),
            1 => bytes[at] = dice.roll(256) as u8,
            2 => {
                let word = WORDS[dice.roll(WORDS.len())];
                let word = if dice.roll(2) == 0 {
                    word.to_le_bytes()
                } else {
                    word.to_be_bytes()
                };
                for (place, byte) in bytes[at..].iter_mut().zip(word) {
                    *place = byte;
                }
            }
            3 => {
                let end = (at + dice.roll(100)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + dice.roll(200)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = dice.roll(bytes.len());
                bytes.splice(to..to, part);
            }
            _ => bytes.truncate(at.max(30)),
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
}

fn open(path: &Path, what: &str) -> Duration {
    let start = Instant::now();
    let Ok(opening) = sockscope::capture::open_in_background(path) else {
        return start.elapsed();
    };
    let report = wire::wait(&opening, |report| report.state != FileState::Indexing);
    let session = &opening.session;
    assert_eq!(session.len(), report.entries, "{what}");
    for number in 0..session.len() {
        let id = EntryId(number);
        let entry = session
            .entry(id)
            .unwrap_or_else(|error| unreachable!("{what}: {error}"));
        let payload = session.payload(id, 0..u32::MAX).unwrap();
        assert_eq!(payload.len(), entry.len as usize, "{what}");
        session.surroundings(id).unwrap();
        assert!(session.started(entry.connection).is_some(), "{what}");
    }
    let (mut listed, mut counted) = (0, 0);
    while listed < report.conversations {
        let page = session.conversation_page(listed..u64::MAX);
        assert!(!page.is_empty(), "{what}");
        counted += page.iter().map(|one| one.entries).sum::<u64>();
        listed += page.len() as u64;
    }
    assert_eq!(
        (listed, counted),
        (report.conversations, report.entries),
        "{what}"
    );
    start.elapsed()
}

/// Opens `count` mutated captures; returns the longest time that one took.
pub(crate) fn mutations(count: u64) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let seeds = seeds();
    let mut longest = Duration::ZERO;
    for number in 0..count {
        let mut dice = Dice(number);
        let mut bytes = seeds[dice.roll(seeds.len())].clone();
        mutate(&mut bytes, &mut dice);
        wire::write_old(&path, &bytes);
        longest = longest.max(open(&path, &format!("mutation {number}")));
    }
    longest
}

#[test]
fn mutated_captures_are_harmless() {
    mutations(500);
}

#[test]
fn a_flood_of_connections_and_gaps_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    // Every packet another connection; then one whose every other byte is missing; then fragments without end.
    let mut packets: Vec<Packet> = (0..20_000u32)
        .map(|number| {
            let from = format!("10.1.{}.{}:{}", number >> 8 & 255, number & 255, 1024 + number);
            let mut talk = Talk::new(&from, "10.0.0.2:80", [number, 0]);
            talk.send(From::Client, Flag::Syn, b"");
            talk.packets.remove(0)
        })
        .collect();
    for number in 0..20_000 {
        let mut talk = Talk::new("10.0.0.1:50000", "10.0.0.2:80", [2 * number, 0]);
        talk.ask(b"x");
        packets.append(&mut talk.packets);
    }
    for number in 0..5_000u32 {
        let mut ip = wire::udp("10.0.0.1:40000", "10.0.0.2:53", &[0; 64]);
        ip[4..6].copy_from_slice(&(number as u16).to_be_bytes());
        ip[6..8].copy_from_slice(&0x3fffu16.to_be_bytes());
        packets.push(Packet { at: START, ip });
    }
    wire::write_old(&path, &wire::pcap(Order::Little, false, 101, 65_535, &packets));
    open(&path, "the flood");
}
