//! Ansible's documentation of a module, as YAML, from its types.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::field::{Field, Type, choices, fields, text, unwrapped};
use crate::{Arguments, Change, Module, schema};

/// DOCUMENTATION, EXAMPLES and RETURN as one YAML document.
pub fn document<M: Module>() -> String {
    let options: Map<String, Value> =
        fields(&schema::arguments_internal::<M>()).iter().map(|field| (field.name.clone(), option(field))).collect();
    let mut description: Vec<String> = M::ABOUT.description.iter().map(|text| (*text).to_owned()).collect();
    if !M::Args::RULES.is_empty() {
        let rules = M::Args::RULES.iter().map(|rule| rule.sentence(|name| format!("O({name})")));
        description.push(rules.collect::<Vec<_>>().join(" "));
    }
    let documentation = json!({
        "module": M::ABOUT.name,
        "short_description": M::ABOUT.summary,
        "description": description,
        "version_added": "0.1.0",
        "author": ["the nested-vft authors (@nested-vft)"],
        "options": options,
        "attributes": attributes(M::Change::EVER),
    });
    let mut returned = returned(&schema::result_internal::<M>());
    let sample: Map<String, Value> = serde_json::from_str(M::ABOUT.sample).unwrap_or_default();
    for (name, value) in sample {
        if let Some(Value::Object(key)) = returned.get_mut(&name) {
            key.insert("sample".to_owned(), value);
        }
    }
    let mut yaml = String::from("---\n");
    write(&mut yaml, &json!({ "DOCUMENTATION": documentation }), 0);
    yaml.push_str("EXAMPLES: |\n");
    for line in M::ABOUT.examples.lines() {
        if line.is_empty() {
            yaml.push('\n');
        } else {
            let _ = writeln!(yaml, "  {line}");
        }
    }
    write(&mut yaml, &json!({ "RETURN": returned }), 0);
    yaml
}

/// Returns the task attributes that the module supports. A module that never changes anything behaves the same in check
/// mode.
fn attributes(changes: bool) -> Value {
    let (check, diff) = if changes {
        ("Reports the change without making it.", "Shows the state before and after.")
    } else {
        ("Changes nothing, in check mode or not.", "Changes nothing, so there is no difference to show.")
    };
    json!({
        "check_mode": { "support": "full", "description": check },
        "diff_mode": { "support": if changes { "full" } else { "N/A" }, "description": diff },
    })
}

fn option(field: &Field) -> Value {
    let mut description: Vec<String> = field.description.split('\n').map(str::to_owned).collect();
    description.extend(
        field.choices.iter().filter(|(_, told)| !told.is_empty()).map(|(name, told)| format!("V({name}): {told}")),
    );
    if let Some(name) = &field.env {
        description.push(format!("When not given, the environment variable E({name}) is used."));
    }
    let mut option = Map::new();
    option.insert("description".to_owned(), json!(description));
    option.insert("type".to_owned(), json!(field.kind.ansible()));
    if !field.aliases.is_empty() {
        option.insert("aliases".to_owned(), json!(field.aliases));
    }
    if let Type::List(item) = &field.kind {
        option.insert("elements".to_owned(), json!(item.ansible()));
    }
    // A task need not give a value that the environment can give.
    option.insert("required".to_owned(), json!(field.required && field.env.is_none()));
    if let Some(default) = &field.default {
        option.insert("default".to_owned(), default.clone());
    }
    if let Type::Text { choices, .. } = &field.kind
        && !choices.is_empty()
    {
        option.insert("choices".to_owned(), json!(choices));
    }
    Value::Object(option)
}

/// The module's own keys; `changed`, `failed`, `msg` and the like are Ansible's and are documented there.
fn returned(schema: &Value) -> Value {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut keys = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let own = required.contains(&name.as_str()) && !["changed", "failed", "msg"].contains(&name.as_str());
        if own {
            keys.insert(name.clone(), value(property, "always"));
        } else if name == "error" {
            keys.insert(name.clone(), value(property, "on failure"));
        }
    }
    Value::Object(keys)
}

