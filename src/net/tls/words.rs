//! TLS in words: alerts under the names of RFC 8446 §6, what is wrong with a certificate, what was answered instead.

use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, CipherSuite, Error, NamedGroup, ProtocolVersion};

use crate::model::TlsRole;

/// An alert under its name in RFC 8446 §6.2 and RFC 5246 §7.2, with its number.
pub(super) fn alert(alert: AlertDescription) -> String {
    let number = u8::from(alert);
    let name = match alert {
        AlertDescription::UnrecognisedName => "unrecognized_name".to_owned(),
        AlertDescription::Unknown(_) => "unknown".to_owned(),
        named => snake(&format!("{named:?}")),
    };
    format!("{name} ({number})")
}

/// `HandshakeFailure` as `handshake_failure`, `UnknownCA` as `unknown_ca`.
fn snake(camel: &str) -> String {
    let mut snake = String::new();
    let mut before = false;
    for c in camel.chars() {
        if c.is_ascii_uppercase() && before {
            snake.push('_');
        }
        before = c.is_ascii_lowercase();
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// What may be done about an alert of the server's during the handshake.
pub(super) fn advice(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it has no cipher suite, group or signature in common with TLS 1.2 and 1.3 as they are used today, or it \
             wants a client certificate (--client-cert)"
        }
        AlertDescription::ProtocolVersion => {
            "it speaks none of the versions that were offered; see --tls-min"
        }
        AlertDescription::UnrecognisedName => {
            "it has no certificate for that name; --sni NAME asks for another"
        }
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it wants a client certificate: --client-cert FILE --client-key FILE"
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => "it did not accept the client certificate",
        AlertDescription::NoApplicationProtocol => "it speaks none of the protocols of --alpn",
        _ => return None,
    })
}

/// What may be done about an alert of the client's during the handshake.
pub(super) fn advice_to_server(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => "it does not trust our certificate",
        AlertDescription::CertificateExpired => "to it our certificate has expired, or is not valid yet",
        AlertDescription::CertificateRevoked => "to it our certificate is revoked",
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it has no cipher suite, group or signature in common with what is used today"
        }
        AlertDescription::ProtocolVersion => "it speaks none of the versions that are spoken here",
        AlertDescription::UserCanceled => "its user did not want to go on",
        _ => return None,
    })
}

/// What is wrong with a client's certificate, as a sentence without its subject.
pub(super) fn doubt_of_client(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        ) => "it is not for clients".into(),
        _ => doubt(error),
    }
}

/// What is wrong with a server's certificate, as a sentence without its subject.
pub(super) fn doubt(error: &Error) -> String {
    let Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    match error {
        CertificateError::Expired => "it has expired".into(),
        CertificateError::ExpiredContext { not_after, .. } => format!("it expired on {}", date(*not_after)),
        CertificateError::NotValidYet => "it is not valid yet".into(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "it is not valid before {}; is the clock right?",
                date(*not_before)
            )
        }
        CertificateError::UnknownIssuer => "nobody who is trusted has issued it".into(),
        CertificateError::NotValidForName => "it is for other names".into(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            other_names(&expected.to_str(), presented)
        }
        CertificateError::Revoked => "its issuer has revoked it".into(),
        CertificateError::BadSignature => "its signature is wrong".into(),
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature does not go with the key of the issuer that it names".into()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => {
            "its signature is of a kind that is not trusted".into()
        }
        CertificateError::BadEncoding => "it is not a well-formed certificate".into(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers".into()
        }
        CertificateError::UnhandledCriticalExtension => {
            "it has a critical extension that is not understood".into()
        }
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is the certificate of an authority, not of a server".into()
        }
        CertificateError::Other(other) if format!("{other:?}").contains("UnsupportedCertVersion") => {
            "it is no X.509 certificate of version 3".into()
        }
        other => other.to_string(),
    }
}

/// Why our own certificate is of no use.
pub(super) fn unusable(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(_) => doubt(error),
        Error::InconsistentKeys(_) => "the key is not the certificate's".into(),
        other => other.to_string(),
    }
}

fn other_names(expected: &str, presented: &[String]) -> String {
    const SOME: usize = 3;
    // rustls writes them as DnsName("example.org") and IpAddress(192.0.2.1).
    let plain = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let names: Vec<String> = presented.iter().take(SOME).map(plain).collect();
    let more = presented.len().saturating_sub(SOME);
    match (names.as_slice(), more) {
        ([], _) => format!("it names no server, so not {expected} either"),
        (names, 0) => format!("it is for {}, not for {expected}", names.join(", ")),
        (names, more) => format!(
            "it is for {} and {more} more, not for {expected}",
            names.join(", ")
        ),
    }
}

fn date(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs())
        .ok()
        .and_then(|secs| DateTime::from_timestamp(secs, 0));
    time.map_or("an impossible date".into(), |time| {
        time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
    })
}

