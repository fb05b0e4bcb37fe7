//! `SO_TIMESTAMPING` of socket(7) and the kernel's `networking/timestamping.rst`: what is asked for, and what stands in
//! the error queue.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, TimestampingFlag, Timestamps, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;

use super::{Learnt, Refused, Stage};
use crate::model::Timestamp;
use crate::net::kernel;

/// `SOF_TIMESTAMPING_TX_SCHED`, `_TX_ACK`, `_OPT_ID_TCP` of `linux/net_tstamp.h`, which nix has no names for.
const TX_SCHED: u32 = 1 << 8;
const TX_ACK: u32 = 1 << 9;
const OPT_ID_TCP: u32 = 1 << 16;

/// `SO_EE_ORIGIN_TIMESTAMPING`, and `SCM_TSTAMP_SND`, `_SCHED`, `_ACK` of `linux/errqueue.h`.
const ORIGIN: u8 = 4;
const SND: u32 = 0;
const SCHED: u32 = 1;
const ACK: u32 = 2;

/// Messages of the error queue that are read in a row: it is the kernel that bounds it.
const MOST: usize = 4096;

/// Asks for time stamps; the kernel counts what is sent from now on.
pub(super) fn ask(socket: BorrowedFd<'_>) -> Result<(), Refused> {
    let flags = TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_ID
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY
        | TimestampingFlag::from_bits_retain(TX_SCHED | TX_ACK);
    let exact = flags | TimestampingFlag::from_bits_retain(OPT_ID_TCP);
    match setsockopt(&socket, sockopt::Timestamping, &exact) {
        Ok(()) => Ok(()),
        // Also what a UDP socket says of the last flag: it needs it not.
        Err(Errno::EINVAL) => {
            if kernel::is_unacknowledged(socket) {
                return Err(Refused::Busy);
            }
            setsockopt(&socket, sockopt::Timestamping, &flags).map_err(refused)
        }
        Err(errno) => Err(refused(errno)),
    }
}

/// Asks for no more.
pub(super) fn silence(socket: BorrowedFd<'_>) -> Result<(), Refused> {
    setsockopt(&socket, sockopt::Timestamping, &TimestampingFlag::empty()).map_err(refused)
}

fn refused(errno: Errno) -> Refused {
    std::io::Error::from(errno).into()
}

/// Reads the error queue empty.
pub(super) fn drain(socket: BorrowedFd<'_>, mut tell: impl FnMut(Learnt)) {
    let mut control = cmsg_space!(Timestamps, libc::sock_extended_err, libc::sockaddr_in6);
    for _ in 0..MOST {
        let mut nothing = [];
        let mut parts = [IoSliceMut::new(&mut nothing)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
            Ok(message) => {
                if let Some(learnt) = message.cmsgs().ok().and_then(read) {
                    tell(learnt);
                }
            }
            Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

fn read(messages: impl Iterator<Item = ControlMessageOwned>) -> Option<Learnt> {
    let (mut at, mut what) = (None, None);
    for message in messages {
        at = at.or(arrival(&message));
        if let ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) =
            message
            && error.ee_origin == ORIGIN
        {
            what = Some((error.ee_info, error.ee_data));
        }
    }
    let (info, key) = what?;
    let stage = match info {
        SCHED => Stage::Scheduled,
        SND => Stage::OnWire,
        ACK => Stage::Acknowledged,
        _ => return None,
    };
    Some(Learnt { stage, key, at: at? })
}

/// The time stamp in a control message, by the wall clock: of a read, when its last byte arrived.
pub(in crate::net) fn arrival(message: &ControlMessageOwned) -> Option<Timestamp> {
    if let ControlMessageOwned::ScmTimestampsns(stamps) = message {
        wall(stamps.system)
    } else {
        None
    }
}

fn wall(time: TimeSpec) -> Option<Timestamp> {
    let seconds = u64::try_from(time.tv_sec()).ok().filter(|seconds| *seconds > 0)?;
    let nanos = u64::try_from(time.tv_nsec()).ok()?;
    Some(Timestamp(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd as _;
    use std::time::{Duration, Instant};

    use super::*;

    /// What the error queue tells until `enough` of it has come.
    fn learnt(socket: BorrowedFd<'_>, enough: usize) -> Vec<(Stage, u32)> {
        let mut all = Vec::new();
        let started = Instant::now();
        while all.len() < enough && started.elapsed() < Duration::from_secs(20) {
            drain(socket, |learnt| all.push((learnt.stage, learnt.key)));
            std::thread::yield_now();
        }
        all
    }

    #[test]
    fn the_kernel_tells_of_each_write_of_a_stream() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        ours.write_all(b"not counted").unwrap();
        ask(ours.as_fd()).unwrap();
        ours.write_all(b"hello").unwrap();
        let mut bytes = [0; 16];
        theirs.read_exact(&mut bytes).unwrap();
        let mut all = learnt(ours.as_fd(), 3);
        all.sort_by_key(|(stage, _)| *stage as u8);
        let stages = [Stage::Scheduled, Stage::OnWire, Stage::Acknowledged];
        assert_eq!(all, stages.map(|stage| (stage, 4)));
        silence(ours.as_fd()).unwrap();
        ours.write_all(b"quietly").unwrap();
        theirs.read_exact(&mut bytes[..7]).unwrap();
        assert_eq!(learnt(ours.as_fd(), 0), []);
    }

    #[test]
    fn the_kernel_tells_of_each_datagram() {
        let theirs = UdpSocket::bind("127.0.0.1:0").unwrap();
        let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
        ours.connect(theirs.local_addr().unwrap()).unwrap();
        ask(ours.as_fd()).unwrap();
        for _ in 0..2 {
            ours.send(b"hello").unwrap();
        }
        let mut all = learnt(ours.as_fd(), 4);
        all.sort_by_key(|(stage, key)| (*key, *stage as u8));
        let expected = [
            (Stage::Scheduled, 0),
            (Stage::OnWire, 0),
            (Stage::Scheduled, 1),
            (Stage::OnWire, 1),
        ];
        assert_eq!(all, expected);
    }
}
