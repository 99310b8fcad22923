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
        (&text, json!(1e-10), Some(json!("1e-10"))),
        (&text, json!(["\t\r\n\u{1}\u{85}\u{2028}\\"]), Some(json!(r"['\t\r\n\x01\x85\u2028\\']"))),
        (&text, json!(1e16), Some(json!("1e+16"))),
        (&text, json!(-1.5e-5), Some(json!("-1.5e-05"))),
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
        (Type::Dict, json!("{\"a\": 1"), Err("the text starts like a JSON object, but is not valid JSON")),
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
