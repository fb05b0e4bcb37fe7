//! Where a session is recorded: a file that the user named, or a new one in the folder of sessions. What was recorded
//! is never removed here unless it holds no byte.

use std::env;
use std::path::{Path, PathBuf};

use super::sessions::counted;
use crate::app::SessionFile;
use crate::capture::{self, BUDGET, CaptureError, Create, Existing, Kept, Recorder, Ring, Sessions};
use crate::model::{Endpoint, Timestamp};
use crate::text::format;

/// Where a session is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a new file of the folder of sessions.
    Folder,
    /// In this file.
    File {
        /// Its path.
        path: PathBuf,
        /// What happens if it exists.
        existing: Existing,
    },
}

/// How long a recording may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// As long as the disk has space.
    None,
    /// One file of so many bytes.
    File(u64),
    /// The newest of many files.
    Ring(Ring),
}

/// What is worth knowing about the recordings of earlier runs. Nothing is ever removed unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Earlier {
    /// There is none.
    None,
    /// They are there.
    Kept(String),
    /// They take more than the budget.
    Excess(String),
    /// One has the name that was asked for, so that this recording has another.
    SameName(String),
}

/// A session file that was just created.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) recorder: Recorder,
    pub(super) file: SessionFile,
    /// What is worth knowing about the recordings of earlier runs.
    pub(super) earlier: Earlier,
}

impl Store {
    /// Creates the session file, or the first one of a ring.
    pub(super) fn create(
        place: &Place,
        at: Timestamp,
        target: Option<&Endpoint>,
        bound: Bound,
    ) -> Result<Store, CaptureError> {
        match place {
            Place::Folder => {
                let sessions = Sessions::open(|name| env::var_os(name))?;
                // Before the new one is there, so that it is not counted.
                let kept = sessions.kept()?;
                let recorder = match bound {
                    Bound::None => sessions.create(at, target, None),
                    Bound::File(most) => sessions.create(at, target, Some(most)),
                    Bound::Ring(ring) => sessions.create_ring(at, target, ring),
                }?;
                Ok(Store {
                    file: SessionFile::Temporary(shown(&recorder, bound)),
                    recorder,
                    earlier: earlier(sessions.path(), &kept, BUDGET),
                })
            }
            Place::File { path, existing } => {
                let create = |max_size| {
                    Recorder::create(&Create {
                        path: path.clone(),
                        existing: *existing,
                        max_size,
                    })
                };
                let recorder = match bound {
                    Bound::None => create(None),
                    Bound::File(most) => create(Some(most)),
                    Bound::Ring(ring) => Recorder::create_ring(path, ring, at),
                }?;
                let shown = shown(&recorder, bound);
                Ok(Store {
                    earlier: same_name(path, &recorder, &shown),
                    file: SessionFile::Named(shown),
                    recorder,
                })
            }
        }
    }

    /// Removes a file of the folder that holds no byte of anybody; every other one stays, and must be there.
    pub(super) fn settle(&self) -> Result<(), CaptureError> {
        match self.file {
            SessionFile::Temporary(_) if self.recorder.payload_bytes() == 0 => self.recorder.discard(),
            SessionFile::Temporary(_) | SessionFile::Named(_) => self.recorder.check(),
            SessionFile::Opened(_) => Ok(()),
        }
    }
}

/// Whether a ring has another name than `asked`.
fn same_name(asked: &Path, recorder: &Recorder, shown: &str) -> Earlier {
    if recorder.path() == asked {
        return Earlier::None;
    }
    Earlier::SameName(format!(
        "{} is the name of another recording, which stays as it is; this one is {shown}",
        asked.display()
    ))
}

/// The path of the recording as people read it: the files of a ring as a shell would name them all.
fn shown(recorder: &Recorder, bound: Bound) -> String {
    let path = recorder.path();
    match bound {
        Bound::None | Bound::File(_) => path.display().to_string(),
        Bound::Ring(_) => {
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            name.push("_*");
            if let Some(extension) = path.extension() {
                name.push(".");
                name.push(extension);
            }
            path.with_file_name(name).display().to_string()
        }
    }
}

/// The directory of everything that is kept between runs: `$XDG_STATE_HOME/sockscope`.
pub(super) fn state_directory() -> Result<PathBuf, CaptureError> {
    capture::state_directory(|name| env::var_os(name))
}

fn earlier(folder: &Path, kept: &[Kept], budget: u64) -> Earlier {
    let ended: Vec<&Kept> = kept.iter().filter(|kept| !kept.live).collect();
    if ended.is_empty() {
        return Earlier::None;
    }
    let number = counted(ended.len());
    let total = format::size(ended.iter().map(|kept| kept.size).sum());
    let name = |kept: &&Kept| kept.path.file_name().map(|name| name.display().to_string());
    let excess = Sessions::excess(kept, budget);
    let which = match (excess.first().and_then(name), excess.last().and_then(name)) {
        (Some(oldest), Some(newest)) if oldest != newest => format!("{oldest} to {newest}"),
        (Some(oldest), _) => oldest,
        (None, _) => {
            return Earlier::Kept(format!(
                "{number} kept from before ({total}): sockscope sessions lists them"
            ));
        }
    };
    Earlier::Excess(format!(
        "{number} in {} take {total}, more than {}: if you need the space, delete the oldest ({which}) with sockscope \
         sessions delete",
        folder.display(),
        format::size(budget),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str, size: u64, live: bool) -> Kept {
        Kept {
            path: Path::new("/state").join(name),
            size,
            modified: Timestamp(0),
            live,
            ring: Vec::new(),
        }
    }

    #[test]
    fn recordings_are_mentioned_and_named_beyond_the_budget() {
        let folder = Path::new("/state");
        let all = [
            kept("a.pcapng", 600, false),
            kept("b.pcapng", 500, false),
            kept("c.pcapng", 900, false),
        ];
        assert_eq!(earlier(folder, &[], 2000), Earlier::None);
        assert_eq!(
            earlier(folder, &[kept("a.pcapng", 600, true)], 2000),
            Earlier::None
        );
        assert_eq!(
            earlier(folder, &all[..1], 2000),
            Earlier::Kept("1 recording kept from before (600 B): sockscope sessions lists them".into())
        );
        assert_eq!(
            earlier(folder, &all, 1500),
            Earlier::Excess("3 recordings in /state take 2.0 KiB, more than 1.5 KiB: if you need the space, delete the oldest \
                 (a.pcapng) with sockscope sessions delete".into())
        );
        assert_eq!(
            earlier(folder, &all, 1000),
            Earlier::Excess("3 recordings in /state take 2.0 KiB, more than 1000 B: if you need the space, delete the oldest \
                 (a.pcapng to b.pcapng) with sockscope sessions delete".into())
        );
    }

    #[test]
    fn a_named_file_stays_even_if_it_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace.pcapng");
        let place = Place::File {
            path: path.clone(),
            existing: Existing::Refuse,
        };
        let store = Store::create(&place, Timestamp(0), None, Bound::None).unwrap();
        store.settle().unwrap();
        assert!(path.exists());
    }
}
