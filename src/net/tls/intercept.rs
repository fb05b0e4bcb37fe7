//! TLS in the name of another server, in two steps: what the client asks for is read first, so that the server can be
//! asked for it; the handshake is finished when it is known what that server speaks.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Utc};
use rustls::ServerConfig;
use rustls::server::{Accepted, Acceptor, NoServerSessionStorage, ServerConnection};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::model::{TlsReport, TlsRole, Verdict};

use super::config::Common;
use super::fault::{Fault, Situation};
use super::incoming::Incoming;
use super::local::LocalAuthority;
use super::stream::TlsStream;
use super::{TlsError, issue};

/// The most certificates that are kept for the next client.
const MOST_KEPT: usize = 256;

/// A client's first message, as far as it has arrived (RFC 8446 §4.1.2).
#[derive(Default)]
pub struct Greeting {
    acceptor: Acceptor,
    incoming: Incoming,
}

/// What a client asked for; it waits for the answer.
pub struct ClientHello {
    accepted: Accepted,
    incoming: Incoming,
    name: Option<String>,
    alpn: Vec<Vec<u8>>,
}

impl Greeting {
    /// Reads what the wire has; the message once it is whole. Nothing is written but the alert behind a fault.
    pub fn listen(&mut self, wire: &mut (impl Read + Write)) -> Result<Option<ClientHello>, Fault> {
        loop {
            if self.incoming.is_empty() {
                match self.incoming.fill(wire) {
                    Ok(0) => return Err(self.situation().cut()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
            let mut rest = self.incoming.rest();
            let taken = self.acceptor.read_tls(&mut rest)?;
            self.incoming.skip(taken);
            match self.acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    return Ok(Some(ClientHello::new(
                        accepted,
                        std::mem::take(&mut self.incoming),
                    )));
                }
                Err((error, mut alert)) => {
                    // That it cannot be told any more changes nothing.
                    drop(alert.write_all(wire));
                    return Err(self.situation().fault(&error));
                }
            }
        }
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            role: TlsRole::Server,
            handshaking: true,
            first: self.incoming.first(),
        }
    }
}

impl ClientHello {
    fn new(accepted: Accepted, incoming: Incoming) -> ClientHello {
        let hello = accepted.client_hello();
        let name = hello.server_name().map(str::to_owned);
        let alpn = hello.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
        ClientHello {
            accepted,
            incoming,
            name,
            alpn,
        }
    }

    /// The report of a handshake that ends here.
    pub fn unanswered(&self) -> TlsReport {
        TlsReport {
            role: TlsRole::Server,
            server_name: self.name.clone().unwrap_or_default(),
            took: Duration::ZERO,
            agreed: None,
            verdict: Verdict::Unchecked,
            chain: Vec::new(),
        }
    }

    /// Says that it will not be answered: something went wrong that is not its fault. That it cannot be told any more
    /// changes nothing.
    pub fn refuse(self, wire: &mut impl Write) {
        // A fatal alert, internal_error, in a record of TLS 1.2 (RFC 8446 §5.1, §6).
        const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];
        drop(wire.write_all(&ALERT));
    }

    /// The server that it asked for (RFC 6066 §3).
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The application protocols that it offered (RFC 7301), the preferred one first.
    pub fn alpn(&self) -> &[Vec<u8>] {
        &self.alpn
    }
}

/// Answers clients in the name of the servers that they ask for.
pub struct Interceptor {
    common: Common,
    authority: LocalAuthority,
    /// By name and the day on which they were made.
    kept: Mutex<HashMap<(String, i32), Arc<CertifiedKey>>>,
}

impl Interceptor {
    pub(super) fn new(common: Common, authority: LocalAuthority) -> Interceptor {
        Interceptor {
            common,
            authority,
            kept: Mutex::default(),
        }
    }

    /// Who issues the certificates.
    pub fn authority(&self) -> &LocalAuthority {
        &self.authority
    }

    /// Prepares the answer: with a certificate for what the client asked for, or for `server`, the name or address that
    /// it believes to have dialed; and with `alpn` as the only application protocol, the one that the real server chose.
    ///
    /// # Errors
    /// The outer one is ours, the inner one the client's: what it offers cannot be answered, and the alert that says so is
    /// written to `wire`.
    pub fn answer(
        &self,
        hello: ClientHello,
        server: &str,
        alpn: Option<&[u8]>,
        wire: &mut impl Write,
    ) -> Result<Result<TlsStream, Fault>, TlsError> {
        let ClientHello {
            accepted,
            incoming,
            name,
            ..
        } = hello;
        let key = self.certified(name.as_deref().unwrap_or(server), Utc::now())?;
        let config = self.config(key, alpn)?;
        Ok(match accepted.into_connection(Arc::new(config)) {
            Ok(connection) => Ok(stream(connection, incoming)),
            Err((error, mut alert)) => {
                drop(alert.write_all(wire));
                let situation = Situation {
                    role: TlsRole::Server,
                    handshaking: true,
                    first: incoming.first(),
                };
                Err(situation.fault(&error))
            }
        })
    }

    fn config(&self, key: Arc<CertifiedKey>, alpn: Option<&[u8]>) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.common.provider))
            .with_protocol_versions(self.common.versions)
            .map_err(TlsError::SetUp)?
            .with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        config.alpn_protocols = alpn.map(<[u8]>::to_vec).into_iter().collect();
        config.key_log = Arc::clone(&self.common.key_log);
        // It serves this one connection.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    fn certified(&self, name: &str, now: DateTime<Utc>) -> Result<Arc<CertifiedKey>, TlsError> {
        let wanted = (name.to_owned(), now.num_days_from_ce());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = kept.get(&wanted) {
            return Ok(Arc::clone(key));
        }
        let (chain, key) = issue::issued(name, self.authority.issuer(), now)?;
        let key = CertifiedKey::from_der(chain, key, &self.common.provider).map_err(TlsError::SetUp)?;
        let key = Arc::new(key);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(wanted, Arc::clone(&key));
        Ok(key)
    }
}

fn stream(connection: ServerConnection, incoming: Incoming) -> TlsStream {
    TlsStream::server(connection, None, incoming)
}
