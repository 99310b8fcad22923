//! Errors are sentences that a person can act on, and one line whatever a tool printed.

use std::os::unix::process::ExitStatusExt as _;

use super::*;

fn failed(arguments: &[&str], status: i32, text: &str) -> Error {
    Error::Failed {
        tool: "esxcfg-advcfg",
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        // In wait(2), the exit status is the second byte and a signal the first.
        status: ExitStatus::from_raw(status),
        text: one_line(text),
    }
}

#[test]
fn a_failure_tells_the_call_its_end_and_what_the_tool_said() {
    let cases = [
        (
            failed(&["-s", "7", "/A/B"], 1 << 8, "  out of\r\n\trange \u{1b}[31m\n"),
            "`esxcfg-advcfg -s 7 /A/B` failed with exit status 1: out of range [31m",
        ),
        (failed(&["-s", "", "/A/B"], 9, ""), "`esxcfg-advcfg -s \"\" /A/B` failed with signal 9 and printed nothing"),
        (
            failed(&["-s", "a b\n$(c)", "/A/B"], 2 << 8, "no"),
            "`esxcfg-advcfg -s \"a b\\n$(c)\" /A/B` failed with exit status 2: no",
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_long_text_is_cut_at_400_characters_and_not_inside_one() {
    assert_eq!(one_line(&"ä".repeat(400)), "ä".repeat(400));
    assert_eq!(one_line(&"ä".repeat(401)), "ä".repeat(400) + "…");
}

#[test]
fn a_change_is_unsettled_unless_its_tool_ended_by_itself_or_never_started() {
    let io = || io::Error::other("why");
    assert!(Error::Timeout { tool: "esxcli", seconds: 60 }.unsettled());
    assert!(Error::Lost { tool: "esxcli", io: io() }.unsettled());
    assert!(failed(&[], 9, "").unsettled(), "killed half way through");
    assert!(!failed(&[], 1 << 8, "").unsettled());
    assert!(!Error::NoTime { tool: "esxcli" }.unsettled());
    assert!(!Error::Start { tool: "esxcli", io: io() }.unsettled());
}
