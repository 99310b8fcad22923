//! Scalars as AnsibleModule coerces them.
//!
//! Depending on the release and on how a playbook is written, templating hands over `8`, `"8"`, `True` or `"yes"` for
//! the same intent. Ansible's own modules accept all of it by one table (`ansible.module_utils.common.validation`),
//! and so does this. Two differences, both on purpose: a boolean is no integer here, and a number that lost digits on
//! its way through a float is an error.

use serde_json::{Map, Number, Value, json};

use crate::field::{Type, shorten};

/// `value` as `kind` wants it, or what is wrong with it. The text never repeats the value of a secret.
pub fn coerce(value: &Value, kind: &Type, secret: bool) -> Result<Value, String> {
    let shown = |value: &Value| if secret { "this value".to_owned() } else { shorten(&value.to_string()) };
    match kind {
        Type::Bool => boolean(value)
            .map(Value::Bool)
            .ok_or_else(|| format!("expected a boolean (yes, no, true, false, on, off, 1, 0), got {}", shown(value))),
        Type::Int { min, max } => {
            let number = integer(value).ok_or_else(|| match value {
                Value::Number(number) if is_big(number) => "the integer does not fit into 64 bits".to_owned(),
                _ => format!("expected an integer, got {}", shown(value)),
            })?;
            if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
                return Err(format!("{number} is out of range: {}", range(*min, *max)));
            }
            Ok(json!(number))
        }
        Type::Float => float(value).ok_or_else(|| format!("expected a number, got {}", shown(value))),
        Type::Text { choices, .. } => {
            let text = text(value)?;
            if choices.is_empty() || choices.contains(&text) {
                return Ok(Value::String(text));
            }
            let meant = crate::nearest(&text, choices.iter().map(String::as_str));
            let question = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
            let names: Vec<&str> = choices.iter().map(String::as_str).collect();
            Err(format!("{} is not one of {}{question}", shown(value), crate::field::join(&names, "and")))
        }
        Type::List(item) => list(value)
            .ok_or_else(|| format!("expected a list, got {}", shown(value)))?
            .iter()
            .filter(|one| !is_omitted(one))
            .enumerate()
            .map(|(at, one)| coerce(one, item, secret).map_err(|wrong| format!("item {}: {wrong}", at + 1)))
            .collect(),
        Type::Dict => {
            let map = dictionary(value)
                .map_err(|why| why.unwrap_or_else(|| format!("expected a dictionary, got {}", shown(value))))?;
            let mut scalars = Map::new();
            for (name, one) in map.into_iter().filter(|(_, one)| !is_place_holder(one)) {
                let one = coerce(&one, &Type::Any, secret).map_err(|wrong| format!("`{}`: {wrong}", shorten(&name)))?;
                scalars.insert(name, one);
            }
            Ok(Value::Object(scalars))
        }
        Type::Any => match value {
            Value::Number(number) if is_big(number) => {
                Err("the number does not fit into 64 bits: write it in quotes to keep every digit".to_owned())
            }
            Value::Array(_) | Value::Object(_) => Err(format!("expected a single value, got {}", shown(value))),
            scalar => Ok(scalar.clone()),
        },
    }
}

/// Not given: `null`, or what `omit` leaves behind up to ansible-core 2.18.
pub fn is_omitted(value: &Value) -> bool {
    value.is_null() || is_place_holder(value)
}

fn is_place_holder(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("__omit_place_holder__"))
}

/// A JSON integer past 64 bits arrives as a float that has lost digits.
fn is_big(number: &Number) -> bool {
    const PAST: f64 = 9_223_372_036_854_775_808.0; // 2^63
    number.is_u64() && !number.is_i64() || number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= PAST)
}

fn range(min: Option<i64>, max: Option<i64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("give {min} to {max}"),
        (Some(min), None) => format!("give {min} or more"),
        (None, Some(max)) => format!("give {max} or less"),
        (None, None) => String::new(),
    }
}

