//! The documents of a series, a line each.

use std::io::{self, BufRead, Read};

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Whole(Vec<u8>),
    /// It was longer than a document may be, and was left out.
    TooLong,
}

/// Lines as they come: nothing is waited for that is not needed for the next one, because whoever writes them may wait
/// for its answer first.
pub(crate) struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    pub fn of(reader: R) -> Self {
        Self(reader)
    }

    /// The next line of at most `limit` bytes; nothing at the end.
    pub fn next(&mut self, limit: u64) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        // Its end counts too.
        self.0.by_ref().take(limit + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if bytes.len() as u64 > limit {
            self.0.skip_until(b'\n')?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Whole(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::{Line, Lines};

    fn all(text: &[u8], buffer: usize, limit: u64) -> Vec<Line> {
        let mut lines = Lines::of(BufReader::with_capacity(buffer, text));
        std::iter::from_fn(|| lines.next(limit).unwrap()).collect()
    }

    #[test]
    fn a_line_ends_where_it_ends() {
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        let cases = [
            ("", vec![]),
            ("\n", vec![whole("")]),
            ("a", vec![whole("a")]),
            ("a\n", vec![whole("a")]),
            ("a\n\nb", vec![whole("a"), whole(""), whole("b")]),
            ("1234\n1234", vec![whole("1234"), whole("1234")]),
            ("12345\na\n", vec![Line::TooLong, whole("a")]),
            ("a\n123456789", vec![whole("a"), Line::TooLong]),
        ];
        for (text, expected) in cases {
            assert_eq!(all(text.as_bytes(), 3, 4), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn lines_are_the_text_cut_at_its_line_ends(
            lines in proptest::collection::vec("[a-c]{0,9}", 0..9), ended: bool, buffer in 1usize..12, limit in 1u64..9,
        ) {
            let mut text = lines.join("\n");
            if ended && !text.is_empty() {
                text.push('\n');
            }
            let expected: Vec<Line> = text
                .split_inclusive('\n')
                .map(|line| line.strip_suffix('\n').unwrap_or(line))
                .map(|line| if line.len() as u64 > limit { Line::TooLong } else { Line::Whole(line.into()) })
                .collect();
            prop_assert_eq!(all(text.as_bytes(), buffer, limit), expected);
        }
    }
}
