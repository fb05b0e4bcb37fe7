//! Sizes, rates and times as people read them.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};

/// Nanoseconds in a second.
const NANOS: u64 = 1_000_000_000;

/// A number of bytes: exact below 1 KiB, else in binary units (IEC 80000-13) with three digits or so.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be printed as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A number with its thousands set apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with what it counts: one of them, or many.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Bytes a second.
pub fn rate(bytes_per_second: u64) -> String {
    format!("{}/s", size(bytes_per_second))
}

/// How long something has lasted: `00:03:12`, with days in front when there are any.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let days = if days > 0 {
        format!("{days}d ")
    } else {
        String::new()
    };
    format!("{days}{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

/// How long something took, in the largest unit that keeps it readable: `71 µs`, `1.2 ms`, `3.4 s`.
pub fn took(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    match duration.as_nanos() {
        0..1_000 => format!("{nanos:.0} ns"),
        1_000..100_000 => format!("{:.0} µs", nanos / 1e3),
        100_000..100_000_000 => format!("{:.1} ms", nanos / 1e6),
        100_000_000..60_000_000_000 => format!("{:.1} s", nanos / 1e9),
        _ => clock(duration),
    }
}

/// A duration as [`super::parse::duration`] reads it, exact, in the largest unit that leaves a whole number: `90s`, `2h`.
pub fn duration(duration: Duration) -> String {
    const UNITS: [(u128, &str); 5] = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ];
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let whole = UNITS.iter().find(|(unit, _)| nanos.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{}{name}", nanos / unit),
        None => format!("{}us", nanos as f64 / 1e3),
    }
}

/// A number of bytes as [`super::parse::size`] reads it, exact: `64K`, `4097`.
pub fn exact_size(bytes: u64) -> String {
    match bytes {
        0 => "0".to_owned(),
        bytes if bytes.is_multiple_of(1 << 30) => format!("{}G", bytes >> 30),
        bytes if bytes.is_multiple_of(1 << 20) => format!("{}M", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{}K", bytes >> 10),
        bytes => bytes.to_string(),
    }
}

/// The same with a tenth of a millisecond up to ten seconds, for times that are compared: `271.3 ms`.
pub fn measured(duration: Duration) -> String {
    match duration.as_nanos() {
        100_000_000..10_000_000_000 => format!("{:.1} ms", duration.as_nanos() as f64 / 1e6),
        _ => took(duration),
    }
}

/// How long ago something was: `now`, `4 s`, `2 min`, `3 h`, `5 d`.
pub fn ago(duration: Duration) -> String {
    match duration.as_secs() {
        0 => "now".to_owned(),
        s @ 1..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

/// A difference in seconds with microseconds: `+0.000071`.
pub fn delta(duration: Duration) -> String {
    format!("+{}.{:06}", duration.as_secs(), duration.subsec_micros())
}

/// The time of day with microseconds: `12:04:31.120331`, at `offset` seconds east of UTC.
pub fn time_of_day(nanos: u64, offset: i32) -> String {
    at(nanos)
        .with_timezone(&zone(offset))
        .format("%H:%M:%S%.6f")
        .to_string()
}

/// The day in UTC of so many seconds since 1970: `2026-11-23`.
pub fn date(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0);
    time.map_or_else(
        || "an impossible date".into(),
        |time| time.format("%Y-%m-%d").to_string(),
    )
}

/// The date and time with microseconds, for where a day matters.
pub fn date_time(nanos: u64, offset: i32) -> String {
    at(nanos)
        .with_timezone(&zone(offset))
        .format("%Y-%m-%d %H:%M:%S%.6f")
        .to_string()
}

/// The system's words for an error number (`strerror`), in lower case as all our sentences go on.
pub fn system_error(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    words.to_lowercase()
}

/// RFC 3339 in UTC with nanoseconds, for programs.
pub fn rfc3339(nanos: u64) -> String {
    at(nanos).format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

/// The offset as it is shown: `UTC`, `+02:00`.
pub fn offset(offset: i32) -> String {
    if offset == 0 {
        "UTC".to_owned()
    } else {
        zone(offset).to_string()
    }
}

fn at(nanos: u64) -> DateTime<Utc> {
    // 2^64 ns end in the year 2554, well inside chrono's range.
    DateTime::from_timestamp((nanos / NANOS).cast_signed(), (nanos % NANOS) as u32).unwrap_or_default()
}

fn zone(offset: i32) -> FixedOffset {
    // Offsets come from the system and lie within a day; a wrong one shows UTC.
    FixedOffset::east_opt(offset).unwrap_or(Utc.fix_offset())
}

/// UTC as an offset of zero, without a fallible call.
trait FixOffset {
    fn fix_offset(&self) -> FixedOffset;
}

impl FixOffset for Utc {
    fn fix_offset(&self) -> FixedOffset {
        use chrono::Offset as _;
        self.fix()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_when_small_and_short_when_large() {
        let check = |bytes, expected: &str| assert_eq!(size(bytes), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(1229, "1.2 KiB");
        check((1 << 20) - 1, "1.0 MiB");
        check(u64::MAX, "16.0 EiB");
        assert_eq!(rate(12 << 10), "12.0 KiB/s");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
    }

    #[test]
    fn what_can_be_typed_is_written_exactly() {
        for seconds in [0, 1, 75, 90, 120, 3_600, 5_400, 86_400] {
            let time = Duration::from_secs(seconds);
            assert_eq!(super::super::parse::duration(&duration(time)), Ok(time));
        }
        assert_eq!(duration(Duration::from_millis(1500)), "1500ms");
        for bytes in [0, 1, 4097, 65_536, 2_626_560, 4 << 20, 3 << 30] {
            assert_eq!(super::super::parse::size(&exact_size(bytes)), Ok(bytes));
        }
        assert_eq!(exact_size(65_536), "64K");
    }

    #[test]
    fn times_are_shown_to_the_microsecond() {
        let nanos = 1_790_000_000_120_331_999;
        assert_eq!(time_of_day(nanos, 0), "14:13:20.120331");
        assert_eq!(time_of_day(nanos, 7200), "16:13:20.120331");
        assert_eq!(rfc3339(nanos), "2026-09-21T14:13:20.120331999Z");
        assert_eq!(delta(Duration::from_nanos(71_999)), "+0.000071");
        assert_eq!(clock(Duration::from_secs(192)), "00:03:12");
        assert_eq!(clock(Duration::from_hours(25)), "1d 01:00:00");
        assert_eq!(took(Duration::from_micros(71)), "71 µs");
        assert_eq!(took(Duration::from_micros(1234)), "1.2 ms");
        assert_eq!(measured(Duration::from_micros(1234)), "1.2 ms");
        assert_eq!(measured(Duration::from_micros(9_271_340)), "9271.3 ms");
        assert_eq!(measured(Duration::from_secs(10)), "10.0 s");
        assert_eq!(ago(Duration::from_secs(125)), "2 min");
        assert_eq!(offset(0), "UTC");
        assert_eq!(offset(7200), "+02:00");
    }
}
