//! What there is to say of an event beyond its sentence, a line for each thing.

use super::{Certificate, EntryKind, Timestamp, TlsReport, TlsRole};
use crate::text::format;

/// Cells of the labels, so that what follows them stands in a column.
const LABEL: usize = 12;

/// The lines; none for most events. Like sentences they quote what others said, so they go through the encoder.
/// `at` is when it happened.
pub fn details(kind: &EntryKind, at: Timestamp) -> Vec<String> {
    match kind {
        EntryKind::Tls(report) => tls(report, at),
        EntryKind::Data { .. }
        | EntryKind::Lookup(_)
        | EntryKind::Attempt(_)
        | EntryKind::Open { .. }
        | EntryKind::HalfClose { .. }
        | EntryKind::Close(_)
        | EntryKind::Error { .. }
        | EntryKind::Gap { .. }
        | EntryKind::Note { .. } => Vec::new(),
    }
}

fn line(label: &str, text: &str) -> String {
    format!("{label:<LABEL$}{text}")
}

fn tls(report: &TlsReport, at: Timestamp) -> Vec<String> {
    let name = match report.server_name.as_str() {
        "" => "none",
        name => name,
    };
    let whose = match report.role {
        TlsRole::Client => ", the server's",
        TlsRole::Server => ", the client's",
    };
    let mut lines = vec![String::new(), line("server name", name)];
    if let Some(agreed) = &report.agreed {
        lines.push(line("version", &agreed.version));
        lines.push(line("cipher", &agreed.cipher));
        lines.extend(agreed.group.as_ref().map(|group| line("group", group)));
        lines.push(line("ALPN", agreed.alpn.as_deref().unwrap_or("none")));
        lines.push(line("resumed", if agreed.resumed { "yes" } else { "no" }));
    }
    for (number, certificate) in report.chain.iter().enumerate() {
        lines.push(String::new());
        let whose = if number == 0 { whose } else { "" };
        lines.push(format!(
            "certificate {} of {}{whose}",
            number + 1,
            report.chain.len()
        ));
        lines.extend(certificate_lines(certificate, at));
    }
    lines
}

fn certificate_lines(certificate: &Certificate, at: Timestamp) -> Vec<String> {
    let mut names = certificate.names.join(", ");
    if certificate.more_names > 0 {
        names = format!("{names} and {} more", certificate.more_names);
    }
    let lines = [
        ("subject", certificate.subject.clone()),
        ("issuer", certificate.issuer.clone()),
        ("names", if names.is_empty() { "none".into() } else { names }),
        ("valid", validity(certificate, at)),
        ("key", certificate.key.clone()),
        ("signature", certificate.signature.clone()),
        ("serial", certificate.serial.clone()),
        ("SHA-256", fingerprint(&certificate.sha256)),
    ];
    lines.map(|(label, text)| line(label, &text)).into()
}

fn validity(certificate: &Certificate, at: Timestamp) -> String {
    let day = |seconds: i64| format::date(seconds);
    let span = format!(
        "{} to {}",
        day(certificate.not_before),
        day(certificate.not_after)
    );
    let left = match certificate.days_left(at.0) {
        _ if certificate.not_before > i64::try_from(at.0 / 1_000_000_000).unwrap_or(i64::MAX) => {
            "not yet".to_owned()
        }
        days if days < 0 => format!("expired {} ago", counted(-days)),
        days => format!("{} left", counted(days)),
    };
    format!("{span}, {left}")
}

fn counted(days: i64) -> String {
    match days {
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}

/// In pairs, as browsers and openssl show it, with blanks at which the line may be broken.
fn fingerprint(hex: &str) -> String {
    let groups: Vec<String> = hex
        .as_bytes()
        .chunks(16)
        .map(|group| {
            let pairs: Vec<_> = group.chunks(2).map(String::from_utf8_lossy).collect();
            pairs.join(":").to_uppercase()
        })
        .collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Agreed, Verdict};

    #[test]
    fn a_handshake_is_told_line_by_line() {
        let day = 24 * 60 * 60;
        let report = TlsReport {
            role: TlsRole::Client,
            server_name: "example.org".into(),
            took: Duration::from_millis(3),
            agreed: Some(Agreed {
                version: "TLS 1.3".into(),
                cipher: "TLS_AES_128_GCM_SHA256".into(),
                group: Some("x25519".into()),
                alpn: None,
                resumed: false,
            }),
            verdict: Verdict::Trusted,
            chain: vec![Certificate {
                subject: "CN=example.org".into(),
                issuer: "CN=Some CA".into(),
                names: vec!["example.org".into(), "192.0.2.1".into()],
                more_names: 2,
                not_before: 0,
                not_after: 40 * day,
                key: "RSA 2048".into(),
                signature: "ecdsa-with-SHA256".into(),
                serial: "0a".into(),
                sha256: "00ff".repeat(16),
            }],
        };
        let check = |day_now: u64, expected: &str| {
            let at = Timestamp(day_now * 24 * 60 * 60 * 1_000_000_000);
            let lines = details(&EntryKind::Tls(Box::new(report.clone())), at).join("\n");
            let start = "
server name example.org
version     TLS 1.3
cipher      TLS_AES_128_GCM_SHA256
group       x25519
ALPN        none
resumed     no

certificate 1 of 1, the server's
subject     CN=example.org
issuer      CN=Some CA
names       example.org, 192.0.2.1 and 2 more
";
            let end = "
key         RSA 2048
signature   ecdsa-with-SHA256
serial      0a
SHA-256     00:FF:00:FF:00:FF:00:FF 00:FF:00:FF:00:FF:00:FF 00:FF:00:FF:00:FF:00:FF 00:FF:00:FF:00:FF:00:FF";
            assert_eq!(lines, format!("{start}valid       {expected}{end}"));
        };
        check(10, "1970-01-01 to 1970-02-10, 30 days left");
        check(39, "1970-01-01 to 1970-02-10, 1 day left");
        check(45, "1970-01-01 to 1970-02-10, expired 5 days ago");
    }
}
