//! What the kernel knows of the connection: asked by whoever shows it, so that asking costs the worker nothing.

#[cfg(target_os = "linux")]
mod linux;

use std::ops::Deref;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;

use crate::model::{ConnectionId, KernelReport};

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

    /// The stream can be asked about until it is dropped.
    pub(super) fn watch(&self, id: ConnectionId, stream: TcpStream) -> Watched {
        *self.socket() = Some((id, stream.as_raw_fd()));
        Watched {
            kernel: self.clone(),
            stream,
        }
    }

    fn socket(&self) -> MutexGuard<'_, Option<(ConnectionId, RawFd)>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that the kernel can be asked about.
#[derive(Debug)]
pub(super) struct Watched {
    kernel: Kernel,
    stream: TcpStream,
}

impl Deref for Watched {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

impl Drop for Watched {
    /// Before the stream is: nobody asks about a closed descriptor.
    fn drop(&mut self) {
        *self.kernel.socket() = None;
    }
}
