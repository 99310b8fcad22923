//! RSA signatures that ring does not verify: by short keys and very long ones, and over SHA-1.
//!
//! All inputs are public, so constant time is not needed. Exponents are short, so slow arithmetic is fast enough: about a
//! millisecond for 1024 bits. `crypto-bigint` would add 50 kB to each program.

use std::ops::RangeInclusive;

use ring::digest::{self, Algorithm, digest};
use ring::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::SignatureScheme;

use super::certificate::{PublicKey, bits};

/// The lengths of a modulus, in bytes, that ring accepts.
const RING: RangeInclusive<usize> = 256..=1024;
/// The longest modulus, in bytes: longer ones would let a server keep this client busy for long.
const LONGEST: usize = 1024;
/// The largest exponent, as ring has it.
const LARGEST: u64 = (1 << 33) - 1;

/// Verifies a signature that ring does not; returns false for all others.
pub(super) fn verify(scheme: SignatureScheme, key: &PublicKey<'_>, message: &[u8], signature: &[u8]) -> bool {
    let Some((modulus, exponent)) = key.rsa() else { return false };
    // With an exponent of 1, anybody could sign (RFC 8017, section 3.1).
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    if !odd(modulus) || !odd(exponent) || number(exponent).is_none_or(|exponent| exponent < 3) {
        return false;
    }
    if RING.contains(&modulus.len()) {
        return scheme == SignatureScheme::RSA_PKCS1_SHA1
            && UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, key.bits)
                .verify(message, signature)
                .is_ok();
    }
    holds(scheme, (modulus, exponent), message, signature)
}

/// Verifies a signature by a sound key of any length.
fn holds(scheme: SignatureScheme, key: (&[u8], &[u8]), message: &[u8], signature: &[u8]) -> bool {
    let (modulus, exponent) = key;
    opened(modulus, exponent, signature).is_some_and(|encoded| match scheme {
        SignatureScheme::RSA_PKCS1_SHA1 => pkcs1(&digest::SHA1_FOR_LEGACY_USE_ONLY, &SHA1, &encoded, message),
        SignatureScheme::RSA_PKCS1_SHA256 => pkcs1(&digest::SHA256, &SHA256, &encoded, message),
        SignatureScheme::RSA_PKCS1_SHA384 => pkcs1(&digest::SHA384, &SHA384, &encoded, message),
        SignatureScheme::RSA_PKCS1_SHA512 => pkcs1(&digest::SHA512, &SHA512, &encoded, message),
        SignatureScheme::RSA_PSS_SHA256 => pss(&digest::SHA256, bits(modulus), &encoded, message).is_some(),
        SignatureScheme::RSA_PSS_SHA384 => pss(&digest::SHA384, bits(modulus), &encoded, message).is_some(),
        SignatureScheme::RSA_PSS_SHA512 => pss(&digest::SHA512, bits(modulus), &encoded, message).is_some(),
        _ => false,
    })
}

/// RSAVP1 (RFC 8017, section 5.2.2): returns the message representative, as long as the modulus.
fn opened(modulus: &[u8], exponent: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    if modulus.len() > LONGEST || signature.len() != modulus.len() || signature >= modulus {
        return None;
    }
    let exponent = number(exponent)?;
    let (modulus, base) = (limbs(modulus), limbs(signature));
    let mut power = base.clone();
    for bit in (0..exponent.checked_ilog2()?).rev() {
        power = times(&power, &power, &modulus);
        if exponent >> bit & 1 == 1 {
            power = times(&power, &base, &modulus);
        }
    }
    let bytes: Vec<u8> = power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    Some(bytes[bytes.len() - signature.len()..].to_vec())
}

/// Returns an exponent as a number, unless it is too large.
fn number(bytes: &[u8]) -> Option<u64> {
    let number = bytes.iter().try_fold(0_u64, |number, byte| Some(number.checked_mul(256)? | u64::from(*byte)))?;
    (number <= LARGEST).then_some(number)
}

/// Converts a big-endian number to machine words, the lowest first.
fn limbs(bytes: &[u8]) -> Vec<u64> {
    let limb = |bytes: &[u8]| bytes.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    bytes.rchunks(8).map(limb).collect()
}

