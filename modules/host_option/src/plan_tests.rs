use std::collections::BTreeMap;

use contract::{Change as _, Kind, Scalar};
use proptest::prelude::*;
use vsphere::{OptionDef, OptionKind};

use serde_json::{Value, json};

use super::{Found, Observed, To, actual, needs_definition, plan};
use crate::args::{Missing, State};
use crate::check::problems;

fn definition(kind: OptionKind) -> OptionDef {
    OptionDef { key: "A.b".to_owned(), read_only: false, kind }
}

fn long() -> OptionKind {
    OptionKind::Long { min: 0, max: 1, default: 0 }
}

fn value(kind: &str, text: &str) -> vsphere::TypedValue {
    vsphere::TypedValue { kind: kind.to_owned(), text: text.to_owned() }
}

fn observed(value: Option<vsphere::TypedValue>, definition: Option<OptionDef>) -> Observed {
    Observed {
        host: "esxi01".to_owned(),
        build: "ESXi 6.7.0 build-1".to_owned(),
        resets: false,
        options: vec![Found { key: "A.b".to_owned(), value, definition, similar: None }],
    }
}

fn one(wanted: Scalar) -> BTreeMap<String, Scalar> {
    [("A.b".to_owned(), wanted)].into()
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

/// Wanted; what the host answers and allows; what is written, or what the error says the option takes.
type Case = (Scalar, &'static str, &'static str, OptionKind, Result<Option<&'static str>, &'static str>);

#[test]
fn values_take_the_hosts_type_and_range() {
    let choice = OptionKind::Choice { choices: vec!["low".to_owned(), "high".to_owned()], default: Some(0) };
    let float = OptionKind::Float { min: 0.0, max: 2.0, default: 1.0 };
    let free = OptionKind::Text { default: String::new(), valid_characters: None };
    let cases: Vec<Case> = vec![
        (Scalar::Int(1), "long", "0", long(), Ok(Some("1"))),
        (text(" 1 "), "long", "0", long(), Ok(Some("1"))),
        (Scalar::Float(1.0), "long", "0", long(), Ok(Some("1"))),
        (Scalar::Int(0), "long", "0", long(), Ok(None)),
        (Scalar::Int(7), "long", "0", long(), Err("takes an integer from 0 to 1, not 7")),
        (Scalar::Float(1.5), "long", "0", long(), Err("takes an integer from 0 to 1, not 1.5")),
        (Scalar::Bool(true), "long", "0", long(), Err("takes an integer from 0 to 1, not true")),
        (text("abc"), "int", "0", OptionKind::Int { min: -5, max: 5, default: 0 }, Err("from -5 to 5, not \"abc\"")),
        (text("yes"), "boolean", "false", OptionKind::Bool { default: false }, Ok(Some("true"))),
        (Scalar::Bool(true), "boolean", "1", OptionKind::Bool { default: false }, Ok(None)),
        (text("maybe"), "boolean", "false", OptionKind::Bool { default: false }, Err("takes true or false")),
        (Scalar::Int(3), "string", "2", free.clone(), Ok(Some("3"))),
        (text("2"), "string", "2", free.clone(), Ok(None)),
        (Scalar::Bool(true), "string", "x", free, Err("write it in quotes")),
        (text("high"), "string", "low", choice.clone(), Ok(Some("high"))),
        (text("mid"), "string", "low", choice, Err("takes one of low, high, not \"mid\"")),
        (Scalar::Float(1.5), "float", "1", float.clone(), Ok(Some("1.5"))),
        (Scalar::Int(3), "double", "1", float, Err("from 0 to 2, not 3")),
    ];
    for (wanted, kind, current, allowed, expected) in cases {
        let seen = observed(Some(value(kind, current)), Some(definition(allowed)));
        let planned = plan(&one(wanted.clone()), State::Present, Missing::Fail, &seen);
        match (planned, expected) {
            (Ok(plan), Ok(written)) => {
                assert_eq!(plan.change.is_empty(), written.is_none(), "{wanted:?} where {kind} is {current}");
                let text = plan
                    .change
                    .0
                    .first()
                    .and_then(|write| write.to.value())
                    .map(|value| (value.kind.as_str(), value.text.as_str()));
                assert_eq!(text, written.map(|text| (kind, text)), "{wanted:?} where {kind} is {current}");
            }
            (Err(error), Err(says)) => {
                assert_eq!(error.kind, Kind::InvalidArguments);
                assert!(error.detail.contains(says), "{wanted:?}: {}", error.detail);
            }
            (planned, _) => panic!("{wanted:?} where {kind} is {current}: {planned:?}"),
        }
    }
}

#[test]
fn the_default_is_the_hosts_own() {
    let seen = observed(Some(value("long", "1")), Some(definition(long())));
    let change = plan(&one(Scalar::Null), State::Default, Missing::Fail, &seen).unwrap().change;
    assert_eq!(change.0[0].to, To::Value(value("long", "0")));
    let unknown = observed(Some(value("long", "1")), None);
    assert_eq!(plan(&one(Scalar::Null), State::Default, Missing::Fail, &unknown).unwrap_err().kind, Kind::Unsupported);
}

#[test]
fn a_tool_that_can_reset_is_left_to_it_unless_the_default_is_there_already() {
    // Current state, whether the tool names the default, expected write.
    let cases = [
        ("1", true, Some(To::Default(Some(value("long", "0"))))),
        ("0", true, None),
        ("1", false, Some(To::Default(None))),
        ("0", false, Some(To::Default(None))),
    ];
    for (current, told, written) in cases {
        let seen =
            Observed { resets: true, ..observed(Some(value("long", current)), told.then(|| definition(long()))) };
        let plan = plan(&one(Scalar::Null), State::Default, Missing::Fail, &seen).unwrap();
        assert_eq!(plan.change.0.first().map(|write| write.to.clone()), written, "{current}, {told}");
        // Nobody can tell beforehand what a reset to an unknown default does: that is said, and asked afterwards.
        assert_eq!((plan.change.is_tentative(), !plan.warnings.is_empty()), (!told, !told));
        assert_eq!(plan.change.certain().0.is_empty(), !told || written.is_none());
    }
}

/// The shell prints a value as one field of one line. A text that this changes would differ on every run.
#[test]
fn a_text_that_the_shell_cannot_print_back_is_refused_there() {
    for (wanted, printable) in [
        ("two words", true),
        (" outer", false),
        ("outer ", false),
        ("two\nlines", false),
        ("a\tb", false),
        ("\u{7f}", false),
    ] {
        for resets in [true, false] {
            let seen = Observed { resets, ..observed(Some(value("string", "x")), None) };
            let planned = plan(&one(text(wanted)), State::Present, Missing::Fail, &seen);
            // The API takes and returns such a text.
            let expected = if resets && !printable { Err(Kind::InvalidArguments) } else { Ok(false) };
            let told = planned.map(|plan| plan.change.is_empty()).map_err(|error| error.kind);
            assert_eq!(told, expected, "{wanted:?} {resets}");
        }
    }
}

#[test]
fn an_option_that_the_build_lacks_is_an_error_that_names_the_build_or_a_warning() {
    let mut seen = observed(None, None);
    let error = plan(&one(Scalar::Int(1)), State::Present, Missing::Fail, &seen).unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert!(error.detail.contains("ESXi 6.7.0 build-1"), "{}", error.detail);
    seen.options[0].similar = Some("A.B".to_owned());
    let error = plan(&one(Scalar::Int(1)), State::Present, Missing::Fail, &seen).unwrap_err();
    assert!(error.message().contains("did you mean `A.B`") || error.message().contains("Did you mean `A.B`"));
    seen.options[0].key = "Migrate.VMotionStreamDisable".to_owned();
    seen.options[0].similar = Some("Migrate.VMotionStreamHelpers".to_owned());
    let error = plan(&one(Scalar::Int(1)), State::Present, Missing::Fail, &seen).unwrap_err();
    assert!(error.message().contains("7.0 Update 2"), "{}", error.message());
    let plan = plan(&one(Scalar::Int(1)), State::Present, Missing::Skip, &seen).unwrap();
    assert!(plan.change.is_empty() && plan.warnings[0].contains("ESXi 6.7.0 build-1"));
}

#[test]
fn a_read_only_option_is_not_written_and_may_have_its_value() {
    let fixed = OptionDef { read_only: true, ..definition(long()) };
    let seen = observed(Some(value("long", "0")), Some(fixed));
    assert_eq!(plan(&one(Scalar::Int(1)), State::Present, Missing::Fail, &seen).unwrap_err().kind, Kind::Unsupported);
    assert!(plan(&one(Scalar::Int(0)), State::Present, Missing::Fail, &seen).unwrap().change.is_empty());
}

/// The wanted value and state; the values on the hosts; the value and the state that they make.
type Told = (Scalar, State, &'static [Option<&'static str>], Value, State);

