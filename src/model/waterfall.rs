//! The connect waterfall: how a connection came about, phase by phase. It is made of the entries of the dial, so a
//! kept recording has the same one as the connection had while it was dialed.
//!
//! Deliberately absent: how it is drawn, and in which words (see `phase`).

use std::net::SocketAddr;
use std::time::Duration;

use super::phase::{Ending, Phase, PhaseEnd, PhaseKind};
use super::{
    Attempt, AttemptOutcome, ConnectionId, Direction, Entry, EntryId, EntryKind, Family, Lookup, Records,
    Tally, Timestamp, TlsReport, whole,
};
use crate::text::format;

/// Phases that are kept: two lookups, a handshake, and what fits a window of attempts. A name may have hundreds of
/// addresses; the oldest attempts that have ended make room.
const MOST: usize = 16;

/// Addresses of a lookup that are named.
const NAMED: usize = 3;

/// Entries that are looked at on either side of an opening or an error for the rest of its dial.
const REACH: u64 = 64;

/// The phases of one dial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waterfall {
    phases: Vec<Phase>,
    left_out: u32,
}

impl Waterfall {
    /// The phases in the order in which they began.
    pub fn phases(&self) -> Vec<Phase> {
        let mut phases = self.phases.clone();
        phases.sort_by_key(|phase| phase.start);
        phases
    }

    /// How many attempts are not among them any more.
    pub fn left_out(&self) -> u32 {
        self.left_out
    }

    /// A lookup began at that time. Entries only tell of its end.
    pub fn asked(&mut self, at: Timestamp, family: Family) {
        self.begin(PhaseKind::Lookup(family), at);
    }

