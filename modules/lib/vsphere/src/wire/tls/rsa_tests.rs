use rustls::pki_types::alg_id;

use super::*;

const PSS: [(SignatureScheme, &Algorithm); 3] = [
    (SignatureScheme::RSA_PSS_SHA256, &digest::SHA256),
    (SignatureScheme::RSA_PSS_SHA384, &digest::SHA384),
    (SignatureScheme::RSA_PSS_SHA512, &digest::SHA512),
];
const PKCS1: [(SignatureScheme, &Algorithm, &[u8]); 4] = [
    (SignatureScheme::RSA_PKCS1_SHA1, &digest::SHA1_FOR_LEGACY_USE_ONLY, &SHA1),
    (SignatureScheme::RSA_PKCS1_SHA256, &digest::SHA256, &SHA256),
    (SignatureScheme::RSA_PKCS1_SHA384, &digest::SHA384, &SHA384),
    (SignatureScheme::RSA_PKCS1_SHA512, &digest::SHA512, &SHA512),
];

/// A number of so many bits, all of them 1.
fn ones(bits: usize) -> Vec<u8> {
    let mut number = vec![0xff; bits.div_ceil(8)];
    number[0] >>= number.len() * 8 - bits;
    number
}

fn encoded(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    [&[tag, 0x82, high, low], contents].concat()
}

/// A key whose signatures are what they sign has the exponent 1.
fn verifies(modulus: &[u8], exponent: &[u8], scheme: SignatureScheme, signature: &[u8]) -> bool {
    holds(scheme, (modulus, exponent), b"message", signature)
}

fn accepts(modulus: &[u8], exponent: &[u8], scheme: SignatureScheme, signature: &[u8]) -> bool {
    let numbers = [modulus, exponent].map(|number| encoded(2, &[&[0], number].concat())).concat();
    let key = PublicKey { algorithm: alg_id::RSA_ENCRYPTION.as_ref(), bits: &encoded(0x30, &numbers) };
    verify(scheme, &key, b"message", signature)
}

fn sign_pkcs1(algorithm: &'static Algorithm, info: &[u8], length: usize) -> Vec<u8> {
    let end = [&[0], info, digest(algorithm, b"message").as_ref()].concat();
    [&[0, 1][..], &vec![0xff; length - end.len() - 2], &end].concat()
}

fn sign_pss(algorithm: &'static Algorithm, modulus_bits: usize) -> Vec<u8> {
    let salt = vec![7; algorithm.output_len()];
    let hash = digest(algorithm, &[&[0; 8], digest(algorithm, b"message").as_ref(), &salt].concat());
    let length = (modulus_bits - 1).div_ceil(8);
    let padding = vec![0; length - 2 * salt.len() - 2];
    let block = [&padding[..], &[1], &salt].concat();
    let mut masked: Vec<u8> =
        block.iter().zip(mask(algorithm, hash.as_ref(), block.len())).map(|(a, b)| a ^ b).collect();
    masked[0] &= 0xff >> (length * 8 - (modulus_bits - 1));
    [&vec![0; modulus_bits.div_ceil(8) - length], &masked[..], hash.as_ref(), &[0xbc]].concat()
}

/// Every signature is right, and wrong as soon as one bit of a byte is another.
#[test]
fn every_bit_of_an_encoding_counts() {
    for bits in (1040..1049).chain([2032]) {
        let modulus = ones(bits);
        let pss = PSS.map(|(scheme, algorithm)| (scheme, sign_pss(algorithm, bits)));
        let pkcs1 = PKCS1.map(|(scheme, algorithm, info)| (scheme, sign_pkcs1(algorithm, info, modulus.len())));
        for (scheme, signature) in pss.into_iter().chain(pkcs1) {
            assert!(verifies(&modulus, &[1], scheme, &signature), "{scheme:?} {bits}");
            for at in 0..signature.len() {
                let mut other = signature.clone();
                other[at] ^= 1 << (at % 8);
                assert!(!verifies(&modulus, &[1], scheme, &other), "{scheme:?} {bits}: byte {at}");
            }
        }
    }
}

#[test]
fn wrong_signatures_are_refused() {
    let scheme = SignatureScheme::RSA_PKCS1_SHA256;
    let good = |length| sign_pkcs1(&digest::SHA256, &SHA256, length);
    let modulus = ones(1024);
    assert!(verifies(&modulus, &[1], scheme, &good(128)));
    for (modulus, exponent, signature) in [
        (&modulus[..], &[1][..], &good(127)[..]),
        (&modulus, &[1], &good(129)),
        (&modulus, &[1], &modulus),
        (&modulus, &[1], &[]),
        (&modulus, &[2], &good(128)),
        (&modulus, &[], &good(128)),
        (&modulus, &[4, 0, 0, 0, 1], &good(128)),
        (&[], &[1], &[]),
        (&[1], &[1], &[0]),
        (&ones(LONGEST * 8 + 8), &[1], &good(LONGEST + 1)),
    ] {
        assert!(!verifies(modulus, exponent, scheme, signature), "{} bytes", modulus.len());
    }
    for (scheme, algorithm) in PSS {
        for bits in [8, 9, 8 * algorithm.output_len(), 8 * (2 * algorithm.output_len() + 1)] {
            assert!(!verifies(&ones(bits), &[1], scheme, &vec![0; bits.div_ceil(8)]), "{scheme:?} {bits}");
        }
    }
    // With such keys, anybody could sign.
    for (modulus, exponent) in [(&modulus, &[1][..]), (&modulus, &[2]), (&modulus, &[]), (&vec![0xfe; 128], &[3])] {
        assert!(!accepts(modulus, exponent, scheme, &good(128)), "{exponent:?}");
    }
    // These are for ring.
    assert!(!accepts(&ones(2048), &[3], scheme, &good(256)));
}

/// 2^e mod (2^1024 - 1) is a rotation.
#[test]
fn powers_are_computed() {
    let modulus = ones(1024);
    let mut base = vec![0; 128];
    base[127] = 2;
    for (exponent, bit) in [(1_u32, 1), (3, 3), (65537, 65537 % 1024), (1023, 1023), (1024, 0)] {
        let mut expected = vec![0; 128];
        expected[127 - bit / 8] = 1 << (bit % 8);
        assert_eq!(opened(&modulus, &exponent.to_be_bytes(), &base), Some(expected), "{exponent}");
    }
}