/// Ansible's booleans, from a boolean, a number or a text of any case.
fn boolean(value: &Value) -> Option<bool> {
    let text = match value {
        Value::Bool(value) => return Some(*value),
        Value::Number(number) => {
            return match number.as_f64() {
                Some(1.0) => Some(true),
                Some(0.0) => Some(false),
                _ => None,
            };
        }
        Value::String(text) => text.trim().to_lowercase(),
        _ => return None,
    };
    match text.as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

/// An integer from a number without a fraction, or from a text of one, with Python's underscores.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let digits = without_underscores(text.trim())?;
            digits.parse().ok().or_else(|| {
                let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
                whole(digits.parse().ok().filter(|_| plain)?)
            })
        }
        _ => None,
    }
}

/// Underscores between digits are Python's; anywhere else they are a mistake.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let misplaced = bytes.iter().enumerate().any(|(at, byte)| {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        *byte == b'_' && !(digit(at.checked_sub(1)) && digit(at.checked_add(1)))
    });
    (!misplaced).then(|| text.replace('_', ""))
}

/// The integer that a float is, if it is one and is exact.
#[allow(clippy::cast_possible_truncation)] // the bound is checked: every whole float below 2^53 is that integer
fn whole(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
}

fn float(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let float: f64 = without_underscores(text.trim())?.parse().ok()?;
            Number::from_f64(float).map(Value::Number)
        }
        _ => None,
    }
}

/// A text from anything, as Python prints it.
fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if is_big(number) => {
            Err("the number does not fit into 64 bits: write it in quotes to keep every digit".to_owned())
        }
        other => Ok(python(other)),
    }
}

/// `str()` of the value in Python.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => python_float(float),
            _ => number.to_string(),
        },
        Value::String(text) => {
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let escaped: String = text.chars().map(|char| escaped(char, quote)).collect();
            format!("{quote}{escaped}{quote}")
        }
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let items = map.iter().map(|(name, one)| format!("{}: {}", python(&json!(name)), python(one)));
            format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The character as `repr()` writes it inside of these quotes.
fn escaped(char: char, quote: char) -> String {
    match char {
        '\t' | '\n' | '\r' | '\\' => char.escape_default().to_string(),
        _ if char == quote => format!("\\{char}"),
        _ if char.is_control() => format!("\\x{:02x}", u32::from(char)),
        '\u{2028}' | '\u{2029}' => format!("\\u{:x}", u32::from(char)),
        _ => char.to_string(),
    }
}

/// Python gives an exponent a sign and at least two digits.
fn python_float(float: f64) -> String {
    let text = format!("{float:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// A list from a list, from text with commas, or from one number.
fn list(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        // Spaces around a name are never meant: `esxi01, esxi02` is how people write it.
        Value::String(text) => Some(text.split(',').map(|one| json!(one.trim())).collect()),
        Value::Number(_) => Some(vec![json!(python(value))]),
        _ => None,
    }
}

/// A dictionary from one, from JSON text, or from `a=1,b=2` and `a=1 b=2`. The error may have its own words.
fn dictionary(value: &Value) -> Result<Map<String, Value>, Option<String>> {
    let text = match value {
        Value::Object(map) => return Ok(map.clone()),
        Value::String(text) => text.trim(),
        _ => return Err(None),
    };
    if text.starts_with('{') {
        return match crate::json::parse(text.as_bytes()) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(None),
            Err(error) => Err(Some(format!("the text starts like a JSON object, but is not valid JSON: {error}"))),
        };
    }
    let mut map = Map::new();
    for pair in pairs(text).ok_or_else(|| Some("a quote is not closed".to_owned()))? {
        let (name, value) = pair.split_once('=').ok_or(None)?;
        if map.insert(name.trim().to_owned(), json!(value.trim())).is_some() {
            return Err(Some(format!("the key `{}` is given twice", shorten(name.trim()))));
        }
    }
    if map.is_empty() { Err(None) } else { Ok(map) }
}

/// Cuts `a=1,b="2, 3" c=4` at commas and spaces outside quotes; a backslash keeps the next character.
fn pairs(text: &str) -> Option<Vec<String>> {
    let (mut pairs, mut pair, mut quote) = (Vec::new(), String::new(), None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => pair.extend(characters.next()),
            ('"' | '\'', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            (',' | ' ', None) => pairs.push(std::mem::take(&mut pair)),
            _ => pair.push(character),
        }
    }
    pairs.push(pair);
    pairs.retain(|pair| !pair.trim().is_empty());
    quote.is_none().then_some(pairs)
}

#[cfg(test)]
#[path = "coerce_tests.rs"]
mod tests;
