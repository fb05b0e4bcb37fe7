//! The sequence and acknowledgement numbers of one synthetic TCP connection, in the order in which it was
//! recorded.

use std::net::SocketAddr;

use super::packet::{Flags, Segment};
use crate::model::{ConnectionId, Side};

/// How far a side may run ahead of the other's acknowledgements before one is put in: half a gibibyte, below
/// the announced window and far below 2³¹, where sequence numbers compare the other way round (RFC 9293 §3.4).
const UNACKNOWLEDGED: u32 = 1 << 29;

/// The largest jump that a gap makes; a larger one would pass for old data.
const LARGEST_JUMP: u64 = 1 << 29;

/// One direction of the connection.
#[derive(Clone, Copy, Debug)]
struct Half {
    address: SocketAddr,
    /// The sequence number of the next byte.
    next: u32,
    /// Up to where the other side has acknowledged.
    acknowledged: u32,
    finished: bool,
    gap: Gap,
}

/// Whether bytes of a direction were left out that the other side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    None,
    /// The next bytes are the first behind it.
    Before,
    /// No acknowledgement of the bytes behind it was seen yet.
    Behind,
}

/// Both directions. A copy is advanced and kept only once its segments are in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    local: Half,
    peer: Half,
}

impl Stream {
    /// A connection before its SYN, or one whose opening is not seen. Where the families of the addresses differ, as
    /// they can where a relay stands between, IPv4 is mapped into IPv6.
    ///
    /// The initial sequence numbers differ between connections, so that one which is dialed again from the
    /// same port is not taken for a retransmission. The peer's lies 64 KiB lower, so that the wrap at 2³² is
    /// met in the first connection of every session and not only after gigabytes.
    pub(super) fn new(id: ConnectionId, local: SocketAddr, remote: SocketAddr) -> Stream {
        let first = id.0.wrapping_mul(0x9e37_79b9); // 2³² divided by the golden ratio: far apart for any ids
        let half = |address, next| Half {
            address,
            next,
            acknowledged: next,
            finished: false,
            gap: Gap::None,
        };
        Stream {
            local: half(local, first),
            peer: half(remote, first.wrapping_sub(1 << 16)),
        }
    }

    /// SYN, SYN/ACK and ACK; `dialer` sends the first.
    pub(super) fn open(&mut self, dialer: Side) -> [Segment; 3] {
        [
            self.segment(dialer, Flags::Syn, 0),
            self.segment(dialer.other(), Flags::SynAck, 0),
            self.segment(dialer, Flags::Ack, 0),
        ]
    }

    /// Our address and the peer's.
    pub(super) fn ends(&self) -> (SocketAddr, SocketAddr) {
        (self.local.address, self.peer.address)
    }

    /// The segment with the next `len` bytes of a side.
    pub(super) fn data(&mut self, from: Side, len: usize) -> Segment {
        self.segment(from, Flags::Data, len)
    }

    /// The acknowledgement that has to go before the next `len` bytes of `from`, if it ran far ahead.
    pub(super) fn overdue(&mut self, from: Side, len: usize) -> Option<Segment> {
        let half = self.half(from);
        let ahead = half.next.wrapping_sub(half.acknowledged);
        (ahead > UNACKNOWLEDGED.saturating_sub(len as u32)).then(|| self.segment(from.other(), Flags::Ack, 0))
    }

    /// The acknowledgement that has to go right behind the first bytes after a gap of `from`. It shows that the other
    /// side has got what is missing; without one, those who follow the stream wait at the gap for ever.
    pub(super) fn confirmed(&mut self, from: Side) -> Option<Segment> {
        (self.half(from).gap == Gap::Behind).then(|| self.segment(from.other(), Flags::Ack, 0))
    }

    /// The FIN of a side; `None` if it has sent one already.
    pub(super) fn finish(&mut self, by: Side) -> Option<Segment> {
        if self.half(by).finished {
            return None;
        }
        self.half(by).finished = true;
        Some(self.segment(by, Flags::Fin, 0))
    }

    /// The RST of a side.
    pub(super) fn reset(&mut self, by: Side) -> Segment {
        self.segment(by, Flags::Rst, 0)
    }

