//! Transcripts of `esxcli system settings advanced list`, and whatever else may come.

use proptest::prelude::*;

use super::*;

const INTEGER: &str = "   Path: /Migrate/VMotionStreamDisable
   Type: integer
   Int Value: 1
   Default Int Value: 0
   Min Value: 0
   Max Value: 1
   String Value: 
   Default String Value: 
   Valid Characters: 
   Description: Pretend to not support streams
";

const STRING: &str = "   Path: /Migrate/Vmknic
   Type: string
   Int Value: 0
   Default Int Value: 0
   Min Value: 0
   Max Value: 0
   String Value: vmk1: the: fast one
   Default String Value: 
   Valid Characters: *
   Description: vmknic for vMotion
   Host Specific: false
   Impact: none
";

fn integer() -> AdvancedOption {
    AdvancedOption {
        path: "/Migrate/VMotionStreamDisable".to_owned(),
        tool: Tool::Esxcli,
        value: Value::Integer(1),
        default: Some(Value::Integer(0)),
        range: Some((0, 1)),
        valid_characters: None,
        description: Some("Pretend to not support streams".to_owned()),
    }
}

fn string() -> AdvancedOption {
    AdvancedOption {
        path: "/Migrate/Vmknic".to_owned(),
        tool: Tool::Esxcli,
        value: Value::Text("vmk1: the: fast one".to_owned()),
        default: Some(Value::Text(String::new())),
        range: None,
        valid_characters: Some("*".to_owned()),
        description: Some("vmknic for vMotion".to_owned()),
    }
}

#[test]
fn an_option_is_found_among_others_however_the_lines_end() {
    let both = format!("{INTEGER}\n{STRING}");
    for text in [both.clone(), both.replace('\n', "\r\n"), both.replace("   ", ""), format!("\n\n{both}\n\n")] {
        assert_eq!(find(&text, "/Migrate/VMotionStreamDisable"), Ok(integer()));
        assert_eq!(find(&text, "/Migrate/Vmknic"), Ok(string()));
        assert_eq!(paths(&text), Ok(vec!["/Migrate/VMotionStreamDisable".to_owned(), "/Migrate/Vmknic".to_owned()]));
    }
}

#[test]
fn the_path_is_the_hosts_own_spelling() {
    assert_eq!(find(INTEGER, "/migrate/vmotionstreamdisable").map(|option| option.path), Ok(integer().path));
}

#[test]
fn a_label_is_all_of_it_in_any_order() {
    let defaults_first = "Path: /A/B\nType: integer\nDefault Int Value: 5\nMin Value: 1\nInt Value: 7\nMax Value: 9";
    let option = find(defaults_first, "/A/B").unwrap();
    assert_eq!((option.value, option.default), (Value::Integer(7), Some(Value::Integer(5))));
    assert_eq!(option.range, Some((1, 9)));
}

#[test]
fn an_empty_string_needs_no_blank_after_its_label() {
    for line in ["String Value:", "String Value: ", "String Value:   "] {
        let option = find(&format!("Path: /A/B\nType: string\n{line}\n"), "/A/B").unwrap();
        assert_eq!((option.value, option.default), (Value::Text(String::new()), None), "{line:?}");
    }
}

#[test]
fn what_is_not_understood_is_shown() {
    let cases = [
        ("", "an empty answer"),
        ("\n\n  Usage: esxcli {cmd}\nmore", "Usage: esxcli {cmd}"),
        ("Path: /Other/One\nType: integer\nInt Value: 1", "Path: /Other/One"),
        ("Path: /A/B\nInt Value: 1", "a record without `Type`"),
        ("Path: /A/B\nType: boolean\nInt Value: 1", "Type: boolean"),
        ("Path: /A/B\nType: integer\nDefault Int Value: 1", "a record without `Int Value`"),
        ("Path: /A/B\nType: integer\nInt Value: ", "Int Value: "),
        ("Path: /A/B\nType: integer\nInt Value: one", "Int Value: one"),
        (
            "Path: /A/B\nType: integer\nInt Value: 1\nMin Value: 0\nMax Value: 9223372036854775808",
            "Max Value: 9223372036854775808",
        ),
        ("Path: /A/B\nType: string\nDefault String Value: x", "a record without `String Value`"),
        ("Path: /A/B\n\nType: integer\nInt Value: 1", "a record without `Type`"),
    ];
    for (text, expected) in cases {
        assert_eq!(find(text, "/A/B"), Err(expected.to_owned()), "{text:?}");
    }
    assert_eq!(paths("Usage: esxcli {cmd}"), Err("Usage: esxcli {cmd}".to_owned()));
}

