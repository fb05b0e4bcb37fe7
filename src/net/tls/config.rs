//! What TLS connections are made with: read once at the start, so that a wrong file is known before anything is dialed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};

use crate::model::{Authority, Host};

use super::keylog::KeyLogFile;
use super::stream::TlsStream;
use super::verify::{Observer, Trusted};

/// The least version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    V1_2,
    /// RFC 8446.
    V1_3,
}

/// How TLS connections are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Go on with a certificate that is not trusted; the screen says so all the time.
    pub insecure: bool,
    /// Trust these certificates (PEM) instead of the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate chain and its key (PEM), for servers that ask for one.
    pub client: Option<(PathBuf, PathBuf)>,
    /// The server name to ask for (RFC 6066 §3) and to check, instead of the host that is dialed.
    pub sni: Option<String>,
    /// The application protocols to offer (RFC 7301), the preferred one first.
    pub alpn: Vec<String>,
    /// The least version to speak.
    pub min: TlsVersion,
    /// Where the secrets of sessions are written to.
    pub keylog: Option<PathBuf>,
}

/// What is wrong with the options of TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of certificates cannot be used.
    #[error("cannot read certificates from {}: {why}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The file of the key cannot be used.
    #[error("cannot read a private key from {}: {why}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not spoken.
    #[error("the client certificate cannot be used: {0}")]
    Client(String),
    /// The name is none.
    #[error("--sni {0:?} is not a host name")]
    ServerName(String),
    /// The file for secrets cannot be used.
    #[error("cannot write secrets to {}: {error}", .path.display())]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The library refuses the set-up.
    #[error("cannot set up TLS: {0}")]
    SetUp(rustls::Error),
}

/// Makes TLS connections.
pub(in crate::net) struct Tls {
    /// The same for all connections, so that a later one can resume what an earlier one began.
    config: Arc<ClientConfig>,
    observer: Arc<Observer>,
    /// Instead of the host that is dialed.
    name: Option<ServerName<'static>>,
}

impl fmt::Debug for Tls {
    /// Nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads and checks what the options name.
    pub(in crate::net) fn load(options: &TlsOptions) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let trusted = match options.ca.as_deref() {
            Some(path) => Trusted::These(Arc::new(roots(path)?)),
            None => Trusted::System,
        };
        let observer = Arc::new(Observer::new(trusted, options.insecure, Arc::clone(&provider)));
        let versions: &[&SupportedProtocolVersion] = match options.min {
            TlsVersion::V1_2 => &[&TLS13, &TLS12],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(TlsError::SetUp)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&observer) as _);
        let mut config = match &options.client {
            Some((chain, key)) => {
                let (chain, key) = identity(chain, key)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| TlsError::Client(super::words::unusable(&error)))?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = options
            .alpn
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        if let Some(path) = &options.keylog {
            config.key_log = Arc::new(key_log(path)?);
        }
        Ok(Tls {
            config: Arc::new(config),
            observer,
            name: options.sni.as_deref().map(server_name).transpose()?,
        })
    }

    /// Prepares the handshake with a server.
    pub(in crate::net) fn client(&self, authority: &Authority) -> Result<TlsStream, TlsError> {
        let name = match (&self.name, &authority.host) {
            (Some(name), _) => name.clone(),
            (None, Host::Address { ip, .. }) => ServerName::IpAddress((*ip).into()),
            (None, Host::Name(name)) => server_name(name)?,
        };
        let connection =
            ClientConnection::new(Arc::clone(&self.config), name.clone()).map_err(TlsError::SetUp)?;
        Ok(TlsStream::new(
            connection,
            Arc::clone(&self.observer),
            name.to_str().into_owned(),
        ))
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| TlsError::Certificates {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
    }
    Ok(roots)
}

fn identity(
    chain: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::Key {
        path: key.to_owned(),
        why: pem_words(&error, "PRIVATE KEY"),
    })?;
    Ok((certificates(chain)?, private))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |error: &pem::Error| TlsError::Certificates {
        path: path.to_owned(),
        why: pem_words(error, "CERTIFICATE"),
    };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if read.is_empty() {
        return Err(wrong(&pem::Error::NoItemsFound));
    }
    Ok(read)
}

fn pem_words(error: &pem::Error, label: &str) -> String {
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

fn key_log(path: &Path) -> Result<KeyLogFile, TlsError> {
    KeyLogFile::open(path).map_err(|error| TlsError::KeyLog {
        path: path.to_owned(),
        error,
    })
}
