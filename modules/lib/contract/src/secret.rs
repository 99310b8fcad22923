//! Keeping secrets out of everything that is printed.

use serde_json::{Map, Value};

/// What stands in place of a secret argument: Ansible's own words for it.
pub const MASK: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
/// What stands in place of a secret inside a text: the same eight stars as in Ansible's own output.
const STARS: &str = "********";

/// The secret texts of one run.
#[derive(Default, Clone)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Remembers `text` as secret. An empty text is no secret: hiding it would put stars between all letters.
    pub fn add(&mut self, text: &str) {
        if !text.is_empty() && !self.0.iter().any(|known| known == text) {
            self.0.push(text.to_owned());
            // The longest first, so that a secret inside another does not leave the rest of it standing.
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Every text and number inside `value`.
    pub fn add_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            Value::Object(map) => map.values().for_each(|item| self.add_all(item)),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// `text` without any secret.
    pub fn scrub(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), STARS))
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
            if let Some(Value::Object(error)) = result.get_mut(key) {
                for (name, part) in error.iter_mut().filter(|(name, _)| *name != "kind") {
                    let _ = name;
                    self.scrub_value(part);
                }
            } else if let Some(value) = result.get_mut(key) {
                self.scrub_value(value);
            }
        }
    }
}
