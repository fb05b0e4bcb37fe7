//! What the kernel knows of a TCP connection, as it was when it was asked.

use std::fmt;
use std::time::Duration;

use super::ConnectionId;
use crate::text::format;

/// What there is to know.
#[expect(
    clippy::large_enum_variant,
    reason = "it is made once a second and moved once"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelReport {
    /// There is no connection now that could be asked about.
    Nothing,
    /// The system does not tell.
    NotOffered,
    /// This connection.
    Tcp(ConnectionId, TcpInfo),
}

/// A TCP connection inside the kernel (Linux `struct tcp_info`, tcp(7)). An older kernel tells less; what it does not
/// tell is `None`. Segments are of [`TcpInfo::mss`] bytes at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// The state of RFC 9293 §3.3.2.
    pub state: TcpState,
    /// The smoothed round-trip time (RFC 6298); zero until it was measured.
    pub rtt: Duration,
    /// How much it varies (RFC 6298 RTTVAR).
    pub rtt_variation: Duration,
    /// The least of the last minutes.
    pub rtt_least: Option<Duration>,
    /// When a segment counts as lost without an acknowledgement (RTO).
    pub timeout: Duration,
    /// The congestion window (RFC 5681), in segments.
    pub congestion_window: u32,
    /// Where slow start ends, in segments; `None` as long as nothing was lost.
    pub slow_start_threshold: Option<u32>,
    /// The most bytes of payload in a segment that we send.
    pub mss: u32,
    /// The largest packet that the path takes, in bytes.
    pub path_mtu: u32,
    /// Segments that were sent and not acknowledged.
    pub unacknowledged: u32,
    /// Segments that are taken for lost and were not sent again yet.
    pub lost: u32,
    /// Segments that were sent again since the connection was opened.
    pub retransmitted: u32,
    /// Bytes that the kernel took from us and did not send yet.
    pub unsent: Option<u32>,
    /// The window that the peer offers, in bytes.
    pub peer_window: Option<u32>,
    /// The rate at which the peer got what we sent last, in bytes a second.
    pub delivery_rate: Option<u64>,
    /// The rate that the kernel sends at most, in bytes a second; `None` without a bound.
    pub pacing_rate: Option<u64>,
    /// How long there was something to send or to be acknowledged.
    pub busy: Option<Duration>,
    /// How long of it the peer's window was what held us up.
    pub limited_by_window: Option<Duration>,
    /// How long of it our send buffer was what held us up.
    pub limited_by_buffer: Option<Duration>,
    /// How long ago the last segment with payload was sent.
    pub last_sent: Duration,
    /// How long ago the last segment with payload arrived.
    pub last_received: Duration,
}

impl TcpInfo {
    /// What there is to say of a connection when it is over, in one sentence: how far away the peer was, what had to be
    /// sent again, what held us up.
    pub fn summary(&self) -> String {
        let took = format::measured;
        let mut parts = Vec::new();
        if !self.rtt.is_zero() {
            let least = self.rtt_least.map(|least| format!(", least {}", took(least)));
            let (rtt, variation) = (took(self.rtt), took(self.rtt_variation));
            parts.push(format!(
                "round trip {rtt}, varying by {variation}{}",
                least.unwrap_or_default()
            ));
        }
        let segments = if self.retransmitted == 1 {
            "segment"
        } else {
            "segments"
        };
        parts.push(format!(
            "{} {segments} retransmitted, {} lost",
            format::count(self.retransmitted.into()),
            format::count(self.lost.into())
        ));
        if let (Some(busy), Some(window), Some(buffer)) =
            (self.busy, self.limited_by_window, self.limited_by_buffer)
            && !busy.is_zero()
        {
            parts.push(format!(
                "busy for {}, of which {} held up by the peer's window and {} by our buffer",
                took(busy),
                took(window),
                took(buffer)
            ));
        }
        format!("the kernel says: {}", parts.join("; "))
    }
}

/// The state of a connection (RFC 9293 §3.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TcpState {
    /// Established.
    Established,
    /// We sent SYN.
    SynSent,
    /// We answered a SYN.
    SynReceived,
    /// We sent FIN.
    FinWait1,
    /// Our FIN was acknowledged.
    FinWait2,
    /// Both sent FIN; this keeps late segments from the next connection.
    TimeWait,
    /// There is no connection.
    #[default]
    Closed,
    /// The peer sent FIN.
    CloseWait,
    /// The peer sent FIN, then we did.
    LastAck,
    /// Waiting for a SYN.
    Listen,
    /// Both sent FIN at the same time.
    Closing,
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TcpState::Established => "ESTABLISHED",
            TcpState::SynSent => "SYN-SENT",
            TcpState::SynReceived => "SYN-RECEIVED",
            TcpState::FinWait1 => "FIN-WAIT-1",
            TcpState::FinWait2 => "FIN-WAIT-2",
            TcpState::TimeWait => "TIME-WAIT",
            TcpState::Closed => "CLOSED",
            TcpState::CloseWait => "CLOSE-WAIT",
            TcpState::LastAck => "LAST-ACK",
            TcpState::Listen => "LISTEN",
            TcpState::Closing => "CLOSING",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_summed_up() {
        let check = |info: TcpInfo, expected: &str| {
            assert_eq!(info.summary(), format!("the kernel says: {expected}"));
        };
        check(TcpInfo::default(), "0 segments retransmitted, 0 lost");
        let millis = Duration::from_millis;
        let info = TcpInfo {
            rtt: millis(21),
            rtt_variation: millis(4),
            rtt_least: Some(millis(20)),
            retransmitted: 1,
            busy: Some(millis(120)),
            limited_by_window: Some(millis(20)),
            limited_by_buffer: Some(Duration::ZERO),
            ..TcpInfo::default()
        };
        check(
            info,
            "round trip 21.0 ms, varying by 4.0 ms, least 20.0 ms; 1 segment retransmitted, 0 lost; busy for \
             120.0 ms, of which 20.0 ms held up by the peer's window and 0 ns by our buffer",
        );
    }
}
