//! Making certificates: for a server of our own, and in the name of others by the local authority.

use std::net::IpAddr;

use chrono::{DateTime, Datelike as _, Days, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::TlsError;
use super::pem::Identity;

/// Days that a certificate made on the spot lasts: it serves one run of the program.
const DAYS: u64 = 10;

/// Days that the local authority lasts. Whoever trusts it should not do so for ever.
const AUTHORITY_DAYS: u64 = 365;

/// The longest common name (RFC 5280 appendix A.1, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;

/// Somebody who issues certificates.
pub(super) type Authority = Issuer<'static, KeyPair>;

/// The key and the certificate of an authority.
pub(super) struct Made {
    /// The key (PKCS #8) in PEM.
    pub(super) key: String,
    /// The certificate in PEM.
    pub(super) certificate: String,
}

/// A certificate for these names and addresses that nobody but itself has issued, and its key. `now` is when it starts.
pub(super) fn self_signed(
    names: &[String],
    addresses: &[IpAddr],
    now: DateTime<Utc>,
) -> Result<Identity, TlsError> {
    let first = names.first().map_or("localhost", String::as_str);
    let params = server(first, names, addresses, now)?;
    let key = key()?;
    let certificate = params.self_signed(&key).map_err(|error| wrong(&error))?;
    Ok((vec![certificate.der().clone()], private(&key)))
}

/// A certificate for this name or address by `authority`, and its key.
pub(super) fn issued(name: &str, authority: &Authority, now: DateTime<Utc>) -> Result<Identity, TlsError> {
    let params = match name.parse::<IpAddr>() {
        Ok(address) => server(name, &[], &[address], now),
        Err(_) => server(name, &[name.to_owned()], &[], now),
    }?;
    // A key of its own: its hash makes the serial number, and no authority may use one twice.
    let key = key()?;
    let certificate = params.signed_by(&key, authority).map_err(|error| wrong(&error))?;
    Ok((vec![certificate.der().clone()], private(&key)))
}

/// A new authority of that name. It can issue certificates of servers, and make nobody else an authority.
///
/// Its names are not constrained (RFC 5280 §4.2.1.10): which servers are to be intercepted is not known yet.
pub(super) fn authority(name: &str, now: DateTime<Utc>) -> Result<Made, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    last(&mut params, AUTHORITY_DAYS, now);
    let key = key()?;
    let certificate = params.self_signed(&key).map_err(|error| wrong(&error))?;
    Ok(Made {
        key: key.serialize_pem(),
        certificate: certificate.pem(),
    })
}

fn server(
    first: &str,
    names: &[String],
    addresses: &[IpAddr],
    now: DateTime<Utc>,
) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names.to_vec()).map_err(|error| wrong(&error))?;
    let addresses = addresses.iter().copied().map(SanType::IpAddress);
    params.subject_alt_names.extend(addresses);
    let fits = first.len() <= LONGEST_COMMON_NAME;
    params.distinguished_name = subject(if fits { first } else { "sockscope" });
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    last(&mut params, DAYS, now);
    Ok(params)
}

fn subject(name: &str) -> rcgen::DistinguishedName {
    let mut subject = rcgen::DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// From the day before, since clocks differ, for so many days.
fn last(params: &mut CertificateParams, days: u64, now: DateTime<Utc>) {
    let day = |at: DateTime<Utc>| date_time_ymd(at.year(), at.month() as u8, at.day() as u8);
    params.not_before = day(now.checked_sub_days(Days::new(1)).unwrap_or(now));
    params.not_after = day(now.checked_add_days(Days::new(days)).unwrap_or(now));
}

fn key() -> Result<KeyPair, TlsError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| wrong(&error))
}

fn private(key: &KeyPair) -> rustls::pki_types::PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// An error of the library that makes them.
fn wrong(error: &rcgen::Error) -> TlsError {
    TlsError::Issue(error.to_string())
}
