//! A TLS handshake as members of a JSON object.

use serde::Serialize;

use super::nanos;
use crate::model::{Certificate, TlsReport, TlsRole, Verdict};
use crate::text::format::rfc3339;

/// What a line of kind `tls` has.
#[derive(Serialize)]
pub(super) struct TlsDetail<'a> {
    #[serde(skip_serializing_if = "TlsRole::is_client")]
    role: TlsRole,
    server_name: &'a str,
    took_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<bool>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    chain: Vec<CertificateDetail<'a>>,
}

#[derive(Serialize)]
struct CertificateDetail<'a> {
    subject: &'a str,
    issuer: &'a str,
    names: &'a [String],
    not_before: String,
    not_after: String,
    key: &'a str,
    signature: &'a str,
    serial: &'a str,
    sha256: &'a str,
}

pub(super) fn detail(report: &TlsReport) -> TlsDetail<'_> {
    let agreed = report.agreed.as_ref();
    TlsDetail {
        role: report.role,
        server_name: &report.server_name,
        took_ns: nanos(report.took),
        version: agreed.map(|agreed| agreed.version.as_str()),
        cipher: agreed.map(|agreed| agreed.cipher.as_str()),
        group: agreed.and_then(|agreed| agreed.group.as_deref()),
        alpn: agreed.and_then(|agreed| agreed.alpn.as_deref()),
        resumed: agreed.map(|agreed| agreed.resumed),
        verdict: match report.verdict {
            Verdict::Trusted => "trusted",
            Verdict::Refused(_) => "refused",
            Verdict::Ignored(_) => "ignored",
            Verdict::Unchecked => "unchecked",
        },
        text: report.doubt(),
        chain: report.chain.iter().map(certificate).collect(),
    }
}

fn certificate(certificate: &Certificate) -> CertificateDetail<'_> {
    let time = |secs: i64| rfc3339(u64::try_from(secs).unwrap_or(0).saturating_mul(1_000_000_000));
    CertificateDetail {
        subject: &certificate.subject,
        issuer: &certificate.issuer,
        names: &certificate.names,
        not_before: time(certificate.not_before),
        not_after: time(certificate.not_after),
        key: &certificate.key,
        signature: &certificate.signature,
        serial: &certificate.serial,
        sha256: &certificate.sha256,
    }
}
