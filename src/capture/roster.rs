//! The connections of a recording of ours: what is known of each, and the list of conversations that is made of it
//! and of what the files say.

use std::net::SocketAddr;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::fact;
use super::segment::{Segment, Shared};
use super::walk;
use super::window::Window;
use crate::model::{ConnectionId, Conversation, Direction, Endpoint, EntryKind, Protocol, Role, Timestamp};

/// The most conversations that one page holds, so that no caller makes us read all at once.
const PAGE: usize = 4096;

/// Bytes read for a name: most interface description blocks are shorter.
const CHUNK: usize = 256;

/// What a connection's line in the list of conversations is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its number.
    pub(super) id: ConnectionId,
    /// The file in which its interface description block and its opening are.
    pub(super) segment: u32,
    /// When dialing started.
    pub(super) started: Timestamp,
    /// What the program that recorded it was to it.
    pub(super) role: Role,
    /// Where its interface description block is.
    pub(super) block: u64,
    /// Its traffic.
    pub(super) traffic: Traffic,
}

/// What crossed a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Entries.
    pub(super) entries: u64,
    /// Bytes that were sent.
    pub(super) sent: u64,
    /// Bytes that were received.
    pub(super) received: u64,
    /// Where the JSON text of its opening is, and how long; no text has no bytes.
    pub(super) opening: (u64, u32),
}

impl Traffic {
    /// Counts an entry with `bytes` bytes, if it carries any.
    pub(super) fn count(&mut self, direction: Option<Direction>, bytes: u64) {
        self.entries += 1;
        match direction {
            Some(Direction::Sent) => self.sent += bytes,
            Some(Direction::Received) => self.received += bytes,
            None => {}
        }
    }
}

/// The connections, some 64 bytes each, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Roster {
    known: RwLock<Vec<Known>>,
}

impl Roster {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.read().len()
    }

    /// Where a connection stands in the list.
    pub(super) fn place(&self, connection: ConnectionId) -> Option<u64> {
        place(&self.read(), connection).ok().map(|place| place as u64)
    }

    /// When a connection's dialing started.
    pub(super) fn started(&self, connection: ConnectionId) -> Option<Timestamp> {
        let known = self.read();
        known
            .get(place(&known, connection).ok()?)
            .map(|known| known.started)
    }

    /// What the program that recorded a connection was to it.
    pub(super) fn role(&self, connection: ConnectionId) -> Option<Role> {
        let known = self.read();
        known.get(place(&known, connection).ok()?).map(|known| known.role)
    }

    /// Takes in that a connection has an interface description block in a file: a new one, or another one, from
    /// which its name is to be read from now on.
    pub(super) fn announce(&self, announced: Known) {
        let mut known = self.write();
        match place(&known, announced.id) {
            Ok(at) => {
                if let Some(known) = known.get_mut(at) {
                    let opening = announced.traffic.opening;
                    let traffic = Traffic {
                        opening,
                        ..known.traffic
                    };
                    *known = Known { traffic, ..announced };
                }
            }
            Err(at) => known.insert(at, announced),
        }
    }

    /// Changes what is known of a connection's traffic.
    pub(super) fn count(&self, connection: ConnectionId, change: impl FnOnce(&mut Traffic)) {
        let mut known = self.write();
        if let Ok(at) = place(&known, connection)
            && let Some(known) = known.get_mut(at)
        {
            change(&mut known.traffic);
        }
    }

    /// Forgets the connections that have their interface description block in no file from `segment` on.
    pub(super) fn forget_before(&self, segment: u32) {
        self.write().retain(|known| known.segment >= segment);
    }

    fn page(&self, range: Range<usize>) -> Vec<Known> {
        let known = self.read();
        let end = range.end.min(known.len());
        known
            .get(range.start..end)
            .map(<[Known]>::to_vec)
            .unwrap_or_default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Known>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a connection stands in the list, or would stand.
fn place(known: &[Known], connection: ConnectionId) -> Result<usize, usize> {
    // Mostly none is missing before it.
    let at = connection.0 as usize;
    if known.get(at).is_some_and(|known| known.id == connection) {
        return Ok(at);
    }
    known.binary_search_by_key(&connection, |known| known.id)
}

/// The conversations at these places of the list, at most a page.
pub(super) fn page(shared: &Shared, page: Range<u64>) -> Vec<Conversation> {
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (start, end) = (place(page.start), place(page.end));
    let known = shared.roster.page(start..end.min(start.saturating_add(PAGE)));
    let mut buffer = Vec::new();
    let conversations = known.iter().map(|known| conversation(shared, known, &mut buffer));
    conversations.collect()
}

fn conversation(shared: &Shared, known: &Known, buffer: &mut Vec<u8>) -> Conversation {
    let segment = shared.numbered(known.segment);
    // A file that changed under us, or is gone, has nothing better to say.
    let announced = segment.as_ref().and_then(|segment| {
        let mut window = Window::new(&segment.file, segment.index.end(), CHUNK, buffer);
        walk::announced(&mut window, known.block).ok()
    });
    let announced = announced.unwrap_or_default();
    let addresses = segment.and_then(|segment| opening(&segment, &known.traffic));
    let addresses = addresses.or(announced.addresses);
    let Traffic {
        entries,
        sent,
        received,
        ..
    } = known.traffic;
    Conversation {
        id: known.id,
        protocol: announced
            .name
            .parse()
            .map_or(Protocol::Tcp, |endpoint: Endpoint| endpoint.protocol()),
        role: known.role,
        local: addresses.map(|(local, _)| local),
        remote: addresses.map(|(_, remote)| remote),
        name: announced.name,
        started: known.started,
        entries,
        sent,
        received,
    }
}

/// The addresses in the entry that tells of the opening, if there was one.
fn opening(segment: &Segment, traffic: &Traffic) -> Option<(SocketAddr, SocketAddr)> {
    let (offset, len) = traffic.opening;
    let mut json = vec![0; len as usize];
    if json.is_empty() {
        return None;
    }
    segment.file.read_exact_at(&mut json, offset).ok()?;
    match fact::from_json(&json).ok()? {
        EntryKind::Open { local, remote } => Some((local, remote)),
        EntryKind::Data { .. }
        | EntryKind::Lookup(_)
        | EntryKind::Attempt(_)
        | EntryKind::Tls(_)
        | EntryKind::HalfClose { .. }
        | EntryKind::Close(_)
        | EntryKind::Error { .. }
        | EntryKind::Gap { .. }
        | EntryKind::Note { .. } => None,
    }
}
