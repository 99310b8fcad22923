//! The module as a task of Puppet Bolt.
//!
//! Bolt gives no flags: the document on standard input tells that it is the caller, by naming the task. Keys with an
//! underscore are its own. It takes a result with `_error` for a failure, whatever the exit status.

use contract::service::{Answer, Call, Field, Type, arguments, fields, flag};
use contract::{Error, Module, Progress};
use serde_json::{Map, Value, json};
use url::Url;

/// True if Bolt handed these arguments over.
pub fn called(given: &Map<String, Value>) -> bool {
    given.get("_task").is_some_and(Value::is_string)
}

/// Returns the call as Bolt means it, and takes Bolt's own keys out of the arguments.
pub fn call<M: Module>(call: &Call, given: &mut Map<String, Value>) -> Result<Call, Error> {
    let noop = flag(given, "_noop")?;
    let target = given.remove("_target");
    given.retain(|name, _| !name.starts_with('_'));
    if let Some(target) = target {
        connect::<M>(&target, given);
    }
    Ok(Call { check: call.check || noop, progress: Progress::silent, ..call.clone() })
}

/// Takes address and account of a remote target as the arguments that were not given. They stay together: the password of one
/// server is not sent to another.
fn connect<M: Module>(target: &Value, given: &mut Map<String, Value>) {
    given.retain(|_, value| !value.is_null());
    let fields = fields(&arguments::<M>());
    let is_given = |name: &str, given: &Map<String, Value>| {
        let field = fields.iter().find(|field| field.name == name);
        let aliases = field.into_iter().flat_map(|field| &field.aliases);
        given.contains_key(name) || aliases.into_iter().any(|alias| given.contains_key(alias))
    };
    // As a scheme without a port of its own: then the address has a port only if it was written.
    let uri = target["uri"].as_str().map(|uri| uri.split_once("://").map_or(uri, |(_, rest)| rest));
    let uri = uri.and_then(|rest| Url::parse(&format!("remote://{rest}")).ok());
    let host = target["host"].as_str().or_else(|| uri.as_ref()?.host_str()).filter(|host| !host.is_empty());
    let Some(host) = host.map(|host| json!(host)) else { return };
    if given.get("hostname").is_some_and(|hostname| *hostname != host) {
        return;
    }
    let port = Some(target["port"].clone()).filter(|port| !port.is_null());
    let port = port.or_else(|| uri.as_ref()?.port().map(|port| json!(port)));
    // A port in the environment is that of another server.
    let usual = if given.get("protocol").is_some_and(|protocol| protocol == "http") { 80 } else { 443 };
    let parts = [("hostname", host), ("port", port.unwrap_or(json!(usual)))].map(|(name, value)| (name, Some(value)));
    let account = [("username", "user"), ("password", "password")].map(|(name, key)| (name, target.get(key).cloned()));
    for (name, value) in parts.into_iter().chain(account) {
        if let Some(value) = value.filter(|value| !value.is_null())
            && !is_given(name, given)
        {
            given.insert(name.to_owned(), value);
        }
    }
}

/// Returns the answer in the form that Bolt knows.
pub fn answer(mut answer: Answer) -> Answer {
    let result = &mut answer.result;
    // Bolt shows the whole result, and its user already knows the arguments.
    result.remove("invocation");
    if let Some(error) = result.remove("error") {
        let msg = result.get("msg").cloned().unwrap_or_default();
        let kind = format!("nested_vft/{}", error["kind"].as_str().unwrap_or("internal"));
        result.insert("_error".to_owned(), json!({ "msg": msg, "kind": kind, "details": error }));
    }
    answer
}

/// Returns the metadata of the task, the content of `NAME.json` beside the binary.
pub fn metadata<M: Module>() -> Value {
    let parameters: Map<String, Value> =
        fields(&arguments::<M>()).iter().map(|field| (field.name.clone(), parameter(field))).collect();
    let file = format!("{}{}", M::ABOUT.name, std::env::consts::EXE_SUFFIX);
    json!({
        "description": M::ABOUT.summary,
        "puppet_task_version": 1,
        "input_method": "stdin",
        "supports_noop": true,
        // Bolt runs a task either on a target or, through a proxy, for a remote target. This one does both.
        "implementations": [
            { "name": file, "requirements": [], "remote": true },
            { "name": file, "requirements": [], "remote": false },
        ],
        "parameters": parameters,
    })
}

fn parameter(field: &Field) -> Value {
    let kind = data_type(&field.kind);
    let kind = if field.required { kind } else { format!("Optional[{kind}]") };
    let mut parameter = json!({ "description": field.description, "type": kind });
    if field.secret {
        parameter["sensitive"] = json!(true);
    }
    parameter
}

/// The type in Puppet's language.
fn data_type(kind: &Type) -> String {
    match kind {
        Type::Bool => "Boolean".to_owned(),
        Type::Int { min, max } => {
            let bound = |bound: &Option<i64>| bound.map_or_else(|| "default".to_owned(), |number| number.to_string());
            format!("Integer[{}, {}]", bound(min), bound(max))
        }
        Type::Float => "Numeric".to_owned(),
        Type::Text { choices, .. } if !choices.is_empty() => {
            format!("Enum[{}]", choices.iter().map(|choice| format!("'{choice}'")).collect::<Vec<_>>().join(", "))
        }
        Type::Text { non_empty: true, .. } => "String[1]".to_owned(),
        Type::Text { .. } => "String".to_owned(),
        Type::List(item) => {
            let item = data_type(item);
            format!("Variant[{item}, Array[{item}]]")
        }
        Type::Dict => "Hash[String[1], Data]".to_owned(),
        Type::Any => "Data".to_owned(),
    }
}
