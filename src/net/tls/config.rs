//! What TLS connections are made with: read once at the start, so that a wrong file is known before anything is dialed
//! or accepted.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, KeyLog, NoKeyLog, SupportedProtocolVersion};

use crate::model::{Authority, Host};

use super::intercept::Interceptor;
use super::keylog::KeyLogFile;
use super::local::LocalAuthority;
use super::pem::{identity, roots};
use super::server::{Listening, TlsServer};
use super::stream::TlsStream;
use super::verify::{Observer, Trusted};
use super::words;

/// The least version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    V1_2,
    /// RFC 8446.
    V1_3,
}

impl TlsVersion {
    /// Those that are spoken.
    fn and_newer(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        static NEWER: [&SupportedProtocolVersion; 1] = [&TLS13];
        match self {
            TlsVersion::V1_2 => &BOTH,
            TlsVersion::V1_3 => &NEWER,
        }
    }
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
    /// The application protocols to offer, or to choose from (RFC 7301), the preferred one first.
    pub alpn: Vec<String>,
    /// The least version to speak.
    pub min: TlsVersion,
    /// Where the secrets of sessions are written to.
    pub keylog: Option<PathBuf>,
    /// As a server: our certificate chain and its key (PEM), instead of a certificate made on the spot.
    pub server: Option<(PathBuf, PathBuf)>,
    /// As a server: ask clients for a certificate, and take only those that one of these authorities (PEM) has issued.
    pub client_ca: Option<PathBuf>,
    /// In a tap: answer in the name of the server that a client asks for, with certificates by the local authority that is
    /// kept in this directory, which must be this user's alone.
    pub intercept: Option<PathBuf>,
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
    /// The same of a server's.
    #[error("the server certificate cannot be used: {0}")]
    Server(String),
    /// The name is none.
    #[error("--sni {0:?} is not a host name")]
    ServerName(String),
    /// What is dialed has no name that a certificate could be for.
    #[error("a Unix socket has no name that a certificate could be for: --sni NAME says one")]
    Nameless,
    /// The file for secrets cannot be used.
    #[error("cannot write secrets to {}: {error}", .path.display())]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file of the local authority cannot be used or made.
    #[error("cannot use the local authority in {}: {why}", .path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// No certificate can be made.
    #[error("cannot make a certificate: {0}")]
    Issue(String),
    /// The library refuses the set-up.
    #[error("cannot set up TLS: {0}")]
    SetUp(rustls::Error),
}

/// What both sides of TLS have in common.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) versions: &'static [&'static SupportedProtocolVersion],
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) key_log: Arc<dyn KeyLog>,
}

/// Makes TLS connections.
pub struct Tls {
    /// The same for all connections, so that a later one can resume what an earlier one began.
    config: Arc<ClientConfig>,
    observer: Arc<Observer>,
    /// Instead of the host that is dialed.
    name: Option<ServerName<'static>>,
    common: Common,
    listening: Listening,
}

impl fmt::Debug for Tls {
    /// Nothing of the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads and checks what the options name.
    pub fn load(options: &TlsOptions) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let trusted = match options.ca.as_deref() {
            Some(path) => Trusted::These(Arc::new(roots(path)?)),
            None => Trusted::System,
        };
        let observer = Arc::new(Observer::new(trusted, options.insecure, Arc::clone(&provider)));
        let common = Common {
            provider,
            versions: options.min.and_newer(),
            alpn: options
                .alpn
                .iter()
                .map(|name| name.clone().into_bytes())
                .collect(),
            key_log: key_log(options.keylog.as_ref())?,
        };
        Ok(Tls {
            config: Arc::new(client_config(options, &common, &observer)?),
            observer,
            name: options.sni.as_deref().map(server_name).transpose()?,
            listening: Listening::load(options)?,
            common,
        })
    }

    /// The name to ask a server for, and to check its certificate against: the one of the options, the one that another
    /// client `asked` for, or the host that was dialed.
    pub fn name(
        &self,
        authority: Option<&Authority>,
        asked: Option<&str>,
    ) -> Result<ServerName<'static>, TlsError> {
        match (&self.name, asked, authority.map(|authority| &authority.host)) {
            (Some(name), _, _) => Ok(name.clone()),
            (None, Some(asked), _) => server_name(asked),
            (None, None, Some(Host::Address { ip, .. })) => Ok(ServerName::IpAddress((*ip).into())),
            (None, None, Some(Host::Name(name))) => server_name(name),
            (None, None, None) => Err(TlsError::Nameless),
        }
    }

    /// Prepares the handshake with a server.
    pub fn client(&self, authority: &Authority) -> Result<TlsStream, TlsError> {
        self.client_to(&self.name(Some(authority), None)?)
    }

    /// The same with the server of this name.
    pub fn client_to(&self, name: &ServerName<'static>) -> Result<TlsStream, TlsError> {
        self.stream(Arc::clone(&self.config), name)
    }

    /// The same on behalf of another client: under the name that it asked for, if it asked for one and the options name
    /// no other, and offering the application protocols that it offered.
    pub fn client_with(
        &self,
        authority: &Authority,
        asked: Option<&str>,
        alpn: &[Vec<u8>],
    ) -> Result<TlsStream, TlsError> {
        let mut config = (*self.config).clone();
        config.alpn_protocols = alpn.to_vec();
        self.stream(Arc::new(config), &self.name(Some(authority), asked)?)
    }

    fn stream(&self, config: Arc<ClientConfig>, name: &ServerName<'static>) -> Result<TlsStream, TlsError> {
        let connection = ClientConnection::new(config, name.clone()).map_err(TlsError::SetUp)?;
        Ok(TlsStream::client(
            connection,
            Arc::clone(&self.observer),
            name.to_str().into_owned(),
        ))
    }

    /// What accepts connections at these addresses: with the certificate that the options name, or with one that is made
    /// now for the names of these addresses.
    pub fn server(&self, bound: &[IpAddr]) -> Result<TlsServer, TlsError> {
        TlsServer::new(&self.common, &self.listening, bound)
    }

    /// What accepts connections in the name of whatever server is asked for, with certificates by `authority`.
    pub fn interceptor(&self, authority: LocalAuthority) -> Interceptor {
        Interceptor::new(self.common.clone(), authority)
    }
}

fn client_config(
    options: &TlsOptions,
    common: &Common,
    observer: &Arc<Observer>,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&common.provider))
        .with_protocol_versions(common.versions)
        .map_err(TlsError::SetUp)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(observer) as _);
    let mut config = match &options.client {
        Some((chain, key)) => {
            let (chain, key) = identity(chain, key)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| TlsError::Client(words::unusable(&error)))?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols.clone_from(&common.alpn);
    config.key_log = Arc::clone(&common.key_log);
    Ok(config)
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))
}

fn key_log(path: Option<&PathBuf>) -> Result<Arc<dyn KeyLog>, TlsError> {
    let Some(path) = path else {
        return Ok(Arc::new(NoKeyLog));
    };
    match KeyLogFile::open(path) {
        Ok(file) => Ok(Arc::new(file)),
        Err(error) => Err(TlsError::KeyLog {
            path: path.clone(),
            error,
        }),
    }
}
