//! `sockscope sessions`: lists and deletes the recordings that were kept. It deletes only what is named.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::launch::RunError;
use crate::app::Zone;
use crate::capture::{Kept, Sessions};
use crate::text::{Policy, Shown, format};

/// What is to be done with the recordings that were kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Housekeeping {
    /// Name them.
    List,
    /// Delete these, by the names that the list shows, with or without the extension.
    Delete(Vec<String>),
}

/// Does it, and returns the lines to print.
pub fn keep_house(task: &Housekeeping, zone: Zone) -> Result<String, RunError> {
    let sessions = Sessions::open(|name| env::var_os(name))?;
    match task {
        Housekeeping::List => Ok(list(sessions.path(), &sessions.kept()?, zone)),
        Housekeeping::Delete(names) => delete(&sessions, names),
    }
}

/// When it was last written, how large it is, its name; the oldest first, so that the newest is next to the prompt.
fn list(folder: &Path, kept: &[Kept], zone: Zone) -> String {
    let mut lines: Vec<String> = kept.iter().map(|kept| line(kept, zone)).collect();
    let total = kept.iter().map(|kept| kept.size).sum();
    lines.push(format!(
        "{}, {} in {}",
        counted(kept.len()),
        format::size(total),
        Shown::of(&folder.display().to_string(), Policy::default()),
    ));
    lines.join("\n") + "\n"
}

fn line(kept: &Kept, zone: Zone) -> String {
    let time = format::date_time(kept.modified.0, zone.offset());
    // To the second: microseconds tell nobody anything here.
    let time = time.get(..19).unwrap_or(&time);
    let live = if kept.live { "  (being written)" } else { "" };
    let name = Shown::of(&name(kept), Policy::default()).to_string();
    format!("{time}  {:>10}  {name}{live}", format::size(kept.size))
}

/// How many recordings, in words.
pub(super) fn counted(number: usize) -> String {
    match number {
        1 => "1 recording".to_owned(),
        number => format!("{} recordings", format::count(number as u64)),
    }
}

fn name(kept: &Kept) -> String {
    kept.path
        .file_name()
        .map(|name| name.display().to_string())
        .unwrap_or_default()
}

/// Where the recording of that name is.
pub(super) fn find(name: &str) -> Result<PathBuf, RunError> {
    let sessions = Sessions::open(|name| env::var_os(name))?;
    named(&sessions.kept()?, name).map(|kept| kept.path.clone())
}

/// The recording of that name, with or without the extension.
fn named<'k>(kept: &'k [Kept], wanted: &str) -> Result<&'k Kept, RunError> {
    let is = |part: Option<&OsStr>| part == Some(OsStr::new(wanted));
    kept.iter()
        .find(|kept| is(kept.path.file_name()) || is(kept.path.file_stem()))
        .ok_or_else(|| RunError::NoSuchRecording(wanted.to_owned()))
}

fn delete(sessions: &Sessions, names: &[String]) -> Result<String, RunError> {
    let kept = sessions.kept()?;
    // All are found before the first is gone: a mistyped name deletes nothing.
    let mut chosen = names
        .iter()
        .map(|name| named(&kept, name))
        .collect::<Result<Vec<_>, _>>()?;
    chosen.dedup();
    let mut lines = String::new();
    for kept in chosen {
        sessions.remove(kept)?;
        let name = Shown::of(&name(kept), Policy::default());
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "deleted {name} ({})", format::size(kept.size));
    }
    Ok(lines)
}
