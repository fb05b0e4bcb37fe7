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
    /// They are of use only where TLS may be spoken; on the screen it can be started on any connection.
    pub(super) fn check(&self, target: &Endpoint, headless: bool) -> Result<(), Usage> {
        match (target, self.given()) {
            (Endpoint::Tls(authority), _) if self.starttls.is_some() => Err(Usage(format!(
                "tls:// speaks TLS from the first byte on: write {authority} with --starttls, or leave that out"
            ))),
            (Endpoint::Unix(_), _) if self.starttls.is_some() && self.sni.is_none() => Err(Usage(
                "a Unix socket has no name that a certificate could be for: add --sni NAME to --starttls"
                    .into(),
            )),
            (Endpoint::Udp(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_), Some(name)) => {
                Err(Usage(format!(
                    "{name} is about TLS, which {target} does not speak: leave it out"
                )))
            }
            (Endpoint::Tcp(authority), Some(name)) if headless && self.starttls.is_none() => Err(Usage(
                format!("{name} is about TLS: write tls://{authority}, add --starttls, or leave it out"),
            )),
            (Endpoint::Unix(_), Some(name)) if headless && self.starttls.is_none() => Err(Usage(format!(
                "{name} is about TLS: add --starttls and --sni, or leave it out"
            ))),
            (Endpoint::Tls(_) | Endpoint::Tcp(_) | Endpoint::Unix(_), _) | (_, None) => Ok(()),
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
            server: None,
            client_ca: None,
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
