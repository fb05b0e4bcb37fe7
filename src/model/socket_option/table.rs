//! The table of socket options. Command line, palette, help and screen are read from it.

use super::{OptionInfo, SetWhen, SocketKind, SocketOption, ValueKind};

const TCP: &[SocketKind] = &[SocketKind::Tcp];
const UDP: &[SocketKind] = &[SocketKind::Udp];
const IP: &[SocketKind] = &[SocketKind::Tcp, SocketKind::Udp];
const ALL: &[SocketKind] = &[SocketKind::Tcp, SocketKind::Udp, SocketKind::Unix];

const SWITCH: ValueKind = ValueKind::Switch;
const INTERFACE: ValueKind = ValueKind::Name("INTERFACE", "eth0");

/// An option that can be set at any time.
const fn row(
    option: SocketOption,
    name: &'static str,
    kind: ValueKind,
    sockets: &'static [SocketKind],
    constant: &'static str,
    help: &'static str,
) -> OptionInfo {
    OptionInfo {
        option,
        name,
        kind,
        sockets,
        when: SetWhen::Always,
        constant,
        help,
    }
}

/// One that counts only when a connection is made.
const fn dialing(mut info: OptionInfo) -> OptionInfo {
    info.when = SetWhen::Dialing;
    info
}

/// Every option, in the order in which help and screen list them.
#[rustfmt::skip]
pub const SOCKET_OPTIONS: &[OptionInfo] = &[
    row(SocketOption::NoDelay, "nodelay", SWITCH, TCP, "TCP_NODELAY", "send small writes at once; on unless you say otherwise"),
    row(SocketOption::Cork, "cork", SWITCH, TCP, "TCP_CORK", "send full segments only, for at most 200 ms"),
    row(SocketOption::QuickAck, "quickack", SWITCH, TCP, "TCP_QUICKACK", "acknowledge at once; the kernel decides anew later"),
    row(SocketOption::KeepAlive, "keepalive", ValueKind::KeepAlive, TCP, "SO_KEEPALIVE", "probe a silent peer"),
    row(SocketOption::UserTimeout, "user-timeout", ValueKind::Milliseconds, TCP, "TCP_USER_TIMEOUT", "how long sent bytes may stay unacknowledged"),
    row(SocketOption::Linger, "linger", ValueKind::Seconds, TCP, "SO_LINGER", "how long a close goes on delivering; 0s resets"),
    dialing(row(SocketOption::Mss, "mss", ValueKind::Number(88, 32_767), TCP, "TCP_MAXSEG", "the most payload in a segment")),
    row(SocketOption::Congestion, "congestion", ValueKind::Name("NAME", "cubic"), TCP, "TCP_CONGESTION", "the congestion control"),
    row(SocketOption::NotSentLowat, "notsent-lowat", ValueKind::Size, TCP, "TCP_NOTSENT_LOWAT", "how much may wait unsent in the kernel"),
    row(SocketOption::Ttl, "ttl", ValueKind::Number(1, 255), IP, "IP_TTL", "how many routers packets may cross (hop limit)"),
    row(SocketOption::Tos, "tos", ValueKind::Byte, IP, "IP_TOS", "the type of service (traffic class)"),
    row(SocketOption::Dscp, "dscp", ValueKind::CodePoint, IP, "IP_TOS", "the type of service as differentiated services"),
    row(SocketOption::Device, "device", INTERFACE, IP, "SO_BINDTODEVICE", "use this interface only"),
    row(SocketOption::Mark, "mark", ValueKind::Number(0, u32::MAX), IP, "SO_MARK", "mark packets, for routing and firewall"),
    row(SocketOption::Priority, "priority", ValueKind::Number(0, u32::MAX), IP, "SO_PRIORITY", "the priority of packets in the queue"),
    dialing(row(SocketOption::FreeBind, "freebind", SWITCH, IP, "IP_FREEBIND", "let --bind name an address that is not here")),
    dialing(row(SocketOption::ReuseAddr, "reuseaddr", SWITCH, IP, "SO_REUSEADDR", "let --bind name a port that was just in use")),
    dialing(row(SocketOption::ReusePort, "reuseport", SWITCH, IP, "SO_REUSEPORT", "share the port of --bind with other sockets")),
    row(SocketOption::SendBuffer, "sndbuf", ValueKind::Size, ALL, "SO_SNDBUF", "the send buffer; the kernel doubles it"),
    row(SocketOption::ReceiveBuffer, "rcvbuf", ValueKind::Size, IP, "SO_RCVBUF", "the receive buffer; the kernel doubles it"),
    row(SocketOption::Broadcast, "broadcast", SWITCH, UDP, "SO_BROADCAST", "allow datagrams to everybody; on unless you say otherwise"),
    row(SocketOption::MulticastLoop, "multicast-loop", SWITCH, UDP, "IP_MULTICAST_LOOP", "let this machine hear what you send to a group"),
    row(SocketOption::MulticastInterface, "multicast-interface", INTERFACE, UDP, "IP_MULTICAST_IF", "send to groups through this interface"),
];
