//! Where annotations go: into the recording that this process writes, or, for a file that it only reads, into a
//! sidecar `FILE.sockscope` beside it. What is opened is never modified.
//!
//! The sidecar is lines of JSON: the first says which capture they belong to, each other one is an annotation, and
//! of those about one entry the last counts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use super::annotations::{LONGEST, Written};
use super::session::Part;
use super::{CaptureError, Existing, Recorder, Session, file};
use crate::model::{Annotation, EntryId, Records as _, RecordsError};

/// What the name of a sidecar ends with.
const EXTENSION: &str = ".sockscope";

/// The format of the lines.
const VERSION: u32 = 1;

/// Bytes of a line at most, and of all of them.
const LONGEST_LINE: u64 = 8 * LONGEST as u64;
const LARGEST: u64 = 256 << 20;

/// Takes annotations and keeps them.
#[derive(Debug)]
pub enum Annotator {
    /// In the recording.
    Recording(Recorder),
    /// Beside the file, or beside each of several.
    Sidecars(Sidecars),
    /// Nowhere: what was read came from a pipe.
    Memory(Session),
}

/// The annotations beside the files that a session is read from. Each file has those of its own entries, so that they
/// are there as well where it is opened by itself.
#[derive(Debug)]
pub struct Sidecars {
    session: Session,
    /// Those to which something was written.
    used: Vec<Sidecar>,
}

/// The annotations beside one file.
#[derive(Debug)]
struct Sidecar {
    session: Session,
    part: Part,
    path: PathBuf,
    /// Open once something was written.
    file: Option<File>,
}

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// The version of the format.
    sockscope_annotations: u32,
    /// When the first entry happened: another capture has another time.
    first: u64,
}

impl Annotator {
    /// For a recording that is being made.
    pub fn of_recording(recorder: Recorder) -> Annotator {
        Annotator::Recording(recorder)
    }

    /// For a file that is being read.
    pub fn of_file(session: Session) -> Annotator {
        Annotator::Sidecars(Sidecars {
            session,
            used: Vec::new(),
        })
    }

    /// For what comes through a pipe.
    pub fn of_stream(session: Session) -> Annotator {
        Annotator::Memory(session)
    }

    /// Keeps this of an entry, in place of what was kept before. When it returns, not even `kill -9` loses it.
    pub fn annotate(&mut self, number: EntryId, annotation: Annotation) -> Result<(), CaptureError> {
        if annotation
            .comment
            .as_ref()
            .is_some_and(|text| text.len() > LONGEST)
        {
            return Err(CaptureError::Annotation("the comment is longer than 64 KiB"));
        }
        match self {
            Annotator::Recording(recorder) => recorder.annotate(number, annotation),
            Annotator::Sidecars(sidecars) => sidecars.annotate(number, annotation),
            Annotator::Memory(session) => session.set_annotation(number, annotation),
        }
        .map_err(CaptureError::of_annotation)
    }

    /// Reads what was kept earlier. To be called once the first entry is known, of several files once all are indexed.
    pub fn load(&mut self) -> Result<(), CaptureError> {
        match self {
            Annotator::Recording(_) | Annotator::Memory(_) => Ok(()),
            Annotator::Sidecars(sidecars) => sidecars.load(),
        }
    }
}

impl Sidecars {
    /// Reads all that there are; of what goes wrong, the first is told.
    fn load(&self) -> Result<(), CaptureError> {
        let mut result = Ok(());
        for part in self.session.parts() {
            let loaded = Sidecar::new(&self.session, part).load();
            result = result.and(loaded);
        }
        result
    }

    fn annotate(&mut self, number: EntryId, annotation: Annotation) -> Result<(), CaptureError> {
        let parts = self.session.parts();
        let holds = |part: &Part| part.entries.contains(&number.0);
        let part = parts.into_iter().find(holds);
        let part = part.ok_or(CaptureError::Annotation("there is no such entry"))?;
        if let Some(used) = self.used.iter_mut().find(|used| used.part.path == part.path) {
            return used.annotate(number, annotation);
        }
        let mut sidecar = Sidecar::new(&self.session, part);
        let result = sidecar.annotate(number, annotation);
        self.used.push(sidecar);
        result
    }
}

impl Sidecar {
    fn new(session: &Session, part: Part) -> Sidecar {
        Sidecar {
            session: session.clone(),
            path: sidecar_path(&part.path),
            part,
            file: None,
        }
    }

    /// The number that an entry has where its file is opened by itself: that is the one which is written.
    fn alone(&self, number: EntryId) -> EntryId {
        EntryId(
            self.part
                .first_alone
                .saturating_add(number.0 - self.part.entries.start),
        )
    }

    /// The number in the session of an entry that is called so in the file.
    fn joined(&self, alone: u64) -> Option<EntryId> {
        let within = alone.checked_sub(self.part.first_alone)?;
        Some(EntryId(self.part.entries.start.checked_add(within)?))
    }

    fn head(&self) -> Result<Head, CaptureError> {
        let first = self
            .session
            .entry(EntryId(self.part.entries.start))
            .map_err(|error| match error {
                RecordsError::Missing(_) => CaptureError::Annotation("the capture has no entry yet"),
                RecordsError::Changed(why) => CaptureError::Annotation(why),
                RecordsError::Removed | RecordsError::Io(_) | RecordsError::Damaged { .. } => {
                    CaptureError::Annotation("the first entry of the capture cannot be read")
                }
            })?;
        Ok(Head {
            sockscope_annotations: VERSION,
            first: first.at.0,
        })
    }

