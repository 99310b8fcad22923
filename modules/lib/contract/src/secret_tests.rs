use proptest::prelude::*;
use serde_json::json;

use super::{Secrets, in_address};

fn secret(text: &str) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add(text);
    secrets
}

#[test]
fn secrets_are_hidden_and_the_rest_is_left() {
    let cases = [
        ("hunter2", "login hunter2 failed: hunter2hunter2", "login ******** failed: ****************"),
        ("b", "between b and :b:", "between ******** and :********:"),
        ("xy", "xyz xy", "xyz ********"),
        ("a b", "a bat, a b", "a bat, ********"),
        ("p\u{e4}ss", "ein p\u{e4}ss", "ein ********"),
        ("\u{e4}", "\u{e4} \u{e4}hnlich", "******** \u{e4}hnlich"),
        ("pass", "reason: pass, passX", "reason: ********, ********X"),
        ("12345", "12345", "********"),
        ("", "nothing", "nothing"),
    ];
    for (text, shown, expected) in cases {
        assert_eq!(secret(text).scrub(shown), expected, "{text}");
    }
}

#[test]
fn words_of_our_own_stay() {
    let own = "127.0.0.1:443 refused the login of root: Cannot complete login due to an incorrect user name or password. \
               Check `username` and `password`: nothing changed on the host e.g. (vSphere 8.0) within the timeout of 30 s.";
    let secrets = [
        "pass", "word", "e", "on", "user", "timeout", "host", "vSphere", "changed", "password", "a b", "\u{e4}", "s",
        "443", "30", "0", ".", ":", " ", "root", "refused", "Check", "login", "the", "name", "username",
    ];
    for text in secrets {
        let mut secrets = secret(text);
        secrets.show(&json!("root"));
        assert_eq!(secrets.scrub(own), own, "{text}");
    }
}

#[test]
fn a_secret_that_is_shown_as_another_argument_is_no_longer_one() {
    let mut secrets = secret("someone@lab.local");
    secrets.add("lab");
    assert_eq!(secrets.scrub("login of someone@lab.local"), "login of ********");
    secrets.show(&json!("someone@lab.local"));
    assert_eq!(secrets.scrub("login of someone@lab.local"), "login of someone@lab.local");
}

#[test]
fn every_form_of_a_secret_is_hidden() {
    let password = "p<&>\"' +%/\\w\u{f6}rd";
    let forms = [
        password,
        "p&lt;&amp;&gt;&quot;&apos; +%/\\w\u{f6}rd",
        "p&lt;&amp;&gt;\"' +%/\\w&#246;rd",
        "p&#60;&#x26;&gt;&#34;&#39; +%/\\w&#xF6;rd",
        "p%3C%26%3E%22%27+%2B%25%2F%5Cw%C3%B6rd",
        "p%3c%26%3e%22%27%20%2b%25%2f%5cw%c3%b6rd",
        "p<&>\\\"' +%/\\\\w\\u00f6rd",
        // base64 of it, with `root:` before it, and with more behind it.
        "cDwmPiInICslL1x3w7ZyZA==",
        "cDwmPiInICslL1x3w7ZyZA",
        "cm9vdDpwPCY-IicgKyUvXHfDtnJk",
        "cm9vdDpwPCY+IicgKyUvXHfDtnJkIGFuZCBtb3Jl",
    ];
    for form in forms {
        let text = format!("Got \u{ab}{form}\u{bb}, sorry.");
        assert_eq!(secret(password).scrub(&text), "Got \u{ab}********\u{bb}, sorry.", "{form}");
        // The beginning of it before a cut.
        for at in (12..form.len()).filter(|at| form.is_char_boundary(*at)) {
            let cut = format!("Got {}\u{2026}", &form[..at]);
            assert_eq!(secret(password).scrub(&cut), "Got ********\u{2026}", "{cut}");
        }
    }
}

#[test]
fn a_password_in_an_address_is_found() {
    let cases = [
        ("root:S3cret@h", Some("S3cret")),
        ("https://root:S3:c@ret@h:443/sdk", Some("S3:c@ret")),
        ("root@h", None),
        ("h:443", None),
        ("fe80::1", None),
        ("root:@h", None),
        ("a log: somebody@somewhere", None),
    ];
    for (text, password) in cases {
        assert_eq!(in_address(text), password, "{text}");
    }
}

#[test]
fn the_texts_of_a_result_are_scrubbed_and_its_data_is_not() {
    let mut result = json!({
        "msg": "a lapse", "warnings": ["lapse"], "error": {"kind": "lapse", "detail": "lapse", "fault": {"message": "lapse"}},
        "ft_state": "lapse", "hosts": [{"name": "lapse", "error": {"kind": "lapse", "detail": "a lapse"}}]
    });
    if let Some(map) = result.as_object_mut() {
        secret("lapse").scrub_result(map);
    }
    let expected = json!({
        "msg": "a ********", "warnings": ["********"],
        "error": {"kind": "lapse", "detail": "********", "fault": {"message": "********"}}, "ft_state": "lapse",
        "hosts": [{"name": "lapse", "error": {"kind": "lapse", "detail": "a ********"}}]
    });
    assert_eq!(result, expected);
}

proptest! {
    #[test]
    fn no_text_panics_and_an_unusual_secret_never_stays(
        text in "[ -~\u{e4}\u{2026}\u{20ac}&%\\\\+]{0,30}", hidden in "[!-~\u{e4}\u{20ac}]{6,12}"
    ) {
        let told = secret(&hidden).scrub(&format!("{text}{hidden}{text}"));
        let known = hidden.bytes().all(|byte| byte.is_ascii_alphabetic());
        prop_assert!(known || !told.contains(&hidden), "{}", told);
    }
}
