//! Certificates and private keys in files (PEM, RFC 7468), and what is wrong with such files in words.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// A chain, its own certificate first, and the key of that one.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The authorities in a file.
pub(super) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| TlsError::Certificates {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
    }
    Ok(roots)
}

/// The chain in one file and the key in another, which may be the same.
pub(super) fn identity(chain: &Path, key: &Path) -> Result<Identity, TlsError> {
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::Key {
        path: key.to_owned(),
        why: words(&error, "PRIVATE KEY"),
    })?;
    Ok((certificates(chain)?, private))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |error: &pem::Error| TlsError::Certificates {
        path: path.to_owned(),
        why: words(error, "CERTIFICATE"),
    };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if read.is_empty() {
        return Err(wrong(&pem::Error::NoItemsFound));
    }
    Ok(read)
}

/// What is wrong with a text in which a part of this label was expected.
pub(super) fn words(error: &pem::Error, label: &str) -> String {
    match error {
        pem::Error::Io(error) => crate::net::words::plain(error),
        pem::Error::NoItemsFound => format!("there is no -----BEGIN {label}----- in it (PEM)"),
        error @ (pem::Error::MissingSectionEnd { .. }
        | pem::Error::IllegalSectionStart { .. }
        | pem::Error::Base64Decode(_)
        | pem::Error::SectionTooLarge
        | _) => error.to_string(),
    }
}

/// The first certificate in a text, as it stands there.
pub(super) fn certificate_in(text: &str) -> Option<&str> {
    const END: &str = "-----END CERTIFICATE-----";
    let (start, end) = (text.find("-----BEGIN CERTIFICATE-----")?, text.find(END)?);
    text.get(start..end + END.len())
}
