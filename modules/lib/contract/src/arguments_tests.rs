use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use serde_json::{Map, Value, json};

use super::understand;
use crate::secret::Secrets;
use crate::testing::Lamps;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn environment(name: &str) -> Option<OsString> {
    (name == "LAMP_USER").then(|| "from the environment".into())
}

fn refused(given: Value) -> String {
    let understood = understand::<Lamps>(&object(given), |_| None, false, &mut Secrets::default());
    understood.args.err().map(|error| error.detail).unwrap_or_default()
}

#[test]
fn all_problems_are_told_at_once_with_place_and_remedy() {
    let told = refused(json!({
        "lamp": ["hall"], "user": "me", "on": "perhaps", "brightness": 11, "room": "a", "house": "b", "colours": {"x": []}
    }));
    for expected in [
        "7 problems with the arguments: ",
        "unknown argument `lamp`: did you mean `lamps`?",
        "missing argument `lamps`",
        "`on`: expected a boolean",
        "`brightness`: 11 is out of range: give 1 to 10",
        "`room` and `house` cannot be used together",
        "`colours` and `brightness` cannot be used together",
        "`colours`: `x`: expected a single value",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn what_is_wrong_with_one_argument_is_told() {
    let cases = [
        (json!({"lamps": ["a"]}), "missing argument `user` (or environment variable LAMP_USER)"),
        (json!({"lamps": ["a"], "user": ""}), "missing argument `user`"),
        (json!({"lamps": [], "user": "me"}), "give at least one"),
        (json!({"lamps": ["a"], "user": "me", "brightness": 3}), "`brightness` needs `room`"),
        (json!({"lamps": {"a": 1}, "user": "me"}), "`lamps`: expected a list"),
        (json!({"lamps": ["a\u{7}"], "user": "me"}), "`lamps`: it contains the character U+0007"),
        (
            json!({"lamps": ["a"], "user": "me", "colours": {"\u{ffff}": 1}}),
            "`colours`: it contains the character U+FFFF",
        ),
        (json!({"lamps": [], "user": "tab\tand\nline\u{7f}"}), "give at least one"),
        // The module's own check runs all the same.
        (json!({"lamps": [], "on": "perhaps"}), "give at least one"),
        (json!({"lamps": ["a"], "user": "me", "xyzzy": 1}), "unknown argument `xyzzy`: valid arguments are lamps, on"),
    ];
    for (given, expected) in cases {
        let told = refused(given.clone());
        assert!(told.contains(expected), "{given}: {told}");
    }
}

#[test]
fn a_default_that_is_given_by_name_contradicts_nothing() {
    for (colours, expected) in
        [(json!({}), ""), (json!({"x": 1}), "`colours` and `brightness` cannot be used together")]
    {
        let given = json!({"lamps": ["a"], "user": "me", "room": "hall", "brightness": 3, "colours": colours});
        let told = refused(given);
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{colours}: {told}");
    }
}

/// A rule asks for the password; the module would say that it is too short.
#[test]
fn a_missing_argument_is_reported_once() {
    let told = refused(json!({"lamps": ["a"], "user": "me", "room": "vault"}));
    assert_eq!(told, "missing argument `password`");
    let told = refused(json!({"lamps": [], "user": "me", "room": "vault"}));
    assert_eq!(told, "2 problems with the arguments: missing argument `password`; `lamps`: give at least one");
    let told = refused(json!({"lamps": ["a"], "user": "me", "room": "vault", "password": "short"}));
    assert_eq!(told, "`password`: the vault wants 8 characters");
}

#[test]
fn null_omitted_and_environment_stand_for_what_they_mean() {
    let given = object(json!({
        "lamps": "hall, stairs", "on": null, "room": "__omit_place_holder__152339", "house": null, "password": "hunter2"
    }));
    let mut secrets = Secrets::default();
    let understood = understand::<Lamps>(&given, environment, false, &mut secrets);
    let args = understood.args.unwrap();
    assert_eq!(args.lamps, ["hall", "stairs"]);
    assert_eq!(args.user, "from the environment");
    assert!(!args.on && args.room.is_none());
    assert_eq!(understood.shown["on"], json!(false));
    assert_eq!(understood.shown["password"], json!(crate::secret::MASK));
    assert_eq!(secrets.scrub("a hunter2 b"), "a ******** b");
}

#[test]
fn a_variable_that_is_not_utf_8_is_named() {
    let environment = |name: &str| (name == "LAMP_USER").then(|| OsString::from_vec(b"S3cret\xff".to_vec()));
    let understood = understand::<Lamps>(&object(json!({"lamps": ["a"]})), environment, false, &mut Secrets::default());
    assert_eq!(understood.args.unwrap_err().detail, "environment variable LAMP_USER: its value is not UTF-8 text");
}

#[test]
fn a_password_in_an_address_is_a_secret_whatever_else_is_wrong() {
    for (room, on) in [("lamp:S3cret@hall", "perhaps"), ("https://lamp:S3cret@hall", "yes")] {
        let given = object(json!({"lamps": ["a"], "user": "me", "room": room, "on": on}));
        let mut secrets = Secrets::default();
        let understood = understand::<Lamps>(&given, |_| None, false, &mut secrets);
        assert_eq!(understood.shown["room"], json!(crate::secret::MASK));
        assert_eq!(secrets.scrub("S3cret"), "********");
    }
}

#[test]
fn of_many_problems_the_first_are_told_and_all_are_counted() {
    let mut given = object(json!({"user": "me"}));
    given.extend((0..100_000).map(|number| (format!("{}{number}", "x".repeat(90)), json!(1))));
    given.extend(
        ('a'..='z').flat_map(|letter| [format!("room{letter}"), format!("{letter}room")]).map(|name| (name, json!(1))),
    );
    let told = refused(Value::Object(given));
    assert!(
        told.starts_with("54 problems with the arguments: unknown argument `rooma`: did you mean `room`?; "),
        "{told}"
    );
    assert!(told.ends_with("; and 4 more") && told.len() < 20_000, "{}", told.len());
}

#[test]
fn the_known_arguments_are_listed_once() {
    let told = refused(json!({"lamps": ["a"], "user": "me", "qqqqqqq": 1, "zzzzzzz": 2}));
    assert!(told.starts_with("unknown arguments `qqqqqqq` and `zzzzzzz`: valid arguments are lamps, "), "{told}");
    let mut given = object(json!({"lamps": ["a"], "user": "me"}));
    given.extend((0..1000).map(|number| (format!("{}{number}", "x".repeat(90)), json!(1))));
    let told = refused(Value::Object(given));
    assert!(told.contains(" and 990 more: valid arguments are lamps, ") && told.len() < 1100, "{told}");
}

#[test]
fn an_alias_stands_for_its_argument() {
    let understood = |given: Value| understand::<Lamps>(&object(given), |_| None, false, &mut Secrets::default());
    let found = understood(json!({"lamps": ["a"], "login": "me"}));
    assert_eq!(found.shown["user"], json!("me"));
    assert_eq!(found.args.unwrap().user, "me");
    assert!(understood(json!({"lamps": ["a"], "login": null, "user": "me"})).args.is_ok());
    // module_defaults and a task may both give the value.
    assert!(understood(json!({"lamps": ["a"], "login": "me", "user": "me"})).args.is_ok());
    for (given, names) in [
        (json!({"lamps": ["a"], "login": "me", "user": "you"}), "`login` and `user`"),
        (json!({"lamps": ["a"], "user": "me", "login": "you"}), "`user` and `login`"),
        (json!({"lamps": ["a"], "login": "me", "who": "you", "user": null}), "`login` and `who`"),
    ] {
        let error = understood(given).args.err().unwrap();
        assert_eq!(error.detail, format!("{names} are names of the same argument: set only one of them"));
    }
}

#[test]
fn a_long_text_is_shown_by_its_beginning_wherever_it_stands() {
    let long = "\u{e9}".repeat(1001);
    let given = object(json!({
        "lamps": ["hall", long], "user": "me", "room": "a".repeat(1000), "colours": { "x": long }, "password": long
    }));
    let mut secrets = Secrets::default();
    let understood = understand::<Lamps>(&given, |_| None, false, &mut secrets);
    let shown = understood.shown;
    let beginning = format!("{}\u{2026} (2002 bytes)", "\u{e9}".repeat(100));
    assert_eq!(shown["lamps"], json!(["hall", beginning]));
    assert_eq!(shown["colours"], json!({ "x": beginning }));
    assert_eq!(shown["room"], json!("a".repeat(1000)));
    assert_eq!(shown["password"], json!(crate::secret::MASK));
    // It is only shown so.
    assert_eq!(understood.args.unwrap().lamps[1], long);
}

#[test]
fn secrets_are_known_even_when_the_arguments_are_refused() {
    let mut secrets = Secrets::default();
    let given = object(json!({"password": "hunter2", "colours": {"x": "mauve"}}));
    assert!(understand::<Lamps>(&given, |_| None, true, &mut secrets).args.is_err());
    // With `no_log`, the values of a dictionary are what is to be hidden.
    assert_eq!(secrets.scrub("hunter2 mauve"), "******** ********");
    // Without it they are not, and other values never are.
    for (no_log, given) in [(false, json!({"colours": {"x": "mauve"}})), (true, json!({"room": "mauve"}))] {
        let mut secrets = Secrets::default();
        understand::<Lamps>(&object(given), |_| None, no_log, &mut secrets);
        assert_eq!(secrets.scrub("mauve"), "mauve", "{no_log}");
    }
}

#[test]
fn the_published_schema_takes_what_the_environment_can_give() {
    let schema = crate::schema::arguments::<Lamps>();
    assert_eq!(schema["required"], json!(["lamps"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    let result = crate::schema::result::<Lamps>();
    assert_eq!(result["required"], json!(["changed", "failed", "msg", "predicted", "lamps"]));
}
