//! The options of TLS.

use std::path::PathBuf;

use clap::Args;

use crate::cli::value::{PresetName, TlsMinName};

/// How TLS connections are made.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct TlsArguments {
    /// Connect in the clear, ask for TLS in the words of this protocol, and go on only in TLS
    #[arg(long, value_name = "PROTOCOL", global = true, help_heading = "TLS")]
    pub(in crate::cli) starttls: Option<PresetName>,

    /// Go on although the server's certificate is not trusted; the screen shows it all the time
    #[arg(long, global = true, help_heading = "TLS")]
    pub(in crate::cli) insecure: bool,

    /// Trust the certificates in FILE (PEM) instead of the system's
    #[arg(long, value_name = "FILE", global = true, help_heading = "TLS")]
    pub(in crate::cli) ca: Option<PathBuf>,

    /// Present the certificate chain in FILE (PEM) to servers that ask for one; with --client-key
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        requires = "client_key",
        help_heading = "TLS"
    )]
    pub(in crate::cli) client_cert: Option<PathBuf>,

    /// The private key of --client-cert (PEM)
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        requires = "client_cert",
        help_heading = "TLS"
    )]
    pub(in crate::cli) client_key: Option<PathBuf>,

    /// Ask for the server of this name, and expect its certificate [default: the host of the target]
    #[arg(long, value_name = "NAME", global = true, help_heading = "TLS")]
    pub(in crate::cli) sni: Option<String>,

    /// Offer these application protocols, the preferred one first, as in h2,http/1.1; with listen, choose from them
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        global = true,
        help_heading = "TLS"
    )]
    pub(in crate::cli) alpn: Vec<String>,

    /// Show clients of listen or tap the certificate chain in FILE (PEM) instead of one made on the spot; with --key
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        requires = "key",
        help_heading = "TLS"
    )]
    pub(in crate::cli) cert: Option<PathBuf>,

    /// The private key of --cert (PEM)
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        requires = "cert",
        help_heading = "TLS"
    )]
    pub(in crate::cli) key: Option<PathBuf>,

    /// Let only those connect to listen or tap whose certificate an authority in FILE (PEM) has issued
    #[arg(long, value_name = "FILE", global = true, help_heading = "TLS")]
    pub(in crate::cli) client_ca: Option<PathBuf>,

    /// Read the TLS between two programs in a tap: answer for the target with certificates by the local authority, which
    /// the application has to trust (see sockscope ca)
    #[arg(long, global = true, help_heading = "TLS")]
    pub(in crate::cli) tls_intercept: bool,

    /// The least version to speak [default: 1.2]
    #[arg(long, value_name = "VERSION", global = true, help_heading = "TLS")]
    pub(in crate::cli) tls_min: Option<TlsMinName>,

    /// Append the secrets of the sessions to FILE, for Wireshark; SSLKEYLOGFILE in the environment does the same
    #[arg(long, value_name = "FILE", global = true, help_heading = "TLS")]
    pub(in crate::cli) keylog: Option<PathBuf>,
}

impl TlsArguments {
    /// The first option that is given, if any is.
    pub(in crate::cli) fn given(&self) -> Option<&'static str> {
        self.of_client()
            .or_else(|| self.of_server())
            .or_else(|| self.of_both())
    }

    /// The first that is about asking for TLS.
    pub(in crate::cli) fn of_client(&self) -> Option<&'static str> {
        first(&[
            ("--starttls", self.starttls.is_some()),
            ("--insecure", self.insecure),
            ("--ca", self.ca.is_some()),
            ("--client-cert", self.client_cert.is_some()),
            ("--sni", self.sni.is_some()),
        ])
    }

    /// The first that is about being asked for it.
    pub(in crate::cli) fn of_server(&self) -> Option<&'static str> {
        self.of_own_certificate()
            .or_else(|| first(&[("--tls-intercept", self.tls_intercept)]))
    }

    /// The first that is about being asked for it in one's own name.
    pub(in crate::cli) fn of_own_certificate(&self) -> Option<&'static str> {
        first(&[
            ("--cert", self.cert.is_some()),
            ("--client-ca", self.client_ca.is_some()),
        ])
    }

    /// The first that is about either.
    pub(in crate::cli) fn of_both(&self) -> Option<&'static str> {
        first(&[
            ("--alpn", !self.alpn.is_empty()),
            ("--tls-min", self.tls_min.is_some()),
            ("--keylog", self.keylog.is_some()),
        ])
    }
}

fn first(options: &[(&'static str, bool)]) -> Option<&'static str> {
    options.iter().find(|(_, given)| *given).map(|(name, _)| *name)
}
