//! What was typed to each target, and which targets were used last, kept between runs in private files. Decides
//! nothing: a hidden line never gets here, and with `--no-history` nothing is opened at all.

mod lines;

use std::fmt::Write as _;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::{Uid, UnlinkatFlags, unlinkat};

use serde::{Deserialize, Serialize};

use crate::app::Typed;
use crate::model::Endpoint;
use crate::text::InputType;
use lines::Appended;

/// The file of recent targets.
const TARGETS: &str = "targets";

/// The folder of what was typed, with a file for each target.
const TYPED: &str = "history";

/// A line of a history as it is stored: text is a string, what is read in another way says in which.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Escaped { escaped: String },
    Hex { hex: String },
}

impl From<Typed> for Stored {
    fn from(Typed { text, input }: Typed) -> Stored {
        match input {
            InputType::Text => Stored::Text(text),
            InputType::Escaped => Stored::Escaped { escaped: text },
            InputType::Hex => Stored::Hex { hex: text },
        }
    }
}

impl From<Stored> for Typed {
    fn from(stored: Stored) -> Typed {
        match stored {
            Stored::Text(text) => Typed::new(text, InputType::Text),
            Stored::Escaped { escaped } => Typed::new(escaped, InputType::Escaped),
            Stored::Hex { hex } => Typed::new(hex, InputType::Hex),
        }
    }
}

/// How many recent targets are offered.
const RECENT: usize = 50;

/// A file name longer than this is cut: 255 bytes is what Linux file systems take, and drafts have a suffix.
const NAME: usize = 200;

/// Why history is not kept. Never a reason to stop.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep history in {}: {source}; it lasts for this run only", .path.display())]
pub struct HistoryError {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong.
    pub source: io::Error,
}

/// History on disk, or none.
#[derive(Debug)]
pub struct History {
    folders: Option<Folders>,
    /// A target of which nothing is kept.
    passing: Option<Endpoint>,
}

#[derive(Debug)]
struct Folders {
    path: PathBuf,
    state: OwnedFd,
    typed: OwnedFd,
}

impl History {
    /// History in files below `state`, which is `$XDG_STATE_HOME/sockscope`; creates what is missing, with mode
    /// 0700. Refuses a directory that is a symbolic link or that others own or may write.
    pub fn open(state: &Path) -> Result<History, HistoryError> {
        let typed = state.join(TYPED);
        Ok(History {
            folders: Some(Folders {
                path: state.to_owned(),
                state: folder(state)?,
                typed: folder(&typed)?,
            }),
            passing: None,
        })
    }

    /// No history: nothing is read, nothing is kept.
    pub fn none() -> History {
        History {
            folders: None,
            passing: None,
        }
    }

    /// Keeps nothing of this target, which is another one at the next run: the demo server has a new port each time.
    #[must_use]
    pub fn without(self, target: Option<Endpoint>) -> History {
        History {
            passing: target,
            ..self
        }
    }

    /// What was typed to the target, oldest first, without repetitions.
    pub fn typed(&self, target: &Endpoint) -> Result<Vec<Typed>, HistoryError> {
        let Some(folders) = &self.folders else {
            return Ok(Vec::new());
        };
        let name = file_name(target);
        let stored: Vec<Stored> =
            lines::read(&folders.typed, &name).map_err(folders.failed(&[TYPED, &name]))?;
        Ok(stored.into_iter().map(Typed::from).collect())
    }

    /// Keeps a text that was sent to the target.
    pub fn remember(&self, target: &Endpoint, line: &Typed) -> Result<(), HistoryError> {
        let Some(folders) = self.folders_for(target) else {
            return Ok(());
        };
        let name = file_name(target);
        match lines::append(&folders.typed, &name, &Stored::from(line.clone())) {
            Ok(Appended::Grown | Appended::Compacted) => Ok(()),
            Err(error) => Err(folders.failed(&[TYPED, &name])(error)),
        }
    }

    /// The targets used last, newest first.
    pub fn targets(&self) -> Result<Vec<Endpoint>, HistoryError> {
        let Some(folders) = &self.folders else {
            return Ok(Vec::new());
        };
        let lines: Vec<String> = lines::read(&folders.state, TARGETS).map_err(folders.failed(&[TARGETS]))?;
        let parsed = lines.iter().rev().filter_map(|line| line.parse().ok());
        Ok(parsed.take(RECENT).collect())
    }

    /// Puts the target in front of the recent ones.
    pub fn visit(&self, target: &Endpoint) -> Result<(), HistoryError> {
        let Some(folders) = self.folders_for(target) else {
            return Ok(());
        };
        let appended = lines::append(&folders.state, TARGETS, &target.to_string());
        match appended.map_err(folders.failed(&[TARGETS]))? {
            Appended::Grown => Ok(()),
            // The bound on the targets is the bound on the files: what fell out of the list is forgotten as a whole.
            Appended::Compacted => {
                self.forget_all_but(&lines::read(&folders.state, TARGETS).unwrap_or_default())
            }
        }
    }

    fn folders_for(&self, target: &Endpoint) -> Option<&Folders> {
        self.folders
            .as_ref()
            .filter(|_| self.passing.as_ref() != Some(target))
    }

