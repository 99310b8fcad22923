//! Decodes the bytes of a value: the encoding that the file declares, and the escapes `|XX`.

use std::fmt;

use encoding_rs::UTF_8;

use crate::error::Error;

/// The encoding that a .vmx file declares: the entry `.encoding`, or a byte order mark, which means UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    label: Option<String>,
    codec: Option<&'static encoding_rs::Encoding>,
}

/// A text as people read it.
pub(crate) struct Text {
    pub text: String,
    /// True if the text represents all the bytes. If not, bytes are shown as `\xNN`.
    pub exact: bool,
}

impl Encoding {
    /// The encoding as `.encoding` names it; `None` without that entry.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Without a declared encoding: the one that a byte order mark declares, if there is one.
    pub(crate) fn undeclared(bom: bool) -> Self {
        Self { label: None, codec: bom.then_some(UTF_8) }
    }

    /// The encoding that the entry `.encoding` in `line` names.
    pub(crate) fn declared(label: String, line: usize) -> Result<Self, Error> {
        let codec = encoding_rs::Encoding::for_label(label.as_bytes());
        match codec {
            Some(codec) if !codec.is_ascii_compatible() => Err(Error::UnsupportedEncoding { label, line }),
            _ => Ok(Self { label: Some(label), codec }),
        }
    }

    /// A value, escapes undone. They are undone after decoding: the second byte of a character may be a `|`.
    pub(crate) fn value(&self, bytes: &[u8]) -> Text {
        let Text { text, exact } = self.text(bytes);
        Text { text: unescape(&text), exact }
    }

    /// Returns bytes as text and keeps escapes. Without a declared encoding, valid UTF-8 is read as UTF-8.
    pub(crate) fn text(&self, bytes: &[u8]) -> Text {
        let codec = self.codec.unwrap_or(UTF_8);
        if let Some(text) = codec.decode_without_bom_handling_and_without_replacement(bytes) {
            return Text { text: text.into_owned(), exact: true };
        }
        let show = |byte: &u8| match byte {
            0x80.. => format!("\\x{byte:02X}"),
            _ => char::from(*byte).to_string(),
        };
        Text { text: bytes.iter().map(show).collect(), exact: false }
    }

    /// The bytes of `value` between the quotes; `key` is for the error.
    pub(crate) fn encode(&self, key: &str, value: &str) -> Result<Vec<u8>, Error> {
        if value.contains('\0') {
            return Err(Error::NulInValue { key: key.to_owned() });
        }
        let unencodable = || Error::Unencodable { key: key.to_owned(), encoding: self.to_string() };
        let mut bytes = Vec::with_capacity(value.len());
        for character in value.chars() {
            match u8::try_from(character) {
                Ok(byte) if needs_escape(byte) => bytes.extend(format!("|{byte:02X}").bytes()),
                Ok(byte) if byte.is_ascii() => bytes.push(byte),
                _ => bytes.extend(self.character(character).ok_or_else(unencodable)?),
            }
        }
        // Some encodings write two characters alike, e.g. `¥` and `\` in Shift_JIS: what is read back would be another value.
        let back = self.value(&bytes);
        if back.exact && back.text == value { Ok(bytes) } else { Err(unencodable()) }
    }

    /// Returns the bytes of one non-ASCII character if it has any and none of them can be read as another character.
    fn character(&self, character: char) -> Option<Vec<u8>> {
        let text = character.to_string();
        let (bytes, _, unmappable) = self.codec?.encode(&text);
        // Whoever undoes escapes before decoding would find one behind a second byte `|`.
        let ambiguous = bytes.iter().any(|byte| needs_escape(*byte));
        let borrowed = bytes.iter().any(|byte| self.borrows(*byte));
        (!unmappable && !ambiguous && !borrowed).then(|| bytes.into_owned())
    }

    /// True if the declared encoding has this byte only under the Encoding Standard, which reads ASCII and ISO 8859 as
    /// the Windows code pages that extend them. Other readers do not.
    fn borrows(&self, byte: u8) -> bool {
        let is_windows = self.codec.is_some_and(|codec| codec.name().starts_with("windows-"));
        let label = self.label.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
        let says_so = ["windows-", "cp125", "x-cp125"].iter().any(|name| label.starts_with(name));
        let is_ascii = label.contains("ascii") || label.starts_with("ansi_x3");
        is_windows && !says_so && (is_ascii || (0x80..0xa0).contains(&byte))
    }
}

/// For a sentence: `the encoding Shift_JIS`.
impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.label, self.codec) {
            (Some(label), Some(_)) => write!(f, "the encoding {label}"),
            (Some(label), None) => write!(f, "the unknown encoding {label}"),
            (None, Some(_)) => f.write_str("the encoding UTF-8"),
            (None, None) => f.write_str("no declared encoding"),
        }
    }
}

/// Those that `DictLL_MarshalLine` of open-vm-tools escapes.
fn needs_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'|') || (byte.is_ascii_control() && byte != b'\t')
}

/// `text` with every `|XX` below 0x80 replaced by what it stands for. Above, it is a byte of who knows which character.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('|') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(character) = rest.get(..2).and_then(escaped) {
            plain.push(character);
            rest = &rest[2..];
        } else {
            plain.push('|');
        }
    }
    plain.push_str(rest);
    plain
}

fn escaped(digits: &str) -> Option<char> {
    // `from_str_radix` would take a sign.
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u8::from_str_radix(digits, 16).ok().filter(|code| hex && code.is_ascii())?;
    Some(char::from(code))
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
