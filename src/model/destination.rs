//! Where somebody wants to go in the log: an entry, a time, a part of the way, a byte. Parsed while it is typed.

use super::query::moment;
use super::{EntryId, Reference, Timestamp};
use crate::text::quote;

/// A place in the log, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The entry of that number.
    Number(EntryId),
    /// So many entries further on, or back.
    By(i64),
    /// So many per cent of the way from the first entry to the last.
    Percent(u8),
    /// The first entry at that time or after it.
    Time(Timestamp),
    /// The same, but only the time of day is given: this is the first day that can be meant.
    TimeOfDay(Timestamp),
    /// The byte at that offset in the selected entry.
    Offset(u32),
}

impl Destination {
    /// Reads `12`, `+10`, `-10`, `50%`, `0x40`, `12:04:31.5` or `2026-11-23T12:04`.
    pub fn parse(text: &str, reference: &Reference) -> Result<Destination, String> {
        let wrong = || {
            format!(
                "{} is no place in the log: write an entry (12, +10, -10), a part (50%), a time (12:04:31 or \
                 2026-11-23T12:04) or an offset in the entry (0x40)",
                quote(text)
            )
        };
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return u32::from_str_radix(digits, 16)
                .map(Destination::Offset)
                .map_err(|_| wrong());
        }
        if let Some(percent) = text.strip_suffix('%') {
            let percent = percent.trim().parse().ok().filter(|percent| *percent <= 100);
            return percent.map(Destination::Percent).ok_or_else(wrong);
        }
        if text.starts_with(['+', '-']) {
            return text.parse().map(Destination::By).map_err(|_| wrong());
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text.parse::<u64>().ok().and_then(|number| number.checked_sub(1));
            return number
                .map(|number| Destination::Number(EntryId(number)))
                .ok_or_else(|| "entries are counted from 1".to_owned());
        }
        let at = moment(text, reference).map_err(|_| wrong())?;
        let at = Timestamp(at.start);
        Ok(if text.contains('-') {
            Destination::Time(at)
        } else {
            Destination::TimeOfDay(at)
        })
    }

    /// Whether what is typed can be nothing else, as no action's name starts so.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 10:00:00 UTC.
    const START: Timestamp = Timestamp(1_795_428_000_000_000_000);

    #[test]
    fn places_are_read_in_every_form() {
        let reference = Reference {
            offset: 3600,
            start: START,
        };
        let check = |text, expected| assert_eq!(Destination::parse(text, &reference), Ok(expected), "{text}");
        check("1", Destination::Number(EntryId(0)));
        check("12345", Destination::Number(EntryId(12_344)));
        check("+10", Destination::By(10));
        check("-3", Destination::By(-3));
        check("50%", Destination::Percent(50));
        check("0 %", Destination::Percent(0));
        check("0x40", Destination::Offset(64));
        check(
            "11:00:01",
            Destination::TimeOfDay(Timestamp(START.0 + 1_000_000_000)),
        );
        check(
            "11:30",
            Destination::TimeOfDay(Timestamp(START.0 + 1_800_000_000_000)),
        );
        check("2026-11-23T11:00", Destination::Time(START));
        check(
            "2026-11-23 11:00:00.5",
            Destination::Time(Timestamp(START.0 + 500_000_000)),
        );
    }

    #[test]
    fn other_texts_are_refused_with_advice() {
        for text in [
            "x",
            "",
            "0",
            "0x",
            "0xg",
            "101%",
            "+",
            "1.5",
            "25:00",
            "12:",
            "99999999999999999999",
        ] {
            let error = Destination::parse(text, &Reference::default()).unwrap_err();
            assert!(
                error.contains("write") || error.contains("counted from 1"),
                "{text}: {error}"
            );
        }
    }
}
