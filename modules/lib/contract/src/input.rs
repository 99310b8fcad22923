//! The document that a caller hands over.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::{Map, Value};

use crate::coerce::{coerce, is_omitted};
use crate::field::{Type, shorten};
use crate::stream::Source;
use crate::{Error, Kind, json, system};

/// Far more than any arguments need; less than would hurt.
pub const LIMIT: usize = 16 * 1024 * 1024;

/// Ansible's settings for the run, taken from the arguments.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a setting of its own
pub struct Wishes {
    /// `_ansible_check_mode`.
    pub check: bool,
    /// `_ansible_diff`.
    pub diff: bool,
    /// `_ansible_no_log`.
    pub no_log: bool,
    /// `_ansible_verbosity`.
    pub verbosity: u64,
    /// Ansible is the caller: there is any such setting.
    pub of_ansible: bool,
}

/// A document, as arguments and wishes.
pub type Document = (Map<String, Value>, Wishes);

/// Opens the file, or standard input. If there is a file, standard input is never touched: over ssh Ansible leaves it a
/// terminal that never ends.
///
/// Regular files and pipes (a shell's `<(...)`) are opened. Everything else is refused before it is opened, because opening a
/// device or reading a file of the kernel may have an effect, or never end.
pub fn open(file: Option<&Path>) -> Result<Source, Error> {
    let unreadable = |error: io::Error| unreadable(file, &error);
    let Some(path) = file.filter(|path| !system::is_stdin(path)) else {
        return system::stdin().map(|stdin| Source::of(Some(stdin))).map_err(unreadable);
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if let Some(kind) = system::refused(path, &metadata) {
        let detail = format!("{} is {kind}", place(file));
        return Err(Error::new(Kind::InvalidArguments, detail).hint("Give a regular file, a pipe or standard input."));
    }
    // Files of the kernel have no length, wherever they are mounted.
    if metadata.is_file() && metadata.len() == 0 {
        return Ok(Source::of(None));
    }
    system::open(path, &metadata).map(|file| Source::of(Some(file))).map_err(unreadable)
}

/// Names the place that the arguments are read from.
pub fn place(file: Option<&Path>) -> String {
    file.map_or_else(|| "standard input".to_owned(), |path| format!("the arguments file {}", path.display()))
}

/// An error for a place that the arguments cannot be read from: the caller's if the path is wrong, otherwise the system's.
pub fn unreadable(file: Option<&Path>, error: &io::Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::PermissionDenied
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidData
        | ErrorKind::InvalidFilename => Kind::InvalidArguments,
        _ => Kind::Io,
    };
    let unreadable = Error::new(kind, format!("cannot read {}: {error}", place(file)));
    if error.kind() == ErrorKind::InvalidData { unreadable.hint("Save the arguments as UTF-8.") } else { unreadable }
}

/// An error for a place that holds too much.
pub fn too_long(place: &str) -> Error {
    Error::new(Kind::InvalidArguments, format!("{place} has more than {LIMIT} bytes, the limit for arguments"))
}

/// Returns the document, which is UTF-8 with or without a byte order mark, as arguments and wishes.
pub fn parse(bytes: &[u8]) -> Result<Document, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The brace of the object is one of two bytes.
    if [b"{\0", b"\0{"].iter().any(|start| bytes.starts_with(*start)) {
        return Err(Error::new(Kind::InvalidArguments, "the arguments are UTF-16 without a byte order mark")
            .hint("Save them as UTF-8, or as UTF-16 with a byte order mark."));
    }
    let invalid = |detail: String| {
        Error::new(Kind::InvalidArguments, detail).hint("Give one JSON object: see --schema args, or --help.")
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(invalid("the arguments are empty".to_owned()));
    }
    let document = json::parse(bytes).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        invalid(match not_a_number(bytes, error.line(), error.column()) {
            Some((word, Some(key))) => {
                format!("the arguments contain {word} for `{key}` ({place}), which is not valid JSON")
            }
            Some((word, None)) => format!("the arguments contain {word} ({place}), which is not valid JSON"),
            // serde_json's text says what it expected, never what it read: a password cannot be in it.
            None if error.is_data() => format!("the arguments cannot be understood: {error}"),
            None => format!("the arguments are not JSON: {error}"),
        })
    })?;
    let Value::Object(mut map) = document else {
        return Err(invalid("the arguments are valid JSON, but not an object".to_owned()));
    };
    let wishes = Wishes {
        check: flag(&map, "_ansible_check_mode")?,
        diff: flag(&map, "_ansible_diff")?,
        no_log: flag(&map, "_ansible_no_log")?,
        verbosity: map.get("_ansible_verbosity").and_then(Value::as_u64).unwrap_or(0),
        of_ansible: map.keys().any(|name| name.starts_with("_ansible_")),
    };
    map.retain(|name, _| !name.starts_with("_ansible_"));
    Ok((map, wishes))
}

