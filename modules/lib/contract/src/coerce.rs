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
                Value::Number(number) if is_big(number) => "the integer does not fit 64 bits".to_owned(),
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
                Err("the number does not fit 64 bits: write it in quotes to keep every digit".to_owned())
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
            Err("the number does not fit 64 bits: write it in quotes to keep every digit".to_owned())
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
            Some(float) if number.is_f64() => {
                let text = format!("{float:?}");
                // Python writes the sign and at least two digits of an exponent.
                match text.split_once('e').map(|(digits, exponent)| (digits, exponent.parse::<i32>())) {
                    Some((digits, Ok(exponent))) if exponent < 0 => format!("{digits}e-{:02}", exponent.abs()),
                    Some((digits, Ok(exponent))) => format!("{digits}e+{exponent:02}"),
                    _ => text,
                }
            }
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
            Err(error) => Err(Some(format!("the text starts like a JSON object and is none: {error}"))),
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
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::coerce;
    use crate::field::Type;

    const INT: Type = Type::Int { min: None, max: None };

    fn text() -> Type {
        Type::Text { choices: Vec::new(), non_empty: false }
    }

    /// The table of AnsibleModule's coercions, as measured (`None`: an error).
    #[test]
    fn coerces_as_ansible_module_does() {
        let (text, list) = (text(), Type::List(Box::new(text())));
        let cases: Vec<(&Type, Value, Option<Value>)> = vec![
            (&Type::Bool, json!("yes"), Some(json!(true))),
            (&Type::Bool, json!("Y"), Some(json!(true))),
            (&Type::Bool, json!("on"), Some(json!(true))),
            (&Type::Bool, json!(1), Some(json!(true))),
            (&Type::Bool, json!("t"), Some(json!(true))),
            (&Type::Bool, json!("TRUE"), Some(json!(true))),
            (&Type::Bool, json!("1"), Some(json!(true))),
            (&Type::Bool, json!(1.0), Some(json!(true))),
            (&Type::Bool, json!(0), Some(json!(false))),
            (&Type::Bool, json!(0.0), Some(json!(false))),
            (&Type::Bool, json!("No"), Some(json!(false))),
            (&Type::Bool, json!(" off "), Some(json!(false))),
            (&Type::Bool, json!(2), None),
            (&Type::Bool, json!("maybe"), None),
            (&Type::Bool, json!(""), None),
            (&INT, json!("42"), Some(json!(42))),
            (&INT, json!(" 42 "), Some(json!(42))),
            (&INT, json!(42.0), Some(json!(42))),
            (&INT, json!("42.0"), Some(json!(42))),
            (&INT, json!(1000.0), Some(json!(1000))),
            (&INT, json!("1_000"), Some(json!(1000))),
            (&INT, json!("-1e3"), Some(json!(-1000))),
            (&INT, json!("9007199254740991.0"), Some(json!(9_007_199_254_740_991_i64))),
            // 2^53: a float cannot tell it from the number after it.
            (&INT, json!("9007199254740993.0"), None),
            (&INT, json!("inf"), None),
            (&INT, json!("1_"), None),
            (&INT, json!("1__0"), None),
            (&INT, json!("0x10"), None),
            (&INT, json!("4 2"), None),
            (&INT, json!("_1"), None),
            (&INT, json!("nan"), None),
            (&INT, json!(1.5), None),
            (&INT, json!(true), None),
            (&text, json!(8), Some(json!("8"))),
            (&text, json!(1.5), Some(json!("1.5"))),
            (&text, json!(1.0), Some(json!("1.0"))),
            (&text, json!(1e16), Some(json!("1e+16"))),
            (&text, json!(-1.5e-5), Some(json!("-1.5e-05"))),
            (&text, json!(1e-10), Some(json!("1e-10"))),
            (&text, json!(["\t\r\n\u{1}\u{85}\u{2028}\\"]), Some(json!(r"['\t\r\n\x01\x85\u2028\\']"))),
            (&text, json!(true), Some(json!("True"))),
            (&text, json!(false), Some(json!("False"))),
            (&text, json!(["a", 1]), Some(json!("['a', 1]"))),
            (&text, json!({"a": null, "b": [true]}), Some(json!("{'a': None, 'b': [True]}"))),
            (&text, json!(["it's", "\"it's\"", "\"a\\\n"]), Some(json!("[\"it's\", '\"it\\'s\"', '\"a\\\\\\n']"))),
            (&list, json!("a,b"), Some(json!(["a", "b"]))),
            (&list, json!(5), Some(json!(["5"]))),
            (&list, json!(""), Some(json!([""]))),
            (&list, json!({"a": 1}), None),
            (&list, json!(["a", "__omit_place_holder__15233933"]), Some(json!(["a"]))),
            (&Type::Dict, json!("a=1,b=2"), Some(json!({"a": "1", "b": "2"}))),
            (&Type::Dict, json!("a=1 b=2"), Some(json!({"a": "1", "b": "2"}))),
            (&Type::Dict, json!("a='1, 2' b=2"), Some(json!({"a": "1, 2", "b": "2"}))),
            (&Type::Dict, json!("{\"a\": 1}"), Some(json!({"a": 1}))),
            (&Type::Dict, json!("a=\"it's, 2\" b=2"), Some(json!({"a": "it's, 2", "b": "2"}))),
            (&Type::Dict, json!("a=1\\,2,, b=2"), Some(json!({"a": "1,2", "b": "2"}))),
            (&Type::Dict, json!({"a": "__omit_place_holder__1", "b": null}), Some(json!({"b": null}))),
            (&Type::Dict, json!("{}"), Some(json!({}))),
            (&Type::Dict, json!(""), None),
            (&Type::Dict, json!("a='1"), None),
            (&Type::Dict, json!("a=1 a=1"), None),
            (&Type::Dict, json!("{\"a\": 1, \"a\": 1}"), None),
            (&Type::Dict, json!("a"), None),
            (&Type::Dict, json!(["a"]), None),
            (&Type::Dict, json!({"a": [1]}), None),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(coerce(&value, kind, false).ok(), expected, "{kind:?} from {value}");
        }
    }

    #[test]
    fn a_number_past_64_bits_is_an_error_and_not_another_number() {
        for (number, big) in [
            ("123456789012345678901234567890", true),
            ("-123456789012345678901234567890", true),
            ("9223372036854775808", true),
            ("9223372036854775808.0", true),
            ("9223372036854775807", false),
            ("-9223372036854775808", false),
            ("1000000000000.0", false),
        ] {
            let value: Value = serde_json::from_str(number).unwrap();
            for kind in [INT, text(), Type::Any] {
                let wrong = coerce(&value, &kind, false).err();
                assert_eq!(wrong.is_some_and(|wrong| wrong.contains("64 bits")), big, "{kind:?} from {number}");
            }
        }
    }

    #[test]
    fn an_error_says_what_was_expected() {
        let int = |min, max| Type::Int { min, max };
        let choices = Type::Text { choices: vec!["present".to_owned(), "absent".to_owned()], non_empty: true };
        let list = Type::List(Box::new(INT));
        let cases: Vec<(Type, Value, Result<Value, &str>)> = vec![
            (INT, json!(1.5), Err("expected an integer, got 1.5")),
            (int(Some(1), Some(10)), json!(0), Err("0 is out of range: give 1 to 10")),
            (int(Some(1), Some(10)), json!(1), Ok(json!(1))),
            (int(Some(1), Some(10)), json!(10), Ok(json!(10))),
            (int(Some(1), Some(10)), json!(11), Err("11 is out of range: give 1 to 10")),
            (int(Some(1), None), json!(0), Err("0 is out of range: give 1 or more")),
            (int(None, Some(10)), json!(11), Err("11 is out of range: give 10 or less")),
            (Type::Float, json!("1_0.5"), Ok(json!(10.5))),
            (Type::Float, json!("wide"), Err("expected a number, got \"wide\"")),
            (choices.clone(), json!("absent"), Ok(json!("absent"))),
            (choices, json!("presnt"), Err("\"presnt\" is not one of `present` and `absent`: did you mean `present`?")),
            (list, json!([null, 1, "two"]), Err("item 2: expected an integer, got \"two\"")),
            (Type::Dict, json!("a='1"), Err("a quote is not closed")),
            (Type::Dict, json!("a=1,a=2"), Err("the key `a` is given twice")),
            (Type::Dict, json!("{\"a\": 1"), Err("the text starts like a JSON object and is none")),
            (Type::Dict, json!("a"), Err("expected a dictionary, got \"a\"")),
            (Type::Dict, json!({"a": {"b": 1}}), Err("`a`: expected a single value, got {\"b\":1}")),
        ];
        for (kind, value, expected) in cases {
            match (coerce(&value, &kind, false), expected) {
                (Err(wrong), Err(expected)) => assert!(wrong.starts_with(expected), "{value}: {wrong}"),
                (coerced, expected) => assert_eq!(coerced, expected.map_err(str::to_owned), "{value}"),
            }
        }
    }

    #[test]
    fn a_secret_is_not_repeated() {
        for kind in [Type::Bool, INT, Type::Float, Type::Dict] {
            let wrong = coerce(&json!("hunter2"), &kind, true).unwrap_err();
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn coercing_twice_is_coercing_once(text in "[ -~]{0,12}", number in any::<i64>()) {
            for value in [json!(text), json!(number)] {
                for kind in [Type::Bool, INT, Type::Float, super::tests::text(), Type::Dict, Type::List(Box::new(INT))] {
                    if let Ok(once) = coerce(&value, &kind, false) {
                        prop_assert_eq!(coerce(&once, &kind, false), Ok(once));
                    }
                }
            }
        }
    }
}