    /// Takes in an entry of the dial; other entries change nothing.
    pub fn take_in(&mut self, at: Timestamp, kind: &EntryKind) {
        match kind {
            EntryKind::Lookup(lookup) => self.looked_up(at, lookup),
            EntryKind::Attempt(attempt) => self.attempted(at, attempt),
            EntryKind::Tls(report) if report.role.is_client() => self.shaken(at, report),
            EntryKind::Open { remote, .. } => {
                self.end(PhaseKind::Connect(*remote), at, Ending::Well, "connected");
                self.end_all(at, Ending::GivenUp, "not waited for");
            }
            EntryKind::Error { .. } => self.end_all(at, Ending::Badly, "failed"),
            // Whoever is shown our certificate was not dialed.
            EntryKind::Tls(_)
            | EntryKind::Data { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => {}
        }
    }

    /// The waterfall of the dial that this entry ended: an opening, or an error before one. `None` for any other.
    pub fn ending_with(records: &dyn Records, entry: &Entry) -> Option<Vec<Phase>> {
        let records = whole(records);
        let opened = match entry.kind {
            EntryKind::Open { .. } => Some(entry.at),
            EntryKind::Error { .. } => None,
            EntryKind::Data { .. }
            | EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => return None,
        };
        let mut waterfall = Waterfall::default();
        for earlier in before(records, entry)?.iter().rev() {
            waterfall.take_in(earlier.at, &earlier.kind);
        }
        waterfall.take_in(entry.at, &entry.kind);
        let mut phases = waterfall.phases();
        if let Some(opened) = opened {
            let (sent, received, ended) = after(records, entry);
            let awaited = first_byte(opened, sent, received, ended);
            // Whether it is still awaited is for who knows the time.
            phases.extend(awaited.filter(|phase| phase.end.is_some()));
        }
        (!phases.is_empty()).then_some(phases)
    }

    fn looked_up(&mut self, at: Timestamp, lookup: &Lookup) {
        let kind = PhaseKind::Lookup(lookup.family);
        self.began_before(kind, at, lookup.took);
        match &lookup.result {
            Ok(found) => self.end(kind, at, Ending::Well, &addresses(found)),
            Err(reason) => self.end(kind, at, Ending::Badly, reason),
        }
    }

    fn attempted(&mut self, at: Timestamp, attempt: &Attempt) {
        let kind = PhaseKind::Connect(attempt.remote);
        if attempt.outcome == AttemptOutcome::Started {
            return self.begin(kind, at);
        }
        self.began_before(kind, at, attempt.took);
        match &attempt.outcome {
            AttemptOutcome::Started => {}
            AttemptOutcome::Failed { errno, .. } if *errno != 0 => {
                self.end(kind, at, Ending::Badly, &format::system_error(*errno));
            }
            AttemptOutcome::Failed { text, .. } => self.end(kind, at, Ending::Badly, text),
            AttemptOutcome::Connected => {
                self.end(kind, at, Ending::Well, "connected");
                self.end_all(at, Ending::GivenUp, "not waited for");
                self.begin(PhaseKind::Handshake, at);
            }
            AttemptOutcome::TimedOut => self.end(kind, at, Ending::Badly, "timed out"),
            AttemptOutcome::Abandoned => self.end(kind, at, Ending::GivenUp, "given up"),
        }
    }

    fn shaken(&mut self, at: Timestamp, report: &TlsReport) {
        self.began_before(PhaseKind::Handshake, at, report.took);
        let doubt = report.doubt().map(|doubt| format!("not trusted: {doubt}"));
        let (how, words) = match &report.agreed {
            Some(agreed) => (
                Ending::Well,
                doubt.map_or(agreed.version.clone(), |doubt| {
                    format!("{}, {doubt}", agreed.version)
                }),
            ),
            None => (Ending::Badly, doubt.unwrap_or_else(|| "failed".into())),
        };
        self.end(PhaseKind::Handshake, at, how, &words);
    }

    fn begin(&mut self, kind: PhaseKind, start: Timestamp) {
        if self.phases.len() >= MOST {
            let over = |phase: &Phase| matches!(phase.kind, PhaseKind::Connect(_)) && phase.end.is_some();
            let Some(at) = self.phases.iter().position(over) else {
                return;
            };
            self.phases.remove(at);
            self.left_out = self.left_out.saturating_add(1);
        }
        self.phases.push(Phase {
            kind,
            start,
            end: None,
        });
    }

    /// Makes sure that a phase which is about to end has begun.
    fn began_before(&mut self, kind: PhaseKind, end: Timestamp, took: Duration) {
        if self.under_way(kind).is_none() {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            self.begin(kind, Timestamp(end.0.saturating_sub(nanos)));
        }
    }

    fn end(&mut self, kind: PhaseKind, at: Timestamp, how: Ending, words: &str) {
        if let Some(phase) = self.under_way(kind) {
            phase.end = Some(PhaseEnd::new(at, how, words));
        }
    }

    fn end_all(&mut self, at: Timestamp, how: Ending, words: &str) {
        let running = self.phases.iter_mut().filter(|phase| phase.end.is_none());
        running.for_each(|phase| phase.end = Some(PhaseEnd::new(at, how, words)));
    }

    fn under_way(&mut self, kind: PhaseKind) -> Option<&mut Phase> {
        let mut all = self.phases.iter_mut();
        all.find(|phase| phase.kind == kind && phase.end.is_none())
    }
}

/// How long the peer took to say something, from the opening, or from our first byte where that came before its own.
/// Nothing where nobody has said anything. `ended` is when the connection was over, if it is.
///
/// What lies between the opening and our first byte is our user's time and no part of it: the phase begins at the
/// opening and is as long as the wait was.
pub(super) fn first_byte(
    opened: Timestamp,
    sent: Tally,
    received: Tally,
    ended: Option<Timestamp>,
) -> Option<Phase> {
    let request = sent
        .first
        .filter(|sent| received.first.is_none_or(|at| *sent <= at));
    let waited = |until: Timestamp| opened + until.since(request.unwrap_or(opened));
    let words = if request.is_some() {
        "after our first byte"
    } else {
        "unasked, after the opening"
    };
    let end = match (received.first, request, ended) {
        (Some(first), _, _) => Some(PhaseEnd::new(waited(first), Ending::Well, words)),
        (None, None, _) => return None,
        (None, Some(_), Some(ended)) => Some(PhaseEnd::new(waited(ended), Ending::Badly, "none came")),
        (None, Some(_), None) => None,
    };
    let kind = PhaseKind::FirstByte {
        idle: request.map_or(Duration::ZERO, |sent| sent.since(opened)),
    };
    Some(Phase {
        kind,
        start: opened,
        end,
    })
}

fn addresses(found: &[SocketAddr]) -> String {
    if found.is_empty() {
        return "no address".into();
    }
    let named: Vec<String> = found.iter().take(NAMED).map(|at| at.ip().to_string()).collect();
    let named = named.join(", ");
    match found.len() - found.len().min(NAMED) {
        0 => named,
        more => format!("{named} and {} more", format::count(more as u64)),
    }
}

/// The entries of the dial before the one that ended it, the last first; `None` if the connection was open already.
fn before(records: &dyn Records, entry: &Entry) -> Option<Vec<Entry>> {
    let mut dial = Vec::new();
    for number in (entry.id.0.saturating_sub(REACH)..entry.id.0).rev() {
        let Some(earlier) = of(records, number, entry.connection) else {
            continue;
        };
        match earlier.kind {
            EntryKind::Lookup(_) | EntryKind::Attempt(_) | EntryKind::Tls(_) => dial.push(earlier),
            EntryKind::Note { .. } | EntryKind::Gap { .. } => {}
            // A connection is dialed once.
            EntryKind::Data { .. }
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. } => return None,
        }
    }
    Some(dial)
}

