//! Properties of everything that the tools of the ESXi shell can print. The property tests and the fuzzer share them.

use std::cell::Cell;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use crate::error::one_line;
use crate::option::{AdvancedOption, Value};
use crate::{advcfg, record, vms};

/// Checks the output of a tool. `input` is a line with an option's path, or with the datastore and the path of a .vmx file,
/// followed by the output.
///
/// # Panics
/// If a property does not hold.
pub fn output(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (head, output) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let (path, text) = (String::from_utf8_lossy(head), String::from_utf8_lossy(output));
    settings(&text, &path);
    value(&text, &path);
    config(&text);
    machines(output, head);
    is_one_line(&text);
    let _ = advcfg::says_unknown(ExitStatus::from_raw(256), &text);
}

/// Checks a text of a tool as an error shows it.
fn is_one_line(text: &str) {
    let line = one_line(text);
    assert!(line.chars().count() <= 401, "a line of {} characters", line.chars().count());
    assert!(!line.contains(|c: char| c.is_control() || "\u{2028}\u{2029}".contains(c)), "not one line: {line:?}");
}

/// Checks a listing of `esxcli system settings advanced`.
fn settings(text: &str, path: &str) {
    match record::find(text, path) {
        Ok(option) => {
            assert!(option.path.eq_ignore_ascii_case(path), "{path} is {}", option.path);
            assert_eq!(record::find(&printed(&option), path), Ok(option), "it does not come back");
        }
        Err(told) => assert!(!told.is_empty(), "an error without words"),
    }
    match record::paths(text) {
        Ok(paths) => assert!(!paths.is_empty() && paths.len() <= text.lines().count()),
        Err(told) => assert!(!told.is_empty(), "an error without words"),
    }
}

/// The option as esxcli prints it.
fn printed(option: &AdvancedOption) -> String {
    let (kind, name) = match option.value {
        Value::Integer(_) => ("integer", "Int Value"),
        Value::Text(_) => ("string", "String Value"),
    };
    let (min, max) = option.range.unzip();
    let fields = [
        ("Path", Some(option.path.clone())),
        ("Type", Some(kind.to_owned())),
        (name, Some(option.value.to_string())),
        (&format!("Default {name}"), option.default.as_ref().map(ToString::to_string)),
        ("Min Value", min.map(|min| min.to_string())),
        ("Max Value", max.map(|max| max.to_string())),
        ("Valid Characters", option.valid_characters.clone()),
        ("Description", option.description.clone()),
    ];
    let lines = fields.iter().filter_map(|(label, value)| Some(format!("   {label}: {}\n", value.as_ref()?)));
    lines.collect()
}

/// Checks what `esxcfg-advcfg -g` prints.
fn value(text: &str, path: &str) {
    match advcfg::option(text, path) {
        Ok(option) => {
            let again = advcfg::option(&format!("Value of X is {}\n", option.value), path);
            assert_eq!(again, Ok(option), "it does not come back");
        }
        Err(told) => assert!(!told.is_empty(), "an error without words"),
    }
}

/// Checks what `vim-cmd vmsvc/get.config` prints.
fn config(text: &str) {
    let options = vms::options(text);
    let lines: Vec<String> =
        options.iter().map(|(key, value)| format!("key = \"{key}\", \n value = \"{value}\",\n")).collect();
    assert_eq!(vms::options(&lines.concat()), options, "it does not come back");
}

/// Checks the table of `vim-cmd vmsvc/getallvms`. `file` is the datastore and the path of a .vmx file, with a blank between.
fn machines(table: &[u8], file: &[u8]) {
    let blank = file.iter().position(|byte| *byte == b' ').unwrap_or(file.len());
    let (datastore, path) =
        (OsStr::from_bytes(&file[..blank]), OsStr::from_bytes(file.get(blank + 1..).unwrap_or_default()));
    let tried = Cell::new(0usize);
    let ids = vms::owners(table, |on, at| {
        tried.set(tried.get() + 1);
        on == datastore && at == path
    });
    assert!(tried.get() <= vms::TABLE, "{} files were looked for", tried.get());
    let ids = ids.unwrap_or_default();
    assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    let text = String::from_utf8_lossy(table);
    for id in &ids {
        let starts = |line: &str| line.trim_start_matches('0').starts_with(id.to_string().trim_start_matches('0'));
        assert!(text.split('\n').any(starts), "no line is of machine {id}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::output;

    const PIECES: [&str; 33] = [
        "/Migrate/X",
        "Path: ",
        "Type: integer",
        "Type: string",
        "Int Value: ",
        "Default Int Value: ",
        "Min Value: ",
        "Max Value: ",
        "String Value: ",
        "Default String Value: ",
        "Valid Characters: ",
        "Description: ",
        "0",
        "-5",
        "99999999999999999999",
        "Value of X is ",
        " is ",
        "007",
        "key = \"a\",",
        "value = \"",
        "\",",
        "Vmid",
        "1  a [ds] ",
        "2 ",
        "[",
        "] ",
        "a/b.vmx",
        ".vmx ",
        "guest vmx-08",
        "\t",
        "\r\n",
        "\u{7f}",
        "é",
    ];

    fn text() -> impl Strategy<Value = String> {
        let line = prop::collection::vec(
            prop_oneof![8 => select(&PIECES[..]).prop_map(str::to_owned), 1 => any::<String>()],
            0..6,
        );
        prop::collection::vec(line.prop_map(|pieces| pieces.concat()), 0..12).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn all_output_holds(head in select(vec!["/Migrate/X", "/migrate/x", "ds a/b.vmx", "", " "]), text in text()) {
            output(format!("{head}\n{text}").as_bytes());
        }

        #[test]
        fn any_bytes_hold(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            output(&bytes);
        }
    }

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/esx_output");
        for file in std::fs::read_dir(folder).unwrap() {
            output(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }
}
