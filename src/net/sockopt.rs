//! Socket options: set on a socket of any kind, dialed or accepted, and read back as the kernel has them.
//!
//! Deliberately absent: what they mean and how they are written; the model knows.

#[cfg(target_os = "linux")]
mod linux;

use std::io;

use socket2::{SockRef, TcpKeepalive, Type};

use super::{interface, words};
use crate::model::{
    KeepAlive, SOCKET_OPTIONS, SetWhen, Setting, SocketKind, SocketOption, SocketOptions, SocketValue,
};

/// A setting that the kernel does not take.
#[derive(Debug)]
pub(super) struct Refused {
    /// The setting.
    pub(super) setting: Setting,
    /// What the kernel says.
    pub(super) error: io::Error,
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> io::Error {
        io::Error::other(words::option(&refused.setting, &refused.error))
    }
}

/// Sets on a socket what means something for it, before it is bound and connected, or after it was accepted.
pub(super) fn apply(options: &SocketOptions, socket: &SockRef<'_>) -> Result<(), Refused> {
    let Ok(kind) = kind(socket) else {
        return Ok(());
    };
    for setting in options.suiting(kind) {
        set(setting, socket).map_err(|error| Refused {
            setting: setting.clone(),
            error,
        })?;
    }
    Ok(())
}

/// Whether an option means something for such a socket.
pub(super) fn suits(option: SocketOption, socket: &SockRef<'_>) -> bool {
    kind(socket).is_ok_and(|kind| option.suits(kind))
}

/// What kind of socket it is.
fn kind(socket: &SockRef<'_>) -> io::Result<SocketKind> {
    let address = socket.local_addr()?;
    Ok(match (address.is_ipv4() || address.is_ipv6(), socket.r#type()?) {
        (true, Type::STREAM) => SocketKind::Tcp,
        (true, _) => SocketKind::Udp,
        (false, _) => SocketKind::Unix,
    })
}

/// All options of a socket that mean something for it, as the kernel has them now.
pub(super) fn all(socket: &SockRef<'_>) -> Vec<Setting> {
    let Ok(kind) = kind(socket) else {
        return Vec::new();
    };
    let suiting = SOCKET_OPTIONS.iter().filter(|info| info.option.suits(kind));
    // What the system does not have is not listed; what counts only while dialing has nothing to say any more.
    suiting
        .filter(|info| info.when == SetWhen::Always || info.option == SocketOption::Mss)
        .filter_map(|info| get(info.option, socket).ok())
        .collect()
}

