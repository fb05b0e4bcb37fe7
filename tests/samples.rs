//! Captures from anywhere, as `SOCKSCOPE_SAMPLES=DIR cargo test --test samples -- --nocapture`: every file under the
//! directory is opened, and its conversations and their payload are those that tshark follows.
//!
//! The samples are not part of the repository: their licences are their authors'. Without the variable there is
//! nothing to compare.

#![expect(clippy::unwrap_used, reason = "a comparison that cannot go on has failed")]

#[path = "support/tshark.rs"]
mod tshark;
#[path = "support/wire.rs"]
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use sockscope::capture::Session;
use sockscope::model::{Direction, EntryId, EntryKind, FileState, Protocol, Records as _};

use tshark::{Followed, Transport};

/// A part of one direction of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    Gap(u64),
}

impl Part {
    /// Bytes that are there.
    fn len(&self) -> u64 {
        match self {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::Gap(_) => 0,
        }
    }
}

/// A conversation as we read it: the client, the server, and what each sent.
#[derive(Debug)]
struct Ours {
    ends: [String; 2],
    parts: [Vec<Part>; 2],
}

/// The ends of a stream that tshark knows and does not follow.
const NOBODY: [&str; 2] = [":0", ":0"];

/// How one direction compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Byte for byte, with the same marks where bytes are missing.
    Same,
    /// tshark shows nothing behind a gap unless the receiver acknowledged what lies behind it; up to there they agree.
    BehindAGap,
    /// A stream that begins with a keep-alive, which repeats a byte from before the capture (RFC 9293 §3.8.4): tshark
    /// says that this byte is missing.
    KeepAlive,
    /// tshark follows nothing of a datagram whose length is a lie, and we show what is there of it.
    NotFollowed,
    /// tshark puts the segments together otherwise: it takes another of several copies, another of several sequence
    /// numbers to begin with, or leaves segments out. All that we show was captured at its place in the stream, and is
    /// no less than what tshark shows.
    OtherOrder,
    /// For no reason that is known.
    Differs,
}

fn ours(session: &Session, protocol: Protocol) -> Vec<Ours> {
    let mut all = Vec::new();
    let mut places = BTreeMap::new();
    let mut first = 0;
    loop {
        let page = session.conversation_page(first..u64::MAX);
        if page.is_empty() {
            break;
        }
        first += page.len() as u64;
        for one in page.into_iter().filter(|one| one.protocol == protocol) {
            places.insert(one.id, all.len());
            all.push(Ours {
                ends: [
                    one.client().unwrap().to_string(),
                    one.server().unwrap().to_string(),
                ],
                parts: [Vec::new(), Vec::new()],
            });
        }
    }
    for number in 0..session.len() {
        let id = EntryId(number);
        let entry = session.entry(id).unwrap();
        let Some(place) = places.get(&entry.connection) else {
            continue;
        };
        let (direction, part) = if let EntryKind::Data { direction } = entry.kind {
            let bytes = session.payload(id, 0..u32::MAX).unwrap();
            (direction, Part::Bytes(bytes))
        } else if let EntryKind::Gap { direction, bytes } = entry.kind {
            (direction, Part::Gap(bytes))
        } else {
            continue;
        };
        let side = match direction {
            Direction::Sent => 0,
            Direction::Received => 1,
        };
        let parts = &mut all[*place].parts[side];
        match (parts.last_mut(), part) {
            (Some(Part::Bytes(last)), Part::Bytes(bytes)) => last.extend(bytes),
            (_, part) => parts.push(part),
        }
    }
    all
}

/// What tshark writes where bytes are missing, behind their number.
const MARK: &[u8] = b" bytes missing in capture file]";

/// What tshark writes where bytes are missing.
fn mark(missing: u64) -> Vec<u8> {
    format!("[{missing} bytes missing in capture file]\0").into_bytes()
}

