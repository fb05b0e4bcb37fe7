//! What one direction of a stream goes on with.

use super::Place;
use crate::model::Timestamp;

/// What the stream goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture::foreign) enum Delivery {
    /// Bytes.
    Data {
        /// Which file.
        place: Place,
        /// Where in it.
        offset: u64,
        /// How many.
        len: u32,
        /// When they were captured.
        at: Timestamp,
    },
    /// Bytes that are missing.
    Gap {
        /// How many.
        bytes: u64,
        /// When what follows was captured.
        at: Timestamp,
    },
    /// The end.
    Fin {
        /// When it was captured.
        at: Timestamp,
    },
}

impl Delivery {
    /// When it was captured, or of a gap, when it was known.
    pub(in crate::capture::foreign) fn at(&self) -> Timestamp {
        match *self {
            Delivery::Data { at, .. } | Delivery::Gap { at, .. } | Delivery::Fin { at } => at,
        }
    }
}
