//! Bytes per second over the last minute, derived from the worker's tallies and the time passed in.

use std::collections::VecDeque;

use crate::model::{ConnectionId, Link, Timestamp};

/// How many seconds are remembered: one minute is what a sparkline can show on a wide screen.
const SECONDS: usize = 60;

const NANOS: u64 = 1_000_000_000;

/// Bytes of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Bytes we wrote.
    pub sent: u64,
    /// Bytes we read.
    pub received: u64,
}

impl Second {
    /// Both directions.
    pub fn total(self) -> u64 {
        self.sent.saturating_add(self.received)
    }
}

/// Traffic per second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// The newest last; the last one is the second `current`.
    seconds: VecDeque<Second>,
    current: u64,
    seen: Option<(ConnectionId, Second)>,
}

impl Rates {
    /// Takes in the worker's latest report.
    pub fn update(&mut self, link: &Link, now: Timestamp) {
        let tally = Second {
            sent: link.sent.bytes,
            received: link.received.bytes,
        };
        let before = match self.seen {
            Some((id, before)) if id == link.id => before,
            Some(_) | None => Second::default(),
        };
        self.seen = Some((link.id, tally));
        let news = Second {
            sent: tally.sent.saturating_sub(before.sent),
            received: tally.received.saturating_sub(before.received),
        };
        self.advance(now.0 / NANOS);
        if let Some(last) = self.seconds.back_mut() {
            last.sent = last.sent.saturating_add(news.sent);
            last.received = last.received.saturating_add(news.received);
        }
    }

    /// What crossed is of another connection from now on, and counts from what it has by now.
    pub fn turn_to(&mut self, link: &Link) {
        let tally = Second {
            sent: link.sent.bytes,
            received: link.received.bytes,
        };
        self.seconds.clear();
        self.seen = Some((link.id, tally));
    }

    /// The last `count` whole seconds before the one of `now`, the newest last, with zeros where nothing crossed.
    pub fn history(&self, now: Timestamp, count: usize) -> Vec<Second> {
        let now = now.0 / NANOS;
        let newest = self.seconds.len();
        let second = |back: usize| {
            // `back` seconds before `now`; the deque's last element is the second `current`.
            let at = now.checked_sub(back as u64)?;
            let age = usize::try_from(self.current.checked_sub(at)?).ok()?;
            self.seconds.get(newest.checked_sub(age + 1)?).copied()
        };
        (1..=count)
            .rev()
            .map(|back| second(back).unwrap_or_default())
            .collect()
    }

    /// Bytes of the last whole second before the one of `now`.
    pub fn last(&self, now: Timestamp) -> Second {
        self.history(now, 1).first().copied().unwrap_or_default()
    }

    fn advance(&mut self, second: u64) {
        if self.seconds.is_empty() || second.saturating_sub(self.current) >= SECONDS as u64 {
            self.seconds.clear();
            self.seconds.push_back(Second::default());
            self.current = second;
        }
        while self.current < second {
            self.seconds.push_back(Second::default());
            self.current += 1;
        }
        while self.seconds.len() > SECONDS {
            self.seconds.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp(second * NANOS + 5)
    }

    fn link(sent: u64, received: u64) -> Link {
        let mut link = Link::new(ConnectionId(0), "host:1".parse().unwrap(), Timestamp(0));
        link.sent.bytes = sent;
        link.received.bytes = received;
        link
    }

    fn totals(rates: &Rates, now: u64, count: usize) -> Vec<u64> {
        rates
            .history(at(now), count)
            .into_iter()
            .map(Second::total)
            .collect()
    }

    #[test]
    fn bytes_fall_into_the_second_of_their_report() {
        let mut rates = Rates::default();
        rates.update(&link(1, 2), at(100));
        rates.update(&link(1, 12), at(100));
        rates.update(&link(5, 12), at(102));
        assert_eq!(totals(&rates, 103, 4), [0, 13, 0, 4]);
        assert_eq!(totals(&rates, 104, 3), [0, 4, 0]);
        assert_eq!(totals(&rates, 100, 2), [0, 0], "the running second is not shown");
        assert_eq!(rates.last(at(103)).sent, 4);
    }

    #[test]
    fn what_crossed_another_connection_before_is_no_traffic() {
        let mut rates = Rates::default();
        rates.update(&link(0, 50), at(1));
        let mut other = link(0, 7_000);
        other.id = ConnectionId(1);
        rates.turn_to(&other);
        assert_eq!(totals(&rates, 3, 2), [0, 0]);
        other.received.bytes += 5;
        rates.update(&other, at(2));
        assert_eq!(totals(&rates, 3, 2), [0, 5]);
    }

    #[test]
    fn a_new_connection_starts_at_zero() {
        let mut rates = Rates::default();
        rates.update(&link(0, 50), at(1));
        let mut next = link(0, 7);
        next.id = ConnectionId(1);
        rates.update(&next, at(2));
        assert_eq!(totals(&rates, 3, 2), [50, 7]);
    }

    #[test]
    fn long_silence_and_a_clock_that_goes_back_are_harmless() {
        let mut rates = Rates::default();
        rates.update(&link(0, 50), at(1));
        rates.update(&link(0, 60), at(1_000_000));
        assert_eq!(totals(&rates, 1_000_001, 3), [0, 0, 10]);
        rates.update(&link(0, 61), at(5));
        assert_eq!(totals(&rates, 1_000_001, 1), [11]);
        assert_eq!(totals(&rates, 0, 2), [0, 0]);
    }
}
