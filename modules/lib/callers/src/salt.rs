//! The answer to Salt.

use contract::service::Answer;

/// Returns the answer of a stateful command: Salt shows `comment` and takes every other key for a change.
pub fn answer(mut answer: Answer) -> Answer {
    let result = &mut answer.result;
    for name in ["failed", "invocation"] {
        result.remove(name);
    }
    if let Some(msg) = result.remove("msg") {
        result.insert("comment".to_owned(), msg);
    }
    answer
}
