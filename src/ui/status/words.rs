//! How a connection stands, in words and figures. Values only; nothing is drawn here.

use crate::app::{Purpose, end_sentence};
use crate::model::{Closing, End, EndHow, Link, LinkState, RingReport, Role, Sides, Timestamp, Verdict};
use crate::text::format;

/// How long the connection has lasted, or lasted, or has been dialed.
pub(super) fn clock(link: &Link, now: Timestamp) -> Option<String> {
    let from = match link.state {
        LinkState::Idle | LinkState::Waiting => return None,
        LinkState::Resolving | LinkState::Connecting | LinkState::Handshaking => link.started,
        LinkState::Open
        | LinkState::HalfClosed
        | LinkState::Closed
        | LinkState::Failed
        | LinkState::Listening => link.opened?,
    };
    Some(format::clock(link.ended.unwrap_or(now).since(from)))
}

/// The family of the addresses.
pub(super) fn family(link: &Link) -> Option<&'static str> {
    Some(if link.remote?.is_ipv4() { "IPv4" } else { "IPv6" })
}

/// The version of TLS and the application protocol.
pub(super) fn tls(link: &Link) -> Option<String> {
    let report = link.tls.as_ref().or(link.application_tls.as_ref());
    let agreed = report?.agreed.as_ref()?;
    Some(match &agreed.alpn {
        Some(alpn) => format!("{} {alpn}", agreed.version),
        None => agreed.version.clone(),
    })
}

/// What stands beside the state all the time while a connection is used whose certificate is not trusted.
pub(super) fn unverified(link: &Link) -> Option<&'static str> {
    let report = link.tls.as_ref()?;
    matches!(report.verdict, Verdict::Ignored(_)).then_some("not verified")
}

/// How long ago something was, in words that need no "ago": `4 s`, `now`.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    format::ago(now.since(then))
}

/// How it stands, when it is not simply open: who ended it and how, why it failed, when the next attempt starts.
pub(super) fn standing(link: &Link, now: Timestamp) -> Option<String> {
    if let Some(closing) = &link.closing {
        return Some(under_way(link, closing));
    }
    match link.state {
        LinkState::Idle | LinkState::Open | LinkState::Listening => None,
        LinkState::Resolving => Some(format!("looking up {}", link.endpoint.brief())),
        LinkState::Handshaking if link.opened.is_some() => Some("starting TLS".into()),
        // Nobody was dialed yet, or ever is.
        LinkState::Handshaking if link.role == Role::Server || link.remote.is_none() => {
            Some("TLS handshake under way".into())
        }
        LinkState::Connecting | LinkState::Handshaking => Some(if link.round > 1 {
            format!("attempt {}", link.round)
        } else {
            "dialing".into()
        }),
        LinkState::HalfClosed => Some(half_closed(link)),
        LinkState::Closed => Some(ending(link)),
        LinkState::Failed => Some(match &link.reason {
            Some(reason) => reason.clone(),
            None => ending(link),
        }),
        LinkState::Waiting => Some(waiting(link, now)),
    }
}

/// A few names in a sentence.
pub(super) fn joined(names: &[String]) -> String {
    names.join(" and ")
}

/// Who ended it and how, or why it never came to be.
pub(super) fn ending(link: &Link) -> String {
    match (link.end, &link.reason) {
        (Some(end), reason) => end_words(end, reason.as_deref(), sides(link)),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "it is over".into(),
    }
}

/// What a close still waits for, and what comes after it.
fn under_way(link: &Link, closing: &Closing) -> String {
    let waits = if link.unsent > 0 {
        format!("closing, {} unsent", format::size(link.unsent))
    } else {
        "closing, you sent FIN".to_owned()
    };
    match closing {
        Closing::End => waits,
        Closing::Dial(endpoint) => format!("{waits}; then connecting to {}", endpoint.brief()),
    }
}

fn half_closed(link: &Link) -> String {
    let sides = sides(link);
    match link.first_fin {
        // There is no FIN.
        Some(_) | None if link.endpoint.is_connectionless() => {
            "you have ended it, and it is over as soon as answers cease".to_owned()
        }
        Some(by) => {
            let other = sides.name(by.other());
            format!("{} sent FIN, {other} may still send", sides.name(by))
        }
        None => "one side sent FIN".to_owned(),
    }
}

/// What the two sides are called.
fn sides(link: &Link) -> Sides {
    Sides::of(Purpose::Live, link.role)
}

