//! One pass over a log, in constant memory.
//!
//! Blocks are searched as a whole; only around a hit are lines looked for. What is kept of the block before is enough for
//! the lines that lead up to a hit, and for one that lies across the border.

use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

use memchr::{memchr, memchr_iter, memrchr};

use crate::catalogue::Catalogue;

/// The number of bytes searched at once: the block and its lower-case copy stay in the processor's cache.
const BLOCK: usize = 256 * 1024;
/// The number of searched bytes that are kept.
const HISTORY: usize = 64 * 1024;
/// The number of bytes examined on either side of a hit in its line.
const REACH: usize = 32 * 1024;

/// A line that bears a signature.
#[derive(Debug)]
pub struct Hit<'a> {
    /// The index of the signature in the catalogue; of several, the most telling one.
    pub signature: usize,
    /// The line's number, from 1.
    pub number: u64,
    /// The line without its end; of one of many kilobytes, what surrounds the hit.
    pub text: &'a [u8],
    /// Where in the text the hit is.
    pub at: usize,
    /// The text before the line, as far as it is still kept.
    pub before: &'a [u8],
}

/// The sizes of the buffers.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    block: usize,
    history: usize,
    reach: usize,
}

/// Goes through one log.
#[derive(Debug)]
pub struct Scanner {
    catalogue: Rc<Catalogue>,
    sizes: Sizes,
    buffer: Vec<u8>,
    /// The block in small letters.
    lower: Vec<u8>,
    filled: usize,
    /// Everything before was searched.
    start: usize,
    /// The number of the line that `start` is in.
    line: u64,
    /// `start` is not where that line begins.
    inside: bool,
    ended: bool,
    bytes: u64,
    told: Option<(u64, usize)>,
}

impl Scanner {
    /// A scanner that has read nothing yet.
    pub fn new(catalogue: &Rc<Catalogue>) -> Self {
        Self::of(catalogue, Sizes { block: BLOCK, history: HISTORY, reach: REACH })
    }

    fn of(catalogue: &Rc<Catalogue>, sizes: Sizes) -> Self {
        Self {
            catalogue: Rc::clone(catalogue),
            sizes,
            buffer: vec![0; sizes.history + sizes.block],
            lower: Vec::new(),
            filled: 0,
            start: 0,
            line: 1,
            inside: false,
            ended: false,
            bytes: 0,
            told: None,
        }
    }

    /// Returns the number of bytes read; of a compressed log, the decompressed ones.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the number of lines read, including an unfinished last one.
    pub fn lines(&self) -> u64 {
        self.line - u64::from(!self.inside)
    }

    /// Reads and searches one block and calls `tell` with every line that matches a signature, in order. Returns true
    /// if there may be more. If reading fails, `tell` has been called for everything read before.
    pub fn step(&mut self, reader: &mut dyn Read, tell: &mut dyn FnMut(&Hit<'_>)) -> io::Result<bool> {
        let failed = self.fill(reader).err();
        self.ended |= failed.is_some();
        let fresh = &self.buffer[self.start..self.filled];
        let end = match memrchr(b'\n', fresh) {
            Some(at) if !self.ended => self.start + at + 1,
            // The end of the log, or a line longer than the buffer, of which this is a part.
            _ => self.filled,
        };
        self.search(end, tell);
        match failed {
            Some(error) => Err(error),
            None => Ok(!self.ended),
        }
    }

    /// Moves what is still needed to the front and reads until the buffer is full or the log ends.
    fn fill(&mut self, reader: &mut dyn Read) -> io::Result<()> {
        let keep = self.start.min(self.sizes.history);
        self.buffer.copy_within(self.start - keep..self.filled, 0);
        self.filled -= self.start - keep;
        self.start = keep;
        while self.filled < self.buffer.len() {
            match reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => {
                    self.filled += count;
                    self.bytes += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn search(&mut self, end: usize, tell: &mut dyn FnMut(&Hit<'_>)) {
        // In the middle of a line, a hit may have begun in the part that was searched before.
        let overlap = if self.inside { self.catalogue.longest().saturating_sub(1).min(self.start) } else { 0 };
        let from = self.start - overlap;
        self.lower.clear();
        self.lower.extend_from_slice(&self.buffer[from..end]);
        self.lower.make_ascii_lowercase();
        let (mut counted, mut at) = (self.start, 0);
        while let Some(found) = self.catalogue.candidate(&self.lower, at) {
            let (hit, behind) = (from + found.start, from + found.end);
            self.line += lines(&self.buffer[counted..hit.max(counted)]);
            counted = counted.max(hit);
            let lowest = hit.saturating_sub(self.sizes.reach);
            let begin = memrchr(b'\n', &self.buffer[lowest..hit]).map_or(lowest, |at| lowest + at + 1);
            let highest = end.min(behind + self.sizes.reach);
            let stop = memchr(b'\n', &self.buffer[behind..highest]).map(|at| behind + at);
            let text = &self.buffer[begin..stop.unwrap_or(highest)];
            if let Some(signature) = self.catalogue.borne_by(&text.to_ascii_lowercase())
                && self.told != Some((self.line, signature))
            {
                self.told = Some((self.line, signature));
                let before = &self.buffer[..begin];
                tell(&Hit { signature, number: self.line, text, at: hit - begin, before });
            }
            // A line counts once; one that goes on beyond what was looked at may bear something there.
            at = stop.unwrap_or(behind.max(highest.saturating_sub(self.catalogue.longest()))) - from;
        }
        self.line += lines(&self.buffer[counted..end]);
        if end > self.start {
            self.inside = self.buffer[end - 1] != b'\n';
        }
        self.start = end;
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
