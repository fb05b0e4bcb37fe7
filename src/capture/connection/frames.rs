//! The blocks that hold bytes: a segment of a stream, or a datagram, with its headers around them.

use super::{Flow, MAX_PAYLOAD};
use crate::capture::CaptureError;
use crate::capture::block::{self, DataFrame};
use crate::capture::packet::{self, Segment};
use crate::capture::stream::Stream;
use crate::model::{Direction, Timestamp};

/// A part of a stream in the file.
pub(super) struct Framed {
    /// What stands around the bytes.
    pub(super) frame: DataFrame,
    /// The acknowledgement that has to stand before them, if any.
    pub(super) overdue: Vec<u8>,
    /// That which has to stand behind them, if any.
    pub(super) confirmed: Vec<u8>,
    /// The stream after them.
    pub(super) stream: Option<Stream>,
}

impl Framed {
    /// Bytes of all that.
    pub(super) fn len(&self) -> usize {
        let frame = self.frame.head().len() + self.frame.tail().len();
        self.overdue.len() + frame + self.confirmed.len()
    }

    /// The bytes with all that around them, in the order of the file.
    pub(super) fn around<'a>(&'a self, bytes: &'a [u8]) -> [&'a [u8]; 5] {
        [
            &self.overdue,
            self.frame.head(),
            bytes,
            self.frame.tail(),
            &self.confirmed,
        ]
    }

    /// Puts it under another interface.
    pub(super) fn put_under(&mut self, interface: u32) {
        self.frame.put_under(interface);
        block::put_under(interface, &mut self.overdue);
        block::put_under(interface, &mut self.confirmed);
    }
}

/// A part of a stream.
pub(super) fn segment(
    flow: Flow,
    at: Timestamp,
    direction: Direction,
    bytes: &[u8],
) -> Result<Framed, CaptureError> {
    if bytes.is_empty() {
        return Err(CaptureError::Empty);
    }
    if bytes.len() > MAX_PAYLOAD {
        return Err(CaptureError::TooLong(bytes.len()));
    }
    let mut stream = flow.stream.ok_or(CaptureError::NotOpen)?;
    let from = direction.sender();
    // It stays empty, and so unallocated, for all but a few entries.
    let acknowledgement = |ack: Option<Segment>| {
        let block = ack.map(|ack| packet(flow.interface(), at, direction.opposite(), &ack));
        block.unwrap_or_default()
    };
    let overdue = acknowledgement(stream.overdue(from, bytes.len()));
    let segment = stream.data(from, bytes.len());
    Ok(Framed {
        frame: DataFrame::new(flow.interface(), at, direction, &segment),
        overdue,
        confirmed: acknowledgement(stream.confirmed(from)),
        stream: Some(stream),
    })
}

/// A datagram.
pub(super) fn datagram(
    flow: Flow,
    at: Timestamp,
    direction: Direction,
    bytes: &[u8],
) -> Result<Framed, CaptureError> {
    let (from, to) = flow.ends(direction)?;
    if bytes.len() > packet::largest_datagram(from) {
        return Err(CaptureError::TooLong(bytes.len()));
    }
    let headers = packet::datagram(from, to, bytes);
    Ok(Framed {
        frame: DataFrame::around(flow.interface(), at, direction, &headers, bytes.len(), 0),
        overdue: Vec::new(),
        confirmed: Vec::new(),
        stream: flow.stream,
    })
}

fn packet(interface: u32, at: Timestamp, direction: Direction, segment: &Segment) -> Vec<u8> {
    block::bare_packet(interface, at, direction, segment, None, &[])
}
