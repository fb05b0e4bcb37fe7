//! Which stamp belongs to which entry. Pure: no socket, no clock.
//!
//! The kernel names what a stamp is about by a number: of a stream, that of the last byte of a write, counted from when
//! stamps were asked for; of datagrams, that of the datagram. Small writes may be joined, and then only the last of
//! them has stamps of its own: what is true of its last byte is true of all before.

use std::collections::VecDeque;
use std::time::Duration;

use super::Stage;
use crate::model::{EntryId, Stamped, Stamps, Timestamp};

/// Sent entries whose stamps are awaited; the oldest are written down as they are when there are more.
const MOST: usize = 4096;

/// Entries that are written down at once.
const BATCH: usize = 64;

/// How long something known waits for more to be written down with it.
const GATHERING: Duration = Duration::from_millis(200);

/// How long stamps are awaited before what is known of an entry is written down without them.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Bytes.
    Stream,
    /// Datagrams, of which nobody acknowledges any.
    Datagrams,
}

/// Sent entries that wait for stamps, and entries that wait to be written down.
#[derive(Debug)]
pub(super) struct Ledger {
    style: Style,
    /// Bytes or datagrams that were sent since the kernel began to count.
    counted: u64,
    waiting: VecDeque<Waiting>,
    known: Vec<Stamped>,
    known_since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    stamped: Stamped,
    /// The number that the kernel gives it.
    key: u64,
    /// When what is known is written down, if it was not.
    tell_at: Option<Timestamp>,
}

impl Ledger {
    /// Nothing was counted yet.
    pub(super) fn new(style: Style) -> Ledger {
        Ledger {
            style,
            counted: 0,
            waiting: VecDeque::new(),
            known: Vec::new(),
            known_since: None,
        }
    }

    /// What is counted.
    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// The kernel begins to count anew; no more is learnt of what was sent before.
    pub(super) fn restart(&mut self) {
        self.counted = 0;
        while let Some(waiting) = self.waiting.pop_front() {
            self.know(&waiting);
        }
    }

    /// The kernel took so many bytes, or a datagram.
    pub(super) fn count(&mut self, bytes: u64) {
        self.counted += match self.style {
            Style::Stream => bytes,
            Style::Datagrams => 1,
        };
    }

