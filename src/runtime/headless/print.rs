//! The printer: follows the session file on a thread of its own and writes what it finds to standard output, so that
//! a slow pipe delays nobody but itself.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::mpsc;

use super::format::{Format, Style};
use crate::capture::{Growth, Piece};
use crate::model::{
    ConnectionId, Direction, Entry, EntryId, EntryKind, Records, RecordsError, Surroundings, Tail,
};
use crate::runtime::tell::tell;
use crate::text::format;

/// How long an entry waits for the rest of its last character before its bytes are shown as they are.
const REST: Duration = Duration::from_millis(250);

/// Enough for a few large entries in one write.
const BUFFER: usize = 128 * 1024;

/// How printing ended.
#[derive(Debug)]
pub(super) enum Printed {
    /// Everything is printed.
    All,
    /// As many received entries are printed as were asked for.
    Enough,
    /// Nobody reads standard output any more.
    Closed,
    /// Standard output or the session file failed.
    Failed(PrintError),
}

/// Why printing failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrintError {
    /// Standard output takes no more.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// The session file cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// What is printed, and where it stands.
pub(super) struct Printer<R, W: Write> {
    pub(super) records: R,
    pub(super) out: BufWriter<W>,
    pub(super) style: Style,
    /// How many received entries are to be printed, if not all.
    pub(super) count: Option<u64>,
    next: u64,
    received: u64,
    /// Streams whose last character was printed byte by byte: its rest must not vanish into it.
    cut: Vec<(ConnectionId, Direction)>,
}

/// Whether an entry could be printed now.
enum Step {
    Printed,
    /// The rest of its last character may still come.
    Early,
}

impl<R: Records, W: Write> Printer<R, W> {
    pub(super) fn new(records: R, out: W, style: Style, count: Option<u64>) -> Printer<R, W> {
        Printer {
            records,
            out: BufWriter::with_capacity(BUFFER, out),
            style,
            count,
            next: 0,
            received: 0,
            cut: Vec::new(),
        }
    }

