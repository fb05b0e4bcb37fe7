//! What the other side presented in a handshake: handed from the check of certificates, which the library calls, to the
//! connection in whose name it called.

use std::sync::{Mutex, PoisonError};

use crate::model::{Certificate, Verdict};

/// What was presented, and what to think of it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    pub(super) chain: Vec<Certificate>,
}

/// Where a check leaves what it has just seen. The check happens within the call that looks at the bytes of one
/// connection, and that connection takes it as soon as the call has returned.
#[derive(Debug, Default)]
pub(super) struct Latest(Mutex<Option<Seen>>);

impl Latest {
    /// Leaves it there.
    pub(super) fn leave(&self, seen: Seen) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }

    /// Takes it away.
    pub(super) fn take(&self) -> Option<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
