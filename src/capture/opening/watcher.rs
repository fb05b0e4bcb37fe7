//! Waiting until there is more to read, without any wake-up in between: inotify for files, poll for streams.
//!
//! The kernel keeps one unread event for any number of equal ones, so a busy writer costs nothing between two reads.
//! A poll of the size every 100 ms would cost ten wake-ups a second for nothing, and the `notify` crate a thread and
//! a wake-up for every write. Where there is no inotify, or it has no room, the size is asked for twice a second.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How often the size is asked for where nothing tells of a change.
const BLIND: Duration = Duration::from_millis(500);

/// Tells of changes of files.
#[derive(Debug)]
pub(super) struct Watcher {
    #[cfg(target_os = "linux")]
    inotify: Option<nix::sys::inotify::Inotify>,
}

impl Watcher {
    /// Watches the open `files`, whatever their names stand for by now.
    #[cfg(target_os = "linux")]
    pub(super) fn new<'f>(mut files: impl Iterator<Item = &'f File>) -> Watcher {
        use std::os::fd::AsRawFd as _;

        use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok();
        // The count of its names is an attribute: that is how the end of the last one is told while it is open.
        let changes = AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_MOVE_SELF;
        Watcher {
            inotify: inotify.filter(|inotify| {
                files.all(|file| {
                    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                    inotify.add_watch(path.as_str(), changes).is_ok()
                })
            }),
        }
    }

    /// There is nothing to watch with.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn new<'f>(_: impl Iterator<Item = &'f File>) -> Watcher {
        Watcher {}
    }

    /// Waits until a file changes, `bell` rings, or the time is over.
    #[cfg(target_os = "linux")]
    pub(super) fn wait(&self, bell: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<()> {
        let Some(inotify) = &self.inotify else {
            wait(&[bell], Some(timeout.map_or(BLIND, |timeout| timeout.min(BLIND))))?;
            return Ok(());
        };
        wait(&[bell, inotify.as_fd()], timeout)?;
        // What changed is seen by looking at the file.
        drop(inotify.read_events());
        Ok(())
    }

    /// Waits until a file may have changed, `bell` rings, or the time is over.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn wait(&self, bell: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<()> {
        wait(&[bell], Some(timeout.map_or(BLIND, |timeout| timeout.min(BLIND)))).map(drop)
    }
}

/// Waits until one of these can be read, or has ended, or the time is over. Returns whether one of them can.
pub(super) fn wait(these: &[BorrowedFd<'_>], timeout: Option<Duration>) -> io::Result<bool> {
    let mut all: Vec<PollFd<'_>> = these
        .iter()
        .map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN))
        .collect();
    let timeout = match timeout {
        // Rounded up, or the last fraction of a millisecond would be spent spinning.
        Some(Duration::ZERO) => PollTimeout::ZERO,
        Some(time) => PollTimeout::try_from(time + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
        None => PollTimeout::NONE,
    };
    match poll(&mut all, timeout) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}
