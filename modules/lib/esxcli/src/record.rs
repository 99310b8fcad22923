//! Parses the output of `esxcli system settings advanced list`: one record per option, one line `Label: value` per
//! field, a blank line between records. Later releases add fields (8.0: `Host Specific`, `Impact`), so unknown ones are
//! skipped.

use crate::option::{AdvancedOption, Tool, Value};

/// The fields of one record, in their order.
type Record<'a> = Vec<(&'a str, &'a str)>;

/// The option called `path`, from the text of a listing.
///
/// # Errors
/// A line to show: that text does not describe this option, or not in a way that is understood.
pub(crate) fn find(text: &str, path: &str) -> Result<AdvancedOption, String> {
    records(text)
        .iter()
        .find(|record| field(record, "Path").is_some_and(|name| name.eq_ignore_ascii_case(path)))
        .ok_or_else(|| first_line(text))
        .and_then(|record| option(record))
}

/// The paths of all options in the text of a listing.
///
/// # Errors
/// A line to show: there is no option in it.
pub(crate) fn paths(text: &str) -> Result<Vec<String>, String> {
    let paths: Vec<String> =
        records(text).iter().filter_map(|record| field(record, "Path")).map(str::to_owned).collect();
    if paths.is_empty() { Err(first_line(text)) } else { Ok(paths) }
}

fn option(record: &Record<'_>) -> Result<AdvancedOption, String> {
    let text = |label| field(record, label).ok_or_else(|| format!("a record without `{label}`"));
    let filled = |label| field(record, label).filter(|value| !value.is_empty()).map(str::to_owned);
    let integer = |label, value: &str| value.parse::<i64>().map_err(|_| format!("{label}: {value}"));
    let optional = |label| field(record, label).map(|value| integer(label, value)).transpose();
    let (value, default, range) = match text("Type")? {
        "integer" => (
            Value::Integer(integer("Int Value", text("Int Value")?)?),
            optional("Default Int Value")?.map(Value::Integer),
            optional("Min Value")?.zip(optional("Max Value")?),
        ),
        "string" => (
            Value::Text(text("String Value")?.to_owned()),
            field(record, "Default String Value").map(|value| Value::Text(value.to_owned())),
            None,
        ),
        other => return Err(format!("Type: {other}")),
    };
    Ok(AdvancedOption {
        path: text("Path")?.to_owned(),
        tool: Tool::Esxcli,
        value,
        default,
        range,
        valid_characters: filled("Valid Characters"),
        description: filled("Description"),
    })
}

fn records(text: &str) -> Vec<Record<'_>> {
    let mut records = vec![Record::new()];
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            records.push(Record::new());
        } else if let (Some(record), Some((label, value))) = (records.last_mut(), line.split_once(':')) {
            record.push((label, value.trim()));
        }
    }
    records
}

/// The field of exactly this label: `Int Value` is not `Default Int Value`. The first one, since a value with line breaks
/// may look like more fields.
fn field<'a>(record: &Record<'a>, label: &str) -> Option<&'a str> {
    record.iter().find(|(name, _)| *name == label).map(|(_, value)| *value)
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("an empty answer").to_owned()
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
