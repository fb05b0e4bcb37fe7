//! Sentences on standard error: one line each, encoded, and never a reason to stop.

use std::io::{self, Write as _};

use crate::text::{Policy, Shown};

/// Tells the user something in one line on standard error, whatever is in it. Standard error may be closed or full;
/// then there is nobody to be told.
pub fn tell(message: &str) {
    let line = format!("sockscope: {}\n", Shown::of(message, Policy::default()));
    // One write, so that lines of several processes do not mix.
    let _ = io::stderr().write_all(line.as_bytes());
}
