//! The check of a server's certificate, whose result is kept for the log whatever follows from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::model::Verdict;

use super::certificate::describe_all;
use super::seen::{Latest, Seen};
use super::words;

/// The most servers of which is remembered what they presented.
const MOST_SERVERS: usize = 64;

/// Whose certificates are trusted.
#[derive(Clone, Debug)]
pub(super) enum Trusted {
    /// Those that the system trusts.
    System,
    /// These.
    These(Arc<RootCertStore>),
}

/// Who checks, or why nobody can.
type Checker = Result<Arc<dyn ServerCertVerifier>, String>;

/// Checks servers' certificates and remembers what it saw.
#[derive(Debug)]
pub(super) struct Observer {
    trusted: Trusted,
    /// Made when it is first needed: reading the system's certificates takes its time.
    checker: OnceLock<Checker>,
    insecure: bool,
    provider: Arc<CryptoProvider>,
    latest: Latest,
    /// What was presented last, by the names that were asked for. A session that is resumed presents nothing again.
    earlier: Mutex<HashMap<String, Seen>>,
}

impl Observer {
    /// One that refuses who is not trusted, unless it is `insecure`.
    pub(super) fn new(trusted: Trusted, insecure: bool, provider: Arc<CryptoProvider>) -> Observer {
        Observer {
            trusted,
            checker: OnceLock::new(),
            insecure,
            provider,
            latest: Latest::default(),
            earlier: Mutex::default(),
        }
    }

    /// What the check that was called last has seen; no longer there afterwards.
    pub(super) fn take_latest(&self) -> Option<Seen> {
        self.latest.take()
    }

    /// What the server of that name presented last, if it ever got as far.
    pub(super) fn earlier(&self, name: &str) -> Option<Seen> {
        self.lock().get(name).cloned()
    }

    fn keep(&self, name: &str, presented: Seen) {
        self.latest.leave(presented.clone());
        let mut earlier = self.lock();
        if earlier.len() >= MOST_SERVERS {
            earlier.clear();
        }
        earlier.insert(name.to_owned(), presented);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checker(&self) -> &Checker {
        self.checker.get_or_init(|| match &self.trusted {
            Trusted::These(roots) => {
                WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&self.provider))
                    .build()
                    .map(|verifier| verifier as _)
                    .map_err(|error| error.to_string())
            }
            Trusted::System => Verifier::new(Arc::clone(&self.provider))
                .map(|verifier| Arc::new(verifier) as _)
                .map_err(|_| "this system has no trusted certificates; --ca FILE names some".to_owned()),
        })
    }
}

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = match self.checker() {
            Ok(checker) => checker
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|error| (words::doubt(&error), error)),
            Err(why) => Err((
                why.clone(),
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
            )),
        };
        let (verdict, result) = match checked {
            Ok(verified) => (Verdict::Trusted, Ok(verified)),
            Err((why, _)) if self.insecure => (Verdict::Ignored(why), Ok(ServerCertVerified::assertion())),
            Err((why, error)) => (Verdict::Refused(why), Err(error)),
        };
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        let chain = describe_all(&chain);
        self.keep(&server_name.to_str(), Seen { verdict, chain });
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
