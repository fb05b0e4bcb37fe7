//! The values of socket options: read as they are written on the command line, and written as they are read.

use std::fmt;
use std::time::Duration;

use crate::text::{format, parse};

/// The longest name of an interface or a congestion control (`IFNAMSIZ`, `TCP_CA_NAME_MAX`, without the byte that ends
/// them).
const LONGEST_NAME: usize = 15;

/// The largest buffer that can be asked for: the kernel counts in 31 bits and doubles what it is asked for.
const LARGEST_BUFFER: u64 = 1 << 30;

/// The longest times of keep-alive probes (`MAX_TCP_KEEPIDLE` of linux/tcp.h), in seconds.
const LONGEST_IDLE: u64 = 32_767;

/// The most probes (`MAX_TCP_KEEPCNT`).
const MOST_PROBES: u32 = 127;

/// The longest time that the kernel lingers, in seconds: it counts ticks, of which a second has up to 1,000, in 31 bits.
const LONGEST_LINGER: u64 = 2_000_000;

/// Code points of differentiated services that have names (RFC 2474, 2597, 3246, 5865, 8622).
const CODE_POINTS: &[(&str, u32)] = &[
    ("cs0", 0),
    ("le", 1),
    ("cs1", 8),
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("cs2", 16),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("cs3", 24),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("cs4", 32),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("cs5", 40),
    ("va", 44),
    ("ef", 46),
    ("cs6", 48),
    ("cs7", 56),
];

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketValue {
    /// On or off.
    Switch(bool),
    /// Keep-alive probes, or none.
    KeepAlive(Option<KeepAlive>),
    /// A time, or none.
    Time(Option<Duration>),
    /// A number; of sizes in bytes.
    Number(u32),
    /// A name; of interfaces none stands for any.
    Name(Option<String>),
}

/// When a silent peer is probed (tcp(7)). What is `None` is left as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// After how much silence, in whole seconds.
    pub idle: Option<Duration>,
    /// How long after a probe the next follows, in whole seconds.
    pub interval: Option<Duration>,
    /// After how many of them the connection is given up.
    pub count: Option<u32>,
}

/// What values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// On or off.
    Switch,
    /// Keep-alive probes.
    KeepAlive,
    /// Whole seconds, or none.
    Seconds,
    /// Whole milliseconds, or none.
    Milliseconds,
    /// A number from this to that.
    Number(u32, u32),
    /// A byte, in hexadecimal digits where it is shown.
    Byte,
    /// A code point of differentiated services.
    CodePoint,
    /// Bytes.
    Size,
    /// A name of what, and one of those that there are.
    Name(&'static str, &'static str),
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueKind::Switch => f.write_str("on|off"),
            ValueKind::KeepAlive => f.write_str("on|off|IDLE[:INTERVAL[:COUNT]]"),
            ValueKind::Seconds => f.write_str("SECONDS|off"),
            ValueKind::Milliseconds => f.write_str("TIME|off"),
            ValueKind::Number(_, u32::MAX) => f.write_str("NUMBER"),
            ValueKind::Number(least, most) => write!(f, "{least}..{most}"),
            ValueKind::Byte => f.write_str("0..255"),
            ValueKind::CodePoint => f.write_str("0..63|NAME"),
            ValueKind::Size => f.write_str("SIZE"),
            ValueKind::Name(what, _) => f.write_str(what),
        }
    }
}

