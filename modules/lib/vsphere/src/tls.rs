//! How a server's certificate is judged, and what is said when the judgement or the handshake fails.

use std::sync::{Arc, Mutex};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::TlsError;
use crate::thumbprint::Thumbprint;
use crate::tls_version::TlsMinimum;
use crate::transport::Trust;

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

/// Judges a server's certificate by the policy, and explains. That the server owns the certificate's key is verified under
/// every policy.
#[derive(Debug)]
pub(crate) struct Judge {
    policy: Policy,
    host: String,
    minimum: TlsMinimum,
    provider: Arc<CryptoProvider>,
    /// The last server certificate that was judged (DER), so that an error can show its thumbprints.
    seen: Mutex<Option<Vec<u8>>>,
}

impl Judge {
    /// For connections to `host` that are at least of the TLS version `minimum`.
    pub(crate) fn new(host: &str, trust: &Trust, minimum: TlsMinimum) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let policy = match trust {
            Trust::System => Policy::Roots(system_roots(&provider)?),
            Trust::Anything => Policy::Anything,
            Trust::Thumbprint(thumbprint) => Policy::Pinned(thumbprint.clone()),
        };
        Ok(Arc::new(Self { policy, host: host.to_owned(), minimum, provider, seen: Mutex::default() }))
    }

    /// The TLS settings with which this judge decides.
    pub(crate) fn config(self: &Arc<Self>) -> Result<ClientConfig, TlsError> {
        Ok(ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Other(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_no_client_auth())
    }

    /// Judges a certificate chain (DER, the server's own first) that came in a handshake which was not rustls'.
    #[cfg(feature = "legacy-tls")]
    pub(crate) fn check(&self, chain: Vec<Vec<u8>>) -> Result<(), TlsError> {
        let mut chain = chain.into_iter().map(CertificateDer::from);
        let server = chain.next().ok_or_else(|| TlsError::Other("the server shows no certificate".to_owned()))?;
        let issuers: Vec<_> = chain.collect();
        let name = ServerName::try_from(self.host.as_str());
        let name = name.map_err(|_| TlsError::Other(format!("`{}` is no host name", self.host)))?;
        let verdict = self.verify_server_cert(&server, &issuers, &name, &[], UnixTime::now());
        verdict.map(drop).map_err(|error| self.explain(&error))
    }

    /// What a failed handshake means.
    pub(crate) fn explain(&self, error: &rustls::Error) -> TlsError {
        use rustls::PeerIncompatible as P;
        match error {
            rustls::Error::InvalidCertificate(certificate) => self.refusal(certificate),
            rustls::Error::InvalidMessage(_) => TlsError::NotTls,
            rustls::Error::PeerIncompatible(
                P::ServerDoesNotSupportTls12Or13 | P::ServerTlsVersionIsDisabledByOurConfig,
            ) => self.too_old("the server chose an older one"),
            rustls::Error::PeerIncompatible(_) => {
                self.too_old("the server offers none of them, or only ciphers from before TLS 1.2")
            }
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => self.too_old("the server refuses them"),
            rustls::Error::AlertReceived(
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
            ) => self.too_old("the server refused the handshake; probably it only has older TLS versions or ciphers"),
            other => TlsError::Other(other.to_string()),
        }
    }

    /// What it means that the server hangs up during the handshake.
    pub(crate) fn hung_up(&self) -> TlsError {
        self.too_old("the server closed the connection during the handshake; probably it only has older TLS versions")
    }

    fn too_old(&self, detail: &str) -> TlsError {
        TlsError::TooOld { minimum: self.minimum, detail: detail.to_owned() }
    }

    fn refusal(&self, error: &CertificateError) -> TlsError {
        let der = self.seen.lock().ok().and_then(|seen| seen.clone());
        let shown = |of: fn(&[u8]) -> Thumbprint| der.as_deref().map_or_else(String::new, |der| of(der).to_string());
        let (sha256, sha1) = (shown(Thumbprint::sha256), shown(Thumbprint::sha1));
        if let Policy::Pinned(expected) = &self.policy
            && matches!(error, CertificateError::ApplicationVerificationFailure)
        {
            return TlsError::ThumbprintMismatch { expected: expected.to_string(), sha256, sha1 };
        }
        TlsError::Untrusted { reason: reason(error, &self.host), sha256, sha1 }
    }
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
