//! One datagram out of a socket that has no single peer: from whom, to which of our addresses.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd as _};

use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
#[cfg(target_os = "linux")]
use nix::sys::socket::{setsockopt, sockopt};

/// A datagram that was taken.
pub(super) struct Datagram {
    pub(super) count: usize,
    pub(super) remote: SocketAddr,
    /// Which of our addresses, or which group, it was sent to.
    pub(super) local: Option<IpAddr>,
    /// How many the kernel has dropped so far (socket(7), `SO_RXQ_OVFL`).
    pub(super) dropped: Option<u32>,
}

/// Has the kernel say of every datagram where it was sent to, and count what it drops.
pub(super) fn prepare(socket: &impl AsFd, is_v6: bool) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        // Where the kernel does not count what it drops, nothing is said of it.
        let _ = setsockopt(socket, sockopt::RxqOvfl, &1);
        if is_v6 {
            setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        } else {
            setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?;
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, is_v6);
    Ok(())
}

/// Takes the next one.
pub(super) fn take(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<Datagram> {
    let mut control = cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo, u32);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_fd().as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::empty(),
    )?;
    let remote = message.address.as_ref().and_then(address_of);
    let mut taken = Datagram {
        count: message.bytes,
        remote: remote.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?,
        local: None,
        dropped: None,
    };
    for one in message.cmsgs().into_iter().flatten() {
        match one {
            #[cfg(target_os = "linux")]
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                taken.local = Some(IpAddr::from(info.ipi_addr.s_addr.to_ne_bytes()));
            }
            #[cfg(target_os = "linux")]
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                taken.local = Some(IpAddr::from(info.ipi6_addr.s6_addr));
            }
            #[cfg(target_os = "linux")]
            ControlMessageOwned::RxqOvfl(count) => taken.dropped = Some(count),
            _ => {}
        }
    }
    Ok(taken)
}

fn address_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
