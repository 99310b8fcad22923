//! One JSON object on one line of ASCII.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Escapes everything outside ASCII: Ansible cuts a module's output into lines at U+0085, U+2028 and U+2029 too, which
/// are legal inside a JSON string, and then finds half an object.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for character in fragment.chars() {
            if character.is_ascii() && character != '\x7f' {
                writer.write_all(&[character as u8])?;
            } else {
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        CompactFormatter.begin_object_key(writer, first)
    }
}

/// `value` as one line of ASCII JSON, the newline included.
pub fn line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    if value.serialize(&mut Serializer::with_formatter(&mut bytes, Ascii)).is_err() {
        bytes = br#"{"changed":false,"failed":true,"msg":"the result cannot be written as JSON"}"#.to_vec();
    }
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    proptest! {
        #[test]
        fn any_text_comes_back_from_one_line_of_ascii(text in any::<String>()) {
            let line = super::line(&serde_json::json!({ "k": text }));
            prop_assert!(line.iter().all(|byte| (b' '..0x7f).contains(byte) || *byte == b'\n'));
            prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
            let back: Value = serde_json::from_slice(&line).unwrap();
            prop_assert_eq!(back["k"].as_str(), Some(text.as_str()));
        }
    }
}
