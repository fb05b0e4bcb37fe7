//! What a TLS handshake agreed on, and whom the server said to be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What this program was in a handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsRole {
    /// It asked for the connection, and the server presented its certificate.
    #[default]
    Client,
    /// It presented its certificate.
    Server,
}

impl TlsRole {
    /// Whether it is what a recording means that says nothing of it.
    pub fn is_client(&self) -> bool {
        *self == TlsRole::Client
    }
}

/// A TLS handshake that has ended, or got as far as the other side's certificate (RFC 8446, RFC 5246).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsReport {
    /// What this program was.
    #[serde(default, skip_serializing_if = "TlsRole::is_client")]
    pub role: TlsRole,
    /// The name or address that the server's certificate has to be for. As a server: the name that the client asked for
    /// (RFC 6066 §3), empty if it asked for none.
    pub server_name: String,
    /// How long it took.
    pub took: Duration,
    /// What was agreed on; `None` if it ended before.
    pub agreed: Option<Agreed>,
    /// What became of the check of the other side's certificate.
    pub verdict: Verdict,
    /// The other side's certificates as it sent them, its own first.
    pub chain: Vec<Certificate>,
}

/// The parameters of a TLS connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: String,
    /// The cipher suite under its name in IANA's registry, as in `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The named group of the key exchange, as in `X25519`; `None` where a resumed session needed none.
    pub group: Option<String>,
    /// The application protocol (RFC 7301), if one was negotiated.
    pub alpn: Option<String>,
    /// Whether an earlier session was resumed, so that no certificate was proved again.
    pub resumed: bool,
}

/// What became of the check of the other side's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is valid now, issued by somebody trusted, and a server's is for its name.
    Trusted,
    /// It is not, for this reason, and the connection was not used.
    Refused(String),
    /// It is not, for this reason, and the connection is used all the same, because the user asked for it.
    Ignored(String),
    /// There was nothing to check.
    Unchecked,
}

/// A certificate in words (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose it is, as in `CN=example.org`.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The names and addresses that it is for: the subject alternative names.
    pub names: Vec<String>,
    /// How many more names there are.
    pub more_names: u32,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// The public key, as in `RSA 2048`.
    pub key: String,
    /// The algorithm of the issuer's signature, as in `ecdsa-with-SHA256`.
    pub signature: String,
    /// Its serial number in hex.
    pub serial: String,
    /// Its fingerprint: the SHA-256 of the whole certificate in hex.
    pub sha256: String,
}

impl Certificate {
    /// Whole days until it is no longer valid; less than 0 after that. `now` is in nanoseconds since 1970.
    pub fn days_left(&self, now: u64) -> i64 {
        const DAY: i64 = 24 * 60 * 60;
        let now = i64::try_from(now / 1_000_000_000).unwrap_or(i64::MAX);
        self.not_after.saturating_sub(now).div_euclid(DAY)
    }
}

impl TlsReport {
    /// Why the certificate is not trusted, if it is not.
    pub fn doubt(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Refused(why) | Verdict::Ignored(why) => Some(why),
            Verdict::Trusted | Verdict::Unchecked => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_down() {
        let certificate = Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            more_names: 0,
            not_before: 0,
            not_after: 10 * 86_400,
            key: String::new(),
            signature: String::new(),
            serial: String::new(),
            sha256: String::new(),
        };
        let check = |hours: u64, expected| {
            let now = hours * 3_600 * 1_000_000_000;
            assert_eq!(certificate.days_left(now), expected, "after {hours} hours");
        };
        check(0, 10);
        check(9 * 24 + 1, 0);
        check(10 * 24, 0);
        check(10 * 24 + 1, -1);
        check(12 * 24, -2);
    }
}
