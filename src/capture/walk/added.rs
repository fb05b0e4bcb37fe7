//! Blocks that are no entries, but say something of entries before them.

use super::{CUT, Content, Fault, Span, word};
use crate::capture::block::{ABOUT_HEADER, LONGEST_TEXT, STAMPS_HEADER};
use crate::capture::stamps::Place;
use crate::model::EntryId;

/// What was added to an entry.
pub(super) fn about(fields: &[u8], span: Span) -> Result<Content, Fault> {
    let (low, high) = (word(fields, 12).ok_or(CUT)?, word(fields, 16).ok_or(CUT)?);
    let len = word(fields, 20).ok_or(CUT)?;
    let room = (span.len as usize).saturating_sub(4 + ABOUT_HEADER);
    if len as usize > room.min(LONGEST_TEXT) {
        return Err(Fault::Damaged("the annotation has an impossible length"));
    }
    Ok(Content::About {
        id: EntryId(u64::from(high) << 32 | u64::from(low)),
        offset: span.offset + ABOUT_HEADER as u64,
        len,
    })
}

/// Time stamps of entries.
pub(super) fn stamps(fields: &[u8], span: Span) -> Result<Content, Fault> {
    let number = |at| {
        let (low, high) = (word(fields, at).ok_or(CUT)?, word(fields, at + 4).ok_or(CUT)?);
        Ok::<EntryId, Fault>(EntryId(u64::from(high) << 32 | u64::from(low)))
    };
    let (first, last) = (number(12)?, number(20)?);
    let len = word(fields, 28).ok_or(CUT)?;
    let room = (span.len as usize).saturating_sub(4 + STAMPS_HEADER);
    if len as usize > room.min(LONGEST_TEXT) {
        return Err(Fault::Damaged("the annotation has an impossible length"));
    }
    Ok(Content::Stamps(Place {
        first,
        last,
        offset: span.offset + STAMPS_HEADER as u64,
        len,
    }))
}