    /// Leaves out `bytes` bytes of a side.
    pub(super) fn skip(&mut self, from: Side, bytes: u64) {
        let half = self.half(from);
        half.next = half.next.wrapping_add(bytes.min(LARGEST_JUMP) as u32);
        half.gap = Gap::Before;
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Local => &mut self.local,
            Side::Peer => &mut self.peer,
        }
    }

    fn segment(&mut self, from: Side, flags: Flags, payload_len: usize) -> Segment {
        let back = self.half(from.other());
        let (to, ack) = (back.address, back.next);
        if flags != Flags::Syn {
            back.acknowledged = ack;
            if back.gap == Gap::Behind {
                back.gap = Gap::None;
            }
        }
        let half = self.half(from);
        let seq = half.next;
        // SYN and FIN take a number each (RFC 9293 §3.4).
        let control = match flags {
            Flags::Syn | Flags::SynAck | Flags::Fin => 1,
            Flags::Ack | Flags::Data | Flags::Rst => 0,
        };
        half.next = seq.wrapping_add(payload_len as u32).wrapping_add(control);
        if half.gap == Gap::Before && payload_len > 0 {
            half.gap = Gap::Behind;
        }
        Segment {
            from: half.address,
            to,
            seq,
            ack,
            flags,
            payload_len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(id: u32) -> Stream {
        let address = |text: &str| text.parse().unwrap();
        Stream::new(ConnectionId(id), address("127.0.0.1:1"), address("127.0.0.1:2"))
    }

    fn numbers(segment: Segment) -> (u32, u32) {
        (segment.seq, segment.ack)
    }

    #[test]
    fn the_opening_takes_one_number_of_each_side() {
        let mut stream = stream(0);
        let [syn, syn_ack, ack] = stream.open(Side::Local);
        assert_eq!((syn.seq, syn.flags), (0, Flags::Syn));
        assert_eq!(numbers(syn_ack), (0xffff_0000, 1));
        assert_eq!(numbers(ack), (1, 0xffff_0001));
        assert_eq!(numbers(stream.data(Side::Local, 5)), (1, 0xffff_0001));
        assert_eq!(numbers(stream.data(Side::Peer, 5)), (0xffff_0001, 6));
    }

    #[test]
    fn numbers_wrap_at_the_top() {
        let mut stream = stream(0);
        stream.open(Side::Local);
        assert_eq!(stream.data(Side::Peer, 65_495).seq, 0xffff_0001);
        assert_eq!(stream.data(Side::Peer, 65_495).seq, 0xffff_0001 + 65_495);
        assert_eq!(stream.data(Side::Peer, 1).seq, 65_455);
    }

    #[test]
    fn a_side_finishes_once_and_the_other_goes_on() {
        let mut stream = stream(0);
        stream.open(Side::Local);
        assert_eq!(stream.finish(Side::Local).unwrap().seq, 1);
        assert_eq!(stream.finish(Side::Local), None);
        assert_eq!(
            stream.data(Side::Peer, 9).ack,
            2,
            "the FIN is acknowledged by what follows"
        );
        assert_eq!(numbers(stream.finish(Side::Peer).unwrap()), (0xffff_000a, 2));
        assert_eq!(numbers(stream.reset(Side::Local)), (2, 0xffff_000b));
    }

    #[test]
    fn a_side_that_runs_ahead_is_acknowledged() {
        let mut stream = stream(0);
        stream.open(Side::Local);
        let mut acknowledgements = 0;
        for _ in 0..20_000 {
            if let Some(ack) = stream.overdue(Side::Peer, 65_495) {
                assert_eq!(ack.ack, stream.peer.next);
                acknowledgements += 1;
            }
            stream.data(Side::Peer, 65_495);
        }
        assert_eq!(acknowledgements, 2, "once in half a gibibyte");
        assert_eq!(stream.overdue(Side::Local, 65_495), None);
    }

    #[test]
    fn a_gap_is_a_jump() {
        let mut stream = stream(0);
        stream.open(Side::Local);
        stream.skip(Side::Local, 1000);
        assert_eq!(stream.data(Side::Local, 1).seq, 1001);
        stream.skip(Side::Local, u64::MAX);
        assert_eq!(stream.data(Side::Local, 1).seq, 1002 + (1 << 29));
    }

    #[test]
    fn the_first_bytes_behind_a_gap_are_acknowledged_once() {
        let mut stream = stream(0);
        stream.open(Side::Local);
        stream.data(Side::Peer, 5);
        assert_eq!(stream.confirmed(Side::Peer), None);
        stream.skip(Side::Peer, 100);
        assert_eq!(stream.confirmed(Side::Peer), None, "nothing is behind it yet");
        stream.data(Side::Peer, 5);
        let ack = stream.confirmed(Side::Peer).unwrap();
        assert_eq!((ack.from, ack.ack), (stream.local.address, stream.peer.next));
        stream.data(Side::Peer, 5);
        assert_eq!(stream.confirmed(Side::Peer), None);
        assert_eq!(stream.confirmed(Side::Local), None);
    }

    #[test]
    fn whoever_dialed_sends_the_syn() {
        let mut stream = stream(0);
        let [syn, syn_ack, ack] = stream.open(Side::Peer);
        assert_eq!((syn.from, syn.flags), (stream.peer.address, Flags::Syn));
        assert_eq!(
            (syn_ack.from, syn_ack.flags),
            (stream.local.address, Flags::SynAck)
        );
        assert_eq!(numbers(ack), (0xffff_0001, 1));
    }
}
