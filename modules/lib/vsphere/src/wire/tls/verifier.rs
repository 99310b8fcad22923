//! Verifies a server's certificate, and explains failed verifications and handshakes.
//!
//! The machine's CA certificates decide by webpki's rules. Where any certificate is accepted or one is pinned, webpki is left
//! out, because it refuses certificates of version 1, and ring refuses short keys. The server's signature over the handshake
//! is then verified with the bare public key.

use std::env;
use std::sync::{Arc, LazyLock, Mutex};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, OtherError, PeerMisbehaved, RootCertStore,
    SignatureScheme,
};

use super::certificate::PublicKey;
use super::{p521, reason, rsa};
use crate::wire::endpoint::Trust;
use crate::wire::error::TlsError;
use crate::wire::thumbprint::Thumbprint;
use crate::wire::tls_version::TlsMinimum;

/// The algorithms of ring, followed by those of the curve P-521.
static ALGORITHMS: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
    type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];
    const ALL: Algorithms = &[p521::SHA512, p521::SHA384, p521::SHA256];
    let ring = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let mut mapping = ring.mapping.to_vec();
    for (scheme, algorithms) in &mut mapping {
        // In TLS 1.2 a scheme names only the hash function, not the curve.
        let more: Algorithms = match *scheme {
            SignatureScheme::ECDSA_NISTP384_SHA384 => &[p521::SHA384],
            SignatureScheme::ECDSA_NISTP256_SHA256 => &[p521::SHA256],
            _ => continue,
        };
        *algorithms = [algorithms, more].concat().leak();
    }
    mapping.push((SignatureScheme::ECDSA_NISTP521_SHA512, &[p521::SHA512]));
    WebPkiSupportedAlgorithms { all: [ring.all, ALL].concat().leak(), mapping: mapping.leak() }
});

fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.kx_groups.push(&p521::Group);
    provider.signature_verification_algorithms = *ALGORITHMS;
    provider
}

fn system_roots(provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    // System stores often contain a certificate that cannot be read; that is no reason to fail.
    roots.add_parsable_certificates(loaded.certs);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|_| TlsError::NoRoots(no_roots(&loaded.errors)))
}

/// Says why there are no CA certificates.
fn no_roots(errors: &[rustls_native_certs::Error]) -> String {
    let given = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find_map(|name| Some((name, env::var_os(name)?)));
    let Some((name, path)) = given else {
        return "this machine has no CA certificates to verify the server's certificate".to_owned();
    };
    let why = match errors.first().map(|error| &error.kind) {
        Some(rustls_native_certs::ErrorKind::Io { inner, .. }) => inner.to_string(),
        _ => "no CA certificate is in it".to_owned(),
    };
    format!("{name} is set to {}, which cannot be used: {why}", path.display())
}

#[derive(Debug)]
enum Policy {
    Roots(Arc<WebPkiServerVerifier>),
    Anything,
    Pinned(Thumbprint),
}

/// Verifies a server's certificate by the policy, and under every policy that the server owns the certificate's key.
#[derive(Debug)]
pub(crate) struct Verifier {
    policy: Policy,
    host: String,
    minimum: TlsMinimum,
    provider: Arc<CryptoProvider>,
    /// The last server certificate that was verified (DER), so that an error can show its thumbprints.
    seen: Mutex<Option<Vec<u8>>>,
}

