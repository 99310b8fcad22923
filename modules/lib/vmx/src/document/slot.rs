//! Where things are in a document.

use std::ops::Range;

use crate::line::{LineEnd, Parts};

/// Where an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Counted from 1.
    pub line: usize,
    /// Where its line starts in the file. All else is relative to it, so that an edit before it moves one number.
    pub start: usize,
    pub parts: Parts,
    /// With the line end.
    pub length: usize,
    /// The hash of the name; it separates thousands of names that begin alike.
    pub hash: u64,
}

impl Slot {
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.length
    }

    pub(crate) fn name<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        &file[self.start..][self.parts.name.clone()]
    }

    pub(super) fn token<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        &file[self.start..][self.parts.token.clone()]
    }
}

/// The number of lines by kind of line end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LineEnds {
    lf: usize,
    crlf: usize,
    pub cr: usize,
    /// The last line, if it is unterminated.
    pub none: usize,
}

impl LineEnds {
    pub(super) fn count(&mut self, end: LineEnd) -> &mut usize {
        match end {
            LineEnd::Lf => &mut self.lf,
            LineEnd::CrLf => &mut self.crlf,
            LineEnd::Cr => &mut self.cr,
            LineEnd::None => &mut self.none,
        }
    }

    pub(super) fn lines(&self) -> usize {
        self.lf + self.crlf + self.cr + self.none
    }

    pub(super) fn majority(&self) -> LineEnd {
        if self.cr > self.lf.max(self.crlf) {
            LineEnd::Cr
        } else if self.crlf > self.lf {
            LineEnd::CrLf
        } else {
            LineEnd::Lf
        }
    }
}

/// FNV-1a of a name in lower case.
pub(super) fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}
