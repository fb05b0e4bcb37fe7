//! Captures of other programs, record by record; their bytes mostly follow each other in the file.

use super::chunk::Chunk;
use super::{Joint, Look, Passed, Want, failed, faulty};
use crate::capture::fact;
use crate::capture::foreign::{Blocks, Foreign, Place, RecordKind};
use crate::capture::walk::Fault;
use crate::model::{Entry, EntryId, EntryKind, RecordsError};

/// What an entry costs beside its bytes.
const EACH: u64 = 64;

/// A place in the capture and its spool.
#[derive(Debug, Default)]
pub(super) struct ForeignPlace {
    records: Blocks,
    file: Chunk,
    spool: Chunk,
}

impl ForeignPlace {
    /// See [`super::Bulk::read`].
    pub(super) fn read(
        &mut self,
        foreign: &Foreign,
        want: Want,
        next: &mut u64,
        until: u64,
        budget: u64,
        look: &mut Look<'_>,
    ) -> Result<(), RecordsError> {
        let until = until.min(foreign.entries());
        let mut passed = 0;
        while *next < until && passed < budget {
            let id = EntryId(*next);
            let record = foreign.record(&mut self.records, id)?;
            let (direction, place, joint) = match record.kind {
                RecordKind::Stream(direction, place) => (Some(direction), place, Joint::Stream),
                RecordKind::Datagram(direction, place) => (Some(direction), place, Joint::Datagram),
                RecordKind::Event => (None, Place::Spool, Joint::Stream),
            };
            let chunk = match place {
                Place::File => &mut self.file,
                Place::Spool => &mut self.spool,
            };
            let bytes = if direction.is_some() && want == Want::Headers {
                &[]
            } else {
                chunk
                    .get(foreign.holder(place), record.offset, record.len as usize)
                    .map_err(failed)?
            };
            let (kind, bytes, len) = match direction {
                Some(direction) => (EntryKind::Data { direction }, bytes, record.len),
                None => {
                    let kind = fact::from_json(bytes);
                    let kind = kind.map_err(|what| faulty(Fault::Damaged(what), record.offset))?;
                    (kind, &[][..], 0)
                }
            };
            let entry = Entry {
                id,
                connection: record.connection,
                at: record.at,
                kind,
                len,
            };
            *next += 1;
            passed += EACH + bytes.len() as u64;
            let look = look(Passed {
                entry: &entry,
                bytes,
                joint,
            });
            if look.is_break() {
                break;
            }
        }
        Ok(())
    }
}
