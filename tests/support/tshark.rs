//! What tshark says of a capture: fields, complaints, and the streams that it follows.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness, and none the whole; a harness that fails fails the test"
)]

use std::path::Path;
use std::process::{Command, Output};

/// Streams asked for in one run; each is a tap, and a run costs a third of a second whatever it is asked for.
const TAPS: u32 = 400;

/// What tshark mentions with every connection: the flags themselves.
pub const MENTIONS: [&str; 6] = [
    "Connection establish request (SYN)",
    "Connection establish acknowledge (SYN+ACK)",
    "Connection finish (FIN)",
    "Connection reset (RST)",
    "This frame initiates the connection closing",
    "This frame undergoes the connection closing",
];

/// A transport that tshark follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        }
    }
}

/// One stream as Follow Stream shows it: the end that spoke first, and the other one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    pub ends: [String; 2],
    pub bytes: [Vec<u8>; 2],
}

impl Followed {
    /// What `end` sent.
    pub fn sent_by(&self, end: &str) -> &[u8] {
        let place = self.ends.iter().position(|one| one == end);
        &self.bytes[place.unwrap_or_else(|| panic!("{end} is not in {:?}", self.ends))]
    }
}

/// A run of tshark over a file, without looking names up.
pub fn command(path: &Path) -> Command {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(path);
    command
}

/// Runs tshark over a file that it must read to its end without a word.
pub fn tshark(path: &Path, arguments: &[&str]) -> String {
    let output: Output = command(path).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = errors
        .lines()
        .filter(|line| !line.starts_with("Running as user"))
        .collect();
    assert!(
        output.status.success() && errors.is_empty(),
        "tshark {arguments:?}: {errors:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The columns `fields` of every packet, one line a packet.
pub fn fields(path: &Path, fields: &[&str]) -> Vec<String> {
    let mut arguments = vec!["-T", "fields"];
    for field in fields {
        arguments.extend(["-e", field]);
    }
    tshark(path, &arguments).lines().map(str::to_owned).collect()
}

/// What tshark has to say against any packet, beyond the mere mention of SYN, FIN and RST.
pub fn complaints(path: &Path) -> Vec<String> {
    fields(path, &["_ws.expert.message"])
        .iter()
        .flat_map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>())
        .filter(|message| !message.is_empty() && !MENTIONS.iter().any(|mention| message.starts_with(mention)))
        .collect()
}

/// The first `count` streams.
pub fn follow(path: &Path, transport: Transport, count: u32) -> Vec<Followed> {
    follow_with(&|| command(path), transport, count)
}

/// The same with a command of one's own.
pub fn follow_with(command: &dyn Fn() -> Command, transport: Transport, count: u32) -> Vec<Followed> {
    let mut streams = Vec::new();
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(TAPS as usize) {
        let mut run = command();
        run.arg("-q");
        for number in some {
            run.args(["-z", &format!("follow,{},raw,{number}", transport.name())]);
        }
        let output = run.output().unwrap();
        let mut found = parse(&output.stdout);
        found.retain(|(name, ..)| name == transport.name());
        found.sort_by_key(|(_, number, _)| *number);
        let told: Vec<u32> = found.iter().map(|(_, number, _)| *number).collect();
        assert_eq!(told, some, "{}", String::from_utf8_lossy(&output.stderr));
        streams.extend(found.into_iter().map(|(_, _, stream)| stream));
    }
    streams
}

/// Transport, number and content of each stream in the output of any number of taps.
pub fn parse(output: &[u8]) -> Vec<(String, u32, Followed)> {
    let text = std::str::from_utf8(output).unwrap();
    let mut streams: Vec<(String, u32, Followed)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Follow: ") {
            let name = name.strip_suffix(",raw").unwrap();
            streams.push((name.to_owned(), 0, Followed::default()));
            continue;
        }
        // What comes before are the fields of packets.
        let Some((_, number, stream)) = streams.last_mut() else {
            continue;
        };
        if let Some(filter) = line.strip_prefix("Filter: ") {
            *number = filter.rsplit(' ').next().unwrap().parse().unwrap();
        } else if let Some(end) = line.strip_prefix("Node 0: ") {
            end.clone_into(&mut stream.ends[0]);
        } else if let Some(end) = line.strip_prefix("Node 1: ") {
            end.clone_into(&mut stream.ends[1]);
        } else if let Some(bytes) = line.strip_prefix('\t') {
            stream.bytes[1].extend(hex::decode(bytes).unwrap());
        } else if !line.starts_with('=') {
            stream.bytes[0].extend(hex::decode(line).unwrap());
        }
    }
    streams
}
