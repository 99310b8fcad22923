//! The file as a whole: parse and look up.

mod edit;
mod slot;

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::encoding::{Encoding, Text};
use crate::error::Error;
use crate::line::{self, BOM};
use slot::{LineEnds, Slot, hash};

/// Every .vmx file has them; a disk descriptor, a log or any other text has not.
const MARKS: [&[u8]; 2] = [b"config.version", b"virtualHW.version"];
const ENCODING: &str = ".encoding";

/// A .vmx file, byte for byte.
///
/// Keys are ASCII and compared without regard to case. An edit keeps every line of other keys unchanged, including
/// comments, blank lines and lines that cannot be parsed.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    bytes: Vec<u8>,
    encoding: Encoding,
    /// In the order of the file.
    slots: Vec<Slot>,
    ends: LineEnds,
}

/// An entry of a [`Document`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key as spelled in the file.
    pub name: String,
    /// The value as people read it: decoded, escapes undone. Bytes that are no text in the file's encoding are shown as
    /// `\xNN`.
    pub value: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// A key that is defined more than once, with values that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The key as first spelled in the file.
    pub key: String,
    /// The first line that defines it, counted from 1.
    pub first_line: usize,
    /// The first line that defines it differently, counted from 1.
    pub second_line: usize,
}

impl Document {
    /// Takes the bytes of a file. They are kept as they are.
    ///
    /// [`Error::NotADictionary`] if they are not a .vmx file's, [`Error::UnsupportedEncoding`] if it cannot be edited by
    /// bytes, [`Error::Duplicate`] if it declares two encodings.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Error> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::NotADictionary { reason: "it is UTF-16" });
        }
        if bytes.contains(&0) {
            return Err(Error::NotADictionary { reason: "it contains NUL bytes" });
        }
        let mut slots = Vec::new();
        let mut ends = LineEnds::default();
        for line in line::lines(&bytes) {
            *ends.count(line.end) += 1;
            if let Some(parts) = line::entry(line.content) {
                let length = line.content.len() + line.end.bytes().len();
                let hash = hash(&line.content[parts.name.clone()]);
                slots.push(Slot { line: ends.lines(), start: line.start, parts, length, hash });
            }
        }
        let encoding = Encoding::undeclared(bytes.starts_with(BOM));
        let mut document = Self { bytes, encoding, slots, ends };
        if !document.slots.iter().any(|slot| document.is_mark(slot)) {
            return Err(Error::NotADictionary { reason: "it has neither config.version nor virtualHW.version" });
        }
        if let Some(entry) = document.get(ENCODING)? {
            document.encoding = Encoding::declared(entry.value, entry.line)?;
        }
        Ok(document)
    }

    /// Returns the bytes of the file, edits included.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the encoding that the file declares.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// The file as people read it, without a byte order mark. Secrets are in it: [`crate::diff()`] hides them.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.bytes.len());
        for line in line::lines(&self.bytes) {
            text.push_str(&self.encoding.text(line.content).text);
            text.extend(line.end.bytes().iter().map(|byte| char::from(*byte)));
        }
        text
    }

    /// The entry of `key`, the first one if several agree.
    ///
    /// [`Error::Duplicate`] if several disagree, [`Error::InvalidName`] if `key` cannot be one.
    pub fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let places = self.find(key)?;
        Ok(places.first().map(|place| {
            let slot = &self.slots[*place];
            Entry { name: self.name(slot), value: self.value(slot).text, line: slot.line }
        }))
    }

    /// All keys that are defined more than once with different values, in the order of their second lines.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut first: HashMap<Vec<u8>, &Slot> = HashMap::with_capacity(self.slots.len());
        let mut told = HashSet::new();
        let mut conflicts = Vec::new();
        for slot in &self.slots {
            let key = slot.name(&self.bytes).to_ascii_lowercase();
            let Some(before) = first.get(&key) else {
                first.insert(key, slot);
                continue;
            };
            if !self.agree(before, slot) && told.insert(key) {
                conflicts.push(Conflict { key: self.name(before), first_line: before.line, second_line: slot.line });
            }
        }
        conflicts
    }

    /// Where the entries are, in the order of the file.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns the slots that define `key`, in the order of the file; an error if they disagree.
    fn find(&self, key: &str) -> Result<Vec<usize>, Error> {
        let legal = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b'#' | b'"');
        if key.is_empty() || !key.bytes().all(legal) {
            return Err(Error::InvalidName { key: key.to_owned() });
        }
        let hash = hash(key.as_bytes());
        let is_key = |slot: &Slot| slot.hash == hash && slot.name(&self.bytes).eq_ignore_ascii_case(key.as_bytes());
        let places: Vec<usize> = (0..self.slots.len()).filter(|place| is_key(&self.slots[*place])).collect();
        if let [first, others @ ..] = &places[..] {
            let first = &self.slots[*first];
            let others = others.iter().map(|place| &self.slots[*place]);
            if let Some(other) = others.into_iter().find(|other| !self.agree(first, other)) {
                let (first_line, second_line) = (first.line, other.line);
                return Err(Error::Duplicate { key: self.name(first), first_line, second_line });
            }
        }
        Ok(places)
    }

    fn agree(&self, one: &Slot, other: &Slot) -> bool {
        let tokens = [one, other].map(|slot| line::unquote(slot.token(&self.bytes)));
        if tokens[0] == tokens[1] {
            return true;
        }
        let [one, other] = [one, other].map(|slot| self.value(slot));
        let is_boolean = |text: &str| text.eq_ignore_ascii_case("TRUE") || text.eq_ignore_ascii_case("FALSE");
        let alike = one.text == other.text || (is_boolean(&one.text) && one.text.eq_ignore_ascii_case(&other.text));
        one.exact && other.exact && alike
    }

    fn name(&self, slot: &Slot) -> String {
        self.encoding.text(slot.name(&self.bytes)).text
    }

    fn value(&self, slot: &Slot) -> Text {
        self.encoding.value(line::unquote(slot.token(&self.bytes)))
    }

    fn is_mark(&self, slot: &Slot) -> bool {
        MARKS.iter().any(|mark| slot.name(&self.bytes).eq_ignore_ascii_case(mark))
    }
}

/// Without the contents, which may be secret.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, entries) = (self.bytes.len(), self.slots.len());
        f.debug_struct("Document").field("bytes", &bytes).field("entries", &entries).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