/// Returns `a` · `b` mod `modulus`. All three have the same length; `a` and `b` are less than `modulus`.
fn times(a: &[u64], b: &[u64], modulus: &[u64]) -> Vec<u64> {
    let mut product = vec![0; modulus.len()];
    for limb in b.iter().rev() {
        for bit in (0..u64::BITS).rev() {
            let same = product.clone();
            add(&mut product, &same, modulus);
            if limb >> bit & 1 == 1 {
                add(&mut product, a, modulus);
            }
        }
    }
    product
}

/// Adds `b` to `a` modulo `modulus`. Both are less than `modulus`.
fn add(a: &mut [u64], b: &[u64], modulus: &[u64]) {
    let mut carry = false;
    for (a, b) in a.iter_mut().zip(b) {
        let (sum, over) = a.overflowing_add(*b);
        let (sum, again) = sum.overflowing_add(carry.into());
        (*a, carry) = (sum, over | again);
    }
    if carry || a.iter().rev().ge(modulus.iter().rev()) {
        let mut borrow = false;
        for (a, b) in a.iter_mut().zip(modulus) {
            let (difference, under) = a.overflowing_sub(*b);
            let (difference, again) = difference.overflowing_sub(borrow.into());
            (*a, borrow) = (difference, under | again);
        }
    }
}

/// The beginning of a `DigestInfo` (RFC 8017, section 9.2), up to the hash.
const SHA1: [u8; 15] = *b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";
const SHA256: [u8; 19] = sha2(0x31, 1, 0x20);
const SHA384: [u8; 19] = sha2(0x41, 2, 0x30);
const SHA512: [u8; 19] = sha2(0x51, 3, 0x40);

const fn sha2(length: u8, algorithm: u8, hash: u8) -> [u8; 19] {
    let mut info = *b"\x30\x00\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x00\x05\x00\x04\x00";
    (info[1], info[14], info[18]) = (length, algorithm, hash);
    info
}

/// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2).
fn pkcs1(algorithm: &'static Algorithm, info: &[u8], encoded: &[u8], message: &[u8]) -> bool {
    let hash = digest(algorithm, message);
    let tail = [&[0], info, hash.as_ref()].concat();
    // RFC 8017 asks for eight bytes of padding.
    encoded.len() >= tail.len() + 10
        && encoded.starts_with(&[0, 1])
        && encoded.ends_with(&tail)
        && encoded[2..encoded.len() - tail.len()].iter().all(|byte| *byte == 0xff)
}

/// EMSA-PSS-VERIFY (RFC 8017, section 9.1.2), with a salt as long as the hash (RFC 8446, section 4.2.3).
fn pss(algorithm: &'static Algorithm, modulus_bits: usize, encoded: &[u8], message: &[u8]) -> Option<()> {
    let hash_length = algorithm.output_len();
    let encoded_bits = modulus_bits - 1;
    let (zeros, encoded) = encoded.split_at(encoded.len() - encoded_bits.div_ceil(8));
    let (masked, rest) = encoded.split_at_checked(encoded.len().checked_sub(hash_length + 1)?)?;
    let (hash, trailer) = rest.split_at(hash_length);
    // Up to seven bits of the first byte must be zero.
    let unused = !(0xff >> (encoded.len() * 8 - encoded_bits));
    if zeros.iter().any(|byte| *byte != 0) || trailer != [0xbc] || masked.first()? & unused != 0 {
        return None;
    }
    let mut block: Vec<u8> = masked.iter().zip(mask(algorithm, hash, masked.len())).map(|(a, b)| a ^ b).collect();
    block[0] &= !unused;
    let (padding, salt) = block.split_at(block.len().checked_sub(hash_length)?);
    let (one, padding) = padding.split_last()?;
    if *one != 1 || padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let expected = digest(algorithm, &[&[0; 8], digest(algorithm, message).as_ref(), salt].concat());
    (expected.as_ref() == hash).then_some(())
}

/// MGF1 (RFC 8017, appendix B.2.1).
fn mask(algorithm: &'static Algorithm, seed: &[u8], length: usize) -> Vec<u8> {
    let block = |counter: u32| digest(algorithm, &[seed, &counter.to_be_bytes()].concat()).as_ref().to_vec();
    (0..).flat_map(block).take(length).collect()
}

#[cfg(test)]
#[path = "rsa_tests.rs"]
mod tests;
