//! Cuts a stream into lines.

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    Whole(Vec<u8>),
    /// Longer than a document may be; its text is dropped.
    TooLong,
}

/// Cuts bytes into lines as they arrive. A line is complete once its end has arrived: the writer may wait for an answer
/// before it sends the next one.
pub struct Lines {
    limit: usize,
    /// Bytes that came and were not taken yet.
    bytes: Vec<u8>,
    /// The length of the prefix known to hold no line end.
    searched: usize,
    /// The line was too long, and its end has not come yet.
    skipping: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), searched: 0, skipping: false }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next complete line.
    pub fn next(&mut self) -> Option<Input> {
        let end = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n');
        if let Some(end) = end.map(|end| self.searched + end) {
            self.searched = 0;
            let line: Vec<u8> = self.bytes.drain(..=end).take(end).collect();
            return Some(self.line(line));
        }
        if self.skipping || self.bytes.len() > self.limit {
            self.skipping = true;
            self.bytes.clear();
        }
        self.searched = self.bytes.len();
        None
    }

    /// The last line, if it has no line end. Call this when nothing more comes.
    pub fn last(&mut self) -> Option<Input> {
        self.searched = 0;
        let line = std::mem::take(&mut self.bytes);
        (self.skipping || !line.is_empty()).then(|| self.line(line))
    }

    fn line(&mut self, line: Vec<u8>) -> Input {
        let too_long = std::mem::take(&mut self.skipping) || line.len() > self.limit;
        if too_long { Input::TooLong } else { Input::Whole(line) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Input, Lines};

    fn all(text: &[u8], part: usize, limit: usize) -> Vec<Input> {
        let (mut lines, mut found) = (Lines::new(limit), Vec::new());
        for part in text.chunks(part) {
            lines.push(part);
            found.extend(std::iter::from_fn(|| lines.next()));
        }
        found.extend(lines.last());
        assert_eq!((lines.next(), lines.last()), (None, None), "nothing comes after the last line");
        found
    }

    #[test]
    fn a_line_ends_where_it_ends() {
        let whole = |text: &str| Input::Whole(text.as_bytes().to_vec());
        let cases = [
            ("", vec![]),
            ("\n", vec![whole("")]),
            ("a", vec![whole("a")]),
            ("a\n", vec![whole("a")]),
            ("a\n\nb", vec![whole("a"), whole(""), whole("b")]),
            ("1234\n1234", vec![whole("1234"), whole("1234")]),
            ("12345\na\n", vec![Input::TooLong, whole("a")]),
            ("a\n123456789", vec![whole("a"), Input::TooLong]),
        ];
        for (text, expected) in cases {
            assert_eq!(all(text.as_bytes(), 3, 4), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn lines_are_the_text_cut_at_its_line_ends(
            lines in proptest::collection::vec("[a-c]{0,9}", 0..9), ended: bool, part in 1usize..12, limit in 1usize..9,
        ) {
            let mut text = lines.join("\n");
            if ended && !text.is_empty() {
                text.push('\n');
            }
            let expected: Vec<Input> = text
                .split_inclusive('\n')
                .map(|line| line.strip_suffix('\n').unwrap_or(line))
                .map(|line| if line.len() > limit { Input::TooLong } else { Input::Whole(line.into()) })
                .collect();
            prop_assert_eq!(all(text.as_bytes(), part, limit), expected);
        }
    }
}
