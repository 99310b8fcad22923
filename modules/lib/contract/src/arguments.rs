//! Turns a JSON object into a module's typed arguments and reports every problem at once.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::{Map, Value};

use crate::coerce::{coerce, is_omitted};
use crate::field::{Field, Given, Type, fields, join, shorten};
use crate::secret::{MASK, Secrets, in_address};
use crate::{Arguments, Error, Kind, Module, schema};

/// The arguments as understood.
pub struct Understood<A> {
    pub args: Result<A, Error>,
    /// For `invocation`: coerced, with defaults and environment, secrets masked, long texts by their beginning.
    pub shown: Map<String, Value>,
}

/// Understands `given`. `secrets` learns every secret in it, also when the arguments are refused.
pub fn understand<M: Module>(
    given: &Map<String, Value>,
    environment: impl Fn(&str) -> Option<OsString>,
    no_log: bool,
    secrets: &mut Secrets,
) -> Understood<M::Args> {
    let fields = fields(&schema::arguments_internal::<M>());
    let mut problems = Problems::default();
    let given = &canonical(given, &fields, &mut problems);
    let mut coerced = Map::new();
    let mut shown = Map::new();
    // Also those whose value is wrong: the rules are about what the caller meant to give.
    let mut explicit = Vec::new();
    let mut misread = Vec::new();
    let mut lacking = Vec::new();
    let mut all = Vec::new();

    let said = |field: &Field| given.get(&field.name).filter(|value| !is_omitted(value) && !is_blank(value, field));
    let meant = fields.iter().filter_map(|field| Some((field.name.clone(), said(field)?.clone()))).collect();
    let alone = M::Args::needs_no_server(&meant);
    for problem in unknown(given, &fields) {
        problems.add(|| problem);
    }
    for field in &fields {
        let own = said(field);
        let found = own.map(|value| (Ok(value.clone()), format!("`{}`", field.name))).or_else(|| {
            let name = field.env.as_deref().filter(|_| !alone)?;
            let text = environment(name).filter(|text| !text.is_empty())?;
            let text = text.into_string().map_err(|_| "its value is not UTF-8 text".to_owned());
            Some((text.map(Value::String), format!("environment variable {name}")))
        });
        let Some((value, place)) = found else {
            if field.required {
                problems.add(|| missing(&field.name, &fields));
                lacking.push(field);
            }
            if let Some(default) = &field.default {
                shown.insert(field.name.clone(), default.clone());
            }
            continue;
        };
        let secret = value.as_ref().is_ok_and(|value| learn_secret(field, value, secrets));
        let understood = value.and_then(|value| coerce(&value, &field.kind, secret));
        // A value equal to its default contradicts nothing.
        if field.default.is_none() || understood.as_ref().ok() != field.default.as_ref() {
            all.push(field.name.as_str());
            if own.is_some() {
                explicit.push(field.name.as_str());
            }
        }
        match understood {
            Ok(value) => {
                if let Some(char) = unsendable(&value).filter(|_| !alone) {
                    problems.add(|| {
                        let code = u32::from(char);
                        format!(
                            "{place}: it contains the character U+{code:04X}, which cannot be sent to a server; remove it"
                        )
                    });
                }
                if field.secret || no_log && field.kind == Type::Dict {
                    // `no_log: true` covers exactly these: the values that a task sets.
                    secrets.add_all(&value);
                }
                shown.insert(field.name.clone(), if secret { MASK.into() } else { brief(&value) });
                coerced.insert(field.name.clone(), value);
            }
            Err(wrong) => {
                misread.push(field);
                problems.add(|| format!("{place}: {wrong}"));
            }
        }
    }
    let unread = misread.iter().map(|field| (field.name.clone(), Value::Null));
    let meant = coerced.clone().into_iter().chain(unread).collect();
    let present = Given { explicit: &explicit, all: &all };
    for rule in M::Args::RULES.iter().copied().chain(M::Args::rules(&meant)) {
        let told = rule.problems(present, |name| {
            lacking.extend(fields.iter().filter(|field| field.name == name));
            missing(name, &fields)
        });
        for problem in told {
            // A general rule and a conditional one may report the same problem.
            if !problems.told.contains(&problem) {
                problems.add(|| problem);
            }
        }
    }
    let args = checked::<M>(coerced, &lacking, &misread, &mut problems);
    // A wrong value may be a secret in the wrong place.
    shown.retain(|name, _| !problems.told.iter().any(|problem| problem.contains(&format!("`{name}`"))));
    shown.values().for_each(|value| secrets.show(value));
    Understood { args: args.ok_or_else(|| problems.refusal()), shown }
}

