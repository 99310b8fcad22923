//! Shows the changes of an edit to people.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput, Token};

use crate::document::Document;
use crate::line::{self, LineEnd};

/// The number of lines shown around a change.
const CONTEXT: u32 = 3;

/// The text shown in place of a secret.
const STARS: &str = "\"********\"";

/// Names that hold secrets, in lower case: passwords of VNC and of encryption, keys and key locators.
const SECRETS: [&str; 9] =
    ["passw", "passphrase", "secret", "token", "credential", "vnc.key", "datafilekey", "encryption.", "private"];

/// A line in the form that is shown.
struct Shown {
    text: String,
    end: LineEnd,
    hidden: Option<Hidden>,
    /// True if the hidden part changed.
    is_changed: bool,
}

/// The part of a line that is hidden.
struct Hidden {
    /// The entry's key in lower case; empty for other lines.
    key: String,
    bytes: Vec<u8>,
}

/// The unified diff of two documents, with three lines of context; empty if they do not differ.
///
/// Values of entries whose names look secret, and those for the guest (`guestinfo.`) that did not change, are shown as `"********"`, so is what follows them, and so is any other line
/// or comment that speaks of a secret. A secret that differs is marked `(changed)`. Every line end is shown as `\n`.
pub fn diff(before: &Document, after: &Document, before_header: &str, after_header: &str) -> String {
    let old = shown(before, after);
    let mut new = shown(after, before);
    mark_changed(&old, &mut new);
    let [old, new] = [old, new].map(|lines| lines.into_iter().map(Shown::into_text).collect::<String>());
    let input = InternedInput::new(old.as_str(), new.as_str());
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let mut text = String::new();
    let hunks: Vec<Hunk> = diff.hunks().collect();
    for group in hunks.chunk_by(|one, next| next.before.start - one.before.end <= 2 * CONTEXT) {
        if text.is_empty() {
            text = format!("--- {before_header}\n+++ {after_header}\n");
        }
        push_group(&mut text, group, &input);
    }
    text
}

/// Adds changes that are near each other, as diff(1) shows them. The crate's own printer counts the context of a first change
/// wrongly (imara-diff 0.2.0).
fn push_group(text: &mut String, group: &[Hunk], input: &InternedInput<&str>) {
    let ([first, ..], [.., last]) = (group, group) else { return };
    let lead = first.before.start.min(CONTEXT);
    let tail = (count(&input.before) - last.before.end).min(CONTEXT);
    let old = first.before.start - lead..last.before.end + tail;
    let new = first.after.start - lead..last.after.end + tail;
    let range = |range: &Range<u32>| {
        // An empty range is named by the line before it.
        let start = range.start + u32::from(!range.is_empty());
        format!("{start},{}", range.len())
    };
    let _ = writeln!(text, "@@ -{} +{} @@", range(&old), range(&new));
    let mut push = |sign: char, tokens: &[Token], range: Range<u32>| {
        for token in &tokens[range.start as usize..range.end as usize] {
            let line = input.interner[*token];
            text.push(sign);
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    };
    let mut at = old.start;
    for hunk in group {
        push(' ', &input.before, at..hunk.before.start);
        push('-', &input.before, hunk.before.clone());
        push('+', &input.after, hunk.after.clone());
        at = hunk.before.end;
    }
    push(' ', &input.before, at..old.end);
}

#[allow(clippy::cast_possible_truncation)] // a file has at most 4 MiB (store::LIMIT)
fn count(tokens: &[Token]) -> u32 {
    tokens.len() as u32
}

fn shown(document: &Document, other: &Document) -> Vec<Shown> {
    let mut slots = document.slots().iter().peekable();
    let mut shown = Vec::new();
    for line in line::lines(document.bytes()) {
        let slot = slots.next_if(|slot| slot.start == line.start);
        let key = slot.map_or_else(String::new, |slot| lower(slot.name(document.bytes())));
        let from = match slot {
            Some(slot) if is_secret(&key) || is_told_to_guest(document, other, &key) => Some(slot.parts.token.start),
            // A comment behind the value.
            Some(slot) => Some(slot.parts.token.end).filter(|end| is_secret(&lower(&line.content[*end..]))),
            None => hidden_from(line.content),
        };
        let text = document.encoding().text(&line.content[..from.unwrap_or(line.content.len())]).text;
        let hidden = from.map(|from| Hidden { key, bytes: line.content[from..].to_vec() });
        shown.push(Shown { text, end: line.end, hidden, is_changed: false });
    }
    shown
}

/// Where to stop showing a line that is no entry, if it speaks of a secret: behind the `=` of what looks like an entry that
/// is commented out or broken.
fn hidden_from(line: &[u8]) -> Option<usize> {
    let equals = line.iter().position(|byte| *byte == b'=').filter(|at| is_secret(&lower(&line[..*at])));
    equals.map(|at| at + 1).or_else(|| is_secret(&lower(line)).then_some(0))
}

/// Marks secrets whose bytes are not those of the same secret before; the nth of a key is compared with the nth.
fn mark_changed(old: &[Shown], new: &mut [Shown]) {
    let mut before: HashMap<&str, Vec<&[u8]>> = HashMap::new();
    for hidden in old.iter().rev().filter_map(|line| line.hidden.as_ref()) {
        before.entry(&hidden.key).or_default().push(&hidden.bytes);
    }
    for line in new {
        let Some(hidden) = &line.hidden else { continue };
        let same = before.get_mut(hidden.key.as_str()).and_then(Vec::pop);
        line.is_changed = same.is_some_and(|bytes| bytes != hidden.bytes);
    }
}

impl Shown {
    fn into_text(mut self) -> String {
        if self.hidden.is_some() {
            if self.text.ends_with(|last| !matches!(last, ' ' | '\t')) {
                self.text.push(' ');
            }
            self.text.push_str(STARS);
        }
        if self.is_changed {
            self.text.push_str(" (changed)");
        }
        if self.end != LineEnd::None {
            self.text.push('\n');
        }
        self.text
    }
}

/// True if the entry is meant for the guest and did not change: it may be anything, and is not the caller's.
fn is_told_to_guest(document: &Document, other: &Document, key: &str) -> bool {
    let value = |document: &Document| document.get(key).ok().flatten().map(|entry| entry.value);
    key.starts_with("guestinfo.") && value(document) == value(other)
}

fn is_secret(lower: &str) -> bool {
    SECRETS.iter().any(|secret| lower.contains(secret))
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
