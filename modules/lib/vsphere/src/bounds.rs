//! Limits for what a server sends: how much of it is kept in memory, and how much of it is shown.

use std::cell::Cell;

use crate::error::Error;

/// Limit for all answers that one session receives at the same time, in bytes.
const INCOMING: usize = 64 << 20;

/// Limit for the trees of elements of all answers that are held at the same time, in bytes: three times what `ft_readiness`
/// reads of a cluster of 2,000 hosts.
const TREES: usize = 64 << 20;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Counts the memory of a document until it is dropped. All documents of a thread share [`TREES`].
#[derive(Debug, Default)]
pub(crate) struct Held(Cell<usize>);

/// Returns the memory of all documents of this thread, in bytes.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn held() -> usize {
    HELD.get()
}

/// More than [`TREES`].
#[derive(Debug)]
pub(crate) struct TooLarge;

impl From<TooLarge> for Error {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge { limit: TREES }
    }
}

impl Held {
    /// Counts `bytes` more, unless they exceed the limit.
    pub(crate) fn add(&self, bytes: usize) -> Result<(), TooLarge> {
        let all = HELD.get() + bytes;
        if all > TREES {
            return Err(TooLarge);
        }
        HELD.set(all);
        self.0.set(self.0.get() + bytes);
        Ok(())
    }
}

/// Equal elements may come from different documents.
impl PartialEq for Held {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(HELD.get() - self.0.get());
    }
}

/// Counts the bytes of answers that are being received.
#[derive(Debug, Default)]
pub(crate) struct Incoming(Cell<usize>);

/// The part of an answer that was received so far.
pub(crate) struct Body<'a> {
    bytes: Vec<u8>,
    all: &'a Cell<usize>,
}

impl Incoming {
    /// Starts an answer whose announced length is `length`, or 0 if it is unknown. [`Error::TooLarge`] above the limit.
    pub(crate) fn body(&self, length: u64) -> Result<Body<'_>, Error> {
        match usize::try_from(length) {
            Ok(length) if length <= INCOMING => Ok(Body { bytes: Vec::with_capacity(length), all: &self.0 }),
            _ => Err(Error::TooLarge { limit: INCOMING }),
        }
    }
}

impl Body<'_> {
    /// Appends `chunk`. [`Error::TooLarge`] if all answers together exceed the limit.
    pub(crate) fn add(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let all = self.all.get() + chunk.len();
        if all > INCOMING {
            return Err(Error::TooLarge { limit: INCOMING });
        }
        self.all.set(all);
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Returns the text without copying it. Bytes that are not UTF-8 become question marks.
    pub(crate) fn text(mut self) -> String {
        let mut start = 0;
        while let Err(error) = str::from_utf8(&self.bytes[start..]) {
            start += error.valid_up_to();
            self.bytes[start] = b'?';
        }
        self.all.set(self.all.get() - self.bytes.len());
        String::from_utf8(std::mem::take(&mut self.bytes)).unwrap_or_default()
    }
}

impl Drop for Body<'_> {
    fn drop(&mut self) {
        self.all.set(self.all.get() - self.bytes.len());
    }
}

/// Returns the text, or its first `most` bytes and "…".
pub(crate) fn brief(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|&at| text.is_char_boundary(at));
    format!("{}…", &text[..end.unwrap_or_default()])
}

/// Returns the text in one line, and of a long one its first `most` bytes and "…".
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let breaks = |char: char| char.is_control() || "\u{2028}\u{2029}".contains(char);
    let lines = text.split(breaks).map(str::trim).filter(|line| !line.is_empty());
    brief(&lines.collect::<Vec<_>>().join(" "), most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Element;

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, most, shown) in [("", 0, ""), ("ab", 2, "ab"), ("abc", 2, "ab…"), ("aéb", 2, "a…"), ("é", 0, "…")]
        {
            assert_eq!(brief(text, most), shown);
        }
    }

    #[test]
    fn lines_become_one() {
        for text in ["a b", " a\r\n\tb\n", "a\u{b}b", "a \0 \u{85}b", "a\u{2028}b", "a b c"] {
            assert_eq!(one_line(text, 3).trim_end_matches('…'), "a b", "{text:?}");
        }
    }

    #[test]
    fn answers_share_what_may_be_received() {
        let incoming = Incoming::default();
        assert!(incoming.body(INCOMING as u64 + 1).is_err());
        let half = vec![b'a'; INCOMING / 2];
        let (mut first, mut second, mut third) =
            (incoming.body(0).unwrap(), incoming.body(0).unwrap(), incoming.body(0).unwrap());
        first.add(&half).unwrap();
        second.add(&half).unwrap();
        assert!(third.add(b"a").is_err());
        drop(first);
        assert_eq!(second.text().len(), half.len());
        third.add(&[&half[..], &half].concat()).unwrap();
        drop(third);
        assert_eq!(incoming.0.get(), 0);
    }

    #[test]
    fn bytes_that_are_no_text_become_question_marks() {
        let incoming = Incoming::default();
        for (bytes, text) in [(&b""[..], ""), (b"a\xff\xc3\xa9\xe2\x82", "a?é??"), (b"\xff\xff", "??")] {
            let mut body = incoming.body(bytes.len() as u64).unwrap();
            body.add(bytes).unwrap();
            assert_eq!(body.text(), text);
        }
    }

    #[test]
    fn a_document_counts_until_its_last_element_is_gone() {
        assert_eq!(HELD.get(), 0);
        let root = Element::parse("<a><b>text</b><b>text</b></a>").unwrap();
        let held = HELD.get();
        assert!(held > 3 * size_of::<Element>() + 8, "{held}");
        let child = root.into_child("b").unwrap();
        assert_eq!(HELD.get(), held);
        drop(child);
        assert_eq!(HELD.get(), 0);
    }

    #[test]
    fn a_document_that_takes_too_much_is_refused_and_forgotten() {
        let tag = |name: usize| format!("<a{name}/>");
        let names: String = (0..500_000).map(tag).collect();
        for inner in [&"<a/>".repeat(3_000_000), &"<a>1</a>".repeat(2_000_000), &names] {
            let error = Element::parse(&format!("<all>{inner}</all>")).unwrap_err();
            assert!(matches!(error, Error::TooLarge { limit: TREES }), "{error}");
            assert_eq!(HELD.get(), 0);
        }
    }
}
