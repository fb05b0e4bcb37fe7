//! Times as they are typed: a time of day, or a date with or without one, down to the nanosecond.

use std::ops::Range;

use chrono::{Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};

use super::Reference;
use crate::text::quote;

const NANOS: u64 = 1_000_000_000;

/// Half a day: a time of day that lies longer before the start is of the next day.
const HALF_A_DAY: u64 = 12 * 3600 * NANOS;

/// The nanoseconds since the epoch that `text` stands for: one minute, one second, or less, as precisely as it is
/// written.
pub(in crate::model) fn read(text: &str, reference: &Reference) -> Result<Range<u64>, String> {
    let wrong = || {
        format!(
            "{} is not a time: write 12:04, 12:04:31.5, 2026-11-23 or 2026-11-23T12:04:31",
            quote(text)
        )
    };
    let (date, rest) = match text.get(..10).filter(|date| date.as_bytes()[4] == b'-') {
        Some(date) => (
            Some(NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| wrong())?),
            &text[10..],
        ),
        None => (None, text),
    };
    let own = zone(reference.offset).ok_or_else(wrong)?;
    let Some(date) = date else {
        let (time, length) = time_of_day(rest).ok_or_else(wrong)?;
        return of_the_session(time, own, reference.start.0)
            .map(|start| start..start.saturating_add(length))
            .ok_or_else(wrong);
    };
    let (clock, zone) = match rest.strip_prefix(['T', 't', ' ']) {
        Some(clock) => split_zone(clock, own).ok_or_else(wrong)?,
        None if rest.is_empty() => {
            let next = date.checked_add_days(Days::new(1)).ok_or_else(wrong)?;
            let midnight = |date: NaiveDate| nanos(date.and_time(NaiveTime::MIN), own);
            return Ok(midnight(date).ok_or_else(wrong)?..midnight(next).ok_or_else(wrong)?);
        }
        None => return Err(wrong()),
    };
    let (time, length) = time_of_day(clock).ok_or_else(wrong)?;
    let start = nanos(date.and_time(time), zone).ok_or_else(wrong)?;
    Ok(start..start.saturating_add(length))
}

/// The time of day on the day when the session started, or on the next.
fn of_the_session(time: NaiveTime, zone: FixedOffset, start: u64) -> Option<u64> {
    let seconds = i64::try_from(start / NANOS).ok()?;
    let day = zone.timestamp_opt(seconds, 0).single()?.date_naive();
    let same = nanos(day.and_time(time), zone)?;
    if same.saturating_add(HALF_A_DAY) < start {
        return nanos(day.checked_add_days(Days::new(1))?.and_time(time), zone);
    }
    Some(same)
}

/// Nanoseconds since the epoch; what lies before it is its start.
fn nanos(local: NaiveDateTime, zone: FixedOffset) -> Option<u64> {
    let utc = zone.from_local_datetime(&local).single()?;
    let seconds = u64::try_from(utc.timestamp()).unwrap_or_default();
    seconds
        .checked_mul(NANOS)?
        .checked_add(u64::from(utc.timestamp_subsec_nanos()))
}

fn zone(offset: i32) -> Option<FixedOffset> {
    FixedOffset::east_opt(offset)
}

/// A time of day, and for how long it lasts as precisely as it is written.
fn time_of_day(text: &str) -> Option<(NaiveTime, u64)> {
    let two = |digits: &str| {
        let digits = Some(digits).filter(|d| (1..=2).contains(&d.len()) && all_digits(d))?;
        digits.parse::<u32>().ok()
    };
    let (hours, rest) = text.split_once(':')?;
    let Some((minutes, seconds)) = rest.split_once(':') else {
        return Some((NaiveTime::from_hms_opt(two(hours)?, two(rest)?, 0)?, 60 * NANOS));
    };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !all_digits(fraction) {
        return None;
    }
    let has_fraction = text.contains('.');
    let unit = 10_u64.pow(9 - fraction.len() as u32);
    let nanos = u32::try_from(fraction.parse::<u64>().ok()? * unit).ok()?;
    let time = NaiveTime::from_hms_nano_opt(two(hours)?, two(minutes)?, two(seconds)?, nanos)?;
    Some((time, if has_fraction { unit } else { NANOS }))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Takes `Z` or an offset such as `+02:00` from the end.
fn split_zone(clock: &str, own: FixedOffset) -> Option<(&str, FixedOffset)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, zone(0)?));
    }
    let Some(at) = clock.rfind(['+', '-']) else {
        return Some((clock, own));
    };
    let sign = if clock[at..].starts_with('-') { -1 } else { 1 };
    let (time, _) = time_of_day(&clock[at + 1..])?;
    let seconds = i32::try_from(time.signed_duration_since(NaiveTime::MIN).num_seconds()).ok()?;
    Some((&clock[..at], zone(sign * seconds)?))
}
