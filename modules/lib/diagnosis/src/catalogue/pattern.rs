//! Patterns, and the search for all of them at once.

use std::ops::Range;

use aho_corasick::packed::{self, Searcher};
use aho_corasick::{AhoCorasick, Input, Span};
use memchr::memmem;

/// A pattern: pieces of lower-case text that a line contains in order.
#[derive(Debug)]
pub struct Pattern {
    signature: usize,
    pieces: Vec<String>,
    /// It is a word: no letter or digit stands beside it.
    word: bool,
}

impl Pattern {
    /// A text with anything in place of an ellipsis; `None` if there is nothing but that.
    pub fn text(signature: usize, text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let pieces: Vec<String> =
            lower.split('…').filter(|piece| !piece.trim().is_empty()).map(str::to_owned).collect();
        (!pieces.is_empty()).then_some(Self { signature, pieces, word: false })
    }

    /// A word in small letters. One of hexadecimal digits may follow `0x`.
    pub fn word(signature: usize, word: &str) -> Self {
        Self { signature, pieces: vec![word.to_owned()], word: true }
    }

    /// Whose it is.
    pub fn signature(&self) -> usize {
        self.signature
    }

    /// The piece that is looked for first: the longest is the rarest.
    fn anchor(&self) -> &str {
        self.pieces.iter().max_by_key(|piece| piece.len()).map_or("", String::as_str)
    }

    /// True if a lower-case line matches the pattern.
    pub fn matches(&self, lower: &[u8]) -> bool {
        if self.word {
            return self.pieces.iter().all(|word| is_word_of(lower, word.as_bytes()));
        }
        let mut rest = lower;
        self.pieces.iter().all(|piece| match memmem::find(rest, piece.as_bytes()) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}

fn is_word_of(lower: &[u8], word: &[u8]) -> bool {
    let apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    memmem::find_iter(lower, word).any(|at| {
        let before = lower[..at].strip_suffix(b"0x").unwrap_or(&lower[..at]);
        apart(before.last()) && apart(lower.get(at + word.len()))
    })
}

/// Looks for the anchors of all patterns.
#[derive(Debug)]
pub struct Finder {
    search: Search,
    longest: usize,
}

#[derive(Debug)]
enum Search {
    /// By vector instructions.
    Packed(Searcher),
    /// On processors without.
    Automaton(AhoCorasick),
    /// For nothing.
    Nothing,
}

impl Finder {
    pub fn new(patterns: &[Pattern]) -> Self {
        let anchors: Vec<&str> = patterns.iter().map(Pattern::anchor).collect();
        let longest = anchors.iter().map(|anchor| anchor.len()).max().unwrap_or(0);
        let packed = packed::Config::new().builder().extend(&anchors).build();
        let search = match packed {
            Some(searcher) => Search::Packed(searcher),
            None => AhoCorasick::new(&anchors).map_or(Search::Nothing, Search::Automaton),
        };
        Self { search, longest }
    }

    /// The length of the longest anchor, in bytes.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The first anchor from `at` on.
    pub fn find(&self, lower: &[u8], at: usize) -> Option<Range<usize>> {
        let span = Span { start: at.min(lower.len()), end: lower.len() };
        let found = match &self.search {
            Search::Packed(searcher) => searcher.find_in(lower, span),
            Search::Automaton(automaton) => automaton.find(Input::new(lower).span(span)),
            Search::Nothing => None,
        };
        found.map(|found| found.range())
    }
}