#[test]
fn what_is_there_is_told_in_the_terms_of_the_arguments() {
    use State::{Default, Present};
    let cases: Vec<Told> = vec![
        (text("1"), Present, &[Some("1")], json!("1"), Present),
        (Scalar::Int(1), Present, &[Some("0")], json!(0), Present),
        (Scalar::Int(1), Present, &[Some("1"), Some("0")], json!(0), Present),
        (Scalar::Int(1), Present, &[None, Some("1")], json!(1), Present),
        (Scalar::Int(1), Present, &[None], json!(null), Present),
        // Out of range.
        (Scalar::Int(7), Present, &[Some("1")], json!(1), Present),
        (Scalar::Null, Default, &[Some("0"), Some("0")], json!(0), Default),
        (Scalar::Null, Default, &[Some("0"), Some("1")], json!(1), Present),
    ];
    for (wanted, state, hosts, option, told) in cases {
        let hosts: Vec<Observed> =
            hosts.iter().map(|is| observed(is.map(|is| value("long", is)), Some(definition(long())))).collect();
        let actual = actual(&one(wanted.clone()), state, Missing::Skip, &hosts.iter().collect::<Vec<_>>());
        assert_eq!(json!(actual), json!({ "options": { "A.b": option }, "state": told }), "{wanted} {state:?}");
    }
    assert!(actual(&one(Scalar::Int(1)), Present, Missing::Fail, &[]).is_empty());
}