/// What was said that is no TLS, if that can be told from its first bytes: the rest of a sentence about the other side.
/// `role` is what this program is.
pub(super) fn instead(first: &[u8], role: TlsRole) -> Option<String> {
    let said = match role {
        TlsRole::Client => "it answered in",
        TlsRole::Server => "it sent",
    };
    let text = |most: usize| {
        let line = first
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .next()
            .unwrap_or_default();
        String::from_utf8_lossy(&line[..line.len().min(most)]).into_owned()
    };
    let what = if first.starts_with(b"HTTP/") || is_http_request(first) {
        format!("{said} plain HTTP: {:?}", text(60))
    } else if first.starts_with(b"220") || first.starts_with(b"+OK") || first.starts_with(b"* OK") {
        format!(
            "it greets in plain text, {:?}: it speaks TLS on another port, or after STARTTLS",
            text(60)
        )
    } else {
        let printable = first
            .iter()
            .take(16)
            .all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
        if !printable || first.is_empty() {
            return None;
        }
        format!("{said} plain text: {:?}", text(60))
    };
    Some(format!("does not speak TLS here: {what}"))
}

/// Whether it is the start of an HTTP request (RFC 9110 §9.3).
fn is_http_request(first: &[u8]) -> bool {
    let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI",
    ];
    let method = first.split(|byte| *byte == b' ').next().unwrap_or_default();
    first.len() > method.len() && methods.iter().any(|known| known.as_bytes() == method)
}

/// The name in IANA's registry: the library marks those of TLS 1.3.
pub(super) fn cipher(suite: CipherSuite) -> String {
    match suite.as_str() {
        Some(name) => name.replacen("TLS13_", "TLS_", 1),
        None => format!("0x{:04x}", u16::from(suite)),
    }
}

/// The name in IANA's registry.
pub(super) fn group(group: NamedGroup) -> String {
    match group {
        NamedGroup::X25519 => "x25519".into(),
        NamedGroup::X448 => "x448".into(),
        NamedGroup::Unknown(number) => format!("0x{number:04x}"),
        named => format!("{named:?}"),
    }
}

/// `TLS 1.3` and its like.
pub(super) fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS 1.2".into(),
        ProtocolVersion::TLSv1_3 => "TLS 1.3".into(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_the_names_of_the_rfc() {
        let check = |number: u8, expected: &str| assert_eq!(alert(AlertDescription::from(number)), expected);
        check(40, "handshake_failure (40)");
        check(48, "unknown_ca (48)");
        check(112, "unrecognized_name (112)");
        check(120, "no_application_protocol (120)");
        check(47, "illegal_parameter (47)");
        check(200, "unknown (200)");
    }

    #[test]
    fn doubts_are_sentences() {
        let check = |error, expected: &str| assert_eq!(doubt(&Error::InvalidCertificate(error)), expected);
        check(CertificateError::Expired, "it has expired");
        check(
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![6, 8],
                public_key_algorithm_id: vec![6, 9],
            },
            "its signature does not go with the key of the issuer that it names",
        );
    }

    #[test]
    fn what_is_no_tls_is_named() {
        let check = |first: &[u8], expected: Option<&str>| {
            let expected = expected.map(|rest| format!("does not speak TLS here: {rest}"));
            assert_eq!(instead(first, TlsRole::Client), expected);
        };
        check(
            b"HTTP/1.1 400 Bad Request\r\nX: y",
            Some("it answered in plain HTTP: \"HTTP/1.1 400 Bad Request\""),
        );
        check(
            b"220 mail.example.org ESMTP\r\n",
            Some(
                "it greets in plain text, \"220 mail.example.org ESMTP\": it speaks TLS on another port, or after STARTTLS",
            ),
        );
        check(
            b"-ERR unknown\r\n",
            Some("it answered in plain text: \"-ERR unknown\""),
        );
        let check_client = |first: &[u8], expected: &str| {
            let expected = format!("does not speak TLS here: {expected}");
            assert_eq!(instead(first, TlsRole::Server), Some(expected));
        };
        check_client(
            b"POST /a HTTP/1.1\r\n",
            "it sent plain HTTP: \"POST /a HTTP/1.1\"",
        );
        check_client(
            b"SSH-2.0-OpenSSH_9.2\r\n",
            "it sent plain text: \"SSH-2.0-OpenSSH_9.2\"",
        );
        check_client(b"GETTING", "it sent plain text: \"GETTING\"");
        check(&[0x15, 3, 1, 0, 2, 2, 40], None);
        check(&[0xff; 20], None);
        check(b"", None);
    }

    #[test]
    fn names_are_those_of_the_registry() {
        assert_eq!(
            cipher(CipherSuite::TLS13_AES_256_GCM_SHA384),
            "TLS_AES_256_GCM_SHA384"
        );
        assert_eq!(group(NamedGroup::secp256r1), "secp256r1");
        assert_eq!(version(ProtocolVersion::TLSv1_3), "TLS 1.3");
    }
}
