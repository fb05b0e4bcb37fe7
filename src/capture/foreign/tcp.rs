//! One direction of a TCP connection put back in order (RFC 9293 §3.4): retransmissions, overlaps, reordering
//! and gaps. Pure: bytes are only referred to, never copied.
//!
//! Deliberately absent: checksums, because offloading leaves them wrong in most captures of one's own host.

use std::collections::VecDeque;

use crate::model::Timestamp;

/// Segments that are kept while one before them is missing; one more, and the missing one is given up.
pub(super) const MOST_PIECES: usize = 8192;

/// The largest window that TCP can announce (RFC 7323 §2.3). What lies further off belongs elsewhere.
const FAR: i64 = 1 << 30;

/// Segments too far off in a row after which the stream is taken to have gone on there.
const MOST_STRAYS: u8 = 4;

/// Acknowledgements of bytes that were not captured, after which they count as lost to the capture. More than
/// one, since a capture may reorder what two queues of a network card deliver.
const PATIENCE: u8 = 8;

/// Which file holds the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The capture itself, or its unpacked copy.
    File,
    /// The spool of what had to be put together.
    Spool,
}

/// Bytes of a packet: where they are, and how many there were before the capture cut them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytes {
    /// Which file.
    pub(super) place: Place,
    /// Where in it.
    pub(super) offset: u64,
    /// How many are there.
    pub(super) captured: u32,
    /// How many there were on the wire.
    pub(super) len: u32,
}

/// A segment without its SYN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// The sequence number of its first byte.
    pub(super) seq: u32,
    /// Its payload.
    pub(super) bytes: Bytes,
    /// Whether the stream ends behind it.
    pub(super) fin: bool,
    /// When it was captured.
    pub(super) at: Timestamp,
}

/// What the stream goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Bytes.
    Data {
        /// Which file.
        place: Place,
        /// Where in it.
        offset: u64,
        /// How many.
        len: u32,
        /// When they were captured.
        at: Timestamp,
    },
    /// Bytes that are missing.
    Gap {
        /// How many.
        bytes: u64,
        /// When what follows was captured.
        at: Timestamp,
    },
    /// The end.
    Fin {
        /// When it was captured.
        at: Timestamp,
    },
}

/// How much is known of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// No segment was seen.
    #[default]
    Unknown,
    /// Only an empty segment was seen, which may have been a keep-alive (RFC 9293 §3.8.4) one byte behind.
    Guessed,
    /// The next sequence number is known.
    Known,
    /// FIN was delivered.
    Finished,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    next: u32,
    phase: Phase,
    strays: u8,
    doubts: u8,
    /// What lies behind a gap: in order, not overlapping.
    pending: VecDeque<Piece>,
}

/// A part of the sequence space.
#[derive(Clone, Copy, Debug)]
struct Piece {
    seq: u32,
    at: Timestamp,
    content: Content,
}

#[derive(Clone, Copy, Debug)]
enum Content {
    Bytes(Bytes),
    /// Takes one sequence number.
    Fin,
}

impl Piece {
    fn len(&self) -> u32 {
        match self.content {
            Content::Bytes(bytes) => bytes.len,
            Content::Fin => 1,
        }
    }

    /// Without its first `count`, which are fewer than it has.
    fn without(mut self, count: u32) -> Piece {
        self.seq = self.seq.wrapping_add(count);
        if let Content::Bytes(bytes) = &mut self.content {
            let gone = count.min(bytes.captured);
            bytes.offset += u64::from(gone);
            bytes.captured -= gone;
            bytes.len -= count;
        }
        self
    }

    /// Its first `count`.
    fn first(mut self, count: u32) -> Piece {
        if let Content::Bytes(bytes) = &mut self.content {
            bytes.len = count;
            bytes.captured = bytes.captured.min(count);
        }
        self
    }
}

impl Half {
    /// The sequence number that comes next, once it is known.
    pub(super) fn next(&self) -> Option<u32> {
        match self.phase {
            Phase::Unknown | Phase::Guessed => None,
            Phase::Known | Phase::Finished => Some(self.next),
        }
    }

    /// How many segments wait for one before them.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// SYN was seen, with this initial sequence number.
    pub(super) fn synchronize(&mut self, initial: u32) {
        if self.next().is_none() {
            self.next = initial.wrapping_add(1);
            self.phase = Phase::Known;
        }
    }

    /// Takes a segment in. Returns whether all of it had been there before.
    pub(super) fn take(&mut self, segment: &Segment, out: &mut Vec<Delivery>) -> bool {
        let empty = segment.bytes.len == 0;
        match self.phase {
            Phase::Unknown => {
                self.next = segment.seq;
                self.phase = if empty { Phase::Guessed } else { Phase::Known };
            }
            Phase::Guessed if !empty => {
                if self.distance(segment.seq) == 1 {
                    self.next = segment.seq;
                }
                self.phase = Phase::Known;
            }
            Phase::Guessed | Phase::Known | Phase::Finished => {}
        }
        let mut old = false;
        if !empty {
            let piece = Piece {
                seq: segment.seq,
                at: segment.at,
                content: Content::Bytes(segment.bytes),
            };
            old = self.insert(piece, out);
        }
        if segment.fin {
            let piece = Piece {
                seq: segment.seq.wrapping_add(segment.bytes.len),
                at: segment.at,
                content: Content::Fin,
            };
            self.insert(piece, out);
        }
        old
    }

