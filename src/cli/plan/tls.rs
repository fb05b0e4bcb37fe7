//! The options of TLS as the worker takes them.

use std::env;
use std::path::PathBuf;

use sockscope::model::Endpoint;
use sockscope::net::{TlsOptions, TlsVersion};

use crate::cli::Usage;
use crate::cli::arguments::TlsArguments;

/// The longest name of an application protocol (RFC 7301 §3.1).
const LONGEST_ALPN: usize = 255;

impl TlsArguments {
    /// They are of use only where TLS may be spoken.
    pub(super) fn check(&self, target: &Endpoint) -> Result<(), Usage> {
        match (target, self.given()) {
            (Endpoint::Tls(_), _) | (_, None) => Ok(()),
            (
                Endpoint::Udp(_) | Endpoint::Unix(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_),
                Some(name),
            ) => Err(Usage(format!(
                "{name} is about TLS, which {target} does not speak: leave it out"
            ))),
            (Endpoint::Tcp(authority), Some(name)) => Err(Usage(format!(
                "{name} is about TLS: write tls://{authority}, or leave it out"
            ))),
        }
    }

    /// How TLS connections are made.
    pub(super) fn options(&self) -> Result<TlsOptions, Usage> {
        if let Some(name) = self
            .alpn
            .iter()
            .find(|name| name.is_empty() || name.len() > LONGEST_ALPN)
        {
            return Err(Usage(format!(
                "{name:?} is no application protocol: write --alpn h2,http/1.1"
            )));
        }
        Ok(TlsOptions {
            insecure: self.insecure,
            ca: self.ca.clone(),
            client: self.client_cert.clone().zip(self.client_key.clone()),
            sni: self.sni.clone(),
            alpn: self.alpn.clone(),
            min: self.tls_min.map_or_else(TlsVersion::default, Into::into),
            keylog: self.keylog.clone().or_else(key_log_of_environment),
        })
    }
}

/// What other TLS programs write secrets to (draft-ietf-tls-keylogfile).
fn key_log_of_environment() -> Option<PathBuf> {
    env::var_os("SSLKEYLOGFILE")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}
