//! The encoding of a document: UTF-8, or UTF-16 with a byte order mark, which Windows PowerShell writes.

use std::io::{self, ErrorKind};

/// Decodes a stream to UTF-8 as it arrives. A byte order mark remains, as U+FEFF.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Unknown until the first bytes have arrived.
    encoding: Option<Encoding>,
    /// Bytes that are not decoded yet.
    rest: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Utf8,
    /// With the function that makes a code unit of two bytes.
    Utf16(fn([u8; 2]) -> u16),
}

impl Decoder {
    /// Returns the text of the next bytes; no bytes are the end of the stream. UTF-8 passes unchanged, valid or not.
    ///
    /// `InvalidData` if the stream is UTF-16 with half a character.
    pub fn decode(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let ended = bytes.is_empty();
        self.rest.extend_from_slice(bytes);
        let encoding = match (self.encoding, &self.rest[..]) {
            (Some(encoding), _) => encoding,
            // UTF-8 has neither byte, so text that is UTF-8 never waits for more.
            (None, [0xff | 0xfe]) if !ended => return Ok(Vec::new()),
            (None, [0xff, 0xfe, ..]) => Encoding::Utf16(u16::from_le_bytes),
            (None, [0xfe, 0xff, ..]) => Encoding::Utf16(u16::from_be_bytes),
            (None, _) => Encoding::Utf8,
        };
        self.encoding = Some(encoding);
        let Encoding::Utf16(unit) = encoding else { return Ok(std::mem::take(&mut self.rest)) };
        let mut units: Vec<u16> = self.rest.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        // The second half of a character may still come.
        units.pop_if(|unit| !ended && (0xd800..0xdc00).contains(unit));
        self.rest.drain(..2 * units.len());
        match String::from_utf16(&units) {
            Ok(text) if !ended || self.rest.is_empty() => Ok(text.into_bytes()),
            _ => Err(io::Error::new(ErrorKind::InvalidData, "it begins as UTF-16, but is not valid UTF-16")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Decoder;

    type Bytes = fn(u16) -> [u8; 2];

    /// Decodes bytes that arrive in parts of this size.
    fn decode(bytes: &[u8], part: usize) -> std::io::Result<Vec<u8>> {
        let mut decoder = Decoder::default();
        let mut text = Vec::new();
        for part in bytes.chunks(part) {
            text.extend(decoder.decode(part)?);
        }
        text.extend(decoder.decode(&[])?);
        Ok(text)
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_in_every_encoding_and_in_every_part(text in "\u{feff}(?s:.){0,20}", part in 1usize..9) {
            let little: Bytes = u16::to_le_bytes;
            prop_assert_eq!(decode(text.as_bytes(), part)?, text.as_bytes());
            for bytes in [little, u16::to_be_bytes] {
                let encoded: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
                prop_assert_eq!(decode(&encoded, part)?, text.as_bytes());
                prop_assert!(decode(&encoded[..encoded.len() - 1], part).is_err() || encoded.len() == 2);
            }
        }

        #[test]
        fn utf_8_passes_as_it_is_and_at_once(bytes in prop::collection::vec(any::<u8>(), 1..20)) {
            if !bytes.starts_with(b"\xff") && !bytes.starts_with(b"\xfe") {
                prop_assert_eq!(Decoder::default().decode(&bytes)?, bytes);
            }
        }
    }

    #[test]
    fn half_a_character_is_an_error() {
        for broken in ["fffe00d8", "fffe00d87b00", "fffe00dc", "fffe7b", "feffd83d", "feff7b"] {
            let bytes: Vec<u8> =
                (0..broken.len() / 2).map(|at| u8::from_str_radix(&broken[2 * at..2 * at + 2], 16).unwrap()).collect();
            for part in 1..5 {
                assert!(decode(&bytes, part).is_err(), "{broken} in parts of {part}");
            }
        }
        for single in [0xff, 0xfe] {
            assert_eq!(decode(&[single], 1).unwrap(), [single]);
        }
    }
}
