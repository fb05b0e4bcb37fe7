//! What both directions of a connection go on with, held back while one of them may still be completed, so that it is told
//! in the order of time.

use std::collections::HashMap;

use super::item::Item;
use super::tcp::Delivery;
use crate::model::{ConnectionId, Side, Timestamp};

/// Deliveries that are held back, at most, but for what a single packet sets free: what a fast link delivers in the
/// milliseconds by which captures put packets in the wrong order.
const MOST: usize = 1024;

/// Deliveries of both directions, in the order in which they are to be told.
#[derive(Debug, Default)]
pub(super) struct Hold {
    held: Vec<Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    /// When it could be told at the earliest: bytes that came late hold up those behind them.
    from: Timestamp,
    side: Side,
    delivery: Delivery,
}

impl Hold {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether there are so many that waiting has to end.
    pub(super) fn is_full(&self) -> bool {
        self.held.len() > MOST
    }

    /// Adds what one direction goes on with: behind all that it had before, and before what the other had later.
    pub(super) fn add(&mut self, side: Side, run: impl IntoIterator<Item = Delivery>) {
        let own = self.held.iter().rposition(|held| held.side == side);
        let mut from = own.map_or(Timestamp::default(), |place| self.held[place].from);
        let mut others = self
            .held
            .split_off(own.map_or(0, |place| place + 1))
            .into_iter()
            .peekable();
        for delivery in run {
            from = from.max(delivery.at());
            // At the same time, what the other side has acknowledged comes before what it sent with that.
            while let Some(other) = others.next_if(|other| other.from < from) {
                self.held.push(other);
            }
            self.held.push(Held { from, side, delivery });
        }
        self.held.extend(others);
    }

    /// Takes out what is to be told before anything of that time.
    pub(super) fn release_before(
        &mut self,
        time: Timestamp,
    ) -> impl Iterator<Item = (Side, Delivery)> + use<> {
        let count = self.held.partition_point(|held| held.from < time);
        let told: Vec<Held> = self.held.drain(..count).collect();
        told.into_iter().map(|held| (held.side, held.delivery))
    }

    /// Takes all out.
    pub(super) fn release(&mut self) -> impl Iterator<Item = (Side, Delivery)> + use<> {
        let held = std::mem::take(&mut self.held);
        held.into_iter().map(|held| (held.side, held.delivery))
    }
}

/// Puts entries of several connections in the order of time; what is told of one stays in its order.
pub(super) fn sort(ready: &mut [(ConnectionId, Item)]) {
    let mut latest: HashMap<ConnectionId, Timestamp> = HashMap::new();
    let mut from = |(connection, item): &(ConnectionId, Item)| {
        let latest = latest.entry(*connection).or_default();
        *latest = item.at().max(*latest);
        *latest
    };
    ready.sort_by_cached_key(&mut from);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(at: u64) -> Delivery {
        Delivery::Gap {
            bytes: 1,
            at: Timestamp(at),
        }
    }

    fn check(runs: &[(Side, &[u64])], expected: &[(Side, u64)]) {
        let mut hold = Hold::default();
        for (side, run) in runs {
            hold.add(*side, run.iter().map(|at| gap(*at)));
        }
        assert_eq!(hold.len(), expected.len());
        let told: Vec<_> = hold
            .release()
            .map(|(side, delivery)| (side, delivery.at().0))
            .collect();
        assert_eq!(told, expected, "{runs:?}");
        assert_eq!(hold.len(), 0);
    }

    #[test]
    fn what_is_earlier_than_a_time_is_told_alone() {
        let mut hold = Hold::default();
        hold.add(Side::Local, [gap(1), gap(4), gap(9)]);
        hold.add(Side::Peer, [gap(2), gap(5)]);
        let mut before = |time| -> Vec<u64> {
            let told = hold.release_before(Timestamp(time));
            told.map(|(_, delivery)| delivery.at().0).collect()
        };
        assert_eq!(before(1), Vec::<u64>::new());
        assert_eq!(before(4), [1, 2]);
        assert_eq!(before(6), [4, 5]);
        assert_eq!(hold.len(), 1);
    }

    #[test]
    fn what_is_held_back_is_told_in_the_order_of_time() {
        use Side::{Local, Peer};
        check(&[], &[]);
        check(&[(Local, &[5]), (Peer, &[3])], &[(Peer, 3), (Local, 5)]);
        check(
            &[(Local, &[1, 4, 9]), (Peer, &[2, 3, 10])],
            &[
                (Local, 1),
                (Peer, 2),
                (Peer, 3),
                (Local, 4),
                (Local, 9),
                (Peer, 10),
            ],
        );
        // What came late is told behind what its direction had before, and holds up what follows it.
        check(
            &[(Local, &[5]), (Peer, &[6]), (Local, &[2])],
            &[(Local, 5), (Local, 2), (Peer, 6)],
        );
        check(
            &[(Local, &[4]), (Peer, &[8, 3])],
            &[(Local, 4), (Peer, 8), (Peer, 3)],
        );
        check(
            &[(Local, &[4, 8]), (Peer, &[5, 3])],
            &[(Local, 4), (Peer, 5), (Peer, 3), (Local, 8)],
        );
    }
}