/// Generates the text between a label and the end of its line.
fn line() -> impl Strategy<Value = String> {
    "[^\\p{C}\\p{Z}]{0,8}( [^\\p{C}\\p{Z}]{1,8}){0,3}".prop_map(|text| text.trim().to_owned())
}

fn option() -> impl Strategy<Value = AdvancedOption> {
    let filled = || line().prop_map(|text| (!text.is_empty()).then_some(text));
    let value = prop_oneof![
        (any::<i64>(), any::<i64>(), any::<(i64, i64)>()).prop_map(|(value, default, range)| (
            Value::Integer(value),
            Value::Integer(default),
            Some(range)
        )),
        (line(), line()).prop_map(|(value, default)| (Value::Text(value), Value::Text(default), None)),
    ];
    ("(/[A-Za-z0-9.]{1,9}){2,3}", value, filled(), filled()).prop_map(
        |(path, (value, default, range), valid_characters, description)| AdvancedOption {
            path,
            tool: Tool::Esxcli,
            value,
            default: Some(default),
            range,
            valid_characters,
            description,
        },
    )
}

/// The option as esxcli prints it.
fn printed(option: &AdvancedOption) -> String {
    let integer = matches!(option.value, Value::Integer(_));
    let of_type = |wanted: bool, value: Option<&Value>, other: &str| match value {
        Some(value) if wanted => value.to_string(),
        _ => other.to_owned(),
    };
    let (min, max) = option.range.unwrap_or_default();
    [
        ("Path", option.path.clone()),
        ("Type", if integer { "integer" } else { "string" }.to_owned()),
        ("Int Value", of_type(integer, Some(&option.value), "0")),
        ("Default Int Value", of_type(integer, option.default.as_ref(), "0")),
        ("Min Value", min.to_string()),
        ("Max Value", max.to_string()),
        ("String Value", of_type(!integer, Some(&option.value), "")),
        ("Default String Value", of_type(!integer, option.default.as_ref(), "")),
        ("Valid Characters", option.valid_characters.clone().unwrap_or_default()),
        ("Description", option.description.clone().unwrap_or_default()),
    ]
    .map(|(label, value)| format!("   {label}: {value}\n"))
    .concat()
}

proptest! {
    #[test]
    fn a_printed_option_comes_back(options in proptest::collection::vec(option(), 1..4)) {
        let text = options.iter().map(printed).collect::<Vec<_>>().join("\n");
        let wanted = &options[0];
        prop_assert_eq!(find(&text, &wanted.path), Ok(wanted.clone()));
        prop_assert_eq!(paths(&text).unwrap().len(), options.len());
    }

    #[test]
    fn any_text_is_an_option_or_an_error(text in "(?s).{0,200}") {
        let _ = (find(&text, "/A/B"), paths(&text));
    }

    #[test]
    fn any_lines_that_look_like_fields_are_an_option_or_an_error(
        lines in proptest::collection::vec(
            ("(|  )(Path|Type|Int Value|Min Value|Max Value|String Value|)", "(:|: |)", "(/A/B|integer|string|-?[0-9]{1,20}|.{0,9})"),
            0..12,
        ),
    ) {
        let lines: Vec<String> = lines.into_iter().map(|(label, colon, value)| label + &colon + &value).collect();
        let text = lines.join("\n");
        if let Ok(option) = find(&text, "/A/B") {
            prop_assert_eq!(option.path, "/A/B");
        }
    }
}
