//! Options that only Linux has.

use std::io;

use socket2::SockRef;

use crate::model::{SocketOption, SocketValue};

/// Sets one of them.
pub(super) fn set(option: SocketOption, value: &SocketValue, socket: &SockRef<'_>) -> io::Result<()> {
    match (option, value) {
        (SocketOption::Cork, SocketValue::Switch(on)) => socket.set_tcp_cork(*on),
        (SocketOption::QuickAck, SocketValue::Switch(on)) => socket.set_tcp_quickack(*on),
        (SocketOption::UserTimeout, SocketValue::Time(time)) => socket.set_tcp_user_timeout(*time),
        (SocketOption::Congestion, SocketValue::Name(Some(name))) => {
            socket.set_tcp_congestion(name.as_bytes())
        }
        (SocketOption::NotSentLowat, SocketValue::Number(bytes)) => socket.set_tcp_notsent_lowat(*bytes),
        (SocketOption::Device, SocketValue::Name(Some(name))) => socket.bind_device(Some(name.as_bytes())),
        (SocketOption::Mark, SocketValue::Number(mark)) => socket.set_mark(*mark),
        (SocketOption::Priority, SocketValue::Number(priority)) => socket.set_priority(*priority),
        (SocketOption::FreeBind, SocketValue::Switch(on)) if super::is_v6(socket)? => {
            socket.set_freebind_v6(*on)
        }
        (SocketOption::FreeBind, SocketValue::Switch(on)) => socket.set_freebind_v4(*on),
        // The parser makes no other pairs.
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Reads one of them.
pub(super) fn get(option: SocketOption, socket: &SockRef<'_>) -> io::Result<SocketValue> {
    let name = |bytes: &[u8]| {
        let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
    };
    Ok(match option {
        SocketOption::Cork => SocketValue::Switch(socket.tcp_cork()?),
        SocketOption::QuickAck => SocketValue::Switch(socket.tcp_quickack()?),
        SocketOption::UserTimeout => {
            // None is the system's default, which the kernel writes as zero.
            SocketValue::Time(socket.tcp_user_timeout()?.filter(|time| !time.is_zero()))
        }
        SocketOption::Congestion => SocketValue::Name(name(&socket.tcp_congestion()?)),
        SocketOption::NotSentLowat => SocketValue::Number(socket.tcp_notsent_lowat()?),
        SocketOption::Device => SocketValue::Name(socket.device()?.as_deref().and_then(name)),
        SocketOption::Mark => SocketValue::Number(socket.mark()?),
        SocketOption::Priority => SocketValue::Number(socket.priority()?),
        SocketOption::FreeBind if super::is_v6(socket)? => SocketValue::Switch(socket.freebind_v6()?),
        SocketOption::FreeBind => SocketValue::Switch(socket.freebind_v4()?),
        SocketOption::NoDelay
        | SocketOption::KeepAlive
        | SocketOption::Linger
        | SocketOption::Mss
        | SocketOption::Ttl
        | SocketOption::Tos
        | SocketOption::Dscp
        | SocketOption::ReuseAddr
        | SocketOption::ReusePort
        | SocketOption::SendBuffer
        | SocketOption::ReceiveBuffer
        | SocketOption::Broadcast
        | SocketOption::MulticastLoop
        | SocketOption::MulticastInterface => return Err(io::ErrorKind::Unsupported.into()),
    })
}
