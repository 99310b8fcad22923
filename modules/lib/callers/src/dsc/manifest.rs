//! The resource manifest, which DSC reads before it calls the module.

use contract::Module;
use contract::service::{Field, arguments, arguments_internal, fields};
use serde_json::{Map, Value, json};

use super::desired::{EXIST, IN_DESIRED_STATE, SECURE, handles_exist, may_be_unsaid};
use crate::Resource;

/// Returns the resource manifest, the content of `NAME.dsc.resource.json` beside the binary.
pub fn manifest<R: Resource>() -> Value {
    let executable = format!("./{}", R::Module::ABOUT.name);
    let fields = fields(&arguments_internal::<R::Module>());
    let operation = |name: &str| json!({ "executable": executable, "args": ["dsc", name], "input": "stdin" });
    let mut set = operation("set");
    set["args"] = json!(["dsc", "set", { "whatIfArg": "--what-if" }]);
    set["implementsPretest"] = json!(true);
    if handles_exist::<R>(&fields) {
        set["handlesExist"] = json!(true);
    }
    set["return"] = json!("stateAndDiff");
    let mut test = operation("test");
    test["return"] = json!("stateAndDiff");
    json!({
        "$schema": "https://aka.ms/dsc/schemas/v3/bundled/resource/manifest.json",
        "type": format!("Nested.Vft/{}", title(R::Module::ABOUT.name)),
        "version": env!("CARGO_PKG_VERSION"),
        "description": R::Module::ABOUT.summary,
        "tags": ["vsphere", "nested"],
        "get": operation("get"),
        "set": set,
        "test": test,
        "exitCodes": { "0": "Done", "1": "Failed", "2": "The properties are not valid" },
        "schema": { "embedded": state_schema::<R>(&fields) },
    })
}

/// `HostOption` of `host_option`.
fn title(name: &str) -> String {
    let words = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

/// Returns the schema of a state, desired or actual.
fn state_schema<R: Resource>(fields: &[Field]) -> Value {
    let mut schema = arguments::<R::Module>();
    schema["title"] = json!(format!("{}: state", R::Module::ABOUT.name));
    if let Some(schema) = schema.as_object_mut() {
        // These are Ansible's.
        schema.remove("patternProperties");
        // The current state may include values that no argument can express, and a caller of `get` need not give any.
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            let unsaid = |name: &Value| fields.iter().any(|field| *name == field.name && may_be_unsaid::<R>(field));
            required.retain(|name| !unsaid(name));
        }
        if schema.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            schema.remove("required");
        }
    }
    let Some(properties) = schema["properties"].as_object_mut() else { return schema };
    for field in fields {
        let Some(property) = properties.get_mut(&field.name).and_then(Value::as_object_mut) else { continue };
        property.remove("x-env");
        enumerate(property);
        if field.secret {
            *property = secure(property);
        }
    }
    if handles_exist::<R>(fields) {
        let description = "True if the object exists: `false` means `state: absent`.";
        properties.insert(EXIST.to_owned(), json!({ "description": description, "type": "boolean", "default": true }));
    }
    let description = "True if the state is as wanted. Only `test` reports it.";
    let property = json!({ "description": description, "type": ["boolean", "null"], "readOnly": true });
    properties.insert(IN_DESIRED_STATE.to_owned(), property);
    schema
}

/// Lists choices as `enum`, which DSC shows to the user if a value is wrong. It does not show those of `oneOf`.
fn enumerate(schema: &mut Map<String, Value>) {
    schema.values_mut().filter_map(Value::as_object_mut).for_each(enumerate);
    schema.values_mut().filter_map(Value::as_array_mut).flatten().filter_map(Value::as_object_mut).for_each(enumerate);
    let mut text = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(Value::Array(choices)) = schema.remove("oneOf") {
        for choice in &choices {
            if let (Some(name), Some(meaning)) = (choice["const"].as_str(), choice["description"].as_str()) {
                text.extend(["\n`", name, "`: ", meaning]);
            }
        }
        let names =
            |choice: &Value| choice["enum"].as_array().cloned().unwrap_or_else(|| vec![choice["const"].clone()]);
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("enum".to_owned(), choices.iter().flat_map(names).collect());
    } else if let Some([Value::Object(some), null]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
        && let Some(Value::Array(choices)) = some.get("enum")
        && *null == json!({ "type": "null" })
    {
        let told = some.get("description").and_then(Value::as_str).unwrap_or_default();
        text.extend(told.split_once('\n').map(|(_, choices)| format!("\n{choices}")));
        let choices = choices.iter().cloned().chain([Value::Null]).collect();
        schema.remove("anyOf");
        schema.insert("type".to_owned(), json!(["string", "null"]));
        schema.insert("enum".to_owned(), choices);
    }
    if !text.is_empty() {
        schema.insert("description".to_owned(), json!(text.trim_start()));
    }
}

/// A property that DSC may hand over as one of its secure strings.
fn secure(property: &Map<String, Value>) -> Map<String, Value> {
    let mut plain = property.clone();
    plain.remove("writeOnly");
    let mut secure = Map::new();
    if let Some(description) = plain.remove("description") {
        secure.insert("description".to_owned(), description);
    }
    let object = json!({
        "type": "object",
        "properties": { SECURE: { "type": "string" } },
        "required": [SECURE],
        "additionalProperties": false,
    });
    secure.insert("anyOf".to_owned(), json!([plain, object]));
    secure.insert("writeOnly".to_owned(), json!(true));
    secure
}
