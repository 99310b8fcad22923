//! Known outputs of `esxcfg-advcfg`.

use std::os::unix::process::ExitStatusExt as _;

use proptest::prelude::*;

use super::*;

#[test]
fn the_value_is_what_follows_the_first_is() {
    let text = |value: &str| Value::Text(value.to_owned());
    let cases = [
        ("Value of VMotionStreamDisable is 0\n", Value::Integer(0)),
        ("Value of VMotionStreamDisable is 1\r\n", Value::Integer(1)),
        ("Value of Offset is -5", Value::Integer(-5)),
        ("Value of Vmknic is \n", text("")),
        ("Value of Vmknic is", text("")),
        ("Value of Vmknic is vmk1\n", text("vmk1")),
        ("Value of LabNote is this is it \n", text("this is it ")),
        ("Value of LabNote is two\nlines\n", text("two\nlines")),
        ("Value of LabNote is 007\n", text("007")),
        ("Value of LabNote is +7\n", text("+7")),
        ("Value of LabNote is 9223372036854775808\n", text("9223372036854775808")),
    ];
    for (printed, expected) in cases {
        let option = option(printed, "/A/B").unwrap();
        assert_eq!(option.value, expected, "{printed:?}");
        assert_eq!(
            (option.path.as_str(), option.tool, option.default, option.range),
            ("/A/B", Tool::EsxcfgAdvcfg, None, None)
        );
    }
}

#[test]
fn what_does_not_tell_a_value_is_shown() {
    let cases = [
        ("", "an empty answer"),
        ("Exception: the file is missing\n", "Exception: the file is missing"),
        ("\n\nUsage: esxcfg-advcfg\nmore", "Usage: esxcfg-advcfg"),
        ("Value of Vmknic\n", "Value of Vmknic"),
    ];
    for (printed, expected) in cases {
        assert_eq!(option(printed, "/A/B"), Err(expected.to_owned()), "{printed:?}");
    }
}

#[test]
fn an_unknown_option_is_told_from_a_tool_that_failed() {
    let exit = |code: i32| ExitStatus::from_raw(code << 8);
    let cases = [
        (exit(1), "Unable to find option /A/B", true),
        (exit(255), "Exception occured: No such option", true),
        (exit(1), "option not found: B", true),
        (exit(1), "INVALID OPTION PATH", true),
        (exit(1), "unknown option /A/B", true),
        (exit(1), "Unable to get value: hostd is busy", false),
        (exit(1), "", false),
        (exit(1), "/dev/x: No such file or directory", false),
        (exit(1), "command not found: vsish", false),
        (exit(127), "error while loading shared libraries: libx.so: No such file or directory", false),
        (exit(126), "sh: not found", false),
        (ExitStatus::from_raw(11), "not found", false),
    ];
    for (status, text, expected) in cases {
        assert_eq!(says_unknown(status, text), expected, "{status} {text:?}");
    }
}

proptest! {
    #[test]
    fn any_value_comes_back_as_it_was(value in "(?s).{0,40}[^\r\n]|") {
        let option = option(&format!("Value of B is {value}\n"), "/A/B").unwrap();
        prop_assert_eq!(option.value.to_string(), value);
    }

    #[test]
    fn any_text_is_a_value_or_an_error(text in "(?s).{0,200}") {
        let _ = option(&text, "/A/B");
    }
}