impl Verifier {
    /// Creates a verifier for connections to `host` with the TLS version `minimum` or newer.
    pub(crate) fn new(host: &str, trust: &Trust, minimum: TlsMinimum) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(provider());
        let policy = match trust {
            Trust::System => Policy::Roots(system_roots(&provider)?),
            Trust::Anything => Policy::Anything,
            Trust::Thumbprint(thumbprint) => Policy::Pinned(thumbprint.clone()),
        };
        Ok(Arc::new(Self { policy, host: host.to_owned(), minimum, provider, seen: Mutex::default() }))
    }

    /// Returns TLS settings that use this verifier.
    pub(crate) fn config(self: &Arc<Self>) -> Result<ClientConfig, TlsError> {
        Ok(ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Other(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_no_client_auth())
    }

    /// Verifies the certificate chain (DER, the server's own first) of a handshake that another library than rustls did.
    #[cfg(feature = "legacy-tls")]
    pub(crate) fn check(&self, chain: Vec<Vec<u8>>) -> Result<(), TlsError> {
        let mut chain = chain.into_iter().map(CertificateDer::from);
        let server = chain.next().ok_or_else(|| TlsError::Other("the server sent no certificate".to_owned()))?;
        let issuers: Vec<_> = chain.collect();
        let name = ServerName::try_from(self.host.as_str());
        let name = name.map_err(|_| TlsError::Other(format!("`{}` is not a valid host name", self.host)))?;
        let verdict = self.verify_server_cert(&server, &issuers, &name, &[], UnixTime::now());
        verdict.map(drop).map_err(|error| self.explain(&error))
    }

    /// Explains a failed handshake.
    pub(crate) fn explain(&self, error: &rustls::Error) -> TlsError {
        use rustls::PeerIncompatible as P;
        match error {
            rustls::Error::InvalidCertificate(certificate) => self.refusal(certificate),
            rustls::Error::InvalidMessage(_) => TlsError::NotTls,
            rustls::Error::PeerIncompatible(
                P::ServerDoesNotSupportTls12Or13 | P::ServerTlsVersionIsDisabledByOurConfig,
            ) => self.too_old("the server chose an older one"),
            rustls::Error::PeerIncompatible(_) => {
                self.too_old("the server supports none of them, or only ciphers older than TLS 1.2")
            }
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => self.too_old("the server refused them"),
            rustls::Error::AlertReceived(
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
            ) => self
                .too_old("the server refused the handshake; it probably supports only older TLS versions or ciphers"),
            other => TlsError::Other(other.to_string()),
        }
    }

    /// Explains that the server closed the connection during the handshake.
    pub(crate) fn hung_up(&self) -> TlsError {
        self.too_old(
            "the server closed the connection during the handshake; it probably supports only older TLS versions",
        )
    }

    fn too_old(&self, detail: &str) -> TlsError {
        TlsError::TooOld { minimum: self.minimum, detail: detail.to_owned() }
    }

    fn refusal(&self, error: &CertificateError) -> TlsError {
        if let CertificateError::Other(OtherError(cause)) = error
            && let Some(no_proof) = cause.downcast_ref::<NoProof>()
        {
            return match no_proof {
                NoProof::OtherKey => TlsError::Unproven,
                other => TlsError::Other(other.to_string()),
            };
        }
        let der = self.seen.lock().ok().and_then(|seen| seen.clone()).unwrap_or_default();
        let (sha256, sha1) = (Thumbprint::sha256(&der).to_string(), Thumbprint::sha1(&der).to_string());
        match &self.policy {
            Policy::Pinned(expected) => TlsError::ThumbprintMismatch { expected: expected.to_string(), sha256, sha1 },
            _ => TlsError::Untrusted { reason: reason::of(error, &self.host, &der), sha256, sha1 },
        }
    }

    /// Verifies that the server signed `message` with the key of its certificate.
    fn verify_proof(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        by_webpki: ByWebPki,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let key = PublicKey::of(certificate);
        if let Policy::Roots(_) = self.policy {
            let verdict = by_webpki(message, certificate, signed, algorithms);
            // A short key stays a bad signature, which `reason` explains.
            let long = key.is_some_and(|key| !key.is_short_rsa());
            return verdict
                .map_err(|error| if long && error == BAD_SIGNATURE { NoProof::OtherKey.into() } else { error });
        }
        let key = key.ok_or(NoProof::Unreadable)?;
        let scheme = signed.scheme;
        let usable = algorithms.mapping.iter().filter(|(known, _)| *known == scheme).flat_map(|(_, usable)| *usable);
        let mut usable = usable.filter(|usable| usable.public_key_alg_id().as_ref() == key.algorithm).peekable();
        if usable.peek().is_none() && key.rsa().is_none() {
            return Err(NoProof::Unsupported(scheme).into());
        }
        if usable.any(|usable| usable.verify_signature(key.bits, message, signed.signature()).is_ok())
            || rsa::verify(scheme, &key, message, signed.signature())
        {
            return Ok(HandshakeSignatureValid::assertion());
        }
        Err(NoProof::OtherKey.into())
    }
}

const BAD_SIGNATURE: rustls::Error = rustls::Error::InvalidCertificate(CertificateError::BadSignature);

type ByWebPki = fn(
    &[u8],
    &CertificateDer<'_>,
    &DigitallySignedStruct,
    &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, rustls::Error>;

/// Why a server has not proved that it holds its certificate's key.
#[derive(Debug, thiserror::Error)]
enum NoProof {
    #[error("the signature is not by that key")]
    OtherKey,
    #[error("this client cannot verify {0:?} signatures by the kind of key in the server's certificate")]
    Unsupported(SignatureScheme),
    #[error("the server's certificate cannot be parsed")]
    Unreadable,
}

impl From<NoProof> for rustls::Error {
    fn from(cause: NoProof) -> Self {
        CertificateError::Other(OtherError(Arc::new(cause))).into()
    }
}

impl ServerCertVerifier for Verifier {
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
        self.verify_proof(message, cert, dss, verify_tls12_signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        use SignatureScheme as S;
        // Offered for TLS 1.2 only (RFC 8446, section 4.2.3).
        if matches!(dss.scheme, S::RSA_PKCS1_SHA1 | S::RSA_PKCS1_SHA256 | S::RSA_PKCS1_SHA384 | S::RSA_PKCS1_SHA512) {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        self.verify_proof(message, cert, dss, verify_tls13_signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        if !matches!(self.policy, Policy::Roots(_)) {
            // Last, for servers that know nothing better.
            schemes.push(SignatureScheme::RSA_PKCS1_SHA1);
        }
        schemes
    }
}
