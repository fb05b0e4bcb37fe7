//! One direction of a TCP connection put back in order (RFC 9293 §3.4): retransmissions, overlaps, reordering
//! and gaps. Pure: bytes are only referred to, never copied.
//!
//! Deliberately absent: checksums, because offloading leaves them wrong in most captures of one's own host.

mod delivery;
mod piece;

use std::collections::VecDeque;

pub(super) use self::delivery::Delivery;
use self::piece::{Content, Piece};
use crate::model::Timestamp;

/// Segments that are kept while one before them is missing; one more, and the missing one is given up.
pub(super) const MOST_PIECES: usize = 8192;

/// The largest window that TCP can announce (RFC 7323 §2.3). What lies further off belongs elsewhere.
const FAR: i64 = 1 << 30;

/// Segments too far off in a row after which the stream is taken to have gone on there, unless the receiver says so.
const MOST_STRAYS: u8 = 4;

/// The time after the first acknowledgement of bytes that were not captured, in nanoseconds, after which they count as
/// lost to the capture. It may reorder what two queues of a network card deliver, or be put together of two captures
/// whose clocks differ, but not over a tenth of a second. How many acknowledgements come meanwhile says nothing: there
/// are thousands in that time on a fast link.
pub(super) const LATEST: u64 = 100_000_000;

/// Later than anything that was captured.
const NEVER: Timestamp = Timestamp(u64::MAX);

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
    /// The last acknowledgement that was too far off.
    elsewhere: Option<u32>,
    doubt: Option<Doubt>,
    /// Numbers that were delivered as bytes, there or missing.
    delivered: u64,
    /// What lies behind a gap: in order, not overlapping.
    pending: VecDeque<Piece>,
}

