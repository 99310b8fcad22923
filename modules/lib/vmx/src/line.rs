//! Lines and the grammar of an entry, on bytes.
//!
//! An entry is `name = value`, or `name = "value"`, with blanks (space, TAB) around each part and perhaps a `# comment` at
//! the end, as open-vm-tools' `DictLL_UnmarshalLine` reads it. That works on bytes in every encoding that a file may
//! declare: none has a blank, a quote, `=`, `#` or a line end as a part of another character.

use std::ops::Range;

/// U+FEFF in UTF-8, which may start a file.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    Lf,
    CrLf,
    Cr,
    /// The last line, unterminated.
    None,
}

impl LineEnd {
    pub(crate) fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::Cr => b"\r",
            Self::None => b"",
        }
    }
}

/// A line of a file.
pub(crate) struct Line<'a> {
    /// Where it starts in the file.
    pub start: usize,
    /// Its bytes without the line end.
    pub content: &'a [u8],
    pub end: LineEnd,
}

/// The lines of a file, without the byte order mark.
pub(crate) fn lines(file: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = if file.starts_with(BOM) { BOM.len() } else { 0 };
    std::iter::from_fn(move || {
        let rest = &file[start..];
        if rest.is_empty() {
            return None;
        }
        let length = find(rest, 0, |byte| matches!(byte, b'\n' | b'\r'));
        let end = match rest[length..] {
            [b'\n', ..] => LineEnd::Lf,
            [b'\r', b'\n', ..] => LineEnd::CrLf,
            [_, ..] => LineEnd::Cr,
            [] => LineEnd::None,
        };
        let line = Line { start, content: &rest[..length], end };
        start += length + end.bytes().len();
        Some(line)
    })
}

/// Where the parts of an entry are in its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub name: Range<usize>,
    /// The value with its quotes. Without a value it is empty and right behind the `=`.
    pub token: Range<usize>,
}

/// The parts of a well-formed entry; `None` for everything else a line may be.
pub(crate) fn entry(line: &[u8]) -> Option<Parts> {
    let name = skip_blanks(line, 0);
    let name = name..find(line, name, |byte| is_blank(byte) || matches!(byte, b'=' | b'#'));
    let equals = skip_blanks(line, name.end);
    if name.is_empty() || line.get(equals) != Some(&b'=') {
        return None;
    }
    let start = skip_blanks(line, equals + 1);
    let token = if line.get(start) == Some(&b'"') {
        let close = find(line, start + 1, |byte| byte == b'"');
        // Without a closing quote this is past the end of the line, which the last check finds.
        start..close + 1
    } else {
        start..find(line, start, |byte| is_blank(byte) || byte == b'#')
    };
    let rest = line.get(token.end..)?;
    let behind = rest.get(skip_blanks(rest, 0));
    if behind.is_some_and(|byte| *byte != b'#') {
        return None;
    }
    Some(Parts { name, token: if token.is_empty() { equals + 1..equals + 1 } else { token } })
}

/// The value between the quotes, if there are any.
pub(crate) fn unquote(token: &[u8]) -> &[u8] {
    token.strip_prefix(b"\"").and_then(|token| token.strip_suffix(b"\"")).unwrap_or(token)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn skip_blanks(line: &[u8], from: usize) -> usize {
    find(line, from, |byte| !is_blank(byte))
}

/// The first place from `from` on whose byte is wanted, else the end.
fn find(line: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    line[from..].iter().position(|byte| wanted(*byte)).map_or(line.len(), |at| from + at)
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