impl ValueKind {
    /// One of the values.
    pub(super) fn example(self) -> &'static str {
        match self {
            ValueKind::Switch => "on",
            ValueKind::KeepAlive => "10s:2s:5",
            ValueKind::Seconds => "5s",
            ValueKind::Milliseconds => "1500ms",
            ValueKind::Number(..) => "88",
            ValueKind::Byte => "0x10",
            ValueKind::CodePoint => "ef",
            ValueKind::Size => "64K",
            ValueKind::Name(_, example) => example,
        }
    }

    /// The value that a name alone stands for.
    pub(super) fn switched_on(self) -> Option<SocketValue> {
        match self {
            ValueKind::Switch => Some(SocketValue::Switch(true)),
            ValueKind::KeepAlive => Some(SocketValue::KeepAlive(Some(KeepAlive::default()))),
            ValueKind::Seconds
            | ValueKind::Milliseconds
            | ValueKind::Number(..)
            | ValueKind::Byte
            | ValueKind::CodePoint
            | ValueKind::Size
            | ValueKind::Name(..) => None,
        }
    }

    /// Reads a value.
    pub(super) fn parse(self, text: &str) -> Option<SocketValue> {
        match self {
            ValueKind::Switch => switch(text).map(SocketValue::Switch),
            ValueKind::KeepAlive => keep_alive(text),
            ValueKind::Seconds => time_or_none(text, Duration::from_secs(1)),
            ValueKind::Milliseconds => time_or_none(text, Duration::from_millis(1)),
            ValueKind::Number(least, most) => number(text)
                .filter(|number| (least..=most).contains(number))
                .map(SocketValue::Number),
            ValueKind::Byte => number(text)
                .filter(|number| *number <= 0xff)
                .map(SocketValue::Number),
            ValueKind::CodePoint => code_point(text).map(SocketValue::Number),
            ValueKind::Size => parse::size(text)
                .ok()
                .filter(|size| *size <= LARGEST_BUFFER)
                .map(|size| SocketValue::Number(size as u32)),
            ValueKind::Name(..) => is_name(text).then(|| SocketValue::Name(Some(text.to_owned()))),
        }
    }

    /// Writes a value of this kind as it is read.
    pub(super) fn written(self, value: &SocketValue) -> String {
        match value {
            SocketValue::Switch(true) => "on".into(),
            SocketValue::Switch(false) | SocketValue::KeepAlive(None) | SocketValue::Time(None) => {
                "off".into()
            }
            SocketValue::KeepAlive(Some(probes)) => {
                let time = |time: Option<Duration>| time.map(format::duration);
                let parts = [
                    time(probes.idle),
                    time(probes.interval),
                    probes.count.map(|count| count.to_string()),
                ];
                let parts: Vec<String> = parts.into_iter().map_while(|part| part).collect();
                if parts.is_empty() {
                    "on".into()
                } else {
                    parts.join(":")
                }
            }
            SocketValue::Time(Some(time)) => format::duration(*time),
            SocketValue::Number(number) => match self {
                ValueKind::Size => format::exact_size(u64::from(*number)),
                ValueKind::Byte => format!("{number:#04x}"),
                ValueKind::CodePoint => CODE_POINTS
                    .iter()
                    .find(|(_, point)| point == number)
                    .map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned()),
                ValueKind::Switch
                | ValueKind::KeepAlive
                | ValueKind::Seconds
                | ValueKind::Milliseconds
                | ValueKind::Number(..)
                | ValueKind::Name(..) => number.to_string(),
            },
            SocketValue::Name(name) => name.clone().unwrap_or_else(|| "any".into()),
        }
    }
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "on" | "1" | "yes" | "true" => Some(true),
        "off" | "0" | "no" | "false" => Some(false),
        _ => None,
    }
}

fn keep_alive(text: &str) -> Option<SocketValue> {
    if let Some(on) = switch(text) {
        return Some(SocketValue::KeepAlive(on.then(KeepAlive::default)));
    }
    let seconds = |text: &str| {
        let time = time(text, Duration::from_secs(1))?;
        (1..=LONGEST_IDLE).contains(&time.as_secs()).then_some(time)
    };
    let mut parts = text.split(':');
    let idle = Some(seconds(parts.next()?)?);
    let interval = match parts.next() {
        Some(part) => Some(seconds(part)?),
        None => None,
    };
    let count = match parts.next() {
        Some(part) => Some(
            part.parse()
                .ok()
                .filter(|count| (1..=MOST_PROBES).contains(count))?,
        ),
        None => None,
    };
    let probes = KeepAlive {
        idle,
        interval,
        count,
    };
    parts
        .next()
        .is_none()
        .then_some(SocketValue::KeepAlive(Some(probes)))
}

fn time_or_none(text: &str, unit: Duration) -> Option<SocketValue> {
    if text == "off" {
        return Some(SocketValue::Time(None));
    }
    time(text, unit).map(|time| SocketValue::Time(Some(time)))
}

/// A time that is a whole number of units.
fn time(text: &str, unit: Duration) -> Option<Duration> {
    let time = parse::duration(text).ok()?;
    let whole = time.as_nanos().is_multiple_of(unit.as_nanos());
    (whole && time.as_secs() <= LONGEST_LINGER).then_some(time)
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn code_point(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let named = CODE_POINTS.iter().find(|(name, _)| *name == lower);
    named
        .map(|(_, point)| *point)
        .or_else(|| number(text).filter(|point| *point < 64))
}

fn is_name(text: &str) -> bool {
    let fits = (1..=LONGEST_NAME).contains(&text.len());
    fits && text.chars().all(|c| c.is_ascii_graphic() && c != '/')
}