/// The log's words, but the reason where the end alone says little.
fn end_words(end: End, reason: Option<&str>, sides: Sides) -> String {
    match (end.how, reason) {
        (EndHow::Timeout | EndHow::Alert | EndHow::Os, Some(reason)) => reason.to_owned(),
        (
            EndHow::Fin
            | EndHow::Rst
            | EndHow::Timeout
            | EndHow::Truncated
            | EndHow::Alert
            | EndHow::Close
            | EndHow::Tap
            | EndHow::Os,
            _,
        ) => end_sentence(&end, sides),
    }
}

fn waiting(link: &Link, now: Timestamp) -> String {
    let why = if link.reason.is_some() || link.end.is_some() {
        ending(link)
    } else {
        String::new()
    };
    let next = match link.retry_at {
        Some(at) if at > now => format!("attempt {} in {}", link.round + 1, seconds(at, now)),
        Some(_) | None => format!("attempt {} now", link.round + 1),
    };
    if why.is_empty() {
        next
    } else {
        format!("{next}: {why}")
    }
}

/// Whole seconds left, rounded up, so that a countdown never says 0.
fn seconds(at: Timestamp, now: Timestamp) -> String {
    let left = at.since(now);
    format!("{} s", left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

/// How many files of a ring there are, how much they hold and where they begin, as in `ring 3 files, 210 MiB, from
/// #12,345`.
pub(super) fn ring(size: u64, ring: &RingReport) -> String {
    let (files, of) = (u64::from(ring.files), u64::from(ring.of));
    let (files, of, size) = (format::count(files), format::count(of), format::size(size));
    match ring.first.0 {
        0 => format!("ring {files} of {of} files, {size}"),
        first => format!("ring {files} files, {size}, from #{}", format::count(first + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConnectionId, Side};

    const SECOND: u64 = 1_000_000_000;

    fn link(change: impl FnOnce(&mut Link)) -> Link {
        let mut link = Link::new(ConnectionId(0), "host:1".parse().unwrap(), Timestamp(0));
        change(&mut link);
        link
    }

    #[test]
    fn an_end_says_who_and_how() {
        let check = |by, how, errno, reason: Option<&str>, expected: &str| {
            let link = link(|link| {
                link.state = LinkState::Closed;
                link.end = Some(End { by, how, errno });
                link.reason = reason.map(str::to_owned);
            });
            assert_eq!(standing(&link, Timestamp(0)).as_deref(), Some(expected));
        };
        check(Side::Peer, EndHow::Fin, None, None, "closed by the peer (FIN)");
        check(Side::Local, EndHow::Rst, None, Some("x"), "reset by you (RST)");
        check(
            Side::Peer,
            EndHow::Timeout,
            Some(110),
            None,
            "closed by the peer (time-out)",
        );
        check(
            Side::Peer,
            EndHow::Os,
            None,
            None,
            "closed by an error of the operating system",
        );
        check(
            Side::Peer,
            EndHow::Os,
            Some(5),
            Some("no route to host"),
            "no route to host",
        );
    }

    #[test]
    fn a_close_says_what_it_waits_for_and_what_follows() {
        let check = |unsent, closing, expected: &str| {
            let link = link(|link| {
                link.state = LinkState::HalfClosed;
                link.unsent = unsent;
                link.closing = Some(closing);
            });
            assert_eq!(standing(&link, Timestamp(0)).as_deref(), Some(expected));
        };
        check(0, Closing::End, "closing, you sent FIN");
        check(3 << 20, Closing::End, "closing, 3.0 MiB unsent");
        let next = Closing::Dial("other:2".parse().unwrap());
        check(0, next, "closing, you sent FIN; then connecting to other:2");
    }

    #[test]
    fn a_countdown_counts_down_to_the_attempt() {
        let link = link(|link| {
            link.state = LinkState::Waiting;
            link.retry_at = Some(Timestamp(3 * SECOND));
            link.reason = Some("refused".into());
        });
        let at = |nanos| standing(&link, Timestamp(nanos)).unwrap();
        assert_eq!(at(0), "attempt 2 in 3 s: refused");
        assert_eq!(at(1), "attempt 2 in 3 s: refused");
        assert_eq!(at(SECOND), "attempt 2 in 2 s: refused");
        assert_eq!(at(9 * SECOND), "attempt 2 now: refused");
    }

    #[test]
    fn the_clock_stops_with_the_connection() {
        let mut link = link(|link| {
            link.state = LinkState::Open;
            link.opened = Some(Timestamp(SECOND));
        });
        assert_eq!(clock(&link, Timestamp(62 * SECOND)).as_deref(), Some("00:01:01"));
        link.state = LinkState::Closed;
        link.ended = Some(Timestamp(6 * SECOND));
        assert_eq!(clock(&link, Timestamp(62 * SECOND)).as_deref(), Some("00:00:05"));
    }
}
