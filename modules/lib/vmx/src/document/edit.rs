//! Edits: each touches its own entries and nothing else.

use std::ops::Range;

use super::slot::{Slot, hash};
use super::{Document, ENCODING};
use crate::error::Error;
use crate::line::{LineEnd, Parts};

impl Document {
    /// Gives `key` the value `value`, always in quotes: in every line that defines it, or in a new line at the end. Where
    /// it has that value already, nothing changes.
    ///
    /// [`Error::Duplicate`], [`Error::InvalidName`], [`Error::NulInValue`], [`Error::Unencodable`], and
    /// [`Error::EncodingIsFixed`] for another `.encoding` than there is.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let mut places = self.find(key)?;
        let is_new = places.is_empty();
        places.retain(|place| {
            let present = self.value(&self.slots[*place]);
            !present.exact || present.text != value
        });
        if places.is_empty() && !is_new {
            return Ok(());
        }
        if key.eq_ignore_ascii_case(ENCODING) {
            return Err(Error::EncodingIsFixed { key: key.to_owned() });
        }
        let value = [b"\"", self.encoding.encode(key, value)?.as_slice(), b"\""].concat();
        match places.as_slice() {
            [] => self.append(key, &value),
            [place] => self.replace(*place, &value),
            // Separate edits would each move the rest of the file.
            several => *self = self.replaced(several, &value)?,
        }
        Ok(())
    }

    /// Removes every line that defines `key`, each with its own line end, and says whether there was one.
    ///
    /// [`Error::Duplicate`], [`Error::InvalidName`], [`Error::EncodingIsFixed`] for `.encoding`, and [`Error::Essential`]
    /// for the last of `config.version` and `virtualHW.version`.
    pub fn remove(&mut self, key: &str) -> Result<bool, Error> {
        let places = self.find(key)?;
        let Some(first) = places.first() else {
            return Ok(false);
        };
        if key.eq_ignore_ascii_case(ENCODING) {
            return Err(Error::EncodingIsFixed { key: key.to_owned() });
        }
        let mut left = self.slots.iter().enumerate().filter(|(place, _)| places.binary_search(place).is_err());
        if !left.any(|(_, slot)| self.is_mark(slot)) {
            return Err(Error::Essential { key: key.to_owned() });
        }
        // Joined bytes may change their meaning: a lone CR before an LF becomes one line end, and the bytes of a byte
        // order mark become one at the start of the file.
        if self.ends.cr > 0 || self.slots[*first].start == 0 || places.len() > 1 {
            let mut bytes = Vec::with_capacity(self.bytes.len());
            let mut at = 0;
            for span in places.iter().map(|place| self.slots[*place].span()) {
                bytes.extend_from_slice(&self.bytes[at..span.start]);
                at = span.end;
            }
            bytes.extend_from_slice(&self.bytes[at..]);
            *self = Self::parse(bytes)?;
        } else {
            self.cut(*first);
        }
        Ok(true)
    }

    /// The value of a slot, and the blanks that a token needs in its place.
    fn room(&self, place: usize) -> (Range<usize>, &'static [u8], &'static [u8]) {
        let slot = &self.slots[place];
        let old = slot.start + slot.parts.token.start..slot.start + slot.parts.token.end;
        let is_comment_next = self.bytes.get(old.end) == Some(&b'#');
        // `name =#comment`: what was empty gets blanks on both sides.
        match (old.is_empty(), is_comment_next) {
            (true, true) => (old, b" ", b" "),
            (true, false) => (old, b" ", b""),
            (false, _) => (old, b"", b""),
        }
    }

    /// The document with the values of several slots replaced by `token`.
    fn replaced(&self, places: &[usize], token: &[u8]) -> Result<Self, Error> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + places.len() * token.len());
        let mut at = 0;
        for place in places {
            let (old, before, after) = self.room(*place);
            for part in [&self.bytes[at..old.start], before, token, after] {
                bytes.extend_from_slice(part);
            }
            at = old.end;
        }
        bytes.extend_from_slice(&self.bytes[at..]);
        Self::parse(bytes)
    }

    /// Replaces the value of a slot by `token`.
    fn replace(&mut self, place: usize, token: &[u8]) {
        let (old, before, after) = self.room(place);
        let slot = &mut self.slots[place];
        let new = [before, token, after].concat();
        let (shrunk, grown) = (old.len(), new.len());
        let token_start = slot.parts.token.start + before.len();
        slot.parts.token = token_start..token_start + token.len();
        slot.length = slot.length - shrunk + grown;
        self.bytes.splice(old, new);
        for later in &mut self.slots[place + 1..] {
            later.start = later.start - shrunk + grown;
        }
    }

    /// Adds a line at the end, terminated if the last one was.
    fn append(&mut self, key: &str, token: &[u8]) {
        let end = self.ends.majority();
        let terminated = self.ends.none == 0;
        if !terminated {
            self.bytes.extend_from_slice(end.bytes());
            if let Some(slot) = self.slots.last_mut()
                && slot.start + slot.length + end.bytes().len() == self.bytes.len()
            {
                slot.length += end.bytes().len();
            }
        }
        *self.ends.count(end) += 1;
        self.ends.none = usize::from(!terminated);
        let start = self.bytes.len();
        self.bytes.extend([key.as_bytes(), b" = ", token].concat());
        let parts = Parts { name: 0..key.len(), token: key.len() + 3..key.len() + 3 + token.len() };
        if terminated {
            self.bytes.extend_from_slice(end.bytes());
        }
        let length = self.bytes.len() - start;
        self.slots.push(Slot { line: self.ends.lines(), start, parts, length, hash: hash(key.as_bytes()) });
    }

    /// Removes a slot with its line, from a document without lines that end in CR.
    fn cut(&mut self, place: usize) {
        let gone = self.slots.remove(place);
        let end = match &self.bytes[gone.span()] {
            [.., b'\r', b'\n'] => LineEnd::CrLf,
            [.., b'\n'] => LineEnd::Lf,
            _ => LineEnd::None,
        };
        *self.ends.count(end) -= 1;
        self.bytes.drain(gone.span());
        for later in &mut self.slots[place..] {
            later.start -= gone.length;
            later.line -= 1;
        }
    }
}