/// When something was first sent and received after an opening, and when the connection ended; as far as that is near.
fn after(records: &dyn Records, entry: &Entry) -> (Tally, Tally, Option<Timestamp>) {
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    let end = records.len().min(entry.id.0.saturating_add(REACH));
    for number in entry.id.0.saturating_add(1)..end {
        let Some(later) = of(records, number, entry.connection) else {
            continue;
        };
        match later.kind {
            EntryKind::Data { direction } => {
                let tally = match direction {
                    Direction::Sent => &mut sent,
                    Direction::Received => &mut received,
                };
                tally.count(u64::from(later.len), later.at);
                if received.first.is_some() {
                    break;
                }
            }
            EntryKind::Close(_) => return (sent, received, Some(later.at)),
            EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => {}
        }
    }
    (sent, received, None)
}

fn of(records: &dyn Records, number: u64, connection: ConnectionId) -> Option<Entry> {
    let entry = records.entry(EntryId(number)).ok()?;
    (entry.connection == connection).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp(ms * MS)
    }

    fn address(number: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], number))
    }

    fn attempt(remote: SocketAddr, took: u64, outcome: AttemptOutcome) -> EntryKind {
        EntryKind::Attempt(Attempt {
            remote,
            took: Duration::from_millis(took),
            outcome,
        })
    }

    fn lookup(family: Family, took: u64, result: Result<Vec<SocketAddr>, String>) -> EntryKind {
        EntryKind::Lookup(Lookup {
            name: "host".into(),
            family,
            took: Duration::from_millis(took),
            result,
        })
    }

    fn told(phases: &[Phase], now: u64) -> Vec<String> {
        let line = |phase: &Phase| {
            let how = phase.end.as_ref().map(|end| end.how);
            let (start, took) = (phase.start.0 / MS, phase.took(at(now)).as_millis());
            format!("{} {start}+{took} {how:?} {}", phase.label(), phase.result())
        };
        phases.iter().map(line).collect()
    }

    #[test]
    fn phases_are_told_by_entries_and_by_who_dials() {
        let refused = || AttemptOutcome::Failed {
            errno: 111,
            text: "host refused it".into(),
        };
        let found = vec![address(1), address(2), address(3), address(4)];
        let entries = [
            (10, lookup(Family::V6, 10, Err("no such host".into()))),
            (12, lookup(Family::V4, 12, Ok(found))),
            (12, attempt(address(1), 0, AttemptOutcome::Started)),
            (15, attempt(address(1), 3, refused())),
            (15, attempt(address(2), 0, AttemptOutcome::Started)),
            (265, attempt(address(3), 0, AttemptOutcome::Started)),
            (270, attempt(address(3), 5, AttemptOutcome::Abandoned)),
            (
                270,
                EntryKind::Open {
                    local: address(9),
                    remote: address(2),
                },
            ),
        ];
        let mut kept = Waterfall::default();
        let mut live = Waterfall::default();
        for family in [Family::V6, Family::V4] {
            live.asked(at(0), family);
        }
        assert_eq!(told(&live.phases(), 4)[1], "lookup A 0+4 None under way");
        for (ms, kind) in &entries {
            kept.take_in(at(*ms), kind);
            live.take_in(at(*ms), kind);
        }
        assert_eq!(kept, live);
        assert_eq!(
            told(&kept.phases(), 999),
            [
                "lookup AAAA 0+10 Some(Badly) no such host",
                "lookup A 0+12 Some(Well) 127.0.0.1, 127.0.0.1, 127.0.0.1 and 1 more",
                "connect 12+3 Some(Badly) 127.0.0.1:1 connection refused",
                "connect 15+255 Some(Well) 127.0.0.1:2 connected",
                "connect 265+5 Some(GivenUp) 127.0.0.1:3 given up",
            ]
        );
    }

    #[test]
    fn what_is_under_way_when_a_dial_fails_has_failed() {
        let mut waterfall = Waterfall::default();
        waterfall.take_in(at(1), &attempt(address(1), 0, AttemptOutcome::Started));
        waterfall.take_in(at(2), &attempt(address(1), 1, AttemptOutcome::Connected));
        assert_eq!(told(&waterfall.phases(), 5)[1], "TLS 2+3 None under way");
        let text = "it does not speak TLS".into();
        waterfall.take_in(at(9), &EntryKind::Error { text, errno: None });
        assert_eq!(told(&waterfall.phases(), 99)[1], "TLS 2+7 Some(Badly) failed");
    }

    #[test]
    fn of_hundreds_of_addresses_the_last_are_kept() {
        let mut waterfall = Waterfall::default();
        waterfall.asked(at(0), Family::V4);
        waterfall.take_in(at(1), &lookup(Family::V4, 1, Ok(Vec::new())));
        for number in 1..=300 {
            let remote = address(number);
            waterfall.take_in(at(1), &attempt(remote, 0, AttemptOutcome::Started));
            waterfall.take_in(at(2), &attempt(remote, 1, AttemptOutcome::TimedOut));
        }
        let phases = waterfall.phases();
        assert_eq!((phases.len(), waterfall.left_out()), (MOST, 301 - MOST as u32));
        assert_eq!(phases[0].label(), "lookup A");
        assert_eq!(phases[MOST - 1].kind, PhaseKind::Connect(address(300)));
    }

    #[test]
    fn the_wait_for_the_first_byte_leaves_out_who_thinks() {
        let check = |sent: Option<u64>, received: Option<u64>, ended: Option<u64>, expected: Option<&str>| {
            let tally = |first: Option<u64>| Tally {
                first: first.map(at),
                ..Tally::default()
            };
            let phase = first_byte(at(100), tally(sent), tally(received), ended.map(at));
            let told = phase.map(|phase| told(&[phase], 130).remove(0));
            assert_eq!(told.as_deref(), expected);
        };
        check(None, None, None, None);
        check(None, None, Some(140), None);
        check(
            None,
            Some(107),
            None,
            Some("first byte 100+7 Some(Well) unasked, after the opening"),
        );
        check(
            Some(5_000),
            Some(5_020),
            None,
            Some("first byte 100+20 Some(Well) after our first byte"),
        );
        check(Some(100), None, None, Some("first byte 100+30 None under way"));
        check(Some(118), None, None, Some("first byte 100+12 None under way"));
        check(
            Some(110),
            None,
            Some(150),
            Some("first byte 100+40 Some(Badly) none came"),
        );
    }
}
