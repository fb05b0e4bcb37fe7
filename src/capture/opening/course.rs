//! The thread behind an opened file: index what is there, say how it stands, wait for more.

mod report;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::StopSign;
use super::files::Files;
use super::indexer::Indexer;
use super::input::{Input, More};
use super::watcher::{self, Watcher};
use crate::capture::error::words;
use crate::capture::format::{self, Kind};
use crate::capture::original::{Change, Original};
use crate::capture::segment::Segment;
use crate::capture::session::Source;
use crate::capture::walk::Fault;
use crate::model::{EntryId, FileReport, FileState};
use crate::text::format::counted;

/// Bytes indexed before the first report, so that the first screen comes at once.
const FIRST: u64 = 128 << 10;

/// Bytes indexed between two looks at the clock and the stop button: some milliseconds.
const BUDGET: u64 = 4 << 20;

/// The least time between two reports.
const PACE: Duration = Duration::from_millis(50);

/// A file that has not grown for so long is taken to be at rest.
const REST: Duration = Duration::from_secs(1);

/// The course of one opening.
pub(super) struct Course {
    source: Arc<Source>,
    files: Files,
    watcher: Watcher,
    input: Input,
    indexer: Option<Indexer>,
    /// Whether the kind of the input is known, and its bytes are indexed.
    begun: bool,
    /// Bytes that can be read.
    known: u64,
    /// Whether what is left of them is known to be no whole block.
    torn: bool,
    rest: Rest,
    /// What is wrong with the input itself.
    trouble: Option<String>,
    reporter: watch::Sender<FileReport>,
    reported: Option<Instant>,
    stop: StopSign,
}

/// Whether the input is taken to be at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// It grew at that time.
    Grew(Instant),
    /// Nothing was seen of it yet but what it says itself.
    Unseen,
    /// What waited for more waits no longer.
    Settled,
}

/// Why the course ends.
struct Ended(FileState);

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Ended {
        Ended(FileState::Failed(words(&error)))
    }
}

impl From<Change> for Ended {
    fn from(change: Change) -> Ended {
        Ended(FileState::Failed(change.words().to_owned()))
    }
}

impl Course {
    /// At the start of `input`, with these files to be read behind it.
    pub(super) fn new(
        source: Arc<Source>,
        input: Input,
        behind: VecDeque<Arc<File>>,
        reporter: watch::Sender<FileReport>,
        stop: StopSign,
    ) -> Course {
        Course {
            watcher: Watcher::new(source.originals().iter().map(Original::file)),
            files: Files::new(source.clone(), behind),
            source,
            input,
            indexer: None,
            begun: false,
            known: 0,
            torn: false,
            rest: Rest::Unseen,
            trouble: None,
            reporter,
            reported: None,
            stop,
        }
    }

    /// Runs until there is nothing more to be found, or nobody wants to know.
    pub(super) fn run(mut self) {
        let Err(Ended(mut state)) = self.follow();
        // Whatever ended it, what was found until then is shown.
        let shown = self.settle().and_then(|()| self.publish());
        if let Err(ended) = shown.and_then(|()| self.check_bytes()) {
            state = ended.0;
        }
        self.rest = Rest::Settled;
        let failed = matches!(state, FileState::Failed(_));
        self.report(state);
        if !failed && let Err(Ended(state)) = self.guard() {
            self.report(state);
        }
    }

    fn settle(&mut self) -> Result<(), Ended> {
        self.indexer.as_mut().map_or(Ok(()), Indexer::settle)?;
        Ok(())
    }

    /// Waits, with what was found shown, until another program spoils that or nobody wants to know.
    fn guard(&mut self) -> Result<(), Ended> {
        while !self.stop.is_on() && self.original().is_some() {
            self.input.wait(&self.watcher, &self.stop, None)?;
            if self.stop.is_on() {
                break;
            }
            self.check_bytes()?;
            if self.files.are_several() {
                self.files.look();
                let state = self.reporter.borrow().state.clone();
                self.report(state);
            } else {
                self.check_name()?;
            }
        }
        Ok(())
    }

    /// The file, as long as what is shown is read from it.
    fn original(&self) -> Option<&Original> {
        match self.input {
            Input::File(_) => self.files.original(),
            Input::Gzip { .. } | Input::Stream { .. } => None,
        }
    }

    /// Whether it holds what was indexed.
    fn check_bytes(&self) -> Result<(), Ended> {
        self.original().map_or(Ok(()), Original::check_bytes)?;
        Ok(())
    }

    /// Whether its name stands for it. Of several files, one that has lost its name is no failure of all.
    fn check_name(&mut self) -> Result<(), Ended> {
        let checked = self.original().map_or(Ok(()), Original::check_name);
        if self.files.are_several() {
            self.files.look();
            if let Err(change) = checked {
                self.files.has_become(change);
                return Err(Ended(FileState::Complete));
            }
        }
        checked?;
        Ok(())
    }

    fn follow(&mut self) -> Result<std::convert::Infallible, Ended> {
        loop {
            self.check_bytes()?;
            match self.input.more(self.known)? {
                More::Until(known) if known < self.at() => return Err(Change::Shortened.into()),
                More::Until(known) => {
                    if self.known > 0 {
                        self.rest = Rest::Grew(Instant::now());
                    }
                    self.known = known;
                    self.torn = false;
                    self.index()?;
                }
                More::NotYet if self.files.has_next() => self.next_file()?,
                More::NotYet => {
                    self.wait()?;
                    // Whoever wanted no more than there was has pressed the button by now.
                    if !self.stop.is_on() {
                        self.check_name()?;
                    }
                }
                More::Never(trouble) => {
                    self.trouble = trouble;
                    return Err(Ended(FileState::Complete));
                }
                More::Cut(why) => {
                    self.trouble = Some(why);
                    return Err(Ended(FileState::Cut));
                }
            }
            if self.stop.is_on() {
                return Err(Ended(FileState::Cancelled));
            }
        }
    }

