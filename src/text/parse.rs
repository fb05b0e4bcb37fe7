//! Sizes and durations as they are written on a command line.

use std::time::Duration;

use super::quote;

/// Reads a duration such as `5s`, `200ms`, `1m30s` or `2h`; a number without a unit is refused.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "{} is not a duration: write a number with a unit, as in 5s, 200ms or 1m30s",
            quote(text)
        )
    };
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let letters = rest[digits..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len() - digits);
        let seconds = match &rest[digits..digits + letters] {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(wrong()),
        };
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &rest[digits + letters..];
    }
    Ok(total)
}

/// Reads a number of bytes such as `4096`, `64K`, `1MiB` or `2G`; K, M, G are binary.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "{} is not a size: write a number of bytes, as in 4096, 64K or 1GiB",
            quote(text)
        )
    };
    let text_ = text.trim();
    let digits = text_.find(|c: char| !c.is_ascii_digit()).unwrap_or(text_.len());
    let shift = match text_[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        "t" | "tib" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = text_[..digits].parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        let check = |text, expected: Option<u64>| {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text}");
        };
        check("5s", Some(5000));
        check("200ms", Some(200));
        check("1m30s", Some(90_000));
        check("0.5s", Some(500));
        check("0s", Some(0));
        check("5", None);
        check("", None);
        check("s", None);
        check("-1s", None);
        check("1y", None);
        check("99999999999999999999h", None);
    }

    #[test]
    fn sizes_are_binary() {
        let check = |text, expected: Option<u64>| assert_eq!(size(text).ok(), expected, "{text}");
        check("4096", Some(4096));
        check("64K", Some(65_536));
        check("1MiB", Some(1 << 20));
        check("2 g", Some(2 << 30));
        check("", None);
        check("1kb", None);
        check("99999999T", None);
    }
}
