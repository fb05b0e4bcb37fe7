//! How far a log goes that somebody reads to its end: whoever knows moves it on, the reader waits for it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How much of a log there is to read.
#[derive(Debug, Default)]
pub struct Growth {
    state: Mutex<Grown>,
    moved: Condvar,
}

/// What is known of it now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grown {
    /// Entries that can be read.
    pub entries: u64,
    /// Whether no more will come.
    pub complete: bool,
}

impl Growth {
    /// There are this many entries now.
    pub fn reached(&self, entries: u64) {
        let mut state = self.lock();
        if entries > state.entries {
            state.entries = entries;
            self.moved.notify_one();
        }
    }

    /// There are this many entries, and there will be no more.
    pub fn complete(&self, entries: u64) {
        let mut state = self.lock();
        state.entries = entries.max(state.entries);
        state.complete = true;
        self.moved.notify_one();
    }

    /// Waits until there are more entries than were seen, or there will be no more, or until the deadline.
    pub fn wait(&self, seen: u64, deadline: Option<Instant>) -> Grown {
        let mut state = self.lock();
        while state.entries <= seen && !state.complete {
            state = match deadline {
                None => self.moved.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    let woken = self.moved.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *state
    }

    fn lock(&self) -> MutexGuard<'_, Grown> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
