//! The options of TLS as the worker takes them.

use std::env;
use std::path::PathBuf;

use sockscope::model::{Address, Endpoint};
use sockscope::net::{TlsOptions, TlsVersion};

use crate::cli::Usage;
use crate::cli::arguments::TlsArguments;

/// The longest name of an application protocol (RFC 7301 §3.1).
const LONGEST_ALPN: usize = 255;

impl TlsArguments {
    /// They are of use only where TLS may be spoken; on the screen it can be started on any connection.
    pub(super) fn check(&self, target: &Endpoint, headless: bool) -> Result<(), Usage> {
        if let Some(name) = self.of_server() {
            return Err(Usage(format!(
                "{name} is about being the server: write sockscope listen or sockscope tap, or leave it out"
            )));
        }
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

    /// Whoever listens is asked for TLS, and asks nobody.
    pub(super) fn check_listen(&self, address: &Address) -> Result<(), Usage> {
        let is_tls = matches!(address.endpoint(), Endpoint::Tls(_));
        let given = self.of_own_certificate().or_else(|| self.of_both());
        match (self.of_client(), given) {
            (Some("--ca"), _) => Err(Usage(
                "--ca is about the certificates of servers, and listen waits for clients: write --client-ca, or leave it \
                 out"
                    .into(),
            )),
            (Some(name), _) => Err(Usage(format!(
                "{name} is about connecting to servers, and listen waits for clients: leave it out"
            ))),
            (None, _) if self.tls_intercept => Err(Usage(
                "--tls-intercept is about what crosses a tap: write sockscope tap ADDRESS tls://TARGET".into(),
            )),
            (None, Some(name)) if !is_tls => Err(Usage(format!(
                "{name} is about TLS, which is not spoken at {address}: write tls:// before the address, or leave it out"
            ))),
            (None, _) => Ok(()),
        }
    }

    /// A tap may end TLS at its address, begin it with its target, or both.
    pub(super) fn check_tap(&self, address: &Address, target: &Endpoint) -> Result<(), Usage> {
        let (ends, begins) = (
            matches!(address.endpoint(), Endpoint::Tls(_)),
            matches!(target, Endpoint::Tls(_)),
        );
        if self.starttls.is_some() {
            return Err(Usage(
                "--starttls is for what sockscope sends, and a tap only passes on: leave it out".into(),
            ));
        }
        if self.tls_intercept {
            return self.check_intercept(address, target);
        }
        match (self.of_client(), self.of_own_certificate(), self.of_both()) {
            (Some(name), _, _) if !begins => Err(Usage(format!(
                "{name} is about TLS with the server, and {target} is not asked for it: write tls:// before the target, \
                 or leave it out"
            ))),
            (_, Some(name), _) if !ends => Err(Usage(format!(
                "{name} is about TLS with the application, and at {address} none is spoken: write tls:// before the \
                 address, or leave it out"
            ))),
            (_, _, Some(name)) if !ends && !begins => Err(Usage(format!(
                "{name} is about TLS: write tls:// before the address, the target or both, or leave it out"
            ))),
            _ => Ok(()),
        }
    }

    fn check_intercept(&self, address: &Address, target: &Endpoint) -> Result<(), Usage> {
        if !matches!(target, Endpoint::Tls(_)) {
            return Err(Usage(format!(
                "--tls-intercept reads TLS on its way to a server that speaks it, and {target} is not said to: write \
                 tls:// before the target"
            )));
        }
        if !matches!(
            address.endpoint(),
            Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Unix(_)
        ) {
            return Err(Usage(format!(
                "--tls-intercept reads TLS, which datagrams do not carry: {address} has to be a TCP port or a Unix socket"
            )));
        }
        if let Some(name) = self.of_own_certificate() {
            return Err(Usage(format!(
                "--tls-intercept shows clients certificates in the name of the target, made for each: leave {name} out"
            )));
        }
        if !self.alpn.is_empty() {
            return Err(Usage(
                "--tls-intercept offers the target what the application offers: leave --alpn out".into(),
            ));
        }
        Ok(())
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
            server: self.cert.clone().zip(self.key.clone()),
            client_ca: self.client_ca.clone(),
            // Where the local authority is kept is not asked on the command line.
            intercept: None,
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
