//! One pass over the log from its start, as far as it goes: every entry is looked at once.
//!
//! Deliberately absent: threads, and when to go on.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Highlights, Hits, Judge, Sought, Streams};
use crate::capture::Session;
use crate::capture::bulk::{Bulk, Joint, Passed};
use crate::model::{Candidate, Entry, EntryId, EntryKind, Records as _, RecordsError, Timestamp};

/// The pass.
#[derive(Debug)]
pub(in crate::capture) struct Pass {
    session: Session,
    bulk: Bulk,
    streams: Streams,
    hits: Hits,
    /// When the entry before the next one happened.
    previous: Option<Timestamp>,
    /// How many changes of annotations were taken in.
    changes: u64,
}

impl Pass {
    /// At the start of the log; what is found goes to `hits`.
    pub(in crate::capture) fn new(session: Session, sought: Sought, hits: Hits) -> Pass {
        let judge = Judge::new(sought);
        Pass {
            bulk: Bulk::new(session.clone(), judge.want()),
            session,
            streams: Streams::new(judge, hits.clone()),
            hits,
            previous: None,
            changes: 0,
        }
    }

    /// The entry that comes next.
    pub(in crate::capture) fn next(&self) -> u64 {
        self.bulk.next()
    }

    /// Looks at entries until entry `until` is next, some `budget` bytes were passed, or `stop` is set.
    pub(in crate::capture) fn read(
        &mut self,
        until: u64,
        budget: u64,
        stop: &AtomicBool,
    ) -> Result<(), RecordsError> {
        let Pass {
            session,
            bulk,
            streams,
            hits,
            previous,
            changes: _,
        } = self;
        if bulk.take_skipped() {
            streams.forget();
            *previous = None;
        }
        // So that what is found in a long recording does not grow for ever.
        hits.forget_before(session.first());
        let needs_start = streams.judge().needs_start();
        let needs_annotations = streams.judge().needs_annotations();
        let result = bulk.read(until, budget, &mut |passed| {
            let Passed { entry, bytes, joint } = passed;
            let annotation = needs_annotations.then(|| session.annotation(entry.id)).flatten();
            let candidate = Candidate {
                entry,
                payload: bytes,
                started: if needs_start {
                    session.started(entry.connection)
                } else {
                    None
                },
                previous: previous.replace(entry.at),
                annotation: annotation.as_ref(),
            };
            take_in(streams, &candidate, joint);
            if stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        streams.settle();
        result
    }

    /// Decides anew about the entries to which the user added something, or from which something was taken, after they
    /// were looked at. Returns whether there were any.
    pub(in crate::capture) fn renew(&mut self) -> Result<bool, RecordsError> {
        if !self.streams.judge().needs_annotations() {
            return Ok(false);
        }
        let (annotated, changes) = self.session.annotated_since(self.changes);
        self.changes = changes;
        let next = self.next();
        let mut passed = annotated.into_iter().filter(|id| id.0 < next).peekable();
        let any = passed.peek().is_some();
        for id in passed {
            match self.decide_again(id) {
                // Its ring file went.
                Err(RecordsError::Removed) => {}
                decided => decided?,
            }
        }
        self.streams.flush();
        Ok(any)
    }

    fn decide_again(&mut self, id: EntryId) -> Result<(), RecordsError> {
        let session = &self.session;
        let entry = session.entry(id)?;
        let before = id.0.checked_sub(1).map(|before| session.entry(EntryId(before)));
        let annotation = session.annotation(id);
        let candidate = Candidate {
            entry: &entry,
            payload: &[],
            started: session.started(entry.connection),
            previous: before.and_then(Result::ok).map(|before| before.at),
            annotation: annotation.as_ref(),
        };
        let mut terms = self.streams.judge().decided(&candidate);
        if self.streams.renew(&entry, terms) {
            return Ok(());
        }
        for (term, pattern) in self.streams.judge().patterns() {
            if Highlights::new(session, pattern).starts_in(id)? {
                terms.insert(*term);
            }
        }
        self.streams.decide_again(id.0, terms);
        Ok(())
    }
}

/// Takes an entry in, and decides what can be decided.
pub(super) fn take_in(streams: &mut Streams, candidate: &Candidate<'_>, joint: Joint) {
    let Candidate { entry, payload, .. } = candidate;
    let Entry { id, connection, .. } = entry;
    let terms = streams.judge().decided(candidate);
    match entry.kind {
        EntryKind::Data { direction } if !streams.judge().patterns().is_empty() => {
            streams.push(*connection, direction, id.0, payload, terms);
            match joint {
                Joint::Stream => {}
                Joint::Datagram => streams.interrupt(*connection, direction),
            }
            return;
        }
        EntryKind::Gap { direction, .. } => streams.interrupt(*connection, direction),
        EntryKind::Data { .. }
        | EntryKind::Lookup(_)
        | EntryKind::Attempt(_)
        | EntryKind::Tls(_)
        | EntryKind::Open { .. }
        | EntryKind::HalfClose { .. }
        | EntryKind::Close(_)
        | EntryKind::Error { .. }
        | EntryKind::Note { .. } => {}
    }
    streams.decide(id.0, terms);
}