    /// What was counted last is this entry.
    pub(super) fn sent(&mut self, entry: EntryId, at: Timestamp, queued: Timestamp) {
        let Some(key) = self.counted.checked_sub(1) else {
            return;
        };
        if self.waiting.len() >= MOST
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.know(&oldest);
        }
        let stamps = Stamps {
            queued: Some(queued),
            ..Stamps::default()
        };
        self.waiting.push_back(Waiting {
            stamped: Stamped { entry, at, stamps },
            key,
            tell_at: Some(at + PATIENCE),
        });
    }

    /// This entry arrived then.
    pub(super) fn received(&mut self, entry: EntryId, at: Timestamp, arrived: Timestamp) {
        let stamps = Stamps {
            arrived: Some(arrived),
            ..Stamps::default()
        };
        self.keep(Stamped { entry, at, stamps });
    }

    /// The kernel says that what has this number came to a point.
    pub(super) fn stamp(&mut self, stage: Stage, key: u32, when: Timestamp) {
        let Some(key) = self.whole(key) else { return };
        let behind = self.waiting.partition_point(|waiting| waiting.key <= key);
        for at in (0..behind).rev() {
            let Some(waiting) = self.waiting.get_mut(at) else {
                break;
            };
            if self.style == Style::Datagrams && waiting.key != key {
                break;
            }
            let stamps = &mut waiting.stamped.stamps;
            let slot = match stage {
                Stage::Scheduled => &mut stamps.scheduled,
                Stage::OnWire => &mut stamps.on_wire,
                Stage::Acknowledged => &mut stamps.acknowledged,
            };
            // Then it is known of all before, too. What is sent again is at the same point again, and the first
            // time counts.
            if slot.is_some() {
                break;
            }
            *slot = Some(when);
            waiting.tell_at.get_or_insert(when + PATIENCE);
        }
        self.settle(stage, key);
    }

    /// Entries of which no more is awaited are known.
    fn settle(&mut self, stage: Stage, key: u64) {
        match (self.style, stage) {
            (Style::Stream, Stage::Acknowledged) => {
                while let Some(waiting) = self.waiting.pop_front_if(|waiting| waiting.key <= key) {
                    self.know(&waiting);
                }
            }
            (Style::Datagrams, Stage::OnWire) => {
                if let Ok(at) = self.waiting.binary_search_by_key(&key, |waiting| waiting.key)
                    && let Some(waiting) = self.waiting.remove(at)
                {
                    self.know(&waiting);
                }
            }
            (Style::Stream, Stage::Scheduled | Stage::OnWire)
            | (Style::Datagrams, Stage::Scheduled | Stage::Acknowledged) => {}
        }
    }

    /// The number of which these are the last 32 bits: the latest one.
    fn whole(&self, key: u32) -> Option<u64> {
        let last = self.counted.checked_sub(1)?;
        last.checked_sub(u64::from((last as u32).wrapping_sub(key)))
    }

    /// When there is something to write down.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let known = self.known_since.map(|since| {
            if self.known.len() >= BATCH {
                since
            } else {
                since + GATHERING
            }
        });
        let waiting = self.waiting.iter().find_map(|waiting| waiting.tell_at);
        known.into_iter().chain(waiting).min()
    }

    /// What is to be written down by `now`; all that is known if that is not told.
    pub(super) fn take(&mut self, now: Option<Timestamp>) -> Vec<Stamped> {
        for waiting in &mut self.waiting {
            let tells = |at: &mut Timestamp| now.is_none_or(|now| *at <= now);
            if waiting.tell_at.take_if(tells).is_some() {
                self.known.push(waiting.stamped);
            }
        }
        self.known_since = None;
        std::mem::take(&mut self.known)
    }

    fn know(&mut self, waiting: &Waiting) {
        // Unless it was told already.
        if waiting.tell_at.is_some() {
            self.keep(waiting.stamped);
        }
    }

    fn keep(&mut self, stamped: Stamped) {
        self.known_since.get_or_insert(stamped.at);
        self.known.push(stamped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp(ms * MS)
    }

    /// A ledger of writes of so many bytes each, in entries counted from 0, at 0, 1, 2 ms and so on.
    fn ledger(style: Style, writes: &[u64]) -> Ledger {
        let mut ledger = Ledger::new(style);
        for (number, bytes) in (0..).zip(writes) {
            ledger.count(*bytes);
            ledger.sent(EntryId(number), at(number), at(number));
        }
        ledger
    }

    /// What is written down, a word for each entry: its number, and in ms what is known.
    fn told(stamped: &[Stamped]) -> String {
        let ms = |what, when: Option<Timestamp>| when.map(|when| format!("{what}{}", when.0 / MS));
        let word = |stamped: &Stamped| {
            let stamps = stamped.stamps;
            let parts = [
                ms("s", stamps.scheduled),
                ms("w", stamps.on_wire),
                ms("a", stamps.acknowledged),
                ms("r", stamps.arrived),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            format!("{}:{}", stamped.entry.0, parts.join(","))
        };
        let words: Vec<String> = stamped.iter().map(word).collect();
        words.join(" ")
    }

    #[test]
    fn stamps_find_their_entries() {
        let mut ledger = ledger(Style::Stream, &[5, 3, 2]);
        ledger.stamp(Stage::Scheduled, 4, at(10));
        ledger.stamp(Stage::OnWire, 4, at(11));
        // The second and the third write were joined: only the last byte has stamps.
        ledger.stamp(Stage::Scheduled, 9, at(12));
        ledger.stamp(Stage::OnWire, 9, at(13));
        ledger.stamp(Stage::Acknowledged, 4, at(20));
        assert_eq!(ledger.due(), Some(at(200)));
        assert_eq!(told(&ledger.take(Some(at(200)))), "0:s10,w11,a20");
        ledger.stamp(Stage::Acknowledged, 9, at(30));
        assert_eq!(told(&ledger.take(Some(at(300)))), "1:s12,w13,a30 2:s12,w13,a30");
        assert_eq!((ledger.due(), told(&ledger.take(None))), (None, String::new()));
    }

    #[test]
    fn what_is_sent_again_was_on_the_wire_before() {
        let mut ledger = ledger(Style::Stream, &[5]);
        ledger.stamp(Stage::OnWire, 4, at(1));
        ledger.stamp(Stage::OnWire, 4, at(201));
        ledger.stamp(Stage::Acknowledged, 4, at(240));
        assert_eq!(told(&ledger.take(None)), "0:w1,a240");
    }

    #[test]
    fn what_is_not_acknowledged_is_told_all_the_same_and_again_when_it_is() {
        let mut ledger = ledger(Style::Stream, &[5, 5]);
        ledger.stamp(Stage::OnWire, 4, at(1));
        assert_eq!(ledger.due(), Some(at(1000)));
        assert_eq!(told(&ledger.take(Some(at(1000)))), "0:w1");
        assert_eq!(ledger.due(), Some(at(1001)));
        assert_eq!(told(&ledger.take(Some(at(1001)))), "1:");
        assert_eq!(ledger.due(), None);
        ledger.stamp(Stage::Acknowledged, 9, at(7000));
        assert_eq!(told(&ledger.take(None)), "0:w1,a7000 1:a7000");
    }

    #[test]
    fn datagrams_are_counted_one_by_one() {
        let mut ledger = ledger(Style::Datagrams, &[5, 0, 2]);
        ledger.stamp(Stage::OnWire, 2, at(3));
        assert_eq!(told(&ledger.take(Some(at(300)))), "2:w3");
        ledger.stamp(Stage::Scheduled, 0, at(3));
        ledger.stamp(Stage::OnWire, 0, at(4));
        assert_eq!(told(&ledger.take(None)), "0:s3,w4 1:");
    }

    #[test]
    fn the_kernels_numbers_have_32_bits() {
        let mut ledger = Ledger::new(Style::Stream);
        ledger.count((1 << 32) - 3);
        ledger.count(5);
        ledger.sent(EntryId(7), at(0), at(0));
        ledger.stamp(Stage::Acknowledged, 1, at(1));
        assert_eq!(told(&ledger.take(None)), "7:a1");
        let mut fresh = Ledger::new(Style::Stream);
        fresh.stamp(Stage::Acknowledged, 1, at(1));
        fresh.count(1);
        fresh.stamp(Stage::Acknowledged, 9, at(1));
        assert_eq!(told(&fresh.take(None)), "");
    }

    #[test]
    fn a_new_count_knows_nothing_of_what_was_sent_before() {
        let mut ledger = ledger(Style::Stream, &[5]);
        ledger.stamp(Stage::OnWire, 4, at(1));
        ledger.restart();
        ledger.count(5);
        ledger.sent(EntryId(9), at(2), at(2));
        ledger.stamp(Stage::Acknowledged, 4, at(3));
        assert_eq!(told(&ledger.take(None)), "0:w1 9:a3");
    }

    #[test]
    fn memory_has_a_bound() {
        let mut ledger = ledger(Style::Stream, &vec![1; 3 * MOST]);
        assert_eq!(ledger.waiting.len(), MOST);
        assert_eq!(ledger.take(Some(at(0))).len(), 2 * MOST);
        for number in 0..BATCH as u64 {
            ledger.received(EntryId(number), at(9), at(5));
        }
        assert_eq!(ledger.due(), Some(at(9)));
    }
}
