//! Keeping secrets out of everything that is printed.

use serde_json::{Map, Value};

/// What stands in place of a secret argument: Ansible's own words for it.
pub const MASK: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
/// What stands in place of a secret inside a text: the same eight stars as in Ansible's own output.
const STARS: &str = "********";

/// A secret shorter than this is only hidden where it stands as a word of its own: hiding every `b` would tell more of
/// it than it hides, and spoil the thumbprint in a message.
const SHORT: usize = 4;

/// `text` without the word `word`.
fn without_word(text: &str, word: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        let inside = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        if !inside(text[..at].chars().next_back()) && !inside(text[end..].chars().next()) {
            clean.push_str(&text[from..at]);
            clean.push_str(STARS);
            from = end;
        }
    }
    clean.push_str(&text[from..]);
    clean
}

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
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if secret.chars().count() < SHORT {
                without_word(&text, secret)
            } else {
                text.replace(secret.as_str(), STARS)
            }
        })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Secrets;

    #[test]
    fn secrets_are_hidden_and_the_rest_is_left() {
        let cases = [
            ("hunter2", "login hunter2 failed: hunter2hunter2", "login ******** failed: ****************"),
            ("b", "between b and :b:", "between ******** and :********:"),
            ("ab", "abc ab", "abc ********"),
            ("", "nothing", "nothing"),
            ("p\u{e4}ss", "ein p\u{e4}ss", "ein ********"),
        ];
        for (secret, text, expected) in cases {
            let mut secrets = Secrets::default();
            secrets.add(secret);
            assert_eq!(secrets.scrub(text), expected, "{secret}");
        }
    }

    #[test]
    fn the_texts_of_a_result_are_scrubbed_and_its_data_is_not() {
        let mut secrets = Secrets::default();
        secrets.add("fault");
        let mut result = json!({
            "msg": "a fault", "warnings": ["fault"], "error": {"kind": "fault", "detail": "fault", "fault": {"message": "fault"}},
            "ft_state": "fault", "hosts": [{"name": "fault", "error": {"kind": "fault", "detail": "a fault"}}]
        });
        if let Some(map) = result.as_object_mut() {
            secrets.scrub_result(map);
        }
        let expected = json!({
            "msg": "a ********", "warnings": ["********"],
            "error": {"kind": "fault", "detail": "********", "fault": {"message": "********"}}, "ft_state": "fault",
            "hosts": [{"name": "fault", "error": {"kind": "fault", "detail": "a ********"}}]
        });
        assert_eq!(result, expected);
    }
}
