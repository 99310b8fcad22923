use serde_json::{Value, json};

use super::{Given, Rule, Type, fields, join, shorten};

/// For callers that check their arguments by the schema before they call.
#[test]
fn a_rule_is_written_as_json_schema() {
    let given = |names: &[&str]| {
        let some = names.iter().map(|name| ((*name).to_owned(), json!({ "not": { "type": "null" } })));
        json!({ "required": names, "properties": some.collect::<serde_json::Map<_, _>>() })
    };
    let (a, b) = (given(&["a"]), given(&["b"]));
    for (rule, expected) in [
        (Rule::ExactlyOne(&["a", "b"]), json!({ "oneOf": [a, b] })),
        (
            Rule::AtMostOne(&["a", "b", "c"]),
            json!({ "not": { "anyOf": [given(&["a", "b"]), given(&["a", "c"]), given(&["b", "c"])] } }),
        ),
        (Rule::AtLeastOne(&["a", "b"]), json!({ "anyOf": [a, b] })),
        (Rule::Needs("a", "b"), json!({ "if": a, "then": b })),
        (Rule::Required(&["a", "b"]), given(&["a", "b"])),
        (Rule::Without(&["a", "b"], "it is dark"), json!({ "not": { "anyOf": [a, b] } })),
    ] {
        assert_eq!(rule.schema(), expected, "{rule:?}");
    }
}

#[test]
fn a_schema_says_what_each_argument_takes() {
    let schema = json!({ "required": ["text"], "properties": {
        "text": { "type": "string", "minLength": 1, "x-env": "A_TEXT", "description": "One\nline.\n\nNext." },
        "blank": { "type": "string", "minLength": 0 },
        "count": { "type": ["integer", "null"], "minimum": 1, "maximum": 3, "default": null },
        "size": { "type": "number", "default": 1.5 },
        "plain": { "anyOf": [{ "type": "null" }, { "type": "string", "enum": ["x", "y"] }] },
        "told": { "oneOf": [{ "const": "p", "description": "First." }, { "enum": ["q"] }], "default": "p" },
        "word": { "type": "string", "writeOnly": true },
        "flags": { "type": "array", "items": { "type": "boolean" } },
        "pairs": { "type": "object" },
        "scalar": {},
    } });
    let text = |choices: &[&str], non_empty| {
        let choices = choices.iter().map(|one| (*one).to_owned()).collect();
        Type::Text { choices, non_empty }
    };
    let expected = [
        ("text", "str", text(&[], true), Value::Null),
        ("blank", "str", text(&[], false), Value::Null),
        ("count", "int", Type::Int { min: Some(1), max: Some(3) }, Value::Null),
        ("size", "float", Type::Float, json!(1.5)),
        ("plain", "str", text(&["x", "y"], true), Value::Null),
        ("told", "str", text(&["p", "q"], true), json!("p")),
        ("word", "str", text(&[], false), Value::Null),
        ("flags", "list", Type::List(Box::new(Type::Bool)), Value::Null),
        ("pairs", "dict", Type::Dict, Value::Null),
        ("scalar", "raw", Type::Any, Value::Null),
    ];
    let fields = fields(&schema);
    assert_eq!(fields.len(), expected.len());
    for (field, (name, ansible, kind, default)) in fields.iter().zip(expected) {
        assert_eq!((field.name.as_str(), field.kind.ansible(), &field.kind), (name, ansible, &kind));
        assert_eq!(field.default.clone().unwrap_or_default(), default, "{name}");
        assert_eq!((field.required, field.secret), (name == "text", name == "word"), "{name}");
        assert_eq!(field.env.as_deref(), (name == "text").then_some("A_TEXT"), "{name}");
    }
    assert_eq!(Type::Bool.ansible(), "bool");
    assert_eq!(fields[0].description, "One line.\nNext.");
    let choices = |name: &str, told: &str| (name.to_owned(), told.to_owned());
    assert_eq!(fields[5].choices, [choices("p", "First."), choices("q", "")]);
    assert_eq!(super::fields(&json!({})), []);
}

#[test]
fn names_and_values_are_short_in_a_sentence() {
    for (names, expected) in
        [(&[][..], ""), (&["a"], "`a`"), (&["a", "b"], "`a` or `b`"), (&["a", "b", "c"], "`a`, `b` or `c`")]
    {
        assert_eq!(join(names, "or"), expected);
    }
    let (fits, long) = ("\u{e9}".repeat(60), "\u{e9}".repeat(61));
    assert_eq!((shorten(&fits), shorten(&long)), (fits.clone(), format!("{fits}\u{2026}")));
}

#[test]
fn rules_hold_callers_to_what_they_give_and_let_the_environment_complete_it() {
    // The rule, what the caller gives, what the environment adds, and what is said.
    let cases: Vec<(Rule, &[&str], &[&str], &str)> = vec![
        (Rule::ExactlyOne(&["a", "b"]), &[], &[], "set one of `a` or `b`"),
        (Rule::ExactlyOne(&["a", "b"]), &["a", "b"], &[], "`a` and `b` cannot be used together"),
        (Rule::ExactlyOne(&["a", "b"]), &["a"], &["b"], ""),
        (Rule::ExactlyOne(&["a", "b"]), &[], &["b"], ""),
        (Rule::AtMostOne(&["a", "b"]), &[], &[], ""),
        (Rule::AtMostOne(&["a", "b"]), &["a"], &["b"], ""),
        (Rule::AtMostOne(&["a", "b"]), &["a", "b"], &[], "cannot be used together"),
        (Rule::AtLeastOne(&["a", "b"]), &[], &[], "set one of `a` or `b`"),
        (Rule::AtLeastOne(&["a", "b"]), &["a", "b"], &[], ""),
        (Rule::Needs("a", "b"), &["a"], &[], "`a` needs `b`"),
        (Rule::Needs("a", "b"), &["a"], &["b"], ""),
        (Rule::Needs("a", "b"), &["b"], &[], ""),
        (Rule::Needs("a", "b"), &[], &["a"], "`a` needs `b`"),
        (Rule::Required(&["a", "b"]), &["a"], &[], "no b"),
        (Rule::Required(&["a", "b"]), &[], &[], "no a; no b"),
        (Rule::Required(&["a", "b"]), &["a"], &["b"], ""),
        (Rule::Without(&["a", "b"], "it is dark"), &["a"], &[], "`a` cannot be used here: it is dark"),
        (Rule::Without(&["a", "b"], "it is dark"), &["a", "b"], &[], "`a` and `b` cannot be used here"),
        (Rule::Without(&["a", "b"], "it is dark"), &[], &["a"], ""),
    ];
    for (rule, explicit, environment, expected) in cases {
        let all = [explicit, environment].concat();
        let told = rule.problems(Given { explicit, all: &all }, |name| format!("no {name}")).join("; ");
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{rule:?} {all:?}: {told}");
    }
}
