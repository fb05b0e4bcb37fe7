//! What every part of the worker uses: the options, the recorder, the clock, and the report that it publishes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::tls::Tls;
use super::{Clock, Kernel, Options};
use crate::capture::Recorder;
use crate::model::{ConnectionId, Link, NetEvent, RecorderState, Setting, SocketOptions};

/// What every part of the worker uses.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) recorder: Recorder,
    pub(super) clock: Clock,
    pub(super) kernel: Kernel,
    pub(super) tls: Tls,
    /// What is set on sockets: at first what the options say.
    sockets: Mutex<SocketOptions>,
    /// Whether the kernel is to be asked for time stamps.
    pub(super) timestamps: Cell<bool>,
    /// Bytes that crossed and could not be recorded, of all connections.
    pub(super) lost: Arc<AtomicU64>,
    /// The connections of which something cannot be recorded now.
    troubled: Mutex<BTreeMap<ConnectionId, RecorderState>>,
    news: watch::Sender<NetEvent>,
}

impl Shared {
    /// What one worker uses, and where its reports are read.
    pub(super) fn new(
        options: Options,
        recorder: Recorder,
        clock: Clock,
        tls: Tls,
    ) -> (Shared, watch::Receiver<NetEvent>) {
        let (news, report) = watch::channel(NetEvent::default());
        let shared = Shared {
            sockets: Mutex::new(options.sockets.clone()),
            timestamps: Cell::new(options.timestamps),
            options,
            recorder,
            clock,
            kernel: Kernel::default(),
            tls,
            lost: Arc::default(),
            troubled: Mutex::default(),
            news,
        };
        (shared, report)
    }

    /// What is set on the next socket.
    pub(super) fn sockets(&self) -> SocketOptions {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.clone()
    }

    /// Sets this on later sockets too.
    pub(super) fn keep(&self, setting: Setting) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.set(setting);
    }

    /// Changes the report in place and wakes whoever waits for news.
    pub(super) fn publish(&self, change: impl FnOnce(&mut NetEvent)) {
        let (entries, size) = (self.recorder.len(), self.recorder.size());
        let (payload, ring) = (self.recorder.payload_bytes(), self.recorder.ring());
        self.news.send_modify(|news| {
            change(news);
            news.entries = entries;
            news.size = size;
            news.payload = payload;
            news.ring = ring;
        });
    }

    /// Looks at the latest report.
    pub(super) fn report<T>(&self, look: impl FnOnce(&NetEvent) -> T) -> T {
        look(&self.news.borrow())
    }

    /// A request to send is queued, or will never be sent.
    pub(super) fn handled(&self, fate: Fate) {
        self.publish(|news| {
            news.sends.handled += 1;
            news.sends.refused += u64::from(fate == Fate::Refused);
        });
    }

    /// Changes what is known of a connection.
    pub(super) fn link(&self, id: ConnectionId, change: impl FnOnce(&mut Link)) {
        self.publish(|news| news.link_mut(id).map_or((), change));
    }

    /// How the recorder is doing with all connections, now that it does so with this one: what is wrong with one is
    /// wrong with the file.
    pub(super) fn recorder_state(&self, id: ConnectionId, state: RecorderState) -> RecorderState {
        let mut troubled = self.troubled.lock().unwrap_or_else(PoisonError::into_inner);
        match state {
            RecorderState::Recording | RecorderState::Losing { .. } => troubled.remove(&id),
            RecorderState::Paused { .. } | RecorderState::Stopped { .. } => {
                troubled.insert(id, state.clone())
            }
        };
        troubled.values().next().cloned().unwrap_or(state)
    }

    /// A connection is over: whatever it could not record is lost by now.
    pub(super) fn forget(&self, id: ConnectionId) {
        let mut troubled = self.troubled.lock().unwrap_or_else(PoisonError::into_inner);
        troubled.remove(&id);
    }
}

/// What becomes of a request to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits to be sent.
    Queued,
    /// It will not be sent.
    Refused,
}
