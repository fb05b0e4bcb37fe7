//! Certificates in words. What they say is hostile text like any other: whoever shows it encodes it.

use ring::digest::{SHA256, digest};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::model::Certificate;

/// The most certificates of a chain that are told of; longer ones are not verified either.
const MOST_CERTIFICATES: usize = 8;

/// The most names of a certificate that are told of.
const MOST_NAMES: usize = 50;

/// The most characters of a name. With these bounds even a chain made to be long fits an annotation block.
const LONGEST_NAME: usize = 255;

/// A chain in words.
pub(super) fn describe_all(chain: &[impl AsRef<[u8]>]) -> Vec<Certificate> {
    let first = chain.iter().take(MOST_CERTIFICATES);
    first.map(|der| describe(der.as_ref())).collect()
}

/// A certificate in words; of one that cannot be read, its fingerprint.
pub(super) fn describe(der: &[u8]) -> Certificate {
    let sha256 = hex::encode(digest(&SHA256, der));
    let Ok((_, x509)) = X509Certificate::from_der(der) else {
        return Certificate {
            subject: "not readable".into(),
            issuer: "not readable".into(),
            names: Vec::new(),
            more_names: 0,
            not_before: 0,
            not_after: 0,
            key: "unknown".into(),
            signature: "unknown".into(),
            serial: String::new(),
            sha256,
        };
    };
    let mut names = names(&x509);
    let more_names = names.len().saturating_sub(MOST_NAMES) as u32;
    names.truncate(MOST_NAMES);
    Certificate {
        subject: short(&x509.subject().to_string()),
        issuer: short(&x509.issuer().to_string()),
        names,
        more_names,
        not_before: x509.validity().not_before.timestamp(),
        not_after: x509.validity().not_after.timestamp(),
        key: key(x509.public_key()),
        signature: algorithm(&x509.signature_algorithm.algorithm),
        serial: hex::encode(x509.raw_serial()),
        sha256,
    }
}

fn names(x509: &X509Certificate<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for extension in x509.extensions() {
        if let ParsedExtension::SubjectAlternativeName(alternative) = extension.parsed_extension() {
            names.extend(alternative.general_names.iter().map(|name| short(&general(name))));
        }
    }
    names
}

fn general(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => address(bytes),
        GeneralName::RFC822Name(name) => format!("email:{name}"),
        GeneralName::URI(uri) => format!("URI:{uri}"),
        GeneralName::DirectoryName(name) => format!("DN:{name}"),
        GeneralName::RegisteredID(oid) => format!("ID:{oid}"),
        GeneralName::OtherName(oid, _) => format!("other:{oid}"),
        GeneralName::X400Address(_) => "an X.400 address".into(),
        GeneralName::EDIPartyName(_) => "an EDI party".into(),
        GeneralName::Invalid(tag, _) => format!("a name of unknown kind {tag}"),
    }
}

fn address(bytes: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        std::net::Ipv4Addr::from(v4).to_string()
    } else if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
        std::net::Ipv6Addr::from(v6).to_string()
    } else {
        format!("address {}", hex::encode(bytes))
    }
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> String {
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => {
            let curve = info.algorithm.parameters.as_ref();
            match curve.and_then(|curve| curve.as_oid().ok()) {
                Some(oid) => format!("EC {}", algorithm(&oid)),
                None => format!("EC {}", point.key_size()),
            }
        }
        Ok(
            PublicKey::DSA(_)
            | PublicKey::GostR3410(_)
            | PublicKey::GostR3410_2012(_)
            | PublicKey::Unknown(_),
        )
        | Err(_) => algorithm(&info.algorithm.algorithm),
    }
}

/// The name of an algorithm, or its number.
fn algorithm(oid: &Oid<'_>) -> String {
    // These are not in the registry.
    match oid.to_id_string().as_str() {
        "1.3.101.112" => return "Ed25519".into(),
        "1.3.101.113" => return "Ed448".into(),
        "1.2.840.10045.3.1.7" => return "P-256".into(),
        "1.3.132.0.34" => return "P-384".into(),
        "1.3.132.0.35" => return "P-521".into(),
        _ => {}
    }
    oid2sn(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned)
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, date_time_ymd};

    use super::*;

    fn certificate(names: Vec<String>, key: &KeyPair) -> Certificate {
        let mut params = CertificateParams::new(names).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "host \u{202e}name");
        params.not_before = date_time_ymd(2001, 9, 9);
        params.not_after = date_time_ymd(2030, 1, 1);
        describe(params.self_signed(key).unwrap().der())
    }

    #[test]
    fn a_certificate_is_told_in_words() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let names = ["example.org", "*.example.org", "192.0.2.1", "2001:db8::1"];
        let told = certificate(names.map(str::to_owned).to_vec(), &key);
        assert_eq!(told.names, names);
        assert_eq!(told.subject, "CN=host \u{202e}name");
        assert_eq!(told.issuer, told.subject);
        assert_eq!((told.not_before, told.not_after), (999_993_600, 1_893_456_000));
        assert_eq!(
            (told.key.as_str(), told.signature.as_str()),
            ("EC P-384", "ecdsa-with-SHA384")
        );
        assert_eq!(told.sha256.len(), 64);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let names = (0..53).map(|number| format!("{number}.example.org")).collect();
        let told = certificate(names, &key);
        assert_eq!((told.names.len(), told.more_names), (50, 3));
        assert_eq!(
            (told.key.as_str(), told.signature.as_str()),
            ("Ed25519", "Ed25519")
        );
    }

    #[test]
    fn what_cannot_be_read_has_a_fingerprint() {
        let told = describe(b"no certificate");
        assert_eq!(told.subject, "not readable");
        assert_eq!(told.sha256.len(), 64);
    }
}
