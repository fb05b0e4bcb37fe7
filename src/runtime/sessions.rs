//! `sockscope sessions`: lists and deletes the recordings that were kept. It deletes only what is named.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use super::captured::Captured;
use super::launch::RunError;
use crate::app::Zone;
use crate::capture::{Kept, RingFile, Sessions};
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
/// Below a ring stand its files.
fn list(folder: &Path, kept: &[Kept], zone: Zone) -> String {
    let mut lines = Vec::new();
    for kept in kept {
        lines.push(line(kept, zone));
        lines.extend(kept.ring.iter().map(ring_line));
    }
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
    let name = Shown::of(&name(kept), Policy::default()).to_string();
    let remark = match (kept.ring.len(), kept.live) {
        (0, false) => String::new(),
        (0, true) => "  (being written)".to_owned(),
        (files, false) => format!("  (ring of {})", counted_files(files)),
        (files, true) => format!("  (ring of {}, being written)", counted_files(files)),
    };
    format!("{time}  {:>10}  {name}{remark}", format::size(kept.size))
}

fn ring_line(file: &RingFile) -> String {
    let name = file.path.file_name().unwrap_or_default().display().to_string();
    let name = Shown::of(&name, Policy::default());
    // Behind the time of the line above.
    format!("{:19}  {:>10}    {name}", "", format::size(file.size))
}

fn counted_files(number: usize) -> String {
    match number {
        1 => "1 file".to_owned(),
        number => format!("{} files", format::count(number as u64)),
    }
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

/// The recording of that name, or the file of a ring. A part of a name does where only one has it, and no name stands
/// for the newest.
pub(super) fn find(name: Option<&str>) -> Result<Captured, RunError> {
    let sessions = Sessions::open(|name| env::var_os(name))?;
    let kept = sessions.kept()?;
    let found = match name {
        Some(name) => named(&kept, name).or_else(|unknown| alike(&kept, name).unwrap_or(Err(unknown)))?,
        None => kept.last().cloned().ok_or(RunError::NoRecording)?,
    };
    if found.ring.is_empty() {
        return Ok(Captured::File(found.path));
    }
    // Its recorder may have deleted the oldest since they were listed.
    let files = found.ring.into_iter().map(|file| file.path);
    Ok(Captured::Joined {
        name: found.path,
        files: files.filter(|path| path.exists()).collect(),
    })
}

/// The recording of that name, or the file of a ring, with or without the extension.
fn named(kept: &[Kept], wanted: &str) -> Result<Kept, RunError> {
    let is = |path: &Path| {
        let parts = [path.file_name(), path.file_stem()];
        parts.contains(&Some(OsStr::new(wanted)))
    };
    if let Some(found) = kept.iter().find(|kept| is(&kept.path)) {
        return Ok(found.clone());
    }
    let file_of = |kept: &Kept| {
        let file = kept.ring.iter().find(|file| is(&file.path))?;
        Some(Kept {
            path: file.path.clone(),
            size: file.size,
            ring: Vec::new(),
            ..kept.clone()
        })
    };
    kept.iter()
        .find_map(file_of)
        .ok_or_else(|| RunError::NoSuchRecording(wanted.to_owned()))
}

/// The recording whose name has that part; an error if several do.
fn alike(kept: &[Kept], part: &str) -> Option<Result<Kept, RunError>> {
    let mut alike = kept.iter().filter(|kept| name(kept).contains(part));
    let first = alike.next()?;
    Some(match alike.count() {
        0 => Ok(first.clone()),
        others => Err(RunError::Ambiguous(part.to_owned(), others + 1)),
    })
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
        sessions.remove(&kept)?;
        let files = match kept.ring.len() {
            0 => String::new(),
            files => format!("{}, ", counted_files(files)),
        };
        let name = Shown::of(&name(&kept), Policy::default());
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "deleted {name} ({files}{})", format::size(kept.size));
    }
    Ok(lines)
}
