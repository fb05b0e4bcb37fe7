//! What waits for connections, and the connections that it accepted, as they are now.

use std::sync::Arc;

use super::{Address, ConnectionId, Endpoint, Link, LinkState, Tally, Timestamp};

/// What waits for connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// Its number in the session: what happens to it are entries of the log too.
    pub id: ConnectionId,
    /// Where it was asked to wait.
    pub address: Address,
    /// What every connection is relayed to, in a tap.
    pub target: Option<Endpoint>,
    /// Where it stands.
    pub state: LinkState,
    /// Where it waits really, as in `127.0.0.1:9000`.
    pub bound: Vec<String>,
    /// When it was asked to.
    pub started: Timestamp,
    /// Since when it waits.
    pub since: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How many connections it accepted.
    pub accepted: u64,
    /// Why it failed or ended, in one sentence.
    pub reason: Option<String>,
    /// The SHA-256 of the certificate that it shows, in hex.
    pub fingerprint: Option<String>,
    /// Whether that was made on the spot, so that nobody can trust it but by its fingerprint.
    pub self_signed: bool,
}

impl Listening {
    /// What is about to wait for connections.
    pub fn new(
        id: ConnectionId,
        address: Address,
        target: Option<Endpoint>,
        started: Timestamp,
    ) -> Listening {
        Listening {
            id,
            started,
            address,
            target,
            state: LinkState::Idle,
            bound: Vec::new(),
            since: None,
            ended: None,
            accepted: 0,
            reason: None,
            fingerprint: None,
            self_signed: false,
        }
    }
}

/// The connections that were accepted, in the order of their numbers: all that are not over, and the latest of those
/// that are. Copies are cheap; one is made anew when it changes while another is still looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    links: Arc<Vec<Link>>,
    /// What crossed those that are not listed any more.
    before: [Tally; 2],
}

impl Peers {
    /// How many connections that are over stay listed.
    pub const KEPT: usize = 1000;

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether none is listed.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// All that are listed, the first one first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Link> + ExactSizeIterator {
        self.links.iter()
    }

    /// Those through which bytes may cross.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = &Link> {
        self.links.iter().filter(|link| link.state.is_live())
    }

    /// The one of that number, if it is listed.
    pub fn get(&self, id: ConnectionId) -> Option<&Link> {
        self.links.get(self.place(id)?)
    }

    /// The place of the one of that number in the list, counted from 0.
    pub fn place(&self, id: ConnectionId) -> Option<usize> {
        self.links.binary_search_by_key(&id, |link| link.id).ok()
    }

    /// The one at that place.
    pub fn at(&self, place: usize) -> Option<&Link> {
        self.links.get(place)
    }

    /// The same to change it.
    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Link> {
        let place = self.place(id)?;
        Arc::make_mut(&mut self.links).get_mut(place)
    }

    /// Adds a connection whose number is higher than those of all others.
    pub fn push(&mut self, link: Link) {
        let links = Arc::make_mut(&mut self.links);
        links.push(link);
        let over = links.iter().filter(|link| is_over(link)).count();
        // Half of them at once, so that looking for them costs little for each that is added.
        if over > Peers::KEPT {
            let mut surplus = over - Peers::KEPT / 2;
            let before = &mut self.before;
            links.retain(|link| {
                let goes = surplus > 0 && is_over(link);
                if goes {
                    surplus -= 1;
                    *before = added(*before, link);
                }
                !goes
            });
        }
    }

    /// What was sent to all and received from all, with those that are not listed any more.
    pub fn totals(&self) -> [Tally; 2] {
        self.links.iter().fold(self.before, added)
    }
}

fn is_over(link: &Link) -> bool {
    matches!(link.state, LinkState::Closed | LinkState::Failed)
}

fn added([sent, received]: [Tally; 2], link: &Link) -> [Tally; 2] {
    let sum = |a: Tally, b: Tally| Tally {
        bytes: a.bytes + b.bytes,
        messages: a.messages + b.messages,
        first: a.first.into_iter().chain(b.first).min(),
        last: a.last.max(b.last),
    };
    [sum(sent, link.sent), sum(received, link.received)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(id: u32, state: LinkState) -> Link {
        let mut link = Link::new(ConnectionId(id), "host:1".parse().unwrap(), Timestamp(0));
        link.state = state;
        link.sent.bytes = 1;
        link
    }

    #[test]
    fn those_that_are_over_do_not_pile_up_and_stay_counted() {
        let mut peers = Peers::default();
        for id in 0..10_000 {
            let state = if id % 1000 == 7 {
                LinkState::Open
            } else {
                LinkState::Closed
            };
            peers.push(link(id, state));
            assert!(peers.len() <= Peers::KEPT + 11);
        }
        assert_eq!(peers.live().count(), 10);
        assert_eq!(peers.totals()[0].bytes, 10_000);
        assert_eq!(peers.get(ConnectionId(7)).unwrap().state, LinkState::Open);
        assert!(peers.get(ConnectionId(8)).is_none(), "it was over long ago");
        assert_eq!(peers.iter().next_back().unwrap().id, ConnectionId(9_999));
    }

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut peers = Peers::default();
        peers.push(link(3, LinkState::Open));
        let copy = peers.clone();
        peers.get_mut(ConnectionId(3)).unwrap().state = LinkState::Closed;
        assert_eq!(copy.live().count(), 1);
        assert_eq!(peers.live().count(), 0);
    }
}
