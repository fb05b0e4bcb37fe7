//! The local authority, which issues the certificates that intercepted clients get to see: made on first use, kept in
//! one file that only its owner can read, never replaced.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use nix::fcntl::OFlag;
use nix::unistd::{geteuid, gethostname};
use rcgen::{Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::model::Certificate;
use crate::text::format;

use super::certificate::describe;
use super::{TlsError, issue, pem};

/// The file in the directory of what is kept: key and certificate in one, so that neither is ever there without the
/// other.
const FILE: &str = "ca.key";

/// No such file is longer: one that is is something else.
const LONGEST: u64 = 64 << 10;

/// An authority of this user and this machine.
pub struct LocalAuthority {
    issuer: issue::Authority,
    pem: String,
    certificate: Certificate,
    path: PathBuf,
}

impl LocalAuthority {
    /// Reads it from `directory`, which must be this user's alone, or makes it there.
    pub fn open(directory: &Path) -> Result<LocalAuthority, TlsError> {
        let path = directory.join(FILE);
        let now = Utc::now();
        match read(&path) {
            Ok(text) => LocalAuthority::of(path, &text, now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = issue::authority(&name(), now)?;
                let text = format!("{}{}", made.key, made.certificate);
                match write(&path, text.as_bytes()) {
                    Ok(()) => LocalAuthority::of(path, &text, now),
                    // Another instance was faster: there is only one.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        let text = read(&path).map_err(|error| wrong(&path, plain(&error)))?;
                        LocalAuthority::of(path, &text, now)
                    }
                    Err(error) => Err(wrong(&path, format!("cannot write it: {}", plain(&error)))),
                }
            }
            Err(error) => Err(wrong(&path, plain(&error))),
        }
    }

    fn of(path: PathBuf, text: &str, now: DateTime<Utc>) -> Result<LocalAuthority, TlsError> {
        let damaged = |why: String| {
            wrong(
                &path,
                format!("{why}; move it away, and a new one is made, which has to be trusted anew"),
            )
        };
        let der = CertificateDer::from_pem_slice(text.as_bytes());
        let der = der.map_err(|error| damaged(pem::words(&error, "CERTIFICATE")))?;
        let key = KeyPair::from_pem(text).map_err(|_| damaged("there is no private key in it".into()))?;
        let certificate = describe(&der);
        if certificate.not_after <= now.timestamp() {
            let day = format::date(certificate.not_after);
            return Err(damaged(format!("it has expired on {day}")));
        }
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(|error| damaged(error.to_string()))?;
        Ok(LocalAuthority {
            issuer,
            pem: format!("{}\n", pem::certificate_in(text).unwrap_or_default()),
            certificate,
            path,
        })
    }

    /// Its certificate in PEM, for those who are to trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate in words.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Where its key is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who signs.
    pub(super) fn issuer(&self) -> &issue::Authority {
        &self.issuer
    }
}

/// Says whose it is, for the lists of authorities in which it will stand.
fn name() -> String {
    let host = gethostname().ok().and_then(|name| name.into_string().ok());
    let host: String = host.unwrap_or_else(|| "this machine".into());
    // So that it fits a common name.
    let host: String = host.chars().filter(|c| !c.is_control()).take(20).collect();
    format!("sockscope local CA of user {} on {host}", geteuid())
}

fn read(path: &Path) -> io::Result<String> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
        .open(path)?;
    let about = file.metadata()?;
    let refuse = |why: &str| Err(io::Error::other(why.to_owned()));
    if !about.is_file() || about.len() > LONGEST {
        return refuse("it is something else");
    }
    if about.uid() != geteuid().as_raw() {
        return refuse("it belongs to another user");
    }
    if about.mode() & 0o077 != 0 {
        return refuse("other users can read it: make sure that nobody has the key, and chmod 600 it");
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Creates the file, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_file_name(format!(".{FILE}-{}", std::process::id()));
    let written = write_new(&beside, bytes);
    // Unlike a renaming, a second name never takes the place of a file that is there.
    let named = written.and_then(|()| fs::hard_link(&beside, path));
    // What is left of a failure would hold the key.
    let removed = fs::remove_file(&beside);
    named.and(removed)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits())
        .open(path)?;
    // A umask can take bits away.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn plain(error: &io::Error) -> String {
    crate::net::words::plain(error)
}

fn wrong(path: &Path, why: String) -> TlsError {
    TlsError::Authority {
        path: path.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    fn refuses(directory: &Path, expected: &str) {
        let error = LocalAuthority::open(directory).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn it_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = LocalAuthority::open(folder.path()).unwrap();
        let second = LocalAuthority::open(folder.path()).unwrap();
        assert_eq!(first.certificate(), second.certificate());
        assert_eq!(mode(first.path()), 0o600);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left beside it");
        let days = first
            .certificate()
            .days_left(Utc::now().timestamp().cast_unsigned() * 1_000_000_000);
        assert!((363..=365).contains(&days), "{days} days");
        assert!(first.pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(!first.pem().contains("PRIVATE"));
        let der = CertificateDer::from_pem_slice(first.pem().as_bytes()).unwrap();
        assert_eq!(describe(&der), *first.certificate());
    }

    #[test]
    fn what_is_there_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(
            write(&path, b"mine")
                .and_then(|()| write(&path, b"other"))
                .unwrap_err()
                .kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        refuses(
            folder.path(),
            "there is no -----BEGIN CERTIFICATE----- in it (PEM); move it away",
        );
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = LocalAuthority::open(folder.path()).unwrap();
        fs::set_permissions(made.path(), Permissions::from_mode(0o640)).unwrap();
        refuses(folder.path(), "other users can read it");
    }

    #[test]
    fn a_link_is_not_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let target = elsewhere.path().join("key");
        symlink(&target, folder.path().join(FILE)).unwrap();
        refuses(folder.path(), "symbolic");
        assert!(!target.exists(), "nothing is made behind it");
    }

    #[test]
    fn one_that_has_expired_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let made = issue::authority("old", DateTime::from_timestamp(0, 0).unwrap()).unwrap();
        let text = format!("{}{}", made.key, made.certificate);
        write(&folder.path().join(FILE), text.as_bytes()).unwrap();
        refuses(
            folder.path(),
            "it has expired on 1971-01-01; move it away, and a new one is made",
        );
    }
}