/// Returns the first character in the value that XML 1.0, and so the vSphere API, has no place for.
fn unsendable(value: &Value) -> Option<char> {
    let illegal =
        |char: &char| matches!(char, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    match value {
        Value::String(text) => text.chars().find(illegal),
        Value::Array(items) => items.iter().find_map(unsendable),
        Value::Object(map) => {
            map.iter().find_map(|(key, value)| key.chars().find(illegal).or_else(|| unsendable(value)))
        }
        _ => None,
    }
}

/// Has the module check everything in `understood`, even if other arguments are wrong. Placeholders replace the
/// `lacking` and `misread` values, and problems about them are dropped. Returns the arguments if there is no problem.
fn checked<M: Module>(
    mut understood: Map<String, Value>,
    lacking: &[&Field],
    misread: &[&Field],
    problems: &mut Problems,
) -> Option<M::Args> {
    let needed = misread.iter().filter(|field| field.required).chain(lacking);
    understood.extend(needed.map(|field| (field.name.clone(), stand_in(&field.kind))));
    match serde_json::from_value::<M::Args>(Value::Object(understood)) {
        Ok(args) => {
            let about = |problem: &str, name: &str| {
                problem.starts_with(&format!("`{name}`")) || problem.contains(&format!("`{name}: "))
            };
            for problem in args.check() {
                if !lacking.iter().chain(misread).any(|field| about(&problem, &field.name)) {
                    problems.add(|| problem);
                }
            }
            (problems.count == 0).then_some(args)
        }
        Err(error) => {
            // Only a schema that disagrees with its own type gets here without another problem.
            if problems.count == 0 {
                problems.add(|| error.to_string());
            }
            None
        }
    }
}

/// A value of this type.
fn stand_in(kind: &Type) -> Value {
    match kind {
        Type::Bool => false.into(),
        Type::Int { min, .. } => min.unwrap_or(0).into(),
        Type::Float => 0.into(),
        Type::Text { choices, .. } => choices.first().map_or("x", String::as_str).into(),
        Type::List(item) => vec![stand_in(item)].into(),
        Type::Dict => Map::new().into(),
        Type::Any => Value::Null,
    }
}

/// Remembers what is secret about `value`, and returns true if it must not be shown. People also write a password in front of
/// a host's name.
fn learn_secret(field: &Field, value: &Value, secrets: &mut Secrets) -> bool {
    if field.secret {
        secrets.add_all(value);
        return true;
    }
    let text = value.as_str().filter(|_| matches!(field.kind, Type::Text { .. }));
    let password = text.and_then(in_address);
    password.inspect(|password| secrets.add(password)).is_some()
}

/// The problems with the arguments.
#[derive(Default)]
struct Problems {
    /// The first of them.
    told: Vec<String>,
    count: usize,
}

impl Problems {
    /// The largest number of problems listed; the rest are only counted.
    const TOLD: usize = 50;
    /// Enough for any sentence; the names in it are the caller's and have no limit.
    const LENGTH: usize = 1000;

    fn add(&mut self, problem: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < Self::TOLD {
            let mut problem = problem();
            if let Some((at, _)) = problem.char_indices().nth(Self::LENGTH) {
                problem.truncate(at);
                problem.push('…');
            }
            self.told.push(problem);
        }
    }

    fn refusal(&self) -> Error {
        let mut detail = self.told.join("; ");
        if self.count > 1 {
            detail = format!("{} problems with the arguments: {detail}", self.count);
        }
        if self.count > self.told.len() {
            detail = format!("{detail}; and {} more", self.count - self.told.len());
        }
        Error::new(Kind::InvalidArguments, detail)
    }
}

/// The largest number of characters shown of a text: a log given as an argument would otherwise appear in the result
/// again.
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

/// Returns the arguments by their own names: an alias stands for one of them.
fn canonical(given: &Map<String, Value>, fields: &[Field], problems: &mut Problems) -> Map<String, Value> {
    let mut named = Map::new();
    // The name by which each argument was given.
    let mut given_as = BTreeMap::new();
    for (name, value) in given {
        let own = fields.iter().find(|field| field.aliases.contains(name)).map_or(name, |field| &field.name);
        if is_omitted(value) {
            named.entry(own).or_insert(Value::Null);
        } else if named.get(own).is_none_or(|other| is_omitted(other) || other == value) {
            named.insert(own.clone(), value.clone());
            given_as.insert(own, name);
        } else if let Some(other) = given_as.get(own) {
            problems.add(|| format!("`{other}` and `{name}` are names of the same argument: set only one of them"));
        }
    }
    named
}

/// A problem for each name that is close to a known one, and one for all others.
fn unknown(given: &Map<String, Value>, fields: &[Field]) -> Vec<String> {
    let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    // A name already in use is not what was meant: offering it would only move the error.
    let free: Vec<&str> = known.iter().copied().filter(|name| !given.contains_key(*name)).collect();
    let mut problems = Vec::new();
    let mut strange = Vec::new();
    for name in given.keys().filter(|name| !known.contains(&name.as_str())) {
        match crate::nearest(name, free.iter().copied()) {
            Some(meant) => problems.push(format!("unknown argument `{}`: did you mean `{meant}`?", shorten(name))),
            None => strange.push(shorten(name)),
        }
    }
    if !strange.is_empty() {
        let plural = if strange.len() > 1 { "s" } else { "" };
        let names: Vec<&str> = strange.iter().map(String::as_str).take(10).collect();
        let more = strange.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let strange = join(&names, "and");
        problems.push(format!("unknown argument{plural} {strange}{more}: valid arguments are {}", known.join(", ")));
    }
    problems
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
