//! Threads for long work, which make way for those that answer the user.

use std::io;
use std::thread::{self, JoinHandle};

/// How much nicer such a thread is than the others of the process (setpriority(2)): it gets what they leave, which is
/// nearly all, and is interrupted as soon as one of them has something to do.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Starts a thread.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        make_way();
        work();
    })
}

#[cfg(target_os = "linux")]
fn make_way() {
    // Only in Linux a thread has a niceness of its own. One that keeps the usual one does the same work.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
}

/// POSIX knows one niceness for the process as a whole.
#[cfg(not(target_os = "linux"))]
fn make_way() {}
