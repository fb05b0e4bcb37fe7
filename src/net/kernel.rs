//! What the kernel knows of the connection: asked by whoever shows it, so that asking costs the worker nothing.

#[cfg(target_os = "linux")]
mod linux;

use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{ConnectionId, KernelReport};

/// Whether something that was sent, or is to be sent, is not acknowledged yet.
#[cfg(target_os = "linux")]
pub(super) fn is_unacknowledged(socket: BorrowedFd<'_>) -> bool {
    linux::tcp_info(socket.as_raw_fd())
        .is_some_and(|info| info.unacknowledged > 0 || info.unsent.is_some_and(|bytes| bytes > 0))
}

/// Asks about the connection that is open now. Copies ask about the same.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    /// Held while the descriptor is used, and while it is closed, so that it is never that of another socket.
    socket: Arc<Mutex<Option<(ConnectionId, RawFd)>>>,
}

impl Kernel {
    /// Asks; takes some microseconds at most.
    pub fn ask(&self) -> KernelReport {
        let socket = self.socket();
        let Some((id, socket)) = *socket else {
            return KernelReport::Nothing;
        };
        #[cfg(target_os = "linux")]
        return linux::tcp_info(socket).map_or(KernelReport::Nothing, |info| KernelReport::Tcp(id, info));
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (id, socket);
            KernelReport::NotOffered
        }
    }

    /// The socket can be asked about until the watch is dropped.
    pub(super) fn watch(&self, id: ConnectionId, socket: BorrowedFd<'_>) -> Watch {
        *self.socket() = Some((id, socket.as_raw_fd()));
        Watch(self.clone())
    }

    fn socket(&self) -> MutexGuard<'_, Option<(ConnectionId, RawFd)>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that the kernel can be asked about. It is dropped before the socket is closed.
#[derive(Debug)]
pub(super) struct Watch(Kernel);

impl Drop for Watch {
    fn drop(&mut self) {
        *self.0.socket() = None;
    }
}
