//! The curve P-521, which ring does not have: signatures and key exchange.
//!
//! Signatures alone are not enough. In TLS 1.2 a server shows a P-521 certificate only to clients that list the curve among
//! their key exchange groups (RFC 8422, section 5.1).

use p521::ecdsa::signature::hazmat::PrehashVerifier;
use p521::ecdsa::{Signature, VerifyingKey};
use p521::elliptic_curve::sec1::ToSec1Point;
use p521::{FieldBytes, PublicKey, SecretKey};
use ring::digest::{self, Algorithm, digest};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use rustls::{Error, NamedGroup, PeerMisbehaved};

use super::certificate::integers;

pub(super) const SHA512: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { digest: &digest::SHA512, name: alg_id::ECDSA_SHA512 };
pub(super) const SHA384: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { digest: &digest::SHA384, name: alg_id::ECDSA_SHA384 };
pub(super) const SHA256: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { digest: &digest::SHA256, name: alg_id::ECDSA_SHA256 };

/// ECDSA with P-521 and a hash function.
#[derive(Debug)]
struct Ecdsa {
    digest: &'static Algorithm,
    name: AlgorithmIdentifier,
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.name
    }

    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = uncompressed(key).and_then(|key| VerifyingKey::from_sec1_bytes(key).ok()).ok_or(InvalidSignature)?;
        let signature = read(signature).ok_or(InvalidSignature)?;
        let hash = digest(self.digest, message);
        key.verify_prehash(hash.as_ref(), &signature).map_err(|_| InvalidSignature)
    }
}

/// Reads a signature (`ECDSA-Sig-Value`, RFC 3279).
fn read(mut der: &[u8]) -> Option<Signature> {
    let (r, s) = integers(&mut der)?;
    if !der.is_empty() {
        return None;
    }
    Signature::from_scalars(field(r)?, field(s)?).ok()
}

/// Pads a number with leading zeros.
fn field(number: &[u8]) -> Option<FieldBytes> {
    let mut bytes = FieldBytes::default();
    let zeros = bytes.len().checked_sub(number.len())?;
    bytes[zeros..].copy_from_slice(number);
    Some(bytes)
}

/// Returns the point if it is uncompressed; TLS allows no other form.
fn uncompressed(point: &[u8]) -> Option<&[u8]> {
    (point.first() == Some(&4)).then_some(point)
}

/// ECDH with P-521.
#[derive(Debug)]
pub(super) struct Group;

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut bytes = FieldBytes::default();
        loop {
            SystemRandom::new().fill(&mut bytes).map_err(|_| GetRandomFailed)?;
            // 521 bits. About one in 2^260 of these numbers is not a key; the loop then draws again.
            bytes[0] &= 1;
            if let Ok(secret) = SecretKey::from_bytes(&bytes) {
                let public = secret.public_key().to_sec1_point(false).as_bytes().into();
                return Ok(Box::new(Exchange { secret, public }));
            }
        }
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

struct Exchange {
    secret: SecretKey,
    public: Box<[u8]>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, theirs: &[u8]) -> Result<SharedSecret, Error> {
        let theirs = uncompressed(theirs).and_then(|point| PublicKey::from_sec1_bytes(point).ok());
        let theirs = theirs.ok_or(PeerMisbehaved::InvalidKeyShare)?;
        Ok(self.secret.diffie_hellman(&theirs).raw_secret_bytes().as_slice().into())
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

#[cfg(test)]
mod tests {
    use p521::ecdsa::SigningKey;
    use p521::ecdsa::signature::hazmat::PrehashSigner;

    use super::*;

    fn der(signature: &Signature) -> Vec<u8> {
        let (r, s) = signature.split_bytes();
        let number = |number: FieldBytes| [&[2, 66], number.as_slice()].concat();
        [vec![0x30, 0x81, 136], number(r), number(s)].concat()
    }

    #[test]
    fn a_signature_counts_for_one_message_and_one_key() {
        let secret = SigningKey::from_bytes(&FieldBytes::from([1; 66])).unwrap();
        let key = secret.verifying_key().to_sec1_point(false);
        for (algorithm, hash) in [(SHA256, &digest::SHA256), (SHA384, &digest::SHA384), (SHA512, &digest::SHA512)] {
            let signature = der(&secret.sign_prehash(digest(hash, b"message").as_ref()).unwrap());
            let verify =
                |key: &[u8], message, signature: &[u8]| algorithm.verify_signature(key, message, signature).is_ok();
            assert!(verify(key.as_bytes(), b"message", &signature));
            assert!(!verify(key.as_bytes(), b"massage", &signature));
            assert!(
                !verify(secret.verifying_key().to_sec1_point(true).as_bytes(), b"message", &signature),
                "compressed"
            );
            assert!(!verify(&[], b"message", &signature));
            assert!(!verify(key.as_bytes(), b"message", &[&signature[..], &[0]].concat()), "more than a signature");
            for at in (0..signature.len()).step_by(5) {
                let mut damaged = signature.clone();
                damaged[at] ^= 1;
                assert!(!verify(key.as_bytes(), b"message", &damaged), "byte {at}");
                assert!(!verify(key.as_bytes(), b"message", &signature[..at]), "{at} bytes");
            }
        }
    }

    #[test]
    fn both_sides_get_the_same_secret_and_bad_points_are_refused() {
        let start = || Group.start().unwrap();
        let (ours, theirs) = (start(), start());
        let public = [ours.pub_key().to_vec(), theirs.pub_key().to_vec()];
        assert_ne!(public[0], public[1]);
        let secrets = [ours.complete(&public[1]).unwrap(), theirs.complete(&public[0]).unwrap()];
        assert_eq!(secrets[0].secret_bytes(), secrets[1].secret_bytes());
        assert_eq!(secrets[0].secret_bytes().len(), 66);
        let mut aside = public[0].clone();
        aside[132] ^= 1;
        let compressed = [&[2 + (public[0][132] & 1)], &public[0][1..67]].concat();
        for point in [&[][..], &[0], &[4], &public[0][..132], &aside, &compressed] {
            assert!(start().complete(point).is_err(), "{} bytes", point.len());
        }
    }
}
