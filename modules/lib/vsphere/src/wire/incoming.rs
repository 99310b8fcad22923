//! Answers while they are received, and the limit for their size.

use std::cell::Cell;

use crate::wire::error::WireError;

/// Limit for all answers that one session receives at the same time, in bytes.
const LIMIT: usize = 64 << 20;

/// Counts the bytes of answers that are being received.
#[derive(Debug, Default)]
pub(crate) struct Incoming(Cell<usize>);

/// The part of an answer that was received so far.
pub(crate) struct Body<'a> {
    bytes: Vec<u8>,
    all: &'a Cell<usize>,
}

impl Incoming {
    /// Starts an answer of `length` bytes, or 0 if the server does not tell the length. [`WireError::TooLarge`] above the limit.
    pub(crate) fn body(&self, length: u64) -> Result<Body<'_>, WireError> {
        match usize::try_from(length) {
            Ok(length) if length <= LIMIT => Ok(Body { bytes: Vec::with_capacity(length), all: &self.0 }),
            _ => Err(WireError::TooLarge { limit: LIMIT }),
        }
    }
}

impl Body<'_> {
    /// Appends `chunk`. [`WireError::TooLarge`] if all answers together exceed the limit.
    pub(crate) fn add(&mut self, chunk: &[u8]) -> Result<(), WireError> {
        let all = self.all.get() + chunk.len();
        if all > LIMIT {
            return Err(WireError::TooLarge { limit: LIMIT });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_share_one_limit() {
        let incoming = Incoming::default();
        assert!(incoming.body(LIMIT as u64 + 1).is_err());
        let half = vec![b'a'; LIMIT / 2];
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
    fn bytes_that_are_not_utf8_become_question_marks() {
        let incoming = Incoming::default();
        for (bytes, text) in [(&b""[..], ""), (b"a\xff\xc3\xa9\xe2\x82", "a?é??"), (b"\xff\xff", "??")] {
            let mut body = incoming.body(bytes.len() as u64).unwrap();
            body.add(bytes).unwrap();
            assert_eq!(body.text(), text);
        }
    }
}
