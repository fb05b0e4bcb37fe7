//! The secrets of sessions in the format of NSS (draft-ietf-tls-keylogfile), so that Wireshark can decrypt what
//! another tool captured. Never written unless asked for.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;
use rustls::KeyLog;

/// A file that secrets are appended to, readable by its owner alone.
#[derive(Debug)]
pub(super) struct KeyLogFile {
    file: File,
}

impl KeyLogFile {
    /// Opens or creates the file.
    pub(super) fn open(path: &Path) -> io::Result<KeyLogFile> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits())
            .open(path)?;
        let about = file.metadata()?;
        if about.is_file() && about.mode() & 0o077 != 0 {
            return Err(io::Error::other(
                "other users can read it: chmod 600 it, or name another file",
            ));
        }
        Ok(KeyLogFile { file })
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex::encode(client_random), hex::encode(secret));
        // One call a line, so that lines of several programs do not mix. That it failed is no reason to end a
        // connection; the file tells by itself what is missing.
        drop((&self.file).write_all(line.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secrets_are_appended_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        for _ in 0..2 {
            let keys = KeyLogFile::open(&path).unwrap();
            keys.log("CLIENT_RANDOM", &[1, 2], &[0xab]);
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "CLIENT_RANDOM 0102 ab\nCLIENT_RANDOM 0102 ab\n"
        );
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(KeyLogFile::open(&path).is_err());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(KeyLogFile::open(&link).is_err());
    }
}
