//! Random identifiers: cookies and UUIDs.

/// A new cookie: forty hex digits, as on a real server.
pub fn cookie() -> String {
    random_hex(20)
}

/// This many random bytes in hex.
pub fn random_hex(bytes: usize) -> String {
    use ring::rand::SecureRandom;
    let mut buffer = vec![0; bytes];
    // The system's generator does not fail in practice. Zeros would still be a valid cookie.
    let _ = ring::rand::SystemRandom::new().fill(&mut buffer);
    hex(&buffer)
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A random UUID.
pub fn uuid() -> String {
    let digits = random_hex(16);
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}
