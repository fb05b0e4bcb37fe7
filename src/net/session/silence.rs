//! Waiting for a peer that says nothing, or does not read: how long, and what follows.

use std::time::Duration;

use tokio::time::Instant;

use super::{After, Half, Session};
use crate::model::{End, EndHow, Side};
use crate::text::format;

/// How long a close waits for the peer: to read more of what is unsent, and then to answer our FIN. What it goes on
/// sending does not make it wait longer: a peer that never stops must not keep anybody from leaving.
const GRACE: Duration = Duration::from_secs(2);

/// How long answers are awaited when we have said all and cannot tell the peer.
pub(super) const LAST_CALL: Duration = Duration::from_secs(1);

/// What it means that nothing crosses for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The user wants to wait no longer.
    TimesOut,
    /// It is over: of datagrams nobody says which was the last.
    IsTheEnd,
}

impl Session<'_> {
    /// Ends it quietly after so long a silence, unless the user has named a time.
    pub(in crate::net) fn end_when_silent(&mut self, silence: Option<Duration>) {
        let silence = silence.map(|silence| (silence, Silence::IsTheEnd));
        self.idle = self.idle.or(silence);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let closing = matches!(self.after, After::Closed | After::Dial(_) | After::Redial);
        let closing = closing || self.failed.is_some();
        let idle = self.idle;
        match (self.over, closing, idle) {
            (true, _, _) => None,
            // It is we who do not read.
            (false, false, _) if self.journal.is_blocked() => None,
            (false, true, _) => Some(self.closing_from + GRACE),
            (false, false, idle) => {
                let idle = idle.map(|(idle, _)| self.last_byte + idle);
                let last_call = self.last_call.map(|call| call.max(self.last_byte) + LAST_CALL);
                let others = last_call.into_iter().chain(self.upgrade_deadline());
                idle.into_iter().chain(others).min()
            }
        }
    }

    pub(super) fn deadline_passed(&mut self) {
        if self.last_call.is_some() {
            return self.end_silently();
        }
        if self
            .upgrade_deadline()
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            return self.upgrade_timed_out();
        }
        if let Some((idle, Silence::IsTheEnd)) = self.idle {
            let silence = format::took(idle);
            self.note(format!(
                "nothing has crossed for {silence}: this is taken for the end"
            ));
            return self.end_silently();
        }
        let end = End {
            by: Side::Local,
            how: EndHow::Timeout,
            errno: None,
        };
        let reason = match (&self.after, self.idle) {
            (After::Ended, Some((idle, _))) => {
                format!(
                    "no byte crossed for {}, so the connection was ended (--idle-timeout)",
                    format::took(idle)
                )
            }
            _ if self.ours == Half::Over => format!(
                "the peer did not answer our FIN within {}, so the connection was dropped",
                format::took(GRACE)
            ),
            _ => format!(
                "the peer read nothing for {}, so the connection was dropped with {} unsent",
                format::took(GRACE),
                format::size(self.outbox.unsent())
            ),
        };
        self.end(end, Some(reason));
    }
}