    /// The receiver acknowledged everything before `ack`.
    pub(super) fn acknowledge(&mut self, ack: u32, at: Timestamp, out: &mut Vec<Delivery>) {
        let ahead = self.distance(ack);
        if self.phase != Phase::Known || ahead <= 0 || ahead > FAR {
            self.doubts = 0;
            return;
        }
        self.doubts = self.doubts.saturating_add(1);
        if self.doubts < PATIENCE {
            return;
        }
        while self.distance(ack) > 0 && self.phase == Phase::Known {
            let ahead = self.distance(ack);
            match self.pending.front().map(|first| self.distance(first.seq)) {
                Some(hole) if hole < ahead => self.give_up(out),
                // One number that nothing follows is a FIN that was not captured.
                None if ahead == 1 => return,
                Some(_) | None => {
                    out.push(Delivery::Gap {
                        bytes: ahead.cast_unsigned(),
                        at,
                    });
                    self.next = ack;
                    self.drain(out);
                }
            }
        }
        self.doubts = 0;
    }

    /// Nothing more comes: what is missing stays missing.
    pub(super) fn flush(&mut self, out: &mut Vec<Delivery>) {
        while !self.pending.is_empty() {
            self.give_up(out);
        }
    }

    /// How far ahead of the next expected number `seq` is (RFC 9293 §3.4: modulo 2³²).
    fn distance(&self, seq: u32) -> i64 {
        i64::from(seq.wrapping_sub(self.next).cast_signed())
    }

    fn insert(&mut self, piece: Piece, out: &mut Vec<Delivery>) -> bool {
        let ahead = self.distance(piece.seq);
        if self.phase == Phase::Finished || ahead + i64::from(piece.len()) <= 0 && ahead >= -FAR {
            return true;
        }
        if ahead.abs() > FAR {
            self.strays += 1;
            if self.strays < MOST_STRAYS {
                return false;
            }
            self.flush(out);
            out.push(Delivery::Gap {
                bytes: u64::from(piece.seq.wrapping_sub(self.next)),
                at: piece.at,
            });
            self.next = piece.seq;
        }
        self.strays = 0;
        let piece = match self.distance(piece.seq) {
            behind @ ..0 => piece.without(behind.unsigned_abs() as u32),
            0.. => piece,
        };
        if self.pending.is_empty() && piece.seq == self.next {
            self.deliver(piece, out);
            return false;
        }
        self.keep(piece);
        self.drain(out);
        if self.pending.len() > MOST_PIECES {
            self.give_up(out);
        }
        false
    }

    /// Keeps what of `piece` no kept one covers: the first copy wins.
    fn keep(&mut self, piece: Piece) {
        let next = self.next;
        let start = |piece: &Piece| u64::from(piece.seq.wrapping_sub(next));
        let end = |piece: &Piece| start(piece) + u64::from(piece.len());
        let mut piece = piece;
        let mut place = self.pending.partition_point(|kept| end(kept) <= start(&piece));
        while let Some(kept) = self.pending.get(place).copied() {
            if end(&piece) <= start(&kept) {
                break;
            }
            if start(&piece) < start(&kept) {
                let free = (start(&kept) - start(&piece)) as u32;
                self.pending.insert(place, piece.first(free));
                piece = piece.without(free);
                place += 1;
            }
            if end(&piece) <= end(&kept) {
                return;
            }
            piece = piece.without((end(&kept) - start(&piece)) as u32);
            place += 1;
        }
        self.pending.insert(place, piece);
    }

    /// Delivers what follows without a gap.
    fn drain(&mut self, out: &mut Vec<Delivery>) {
        while let Some(piece) = self.pending.front().copied() {
            let ahead = self.distance(piece.seq);
            if ahead > 0 {
                return;
            }
            self.pending.pop_front();
            if ahead == 0 {
                self.deliver(piece, out);
            } else if ahead + i64::from(piece.len()) > 0 {
                self.deliver(piece.without(ahead.unsigned_abs() as u32), out);
            }
        }
        // A burst is over; its memory is not kept for a stream that may stay quiet.
        self.pending.shrink_to(64);
    }

    /// Steps over the first gap.
    fn give_up(&mut self, out: &mut Vec<Delivery>) {
        if let Some(first) = self.pending.front() {
            let ahead = self.distance(first.seq);
            if ahead > 0 {
                out.push(Delivery::Gap {
                    bytes: ahead.cast_unsigned(),
                    at: first.at,
                });
            }
            self.next = first.seq;
            self.drain(out);
        }
    }

    fn deliver(&mut self, piece: Piece, out: &mut Vec<Delivery>) {
        let at = piece.at;
        self.next = self.next.wrapping_add(piece.len());
        self.doubts = 0;
        match piece.content {
            Content::Bytes(bytes) => {
                if bytes.captured > 0 {
                    out.push(Delivery::Data {
                        place: bytes.place,
                        offset: bytes.offset,
                        len: bytes.captured,
                        at,
                    });
                }
                if bytes.captured < bytes.len {
                    let bytes = u64::from(bytes.len - bytes.captured);
                    out.push(Delivery::Gap { bytes, at });
                }
            }
            Content::Fin => {
                self.phase = Phase::Finished;
                self.pending.clear();
                out.push(Delivery::Fin { at });
            }
        }
    }
}
