//! Keeps secrets out of everything that is printed.

mod encoding;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use serde_json::{Map, Value};

use self::encoding::{base64_cores, characters, holds, starts_with, token};
use self::words::is_word;

/// Replaces a secret argument: Ansible's own words for it.
pub const MASK: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
/// Replaces a secret inside a text: the same eight stars as in Ansible's own output.
const STARS: &str = "********";

/// A secret shorter than this is only hidden where it stands as a word of its own: hiding every `b` would tell more of
/// it than it hides, and spoil the thumbprint in a message.
const SHORT: usize = 4;

/// The secret texts of one run.
///
/// [`scrub`](Self::scrub) hides a secret in every form in which servers repeat it: unchanged; escaped for XML, URLs or
/// JSON; inside base64. A text that was cut ends in `…`; the beginning of a secret before it is hidden too.
///
/// It does not hide words that a reader expects anyway: hiding "password" in "Check `username` and `password`" would
/// reveal the secret. These are the words of this program's own messages, and the arguments that the invocation shows.
/// An occurrence of a secret that is such a word or a part of one (`pass` in "password") stays. So does a number of up
/// to four digits.
#[derive(Default, Clone)]
pub struct Secrets {
    /// By their first characters. The longest is first, so that a secret inside another does not leave the rest of it.
    texts: BTreeMap<char, BTreeSet<(Reverse<usize>, String)>>,
    /// Their base64 forms.
    cores: Vec<String>,
    /// Arguments that are shown, and their words.
    shown: HashSet<String>,
}

impl Secrets {
    /// Remembers `text` as secret. A text without letters and digits that is shorter than a word is none: a message is full
    /// of blanks and dots.
    pub fn add(&mut self, text: &str) {
        let Some(first) = text.chars().next().filter(|_| !is_short(text) || text.contains(char::is_alphanumeric))
        else {
            return;
        };
        if self.texts.entry(first).or_default().insert((Reverse(text.len()), text.to_owned())) {
            self.cores.extend(base64_cores(text));
        }
    }

    /// Remembers every text and number inside `value`.
    pub fn add_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            Value::Object(map) => map.values().for_each(|item| self.add_all(item)),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Remembers that `value` is shown anyway, and each word of it.
    pub fn show(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.shown.extend(text.split(|one: char| !one.is_alphanumeric()).map(str::to_owned));
                self.shown.insert(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.show(item)),
            Value::Number(number) => drop(self.shown.insert(number.to_string())),
            _ => {}
        }
    }

    /// `text` without any secret.
    pub fn scrub(&self, text: &str) -> String {
        if self.texts.is_empty() {
            return text.to_owned();
        }
        let text = self.scrub_base64(text);
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            if let Some(end) = self.secret_at(&text, at) {
                clean.push_str(STARS);
                at = end;
            } else {
                clean.push(next);
                at += next.len_utf8();
            }
        }
        clean
    }

    /// Returns the end of the secret that begins at `at`.
    fn secret_at(&self, text: &str, at: usize) -> Option<usize> {
        let candidates = characters(&text[at..]).filter_map(|(first, _)| self.texts.get(&first)).flatten();
        candidates.into_iter().find_map(|(_, secret)| {
            let end = at + starts_with(&text[at..], secret)?;
            (!self.is_expected(text, at..end, secret)).then_some(end)
        })
    }

    /// `text` without base64 texts that hold a secret. All of such a text goes: what is around the secret has bits of it.
    fn scrub_base64(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let token = token(rest);
            if token.is_empty() {
                clean.push(next);
                rest = &rest[next.len_utf8()..];
                continue;
            }
            rest = &rest[token.len()..];
            let hidden = holds(token, rest, &self.cores) && !self.is_known(token);
            clean.push_str(if hidden { STARS } else { token });
        }
        clean
    }

    /// True if the text at `found` would be the same with another secret.
    fn is_expected(&self, text: &str, found: Range<usize>, secret: &str) -> bool {
        let is_part = |one: char| one.is_alphanumeric();
        let (mut start, mut end) = (found.start, found.end);
        if text[start..].starts_with(is_part) {
            start = text[..start].trim_end_matches(is_part).len();
        }
        if text[..end].ends_with(is_part) {
            end = text.len() - text[end..].trim_start_matches(is_part).len();
        }
        let is_inside = start < found.start || found.end < end;
        is_inside && is_short(secret) || self.shown.contains(secret) || self.is_known(&text[start..end])
    }

    fn is_known(&self, word: &str) -> bool {
        let is_number = word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        is_number || self.shown.contains(word) || is_word(word)
    }

    /// Scrubs every text inside `value`; keys are names, not secrets.
    pub fn scrub_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.scrub(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub_value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.scrub_value(item)),
            _ => {}
        }
    }

    /// Scrubs the texts that come from elsewhere (errors, warnings) in a result. The module's own keys hold names and
    /// states as the server has them, and a password that happens to be `on` must not garble them.
    pub fn scrub_result(&self, result: &mut Map<String, Value>) {
        for key in ["msg", "error", "warnings"] {
            if let Some(value) = result.get_mut(key).filter(|value| !value.is_object()) {
                self.scrub_value(value);
            }
        }
        result.iter_mut().for_each(|(name, value)| self.scrub_errors(name, value));
    }

    /// Scrubs what is called `error`, wherever it stands: a module with many targets has one of each.
    fn scrub_errors(&self, name: &str, value: &mut Value) {
        match value {
            Value::Object(error) if name == "error" => {
                error.iter_mut().filter(|(name, _)| *name != "kind").for_each(|(_, part)| self.scrub_value(part));
            }
            Value::Object(map) => map.iter_mut().for_each(|(name, value)| self.scrub_errors(name, value)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub_errors("", item)),
            _ => {}
        }
    }
}

fn is_short(secret: &str) -> bool {
    secret.chars().count() < SHORT
}

/// The password in a text such as `user:password@host`, which people write where only the host belongs.
pub fn in_address(text: &str) -> Option<&str> {
    let (before, _) = text.rsplit_once('@').filter(|_| !text.contains(char::is_whitespace))?;
    let before = before.split_once("://").map_or(before, |(_, rest)| rest);
    before.split_once(':').map(|(_, password)| password).filter(|password| !password.is_empty())
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
