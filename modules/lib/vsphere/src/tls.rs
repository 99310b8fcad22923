//! How a server's certificate is judged, and what is said when the judgement or the handshake fails.

use std::sync::{Arc, Mutex};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::TlsError;
use crate::thumbprint::Thumbprint;
use crate::transport::Trust;

/// The last server certificate that was judged (DER), so that an error can show its thumbprints.
pub(crate) type Seen = Arc<Mutex<Option<Vec<u8>>>>;

/// The TLS settings for `trust`, and where the seen certificate will be.
pub(crate) fn config(trust: &Trust) -> Result<(ClientConfig, Seen), TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let seen = Seen::default();
    let policy = match trust {
        Trust::System => Policy::Roots(system_roots(&provider)?),
        Trust::Anything => Policy::Anything,
        Trust::Thumbprint(thumbprint) => Policy::Pinned(thumbprint.clone()),
    };
    let judge = Judge { policy, provider: provider.clone(), seen: seen.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Other(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(judge))
        .with_no_client_auth();
    Ok((config, seen))
}

fn system_roots(provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    // Single unreadable certificates are usual in system stores and no reason to fail.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().map_err(|_| {
        TlsError::Other(
            "this machine has no CA certificates to verify the server's with; pin its thumbprint instead".to_owned(),
        )
    })
}

#[derive(Debug)]
enum Policy {
    Roots(Arc<WebPkiServerVerifier>),
    Anything,
    Pinned(Thumbprint),
}

/// Judges the certificate by the policy. That the server owns the certificate's key is verified under every policy.
#[derive(Debug)]
struct Judge {
    policy: Policy,
    provider: Arc<CryptoProvider>,
    seen: Seen,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Some(end_entity.to_vec());
        }
        match &self.policy {
            Policy::Anything => Ok(ServerCertVerified::assertion()),
            Policy::Pinned(thumbprint) if thumbprint.matches(end_entity) => Ok(ServerCertVerified::assertion()),
            Policy::Pinned(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Policy::Roots(roots) => {
                roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a failed handshake means.
pub(crate) fn explain(error: &rustls::Error, trust: &Trust, host: &str, seen: &Seen) -> TlsError {
    match error {
        rustls::Error::InvalidCertificate(certificate) => judged(certificate, trust, host, seen),
        rustls::Error::InvalidMessage(_) => TlsError::NotTls,
        rustls::Error::PeerIncompatible(_) => TlsError::TooOld {
            detail: "the server offers neither of them, or only ciphers from before TLS 1.2".to_owned(),
        },
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            TlsError::TooOld { detail: "the server refuses both".to_owned() }
        }
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity) => {
            TlsError::TooOld {
                detail: "the server refused the handshake; probably it only has older TLS versions or ciphers"
                    .to_owned(),
            }
        }
        other => TlsError::Other(other.to_string()),
    }
}

/// What it means that the server hangs up during the handshake.
pub(crate) fn hung_up() -> TlsError {
    TlsError::TooOld {
        detail: "the server closed the connection during the handshake; probably it only has older TLS versions"
            .to_owned(),
    }
}

fn judged(error: &CertificateError, trust: &Trust, host: &str, seen: &Seen) -> TlsError {
    let der = seen.lock().ok().and_then(|seen| seen.clone());
    let shown = |of: fn(&[u8]) -> Thumbprint| der.as_deref().map_or_else(String::new, |der| of(der).to_string());
    let (sha256, sha1) = (shown(Thumbprint::sha256), shown(Thumbprint::sha1));
    if let Trust::Thumbprint(expected) = trust
        && matches!(error, CertificateError::ApplicationVerificationFailure)
    {
        return TlsError::ThumbprintMismatch { expected: expected.to_string(), sha256, sha1 };
    }
    TlsError::Untrusted { reason: reason(error, host), sha256, sha1 }
}

fn reason(error: &CertificateError, host: &str) -> String {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => "it is self-signed, or its issuer is unknown to this machine".to_owned(),
        E::Expired | E::ExpiredContext { .. } => "it has expired".to_owned(),
        E::NotValidYet | E::NotValidYetContext { .. } => "it is not valid yet; the clocks may differ".to_owned(),
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            format!("it is not made out to `{host}`")
        }
        E::Revoked => "it has been revoked".to_owned(),
        E::BadEncoding => "it cannot be read; it may be of an outdated kind".to_owned(),
        E::BadSignature => "its signature is wrong".to_owned(),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "it is not made for servers".to_owned(),
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is a self-signed CA certificate, which may not identify a server".to_owned()
        }
        other => other.to_string(),
    }
}
