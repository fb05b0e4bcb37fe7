//! A ring: a recording in files of a bounded size, of which only the newest are kept. How they are called is dumpcap's
//! way (`-b files:N`), which people know.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset};

use crate::model::Timestamp;

/// How long a recording may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// How many files are kept.
    pub files: u32,
    /// The most bytes of each.
    pub each: u64,
    /// The zone of the times in their names, in seconds east of UTC.
    pub offset: i32,
}

/// The names of the files: `trace_00001_20261123120431.pcapng` and so on, made of `trace.pcapng`.
#[derive(Debug)]
pub(super) struct Names {
    path: PathBuf,
    offset: i32,
    next: u32,
}

/// Digits of the number, at least.
const DIGITS: usize = 5;

/// Digits of the time: year, month, day, hour, minute, second.
const TIME: usize = 14;

impl Names {
    /// Before the first.
    pub(super) fn new(path: &Path, offset: i32) -> Names {
        Names {
            path: path.to_owned(),
            offset,
            next: 1,
        }
    }

    /// The name of the next file if it is begun at that time.
    pub(super) fn next(&self, at: Timestamp) -> PathBuf {
        let (seconds, nanos) = at.parts();
        let time = DateTime::from_timestamp(seconds, nanos).unwrap_or_default();
        let zone = FixedOffset::east_opt(self.offset);
        let time = zone.map_or(time.fixed_offset(), |zone| time.with_timezone(&zone));
        with_stem_end(
            &self.path,
            &format!("_{:05}_{}", self.next, time.format("%Y%m%d%H%M%S")),
        )
    }

    /// The next file as people may write its name before the time in it is known.
    pub(super) fn pattern(&self) -> PathBuf {
        with_stem_end(&self.path, &format!("_{:05}_*", self.next))
    }

    /// The number is used, by us or by others.
    pub(super) fn take(&mut self) {
        self.next = self.next.saturating_add(1);
    }
}

/// The same path with something behind its name and before its extension.
fn with_stem_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(end);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// What the names of the files of a new ring are made of: `path`, or `trace-2.pcapng` and so on where that is the name of
/// another recording, whose files would be taken for those of this one.
pub(super) fn unused(path: &Path) -> PathBuf {
    let used = recordings(path, None);
    let is_free = |path: &PathBuf| path.file_name().is_none_or(|name| !used.contains(name));
    let others = (2u32..).map(|number| with_stem_end(path, &format!("-{number}")));
    let mut all = std::iter::once(path.to_owned()).chain(others);
    all.find(is_free).unwrap_or_else(|| path.to_owned())
}

/// Whether the ring of that name, which has begun with `first`, is the only recording of that name.
pub(super) fn is_alone(path: &Path, first: &Path) -> bool {
    let others = recordings(path, Some(first));
    path.file_name().is_none_or(|name| !others.contains(name))
}

/// The names of the recordings beside `path`, those of rings without what tells their files apart; `but` for this file.
fn recordings(path: &Path, but: Option<&Path>) -> HashSet<OsString> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A folder that cannot be read may still take files; they are created exclusively.
    let items = folder
        .unwrap_or(Path::new("."))
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let files = items
        .map(|item| item.file_name())
        .filter(|name| but.and_then(Path::file_name) != Some(name));
    files
        .map(|name| ring_of(Path::new(&name)).map_or(name, |(ring, _)| ring.into_os_string()))
        .collect()
}

/// The name of the recording that a file of this name, without its extension, belongs to, and its number there; none
/// if it is no file of a ring.
pub(in crate::capture) fn recording_of(stem: &str) -> Option<(&str, u32)> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, time) = stem.rsplit_once('_')?;
    let (recording, number) = rest.rsplit_once('_')?;
    let is_ring = time.len() == TIME && digits(time) && number.len() >= DIGITS && digits(number);
    let number = number.parse().ok().filter(|_| is_ring && !recording.is_empty())?;
    Some((recording, number))
}

/// What the names of the files of a ring are made of, and the number of the file at `path`; none if it is no such file.
pub fn ring_of(path: &Path) -> Option<(PathBuf, u32)> {
    let (recording, number) = recording_of(path.file_stem()?.to_str()?)?;
    let mut name = OsString::from(recording);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    Some((path.with_file_name(name), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_as_dumpcap_calls_them() {
        let check = |path: &str, offset, expected: [&str; 2]| {
            let mut names = Names::new(Path::new(path), offset);
            // 2026-11-23 12:04:31 UTC
            let at = Timestamp(1_795_435_471_999_999_999);
            let two = [(), ()].map(|()| {
                let name = names.next(at);
                names.take();
                name
            });
            assert_eq!(two, expected.map(PathBuf::from));
        };
        check(
            "/x/trace.pcapng",
            0,
            [
                "/x/trace_00001_20261123120431.pcapng",
                "/x/trace_00002_20261123120431.pcapng",
            ],
        );
        check(
            "a.b",
            3600,
            ["a_00001_20261123130431.b", "a_00002_20261123130431.b"],
        );
        check(
            "dir/a",
            0,
            ["dir/a_00001_20261123120431", "dir/a_00002_20261123120431"],
        );
    }

    #[test]
    fn a_name_tells_the_recording() {
        for (stem, expected) in [
            ("trace_00001_20261123120431", Some(("trace", 1))),
            ("a_b_123456_20261123120431", Some(("a_b", 123_456))),
            ("trace", None),
            ("trace_00001", None),
            ("trace_0001_20261123120431", None),
            ("trace_00001_2026112312043", None),
            ("trace_0000x_20261123120431", None),
            ("_00001_20261123120431", None),
            ("t_99999999999_20261123120431", None),
        ] {
            assert_eq!(recording_of(stem), expected, "{stem}");
            let path = PathBuf::from(format!("dir/{stem}.pcapng"));
            let expected = expected.map(|(name, number)| (format!("dir/{name}.pcapng").into(), number));
            assert_eq!(ring_of(&path), expected, "{stem}");
        }
    }
}
