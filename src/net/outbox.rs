//! What was asked to be sent and the kernel has not taken yet: whole messages in order, with a bound.

use std::collections::VecDeque;

use crate::model::{Outgoing, Recording};

/// The most bytes that wait to be written. Whoever sends looks at `Link::unsent` first; what comes on top of it is
/// refused whole, with a note, and never cut.
pub const OUTBOX_BYTES: u64 = 16 << 20;

/// Messages waiting to be written.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: VecDeque<Outgoing>,
    /// Bytes of the first message that the kernel has taken.
    taken: usize,
    unsent: u64,
}

impl Outbox {
    /// Bytes that wait.
    pub(super) fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Queues a message, which may be empty, or gives it back if the bound is reached. An empty outbox takes any message.
    pub(super) fn push(&mut self, message: Outgoing) -> Result<(), Outgoing> {
        let len = message.bytes.len() as u64;
        if self.unsent > 0 && self.unsent + len > OUTBOX_BYTES {
            return Err(message);
        }
        self.unsent += len;
        self.messages.push_back(message);
        Ok(())
    }

    /// Whether a part of the first message was taken, and the rest has to follow before anything else.
    pub(super) fn is_under_way(&self) -> bool {
        self.taken > 0
    }

    /// What the next write call is given: at most `most` bytes of the first message.
    pub(super) fn front(&self, most: usize) -> Option<(&[u8], Recording)> {
        let message = self.messages.front()?;
        let rest = &message.bytes[self.taken..];
        Some((&rest[..rest.len().min(most)], message.recording))
    }

    /// Notes that the kernel took `count` bytes of the front.
    pub(super) fn advance(&mut self, count: usize) {
        self.taken += count;
        self.unsent -= count as u64;
        if self
            .messages
            .front()
            .is_some_and(|message| self.taken >= message.bytes.len())
        {
            self.messages.pop_front();
            self.taken = 0;
        }
    }

    /// Drops the first message, and says how many bytes of it were not taken.
    pub(super) fn skip(&mut self) -> u64 {
        let first = self.messages.pop_front();
        let left = first.map_or(0, |message| message.bytes.len() - std::mem::take(&mut self.taken)) as u64;
        self.unsent -= left;
        left
    }

    /// Drops everything and says how many bytes that were.
    pub(super) fn clear(&mut self) -> u64 {
        self.messages.clear();
        self.taken = 0;
        std::mem::take(&mut self.unsent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::MAX_PAYLOAD;

    fn message(len: usize) -> Outgoing {
        Outgoing {
            bytes: vec![b'x'; len],
            recording: Recording::AsIs,
        }
    }

    #[test]
    fn messages_keep_their_order_and_boundaries() {
        let mut outbox = Outbox::default();
        outbox.push(message(MAX_PAYLOAD + 1)).unwrap();
        outbox.push(message(3)).unwrap();
        assert_eq!(outbox.unsent(), MAX_PAYLOAD as u64 + 4);
        let mut writes = Vec::new();
        while let Some((bytes, _)) = outbox.front(MAX_PAYLOAD) {
            let count = bytes.len();
            writes.push(count);
            outbox.advance(count);
        }
        assert_eq!(writes, [MAX_PAYLOAD, 1, 3]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn the_bound_refuses_whole_messages() {
        let mut outbox = Outbox::default();
        outbox.push(message(OUTBOX_BYTES as usize + 1)).unwrap();
        assert!(outbox.push(message(1)).is_err());
        assert_eq!(outbox.clear(), OUTBOX_BYTES + 1);
        outbox.push(message(1)).unwrap();
    }
}
