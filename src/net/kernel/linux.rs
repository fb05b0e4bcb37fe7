//! `TCP_INFO` of tcp(7). Newer kernels append fields, so what is told is known by the length that was returned.

use std::os::fd::RawFd;
use std::time::Duration;

use nix::libc;

use crate::model::{TcpInfo, TcpState};

/// More than the newest kernel tells (Linux 6.18: 256 bytes).
const LARGEST: usize = 512;

/// A threshold that was never set (`TCP_INFINITE_SSTHRESH` of `linux/tcp.h`).
const INFINITE: u32 = 0x7fff_ffff;

/// What the kernel says of a TCP socket; `None` if it says nothing.
pub(super) fn tcp_info(socket: RawFd) -> Option<TcpInfo> {
    let mut bytes = [0u8; LARGEST];
    let told = get(socket, &mut bytes)?;
    parse(bytes.get(..told)?)
}

#[expect(
    unsafe_code,
    reason = "no library reads an option whose length the kernel chooses"
)]
fn get(socket: RawFd, bytes: &mut [u8; LARGEST]) -> Option<usize> {
    let mut len = LARGEST as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes, which the buffer has, and then into `len`; both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            bytes.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    (result == 0).then_some(len as usize)
}

/// Reads `struct tcp_info` (linux/tcp.h); the first 104 bytes are as old as Linux 2.6.
fn parse(bytes: &[u8]) -> Option<TcpInfo> {
    let word = |at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    let micros = |at: usize| Some(Duration::from_micros(u64::from(word(at)?)));
    let millis = |at: usize| Some(Duration::from_millis(u64::from(word(at)?)));
    let long_micros = |at: usize| Some(Duration::from_micros(long(at)?));
    Some(TcpInfo {
        state: state(*bytes.first()?),
        timeout: micros(8)?,
        mss: word(16)?,
        unacknowledged: word(24)?,
        lost: word(32)?,
        last_sent: millis(44)?,
        last_received: millis(52)?,
        path_mtu: word(60)?,
        rtt: micros(68)?,
        rtt_variation: micros(72)?,
        slow_start_threshold: Some(word(76)?).filter(|segments| *segments < INFINITE),
        congestion_window: word(80)?,
        retransmitted: word(100)?,
        pacing_rate: long(104).filter(|rate| *rate != u64::MAX),
        unsent: word(144),
        // All ones until something was measured.
        rtt_least: word(148)
            .filter(|micros| *micros != u32::MAX)
            .map(|micros| Duration::from_micros(u64::from(micros))),
        delivery_rate: long(160),
        busy: long_micros(168),
        limited_by_window: long_micros(176),
        limited_by_buffer: long_micros(184),
        peer_window: word(228),
    })
}

/// The numbers of `include/net/tcp_states.h`.
fn state(number: u8) -> TcpState {
    match number {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        // 12 is a SYN that is answered without a socket of its own yet.
        3 | 12 => TcpState::SynReceived,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => TcpState::Closed,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn a_connection_is_known() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        ours.write_all(b"hello").unwrap();
        let mut bytes = [0; 5];
        theirs.read_exact(&mut bytes).unwrap();
        let info = tcp_info(ours.as_raw_fd()).unwrap();
        assert_eq!(info.state, TcpState::Established);
        assert_eq!((info.lost, info.retransmitted), (0, 0));
        assert!(
            info.rtt > Duration::ZERO && info.rtt < Duration::from_secs(1),
            "{info:?}"
        );
        assert!(info.mss >= 536 && info.congestion_window > 0, "{info:?}");
        assert!(info.last_sent < Duration::from_secs(10), "{info:?}");
        drop(theirs);
        assert_eq!(ours.read(&mut bytes).unwrap(), 0);
        assert_eq!(tcp_info(ours.as_raw_fd()).unwrap().state, TcpState::CloseWait);
        let file = tempfile::tempfile().unwrap();
        assert_eq!(tcp_info(file.as_raw_fd()), None);
    }

    #[test]
    fn an_older_kernel_tells_less() {
        let mut bytes = [0xffu8; 256];
        bytes[0] = 1;
        let whole = parse(&bytes).unwrap();
        assert_eq!(whole.slow_start_threshold, None);
        assert_eq!((whole.rtt_least, whole.pacing_rate), (None, None));
        assert_eq!(whole.peer_window, Some(u32::MAX));
        bytes[80..84].copy_from_slice(&10u32.to_ne_bytes());
        bytes[76..80].copy_from_slice(&7u32.to_ne_bytes());
        for len in 104..=256 {
            let info = parse(&bytes[..len]).unwrap();
            assert_eq!((info.congestion_window, info.slow_start_threshold), (10, Some(7)));
            assert_eq!(info.unsent.is_some(), len >= 148);
            assert_eq!(info.delivery_rate.is_some(), len >= 168);
            assert_eq!(info.peer_window.is_some(), len >= 232);
        }
        for len in 0..104 {
            assert_eq!(parse(&bytes[..len]), None);
        }
    }
}