/// Compares one direction, and says how many bytes were the same.
fn compare(ours: &[Part], bytes: &[u8]) -> (Verdict, u64) {
    let found = compare_bytes(ours, bytes);
    if found.0 != Verdict::Differs {
        return found;
    }
    if let Some(rest) = bytes.strip_prefix(mark(1).as_slice())
        && let (Verdict::Same, same) = compare_bytes(ours, rest)
    {
        return (Verdict::KeepAlive, same);
    }
    found
}

fn compare_bytes(ours: &[Part], theirs: &[u8]) -> (Verdict, u64) {
    let mut rest = theirs;
    let mut same = 0;
    let mut gaps: Vec<u64> = Vec::new();
    let mut any_gap = false;
    for part in ours {
        match part {
            Part::Bytes(bytes) => {
                rest = without_marks(rest, &gaps);
                gaps.clear();
                let Some(after) = rest.strip_prefix(bytes.as_slice()) else {
                    let verdict = if any_gap && rest.is_empty() {
                        Verdict::BehindAGap
                    } else {
                        Verdict::Differs
                    };
                    return (verdict, same);
                };
                rest = after;
                same += bytes.len() as u64;
            }
            Part::Gap(missing) => {
                any_gap = true;
                gaps.push(*missing);
            }
        }
    }
    let verdict = if without_marks(rest, &gaps).is_empty() {
        Verdict::Same
    } else {
        Verdict::Differs
    };
    (verdict, same)
}

/// Passes over the marks of these gaps: tshark has one for all that lie side by side, and none where the snap length cut
/// a packet.
fn without_marks<'a>(bytes: &'a [u8], gaps: &[u64]) -> &'a [u8] {
    for first in 0..gaps.len() {
        for last in first..gaps.len() {
            let all = gaps[first..=last].iter().sum();
            if let Some(rest) = bytes.strip_prefix(mark(all).as_slice()) {
                return without_marks(rest, &gaps[last + 1..]);
            }
        }
    }
    bytes
}

/// How many bytes of one direction were captured at their places in the stream, each in some segment; `None` unless all
/// of them were, and they are no fewer than those of `theirs`.
fn captured(one: &Ours, side: usize, theirs: &[u8], command: &dyn Fn() -> Command) -> Option<u64> {
    let ends = [&one.ends[side], &one.ends[1 - side]].map(|end| end.parse::<SocketAddr>().unwrap());
    let family = if ends[0].is_ipv4() { "ip" } else { "ipv6" };
    let filter = format!(
        "{family}.src == {} && tcp.srcport == {} && {family}.dst == {} && tcp.dstport == {}",
        ends[0].ip(),
        ends[0].port(),
        ends[1].ip(),
        ends[1].port()
    );
    let fields = ["-T", "fields", "-e", "tcp.seq_raw", "-e", "tcp.payload"];
    let output = command().args(["-Y", &filter]).args(fields).output().unwrap();
    let mut bytes: BTreeMap<u32, BTreeSet<u8>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (seq, payload) = line.split_once('\t').unwrap();
        let seq: u32 = seq.parse().ok()?;
        for (byte, at) in hex::decode(payload).ok()?.into_iter().zip(0..) {
            bytes.entry(seq.wrapping_add(at)).or_default().insert(byte);
        }
    }
    let shown: u64 = one.parts[side].iter().map(Part::len).sum();
    let marks: usize = (0..theirs.len())
        .filter(|at| theirs[*at..].starts_with(MARK))
        .map(|at| {
            let digits = theirs[..at].iter().rev().take_while(|byte| byte.is_ascii_digit());
            "[".len() + digits.count() + MARK.len() + "\0".len()
        })
        .sum();
    if shown + (marks as u64) < theirs.len() as u64 {
        return None;
    }
    let starts: Vec<u32> = bytes.keys().copied().collect();
    starts
        .into_iter()
        .any(|start| {
            let mut at = start;
            one.parts[side].iter().all(|part| match part {
                Part::Bytes(all) => all.iter().all(|byte| {
                    let found = bytes.get(&at).is_some_and(|copies| copies.contains(byte));
                    at = at.wrapping_add(1);
                    found
                }),
                Part::Gap(missing) => {
                    at = at.wrapping_add(*missing as u32);
                    true
                }
            })
        })
        .then_some(shown)
}

