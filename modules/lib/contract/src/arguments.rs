//! From a JSON object to a module's typed arguments, with every problem told at once.

use serde_json::{Map, Value};

use crate::coerce::{coerce, is_omitted};
use crate::field::{Field, Given, Type, fields};
use crate::secret::{MASK, Secrets};
use crate::{Error, Kind, Module, schema};

/// The arguments as understood.
pub struct Understood<A> {
    pub args: Result<A, Error>,
    /// For `invocation`: coerced, with defaults and environment, secrets masked, long texts by their beginning.
    pub shown: Map<String, Value>,
}

/// Understands `given`. `secrets` learns every secret in it, also when the arguments are refused.
pub fn understand<M: Module>(
    given: &Map<String, Value>,
    environment: impl Fn(&str) -> Option<String>,
    no_log: bool,
    secrets: &mut Secrets,
) -> Understood<M::Args> {
    let fields = fields(&schema::arguments_internal::<M>());
    let mut problems = Vec::new();
    let mut coerced = Map::new();
    let mut shown = Map::new();
    // Also those whose value is wrong: the rules are about what the caller meant to give.
    let mut explicit = Vec::new();
    let mut misread = Vec::new();
    let mut all = Vec::new();

    let said = |field: &Field| given.get(&field.name).filter(|value| !is_omitted(value) && !is_blank(value, field));
    let meant = fields.iter().filter_map(|field| Some((field.name.clone(), said(field)?.clone()))).collect();
    let alone = M::needs_no_server(&meant);
    for name in given.keys().filter(|name| !fields.iter().any(|field| field.name == **name)) {
        problems.push(unknown(name, given, &fields));
    }
    for field in &fields {
        let own = said(field);
        let found = own.map(|value| (value.clone(), format!("`{}`", field.name))).or_else(|| {
            let name = field.env.as_deref().filter(|_| !alone)?;
            let text = environment(name).filter(|text| !text.is_empty())?;
            Some((Value::String(text), format!("environment variable {name}")))
        });
        let Some((value, place)) = found else {
            if field.required {
                problems.push(missing(&field.name, &fields));
            }
            if let Some(default) = &field.default {
                shown.insert(field.name.clone(), default.clone());
            }
            continue;
        };
        if field.secret {
            secrets.add_all(&value);
        }
        let understood = coerce(&value, &field.kind, field.secret);
        // What is its default anyway contradicts nothing.
        if field.default.is_none() || understood.as_ref().ok() != field.default.as_ref() {
            all.push(field.name.as_str());
            if own.is_some() {
                explicit.push(field.name.as_str());
            }
        }
        match understood {
            Ok(value) => {
                if field.secret {
                    secrets.add_all(&value);
                }
                if no_log && field.kind == Type::Dict {
                    // What `no_log: true` is written for: the values that a task sets.
                    secrets.add_all(&value);
                }
                let visible = if field.secret { Value::String(MASK.to_owned()) } else { brief(&value) };
                shown.insert(field.name.clone(), visible);
                coerced.insert(field.name.clone(), value);
            }
            Err(wrong) => {
                misread.push(field.name.clone());
                problems.push(format!("{place}: {wrong}"));
            }
        }
    }
    let misread = misread.into_iter().map(|name| (name, Value::Null));
    let meant = coerced.clone().into_iter().chain(misread).collect();
    let rules = M::RULES.iter().copied().chain(M::rules(&meant));
    let present = Given { explicit: &explicit, all: &all };
    for problem in rules.flat_map(|rule| rule.problems(present, |name| missing(name, &fields))) {
        // What always holds and what holds for arguments like these may say the same.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    if problems.is_empty() {
        match serde_json::from_value::<M::Args>(Value::Object(coerced)) {
            Ok(args) => {
                problems = M::check(&args);
                if problems.is_empty() {
                    return Understood { args: Ok(args), shown };
                }
            }
            // Only a schema that disagrees with its own type gets here.
            Err(error) => problems.push(error.to_string()),
        }
    }
    // What is wrong may be a secret in the wrong place, such as `user:password@host`.
    shown.retain(|name, _| !problems.iter().any(|problem| problem.contains(&format!("`{name}`"))));
    Understood { args: Err(refusal(&problems)), shown }
}

/// More of a text is not shown: a log that was given as an argument would stand in the result a second time.
const SHOWN: usize = 1000;
/// The beginning by which a longer one is known.
const BEGINNING: usize = 100;

/// `value` as the invocation shows it.
fn brief(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().nth(SHOWN).is_some() => {
            let beginning: String = text.chars().take(BEGINNING).collect();
            Value::String(format!("{beginning}\u{2026} ({} bytes)", text.len()))
        }
        Value::Array(items) => items.iter().map(brief).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), brief(value))).collect(),
        other => other.clone(),
    }
}

fn refusal(problems: &[String]) -> Error {
    let detail = match problems {
        [one] => one.clone(),
        several => format!("{} problems with the arguments: {}", several.len(), several.join("; ")),
    };
    Error::new(Kind::InvalidArguments, detail)
}

/// An empty text for an argument that cannot be empty is one not given: group variables set `folder: ""` for "none",
/// and up to ansible-core 2.18 a template that yields nothing yields `""`.
fn is_blank(value: &Value, field: &Field) -> bool {
    matches!(&field.kind, Type::Text { non_empty: true, choices } if choices.is_empty())
        && value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn missing(name: &str, fields: &[Field]) -> String {
    let variable = fields.iter().find(|field| field.name == name).and_then(|field| field.env.as_deref());
    let variable = variable.map(|variable| format!(" (or environment variable {variable})"));
    format!("missing argument `{name}`{}", variable.unwrap_or_default())
}

fn unknown(name: &str, given: &Map<String, Value>, fields: &[Field]) -> String {
    // A name already in use is not what was meant: offering it would only move the error.
    let free = fields.iter().map(|field| field.name.as_str()).filter(|known| !given.contains_key(*known));
    if let Some(meant) = crate::nearest(name, free) {
        return format!("unknown argument `{name}`: did you mean `{meant}`?");
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    format!("unknown argument `{name}`: known are {}", names.join(", "))
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