/// A flag of the caller's. One that cannot be understood is an error: taking a check run for a real one would write.
pub fn flag(map: &Map<String, Value>, name: &str) -> Result<bool, Error> {
    match map.get(name) {
        None => Ok(false),
        Some(value) if is_omitted(value) => Ok(false),
        Some(value) => match coerce(value, &Type::Bool, false) {
            Ok(value) => Ok(value == Value::Bool(true)),
            Err(wrong) => Err(Error::new(Kind::InvalidArguments, format!("`{name}`: {wrong}"))),
        },
    }
}

/// Python writes NaN and Infinity into its JSON. The word at that place, and the key it is the value of.
fn not_a_number(bytes: &[u8], line: usize, column: usize) -> Option<(&'static str, Option<String>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text.split('\n').nth(line.checked_sub(1)?)?;
    // The parser stops at the first letter of the word. Words inside of texts are none.
    let near = column.saturating_sub(2)..column.min(line.len());
    let (word, at) = near.filter(|at| line.is_char_boundary(*at)).find_map(|at| {
        ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| line[at..].starts_with(word)).map(|word| (word, at))
    })?;
    let key = line[..at].trim_end().strip_suffix(':').and_then(|before| {
        let before = before.trim_end().strip_suffix('"')?;
        before.rsplit('"').next().map(shorten)
    });
    Some((word, key))
}

#[cfg(test)]
mod tests {
    use super::{Wishes, parse};

    #[test]
    fn ansibles_keys_are_honoured_or_ignored_and_never_arguments() {
        let document = br#"{"a": 1, "_ansible_check_mode": true, "_ansible_diff": "yes", "_ansible_verbosity": 3,
            "_ansible_no_log": false, "_ansible_of_next_year": {"x": []}, "_ansible_tmpdir": null}"#;
        let (map, wishes) = parse(document).unwrap();
        assert_eq!(wishes, Wishes { check: true, diff: true, no_log: false, verbosity: 3, of_ansible: true });
        assert_eq!(map.keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        let cases: [(&[u8], &str); 9] = [
            (b"{\"a\": {\"b\": 1,\n\"b\": 1}}", "the key `b` is given twice at line 2"),
            (b"", "empty"),
            (b" \n", "empty"),
            (b"[]", "not an object"),
            (b"{\"port\": NaN}", "NaN for `port` (line 1"),
            (b"{\n\"port\": -Infinity}", "-Infinity for `port` (line 2"),
            (b"{\"l\": [Infinity]}", "contain Infinity (line 1"),
            (b"{\"a\": }", "line 1 column 7"),
            (b"{\"_ansible_check_mode\": \"perhaps\"}", "`_ansible_check_mode`: expected a boolean"),
        ];
        for (document, expected) in cases {
            let error = parse(document).unwrap_err();
            assert!(error.detail.contains(expected), "{}: {}", String::from_utf8_lossy(document), error.detail);
        }
    }

    #[test]
    fn what_is_told_of_a_document_is_short_and_none_of_its_values() {
        let long = format!("{{\"{}\": NaN}}", "S3cret".repeat(100_000));
        for document in ["{\"p\": \"\\\"S3cret\\\":NaN", "{\"p\": \"\\\"S3cret\\\":NaN\", \"\":}", &long] {
            let told = parse(document.as_bytes()).unwrap_err().detail;
            assert!(told.len() < 300 && (document == long || !told.contains("S3cret")), "{told:.300}");
        }
    }
}
