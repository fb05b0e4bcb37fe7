//! What the kernel knows of a connection: asked by whoever shows it, so that asking costs the worker nothing.

#[cfg(target_os = "linux")]
mod linux;

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(target_os = "linux")]
use crate::model::TcpState;
use crate::model::{ConnectionId, KernelReport, Side};

/// Whether something that was sent, or is to be sent, is not acknowledged yet, and may still be.
#[cfg(target_os = "linux")]
pub(super) fn is_unacknowledged(socket: BorrowedFd<'_>) -> bool {
    linux::tcp_info(socket.as_raw_fd()).is_some_and(|info| {
        info.state != TcpState::Closed
            && (info.unacknowledged > 0 || info.unsent.is_some_and(|bytes| bytes > 0))
    })
}

/// Asks about the connections that are open now. Copies ask about the same.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    /// Held while a descriptor is used, and while one is closed, so that none is ever that of another socket.
    sockets: Arc<Mutex<Sockets>>,
}

/// The sockets of each connection: that to the peer, and in a tap that to the application too.
type Sockets = BTreeMap<(ConnectionId, Side), RawFd>;

impl Kernel {
    /// Asks about a connection, or about the latest one; takes some microseconds at most.
    pub fn ask(&self, about: Option<ConnectionId>) -> KernelReport {
        let sockets = self.sockets();
        let found = match about {
            Some(id) => sockets.range((id, Side::Local)..=(id, Side::Peer)).next_back(),
            None => sockets.last_key_value(),
        };
        let Some(((id, _), socket)) = found else {
            return KernelReport::Nothing;
        };
        #[cfg(target_os = "linux")]
        return linux::tcp_info(*socket).map_or(KernelReport::Nothing, |info| KernelReport::Tcp(*id, info));
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (id, socket);
            KernelReport::NotOffered
        }
    }

    /// The socket that leads to a side of a connection can be asked about until the watch is dropped.
    pub(super) fn watch(&self, id: ConnectionId, side: Side, socket: BorrowedFd<'_>) -> Watch {
        self.sockets().insert((id, side), socket.as_raw_fd());
        Watch {
            kernel: self.clone(),
            about: (id, side),
        }
    }

    fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that the kernel can be asked about. It is dropped before the socket is closed.
#[derive(Debug)]
pub(super) struct Watch {
    kernel: Kernel,
    about: (ConnectionId, Side),
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.kernel.sockets().remove(&self.about);
    }
}
