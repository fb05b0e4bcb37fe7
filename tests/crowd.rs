//! Many clients at the real binary: more than it has descriptors for (P22). The full size is a benchmark.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/service.rs"]
mod service;

use std::time::Duration;

use crowd::{Waits, too_many};

/// Longer than the program waits between two attempts to accept.
const QUIET: Duration = Duration::from_millis(200);

#[test]
fn whom_there_is_no_descriptor_for_is_told_and_the_others_are_served() {
    too_many(Waits::Listening, 60, QUIET);
}

#[test]
fn a_tap_without_descriptors_resets_whom_it_cannot_relay() {
    too_many(Waits::Relaying, 60, QUIET);
}
