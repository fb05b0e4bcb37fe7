//! TLS at both ends of a test, by the library itself: what the program does is seen from outside.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "every test crate uses a part of the harness; one that fails fails the test"
)]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SideData, StreamOwned,
};
use sockscope::net::{Options, TlsOptions};
use tempfile::TempDir;

use crate::authority::{Authority, Identity, pem, server};

/// A client's end.
pub(crate) type Client = StreamOwned<ClientConnection, TcpStream>;

/// A server's end.
pub(crate) type Served = StreamOwned<ServerConnection, TcpStream>;

/// An authority, and a folder for what the options of TLS name.
pub(crate) struct Trust {
    pub(crate) root: Authority,
    pub(crate) folder: TempDir,
}

impl Trust {
    pub(crate) fn new() -> Trust {
        Trust::named("root")
    }

    pub(crate) fn named(name: &str) -> Trust {
        let trust = Trust {
            root: Authority::root(name),
            folder: tempfile::tempdir().unwrap(),
        };
        trust.write("ca.pem", &trust.root.pem());
        trust
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Writes a chain and its key.
    pub(crate) fn identity(&self, name: &str, (chain, key): &Identity) -> (PathBuf, PathBuf) {
        let chain: String = chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        (
            self.write(&format!("{name}.pem"), &chain),
            self.write(&format!("{name}.key"), &pem("PRIVATE KEY", key.secret_der())),
        )
    }

    /// A chain for localhost that those who trust the authority trust.
    pub(crate) fn known(&self) -> Identity {
        self.root.issue(&server(&["localhost", "127.0.0.1"]))
    }

    /// Options that trust the authority and show a certificate by it.
    pub(crate) fn options(&self) -> Options {
        let tls = TlsOptions {
            ca: Some(self.path("ca.pem")),
            server: Some(self.identity("own", &self.known())),
            ..TlsOptions::default()
        };
        Options {
            tls,
            ..Options::default()
        }
    }

    /// A server for localhost that offers these application protocols.
    pub(crate) fn server(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let (chain, key) = self.known();
        let config = ServerConfig::builder().with_no_client_auth();
        let mut config = config.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// A client that trusts the authority.
    pub(crate) fn client(&self, address: &str, name: &str) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der()).unwrap();
        client(roots, address, (name, &[]))
    }
}

/// A client that trusts these, and asks for this server and these application protocols.
pub(crate) fn client(roots: RootCertStore, address: &str, (name, alpn): (&str, &[&str])) -> Client {
    let config = ClientConfig::builder().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(crate::worker::BOUND)).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// Takes over a connection as its server.
pub(crate) fn serve(config: &Arc<ServerConfig>, stream: TcpStream) -> Served {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
}

/// Says that nothing more will be sent, in TLS and with FIN.
pub(crate) fn finish<C, S>(tls: &mut StreamOwned<C, TcpStream>)
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<S>>,
    S: SideData,
{
    tls.conn.send_close_notify();
    tls.flush().unwrap();
    tls.sock.shutdown(Shutdown::Write).unwrap();
}

/// Everything up to the end, and whether that was told in TLS.
pub(crate) fn read_all<C, S>(tls: &mut StreamOwned<C, TcpStream>) -> (Vec<u8>, io::Result<()>)
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<S>>,
    S: SideData,
{
    let mut all = Vec::new();
    let ended = tls.read_to_end(&mut all).map(drop);
    (all, ended)
}
