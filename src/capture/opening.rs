//! Opening what is on disk: at once, with a thread behind it that finds the entries, follows a file that grows, and
//! says how it stands.
//!
//! Deliberately absent: any modification of what is opened.

mod course;
mod files;
mod indexer;
mod input;
mod packed;
mod watcher;

use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::OFlag;
use tokio::sync::watch;

use self::course::Course;
use self::input::Input;
use super::file::Identity;
use super::format::{self, Kind};
use super::original::Original;
use super::scan::Scan;
use super::segment::{Segment, Shared};
use super::session::{Log, Source};
use super::walk::Fault;
use super::{CaptureError, Session, background};
use crate::model::FileReport;

/// A file that is being opened. Dropping it ends its thread; what was found stays readable.
#[derive(Debug)]
pub struct Opening {
    /// What was found so far; it grows.
    pub session: Session,
    /// How it stands: the latest report, at most some twenty a second.
    pub reports: watch::Receiver<FileReport>,
    stop: StopButton,
}

impl Opening {
    /// Ends the indexing and following. What was found so far stays readable.
    pub fn cancel(&self) {
        self.stop.press();
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Opens a recording of ours, or a pcap or pcapng file of another program, gzipped or not, or a FIFO with one in it.
/// Returns at once, however large it is, with a session that grows while a thread indexes. Fails only where it can
/// be seen at once that nothing can come of it; what is found out later is in the reports.
pub fn open_in_background(path: &Path) -> Result<Opening, CaptureError> {
    let failed = |tried| CaptureError::io(tried, path);
    let file = open(path)?;
    let found = file.metadata().map_err(failed("open"))?;
    let kind = found.file_type();
    if kind.is_fifo() || kind.is_char_device() || kind.is_socket() {
        return open_stream_in_background(path, file);
    }
    if !found.is_file() {
        return Err(not_a_capture(path, "it is neither a file nor a stream"));
    }
    format::kind(&file, found.len()).map_err(|fault| refused(path, fault))?;
    let file = Arc::new(file);
    let source = Source::of_files(path, vec![Original::new(path, file.clone())]);
    begin(source, Input::File(file), VecDeque::new())
}

/// Opens recordings of ours as one log, one behind the other: the files of a ring, in which connections go on, or others,
/// which are kept apart. `name` stands for all of them. What only one of them can tell is refused at once.
pub fn open_joined_in_background(name: &Path, paths: &[PathBuf]) -> Result<Opening, CaptureError> {
    let mut files = VecDeque::new();
    for path in paths {
        files.push_back(Arc::new(part(path)?));
    }
    let originals: Vec<Original> = paths
        .iter()
        .zip(&files)
        .map(|(path, file)| Original::new(path, file.clone()))
        .collect();
    let mut seen = HashSet::new();
    if let Some(twice) = originals.iter().find(|file| !seen.insert(file.identity())) {
        return Err(not_joined(twice.path(), "it is named twice; name it once"));
    }
    match files.pop_front() {
        Some(first) => begin(Source::of_files(name, originals), Input::File(first), files),
        None => Err(not_a_capture(name, "it has no files")),
    }
}

/// Opens a file that is to be joined with others.
fn part(path: &Path) -> Result<File, CaptureError> {
    let failed = |tried| CaptureError::io(tried, path);
    let file = open(path)?;
    let found = file.metadata().map_err(failed("open"))?;
    if !found.is_file() {
        return Err(not_joined(path, "it is no regular file; open it by itself"));
    }
    match format::kind(&file, found.len()).map_err(|fault| refused(path, fault))? {
        Kind::Own { .. } | Kind::Short => Ok(file),
        Kind::Foreign(_) => Err(not_joined(
            path,
            "another program wrote it; mergecap -w OUT FILES joins such files first",
        )),
        Kind::Gzip => Err(not_joined(
            path,
            "it is compressed; unpack it first, as with gzip -d",
        )),
    }
}

fn not_joined(path: &Path, why: &'static str) -> CaptureError {
    CaptureError::NotJoined {
        path: path.to_owned(),
        why,
    }
}

/// The same for a stream such as standard input, which is kept in a temporary file as far as it was read. `name`
/// stands for it in messages.
pub fn open_stream_in_background(name: &Path, stream: File) -> Result<Opening, CaptureError> {
    let identity = stream.metadata().ok().map(|found| Identity::of(&found));
    let input = Input::stream(stream).map_err(CaptureError::io("read", name))?;
    begin(Source::new(name, identity), input, VecDeque::new())
}

/// Opens a recording of ours, and returns when all of it is indexed.
pub(super) fn open_own(path: &Path) -> Result<Session, CaptureError> {
    let foreign = |why| CaptureError::Foreign {
        path: path.to_owned(),
        why,
    };
    let failed = |tried| CaptureError::io(tried, path);
    let file = open(path)?;
    let found = file.metadata().map_err(failed("open"))?;
    if !found.is_file() {
        return Err(foreign("it is not a regular file"));
    }
    let size = found.len();
    let kind = match format::kind(&file, size) {
        Err(Fault::Io(error)) => return Err(failed("read")(error)),
        Err(Fault::Damaged(why)) => return Err(foreign(why)),
        Err(Fault::Cut) => Kind::Short,
        Ok(kind) => kind,
    };
    let first = match kind {
        Kind::Own { first } => first,
        Kind::Short | Kind::Foreign(_) | Kind::Gzip => None,
    };
    let segment = Segment::new(0, path.to_owned(), Arc::new(file), first.unwrap_or_default().0);
    let shared = Arc::new(Shared::new(Arc::new(segment)));
    let mut scan = Scan::new(shared.clone(), first);
    match kind {
        // The disk was full at once, or nothing was written.
        Kind::Short => {}
        Kind::Own { .. } => match scan.advance(size, u64::MAX) {
            Ok(()) | Err(Fault::Cut | Fault::Damaged(_)) => {}
            Err(Fault::Io(error)) => return Err(failed("read")(error)),
        },
        Kind::Foreign(_) => return Err(foreign("another program wrote it")),
        Kind::Gzip => return Err(foreign("it is compressed")),
    }
    scan.publish();
    let source = Source::new(path, Some(Identity::of(&found)));
    source.set_cut(size - scan.at());
    source.found(Log::Own(shared));
    Ok(Session::new(Arc::new(source)))
}

fn open(path: &Path) -> Result<File, CaptureError> {
    OpenOptions::new()
        .read(true)
        // Opening a FIFO would wait for somebody to write to it, and reading it would not hear the stop button.
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
        .map_err(CaptureError::io("open", path))
}

/// Starts the thread that reads `input`, and then the files `behind` it.
fn begin(source: Source, input: Input, behind: VecDeque<Arc<File>>) -> Result<Opening, CaptureError> {
    let source = Arc::new(source);
    let failed = CaptureError::io("open", source.path());
    let (bell, stop) = match io::pipe() {
        Ok((reader, writer)) => (reader, writer),
        Err(error) => return Err(failed(error)),
    };
    let asked = Arc::new(AtomicBool::new(false));
    let (reporter, reports) = watch::channel(FileReport::default());
    let course = Course::new(
        source.clone(),
        input,
        behind,
        reporter,
        StopSign {
            asked: asked.clone(),
            bell,
        },
    );
    background::spawn("opening", move || course.run()).map_err(failed)?;
    Ok(Opening {
        session: Session::new(source),
        reports,
        stop: StopButton { asked, bell: stop },
    })
}

fn not_a_capture(path: &Path, why: &'static str) -> CaptureError {
    CaptureError::NotACapture {
        path: PathBuf::from(path),
        why,
    }
}

fn refused(path: &Path, fault: Fault) -> CaptureError {
    match fault {
        Fault::Damaged(why) => not_a_capture(path, why),
        Fault::Cut => not_a_capture(path, "it became shorter while it was opened"),
        Fault::Io(source) => CaptureError::io("read", path)(source),
    }
}

/// Asks the thread to end.
#[derive(Debug)]
struct StopButton {
    asked: Arc<AtomicBool>,
    bell: PipeWriter,
}

impl StopButton {
    fn press(&self) {
        if !self.asked.swap(true, Ordering::AcqRel) {
            // It fails only if the thread has ended.
            drop((&self.bell).write(&[0]));
        }
    }
}

/// What the thread sees of it: a flag for while it works, a bell for while it waits.
#[derive(Debug)]
struct StopSign {
    asked: Arc<AtomicBool>,
    bell: PipeReader,
}

impl StopSign {
    fn is_on(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}
