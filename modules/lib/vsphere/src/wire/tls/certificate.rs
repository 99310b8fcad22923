//! Reads the public key of an X.509 certificate, even if webpki refuses the certificate.

use rustls::pki_types::alg_id;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
/// The explicit tag `[0]` of the version, which version 1 leaves out.
const VERSION: u8 = 0xa0;

/// A certificate's public key, as its `SubjectPublicKeyInfo` holds it (RFC 5280, section 4.1.2.7).
#[derive(Clone, Copy)]
pub(super) struct PublicKey<'a> {
    /// The contents of the `AlgorithmIdentifier`, comparable with [`alg_id`].
    pub(super) algorithm: &'a [u8],
    /// The key itself.
    pub(super) bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Reads the key of a certificate of any version (DER).
    pub(super) fn of(certificate: &'a [u8]) -> Option<Self> {
        let mut der = certificate;
        let mut certificate = element(&mut der, SEQUENCE)?;
        let mut fields = element(&mut certificate, SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            element(&mut fields, VERSION)?;
        }
        // Serial number, signature algorithm, issuer, validity, subject.
        for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
            element(&mut fields, tag)?;
        }
        let mut info = element(&mut fields, SEQUENCE)?;
        let algorithm = element(&mut info, SEQUENCE)?;
        let (unused, bits) = element(&mut info, BIT_STRING)?.split_first()?;
        (*unused == 0).then_some(Self { algorithm, bits })
    }

    /// Returns the modulus and the exponent of an RSA key.
    pub(super) fn rsa(&self) -> Option<(&'a [u8], &'a [u8])> {
        if self.algorithm != alg_id::RSA_ENCRYPTION.as_ref() {
            return None;
        }
        let mut der = self.bits;
        integers(&mut der)
    }

    /// Returns the length of an RSA key's modulus in bits.
    pub(super) fn rsa_bits(&self) -> Option<usize> {
        self.rsa().map(|(modulus, _)| bits(modulus))
    }

    /// True if this is an RSA key that ring refuses.
    pub(super) fn is_short_rsa(&self) -> bool {
        self.rsa().is_some_and(|(modulus, _)| modulus.len() < 256)
    }
}

/// Reads a sequence of two positive integers, each as bytes without leading zeros.
pub(super) fn integers<'a>(der: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut pair = element(der, SEQUENCE)?;
    let (first, second) = (element(&mut pair, INTEGER)?, element(&mut pair, INTEGER)?);
    Some((trimmed(first), trimmed(second)))
}

/// Returns the number of bits of a big-endian number without leading zero bytes.
pub(super) fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn trimmed(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

/// Takes the contents of the next element, which must have this tag, off the front.
fn element<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // A certificate has at most 2^24 bytes in TLS.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    *der = rest;
    (*found == tag).then_some(contents)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn certificate() -> Vec<u8> {
        rcgen::generate_simple_self_signed(["host".to_owned()]).unwrap().cert.der().to_vec()
    }

    #[test]
    fn the_key_is_found() {
        let der = certificate();
        let key = PublicKey::of(&der).unwrap();
        assert_eq!((key.algorithm, key.bits.len()), (alg_id::ECDSA_P256.as_ref(), 65));
        assert_eq!(key.rsa_bits(), None);
    }

    #[test]
    fn a_cut_certificate_has_no_key() {
        let der = certificate();
        for end in 0..der.len() {
            assert!(PublicKey::of(&der[..end]).is_none(), "{end} bytes");
        }
    }

    #[test]
    fn bits_are_counted() {
        for (number, count) in [(&[][..], 0), (&[1], 1), (&[0x80], 8), (&[1, 0], 9)] {
            assert_eq!(bits(number), count, "{number:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(der in any::<Vec<u8>>(), at in 0_usize..400, byte in any::<u8>()) {
            let _ = PublicKey::of(&der);
            let mut damaged = certificate();
            let at = at % damaged.len();
            damaged[at] = byte;
            if let Some(key) = PublicKey::of(&damaged) {
                let _ = key.rsa_bits();
            }
        }
    }
}
