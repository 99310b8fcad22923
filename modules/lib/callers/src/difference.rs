//! A difference for a person at a terminal.

use std::io::Write;

use contract::service::Answer;
use serde_json::Value;

/// Shows the answer's difference on standard error: each value that changes, or a unified diff of a text.
pub fn show(answer: &Answer) {
    let shown = answer.result.get("diff").map(lines).unwrap_or_default();
    let _ = std::io::stderr().write_all(shown.as_bytes());
}

fn lines(diff: &Value) -> String {
    match diff {
        Value::Array(diffs) => diffs.iter().map(lines).collect(),
        one if one["prepared"].is_string() => one["prepared"]
            .as_str()
            .unwrap_or_default()
            .split_inclusive('\n')
            .map(|line| match line.strip_suffix('\n') {
                Some(line) => printable(line) + "\n",
                None => printable(line),
            })
            .collect(),
        one => {
            let label = one["before_header"].as_str().unwrap_or_default().trim_end_matches(" (before)");
            let mut text = format!("{label}\n");
            compare("", &one["before"], &one["after"], &mut text);
            text
        }
    }
}

/// Returns `text` without characters that a terminal acts on.
fn printable(text: &str) -> String {
    text.chars()
        .map(|one| if one.is_control() && one != '\t' { one.escape_debug().to_string() } else { one.to_string() })
        .collect()
}

/// Adds a line for each value inside of the two that differs.
fn compare(path: &str, before: &Value, after: &Value, text: &mut String) {
    if before == after {
        return;
    }
    if let (Some(old), Some(new)) = (before.as_object(), after.as_object()) {
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            compare(&inner, &before[name], &after[name], text);
        }
        return;
    }
    let shown = |value: &Value| match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    };
    text.extend(["  ", path, ": ", &shown(before), " -> ", &shown(after), "\n"]);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lines;

    #[test]
    fn only_what_differs_is_shown() {
        let one = |before, after| json!({"before_header": "esxi01 (before)", "before": before, "after": after});
        let cases = [
            (one(json!({"a": 0, "b": {"c": "x"}}), json!({"a": 0, "b": {"c": null}})), "esxi01\n  b.c: x -> (none)\n"),
            (
                json!([one(json!({"a": 0}), json!({"a": 1})), one(json!({}), json!({"a.b": [1]}))]),
                "esxi01\n  a: 0 -> 1\nesxi01\n  a.b: (none) -> [1]\n",
            ),
            (
                one(json!({"a": "\u{1b}]0;title\u{7}"}), json!({"a": "x\ny"})),
                "esxi01\n  a: \\u{1b}]0;title\\u{7} -> x\\ny\n",
            ),
            (json!({"prepared": "--- a\n+++ b\n"}), "--- a\n+++ b\n"),
        ];
        for (diff, text) in cases {
            assert_eq!(lines(&diff), text);
        }
    }
}
