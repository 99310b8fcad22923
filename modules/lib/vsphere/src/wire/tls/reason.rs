//! Describes why webpki refuses a certificate.

use rustls::CertificateError;

use super::certificate::PublicKey;

/// `id-sha1WithRSAEncryption` and `ecdsa-with-SHA1` (RFC 3279).
const SHA1: [&[u8]; 2] = [b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", b"\x2a\x86\x48\xce\x3d\x04\x01"];

/// Describes why the certificate `der` of the server `host` is not trusted.
pub(super) fn of(error: &CertificateError, host: &str, der: &[u8]) -> String {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => "it is self-signed, or its issuer is unknown to this machine".to_owned(),
        E::Expired | E::ExpiredContext { .. } => "it has expired".to_owned(),
        E::NotValidYet | E::NotValidYetContext { .. } => "it is not valid yet; the clocks may differ".to_owned(),
        E::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            format!("its subject alternative names do not include `{host}`; a common name is not enough")
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => format!("it is not valid for `{host}`"),
        E::Revoked => "it has been revoked".to_owned(),
        E::BadEncoding => "it is damaged".to_owned(),
        E::BadSignature => match PublicKey::of(der).filter(PublicKey::is_short_rsa).and_then(|key| key.rsa_bits()) {
            Some(bits) => format!("its RSA key has {bits} bits, and at least 2048 are required"),
            None => {
                "its signature does not match its issuer's key, or that is an RSA key of less than 2048 bits".to_owned()
            }
        },
        E::UnsupportedSignatureAlgorithmContext { signature_algorithm_id, .. }
            if SHA1.iter().any(|sha1| signature_algorithm_id.windows(sha1.len()).any(|part| part == *sha1)) =>
        {
            "it or its issuer is signed with SHA-1, which is no longer secure".to_owned()
        }
        E::UnsupportedSignatureAlgorithmContext { .. } | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "this client cannot verify its kind of key or signature".to_owned()
        }
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "it is not a server certificate".to_owned(),
        other => match format!("{other:?}") {
            text if text.contains("CaUsedAsEndEntity") => {
                "it is a CA certificate, which may not identify a server".to_owned()
            }
            text if text.contains("UnsupportedCertVersion") => {
                "it is an X.509 certificate of version 1, and version 3 is required".to_owned()
            }
            _ => other.to_string(),
        },
    }
}
