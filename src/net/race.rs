//! The order in which addresses are tried (RFC 8305 §4), without sockets and without a clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::model::Family;

/// How long an answer for IPv4 waits for the one for IPv6 (RFC 8305 §3).
pub(super) const RESOLUTION_DELAY: Duration = Duration::from_millis(50);
/// Time between the starts of two attempts (RFC 8305 §5).
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Addresses that were found and not tried yet. Families alternate, IPv6 first.
#[derive(Debug, Default)]
pub(super) struct Race {
    v6: VecDeque<SocketAddr>,
    v4: VecDeque<SocketAddr>,
    last: Option<Family>,
}

impl Race {
    /// Adds what a lookup found, each address once.
    pub(super) fn add(&mut self, found: &[SocketAddr]) {
        for address in found {
            let queue = if address.is_ipv6() {
                &mut self.v6
            } else {
                &mut self.v4
            };
            if !queue.contains(address) {
                queue.push_back(*address);
            }
        }
    }

    /// Whether there is nothing left to try.
    pub(super) fn is_empty(&self) -> bool {
        self.v6.is_empty() && self.v4.is_empty()
    }

    /// The next address to try.
    pub(super) fn next(&mut self) -> Option<SocketAddr> {
        let first = if self.last == Some(Family::V6) {
            Family::V4
        } else {
            Family::V6
        };
        let (family, address) = match first {
            Family::V6 => take(&mut self.v6, Family::V6).or_else(|| take(&mut self.v4, Family::V4)),
            Family::V4 => take(&mut self.v4, Family::V4).or_else(|| take(&mut self.v6, Family::V6)),
        }?;
        self.last = Some(family);
        Some(address)
    }
}

fn take(queue: &mut VecDeque<SocketAddr>, family: Family) -> Option<(Family, SocketAddr)> {
    queue.pop_front().map(|address| (family, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_and_ipv6_goes_first() {
        let list = |text: &str| -> Vec<SocketAddr> { text.split(' ').map(|a| a.parse().unwrap()).collect() };
        let mut race = Race::default();
        race.add(&list("10.0.0.1:1 10.0.0.2:1 10.0.0.1:1"));
        race.add(&list("[::1]:1 [::2]:1 [::3]:1"));
        let order: Vec<SocketAddr> = std::iter::from_fn(|| race.next()).collect();
        assert_eq!(order, list("[::1]:1 10.0.0.1:1 [::2]:1 10.0.0.2:1 [::3]:1"));
        assert!(race.is_empty());
    }

    #[test]
    fn a_late_family_joins_in_turn() {
        let mut race = Race::default();
        race.add(&["10.0.0.1:1".parse().unwrap(), "10.0.0.2:1".parse().unwrap()]);
        assert!(race.next().is_some_and(|a| a.is_ipv4()));
        race.add(&["[::1]:1".parse().unwrap()]);
        assert!(race.next().is_some_and(|a| a.is_ipv6()));
    }
}
