//! Arguments as the schema describes them.

use serde_json::{Map, Value, json};

/// A rule about arguments that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Exactly one of these is given.
    ExactlyOne(&'static [&'static str]),
    /// At most one of these is given.
    AtMostOne(&'static [&'static str]),
    /// At least one of these is given.
    AtLeastOne(&'static [&'static str]),
    /// The first is only given with the second.
    Needs(&'static str, &'static str),
    /// All of these are given.
    Required(&'static [&'static str]),
    /// None of these is given; the text says where they would mean something: `they belong to …`.
    Without(&'static [&'static str], &'static str),
}

/// The arguments that a caller gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    /// By name, and not what is their default anyway.
    pub explicit: &'a [&'a str],
    /// Given by the caller or by an environment variable; a variable can complete the arguments and never conflicts.
    pub all: &'a [&'a str],
}

impl Rule {
    /// Returns the problems with the given arguments, one sentence each. `missing` words the message for a missing
    /// argument.
    pub(crate) fn problems(self, given: Given, mut missing: impl FnMut(&str) -> String) -> Vec<String> {
        let explicit = |names: &'static [&'static str]| -> Vec<&str> {
            names.iter().copied().filter(|name| given.explicit.contains(name)).collect()
        };
        let exclusive =
            |names: &[&str]| format!("{} cannot be used together: set only one of them", join(names, "and"));
        match self {
            Self::ExactlyOne(names) => match explicit(names).as_slice() {
                [] if names.iter().any(|name| given.all.contains(name)) => Vec::new(),
                [] => vec![format!("missing argument: set one of {}", join(names, "or"))],
                [_] => Vec::new(),
                several => vec![exclusive(several)],
            },
            Self::AtMostOne(names) => match explicit(names).as_slice() {
                [] | [_] => Vec::new(),
                several => vec![exclusive(several)],
            },
            Self::AtLeastOne(names) => {
                let none = !names.iter().any(|name| given.all.contains(name));
                none.then(|| format!("missing argument: set one of {}", join(names, "or"))).into_iter().collect()
            }
            Self::Needs(first, second) => {
                let alone = given.all.contains(&first) && !given.all.contains(&second);
                alone.then(|| format!("`{first}` needs `{second}`")).into_iter().collect()
            }
            Self::Required(names) => {
                names.iter().filter(|name| !given.all.contains(*name)).map(|name| missing(name)).collect()
            }
            Self::Without(names, why) => match explicit(names).as_slice() {
                [] => Vec::new(),
                [one] => vec![format!("`{one}` cannot be used here: {why}")],
                several => vec![format!("{} cannot be used here: {why}", join(several, "and"))],
            },
        }
    }

    /// Returns the rule as a sentence, with the names as `quote` writes them.
    pub fn sentence(self, quote: fn(&str) -> String) -> String {
        let listed = |names: &[&str], last: &str| list(&names.iter().map(|name| quote(name)).collect::<Vec<_>>(), last);
        match self {
            Self::ExactlyOne(names) => format!("Exactly one of {} is required.", listed(names, "and")),
            Self::AtMostOne(names) => format!("Only one of {} can be set.", listed(names, "and")),
            Self::AtLeastOne(names) => format!("At least one of {} is required.", listed(names, "and")),
            Self::Needs(first, second) => format!("{} needs {}.", quote(first), quote(second)),
            Self::Required([one]) => format!("{} is required.", quote(one)),
            Self::Required(names) => format!("{} are required.", listed(names, "and")),
            Self::Without(names, why) => format!("{} cannot be used: {why}.", listed(names, "and")),
        }
    }

    /// The rule as JSON Schema.
    pub(crate) fn schema(self) -> Value {
        let any = |names: &[&str]| json!({ "anyOf": names.iter().map(|name| given(&[name])).collect::<Vec<_>>() });
        match self {
            Self::ExactlyOne(names) => json!({ "oneOf": names.iter().map(|name| given(&[name])).collect::<Vec<_>>() }),
            Self::AtMostOne(names) => {
                let others = names.iter().enumerate().map(|(at, first)| (first, &names[at + 1..]));
                let pairs = others.flat_map(|(first, others)| others.iter().map(|second| given(&[first, second])));
                json!({ "not": { "anyOf": pairs.collect::<Vec<_>>() } })
            }
            Self::AtLeastOne(names) => any(names),
            Self::Needs(first, second) => json!({ "if": given(&[first]), "then": given(&[second]) }),
            Self::Required(names) => given(names),
            Self::Without(names, _) => json!({ "not": any(names) }),
        }
    }
}

