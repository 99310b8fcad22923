//! Certificate thumbprints as vSphere shows them and people paste them.

use std::fmt::{self, Write};
use std::str::FromStr;

use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// A SHA-1 or SHA-256 thumbprint of a certificate.
///
/// Read from hexadecimal digits of any case, alone or separated by `:`, `-` or spaces, with or without a prefix that names
/// the algorithm (`sha256:`, `SHA1 Fingerprint=`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbprint(Vec<u8>);

/// Why a text is not a [`Thumbprint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThumbprintError {
    /// A character that is neither a hexadecimal digit nor a separator.
    #[error("`{0}` is not a hexadecimal digit")]
    Character(char),
    /// The length fits neither SHA-1 nor SHA-256, or not the algorithm that the prefix names.
    #[error("expected a {expected} thumbprint, but found {found} hexadecimal digits")]
    Length {
        /// The number of digits.
        found: usize,
        /// The possible lengths, in words.
        expected: &'static str,
    },
}

impl Thumbprint {
    /// True if this is the thumbprint of the certificate with this DER encoding.
    pub(crate) fn matches(&self, der: &[u8]) -> bool {
        let algorithm =
            if self.0.len() == SHA1_FOR_LEGACY_USE_ONLY.output_len() { &SHA1_FOR_LEGACY_USE_ONLY } else { &SHA256 };
        *self == Self::of(algorithm, der)
    }

    fn of(algorithm: &'static Algorithm, der: &[u8]) -> Self {
        Self(digest(algorithm, der).as_ref().to_vec())
    }

    /// Returns the SHA-256 thumbprint of a certificate.
    pub(crate) fn sha256(der: &[u8]) -> Self {
        Self::of(&SHA256, der)
    }

    /// Returns the SHA-1 thumbprint of a certificate, which older vSphere clients show.
    pub(crate) fn sha1(der: &[u8]) -> Self {
        Self::of(&SHA1_FOR_LEGACY_USE_ONLY, der)
    }
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, expected, lengths) = prefix(text.trim());
        let mut nibbles = Vec::with_capacity(64);
        for char in digits.chars() {
            match char.to_digit(16) {
                Some(digit) => nibbles.push(digit),
                None if matches!(char, ':' | '-') || char.is_whitespace() => {}
                None => return Err(ThumbprintError::Character(char)),
            }
        }
        if !lengths.contains(&nibbles.len()) {
            return Err(ThumbprintError::Length { found: nibbles.len(), expected });
        }
        let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default();
        Ok(Self(nibbles.chunks_exact(2).map(byte).collect()))
    }
}

/// Splits off a prefix such as `sha1:` or `SHA256 Fingerprint=`; returns the digits and the lengths that they may have.
fn prefix(text: &str) -> (&str, &'static str, &'static [usize]) {
    let lower = text.to_ascii_lowercase();
    let (mut at, expected, lengths): (usize, _, &'static [usize]) = if let Some(rest) = lower.strip_prefix("sha") {
        let number = rest.trim_start_matches(['-', ' ']);
        let skipped = lower.len() - number.len();
        if number.starts_with("256") {
            (skipped + 3, "SHA-256 (64 digits)", &[64])
        } else if number.starts_with('1') {
            (skipped + 1, "SHA-1 (40 digits)", &[40])
        } else {
            (0, EITHER, &[40, 64])
        }
    } else {
        (0, EITHER, &[40, 64])
    };
    for word in ["fingerprint", "thumbprint"] {
        let rest = lower[at..].trim_start();
        if rest.starts_with(word) {
            at = lower.len() - rest.len() + word.len();
        }
    }
    (text[at..].trim_start_matches([':', '=', ' ']), expected, lengths)
}

const EITHER: &str = "SHA-1 (40 digits) or SHA-256 (64 digits)";

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_char(':')?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "A94A8FE5CCB19BA61C4C0873D391E987982FBBD3";
    const SHA256: &str = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";

    fn colons(hex: &str) -> String {
        let pairs: Vec<&str> = (0..hex.len()).step_by(2).map(|i| &hex[i..i + 2]).collect();
        pairs.join(":")
    }

    #[test]
    fn every_usual_form_is_read() {
        for (text, hex) in [
            (SHA1.to_owned(), SHA1),
            (colons(SHA1), SHA1),
            (colons(SHA1).replace(':', " ").to_lowercase(), SHA1),
            (colons(SHA256).replace(':', "-"), SHA256),
            (format!("  {}\n", colons(SHA256)), SHA256),
            (format!("sha1:{SHA1}"), SHA1),
            (format!("SHA-1 {SHA1}"), SHA1),
            (format!("SHA256 Fingerprint={}", colons(SHA256)), SHA256),
            (format!("sha256 thumbprint: {SHA256}"), SHA256),
            (format!("Fingerprint: {SHA1}"), SHA1),
        ] {
            let read: Thumbprint = text.parse().unwrap();
            assert_eq!(read.to_string(), colons(hex), "{text}");
        }
    }

    #[test]
    fn errors_name_the_problem() {
        for (text, says) in [
            ("", "SHA-1 (40 digits) or SHA-256 (64 digits)"),
            ("AB:CD", "4 hexadecimal digits"),
            ("xyz", "`x` is not"),
            ("sha512:AB", "`s` is not"),
            (&format!("sha256:{SHA1}"), "SHA-256 (64 digits)"),
            (&format!("{SHA1}0"), "41 hexadecimal digits"),
            ("sha é", "`s` is not"),
        ] {
            let error = text.parse::<Thumbprint>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn either_algorithm_identifies_a_certificate() {
        for hex in [SHA1, SHA256] {
            let thumbprint: Thumbprint = hex.parse().unwrap();
            assert!(thumbprint.matches(b"test"));
            assert!(!thumbprint.matches(b"Test"));
        }
    }
}