fn value(schema: &Value, when: &str) -> Value {
    let described = text(schema);
    let schema = unwrapped(schema);
    let described = if described.is_empty() { text(schema) } else { described };
    let kind = kind(schema);
    let mut documented = Map::new();
    let choices = choices(schema);
    let meanings = choices.iter().filter(|(_, told)| !told.is_empty()).map(|(name, told)| format!("V({name}): {told}"));
    let meanings: Vec<String> = meanings.collect();
    let description = if meanings.is_empty() { json!(described) } else { json!([vec![described], meanings].concat()) };
    documented.insert("description".to_owned(), description);
    documented.insert("returned".to_owned(), json!(when));
    documented.insert("type".to_owned(), json!(kind));
    let inner = if kind == "list" { unwrapped(&schema["items"]) } else { schema };
    if kind == "list" {
        documented.insert("elements".to_owned(), json!(self::kind(inner)));
    }
    if let Some(properties) = inner["properties"].as_object().filter(|properties| !properties.is_empty()) {
        let contains: Map<String, Value> =
            properties.iter().map(|(name, property)| (name.clone(), value(property, when_in(inner, name)))).collect();
        documented.insert("contains".to_owned(), Value::Object(contains));
    }
    Value::Object(documented)
}

/// The type of what `schema` describes, in Ansible's words.
fn kind(schema: &Value) -> &'static str {
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => Vec::new(),
    };
    match names.first().copied().unwrap_or("any") {
        // A value may be of several types, or of any.
        _ if names.len() > 1 => "raw",
        "any" if choices(schema).is_empty() => "raw",
        "boolean" => "bool",
        "integer" => "int",
        "number" => "float",
        "array" => "list",
        "object" => "dict",
        _ => "str",
    }
}

/// When a key of `schema`'s objects is there.
fn when_in(schema: &Value, name: &str) -> &'static str {
    let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name));
    if required { "always" } else { "when known" }
}

/// Columns of a line of YAML. Checks of Ansible's collections allow no more than 160.
const WIDTH: usize = 120;

/// Block-style YAML. Scalars are written as JSON, which is YAML too, so that nothing needs a quoting rule of its own.
fn write(yaml: &mut String, value: &Value, indent: usize) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (name, item) in map {
                match item {
                    Value::Object(inner) if !inner.is_empty() => {
                        let _ = writeln!(yaml, "{margin}{name}:");
                        write(yaml, item, indent + 2);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        let _ = writeln!(yaml, "{margin}{name}:");
                        write(yaml, item, indent + 2);
                    }
                    scalar => line(yaml, format!("{margin}{name}:"), scalar, indent),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(inner) if !inner.is_empty() => {
                        let _ = writeln!(yaml, "{margin}-");
                        write(yaml, item, indent + 2);
                    }
                    scalar => line(yaml, format!("{margin}-"), scalar, indent),
                }
            }
        }
        scalar => line(yaml, margin, scalar, indent),
    }
}

/// A scalar behind `start`. YAML reads a line break between two words of a quoted text as the space that it replaces;
/// where there is more than one space, there is no break.
fn line(yaml: &mut String, start: String, scalar: &Value, indent: usize) {
    let text = scalar.to_string();
    let mut written = start;
    let mut width = written.chars().count();
    let mut after_word = false;
    for word in text.split(' ') {
        let long = word.chars().count();
        if after_word && !word.is_empty() && width + 1 + long > WIDTH {
            let margin = " ".repeat(indent + 2);
            let _ = write!(written, "\n{margin}{word}");
            width = indent + 2 + long;
        } else {
            let _ = write!(written, " {word}");
            width += 1 + long;
        }
        after_word = !word.is_empty();
    }
    let _ = writeln!(yaml, "{written}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{WIDTH, kind, write};

    #[test]
    fn long_texts_go_on_in_the_next_line_and_lose_nothing() {
        let words = "one word and another ".repeat(20);
        let odd = format!("{}two  spaces, a back\\ slash, \"quotes\" and\ta tab{}", "x ".repeat(60), " ż".repeat(120));
        let texts = ["short".to_owned(), String::new(), "unbroken".repeat(40), format!(" {words}"), words, odd];
        for text in texts {
            for value in [json!({ "description": text }), json!([text])] {
                let mut yaml = String::new();
                write(&mut yaml, &value, 4);
                for line in yaml.lines().filter(|line| line.contains(' ') && !line.contains("unbroken")) {
                    assert!(line.chars().count() <= WIDTH, "{line}");
                }
                // YAML folds the line break and the margin into one space.
                let quoted = &yaml[yaml.find('"').unwrap()..].trim_end().replace("\n      ", " ");
                assert_eq!(serde_json::from_str::<String>(quoted).unwrap(), text, "{yaml}");
            }
        }
    }

    #[test]
    fn types_have_the_names_that_ansible_gives_them() {
        for (schema, name) in [
            (json!({ "type": "integer" }), "int"),
            (json!({ "type": ["string", "null"] }), "str"),
            (json!({ "type": ["string", "integer"] }), "raw"),
            (json!({}), "raw"),
            (json!({ "enum": ["a", "b"] }), "str"),
            (json!({ "type": "array", "items": {} }), "list"),
        ] {
            assert_eq!(kind(&schema), name, "{schema}");
        }
    }
}