/// The schema of objects that give all of `names`: null is as good as nothing.
fn given(names: &[&str]) -> Value {
    let some = names.iter().map(|name| ((*name).to_owned(), json!({ "not": { "type": "null" } })));
    json!({ "required": names, "properties": some.collect::<Map<_, _>>() })
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn join(names: &[&str], last: &str) -> String {
    list(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>(), last)
}

fn list(names: &[String], last: &str) -> String {
    match names.split_last() {
        Some((only, [])) => only.clone(),
        Some((end, start)) => format!("{} {last} {end}", start.join(", ")),
        None => String::new(),
    }
}

/// A value or a name in a message: enough to recognise it.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// True or false.
    Bool,
    /// An integer.
    Int {
        /// The smallest.
        min: Option<i64>,
        /// The largest.
        max: Option<i64>,
    },
    /// A number.
    Float,
    /// A text.
    Text {
        /// The only ones allowed; empty: any.
        choices: Vec<String>,
        /// Blank means not given.
        non_empty: bool,
    },
    /// A list of values of one type.
    List(Box<Type>),
    /// Names to values of any scalar type.
    Dict,
    /// Any scalar.
    Any,
}

impl Type {
    /// The type in Ansible's documentation.
    pub(crate) fn ansible(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int { .. } => "int",
            Self::Float => "float",
            Self::Text { .. } => "str",
            Self::List(_) => "list",
            Self::Dict => "dict",
            Self::Any => "raw",
        }
    }
}

/// One argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Other names that a caller may use.
    pub aliases: Vec<String>,
    /// Its type.
    pub kind: Type,
    /// It must be given, by the caller or an environment variable.
    pub required: bool,
    /// Its value when it is not given.
    pub default: Option<Value>,
    /// The environment variable that is read if the argument is not given.
    pub env: Option<String>,
    /// It must not be shown.
    pub secret: bool,
    /// Its documentation.
    pub description: String,
    /// The choices and their descriptions, if any.
    pub choices: Vec<(String, String)>,
}

/// The arguments that `schema`, an object's schema without references, describes.
pub fn fields(schema: &Value) -> Vec<Field> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties
        .iter()
        .map(|(name, property)| Field {
            name: name.clone(),
            aliases: property["x-aliases"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            kind: kind(property),
            required: required.contains(&name.as_str()),
            default: property.get("default").filter(|default| !default.is_null()).cloned(),
            env: property["x-env"].as_str().map(str::to_owned),
            secret: property["writeOnly"].as_bool().unwrap_or(false),
            description: text(property),
            choices: choices(property),
        })
        .collect()
}

/// The description, without the line breaks of the source.
pub(crate) fn text(schema: &Value) -> String {
    let description = schema["description"].as_str().unwrap_or_default();
    description.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n")
}

/// The schema that is not `null`, of a schema that may be wrapped for `Option`.
pub(crate) fn unwrapped(schema: &Value) -> &Value {
    schema["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null")).unwrap_or(schema)
}

/// The texts that a value may be, each with what it means, where the schema lists them.
pub(crate) fn choices(schema: &Value) -> Vec<(String, String)> {
    let schema = unwrapped(schema);
    let plain = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let plain = plain.map(|name| (name.to_owned(), String::new()));
    let told = schema["oneOf"].as_array().into_iter().flatten().flat_map(|one| {
        let names = one["const"]
            .as_str()
            .into_iter()
            .chain(one["enum"].as_array().into_iter().flatten().filter_map(Value::as_str));
        names.map(|name| (name.to_owned(), text(one))).collect::<Vec<_>>()
    });
    plain.chain(told).collect()
}

fn kind(schema: &Value) -> Type {
    let choices: Vec<String> = choices(schema).into_iter().map(|(name, _)| name).collect();
    let schema = unwrapped(schema);
    if !choices.is_empty() {
        return Type::Text { choices, non_empty: true };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => Vec::new(),
    };
    match types.as_slice() {
        ["boolean"] => Type::Bool,
        ["integer"] => Type::Int { min: schema["minimum"].as_i64(), max: schema["maximum"].as_i64() },
        ["number"] => Type::Float,
        ["string"] => Type::Text { choices, non_empty: schema["minLength"].as_u64().unwrap_or(0) > 0 },
        ["array"] => Type::List(Box::new(kind(&schema["items"]))),
        ["object"] => Type::Dict,
        _ => Type::Any,
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