    fn load(&self) -> Result<(), CaptureError> {
        let file = match OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
            .open(&self.path)
        {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(CaptureError::io("open", &self.path)(error)),
        };
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Err(self.refused("it is not a regular file"));
        }
        let mut reader = BufReader::new(file.take(LARGEST));
        let mut line = Vec::new();
        self.next_line(&mut reader, &mut line)?;
        self.check_head(&line)?;
        while self.next_line(&mut reader, &mut line)? {
            // A line that was torn by a crash, or that nobody understands, is not worth the others.
            if let Ok(written) = serde_json::from_slice::<Written>(&line)
                && let Some(number) = written.entry.and_then(|alone| self.joined(alone))
            {
                self.session.set_annotation(number, written.annotation())?;
            }
        }
        Ok(())
    }

    fn check_head(&self, line: &[u8]) -> Result<(), CaptureError> {
        match serde_json::from_slice::<Head>(line) {
            Ok(head) if head == self.head()? => Ok(()),
            Ok(head) if head.sockscope_annotations != VERSION => {
                Err(self.refused("another version of sockscope wrote it"))
            }
            Ok(_) => Err(self.refused("its annotations belong to another capture")),
            Err(_) => Err(self.refused("it holds no annotations")),
        }
    }

    /// The next line, without its end; false behind the last one.
    fn next_line(&self, reader: &mut impl io::BufRead, line: &mut Vec<u8>) -> Result<bool, CaptureError> {
        line.clear();
        let read = reader.take(LONGEST_LINE).read_until(b'\n', line);
        let count = read.map_err(CaptureError::io("read", &self.path))?;
        Ok(count > 0)
    }

    fn refused(&self, why: &'static str) -> CaptureError {
        CaptureError::Sidecar {
            path: self.path.clone(),
            why,
        }
    }

    fn annotate(&mut self, number: EntryId, annotation: Annotation) -> Result<(), CaptureError> {
        // Beside another capture that bears its name by now, it would be about that one.
        self.session
            .check_name(&self.part.path)
            .map_err(|change| CaptureError::Annotation(change.words()))?;
        let before = self.session.annotation(number).unwrap_or_default();
        let line = line(&Written::of(Some(self.alone(number)), &annotation));
        // First in memory, where there is a bound: what cannot be shown is not kept either.
        self.session.set_annotation(number, annotation)?;
        let written = self.append(&line);
        if written.is_err() {
            self.session.set_annotation(number, before)?;
        }
        written
    }

    fn append(&mut self, line: &[u8]) -> Result<(), CaptureError> {
        let is_there = |file: &File| file::is_same(&self.path, file).unwrap_or(false);
        let lost = self.file.take_if(|file| !is_there(file)).is_some();
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        let written = if lost {
            // What was kept in it went with it.
            file.write_all(&self.all())
        } else {
            file.write_all(line)
        };
        match written {
            Ok(()) => self.file = Some(file),
            // Half a line may be there: opening it again ends that one.
            Err(error) => return Err(CaptureError::write(&self.path, error)),
        }
        Ok(())
    }

    /// The lines of every annotation of its entries.
    fn all(&self) -> Vec<u8> {
        let numbers = self.session.annotated(0..self.session.annotations());
        // It may have grown since.
        let parts = self.session.parts();
        let part = parts.iter().find(|part| part.path == self.part.path);
        let entries = part.map_or(0..0, |part| part.entries.clone());
        let mut lines = Vec::new();
        for number in numbers.into_iter().filter(|number| entries.contains(&number.0)) {
            let annotation = self.session.annotation(number).unwrap_or_default();
            lines.extend(line(&Written::of(Some(self.alone(number)), &annotation)));
        }
        lines
    }

    /// The sidecar that is there, if it is this capture's, or a new one.
    fn open(&self) -> Result<File, CaptureError> {
        let head = line(&self.head()?);
        match file::create(&self.path, Existing::Refuse) {
            Ok(mut file) => {
                if let Err(error) = file.write_all(&head) {
                    // Half a head would keep every later annotation out.
                    drop(fs::remove_file(&self.path));
                    return Err(CaptureError::write(&self.path, error));
                }
                // To append: another program may add its own lines from now on.
                self.reopen()
            }
            Err(CaptureError::Exists(_)) => self.reopen(),
            Err(error) => Err(error),
        }
    }

    fn reopen(&self) -> Result<File, CaptureError> {
        let failed = |tried| CaptureError::io(tried, &self.path);
        let mut file = file::open_ours(&self.path)?;
        let mut reader = BufReader::new((&file).take(LONGEST_LINE));
        let mut first = Vec::new();
        self.next_line(&mut reader, &mut first)?;
        self.check_head(&first)?;
        // A last line that was torn must not swallow the next one.
        let mut last = [b'\n'];
        file.seek(SeekFrom::End(-1)).map_err(failed("read"))?;
        file.read_exact(&mut last).map_err(failed("read"))?;
        if last != *b"\n" {
            file.write_all(b"\n")
                .map_err(|error| CaptureError::write(&self.path, error))?;
        }
        Ok(file)
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    // Numbers and strings always have a JSON form.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Where the sidecar of a capture is.
pub fn sidecar_path(capture: &Path) -> PathBuf {
    let mut path = capture.to_owned().into_os_string();
    path.push(EXTENSION);
    path.into()
}
