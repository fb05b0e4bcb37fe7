//! Small TCP peers on the loopback interface, each on a thread of its own.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness, and none the whole; a harness that fails fails the test"
)]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// A peer that serves one connection.
pub struct Peer {
    /// Where it listens, as the command line wants it.
    pub target: String,
    /// Ends with the connection.
    pub thread: JoinHandle<()>,
}

/// Serves the first connection with `serve`.
pub fn serve(serve: impl FnOnce(TcpStream) + Send + 'static) -> Peer {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let thread = thread::spawn(move || serve(listener.accept().unwrap().0));
    Peer { target, thread }
}

/// Sends `bytes`, and then reads until the other side ends.
pub fn sends(bytes: Vec<u8>) -> Peer {
    serve(move |mut stream| {
        // The other side may end first.
        let _ = stream.write_all(&bytes);
        drain(&mut stream);
    })
}

/// Sends the same bytes over and over until the other side ends.
pub fn floods(bytes: Vec<u8>) -> Peer {
    serve(move |mut stream| while stream.write_all(&bytes).is_ok() {})
}

/// Reads until the other side ends.
pub fn drain(stream: &mut TcpStream) {
    let mut buffer = vec![0; 1 << 16];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}

/// Numbers that look random and are the same in every run (`SplitMix64`).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next one.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next one below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Bytes that a terminal must never see: every control character and sequence that does harm, everything that hides,
/// joins or reorders, marks without end, broken encodings, and noise.
pub fn hostile(len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).collect();
    let samples = [
        "\x1b[2J\x1b[1;1Howned\x1b[31m",
        "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x1b\\\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
        "\x1b[6n\x1b[c\x1b[>c\x1bP$qm\x1b\\\x1bPtmux;\x1b\x1b]0;x\x07\x1b\\\x1bc\x1b#8\x1b[?1049l\x1b[?2026l",
        "\u{9b}31m\u{90}\u{9d}0;x\u{9c}\u{85}\u{7f}\u{8}\r\n\t\x0b\x0c\x0e\x0f",
        "\u{202e}abc\u{2066}\u{200f}\u{61c}\u{200b}\u{ad}\u{feff}\u{2028}\u{3000}\u{a0}\u{2800}",
        "\u{e000}\u{f8ff}\u{fffd}\u{fffc}\u{10ffff}\u{fe0f}\u{e0041}\u{1f1e6}\u{1f1e7}\u{1f468}\u{200d}\u{1f469}",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{301}z\u{300}א\u{5b0}ا漢字😀é\u{2630}\u{1100}\u{1161}\u{11a8}",
    ];
    for sample in samples {
        bytes.extend_from_slice(sample.as_bytes());
        bytes.extend_from_slice(b" \xff\xfe\x80\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe6\xbc\n");
    }
    bytes.extend("a\u{301}".bytes());
    bytes.extend("\u{301}".repeat(2000).bytes());
    let mut numbers = Numbers(1);
    while bytes.len() < len {
        match numbers.below(4) {
            0 => bytes.push(numbers.next() as u8),
            1 => bytes.extend_from_slice(samples[numbers.below(samples.len() as u64) as usize].as_bytes()),
            2 => bytes.extend_from_slice(b"\x1b["),
            _ => {
                let scalar = char::from_u32(numbers.below(0x11_0000) as u32).unwrap_or('\u{1b}');
                bytes.extend_from_slice(scalar.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    bytes
}
