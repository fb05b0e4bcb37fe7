//! The bytes next to an entry in its own stream, for characters that were split over several reads.

use super::{Content, Log, Place, Session, Slot};
use crate::capture::index::GROUP;
use crate::model::{ConnectionId, Direction, EntryId, Records as _, RecordsError, Surroundings, Tail};

/// How many entries are looked at on either side for the bytes next to an entry. A character that was split so
/// that more entries of other streams lie between its parts is shown as invalid bytes.
const REACH: u64 = 2 * GROUP;

/// The same for captures of other programs, where many conversations take turns and an entry is found faster.
const FOREIGN_REACH: u64 = 1024;

impl Session {
    /// The bytes before and after entry `id`.
    pub(super) fn around(&self, id: EntryId) -> Result<Surroundings, RecordsError> {
        let slot = self.slot(id)?;
        let Content::Stream(direction) = slot.content else {
            return Ok(Surroundings::default());
        };
        let stream = Stream {
            connection: slot.connection,
            direction,
        };
        Ok(Surroundings {
            before: self.before(id, stream)?,
            after: self.after(id, stream)?,
        })
    }

    fn reach(&self) -> u64 {
        match self.source.log.get() {
            Some(Log::Foreign(_)) => FOREIGN_REACH,
            Some(Log::Own(_)) | None => REACH,
        }
    }

    /// The bytes before entry `id`, whose stream is `stream`.
    fn before(&self, id: EntryId, stream: Stream) -> Result<Tail, RecordsError> {
        // Collected from the right: the last `have` bytes are known.
        let mut bytes = [0; 3];
        let mut have = 0;
        let from = id.0.saturating_sub(self.reach()).max(self.source.first());
        for number in (from..id.0).rev() {
            let slot = match self.slot(EntryId(number)) {
                Err(RecordsError::Removed) => break,
                slot => slot?,
            };
            if stream.has(&slot) {
                let take = (slot.len as usize).min(3 - have);
                let skip = u64::from(slot.len) - take as u64;
                self.fill(
                    &slot.place,
                    slot.offset + skip,
                    &mut bytes[3 - have - take..3 - have],
                )?;
                have += take;
            }
            if have < 3
                && let Some(earlier) = tail(&slot.place, number, stream)
            {
                let earlier = earlier.as_slice();
                let take = earlier.len().min(3 - have);
                bytes[3 - have - take..3 - have].copy_from_slice(&earlier[earlier.len() - take..]);
                have += take;
                break;
            }
            if have == 3 {
                break;
            }
        }
        Ok(Tail::last_of(&bytes[3 - have..]))
    }

    /// The bytes after entry `id`, whose stream is `stream`.
    fn after(&self, id: EntryId, stream: Stream) -> Result<Tail, RecordsError> {
        let mut bytes = [0; 3];
        let mut have = 0;
        let end = self.len().min(id.0.saturating_add(1 + self.reach()));
        for number in id.0 + 1..end {
            let slot = self.slot(EntryId(number))?;
            if stream.has(&slot) {
                let take = (slot.len as usize).min(3 - have);
                self.fill(&slot.place, slot.offset, &mut bytes[have..have + take])?;
                have += take;
                if have == 3 {
                    break;
                }
            }
        }
        Ok(Tail::first_of(&bytes[..have]))
    }
}

/// The last bytes of a stream before entry `number`, where a checkpoint knows them.
fn tail(place: &Place, number: u64, stream: Stream) -> Option<Tail> {
    let Place::Own(segment) = place else {
        return None;
    };
    let within = number.checked_sub(segment.first)?;
    if !within.is_multiple_of(GROUP) {
        return None;
    }
    let checkpoint = segment.index.checkpoint(within / GROUP)?;
    (checkpoint.connection == stream.connection).then(|| checkpoint.tails.of(stream.direction))
}

/// One direction of one connection.
#[derive(Clone, Copy)]
struct Stream {
    connection: ConnectionId,
    direction: Direction,
}

impl Stream {
    /// Whether an entry is a part of this stream.
    fn has(self, slot: &Slot) -> bool {
        match slot.content {
            Content::Stream(direction) => slot.connection == self.connection && direction == self.direction,
            Content::Datagram(_) | Content::Event => false,
        }
    }
}
