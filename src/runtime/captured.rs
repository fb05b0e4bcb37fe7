//! What is to be read: a file, or several as one log, by what was written on the command line.

use std::path::{Path, PathBuf};

use crate::capture::{CaptureError, Opening, open_in_background, open_joined_in_background, ring_of};

/// A capture on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum Captured {
    /// One file.
    File(PathBuf),
    /// Several, one behind the other.
    Joined {
        /// What stands for all of them: of a ring, what the names of its files are made of.
        name: PathBuf,
        /// Where they are.
        files: Vec<PathBuf>,
    },
}

impl Captured {
    /// The files that were named, in that order. Those of one ring are put into theirs: a shell sorts file 100000 before
    /// file 99999.
    pub(in crate::runtime) fn new(paths: &[PathBuf]) -> Captured {
        if let [only] = paths {
            return Captured::File(only.clone());
        }
        let ring: Option<Vec<(PathBuf, u32)>> = paths.iter().map(|path| ring_of(path)).collect();
        let ring = ring.filter(|ring| ring.windows(2).all(|pair| pair[0].0 == pair[1].0));
        let mut numbered: Vec<(u32, &PathBuf)> = match &ring {
            Some(ring) => ring.iter().map(|(_, number)| *number).zip(paths).collect(),
            None => std::iter::repeat(0).zip(paths).collect(),
        };
        // What has no number stays where it is.
        numbered.sort_by_key(|(number, _)| *number);
        let first = paths.first().cloned().unwrap_or_default();
        Captured::Joined {
            name: ring
                .and_then(|ring| ring.into_iter().next())
                .map_or(first, |(name, _)| name),
            files: numbered.into_iter().map(|(_, path)| path.clone()).collect(),
        }
    }

    /// What stands for it on the screen and in messages.
    pub(in crate::runtime) fn name(&self) -> &Path {
        match self {
            Captured::File(path) | Captured::Joined { name: path, .. } => path,
        }
    }

    /// Opens it; what it holds is found in the background.
    pub(in crate::runtime) fn open(&self) -> Result<Opening, CaptureError> {
        match self {
            Captured::File(path) => open_in_background(path),
            Captured::Joined { name, files } => open_joined_in_background(name, files),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[&str], name: &str, files: &[&str]) {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let expected = Captured::Joined {
            name: name.into(),
            files: files.iter().map(PathBuf::from).collect(),
        };
        assert_eq!(Captured::new(&paths), expected);
    }

    #[test]
    fn the_files_of_a_ring_stand_in_its_order_and_bear_its_name() {
        let late = [
            "d/t_100000_20260101000000.pcapng",
            "d/t_99999_20260101000000.pcapng",
        ];
        check(&late, "d/t.pcapng", &[late[1], late[0]]);
        // Others stay as they were named.
        check(&["b", "a"], "b", &["b", "a"]);
        let two = [
            "d/t_00002_20260101000000.pcapng",
            "e/t_00001_20260101000000.pcapng",
        ];
        check(&two, two[0], &two);
        let only = PathBuf::from(two[0]);
        assert_eq!(Captured::new(std::slice::from_ref(&only)), Captured::File(only));
    }
}
