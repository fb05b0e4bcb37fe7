//! All entries in order with their bytes, at the speed of the file: for scans over the whole log, where finding each
//! entry by its number would cost more than looking at it.
//!
//! Deliberately absent: what is looked for.

mod chunk;
mod foreign;
mod own;

use std::io;
use std::ops::ControlFlow;

use self::foreign::ForeignPlace;
use self::own::OwnPlace;
use super::Session;
use super::error::unreadable;
use super::session::Log;
use super::walk::Fault;
use crate::model::{Entry, Records as _, RecordsError};

/// What of an entry is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Everything but the bytes of data.
    Headers,
    /// The bytes too.
    Payloads,
}

/// What the bytes of an entry are to those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// They follow what came before in their direction.
    Stream,
    /// They are a message of their own.
    Datagram,
}

/// An entry that is passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed<'a> {
    /// The entry.
    pub(super) entry: &'a Entry,
    /// Its bytes, if they are wanted.
    pub(super) bytes: &'a [u8],
    /// What they are to others.
    pub(super) joint: Joint,
}

/// Whoever looks at the entries; breaking off ends the reading behind the entry.
pub(super) type Look<'a> = dyn FnMut(Passed<'_>) -> ControlFlow<()> + 'a;

/// A place in the log that moves forward.
#[derive(Debug)]
pub(super) struct Bulk {
    session: Session,
    want: Want,
    /// The entry that comes next.
    next: u64,
    /// Whether entries were passed over because they are not kept any more.
    skipped: bool,
    own: OwnPlace,
    foreign: ForeignPlace,
}

impl Bulk {
    /// The start of the log.
    pub(super) fn new(session: Session, want: Want) -> Bulk {
        Bulk {
            session,
            want,
            next: 0,
            skipped: false,
            own: OwnPlace::default(),
            foreign: ForeignPlace::default(),
        }
    }

    /// The entry that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Whether entries were passed over since this was asked last, because they are not kept any more: what comes
    /// now does not follow what was shown.
    pub(super) fn take_skipped(&mut self) -> bool {
        std::mem::take(&mut self.skipped)
    }

    /// Shows entries to `look` until entry `until` is next, or some `budget` bytes were passed. Where the next
    /// entry is not kept any more, it only goes on to the first one that is.
    pub(super) fn read(&mut self, until: u64, budget: u64, look: &mut Look<'_>) -> Result<(), RecordsError> {
        let first = self.session.first().0;
        if self.next < first {
            self.next = first;
            self.skipped = true;
            return Ok(());
        }
        let from = self.next;
        let next = &mut self.next;
        let result = match self.session.log() {
            Some(Log::Own(shared)) => self.own.read(shared, self.want, next, until, budget, look),
            Some(Log::Foreign(foreign)) => self.foreign.read(foreign, self.want, next, until, budget, look),
            // Nothing is known of the file yet.
            None => Ok(()),
        };
        // Bytes of another file are worth no search and no export.
        self.session.check_bytes(from..self.next)?;
        result
    }
}

fn failed(error: impl Into<io::Error>) -> RecordsError {
    unreadable(&error.into())
}

fn faulty(fault: Fault, offset: u64) -> RecordsError {
    let damaged = |what: &str| RecordsError::Damaged {
        offset,
        what: what.to_owned(),
    };
    match fault {
        Fault::Io(error) => failed(error),
        Fault::Cut => damaged("the file ends within the block"),
        Fault::Damaged(what) => damaged(what),
    }
}

#[cfg(test)]
mod tests;
