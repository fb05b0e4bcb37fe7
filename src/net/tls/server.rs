//! TLS as a server: with a certificate from a file, or one made on the spot, whose key is never written anywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use chrono::Utc;
use nix::ifaddrs::getifaddrs;
use nix::unistd::gethostname;
use rustls::pki_types::DnsName;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use crate::model::Certificate;

use super::certificate::describe;
use super::clients::Doorkeeper;
use super::config::Common;
use super::incoming::Incoming;
use super::pem::{Identity, identity, roots};
use super::stream::TlsStream;
use super::{TlsError, TlsOptions, issue, words};

/// The most addresses of this machine that a certificate is made for.
const MOST_ADDRESSES: usize = 50;

/// What the files hold that a server is made of.
pub(super) struct Listening {
    identity: Option<Identity>,
    client_roots: Option<RootCertStore>,
}

impl Listening {
    /// Reads what the options name.
    pub(super) fn load(options: &TlsOptions) -> Result<Listening, TlsError> {
        let files = options.server.as_ref();
        let files = files.map(|(chain, key)| identity(chain, key)).transpose()?;
        Ok(Listening {
            identity: files,
            client_roots: options.client_ca.as_deref().map(roots).transpose()?,
        })
    }
}

/// Accepts TLS connections.
#[derive(Clone, Debug)]
pub struct TlsServer {
    /// The same for all connections, so that a later one can resume what an earlier one began.
    config: Arc<ServerConfig>,
    doorkeeper: Option<Arc<Doorkeeper>>,
    certificate: Certificate,
    made: bool,
}

impl TlsServer {
    /// One with the certificate of the files, or a new one for the names of these addresses.
    pub(super) fn new(
        common: &Common,
        listening: &Listening,
        bound: &[IpAddr],
    ) -> Result<TlsServer, TlsError> {
        let (chain, key) = match &listening.identity {
            Some((chain, key)) => (chain.clone(), key.clone_key()),
            None => {
                let (names, addresses) = own_names(bound);
                issue::self_signed(&names, &addresses, Utc::now())?
            }
        };
        let certificate = chain.first().map(|own| describe(own));
        let certificate = certificate.ok_or_else(|| TlsError::Server("there is none".into()))?;
        let roots = listening.client_roots.clone();
        let doorkeeper = roots.map(|roots| Doorkeeper::new(common, roots).map(Arc::new));
        let doorkeeper = doorkeeper.transpose()?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&common.provider))
            .with_protocol_versions(common.versions)
            .map_err(TlsError::SetUp)?
            .with_client_cert_verifier(match &doorkeeper {
                Some(doorkeeper) => Arc::clone(doorkeeper) as _,
                None => WebPkiClientVerifier::no_client_auth(),
            });
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| TlsError::Server(words::unusable(&error)))?;
        config.alpn_protocols.clone_from(&common.alpn);
        config.key_log = Arc::clone(&common.key_log);
        Ok(TlsServer {
            config: Arc::new(config),
            doorkeeper,
            certificate,
            made: listening.identity.is_none(),
        })
    }

    /// The certificate that clients get to see.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whether it was made on the spot, so that nobody can trust it but by its fingerprint.
    pub fn is_made(&self) -> bool {
        self.made
    }

    /// Prepares the handshake with a client.
    pub fn accept(&self) -> Result<TlsStream, TlsError> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).map_err(TlsError::SetUp)?;
        let doorkeeper = self.doorkeeper.clone();
        Ok(TlsStream::server(connection, doorkeeper, Incoming::default()))
    }
}

/// What clients may call a server at these addresses.
fn own_names(bound: &[IpAddr]) -> (Vec<String>, Vec<IpAddr>) {
    let mut names = vec!["localhost".to_owned()];
    let host = gethostname().ok().and_then(|name| name.into_string().ok());
    // A name that no certificate can have is one that no client can ask for.
    names.extend(host.filter(|name| name != "localhost" && DnsName::try_from(name.as_str()).is_ok()));
    let mut addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for ip in bound {
        if ip.is_unspecified() {
            addresses.extend(of_this_machine(ip.is_ipv6()));
        } else {
            addresses.push(*ip);
        }
    }
    let mut known = Vec::new();
    addresses.retain(|ip| !known.contains(ip) && (known.push(*ip), true).1);
    addresses.truncate(MOST_ADDRESSES);
    (names, addresses)
}

/// The addresses of the interfaces: those of IPv4, or, as a socket of IPv6 hears both, all.
fn of_this_machine(both: bool) -> Vec<IpAddr> {
    let interfaces = getifaddrs().into_iter().flatten();
    let addresses = interfaces.filter_map(|interface| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        let v6 = address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip()));
        v4.or(v6.filter(|_| both))
    });
    addresses.collect()
}
