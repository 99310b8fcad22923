//! A value whose type the caller chose: option values arrive as text, number or boolean.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text, a number, a boolean, or nothing.
///
/// Templating gives the same option value as `1`, `"1"` or `true`, depending on the Ansible release and on how the
/// playbook is written, so what it means is decided where the option's own type is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Nothing: `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
}

/// True if the texts of two values mean the same: booleans do not depend on case.
pub fn same_value(one: &str, other: &str) -> bool {
    let boolean = |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    one == other || boolean(one) && one.eq_ignore_ascii_case(other)
}

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "number", "boolean", "null"] })
    }
}

impl fmt::Display for Scalar {
    /// Writes it as a person would: `true`, `42`, `1.5`, the text itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => fmt::Debug::fmt(value, f),
            Self::Text(value) => f.write_str(value),
        }
    }
}
