//! The recording itself on standard output, block by whole block as it grows: for a pipe to Wireshark, or through ssh.
//! It follows the session file, so that a slow pipe slows nobody but itself.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc;

use super::print::{Output, PrintError, Printed};
use crate::capture::{Growth, Session};
use crate::model::{Direction, EntryId, Records as _};

/// What is copied, and how far that is.
pub(super) struct Relay<W> {
    session: Session,
    out: W,
    /// How many bytes of the file were copied.
    copied: u64,
    /// How many entries these held.
    entries: u64,
    /// How many received entries are to be copied at least, if not all.
    count: Option<u64>,
    received: u64,
}

impl<W: Write> Relay<W> {
    pub(super) fn new(session: Session, out: W, count: Option<u64>) -> Relay<W> {
        Relay {
            session,
            out,
            copied: 0,
            entries: 0,
            count,
            received: 0,
        }
    }

    /// Copies until everything is copied or nothing more can be.
    pub(super) fn run(mut self, progress: &Growth) -> Printed {
        match self.follow(progress) {
            Ok(printed) => printed,
            Err(PrintError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Printed::Closed,
            Err(error) => Printed::Failed(error),
        }
    }

    fn follow(&mut self, progress: &Growth) -> Result<Printed, PrintError> {
        loop {
            // What a reader waits for at the start is there before the first entry.
            self.copy()?;
            let state = progress.wait(self.entries, None);
            self.copy()?;
            if self.is_enough(state.entries)? {
                return Ok(Printed::Enough);
            }
            if state.complete {
                return Ok(Printed::All);
            }
        }
    }

    fn copy(&mut self) -> Result<(), PrintError> {
        loop {
            let piece = self.session.piece(self.copied)?;
            if piece.is_empty() {
                return Ok(self.out.flush()?);
            }
            self.out.write_all(&piece)?;
            self.copied += piece.len() as u64;
        }
    }

    /// Whether as many received entries as were asked for are among the first `entries`.
    fn is_enough(&mut self, entries: u64) -> Result<bool, PrintError> {
        let Some(count) = self.count else {
            self.entries = entries;
            return Ok(false);
        };
        while self.entries < entries {
            let entry = self.session.entry(EntryId(self.entries))?;
            self.received += u64::from(entry.direction() == Some(Direction::Received));
            self.entries += 1;
        }
        Ok(self.received >= count)
    }
}

/// Starts the copying; its result comes through `report`.
pub(super) fn spawn(
    relay: Relay<Output>,
    progress: Arc<Growth>,
    report: mpsc::Sender<Printed>,
) -> std::io::Result<()> {
    thread::Builder::new().name("relay".into()).spawn(move || {
        let result = relay.run(&progress);
        // Nobody listens any more when a signal ended the run.
        let _ = report.blocking_send(result);
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Create, Existing, Recorder};
    use crate::model::{EntryKind, Role, Timestamp};

    #[test]
    fn the_copy_is_the_file_and_stops_when_enough_was_received() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        let create = Create {
            path: path.clone(),
            existing: Existing::Refuse,
            max_size: None,
        };
        let recorder = Recorder::create(&create).unwrap();
        let endpoint = "localhost:1".parse().unwrap();
        let connection = recorder
            .connection(Timestamp(1), &endpoint, Role::Client)
            .unwrap();
        let open = EntryKind::Open {
            local: "127.0.0.1:2".parse().unwrap(),
            remote: "127.0.0.1:1".parse().unwrap(),
        };
        connection.event(Timestamp(1), &open).unwrap();
        for direction in [Direction::Sent, Direction::Received, Direction::Received] {
            connection
                .data(Timestamp(2), direction, &vec![7; 50_000])
                .unwrap();
        }
        let progress = Growth::default();
        progress.complete(recorder.len());
        for (count, expected) in [(None, "All"), (Some(2), "Enough"), (Some(3), "All")] {
            let mut out = Vec::new();
            let printed = Relay::new(recorder.reader(), &mut out, count).run(&progress);
            assert_eq!(format!("{printed:?}"), expected);
            assert_eq!(out, std::fs::read(&path).unwrap());
        }
    }
}
