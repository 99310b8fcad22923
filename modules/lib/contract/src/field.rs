//! Arguments as the schema describes them.

use serde_json::Value;

/// Which arguments go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Exactly one of these is given.
    ExactlyOne(&'static [&'static str]),
    /// At most one of these is given.
    AtMostOne(&'static [&'static str]),
    /// The first is only given with the second.
    Needs(&'static str, &'static str),
}

impl Rule {
    /// What is wrong when just the arguments `given` are given, if anything.
    pub(crate) fn problem(self, given: &[&str]) -> Option<String> {
        let present = |names: &'static [&'static str]| -> Vec<&str> {
            names.iter().copied().filter(|name| given.contains(name)).collect()
        };
        match self {
            Self::ExactlyOne(names) => match present(names).as_slice() {
                [] => Some(format!("missing argument: give one of {}", join(names, "or"))),
                [_] => None,
                several => Some(format!("{} exclude each other: give one of them", join(several, "and"))),
            },
            Self::AtMostOne(names) => match present(names).as_slice() {
                [] | [_] => None,
                several => Some(format!("{} exclude each other: give one of them", join(several, "and"))),
            },
            Self::Needs(first, second) => {
                let alone = given.contains(&first) && !given.contains(&second);
                alone.then(|| format!("`{first}` means nothing without `{second}`"))
            }
        }
    }

    /// The rule as JSON Schema.
    pub(crate) fn schema(self) -> Value {
        let required = |name: &&str| serde_json::json!({ "required": [name] });
        match self {
            Self::ExactlyOne(names) => serde_json::json!({ "oneOf": names.iter().map(required).collect::<Vec<_>>() }),
            Self::AtMostOne(names) => {
                let pairs: Vec<_> = names
                    .iter()
                    .enumerate()
                    .flat_map(|(at, first)| names[at + 1..].iter().map(move |second| [first, second]))
                    .map(|pair| serde_json::json!({ "required": pair }))
                    .collect();
                serde_json::json!({ "not": { "anyOf": pairs } })
            }
            Self::Needs(first, second) => serde_json::json!({ "dependentRequired": { first: [second] } }),
        }
    }
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn join(names: &[&str], last: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((only, [])) => only.clone(),
        Some((end, start)) => format!("{} {last} {end}", start.join(", ")),
        None => String::new(),
    }
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Bool,
    Int {
        min: Option<i64>,
        max: Option<i64>,
    },
    Float,
    Text {
        choices: Vec<String>,
        non_empty: bool,
    },
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
pub(crate) struct Field {
    pub name: String,
    pub kind: Type,
    pub required: bool,
    pub default: Option<Value>,
    /// The environment variable that stands in when the argument is not given.
    pub env: Option<String>,
    pub secret: bool,
    pub description: String,
    /// What each choice means, where it says so.
    pub choices: Vec<(String, String)>,
}

/// The arguments that `schema`, an object's schema without references, describes.
pub(crate) fn fields(schema: &Value) -> Vec<Field> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties
        .iter()
        .map(|(name, property)| Field {
            name: name.clone(),
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