/// The receiver has got bytes that were not captured yet.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// It has all before this number.
    ack: u32,
    /// When it said so first.
    raised: Timestamp,
    /// When it first said that it has more than was captured. Once something of that was captured, nobody knows when it
    /// said so of the rest: at the latest when it said so of the last.
    since: Timestamp,
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

    /// SYN was seen for the first time, with this initial sequence number. What was there before counts more only if
    /// it had bytes: a lone FIN or keep-alive may be anybody's.
    pub(super) fn synchronize(&mut self, initial: u32) {
        if self.next().is_none() || self.is_untouched() {
            self.next = initial.wrapping_add(1);
            self.phase = Phase::Known;
            self.doubt = None;
        }
    }

    /// Of two SYN with different initial sequence numbers, the other side has taken the later for the true one. It
    /// is too late for that if anything came behind the first.
    pub(super) fn restart(&mut self, later: u32) {
        if self.is_untouched() {
            self.next = later.wrapping_add(1);
            self.doubt = None;
        }
    }

    fn is_untouched(&self) -> bool {
        self.delivered == 0 && self.pending.is_empty()
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

    /// Since when the receiver has got bytes that may still be captured.
    pub(super) fn doubtful_since(&self) -> Option<Timestamp> {
        self.doubt.map(|doubt| doubt.since)
    }

    /// The receiver acknowledged everything before `ack`.
    pub(super) fn acknowledge(&mut self, ack: u32, at: Timestamp, out: &mut Vec<Delivery>) {
        let ahead = self.distance(ack);
        self.elsewhere = (ahead.abs() > FAR).then_some(ack);
        // One number that nothing follows is a FIN that was not captured.
        let is_fin = ahead == 1 && self.pending.is_empty();
        if self.phase != Phase::Known || ahead <= 0 || ahead > FAR || is_fin {
            return;
        }
        let doubt = self.doubt.get_or_insert(Doubt {
            ack,
            raised: at,
            since: at,
        });
        if ack.wrapping_sub(doubt.ack).cast_signed() > 0 {
            doubt.ack = ack;
            doubt.raised = at;
        }
        if at.since(doubt.since).as_nanos() >= u128::from(LATEST) {
            self.lose(out);
        }
    }

    /// What the receiver has and was not captured counts as lost.
    pub(super) fn lose(&mut self, out: &mut Vec<Delivery>) {
        let Some(Doubt { ack, since, .. }) = self.doubt.take() else {
            return;
        };
        while self.distance(ack) > 0 && self.phase == Phase::Known {
            let ahead = self.distance(ack);
            match self.pending.front().map(|first| self.distance(first.seq)) {
                Some(hole) if hole < ahead => self.give_up(since, out),
                None if ahead == 1 => return,
                Some(_) | None => {
                    out.push(Delivery::Gap {
                        bytes: ahead.cast_unsigned(),
                        at: since,
                    });
                    self.next = ack;
                    self.drain(out);
                }
            }
        }
    }

    /// Nothing more comes: what is missing stays missing.
    pub(super) fn flush(&mut self, out: &mut Vec<Delivery>) {
        self.lose(out);
        while !self.pending.is_empty() {
            self.give_up(NEVER, out);
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
            if self.strays < MOST_STRAYS && self.elsewhere != Some(piece.seq) {
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
            self.give_up(NEVER, out);
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

    /// Steps over the first gap, which was known to be one `since` then if not by what follows it.
    fn give_up(&mut self, since: Timestamp, out: &mut Vec<Delivery>) {
        if let Some(first) = self.pending.front() {
            let ahead = self.distance(first.seq);
            if ahead > 0 {
                out.push(Delivery::Gap {
                    bytes: ahead.cast_unsigned(),
                    at: first.at.min(since),
                });
            }
            self.next = first.seq;
            self.drain(out);
        }
    }

    fn deliver(&mut self, piece: Piece, out: &mut Vec<Delivery>) {
        let at = piece.at;
        self.next = self.next.wrapping_add(piece.len());
        if let Some(mut doubt) = self.doubt.take() {
            doubt.since = doubt.raised;
            self.doubt = Some(doubt).filter(|doubt| self.distance(doubt.ack) > 0);
        }
        match piece.content {
            Content::Bytes(bytes) => {
                self.delivered = self.delivered.saturating_add(u64::from(bytes.len));
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
                self.doubt = None;
                out.push(Delivery::Fin { at });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn segment(initial: u32, from: u32, to: u32) -> Segment {
        Segment {
            seq: initial.wrapping_add(1).wrapping_add(from),
            bytes: Bytes {
                place: Place::File,
                offset: u64::from(from),
                captured: to - from,
                len: to - from,
            },
            fin: false,
            at: Timestamp(u64::from(from)),
        }
    }

    fn fin(initial: u32, at: u32) -> Segment {
        Segment {
            fin: true,
            ..segment(initial, at, at)
        }
    }

    /// The stream as ranges of what was sent, each with whether it is there; and whether its end is.
    fn story(deliveries: &[Delivery]) -> (Vec<(u64, u64, bool)>, bool) {
        let mut at = 0;
        let mut parts: Vec<(u64, u64, bool)> = Vec::new();
        let mut ended = false;
        for delivery in deliveries {
            assert!(!ended, "something follows the end");
            let (len, there) = match *delivery {
                Delivery::Data { offset, len, .. } => {
                    assert_eq!(offset, at, "the wrong bytes");
                    (u64::from(len), true)
                }
                Delivery::Gap { bytes, .. } => (bytes, false),
                Delivery::Fin { .. } => {
                    ended = true;
                    continue;
                }
            };
            assert!(len > 0, "an empty delivery");
            match parts.last_mut() {
                Some(last) if last.2 == there => last.1 += len,
                Some(_) | None => parts.push((at, at + len, there)),
            }
            at += len;
        }
        (parts, ended)
    }

    fn play(initial: u32, segments: &[Segment]) -> (Vec<(u64, u64, bool)>, bool) {
        let mut half = Half::default();
        half.synchronize(initial);
        let mut out = Vec::new();
        for segment in segments {
            half.take(segment, &mut out);
        }
        half.flush(&mut out);
        assert_eq!(half.pending(), 0);
        story(&out)
    }

    /// Ranges that cover 0 to `len`, overlapping and repeated, in any order.
    fn cover(len: u32) -> impl Strategy<Value = Vec<(u32, u32)>> {
        let cuts = vec(0..=len, 0..40);
        let extra = vec((0..=len, 0..=len), 0..20);
        (cuts, extra)
            .prop_map(move |(mut cuts, extra)| {
                cuts.extend([0, len]);
                cuts.sort_unstable();
                let mut ranges: Vec<(u32, u32)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
                ranges.extend(extra.into_iter().map(|(a, b)| (a.min(b), a.max(b))));
                ranges.retain(|(from, to)| from < to);
                ranges
            })
            .prop_shuffle()
    }

    proptest! {
        #[test]
        fn any_order_gives_the_stream(
            initial in prop_oneof![any::<u32>(), u32::MAX - 3000..=u32::MAX],
            ranges in (1..3000u32).prop_flat_map(cover),
            place in any::<prop::sample::Index>(),
        ) {
            let len = ranges.iter().map(|range| range.1).max().unwrap_or_default();
            let mut segments: Vec<Segment> =
                ranges.iter().map(|(from, to)| segment(initial, *from, *to)).collect();
            segments.insert(place.index(segments.len() + 1), fin(initial, len));
            prop_assert_eq!(play(initial, &segments), (vec![(0, u64::from(len), true)], true));
        }

        #[test]
        fn what_is_missing_is_a_gap_and_nothing_else_is(
            initial in any::<u32>(),
            ranges in (1..3000u32).prop_flat_map(cover),
            keep in vec(any::<bool>(), 60),
        ) {
            let len = ranges.iter().map(|range| range.1).max().unwrap_or_default();
            let kept: Vec<&(u32, u32)> =
                ranges.iter().zip(keep).filter(|(_, keep)| *keep).map(|(range, _)| range).collect();
            let mut segments: Vec<Segment> =
                kept.iter().map(|(from, to)| segment(initial, *from, *to)).collect();
            segments.push(fin(initial, len));
            let there = |at: u32| kept.iter().any(|(from, to)| (*from..*to).contains(&at));
            let mut expected: Vec<(u64, u64, bool)> = Vec::new();
            for at in 0..len {
                match expected.last_mut() {
                    Some(last) if last.2 == there(at) => last.1 += 1,
                    Some(_) | None => expected.push((u64::from(at), u64::from(at) + 1, there(at))),
                }
            }
            prop_assert_eq!(play(initial, &segments), (expected, true));
        }

        #[test]
        fn nothing_an_attacker_sends_breaks_it(
            steps in vec((any::<u32>(), 0..70_000u32, 0..70_000u32, any::<bool>(), any::<u32>()), 0..200),
            near in any::<bool>(),
        ) {
            let mut half = Half::default();
            let mut out = Vec::new();
            for (seq, len, captured, fin, ack) in steps {
                let scale = if near { 100_000 } else { u32::MAX };
                let bytes = Bytes { place: Place::Spool, offset: 0, captured: captured.min(len), len };
                half.take(&Segment { seq: seq % scale, bytes, fin, at: Timestamp(0) }, &mut out);
                half.acknowledge(ack % scale, Timestamp(0), &mut out);
            }
            half.flush(&mut out);
            prop_assert_eq!(half.pending(), 0);
        }
    }

    #[test]
    fn the_first_copy_wins() {
        let mut half = Half::default();
        half.synchronize(9);
        let mut out = Vec::new();
        let marked = |from, to, offset| {
            let mut segment = segment(9, from, to);
            segment.bytes.offset = offset;
            segment
        };
        half.take(&marked(10, 20, 1000), &mut out);
        half.take(&marked(5, 25, 2000), &mut out);
        assert!(out.is_empty());
        half.take(&marked(0, 30, 3000), &mut out);
        let parts: Vec<(u64, u32)> = out
            .iter()
            .map(|delivery| match delivery {
                Delivery::Data { offset, len, .. } => (*offset, *len),
                Delivery::Gap { .. } | Delivery::Fin { .. } => unreachable!("nothing is missing"),
            })
            .collect();
        assert_eq!(parts, [(3000, 5), (2000, 5), (1000, 10), (2015, 5), (3025, 5)]);
    }

    #[test]
    fn what_the_receiver_has_and_the_capture_lacks_is_given_up() {
        let mut half = Half::default();
        half.synchronize(0);
        let mut out = Vec::new();
        half.take(&segment(0, 0, 10), &mut out);
        half.take(&segment(0, 20, 30), &mut out);
        for _ in 0..1000 {
            half.acknowledge(31, Timestamp(7), &mut out);
        }
        assert_eq!(story(&out).0, [(0, 10, true)]);
        half.acknowledge(31, Timestamp(7 + LATEST), &mut out);
        assert_eq!(story(&out).0, [(0, 10, true), (10, 20, false), (20, 30, true)]);
        // One more number than there were bytes is that of a FIN.
        for since in 1..4 {
            half.acknowledge(32, Timestamp(7 + since * LATEST), &mut out);
        }
        assert_eq!(out.len(), 3);
        for since in 4..6 {
            half.acknowledge(41, Timestamp(7 + since * LATEST), &mut out);
        }
        assert_eq!(story(&out).0.last(), Some(&(30, 40, false)));
    }

    #[test]
    fn what_is_not_captured_within_a_tenth_of_a_second_is_given_up() {
        let mut half = Half::default();
        half.synchronize(0);
        let mut out = Vec::new();
        half.take(&segment(0, 0, 10), &mut out);
        half.take(&segment(0, 20, 30), &mut out);
        assert_eq!(half.doubtful_since(), None, "it may be sent again");
        half.acknowledge(31, Timestamp(7), &mut out);
        half.acknowledge(31, Timestamp(6 + LATEST), &mut out);
        assert_eq!(half.doubtful_since(), Some(Timestamp(7)));
        assert_eq!(story(&out).0, [(0, 10, true)]);
        half.acknowledge(31, Timestamp(7 + LATEST), &mut out);
        assert_eq!(half.doubtful_since(), None);
        assert_eq!(story(&out).0, [(0, 10, true), (10, 20, false), (20, 30, true)]);
    }

    #[test]
    fn what_is_captured_behind_its_acknowledgement_is_no_gap() {
        let mut half = Half::default();
        half.synchronize(0);
        let mut out = Vec::new();
        half.acknowledge(21, Timestamp(0), &mut out);
        half.take(&segment(0, 10, 20), &mut out);
        assert_eq!(half.doubtful_since(), Some(Timestamp(0)));
        half.take(&segment(0, 0, 10), &mut out);
        assert_eq!(half.doubtful_since(), None);
        half.acknowledge(21, Timestamp(LATEST), &mut out);
        assert_eq!(story(&out).0, [(0, 20, true)]);
    }

    #[test]
    fn what_is_captured_of_what_was_acknowledged_renews_the_wait_for_the_rest() {
        let mut half = Half::default();
        half.synchronize(0);
        let mut out = Vec::new();
        half.acknowledge(11, Timestamp(5), &mut out);
        half.acknowledge(21, Timestamp(9), &mut out);
        assert_eq!(half.doubtful_since(), Some(Timestamp(5)));
        half.take(&segment(0, 0, 10), &mut out);
        half.acknowledge(21, Timestamp(5 + LATEST), &mut out);
        assert_eq!(half.doubtful_since(), Some(Timestamp(9)));
        half.acknowledge(21, Timestamp(9 + LATEST), &mut out);
        assert_eq!(story(&out).0, [(0, 10, true), (10, 20, false)]);
    }

    #[test]
    fn a_gap_that_is_never_filled_costs_bounded_memory() {
        let mut half = Half::default();
        half.synchronize(0);
        let mut out = Vec::new();
        for number in 0..3 * MOST_PIECES as u32 {
            half.take(&segment(0, 2 * number + 1, 2 * number + 2), &mut out);
            assert!(half.pending() <= MOST_PIECES);
        }
        half.flush(&mut out);
        assert_eq!(story(&out).0.len(), 6 * MOST_PIECES);
    }

    #[test]
    fn a_capture_that_cuts_packets_leaves_gaps() {
        let mut cut = segment(5, 0, 100);
        cut.bytes.captured = 40;
        let expected = vec![(0, 40, true), (40, 100, false)];
        assert_eq!(play(5, &[cut]), (expected, false));
    }

    #[test]
    fn a_stream_that_goes_on_elsewhere_is_followed() {
        let mut half = Half::default();
        half.synchronize(0);
        let mut out = Vec::new();
        half.take(&segment(0, 0, 10), &mut out);
        let far = 0x9000_0000;
        for number in 0..8 {
            half.take(&segment(0, far + number * 10, far + number * 10 + 10), &mut out);
        }
        assert_eq!(out.len(), 2 + 5);
    }

    #[test]
    fn a_stream_that_the_receiver_says_goes_on_elsewhere_is_followed_at_once() {
        let mut half = Half::default();
        half.synchronize(0);
        let mut out = Vec::new();
        half.take(&segment(0, 0, 10), &mut out);
        let far = 0x7000_0000;
        half.acknowledge(far + 2, Timestamp(0), &mut out);
        half.take(&segment(0, far, far + 10), &mut out);
        assert_eq!(out.len(), 1, "that is not where it goes on");
        half.acknowledge(far + 1, Timestamp(0), &mut out);
        half.take(&segment(0, far, far + 10), &mut out);
        let far = u64::from(far);
        assert_eq!(
            story(&out).0,
            [(0, 10, true), (10, far, false), (far, far + 10, true)]
        );
    }

    #[test]
    fn a_keep_alive_before_the_first_bytes_is_no_gap() {
        let mut half = Half::default();
        let mut out = Vec::new();
        half.take(&segment(99, 0, 0), &mut out);
        half.take(&segment(100, 0, 10), &mut out);
        assert_eq!(out.len(), 1);
    }
}
