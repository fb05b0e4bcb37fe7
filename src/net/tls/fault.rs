//! Why TLS cannot go on, in words for either side.

use std::io;

use rustls::{AlertDescription, Error, PeerIncompatible};

use crate::model::{Side, TlsRole};

use super::words;

/// Why a TLS connection cannot go on.
#[derive(Debug)]
pub enum Fault {
    /// The wire says so; also that it has nothing to give or to take now.
    Io(io::Error),
    /// It ended before the handshake did.
    Cut {
        /// How, as the rest of a sentence that begins with the peer's address.
        why: String,
    },
    /// A side of TLS does.
    Tls {
        /// The side that ended it.
        by: Side,
        /// How, as the rest of a sentence that begins with the peer's address.
        why: String,
    },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

/// How far a connection was when something went wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation<'a> {
    /// What this program is in it.
    pub(super) role: TlsRole,
    /// Whether the handshake was under way.
    pub(super) handshaking: bool,
    /// The first bytes that arrived.
    pub(super) first: &'a [u8],
}

impl Situation<'_> {
    /// The wire ended before the handshake did.
    pub(super) fn cut(self) -> Fault {
        let why = match (self.role, self.first) {
            (TlsRole::Client, _) => {
                "ended the connection during the TLS handshake: is TLS spoken on this port?"
            }
            (TlsRole::Server, []) => "ended the connection before the TLS handshake",
            (TlsRole::Server, _) => "ended the connection during the TLS handshake",
        };
        Fault::Cut { why: why.to_owned() }
    }

    /// The library gave up.
    pub(super) fn fault(self, error: &Error) -> Fault {
        match error {
            Error::AlertReceived(alert) => Fault::Tls {
                by: Side::Peer,
                why: self.alert(*alert),
            },
            Error::InvalidCertificate(_)
            | Error::NoCertificatesPresented
            | Error::PeerIncompatible(_)
            | Error::NoApplicationProtocol
            | _ => Fault::Tls {
                by: Side::Local,
                why: self.refusal(error),
            },
        }
    }

    fn alert(self, alert: AlertDescription) -> String {
        let name = words::alert(alert);
        let advice = match self.role {
            TlsRole::Client => words::advice(alert),
            TlsRole::Server => words::advice_to_server(alert),
        };
        match advice.filter(|_| self.handshaking) {
            Some(advice) => format!("refused TLS with the alert {name}: {advice}"),
            None => format!("ended TLS with the alert {name}"),
        }
    }

    fn refusal(self, error: &Error) -> String {
        match (error, self.role) {
            (Error::InvalidCertificate(_), TlsRole::Client) => format!(
                "has a certificate that is not trusted: {}; --ca FILE trusts its issuer, --insecure connects all the \
                 same",
                words::doubt(error)
            ),
            (Error::InvalidCertificate(_), TlsRole::Server) => format!(
                "has a certificate that is not trusted: {}",
                words::doubt_of_client(error)
            ),
            (Error::NoCertificatesPresented, TlsRole::Server) => {
                "presented no certificate, and --client-ca asks for one".into()
            }
            (Error::NoApplicationProtocol, TlsRole::Server) => {
                "offered none of the application protocols that are spoken here (--alpn)".into()
            }
            (Error::PeerIncompatible(what), TlsRole::Server) => incompatible(what),
            (error, role) => match words::instead(self.first, role).filter(|_| self.handshaking) {
                Some(instead) => instead,
                None => format!("broke the rules of TLS: {error}"),
            },
        }
    }
}

/// What a client lacks.
fn incompatible(what: &PeerIncompatible) -> String {
    let offered_no = match what {
        // The extension came with TLS 1.2 (RFC 5246 §7.4.1.4.1), and is looked at before the version.
        PeerIncompatible::SignatureAlgorithmsExtensionRequired
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => {
            "version that is spoken here (TLS 1.2 and 1.3; see --tls-min)"
        }
        PeerIncompatible::NoCipherSuitesInCommon => "cipher suite that is in use today",
        PeerIncompatible::NoKxGroupsInCommon | PeerIncompatible::NamedGroupsExtensionRequired => {
            "group for the key exchange that is in use today"
        }
        PeerIncompatible::NoSignatureSchemesInCommon => {
            "signature scheme that fits the key of our certificate"
        }
        other => return format!("does not fit: {other:?}"),
    };
    format!("offered no {offered_no}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_side_is_told_what_went_wrong() {
        let check = |role, first: &[u8], error: Error, by: Side, expected: &str| {
            let situation = Situation {
                role,
                handshaking: true,
                first,
            };
            let Fault::Tls { by: who, why } = situation.fault(&error) else {
                panic!("the wire is not at fault");
            };
            assert_eq!((who, why.as_str()), (by, expected));
        };
        let (client, server) = (TlsRole::Client, TlsRole::Server);
        let unknown_ca = || Error::AlertReceived(AlertDescription::UnknownCA);
        check(
            client,
            b"",
            unknown_ca(),
            Side::Peer,
            "refused TLS with the alert unknown_ca (48): it did not accept the client certificate",
        );
        check(
            server,
            b"",
            unknown_ca(),
            Side::Peer,
            "refused TLS with the alert unknown_ca (48): it does not trust our certificate",
        );
        check(
            server,
            b"GET / HTTP/1.1\r\nHost: x\r\n",
            Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
            Side::Local,
            "does not speak TLS here: it sent plain HTTP: \"GET / HTTP/1.1\"",
        );
        check(
            server,
            &[22, 3, 1],
            Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled),
            Side::Local,
            "offered no version that is spoken here (TLS 1.2 and 1.3; see --tls-min)",
        );
    }
}