    /// Prints until everything is printed or nothing more can be.
    pub(super) fn run(mut self, progress: &Growth) -> Printed {
        match self.follow(progress) {
            Ok(printed) => printed,
            Err(PrintError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Printed::Closed,
            Err(error) => Printed::Failed(error),
        }
    }

    fn follow(&mut self, progress: &Growth) -> Result<Printed, PrintError> {
        let mut give_up: Option<Instant> = None;
        let mut seen = 0;
        loop {
            let state = progress.wait(seen, give_up);
            seen = state.entries;
            while self.next < state.entries {
                let patient = !state.complete && give_up.is_none_or(|deadline| Instant::now() < deadline);
                match self.step(patient) {
                    Err(PrintError::Records(RecordsError::Removed)) => self.skip(),
                    Err(error) => return Err(error),
                    Ok(Step::Printed) => give_up = None,
                    Ok(Step::Early) => {
                        give_up.get_or_insert_with(|| Instant::now() + REST);
                        break;
                    }
                }
                if self.count.is_some_and(|count| self.received >= count) {
                    self.out.flush()?;
                    return Ok(Printed::Enough);
                }
            }
            self.out.flush()?;
            if state.complete && self.next >= state.entries {
                return Ok(Printed::All);
            }
        }
    }

    /// Prints the next entry, unless patience may complete its last character.
    fn step(&mut self, patient: bool) -> Result<Step, PrintError> {
        let id = EntryId(self.next);
        let entry = self.records.entry(id)?;
        let direction = entry.direction();
        if let EntryKind::Close(_) = entry.kind {
            self.cut.retain(|(connection, _)| *connection != entry.connection);
        }
        if self.style.format.wants(&entry) {
            let bytes = match direction {
                Some(_) => self.records.payload(id, 0..entry.len)?,
                None => Vec::new(),
            };
            let surroundings = self.surroundings(&entry)?;
            let piece = Piece {
                entry: &entry,
                bytes: &bytes,
                surroundings,
                annotation: None,
                role: self.records.role(entry.connection),
                stamps: None,
            };
            let cut = self.style.format.decodes() && piece.is_cut();
            if cut && patient {
                return Ok(Step::Early);
            }
            self.style.write(&mut self.out, &piece)?;
            if let Some(direction) = direction {
                let stream = (entry.connection, direction);
                self.cut.retain(|other| *other != stream);
                if cut {
                    self.cut.push(stream);
                }
            }
        }
        self.next += 1;
        self.received += u64::from(direction == Some(Direction::Received));
        Ok(Step::Printed)
    }

    /// Goes on where the log begins by now: a pipe that is slower than the wire does not make a ring keep more.
    fn skip(&mut self) {
        let first = self.records.first().0;
        let missed = first.saturating_sub(self.next);
        self.next = first.max(self.next);
        self.cut.clear();
        if missed > 0 && self.style.format != Format::None {
            let entries = format::counted(missed, "entry is", "entries are");
            tell(&format!(
                "{entries} not printed: a ring file was removed before standard output took what it held"
            ));
        }
    }

    fn surroundings(&self, entry: &Entry) -> Result<Surroundings, RecordsError> {
        let Some(direction) = entry.direction().filter(|_| self.style.format.decodes()) else {
            return Ok(Surroundings::default());
        };
        let mut surroundings = self.records.surroundings(entry.id)?;
        if self.cut.contains(&(entry.connection, direction)) {
            surroundings.before = Tail::default();
        }
        Ok(surroundings)
    }
}

/// Standard output without a buffer; waits where it was left in non-blocking mode.
pub(super) struct Output(File);

impl Output {
    /// A descriptor of its own for standard output.
    pub(super) fn stdout() -> io::Result<Output> {
        Ok(Output(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    poll(
                        &mut [PollFd::new(self.0.as_fd(), PollFlags::POLLOUT)],
                        PollTimeout::NONE,
                    )?;
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the printer; its result comes through `report`.
pub(super) fn spawn<R: Records + Send + 'static>(
    printer: Printer<R, Output>,
    progress: Arc<Growth>,
    report: mpsc::Sender<Printed>,
) -> io::Result<()> {
    thread::Builder::new().name("print".into()).spawn(move || {
        let result = printer.run(&progress);
        // Nobody listens any more when a signal ended the run.
        let _ = report.blocking_send(result);
    })?;
    Ok(())
}

/// Reports when the reader of standard output goes away, so that a run without anything to print ends too.
pub(super) fn watch_reader(report: mpsc::Sender<Printed>) -> io::Result<()> {
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    thread::Builder::new().name("reader".into()).spawn(move || {
        // Hang-up and error come unasked; a file or a device never reports them.
        let mut fds = [PollFd::new(output.as_fd(), PollFlags::empty())];
        while poll(&mut fds, PollTimeout::NONE) == Err(Errno::EINTR) {}
        let gone = PollFlags::POLLERR | PollFlags::POLLHUP;
        if fds[0].revents().is_some_and(|seen| seen.intersects(gone)) {
            let _ = report.blocking_send(Printed::Closed);
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::capture::Wording;
    use crate::model::{Purpose, Timestamp};
    use crate::text::Policy;

    const WORDING: Wording = Wording {
        policy: Policy {
            rtl: false,
            ascii: false,
        },
        offset: 0,
        purpose: Purpose::Live,
        connections: false,
    };

    /// A log of received entries. Those without a byte are not kept any more.
    struct Received(&'static [&'static [u8]]);

    impl Records for Received {
        fn first(&self) -> EntryId {
            let gone = self.0.iter().take_while(|bytes| bytes.is_empty());
            EntryId(gone.count() as u64)
        }

        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
            let bytes = self.0.get(id.0 as usize).ok_or(RecordsError::Missing(id))?;
            if id < self.first() {
                return Err(RecordsError::Removed);
            }
            Ok(Entry {
                id,
                connection: ConnectionId(0),
                at: Timestamp(0),
                kind: EntryKind::Data {
                    direction: Direction::Received,
                },
                len: bytes.len() as u32,
            })
        }

        fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
            Ok(self.0[id.0 as usize][range.start as usize..range.end as usize].to_vec())
        }

        fn surroundings(&self, id: EntryId) -> Result<Surroundings, RecordsError> {
            let (before, rest) = self.0.split_at(id.0 as usize);
            Ok(Surroundings {
                before: Tail::last_of(&before.concat()),
                after: Tail::first_of(&rest[1..].concat()),
            })
        }

        fn started(&self, _connection: ConnectionId) -> Option<Timestamp> {
            None
        }
    }

    fn printed(format: Format, log: &'static [&'static [u8]], count: Option<u64>) -> (String, Printed) {
        let style = Style {
            format,
            wording: WORDING,
        };
        let progress = Growth::default();
        progress.complete(log.len() as u64);
        let mut out = Vec::new();
        let result = Printer::new(Received(log), &mut out, style, count).run(&progress);
        (String::from_utf8_lossy(&out).into_owned(), result)
    }

    #[test]
    fn a_character_over_three_reads_is_shown_once() {
        let (text, _) = printed(Format::Text, &[b"\xe6", b"\xbc", b"\xa2"], None);
        let lines: Vec<&str> = text
            .lines()
            .map(|line| line.rsplit("  ").next().unwrap())
            .collect();
        assert_eq!(lines, ["漢", "‥", "‥"]);
    }

    #[test]
    fn a_count_ends_after_as_many_received_entries() {
        let (text, result) = printed(Format::Raw, &[b"one ", b"two ", b"three "], Some(2));
        assert_eq!(text, "one two ");
        assert!(matches!(result, Printed::Enough));
    }

    #[test]
    fn what_is_not_kept_any_more_is_passed_over() {
        let (text, result) = printed(Format::Raw, &[b"", b"", b"three ", b"four"], None);
        assert_eq!(text, "three four");
        assert!(matches!(result, Printed::All));
        let (text, _) = printed(Format::Raw, &[b"", b"two ", b"three "], Some(1));
        assert_eq!(text, "two ");
    }

    #[test]
    fn raw_is_what_came() {
        let (text, result) = printed(Format::Raw, &[b"a\x1b", b"\nb"], None);
        assert_eq!(text, "a\x1b\nb");
        assert!(matches!(result, Printed::All));
    }

    #[test]
    fn a_character_that_never_ends_is_printed_in_the_end() {
        let progress = Growth::default();
        progress.reached(1);
        let mut out = Vec::new();
        let style = Style {
            format: Format::Text,
            wording: WORDING,
        };
        let mut printer = Printer::new(Received(&[b"a\xc3"]), &mut out, style, Some(1));
        assert!(matches!(printer.follow(&progress), Ok(Printed::Enough)));
        drop(printer);
        assert!(String::from_utf8(out).unwrap().ends_with("a\\xc3\n"));
    }

    #[test]
    fn a_closed_pipe_is_told_apart() {
        struct Full(ErrorKind);
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let result = |kind| {
            let style = Style {
                format: Format::Raw,
                wording: WORDING,
            };
            let progress = Growth::default();
            progress.complete(1);
            Printer::new(Received(&[b"x"]), Full(kind), style, None).run(&progress)
        };
        assert!(matches!(result(ErrorKind::BrokenPipe), Printed::Closed));
        assert!(matches!(
            result(ErrorKind::StorageFull),
            Printed::Failed(PrintError::Output(_))
        ));
    }
}
