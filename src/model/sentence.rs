//! What an event of a connection is called, in one sentence. The words are the same on the screen and in text output.

use super::{
    Attempt, AttemptOutcome, Direction, End, EndHow, EntryKind, Family, Lookup, Side, Sides, TlsReport,
    Verdict,
};
use crate::text::format;

/// What happened, in words, by whom is what `sides` calls them; empty for bytes. It may quote names and errors from outside, so it goes through the
/// encoder.
pub fn sentence(kind: &EntryKind, sides: Sides) -> String {
    match kind {
        EntryKind::Data { .. } => String::new(),
        EntryKind::Lookup(lookup) => lookup_sentence(lookup),
        EntryKind::Attempt(attempt) => attempt_sentence(attempt),
        EntryKind::Tls(report) => tls_sentence(report),
        EntryKind::Open { local, remote } => match sides.dialer() {
            Side::Local => format!("open: {local} → {remote}"),
            Side::Peer => format!("open: {remote} → {local}"),
        },
        EntryKind::HalfClose { by } => format!(
            "half-closed by {} (FIN), {} may still send",
            sides.name(*by),
            sides.name(by.other())
        ),
        // The other side's FIN is an entry before this one.
        EntryKind::Close(End {
            by, how: EndHow::Fin, ..
        }) => format!("closed: {} sent FIN too", sides.name(*by)),
        EntryKind::Close(end) => end_sentence(end, sides),
        EntryKind::Error { text, .. } => text.clone(),
        EntryKind::Gap { direction, bytes } => {
            let way = match direction {
                Direction::Sent => "sent",
                Direction::Received => "received",
            };
            format!("{} {way} and not recorded", format::size(*bytes))
        }
        EntryKind::Note { text } => text.clone(),
    }
}

/// Who ended a connection as a whole, and how, in words.
pub fn end_sentence(end: &End, sides: Sides) -> String {
    let who = sides.name(end.by);
    match (end.how, end.errno) {
        (EndHow::Fin, _) => format!("closed by {who} (FIN)"),
        (EndHow::Rst, _) => format!("reset by {who} (RST)"),
        (EndHow::Timeout, _) => format!("closed by {who} (time-out)"),
        (EndHow::Truncated, _) => format!("cut short by {who} (FIN without close_notify)"),
        (EndHow::Alert, _) => format!("ended by {who} (TLS alert)"),
        (EndHow::Close, _) => format!("closed by {who}"),
        (EndHow::Tap, _) => "ended by the tap, neither side did".into(),
        (EndHow::Os, Some(errno)) => format!("closed: {}", format::system_error(errno)),
        (EndHow::Os, None) => "closed by an error of the operating system".into(),
    }
}

fn lookup_sentence(lookup: &Lookup) -> String {
    let record = match lookup.family {
        Family::V4 => "A",
        Family::V6 => "AAAA",
    };
    let found = match &lookup.result {
        Ok(addresses) if addresses.is_empty() => "no address".into(),
        Ok(addresses) => {
            let ips: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            ips.join(", ")
        }
        Err(reason) => reason.clone(),
    };
    format!(
        "lookup {} {record}: {found} ({})",
        lookup.name,
        format::took(lookup.took)
    )
}

fn tls_sentence(report: &TlsReport) -> String {
    let took = format::took(report.took);
    let whose = match report.chain.first() {
        Some(certificate) => format!("the certificate of {}", certificate.subject),
        None => "the server's certificate".into(),
    };
    let standing = match &report.verdict {
        Verdict::Trusted => format!("{whose} is trusted"),
        Verdict::Refused(why) => format!("{whose} is refused: {why}"),
        Verdict::Ignored(why) => format!("{whose} is not trusted, and used all the same: {why}"),
        Verdict::Unchecked => "no certificate was checked".into(),
    };
    match &report.agreed {
        Some(agreed) => {
            let mut parts = vec![agreed.version.clone()];
            parts.extend(agreed.resumed.then(|| "resumed".into()));
            parts.push(agreed.cipher.clone());
            parts.extend(agreed.group.clone());
            parts.extend(agreed.alpn.as_ref().map(|alpn| format!("ALPN {alpn}")));
            format!("{} ({took}); {standing}", parts.join(", "))
        }
        None => format!("TLS with {} failed ({took}); {standing}", report.server_name),
    }
}

fn attempt_sentence(attempt: &Attempt) -> String {
    let Attempt {
        remote,
        took,
        outcome,
    } = attempt;
    let took = format::took(*took);
    match outcome {
        AttemptOutcome::Started => format!("connecting to {remote}"),
        // What to do about it stands in the entry that ends the dialing.
        AttemptOutcome::Failed { errno, .. } if *errno != 0 => {
            format!("{remote}: {} ({took})", format::system_error(*errno))
        }
        AttemptOutcome::Failed { text, .. } => format!("{remote}: {text} ({took})"),
        AttemptOutcome::Connected => format!("{remote}: connected ({took})"),
        AttemptOutcome::TimedOut => format!("{remote}: timed out ({took})"),
        AttemptOutcome::Abandoned => format!("{remote}: given up, another address was faster ({took})"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Purpose, Role};

    #[test]
    fn events_are_told_in_one_sentence() {
        let check = |kind: EntryKind, expected: &str| {
            assert_eq!(sentence(&kind, Sides::of(Purpose::Live, Role::Client)), expected);
        };
        check(
            EntryKind::Lookup(Lookup {
                name: "localhost".into(),
                family: Family::V4,
                took: Duration::from_micros(1_250),
                result: Ok(vec![
                    "127.0.0.1:80".parse().unwrap(),
                    "127.0.0.2:80".parse().unwrap(),
                ]),
            }),
            "lookup localhost A: 127.0.0.1, 127.0.0.2 (1.2 ms)",
        );
        check(
            EntryKind::Attempt(Attempt {
                remote: "[::1]:80".parse().unwrap(),
                took: Duration::from_millis(3),
                outcome: AttemptOutcome::Failed {
                    errno: 111,
                    text: "connection refused".into(),
                },
            }),
            "[::1]:80: connection refused (3.0 ms)",
        );
        check(
            EntryKind::Close(End {
                by: Side::Peer,
                how: EndHow::Rst,
                errno: Some(104),
            }),
            "reset by the peer (RST)",
        );
        check(
            EntryKind::HalfClose { by: Side::Peer },
            "half-closed by the peer (FIN), you may still send",
        );
    }

    #[test]
    fn a_capture_has_a_client_and_a_server() {
        let check = |kind: EntryKind, expected: &str| {
            assert_eq!(
                sentence(&kind, Sides::of(Purpose::Reading, Role::Client)),
                expected
            );
        };
        let half = EntryKind::HalfClose { by: Side::Peer };
        check(half, "half-closed by the server (FIN), the client may still send");
        let end = |how| {
            EntryKind::Close(End {
                by: Side::Local,
                how,
                errno: None,
            })
        };
        check(end(EndHow::Fin), "closed: the client sent FIN too");
        check(end(EndHow::Rst), "reset by the client (RST)");
    }
}
