//! Generates a certificate authority and a server certificate at every start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use ring::digest;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The server's certificate, ready to serve with.
pub struct Identity {
    /// Accepts TLS 1.2 and 1.3.
    pub acceptor: TlsAcceptor,
    /// SHA-256 of the certificate, `AA:BB:…`.
    pub sha256: String,
    /// SHA-1 of the certificate, `AA:BB:…`.
    pub sha1: String,
    /// The file with the authority's certificate (PEM), if it was written.
    pub authority: Option<PathBuf>,
}

/// Reasons why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate could not be generated
    #[error("the certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The key was rejected
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// The files could not be written
    #[error("the certificate could not be written: {0}")]
    Write(#[from] std::io::Error),
}

fn thumbprint(algorithm: &'static digest::Algorithm, der: &[u8]) -> String {
    let bytes = digest::digest(algorithm, der);
    let pairs: Vec<String> = bytes.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// Generates a certificate for localhost and the simulator's name. Writes ca.pem and server.pem to `directory`, if given.
pub fn make(directory: Option<&Path>) -> Result<Identity, Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "nested-vft lab CA");
    let authority_certificate = authority.self_signed(&authority_key)?;
    let key = KeyPair::generate()?;
    let names = ["127.0.0.1", "::1", "localhost", "vcenter.lab.local"];
    let mut server = CertificateParams::new(names.map(ToOwned::to_owned))?;
    server.distinguished_name.push(DnType::CommonName, "vcenter.lab.local");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let issuer = Issuer::new(authority, authority_key);
    let certificate = server.signed_by(&key, &issuer)?;
    let mut written = None;
    if let Some(directory) = directory {
        std::fs::create_dir_all(directory)?;
        let path = directory.join("ca.pem");
        std::fs::write(&path, authority_certificate.pem())?;
        std::fs::write(directory.join("server.pem"), certificate.pem())?;
        written = Some(path);
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![certificate.der().clone(), authority_certificate.der().clone()];
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    Ok(Identity {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        sha256: thumbprint(&digest::SHA256, certificate.der()),
        sha1: thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der()),
        authority: written,
    })
}
