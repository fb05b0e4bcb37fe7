//! One pass over the log from its start, as far as it goes: every entry is looked at once.
//!
//! Deliberately absent: threads, and when to go on.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Hits, Judge, Sought, Streams};
use crate::capture::Session;
use crate::capture::bulk::{Bulk, Joint, Passed};
use crate::model::{Candidate, Entry, EntryKind, Records as _, RecordsError, Timestamp};

/// The pass.
#[derive(Debug)]
pub(in crate::capture) struct Pass {
    session: Session,
    bulk: Bulk,
    streams: Streams,
    hits: Hits,
    /// When the entry before the next one happened.
    previous: Option<Timestamp>,
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
        } = self;
        if bulk.take_skipped() {
            streams.forget();
            *previous = None;
        }
        // So that what is found in a long recording does not grow for ever.
        hits.forget_before(session.first());
        let needs_start = streams.judge().needs_start();
        let result = bulk.read(until, budget, &mut |passed| {
            let Passed { entry, bytes, joint } = passed;
            let candidate = Candidate {
                entry,
                payload: bytes,
                started: if needs_start {
                    session.started(entry.connection)
                } else {
                    None
                },
                previous: previous.replace(entry.at),
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
