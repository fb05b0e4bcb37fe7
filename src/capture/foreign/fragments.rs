//! IP datagrams put together from their fragments (RFC 791 §3.2, RFC 8200 §4.5), in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use etherparse::defrag::IpDefragBuf;
use etherparse::{IpFragOffset, IpNumber};

use super::decode::Packet;

/// Datagrams under way at a time; with one more, the oldest is given up. 64 KiB each at most.
const MOST: usize = 64;

/// Which part of a datagram a packet is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    /// The number that all parts share.
    pub(super) number: u32,
    /// Where it belongs.
    pub(super) offset: IpFragOffset,
    /// Whether others follow it.
    pub(super) more: bool,
}

type Key = ([IpAddr; 2], u8, u32);

/// The datagrams under way.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    parts: HashMap<Key, IpDefragBuf>,
    order: VecDeque<Key>,
    /// Packets that did not become part of a datagram.
    lost: u64,
    /// Packets in the datagrams under way.
    waiting: HashMap<Key, u64>,
}

impl Fragments {
    /// How many fragments could not be put together: those whose datagram was given up, and those that still wait.
    pub(super) fn lost(&self) -> u64 {
        self.lost + self.waiting.values().sum::<u64>()
    }

    /// Takes a part in; returns the payload of the datagram if it is whole now.
    pub(super) fn take(&mut self, packet: &Packet<'_>, fragment: Fragment) -> Option<Vec<u8>> {
        if packet.short > 0 {
            self.lost += 1;
            return None;
        }
        let key = (packet.ends, packet.protocol.0, fragment.number);
        if !self.parts.contains_key(&key) {
            if self.order.len() >= MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.parts.remove(&oldest);
                self.lost += self.waiting.remove(&oldest).unwrap_or_default();
            }
            self.order.push_back(key);
            let buffer = IpDefragBuf::new(IpNumber(key.1), Vec::new(), Vec::new());
            self.parts.insert(key, buffer);
        }
        let buffer = self.parts.get_mut(&key)?;
        if buffer
            .add(fragment.offset, fragment.more, packet.payload)
            .is_err()
        {
            self.lost += 1;
            return None;
        }
        if !buffer.is_complete() {
            *self.waiting.entry(key).or_default() += 1;
            return None;
        }
        self.order.retain(|other| *other != key);
        self.waiting.remove(&key);
        self.parts.remove(&key).map(|buffer| buffer.take_bufs().0)
    }
}
