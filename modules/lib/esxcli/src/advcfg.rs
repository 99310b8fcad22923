//! Parses the output of `esxcfg-advcfg`.

use std::process::ExitStatus;

use crate::option::{AdvancedOption, Tool, Value};

/// The option called `path`, from what `esxcfg-advcfg -g PATH` printed: `Value of VMotionStreamDisable is 0`, the name
/// without its folder. The value of a string may be empty, and may contain ` is ` itself.
///
/// # Errors
/// A line to show: that text does not tell a value.
pub(crate) fn option(text: &str, path: &str) -> Result<AdvancedOption, String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let value = text
        .strip_prefix("Value of ")
        .and_then(|rest| rest.split_once(" is ").map(|(_, value)| value).or(rest.ends_with(" is").then_some("")))
        .ok_or_else(|| text.lines().find(|line| !line.trim().is_empty()).unwrap_or("an empty answer").to_owned())?;
    Ok(AdvancedOption {
        path: path.to_owned(),
        tool: Tool::EsxcfgAdvcfg,
        value: typed(value),
        default: None,
        range: None,
        valid_characters: None,
        description: None,
    })
}

/// An integer only if it is written as one writes integers: `007` and `+7` are text, which would not survive.
fn typed(value: &str) -> Value {
    match value.parse::<i64>() {
        Ok(number) if number.to_string() == value => Value::Integer(number),
        _ => Value::Text(value.to_owned()),
    }
}

/// True if the text of a failed call means that the option does not exist. The wording differs between releases.
pub(crate) fn says_unknown(status: ExitStatus, text: &str) -> bool {
    const UNKNOWN: [&str; 8] = [
        "unable to find",
        "cannot find",
        "no such",
        "not found",
        "unknown option",
        "does not exist",
        "invalid option path",
        "invalid path",
    ];
    // The system's messages about files and programs, not the tool's about options.
    const OTHERS: [&str; 2] = ["no such file or directory", "command not found"];
    // A tool that cannot even load also says that something is not found, with a status of its own.
    let ran = !matches!(status.code(), None | Some(126 | 127));
    let text = text.to_ascii_lowercase();
    ran && !OTHERS.iter().any(|words| text.contains(words)) && UNKNOWN.iter().any(|words| text.contains(words))
}

#[cfg(test)]
#[path = "advcfg_tests.rs"]
mod tests;