/// Sets one option.
pub(super) fn set(setting: &Setting, socket: &SockRef<'_>) -> io::Result<()> {
    match (setting.option, &setting.value) {
        (SocketOption::NoDelay, SocketValue::Switch(on)) => socket.set_tcp_nodelay(*on),
        (SocketOption::KeepAlive, SocketValue::KeepAlive(probes)) => keep_alive(socket, *probes),
        (SocketOption::Linger, SocketValue::Time(time)) => socket.set_linger(*time),
        (SocketOption::Mss, SocketValue::Number(bytes)) => socket.set_tcp_mss(*bytes),
        (SocketOption::Ttl, SocketValue::Number(hops)) => set_ttl(socket, *hops),
        (SocketOption::Tos, SocketValue::Number(byte)) => set_tos(socket, *byte),
        // The two bits below are for congestion notification (RFC 3168), which is the kernel's.
        (SocketOption::Dscp, SocketValue::Number(point)) => set_tos(socket, *point << 2),
        (SocketOption::ReuseAddr, SocketValue::Switch(on)) => socket.set_reuse_address(*on),
        (SocketOption::ReusePort, SocketValue::Switch(on)) => socket.set_reuse_port(*on),
        (SocketOption::SendBuffer, SocketValue::Number(bytes)) => {
            socket.set_send_buffer_size(*bytes as usize)
        }
        (SocketOption::ReceiveBuffer, SocketValue::Number(bytes)) => {
            socket.set_recv_buffer_size(*bytes as usize)
        }
        (SocketOption::Broadcast, SocketValue::Switch(on)) => socket.set_broadcast(*on),
        (SocketOption::MulticastLoop, SocketValue::Switch(on)) if is_v6(socket)? => {
            socket.set_multicast_loop_v6(*on)
        }
        (SocketOption::MulticastLoop, SocketValue::Switch(on)) => socket.set_multicast_loop_v4(*on),
        (SocketOption::MulticastInterface, SocketValue::Name(Some(name))) => set_interface(socket, name),
        #[cfg(target_os = "linux")]
        (option, value) => linux::set(option, value, socket),
        #[cfg(not(target_os = "linux"))]
        (..) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Reads one option.
pub(super) fn get(option: SocketOption, socket: &SockRef<'_>) -> io::Result<Setting> {
    let number = |size: usize| SocketValue::Number(u32::try_from(size).unwrap_or(u32::MAX));
    let value = match option {
        SocketOption::NoDelay => SocketValue::Switch(socket.tcp_nodelay()?),
        SocketOption::KeepAlive => SocketValue::KeepAlive(probes(socket)?),
        SocketOption::Linger => SocketValue::Time(socket.linger()?),
        SocketOption::Mss => SocketValue::Number(socket.tcp_mss()?),
        SocketOption::Ttl => SocketValue::Number(ttl(socket)?),
        SocketOption::Tos => SocketValue::Number(tos(socket)?),
        SocketOption::Dscp => SocketValue::Number(tos(socket)? >> 2),
        SocketOption::ReuseAddr => SocketValue::Switch(socket.reuse_address()?),
        SocketOption::ReusePort => SocketValue::Switch(socket.reuse_port()?),
        SocketOption::SendBuffer => number(socket.send_buffer_size()?),
        SocketOption::ReceiveBuffer => number(socket.recv_buffer_size()?),
        SocketOption::Broadcast => SocketValue::Switch(socket.broadcast()?),
        SocketOption::MulticastLoop if is_v6(socket)? => SocketValue::Switch(socket.multicast_loop_v6()?),
        SocketOption::MulticastLoop => SocketValue::Switch(socket.multicast_loop_v4()?),
        SocketOption::MulticastInterface => SocketValue::Name(multicast_interface(socket)?),
        #[cfg(target_os = "linux")]
        SocketOption::Cork
        | SocketOption::QuickAck
        | SocketOption::UserTimeout
        | SocketOption::Congestion
        | SocketOption::NotSentLowat
        | SocketOption::Device
        | SocketOption::Mark
        | SocketOption::Priority
        | SocketOption::FreeBind => linux::get(option, socket)?,
        #[cfg(not(target_os = "linux"))]
        SocketOption::Cork
        | SocketOption::QuickAck
        | SocketOption::UserTimeout
        | SocketOption::Congestion
        | SocketOption::NotSentLowat
        | SocketOption::Device
        | SocketOption::Mark
        | SocketOption::Priority
        | SocketOption::FreeBind => return Err(io::ErrorKind::Unsupported.into()),
    };
    Ok(Setting { option, value })
}

fn is_v6(socket: &SockRef<'_>) -> io::Result<bool> {
    socket.local_addr().map(|address| address.is_ipv6())
}

fn keep_alive(socket: &SockRef<'_>, probes: Option<KeepAlive>) -> io::Result<()> {
    let Some(probes) = probes else {
        return socket.set_keepalive(false);
    };
    let mut params = TcpKeepalive::new();
    if let Some(idle) = probes.idle {
        params = params.with_time(idle);
    }
    if let Some(interval) = probes.interval {
        params = params.with_interval(interval);
    }
    if let Some(count) = probes.count {
        params = params.with_retries(count);
    }
    socket.set_tcp_keepalive(&params)
}

fn probes(socket: &SockRef<'_>) -> io::Result<Option<KeepAlive>> {
    if !socket.keepalive()? {
        return Ok(None);
    }
    Ok(Some(KeepAlive {
        idle: Some(socket.tcp_keepalive_time()?),
        interval: Some(socket.tcp_keepalive_interval()?),
        count: Some(socket.tcp_keepalive_retries()?),
    }))
}

/// The limit of packets to one peer, and of datagrams to groups.
fn set_ttl(socket: &SockRef<'_>, hops: u32) -> io::Result<()> {
    let datagrams = kind(socket)? == SocketKind::Udp;
    if is_v6(socket)? {
        socket.set_unicast_hops_v6(hops)?;
        return if datagrams {
            socket.set_multicast_hops_v6(hops)
        } else {
            Ok(())
        };
    }
    socket.set_ttl_v4(hops)?;
    if datagrams {
        socket.set_multicast_ttl_v4(hops)
    } else {
        Ok(())
    }
}

/// The limit that counts: of datagrams to groups where the socket has no single peer.
fn ttl(socket: &SockRef<'_>) -> io::Result<u32> {
    let group = kind(socket)? == SocketKind::Udp && socket.peer_addr().is_err();
    match (is_v6(socket)?, group) {
        (false, false) => socket.ttl_v4(),
        (false, true) => socket.multicast_ttl_v4(),
        (true, false) => socket.unicast_hops_v6(),
        (true, true) => socket.multicast_hops_v6(),
    }
}

fn set_tos(socket: &SockRef<'_>, byte: u32) -> io::Result<()> {
    if is_v6(socket)? {
        socket.set_tclass_v6(byte)
    } else {
        socket.set_tos_v4(byte)
    }
}

fn tos(socket: &SockRef<'_>) -> io::Result<u32> {
    if is_v6(socket)? {
        socket.tclass_v6()
    } else {
        socket.tos_v4()
    }
}

/// The interface that datagrams to groups leave through.
fn set_interface(socket: &SockRef<'_>, name: &str) -> io::Result<()> {
    if is_v6(socket)? {
        socket.set_multicast_if_v6(interface::index(name)?)
    } else {
        socket.set_multicast_if_v4(&interface::v4_of(name)?)
    }
}

fn multicast_interface(socket: &SockRef<'_>) -> io::Result<Option<String>> {
    if is_v6(socket)? {
        return socket.multicast_if_v6().map(interface::name);
    }
    let address = socket.multicast_if_v4()?;
    if address.is_unspecified() {
        return Ok(None);
    }
    Ok(interface::with_v4(address).or_else(|| Some(address.to_string())))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn options(written: &[&str]) -> SocketOptions {
        written.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Sets what was written on the socket, and reads it back.
    fn check<S: std::os::fd::AsFd>(socket: &S, written: &[&str], expected: &[&str]) {
        let socket = SockRef::from(socket);
        apply(&options(written), &socket).unwrap();
        for expected in expected {
            let setting: Setting = expected.parse().unwrap();
            assert_eq!(get(setting.option, &socket).unwrap().to_string(), *expected);
        }
    }

    #[test]
    fn what_was_set_is_what_the_kernel_has() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            check(
                &stream,
                &[
                    "nodelay",
                    "cork",
                    "keepalive=10s:2s:5",
                    "linger=3s",
                    "ttl=7",
                    "dscp=af41",
                    "sndbuf=64K",
                    "rcvbuf=32K",
                    "user-timeout=1500ms",
                    "notsent-lowat=16K",
                    "priority=3",
                    "broadcast=off",
                ],
                &[
                    "nodelay=on",
                    "cork=on",
                    "keepalive=10s:2s:5",
                    "linger=3s",
                    "ttl=7",
                    "tos=0x88",
                    "dscp=af41",
                    "sndbuf=128K",
                    "rcvbuf=64K",
                    "user-timeout=1500ms",
                    "notsent-lowat=16K",
                    "priority=3",
                ],
            );
            check(
                &stream,
                &["keepalive=off", "linger=off", "tos=0x10"],
                &["keepalive=off", "linger=off", "tos=0x10"],
            );
            // Those of an accepted socket are set in the same way.
            let (accepted, _) = listener.accept().unwrap();
            check(&accepted, &["nodelay", "ttl=9"], &["nodelay=on", "ttl=9"]);
            let udp = UdpSocket::bind(address).unwrap();
            check(
                &udp,
                &["ttl=3", "multicast-loop=off", "nodelay"],
                &["ttl=3", "multicast-loop=off"],
            );
            let first = all(&SockRef::from(&udp))
                .iter()
                .map(|setting| setting.option)
                .collect::<Vec<_>>();
            assert!(
                first.starts_with(&[SocketOption::Ttl, SocketOption::Tos]),
                "{first:?}"
            );
        }
        let (unix, _other) = UnixDatagram::pair().unwrap();
        check(&unix, &["sndbuf=64K", "nodelay"], &["sndbuf=128K"]);
        assert_eq!(all(&SockRef::from(&unix)).len(), 1);
    }

    #[test]
    fn what_the_kernel_refuses_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let refused = apply(
            &options(&["nodelay", "congestion=none-such"]),
            &SockRef::from(&listener),
        )
        .unwrap_err();
        assert_eq!(refused.setting.to_string(), "congestion=none-such");
        assert!(refused.error.raw_os_error().is_some());
    }
}
