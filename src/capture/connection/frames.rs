//! The blocks that hold bytes: a segment of a stream, or a datagram, with its headers around them.

use super::{Flow, MAX_PAYLOAD};
use crate::capture::CaptureError;
use crate::capture::block::{self, DataFrame};
use crate::capture::packet::{self, Segment};
use crate::capture::stream::Stream;
use crate::model::{Direction, Timestamp};

/// The frame of a part of a stream, the acknowledgement that has to stand before it if any, and the stream after it.
pub(super) fn segment(
    flow: Flow,
    at: Timestamp,
    direction: Direction,
    bytes: &[u8],
) -> Result<(DataFrame, Vec<u8>, Option<Stream>), CaptureError> {
    if bytes.is_empty() {
        return Err(CaptureError::Empty);
    }
    if bytes.len() > MAX_PAYLOAD {
        return Err(CaptureError::TooLong(bytes.len()));
    }
    let mut stream = flow.stream.ok_or(CaptureError::NotOpen)?;
    let from = direction.sender();
    let overdue = stream
        .overdue(from, bytes.len())
        .map(|ack| packet(flow.interface(), at, direction.opposite(), &ack));
    let segment = stream.data(from, bytes.len());
    let frame = DataFrame::new(flow.interface(), at, direction, &segment);
    Ok((frame, overdue.unwrap_or_default(), Some(stream)))
}

/// The frame of a datagram.
pub(super) fn datagram(
    flow: Flow,
    at: Timestamp,
    direction: Direction,
    bytes: &[u8],
) -> Result<DataFrame, CaptureError> {
    let (from, to) = flow.ends(direction)?;
    if bytes.len() > packet::largest_datagram(from) {
        return Err(CaptureError::TooLong(bytes.len()));
    }
    let headers = packet::datagram(from, to, bytes);
    Ok(DataFrame::around(
        flow.interface(),
        at,
        direction,
        &headers,
        bytes.len(),
        0,
    ))
}

fn packet(interface: u32, at: Timestamp, direction: Direction, segment: &Segment) -> Vec<u8> {
    block::bare_packet(interface, at, direction, segment, None, &[])
}