    /// Indexes what can be read.
    fn index(&mut self) -> Result<(), Ended> {
        while !self.torn && self.at() < self.known {
            if self.stop.is_on() {
                return Err(Ended(FileState::Cancelled));
            }
            if !self.begun && !self.recognize()? {
                return Ok(());
            }
            let budget = if self.reported.is_some() { BUDGET } else { FIRST };
            let result = self
                .indexer
                .as_mut()
                .map_or(Ok(()), |indexer| indexer.advance(self.known, budget));
            match result {
                Ok(()) => {}
                Err(Fault::Cut) => self.torn = true,
                Err(Fault::Damaged(why)) => {
                    let left = self.known - self.at();
                    let said = format!(
                        "byte {} and what follows, {left} bytes, were left out: {why}",
                        self.at()
                    );
                    self.trouble = Some(self.files.about(said));
                    if self.files.has_next() {
                        return self.next_file();
                    }
                    return Err(Ended(FileState::Complete));
                }
                Err(Fault::Io(error)) => return Err(error.into()),
            }
            if self.reported.is_none_or(|before| before.elapsed() >= PACE) {
                self.publish()?;
                self.report(FileState::Indexing);
            }
        }
        Ok(())
    }

    /// Finds out what kind of file it is. Returns whether enough of it is there to tell.
    fn recognize(&mut self) -> Result<bool, Ended> {
        let file = self.input.readable();
        let kind = match format::kind(&file, self.known) {
            Ok(kind) => kind,
            Err(Fault::Cut) => Kind::Short,
            Err(Fault::Damaged(why)) => return Err(Ended(FileState::Failed(why.to_owned()))),
            Err(Fault::Io(error)) => return Err(error.into()),
        };
        match kind {
            Kind::Short => {
                self.torn = true;
                return Ok(false);
            }
            Kind::Own { first } => self.begin_own(file, first),
            Kind::Foreign(_) | Kind::Gzip if self.files.are_several() => {
                let said =
                    "it was left out: it is not the recording that it was when it was opened".to_owned();
                self.trouble = Some(self.files.about(said));
                self.torn = true;
                return Ok(false);
            }
            Kind::Foreign(format) => {
                self.indexer = Some(Indexer::foreign(&self.source, file, format)?);
            }
            Kind::Gzip => {
                let Some(unpacked) = self.input.unpacked()? else {
                    let why = "it is compressed twice: unpack it first, as with gzip -dc";
                    return Err(Ended(FileState::Failed(why.to_owned())));
                };
                self.input = unpacked;
                self.known = 0;
                return Ok(false);
            }
        }
        self.begun = true;
        Ok(true)
    }

    /// Indexes a recording of ours, which says that its first entry has the number `first`.
    fn begin_own(&mut self, file: Arc<File>, first: Option<EntryId>) {
        let path = self.files.original().map_or(self.source.path(), Original::path);
        let number = first.unwrap_or_default().0;
        let segment = Segment::new(self.files.current(), path.to_owned(), file, number);
        match &mut self.indexer {
            Some(indexer) => indexer.go_on(segment, first),
            None => self.indexer = Some(Indexer::own(&self.source, segment, first)),
        }
    }

    /// Goes on with the next file, whatever the last bytes of this one are.
    fn next_file(&mut self) -> Result<(), Ended> {
        self.publish()?;
        let left = self.known - self.at();
        let torn = || match self.known {
            0 => Some("it is empty".to_owned()),
            _ if left > 0 => Some(format!(
                "the last {} left out: no whole block",
                counted(left, "byte was", "bytes were")
            )),
            _ => None,
        };
        let trouble = self.trouble.take();
        let why = trouble.or_else(|| torn().map(|said| self.files.about(said)));
        if let Some(file) = self.files.go_on(self.known, left, why) {
            self.input = Input::File(file);
            self.begun = false;
            self.known = 0;
            self.torn = false;
            self.rest = Rest::Unseen;
        }
        Ok(())
    }

    /// All is indexed that is there: shows it, and waits for more.
    fn wait(&mut self) -> Result<(), Ended> {
        let timeout = self.patience()?;
        self.publish()?;
        self.report(FileState::Following);
        self.input.wait(&self.watcher, &self.stop, timeout)?;
        // A writer that never rests is looked at twenty times a second.
        let since = self.reported.map_or(PACE, |before| before.elapsed());
        if !self.stop.is_on() && since < PACE {
            watcher::wait(&[self.stop.bell.as_fd()], Some(PACE.saturating_sub(since)))?;
        }
        Ok(())
    }

    /// How long to wait before the input counts as being at rest; no end if it does already.
    fn patience(&mut self) -> Result<Option<Duration>, Ended> {
        let quiet = match self.rest {
            Rest::Grew(at) => at.elapsed(),
            Rest::Unseen => self.input.quiet(),
            Rest::Settled => return Ok(None),
        };
        if self.torn && self.input.is_recorded() {
            // Its recorder will say when it is done, by closing the file.
            return Ok(None);
        }
        if quiet < REST {
            return Ok(Some(REST.saturating_sub(quiet)));
        }
        self.settle()?;
        self.rest = Rest::Settled;
        Ok(None)
    }

    fn at(&self) -> u64 {
        let begun = self.indexer.as_ref().filter(|_| self.begun);
        begun.map_or(0, Indexer::at)
    }

    fn publish(&mut self) -> Result<(), Ended> {
        if let Some(original) = self.original() {
            original.indexed(self.at())?;
        }
        self.indexer.as_mut().map_or(Ok(()), Indexer::publish)?;
        Ok(())
    }
}
