//! Properties of the answer to every document. The property tests and the fuzzer share them.

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::arguments::{Understood, understand};
use crate::call::Performed;
use crate::field::fields;
use crate::input::{self, Document};
use crate::secret::Secrets;
use crate::{Error, Module, output, schema};

/// Longest answer to a document without arguments, in bytes. Each byte of a document may add some more.
const ANSWER: usize = 128 * 1024;

/// Checks a document of arguments: it is refused in the proper form, or understood in a stable way. It is not run.
///
/// # Panics
/// If a property does not hold.
pub fn document<M: Module>(bytes: &[u8]) {
    match input::parse(bytes) {
        Ok(document) => arguments::<M>(document, bytes),
        Err(error) => drop(is_refusal(&Answer::refused::<M>(&error), b"")),
    }
}

fn arguments<M: Module>((given, wishes): Document, bytes: &[u8]) {
    let mut secrets = Secrets::default();
    let Understood { args, shown } = understand::<M>(&given, |_| None, wishes.no_log, &mut secrets);
    match args {
        Err(error) => {
            let mut answer = Answer::to::<M>(Performed::Refused { error, shown, no_log: wishes.no_log });
            secrets.scrub_result(&mut answer.result);
            let line = is_refusal(&answer, bytes);
            keeps_secrets::<M>(&given, &line);
        }
        Ok(_) => is_stable::<M>(&shown, wishes.no_log),
    }
}

/// Checks that an answer is a refusal on one line of ASCII, and returns that line.
fn is_refusal(answer: &Answer, document: &[u8]) -> String {
    let line = output::line(&answer.result);
    let Some((b'\n', text)) = line.split_last() else { panic!("no line") };
    assert!(text.iter().all(|byte| (b' '..0x7f).contains(byte)), "not one line of ASCII: {}", line.escape_ascii());
    assert!(line.len() <= ANSWER + 12 * document.len(), "{} bytes for {}", line.len(), document.len());
    let back: Value = serde_json::from_slice(&line).unwrap_or_else(|error| panic!("not JSON: {error}"));
    assert_eq!(back.as_object(), Some(&answer.result), "the answer does not come back");
    assert_eq!((&back["changed"], &back["failed"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(back["error"]["kind"], "invalid_arguments");
    let msg = back["msg"].as_str().unwrap_or_default();
    assert!(msg.ends_with(['.', '?', '!']), "not a sentence: {msg}");
    let stray = msg.find(|char: char| char.is_control() || "\u{2028}\u{2029}".contains(char));
    assert_eq!(stray, None, "not one line: {msg:?}");
    String::from_utf8_lossy(&line).into_owned()
}

/// Checks that no secret argument is in the line, unless it looks like something that belongs there.
fn keeps_secrets<M: Module>(given: &Map<String, Value>, line: &str) {
    let schema = schema::arguments_internal::<M>();
    let (expected, others) = (schema.to_string(), Value::Object(given.clone()).to_string());
    for field in fields(&schema).iter().filter(|field| field.secret) {
        let text = given.get(&field.name).and_then(Value::as_str).unwrap_or_default();
        let is_secret = text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_secret && !expected.contains(text) && others.matches(text).count() == 1 {
            assert!(!line.contains(text), "{} is in {line}", field.name);
        }
    }
}

/// Checks that arguments mean the same when they are given as they were understood.
fn is_stable<M: Module>(shown: &Map<String, Value>, no_log: bool) {
    if Value::Object(shown.clone()).to_string().contains('\u{2026}') {
        return; // A long text is shown by its beginning.
    }
    let again = understand::<M>(shown, |_| None, no_log, &mut Secrets::default());
    let refused: Option<Error> = again.args.err();
    assert!(refused.is_none(), "{shown:?} is refused: {}", refused.map(|error| error.detail).unwrap_or_default());
    assert_eq!(&again.shown, shown, "the arguments change");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::document;
    use crate::testing::Lamps;

    const NAMES: [&str; 12] = [
        "lamps",
        "on",
        "user",
        "password",
        "brightness",
        "room",
        "house",
        "colours",
        "lamp",
        "_ansible_check_mode",
        "_ansible_no_log",
        "\u{2028}",
    ];
    const VALUES: [&str; 30] = [
        "null",
        "true",
        "\"yes\"",
        "8",
        "\" 8 \"",
        "8.0",
        "1e3",
        "-0.0",
        "1e16",
        "99999999999999999999",
        "NaN",
        "-Infinity",
        "\"a,b\"",
        "\"a=1, b=\\\"2 3\\\"\"",
        "\"{\\\"a\\\": 1}\"",
        "[\"hall\"]",
        "[[\"'\\n\"]]",
        "[null, true]",
        "{\"a\": 1}",
        "{\"a\": {}}",
        "\"\"",
        "\" \"",
        "\"__omit_place_holder__1\"",
        "\"\\u0007\"",
        "\"a\\nb\"",
        "\"S3cretS3cret\"",
        "\"me:S3cret@host\"",
        "\"\\\"S3cret\\\":NaN\\t\"",
        "\"{\\\"\\u0001\\\": NaN}\"",
        "\"S3cret\":NaN",
    ];

    proptest! {
        #[test]
        fn all_documents_hold(pairs in prop::collection::vec((select(&NAMES[..]), select(&VALUES[..])), 0..6), valid in any::<bool>()) {
            let mut members: Vec<String> = pairs.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            if valid {
                members.extend(["\"lamps\": [\"hall\"]".to_owned(), "\"user\": \"me\"".to_owned()]);
            }
            document::<Lamps>(format!("{{{}}}", members.join(",\n")).as_bytes());
        }

        #[test]
        fn all_bytes_hold(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "[{}\":,a\\\\NaInfinity0-9 \n-]{0,60}") {
            document::<Lamps>(&bytes);
            document::<Lamps>(text.as_bytes());
        }
    }
}