    fn forget_all_but(&self, targets: &[String]) -> Result<(), HistoryError> {
        let Some(folders) = &self.folders else {
            return Ok(());
        };
        let parsed = targets.iter().filter_map(|line| line.parse().ok());
        let kept: Vec<String> = parsed.map(|target: Endpoint| file_name(&target)).collect();
        let failed = || folders.failed(&[TYPED]);
        for item in folders.path.join(TYPED).read_dir().map_err(failed())? {
            let name = item.map_err(failed())?.file_name();
            let known = name
                .to_str()
                .is_some_and(|name| kept.iter().any(|kept| kept == name));
            if !known {
                // Another instance may have removed it first.
                let _ = unlinkat(&folders.typed, name.as_os_str(), UnlinkatFlags::NoRemoveDir);
            }
        }
        Ok(())
    }
}

impl Folders {
    fn failed(&self, below: &[&str]) -> impl Fn(io::Error) -> HistoryError {
        let path = below.iter().fold(self.path.clone(), |path, name| path.join(name));
        move |source| HistoryError {
            path: path.clone(),
            source,
        }
    }
}

/// Opens a directory of this user's own, creating it where it is missing.
fn folder(path: &Path) -> Result<OwnedFd, HistoryError> {
    let failed = |source| HistoryError {
        path: path.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)?;
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    let mut options = File::options();
    options.read(true).custom_flags(flags.bits());
    let opened = options.open(path).map_err(failed)?;
    let found = opened.metadata().map_err(failed)?;
    if found.uid() != Uid::effective().as_raw() {
        return Err(failed(io::Error::other("it belongs to another user")));
    }
    if found.mode() & 0o022 != 0 {
        return Err(failed(io::Error::other("other users may write it: chmod 700 it")));
    }
    Ok(opened.into())
}

/// The target as a file name: what is no letter, digit, dot or hyphen as `_` and two hex digits, so that different
/// targets have different names.
fn file_name(target: &Endpoint) -> String {
    let authority = target.brief();
    let mut name = String::new();
    for byte in authority.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') {
            name.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(name, "_{byte:02x}");
        }
    }
    if name.len() > NAME {
        name.truncate(NAME);
        let _ = write!(name, "_{:016x}", fnv(authority.as_bytes()));
    }
    name
}

/// FNV-1a, 64 bits: a hash that stays the same in every version of the program.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn typed(text: &str) -> Typed {
        Typed::new(text, InputType::Text)
    }

    fn target(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn each_target_has_its_own_history() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/sockscope");
        let history = History::open(&state).unwrap();
        history.remember(&target("redis:6379"), &typed("PING")).unwrap();
        let escaped = Typed::new("GET /\\r\\n", InputType::Escaped);
        let hex = Typed::new("0d 0a", InputType::Hex);
        for line in [&typed("GET /\nHost: x"), &escaped, &hex] {
            history.remember(&target("[::1]:80"), line).unwrap();
        }
        let again = History::open(&state).unwrap();
        assert_eq!(again.typed(&target("redis:6379")).unwrap(), [typed("PING")]);
        let expected = [typed("GET /\nHost: x"), escaped, hex];
        assert_eq!(again.typed(&target("[::1]:80")).unwrap(), expected);
        assert_eq!(again.typed(&target("other:80")).unwrap(), []);
        let mode = fs::metadata(state.join(TYPED)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn the_newest_target_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path()).unwrap();
        for text in ["a:1", "b:2", "a:1"] {
            history.visit(&target(text)).unwrap();
        }
        assert_eq!(history.targets().unwrap(), [target("a:1"), target("b:2")]);
    }

    #[test]
    fn what_fell_out_of_the_targets_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path()).unwrap();
        history.remember(&target("a:1"), &typed("one")).unwrap();
        history.remember(&target("b:2"), &typed("two")).unwrap();
        history.forget_all_but(&["tcp://b:2".into()]).unwrap();
        assert_eq!(history.typed(&target("a:1")).unwrap(), []);
        assert_eq!(history.typed(&target("b:2")).unwrap(), [typed("two")]);
    }

    #[test]
    fn none_keeps_nothing() {
        let history = History::none();
        history.remember(&target("a:1"), &typed("one")).unwrap();
        history.visit(&target("a:1")).unwrap();
        assert!(history.typed(&target("a:1")).unwrap().is_empty());
        assert!(history.targets().unwrap().is_empty());
    }

    #[test]
    fn nothing_is_kept_of_a_passing_target() {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path()).unwrap().without(Some(target("demo:1")));
        for text in ["demo:1", "a:1"] {
            history.visit(&target(text)).unwrap();
            history.remember(&target(text), &typed("one")).unwrap();
        }
        assert_eq!(history.targets().unwrap(), [target("a:1")]);
        assert_eq!(history.typed(&target("demo:1")).unwrap(), []);
        assert_eq!(history.typed(&target("a:1")).unwrap(), [typed("one")]);
    }

    #[test]
    fn a_directory_that_is_a_link_or_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let state = dir.path().join("state");
        symlink(&elsewhere, &state).unwrap();
        assert!(History::open(&state).is_err());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);

        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let message = History::open(&open).unwrap_err().to_string();
        assert!(
            message.ends_with("other users may write it: chmod 700 it; it lasts for this run only"),
            "{message}"
        );
    }

    #[test]
    fn file_names_are_safe_and_distinct() {
        let check = |text: &str, expected: &str| assert_eq!(file_name(&target(text)), expected);
        check("redis.example:6379", "redis.example_3a6379");
        check("my_host:80", "my_5fhost_3a80");
        check("[fe80::1%eth0]:https", "_5bfe80_3a_3a1_25eth0_5d_3ahttps");
        let long = format!("{}:80", ["a".repeat(60).as_str(); 4].join("."));
        assert!(file_name(&target(&long)).len() < 240);
        assert_ne!(
            file_name(&target(&long)),
            file_name(&target(&format!("{long}80")))
        );
    }
}
