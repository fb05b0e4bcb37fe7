//! The list of conversations of a session file of ours: what the index knows, and what the file says about it.

use std::net::SocketAddr;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::fact;
use super::index::{Known, Traffic};
use super::recorder::Shared;
use super::walk;
use super::window::Window;
use crate::model::{ConnectionId, Conversation, EntryKind, Protocol};

/// The most conversations that one page holds, so that no caller makes us read all at once.
const PAGE: usize = 4096;

/// Bytes read for a name: most interface description blocks are shorter.
const CHUNK: usize = 256;

/// The conversations of these numbers, at most a page.
pub(super) fn page(shared: &Shared, page: Range<u64>) -> Vec<Conversation> {
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (start, end) = (place(page.start), place(page.end));
    let known = shared.index.known(start..end.min(start.saturating_add(PAGE)));
    let mut buffer = Vec::new();
    (page.start..)
        .zip(known)
        .map(|(number, known)| conversation(shared, number as u32, &known, &mut buffer))
        .collect()
}

fn conversation(shared: &Shared, number: u32, known: &Known, buffer: &mut Vec<u8>) -> Conversation {
    let mut window = Window::new(&shared.file, shared.index.end(), CHUNK, buffer);
    // A file that changed under us has nothing better to say.
    let announced = walk::announced(&mut window, known.block).unwrap_or_default();
    let addresses = opening(shared, &known.traffic).or(announced.addresses);
    let Traffic {
        entries,
        sent,
        received,
        ..
    } = known.traffic;
    Conversation {
        id: ConnectionId(number),
        protocol: if announced.name.starts_with("udp://") {
            Protocol::Udp
        } else {
            Protocol::Tcp
        },
        client: addresses.map(|(local, _)| local),
        server: addresses.map(|(_, remote)| remote),
        name: announced.name,
        started: known.started,
        entries,
        sent,
        received,
    }
}

/// The addresses in the entry that tells of the opening, if there was one.
fn opening(shared: &Shared, traffic: &Traffic) -> Option<(SocketAddr, SocketAddr)> {
    let (offset, len) = traffic.opening;
    let mut json = vec![0; len as usize];
    if json.is_empty() {
        return None;
    }
    shared.file.read_exact_at(&mut json, offset).ok()?;
    match fact::from_json(&json).ok()? {
        EntryKind::Open { local, remote } => Some((local, remote)),
        EntryKind::Data { .. }
        | EntryKind::Lookup(_)
        | EntryKind::Attempt(_)
        | EntryKind::HalfClose { .. }
        | EntryKind::Close(_)
        | EntryKind::Error { .. }
        | EntryKind::Gap { .. }
        | EntryKind::Note { .. } => None,
    }
}
