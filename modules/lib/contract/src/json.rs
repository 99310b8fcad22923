//! JSON without doubt about what it says.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::field::shorten;

/// Reads JSON. A key that an object has twice is an error, which names it: one of the two values would be lost.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Unique>(bytes).map(|Unique(value)| value)
}

/// A value whose objects have every key once.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed.deserialize(deserializer).map(Self)
    }
}

struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Seed)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{}` is given twice", shorten(&key))));
            }
            map.insert(key, entries.next_value_seed(Seed)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::parse;

    #[test]
    fn a_key_that_is_given_twice_is_named() {
        for (text, key) in [
            (r#"{"a": 1, "b": 2, "a": 1}"#, "`a`"),
            (r#"{"options": {"x.y": "S3cret", "x\u002ey": "S3cret"}}"#, "`x.y`"),
            (r#"[{"a": [{"": 1, "": 2}]}]"#, "``"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("twice at line 1") && !error.contains("S3cret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn everything_else_is_read_as_serde_json_does(text in r#"[\[{]("[ab]":)?(1|-2|0.5|1e400|"t"|null|true|[]{}:,"ab0 \[]){0,12}[\]}]"#) {
            match (serde_json::from_str::<Value>(&text), parse(text.as_bytes())) {
                (Ok(expected), Ok(value)) => prop_assert_eq!(expected, value),
                (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("twice"), "{}", error),
                (Err(_), parsed) => prop_assert!(parsed.is_err()),
            }
        }
    }
}