#[test]
fn definitions_are_read_only_when_something_may_be_written() {
    let current = value("long", "1");
    let cases = [
        (State::Present, Scalar::Int(1), Some(&current), false),
        (State::Present, text("1"), Some(&current), false),
        (State::Present, Scalar::Int(0), Some(&current), true),
        (State::Present, text("x"), Some(&current), true),
        (State::Present, Scalar::Int(1), None, true),
        (State::Default, Scalar::Null, Some(&current), true),
    ];
    for (state, wanted, current, expected) in cases {
        assert_eq!(needs_definition(state, &wanted, current), expected, "{state:?} {wanted:?} {current:?}");
    }
}

#[test]
fn options_that_cannot_be_meant_are_refused() {
    let cases = [
        (vec![], State::Present, "at least one"),
        (vec![("Migrate.", Scalar::Int(1))], State::Present, "`Migrate.` is not the name"),
        (vec![("/", Scalar::Int(1))], State::Default, "is not the name"),
        (vec![("A b", Scalar::Int(1))], State::Present, "is not the name"),
        (vec![("A/b", Scalar::Int(1))], State::Present, "is not the name"),
        (vec![("A\0b", Scalar::Int(1))], State::Present, "is not the name"),
        (vec![("A.b", Scalar::Int(1)), ("/A/c", Scalar::Int(1))], State::Present, ""),
        (vec![("A.b", Scalar::Null)], State::Default, ""),
        (vec![("/A/b", Scalar::Int(1)), ("A.b", Scalar::Int(0))], State::Present, "gives A.b a second time"),
        (vec![("A.b", Scalar::Null)], State::Present, "state: default"),
    ];
    for (options, state, expected) in cases {
        let options = options.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let told = problems(&options, state).join("; ");
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{options:?}: {told}");
    }
}

proptest! {
    #[test]
    fn planning_again_on_the_planned_state_yields_nothing(
        wanted in prop_oneof![
            any::<bool>().prop_map(Scalar::Bool),
            (-3i64..3).prop_map(Scalar::Int),
            (-2.0..2.0).prop_map(Scalar::Float),
            "[a-z0-1]{0,3}".prop_map(Scalar::Text)
        ],
        kind in prop_oneof![Just("long"), Just("int"), Just("boolean"), Just("string"), Just("float")],
        current in "[01]",
        default in any::<bool>(),
    ) {
        let state = if default { State::Default } else { State::Present };
        let seen = observed(Some(value(kind, &current)), Some(definition(long())));
        if let Ok(planned) = plan(&one(wanted.clone()), state, Missing::Fail, &seen) {
            let after = planned.change.predict(&seen);
            prop_assert!(plan(&one(wanted), state, Missing::Fail, &after).unwrap().change.is_empty());
        }
    }
}
