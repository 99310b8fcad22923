//! Options as they are asked for and as they are there, wherever that is.

use std::collections::BTreeMap;
use std::rc::Rc;

use contract::Scalar;
use serde_json::{Map, Value, json};

use crate::args::State;

/// One option: its requested and its current value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub asked: String,
    /// The existing spelling, or else the one asked for.
    pub key: String,
    pub value: Option<String>,
}

/// Options to set (`Some`) or to remove (`None`).
pub type Changes = Vec<(String, Option<String>)>;

/// The options to write.
#[derive(Debug, Clone)]
pub struct Change {
    pub options: Changes,
    /// The file with it, where it is a file.
    pub edited: Option<Rc<vmx::Document>>,
    /// The number of the virtual machine whose file the host is to read again.
    pub reload: Option<u64>,
}

impl Change {
    pub fn keys(&self) -> String {
        self.options.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Returns the text to write for a value.
pub fn text(value: &Scalar) -> String {
    match value {
        Scalar::Null => String::new(),
        // In capitals, as vSphere writes its own.
        Scalar::Bool(true) => "TRUE".to_owned(),
        Scalar::Bool(false) => "FALSE".to_owned(),
        other => other.to_string(),
    }
}

/// Returns the changes that `found` needs. An option to remove is left out if its value is empty and an empty value
/// counts as none.
pub fn differences(options: &BTreeMap<String, Scalar>, state: State, found: &[Found], empty_is_none: bool) -> Changes {
    let changes = found.iter().filter_map(|found| {
        let current = found.value.as_deref();
        match state {
            State::Present => {
                let wanted = text(options.get(&found.asked)?);
                let there = current.is_some_and(|current| contract::same_value(current, &wanted));
                (!there).then(|| (found.key.clone(), Some(wanted)))
            }
            State::Absent => {
                let there = current.is_some_and(|current| !(empty_is_none && current.is_empty()));
                there.then(|| (found.key.clone(), None))
            }
        }
    });
    changes.collect()
}

/// Returns the current state in the terms of the arguments: null for an option that is not set. If none is set, all
/// requested options are absent.
pub fn actual(options: &BTreeMap<String, Scalar>, found: &[Found], empty_is_none: bool) -> Map<String, Value> {
    let set = |found: &Found| found.value.clone().filter(|value| !(empty_is_none && value.is_empty()));
    if !found.iter().any(|found| set(found).is_some()) {
        return Map::from_iter([("options".to_owned(), json!(options)), ("state".to_owned(), json!(State::Absent))]);
    }
    let values = found.iter().map(|found| {
        let value = match (options.get(&found.asked), set(found)) {
            (Some(wanted), Some(value)) if contract::same_value(&value, &text(wanted)) => json!(wanted),
            (_, value) => json!(value),
        };
        (found.asked.clone(), value)
    });
    Map::from_iter([
        ("options".to_owned(), values.collect::<Map<_, _>>().into()),
        ("state".to_owned(), json!(State::Present)),
    ])
}

/// Updates `found` to the state after `changes`.
pub fn predict(found: &mut [Found], changes: &Changes) {
    let changes: BTreeMap<&str, &Option<String>> = changes.iter().map(|(key, value)| (key.as_str(), value)).collect();
    for found in found {
        if let Some(value) = changes.get(found.key.as_str()) {
            found.value.clone_from(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::Scalar;
    use serde_json::{Value, json};

    use super::{Found, actual};

    #[test]
    fn what_is_there_is_told_in_the_terms_of_the_arguments() {
        // The values of `a` and `b`, both wanted true; whether an empty value is none; the expected report and state.
        let cases: [([Option<&str>; 2], bool, Value, &str); 5] = [
            ([Some("TRUE"), Some("1")], true, json!({ "a": true, "b": "1" }), "present"),
            ([Some("FALSE"), None], true, json!({ "a": "FALSE", "b": null }), "present"),
            ([Some(""), Some("1")], true, json!({ "a": null, "b": "1" }), "present"),
            ([None, Some("")], true, json!({ "a": true, "b": true }), "absent"),
            ([None, Some("")], false, json!({ "a": null, "b": "" }), "present"),
        ];
        for (values, empty_is_none, options, state) in cases {
            let wanted = ["a", "b"].map(|key| (key.to_owned(), Scalar::Bool(true))).into();
            let found = ["a", "b"].into_iter().zip(values).map(|(key, value)| Found {
                asked: key.to_owned(),
                key: key.to_owned(),
                value: value.map(str::to_owned),
            });
            let actual = actual(&wanted, &found.collect::<Vec<_>>(), empty_is_none);
            assert_eq!(json!(actual), json!({ "options": options, "state": state }), "{values:?}");
        }
    }
}
