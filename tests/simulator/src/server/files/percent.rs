//! Percent-encoding of paths.

use std::fmt::Write;

/// Decodes a path; malformed escapes stay as they are.
pub fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::new();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let code = path
            .get(place + 1..place + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|_| *byte == b'%');
        out.push(code.unwrap_or(*byte));
        place += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes a name.
pub fn escape(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    name.bytes().fold(String::new(), |mut out, byte| {
        let _ = if plain(byte) { write!(out, "{}", char::from(byte)) } else { write!(out, "%{byte:02x}") };
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_bad_escapes_left_alone() {
        let cases =
            [("a%20b/c.log", "a b/c.log"), ("%C3%A9", "é"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("é%41", "éA")];
        for (path, expected) in cases {
            assert_eq!(decode(path), expected);
        }
    }
}