fn describe(parts: &[Part]) -> String {
    let words: Vec<String> = parts
        .iter()
        .take(12)
        .map(|part| match part {
            Part::Bytes(bytes) => bytes.len().to_string(),
            Part::Gap(missing) => format!("gap {missing}"),
        })
        .collect();
    words.join(", ")
}

/// What was found in all files.
#[derive(Debug, Default)]
struct Totals {
    captures: u64,
    conversations: [u64; 2],
    bytes: u64,
    verdicts: BTreeMap<Verdict, u64>,
    /// Captures that agree only once tshark is told to look into no other protocol.
    looked_into: u64,
    /// Files that we refuse, by reason.
    refused: BTreeMap<String, u64>,
    /// Captures with a difference that nothing explains.
    differing: Vec<PathBuf>,
}

/// How the conversations of one capture compare.
#[derive(Debug, Default)]
struct Comparison {
    conversations: [u64; 2],
    bytes: u64,
    verdicts: BTreeMap<Verdict, u64>,
    differences: Vec<String>,
}

/// All streams of a transport.
fn theirs(command: &dyn Fn() -> Command, transport: Transport) -> Vec<Followed> {
    let field = format!("{}.stream", transport.name());
    let output = command().args(["-T", "fields", "-e", &field]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers = text
        .lines()
        .flat_map(|line| line.split(','))
        .filter_map(|number| number.parse::<u32>().ok());
    match numbers.max() {
        Some(last) => tshark::follow_with(command, transport, last + 1),
        None => Vec::new(),
    }
}

impl Comparison {
    /// Compares an opened capture with what a command of tshark says of it.
    fn new(session: &Session, command: &dyn Fn() -> Command) -> Comparison {
        let mut comparison = Comparison::default();
        comparison.transport(session, Protocol::Tcp, Transport::Tcp, command);
        comparison.transport(session, Protocol::Udp, Transport::Udp, command);
        comparison
    }

    fn transport(
        &mut self,
        session: &Session,
        protocol: Protocol,
        transport: Transport,
        command: &dyn Fn() -> Command,
    ) {
        let (ours, theirs) = (ours(session, protocol), theirs(command, transport));
        let name = transport.name();
        self.conversations[usize::from(transport == Transport::Udp)] = ours.len() as u64;
        let (mut named, unnamed): (Vec<&Followed>, Vec<&Followed>) =
            theirs.iter().partition(|one| one.ends != NOBODY);
        let mut not_followed = unnamed.len();
        for (number, one) in ours.iter().enumerate() {
            let place = named
                .iter()
                .position(|other| one.ends.iter().eq(&other.ends) || one.ends.iter().rev().eq(&other.ends));
            match place {
                Some(place) => {
                    let other = named.remove(place);
                    self.conversation(&format!("{name} {number}"), one, other, command);
                }
                None if not_followed > 0 => {
                    not_followed -= 1;
                    *self.verdicts.entry(Verdict::NotFollowed).or_default() += 2;
                }
                None => self.differences.push(format!(
                    "{name} {number}: {:?} is not known to tshark: {}, {}",
                    one.ends,
                    describe(&one.parts[0]),
                    describe(&one.parts[1])
                )),
            }
        }
        for other in named {
            let sizes = [other.bytes[0].len(), other.bytes[1].len()];
            let text = format!("{name}: {:?} with {sizes:?} bytes is not known to us", other.ends);
            self.differences.push(text);
        }
    }

    fn conversation(&mut self, name: &str, one: &Ours, other: &Followed, command: &dyn Fn() -> Command) {
        let swapped = one.ends[0] != other.ends[0];
        for side in [0, 1] {
            let theirs = side ^ usize::from(swapped);
            let (mut verdict, mut same) = compare(&one.parts[side], &other.bytes[theirs]);
            if verdict == Verdict::Differs
                && let Some(len) = captured(one, side, &other.bytes[theirs], command)
            {
                (verdict, same) = (Verdict::OtherOrder, len);
            }
            self.bytes += same;
            *self.verdicts.entry(verdict).or_default() += 1;
            if verdict == Verdict::Differs {
                self.differences.push(format!(
                    "{name} from {}: {}; tshark {} bytes; the first {same} are the same",
                    one.ends[side],
                    describe(&one.parts[side]),
                    other.bytes[theirs].len()
                ));
            }
        }
    }
}

impl Totals {
    fn file(&mut self, path: &Path, plain: &Path) {
        let opening = match sockscope::capture::open_in_background(path) {
            Ok(opening) => opening,
            Err(error) => {
                let text = error.to_string().replace(&path.display().to_string(), "FILE");
                *self.refused.entry(text).or_default() += 1;
                return;
            }
        };
        let report = wire::wait(&opening, |report| report.state != FileState::Indexing);
        if let FileState::Failed(why) = &report.state {
            *self.refused.entry(why.clone()).or_default() += 1;
            return;
        }
        self.captures += 1;
        let mut found = Comparison::new(&opening.session, &|| tshark::command(path));
        if !found.differences.is_empty() {
            let at_first = found.differences;
            found = Comparison::new(&opening.session, &|| {
                let mut command = tshark::command(path);
                command.env("WIRESHARK_CONFIG_DIR", plain);
                command
            });
            if found.differences.is_empty() {
                self.looked_into += 1;
                println!("{}: other protocols: {}", path.display(), at_first[0]);
            } else {
                println!(
                    "{}: {:#?} {:#?}",
                    path.display(),
                    found.differences,
                    report.remarks
                );
                self.differing.push(path.to_owned());
            }
        }
        for (all, more) in self.conversations.iter_mut().zip(found.conversations) {
            *all += more;
        }
        self.bytes += found.bytes;
        for (verdict, count) in found.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
    }
}

/// A configuration in which tshark knows the protocols that we read, and no other.
fn plain(folder: &Path) {
    const KNOWN: [&str; 21] = [
        "mpls",
        "pppoes",
        "ppp",
        "chdlc",
        "gre",
        "ieee8021ah",
        "frame",
        "eth",
        "ethertype",
        "llc",
        "vlan",
        "ieee8021ad",
        "ip",
        "ipv6",
        "ipv6.hopopts",
        "ipv6.routing",
        "ipv6.fraghdr",
        "ipv6.dstopts",
        "tcp",
        "udp",
        "data",
    ];
    const LINKS: [&str; 6] = ["sll", "raw", "null", "loop", "pkt_comment", "pcapng"];
    let output = Command::new("tshark").args(["-G", "protocols"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split('\t').nth(2));
    let disabled: Vec<&str> = names
        .filter(|name| !KNOWN.contains(name) && !LINKS.contains(name))
        .collect();
    fs::write(folder.join("disabled_protos"), disabled.join("\n") + "\n").unwrap();
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn samples_are_read_as_tshark_reads_them() {
    let Some(folder) = std::env::var_os("SOCKSCOPE_SAMPLES") else {
        println!("skipped: SOCKSCOPE_SAMPLES names no directory of captures");
        return;
    };
    let mut files = Vec::new();
    walk(Path::new(&folder), &mut files);
    files.sort();
    let configuration = tempfile::tempdir().unwrap();
    plain(configuration.path());
    let mut totals = Totals::default();
    for file in &files {
        totals.file(file, configuration.path());
    }
    println!("{totals:#?}");
    assert_eq!(totals.differing, Vec::<PathBuf>::new());
}
