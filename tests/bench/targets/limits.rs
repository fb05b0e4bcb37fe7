//! The programs that set the limits: each does only what the machine asks of anybody who does the same, with plain
//! blocking calls. A receiver, with and without a file and an index; a screen that paints without deciding anything.

use std::fs::File;
use std::io::{Read as _, Write as _, stdin, stdout};
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::getpid;
use serde::{Deserialize, Serialize};

use crate::process::{Part, peak_memory, tell};
use crate::servers::Server;

/// Bytes that one read returns at most: larger ones are not faster, smaller ones cost more.
const READ: usize = 64 << 10;

/// What a receiver tells when the peer has ended.
#[derive(Deserialize, Serialize)]
struct Taken {
    bytes: u64,
    seconds: f64,
    peak_memory: f64,
}

/// What one run of a receiver took.
pub(crate) struct Cost {
    /// From the first read to the last.
    pub(crate) seconds: f64,
    pub(crate) cpu: f64,
    /// In MiB.
    pub(crate) peak_memory: f64,
}

/// Lets a receiver take everything from `server`: to `file`, or to nowhere.
pub(crate) fn receive(server: &Server, bytes: u64, file: Option<&Path>) -> Cost {
    let mut part = match file {
        None => Part::start(&["discard", &server.address]),
        Some(file) => Part::start(&["record", &server.address, file.to_str().unwrap()]),
    };
    let taken: Taken = part.hear();
    assert_eq!(taken.bytes, bytes);
    let cost = Cost {
        seconds: taken.seconds,
        cpu: part.end(),
        peak_memory: taken.peak_memory,
    };
    if let Some(file) = file {
        std::fs::remove_file(file).unwrap();
    }
    cost
}

/// An index entry of 24 bytes.
struct Read {
    _at: u64,
    _offset: u64,
    _len: u32,
    _flags: u32,
}

/// Receives until the peer ends; writes what came to `file`, if one is named, and keeps where and when it came.
pub(crate) fn take(address: &str, file: Option<&Path>) {
    let mut file = file.map(|path| File::create(path).unwrap());
    let mut stream = TcpStream::connect(address).unwrap();
    let mut buffer = vec![0; READ];
    let mut index = Vec::new();
    let mut bytes = 0;
    let mut first: Option<Instant> = None;
    while let count @ 1.. = stream.read(&mut buffer).unwrap() {
        first.get_or_insert_with(Instant::now);
        if let Some(file) = &mut file {
            file.write_all(&buffer[..count]).unwrap();
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            index.push(Read {
                _at: now.as_nanos() as u64,
                _offset: bytes,
                _len: count as u32,
                _flags: 0,
            });
        }
        bytes += count as u64;
    }
    std::hint::black_box(&index);
    tell(&Taken {
        bytes,
        seconds: first.map_or(0.0, |first| first.elapsed().as_secs_f64()),
        peak_memory: peak_memory(getpid()),
    });
}

/// When a screen paints by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// All of it, sixty times a second.
    Frames,
    /// A line of it, once a second.
    Clock,
}

impl Pace {
    /// How it is written as an argument.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Pace::Frames => "frames",
            Pace::Clock => "clock",
        }
    }

    fn interval(self) -> Duration {
        match self {
            Pace::Frames => Duration::from_micros(16_667),
            Pace::Clock => Duration::from_secs(1),
        }
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(name: &str) -> Result<Pace, String> {
        [Pace::Frames, Pace::Clock]
            .into_iter()
            .find(|pace| pace.name() == name)
            .ok_or_else(|| format!("no such pace: {name}"))
    }
}

/// A screen of 200x50. Keys show in its input line, what comes from `address` in its log, both at once; `Q` ends it.
pub(crate) fn paint(pace: Pace, address: Option<&str>) {
    let mut terminal = tcgetattr(stdin()).unwrap();
    cfmakeraw(&mut terminal);
    tcsetattr(stdin(), SetArg::TCSANOW, &terminal).unwrap();
    show("\x1b[?1049h\x1b[?25l");
    show(&full(0));
    let mut stream = address.map(|address| TcpStream::connect(address).unwrap());
    if stream.is_some() {
        show("\x1b[1;180H● open");
    }
    let (mut typed, mut number) = (String::new(), 0);
    let mut buffer = vec![0; READ];
    let mut next = Instant::now() + pace.interval();
    loop {
        let (key, arrival) = wait(stream.as_ref(), next);
        if key {
            let count = stdin().read(&mut buffer).unwrap();
            for &byte in &buffer[..count] {
                match byte {
                    b'Q' => return show("\x1b[?25h\x1b[?1049l"),
                    b'a'..=b'z' => typed.push(char::from(byte)),
                    _ => typed.clear(),
                }
            }
            show(&format!("\x1b[48;1H│ > {typed}\x1b[K"));
        }
        if let (Some(open), true) = (&mut stream, arrival) {
            let count = open.read(&mut buffer).unwrap();
            let row = 2 + number % 40;
            let text = String::from_utf8_lossy(&buffer[..count]);
            show(&format!("\x1b[{row};1H{}\x1b[K", text.trim_end()));
            if count == 0 {
                stream = None;
            }
            number += 1;
        }
        if Instant::now() >= next {
            next += pace.interval();
            number += 1;
            match pace {
                Pace::Frames => show(&full(number)),
                Pace::Clock => show(&format!("\x1b[1;100H{number}")),
            }
        }
    }
}

/// Whether a key and whether bytes are there; neither when it is time to paint.
fn wait(stream: Option<&TcpStream>, until: Instant) -> (bool, bool) {
    let stdin = stdin();
    let mut descriptors = vec![PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    descriptors.extend(stream.map(|stream| PollFd::new(stream.as_fd(), PollFlags::POLLIN)));
    let left = until.saturating_duration_since(Instant::now());
    // Rounded up, or the last part of a millisecond is spent polling.
    let millis = left.as_micros().div_ceil(1000) as u16;
    poll(&mut descriptors, PollTimeout::from(millis)).unwrap();
    let ready = |at: usize| descriptors.get(at).and_then(PollFd::any).unwrap_or(false);
    (ready(0), ready(1))
}

/// Every cell but those of the input line.
fn full(number: u32) -> String {
    let letter = |row: u32| char::from(b'a' + ((row + number) % 26) as u8);
    let rows = (1..=50).filter(|row| *row != 48);
    rows.fold(String::new(), |picture, row| {
        picture + &format!("\x1b[{row};1H") + &letter(row).to_string().repeat(200)
    })
}

/// Paints as one synchronized update, as programs do for a whole picture.
fn show(picture: &str) {
    let mut out = stdout().lock();
    write!(out, "\x1b[?2026h{picture}\x1b[?2026l").unwrap();
    out.flush().unwrap();
}
