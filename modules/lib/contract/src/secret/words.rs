//! The words of this program's own messages.

use std::collections::HashSet;
use std::sync::LazyLock;

/// One a line. `tests/messages --write` collects them from the sources.
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// True if a message of this program may contain `word`, possibly as its first word.
pub fn is_word(word: &str) -> bool {
    let mut letters = word.chars();
    let small: String = letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
    WORDS.contains(word) || WORDS.contains(small.as_str())
}
