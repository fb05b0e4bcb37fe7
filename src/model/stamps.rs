//! The kernel's time stamps of an entry, and what they tell: whether the network, the other program or we were slow.

use super::{ConnectionId, Direction, Entry, EntryId, EntryKind, Records, Timestamp, whole};
use crate::text::format;

/// Entries behind a sent one among which its answer is looked for.
const REACH: u64 = 64;

/// When the kernel did what with the bytes of an entry (Linux `SO_TIMESTAMPING`, socket(7)). They are best effort:
/// any may be missing. Of what TLS sent and received, the last record of the entry counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// When we asked the kernel to send the bytes.
    pub queued: Option<Timestamp>,
    /// When the last of them came to the packet scheduler.
    pub scheduled: Option<Timestamp>,
    /// When the last of them was given to the device.
    pub on_wire: Option<Timestamp>,
    /// When the peer's kernel had acknowledged all of them, at the latest.
    pub acknowledged: Option<Timestamp>,
    /// When the last of them arrived in our kernel, of bytes that were received.
    pub arrived: Option<Timestamp>,
}

impl Stamps {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Stamps::default()
    }
}

/// The stamps of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Its number.
    pub entry: EntryId,
    /// When it happened.
    pub at: Timestamp,
    /// What is known of it by now.
    pub stamps: Stamps,
}

/// What the stamps of an entry say, in one line; of a sent one with the answer that came next. `None` where there are
/// none.
pub fn timeline(records: &dyn Records, entry: &Entry) -> Option<String> {
    let EntryKind::Data { direction } = entry.kind else {
        return None;
    };
    let stamps = records.stamps(entry.id)?;
    match direction {
        Direction::Sent => Some(journey(&stamps, entry.at, answer(records, entry))),
        Direction::Received => {
            let lag = format::measured(entry.at.since(stamps.arrived?));
            Some(format!("arrived → read +{lag}"))
        }
    }
}

/// The stamps of one entry alone, in one line; for where there is no log around it.
pub fn stamps_line(stamps: &Stamps, direction: Direction, at: Timestamp) -> Option<String> {
    match direction {
        Direction::Sent => Some(journey(stamps, at, None)),
        Direction::Received => {
            let lag = format::measured(at.since(stamps.arrived?));
            Some(format!("arrived → read +{lag}"))
        }
    }
}

/// An answer: when it arrived in our kernel, if that is known, and when we read it.
type Answer = (Option<Timestamp>, Timestamp);

fn journey(stamps: &Stamps, at: Timestamp, answer: Option<Answer>) -> String {
    let start = stamps.queued.unwrap_or(at);
    let arrived = answer.and_then(|(arrived, _)| arrived);
    let read = answer.map(|(_, read)| read);
    let steps = [
        ("scheduled", stamps.scheduled),
        ("on the wire", stamps.on_wire),
        ("acknowledged", stamps.acknowledged),
        ("answer arrived", arrived),
        (if arrived.is_some() { "read" } else { "answer read" }, read),
    ];
    if stamps
        .scheduled
        .or(stamps.on_wire)
        .or(stamps.acknowledged)
        .is_none()
        && answer.is_none()
    {
        // Its queue has a bound, and a flood may be more.
        return "queued; the kernel has told no more of it".into();
    }
    let steps = steps.into_iter().filter_map(|(what, when)| Some((what, when?)));
    let mut steps: Vec<_> = steps.collect();
    // An acknowledgement may ride on the answer, or come behind it.
    steps.sort_by_key(|(_, when)| *when);
    let step =
        |(what, when): (&str, Timestamp)| format!(" → {what} +{}", format::measured(when.since(start)));
    std::iter::once("queued".to_owned())
        .chain(steps.into_iter().map(step))
        .collect()
}

/// The first bytes that came back after a sent entry, if we sent nothing more before.
fn answer(records: &dyn Records, entry: &Entry) -> Option<Answer> {
    let records = whole(records);
    let behind = entry.id.0.saturating_add(1);
    for number in behind..records.len().min(behind.saturating_add(REACH)) {
        let Some(later) = of(records, number, entry.connection) else {
            continue;
        };
        match later.direction() {
            Some(Direction::Received) => {
                let arrived = records.stamps(later.id).and_then(|stamps| stamps.arrived);
                return Some((arrived, later.at));
            }
            Some(Direction::Sent) => return None,
            None => {}
        }
    }
    None
}

fn of(records: &dyn Records, number: u64, connection: ConnectionId) -> Option<Entry> {
    let entry = records.entry(EntryId(number)).ok()?;
    (entry.connection == connection).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_told_in_the_order_in_which_they_came() {
        let at = |micros: u64| Some(Timestamp(micros * 1_000));
        let stamps = Stamps {
            queued: at(100),
            scheduled: at(112),
            on_wire: at(114),
            acknowledged: at(21_900),
            arrived: None,
        };
        let check = |stamps: &Stamps, answer, expected: &str| {
            assert_eq!(journey(stamps, Timestamp(150_000), answer), expected);
        };
        check(
            &stamps,
            None,
            "queued → scheduled +12 µs → on the wire +14 µs → acknowledged +21.8 ms",
        );
        check(
            &stamps,
            Some((at(21_890), Timestamp(22_000_000))),
            "queued → scheduled +12 µs → on the wire +14 µs → answer arrived +21.8 ms → acknowledged +21.8 ms → \
             read +21.9 ms",
        );
        check(
            &Stamps::default(),
            None,
            "queued; the kernel has told no more of it",
        );
        check(
            &Stamps::default(),
            Some((None, Timestamp(250_000))),
            "queued → answer read +0.1 ms",
        );
        let received = Stamps {
            arrived: at(4),
            ..Stamps::default()
        };
        let line = stamps_line(&received, Direction::Received, Timestamp(150_000));
        assert_eq!(line.as_deref(), Some("arrived → read +0.1 ms"));
        assert_eq!(stamps_line(&stamps, Direction::Received, Timestamp(0)), None);
    }
}
