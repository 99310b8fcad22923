//! The schemas of a module's arguments and result, from its types.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{Arguments, Error, Module};

/// The keys of every result besides the module's own ones.
#[derive(Serialize, JsonSchema)]
#[allow(dead_code)] // the result is put together as a map, so that the module's keys stand between these
struct Common {
    /// Whether anything was written, or would be written had this not been a check run.
    changed: bool,
    /// Whether the run failed.
    failed: bool,
    /// One sentence about what was done, or what went wrong and what to do about it.
    msg: String,
    /// Whether the state in this result was predicted, because this was a check run that would change something. Otherwise it
    /// was read.
    predicted: bool,
    /// Why the run failed. Only in a run that failed.
    error: Option<Error>,
    /// Warnings, if there are any. The run did not fail because of them.
    warnings: Option<Vec<String>>,
    /// The state before and after. Only in diff mode, and only if something changed.
    diff: Option<Diff>,
    /// The arguments as understood, secrets masked.
    invocation: Option<Invocation>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum Diff {
    One(OneDiff),
    Text(TextDiff),
    Many(Vec<OneDiff>),
}

/// The state before and after, with what each belongs to.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OneDiff {
    /// The title of `before`.
    pub before_header: String,
    /// The title of `after`.
    pub after_header: String,
    /// The state that was observed.
    pub before: Value,
    /// The state that was planned or reached.
    pub after: Value,
}

/// The difference between two texts.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TextDiff {
    /// A unified diff.
    pub prepared: String,
}

/// The arguments as the program understood them.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Invocation {
    /// The arguments, with defaults and environment. A text of more than 1000 characters is shown by its beginning and its
    /// length.
    pub module_args: Map<String, Value>,
    /// The requests that were made; from verbosity 3 on.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub trace: Vec<String>,
}

/// Doc comments as a schema shows them: one line a paragraph, and Ansible's markup, `O(state=absent)`, as code.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value {
                    Value::String(description) if name == "description" => *description = unmarked(description),
                    other => plain(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

/// Returns `text` with code instead of Ansible's markup.
pub fn unmarked(text: &str) -> String {
    let lines = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    for mark in ["RV(", "O(", "V(", "E(", "C("] {
        while let Some((before, rest)) = text.split_once(mark) {
            // Up to the first bracket: no name or value in these texts has one inside.
            let Some((inside, after)) = rest.split_once(')') else { break };
            text = format!("{before}`{inside}`{after}");
        }
    }
    text
}

fn generate<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The arguments' schema as this crate uses it: an argument that the environment may give still counts as required.
pub fn arguments_internal<M: Module>() -> Value {
    generate::<M::Args>()
}

/// The arguments' schema as published.
pub fn arguments<M: Module>() -> Value {
    let mut schema = arguments_internal::<M>();
    plain(&mut schema);
    let from_environment: Vec<String> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, property)| property.get("x-env").is_some())
        .map(|(name, _)| name.clone())
        .collect();
    // Not by index, which would put a null there where no argument is required.
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !from_environment.iter().any(|known| name == known));
    }
    if let Some(map) = schema.as_object_mut() {
        if map.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            map.remove("required");
        }
        if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
            properties.values_mut().for_each(or_one);
        }
        map.insert("title".to_owned(), json!(format!("{}: arguments", M::ABOUT.name)));
        map.insert("description".to_owned(), json!(M::ABOUT.summary));
        // Ansible adds keys of its own, which every module takes out before it looks at the arguments.
        map.insert("patternProperties".to_owned(), json!({ "^_ansible_": true }));
        map.insert("additionalProperties".to_owned(), json!(false));
        if !M::Args::RULES.is_empty() {
            map.insert("allOf".to_owned(), M::Args::RULES.iter().map(|rule| rule.schema()).collect());
        }
    }
    schema
}

/// Lets a list be a single value too, as the module reads it.
fn or_one(property: &mut Value) {
    let Some(items) = property.get("items").cloned() else { return };
    let Some(map) = property.as_object_mut() else { return };
    let mut list = Map::new();
    for name in ["type", "items", "minItems"] {
        list.extend(map.remove(name).map(|value| (name.to_owned(), value)));
    }
    // The list comes first: it tells the type.
    map.insert("anyOf".to_owned(), json!([list, items]));
}

/// The result's schema as published.
pub fn result<M: Module>() -> Value {
    let mut schema = result_internal::<M>();
    plain(&mut schema);
    schema
}

/// The result's schema with the documentation's markup still in it.
pub(crate) fn result_internal<M: Module>() -> Value {
    let mut schema = generate::<Common>();
    let own = generate::<M::Report>();
    let mut required: Vec<Value> = ["changed", "failed", "msg", "predicted"].map(Value::from).to_vec();
    if let (Some(properties), Some(more)) = (schema["properties"].as_object_mut(), own["properties"].as_object()) {
        for (name, property) in more {
            properties.insert(name.clone(), property.clone());
            required.push(json!(name));
        }
    }
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), json!(format!("{}: result", M::ABOUT.name)));
        map.insert(
            "description".to_owned(),
            json!(format!("The result of {}: one JSON object on one line.", M::ABOUT.name)),
        );
        map.insert("required".to_owned(), Value::Array(required));
        map.insert("additionalProperties".to_owned(), json!(false));
    }
    schema
}
