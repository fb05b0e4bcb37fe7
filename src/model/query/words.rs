//! The words of an event that text is looked for in: those that its line of the log shows as they are.

use std::borrow::Cow;

use super::EntryKind;
use crate::model::{Attempt, AttemptOutcome, Lookup, TlsReport};

/// Names, addresses and sentences of an event; nothing for data, which is bytes.
pub(crate) fn words(kind: &EntryKind) -> Vec<Cow<'_, str>> {
    match kind {
        EntryKind::Data { .. }
        | EntryKind::HalfClose { .. }
        | EntryKind::Close(_)
        | EntryKind::Gap { .. } => Vec::new(),
        EntryKind::Lookup(Lookup { name, result, .. }) => {
            let mut words: Vec<Cow<'_, str>> = vec![name.into()];
            match result {
                Ok(addresses) => words.extend(
                    addresses
                        .iter()
                        .map(|address| Cow::Owned(address.ip().to_string())),
                ),
                Err(reason) => words.push(reason.into()),
            }
            words
        }
        EntryKind::Attempt(Attempt { remote, outcome, .. }) => {
            let mut words: Vec<Cow<'_, str>> = vec![remote.to_string().into()];
            if let AttemptOutcome::Failed { text, .. } = outcome {
                words.push(text.into());
            }
            words
        }
        EntryKind::Tls(report) => tls_words(report),
        EntryKind::Open { local, remote } => vec![local.to_string().into(), remote.to_string().into()],
        EntryKind::Error { text, .. } | EntryKind::Note { text } => vec![text.into()],
    }
}

fn tls_words(report: &TlsReport) -> Vec<Cow<'_, str>> {
    let agreed = report.agreed.iter().flat_map(|agreed| {
        let always = [&agreed.version, &agreed.cipher];
        always.into_iter().chain(&agreed.group).chain(&agreed.alpn)
    });
    let presented = report.chain.iter().flat_map(|certificate| {
        let about = [&certificate.subject, &certificate.issuer, &certificate.sha256];
        about.into_iter().chain(&certificate.names)
    });
    let words = std::iter::once(&report.server_name)
        .chain(agreed)
        .chain(presented);
    let words = words.map(|word| Cow::from(word.as_str()));
    words.chain(report.doubt().map(Cow::from)).collect()
}
