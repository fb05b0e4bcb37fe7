//! Where an export goes: files that exist only if it succeeds, or a stream.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::error::ExportError;
use crate::capture::{CaptureError, Existing, Session, file};
use crate::model::Direction;

/// Bytes gathered before they are written.
const GATHERED: usize = 256 << 10;

/// Where an export is to go.
pub enum Target {
    /// To this file, or to two whose names begin so.
    File {
        /// The path.
        path: PathBuf,
        /// What becomes of a file that is there.
        existing: Existing,
    },
    /// To a stream, as to a pipe.
    Stream(Box<dyn Write + Send>),
}

/// Which of a target's files there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// One.
    One,
    /// One for what was sent and one for what was received.
    Directions,
}

/// An export that is written.
pub(super) struct Output {
    name: String,
    parts: Vec<Part>,
    bytes: u64,
}

struct Part {
    out: BufWriter<Box<dyn Write + Send>>,
    file: Option<Unfinished>,
}

/// A file that is not whole yet.
struct Unfinished {
    file: File,
    path: PathBuf,
    /// Where it is until it is whole, if a file of that name is to be replaced.
    meanwhile: Option<PathBuf>,
}

impl Output {
    /// Creates the files, none of which is one that `session` is read from; after an error there is none of them.
    pub(super) fn create(target: Target, parts: Parts, session: &Session) -> Result<Output, CaptureError> {
        let (path, existing) = match target {
            Target::Stream(stream) => {
                return Ok(Output {
                    name: "standard output".to_owned(),
                    parts: vec![Part {
                        out: BufWriter::with_capacity(GATHERED, stream),
                        file: None,
                    }],
                    bytes: 0,
                });
            }
            Target::File { path, existing } => (path, existing),
        };
        let mut output = Output {
            name: path.display().to_string(),
            parts: Vec::new(),
            bytes: 0,
        };
        for path in paths(&path, parts)? {
            match Unfinished::create(path, existing, session).and_then(Part::new) {
                Ok(part) => output.parts.push(part),
                Err(error) => {
                    output.abandon();
                    return Err(error);
                }
            }
        }
        Ok(output)
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it goes to files.
    pub(super) fn is_kept(&self) -> bool {
        self.parts.iter().any(|part| part.file.is_some())
    }

    /// Bytes that were written.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the bytes of a direction belong, if they are kept apart; else the one place.
    pub(super) fn write_to(&mut self, direction: Direction, bytes: &[u8]) -> io::Result<()> {
        let place = match direction {
            Direction::Sent => 0,
            Direction::Received => self.parts.len().saturating_sub(1),
        };
        self.bytes += bytes.len() as u64;
        match self.parts.get_mut(place) {
            Some(part) => part.out.write_all(bytes),
            None => Ok(()),
        }
    }

    /// Puts whole files in their places, and returns their paths.
    pub(super) fn finish(&mut self, session: &Session) -> Result<Vec<String>, ExportError> {
        self.flush().map_err(ExportError::write(&self.name))?;
        let mut names = Vec::new();
        for part in &mut self.parts {
            if let Some(file) = &mut part.file {
                file.put_in_place(session)?;
                names.push(file.path.display().to_string());
            }
        }
        self.parts.clear();
        Ok(names)
    }

    /// Removes what was written. Returns the paths of files that could not be removed.
    pub(super) fn abandon(&mut self) -> Vec<String> {
        let files = self.parts.drain(..).filter_map(|part| {
            // Nobody wants the rest of it.
            let (_, _) = part.out.into_parts();
            part.file
        });
        files.filter_map(Unfinished::remove).collect()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_to(Direction::Sent, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.parts.iter_mut().try_for_each(|part| part.out.flush())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // What was finished has no parts any more.
        self.abandon();
    }
}

impl Part {
    fn new(file: Unfinished) -> Result<Part, CaptureError> {
        match file.file.try_clone() {
            Ok(out) => Ok(Part {
                out: BufWriter::with_capacity(GATHERED, Box::new(out)),
                file: Some(file),
            }),
            Err(error) => {
                let refused = CaptureError::io("open", &file.path)(error);
                file.remove();
                Err(refused)
            }
        }
    }
}

impl Unfinished {
    fn create(path: PathBuf, existing: Existing, session: &Session) -> Result<Unfinished, CaptureError> {
        check_name(&path)?;
        check_free(&path, session)?;
        let (file, meanwhile) = match file::create(&path, Existing::Refuse) {
            Ok(file) => (file, None),
            // What is there is replaced when the new file is whole, and not before.
            Err(CaptureError::Exists(_)) if existing == Existing::Replace => {
                file::check_replaceable(&path)?;
                let (file, beside) = file::create_beside(&path)?;
                (file, Some(beside))
            }
            Err(error) => return Err(error),
        };
        Ok(Unfinished {
            file,
            path,
            meanwhile,
        })
    }

    fn put_in_place(&mut self, session: &Session) -> Result<(), CaptureError> {
        let Some(meanwhile) = &self.meanwhile else {
            return Ok(());
        };
        check_free(&self.path, session)?;
        if self.path.symlink_metadata().is_ok() {
            file::check_replaceable(&self.path)?;
        }
        std::fs::rename(meanwhile, &self.path).map_err(CaptureError::io("replace", &self.path))?;
        self.meanwhile = None;
        Ok(())
    }

    /// Removes it, unless its name stands for another file by now. Returns its path if that failed.
    fn remove(self) -> Option<String> {
        let path = self.meanwhile.as_deref().unwrap_or(&self.path);
        match file::is_same(path, &self.file) {
            Ok(true) => std::fs::remove_file(path)
                .is_err()
                .then(|| path.display().to_string()),
            Ok(false) | Err(_) => None,
        }
    }
}

/// The paths of the parts.
fn paths(path: &Path, parts: Parts) -> Result<Vec<PathBuf>, CaptureError> {
    let with = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    match parts {
        Parts::One => Ok(vec![path.to_owned()]),
        Parts::Directions => {
            check_name(path)?;
            if path.metadata().is_ok_and(|found| !found.is_file()) {
                let why = "it is not a regular file, and raw bytes go to two files whose names begin so";
                return Err(CaptureError::Unsafe {
                    path: path.to_owned(),
                    why,
                });
            }
            Ok(vec![with(".sent"), with(".received")])
        }
    }
}

/// Whether a file can have that name.
fn check_name(path: &Path) -> Result<(), CaptureError> {
    let name = path.as_os_str().as_bytes();
    let of_directory =
        path.file_name().is_none() || name.ends_with(b"/") || name.ends_with(b"/.") || path.is_dir();
    if of_directory && !path.is_symlink() {
        return Err(CaptureError::Unsafe {
            path: path.to_owned(),
            why: "it names a directory: add the name of a file",
        });
    }
    Ok(())
}

/// Whether nothing of the session is stored there.
fn check_free(path: &Path, session: &Session) -> Result<(), CaptureError> {
    match session.stored_at(path) {
        Some(what) => Err(CaptureError::InUse {
            path: path.to_owned(),
            what,
        }),
        None => Ok(()),
    }
}
