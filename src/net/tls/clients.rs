//! The check of a client's certificate, where a server asks for one; its result is kept for the log whatever follows
//! from it.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use crate::model::Verdict;

use super::certificate::describe_all;
use super::config::Common;
use super::seen::{Latest, Seen};
use super::{TlsError, words};

/// Checks clients' certificates and remembers what it saw.
#[derive(Debug)]
pub(super) struct Doorkeeper {
    checker: Arc<dyn ClientCertVerifier>,
    latest: Latest,
}

impl Doorkeeper {
    /// One that lets nobody in without a certificate by one of `roots`.
    pub(super) fn new(common: &Common, roots: RootCertStore) -> Result<Doorkeeper, TlsError> {
        let provider = Arc::clone(&common.provider);
        let checker = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| TlsError::Server(error.to_string()))?;
        Ok(Doorkeeper {
            checker,
            latest: Latest::default(),
        })
    }

    /// What the check that was called last has seen; no longer there afterwards.
    pub(super) fn take_latest(&self) -> Option<Seen> {
        self.latest.take()
    }
}

impl ClientCertVerifier for Doorkeeper {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.checker.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let result = self.checker.verify_client_cert(end_entity, intermediates, now);
        let verdict = match &result {
            Ok(_) => Verdict::Trusted,
            Err(error) => Verdict::Refused(words::doubt_of_client(error)),
        };
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        let chain = describe_all(&chain);
        self.latest.leave(Seen { verdict, chain });
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checker.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checker.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.checker.supported_verify_schemes()
    }
}
