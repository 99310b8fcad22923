//! All modules in one program. The name that it is called by selects the module, or else its first word.

mod modules;
mod sessions;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use callers::Program;
use modules::MODULES;
use serde_json::json;

fn main() -> ExitCode {
    run(std::env::args_os().collect())
}

fn run(mut words: Vec<OsString>) -> ExitCode {
    if let Some(module) = words.first().and_then(|program| called_by(program)) {
        return module.run(words);
    }
    let Some(word) = words.get(1) else {
        let _ = std::io::stderr().write_all(usage().as_bytes());
        return ExitCode::from(2);
    };
    let word = word.to_string_lossy().into_owned();
    match word.as_str() {
        "--help" | "-h" => print(&usage()),
        "--version" | "-V" => print(concat!("nested_vft ", env!("CARGO_PKG_VERSION"), "\n")),
        "--list" => print(&(names().collect::<Vec<_>>().join("\n") + "\n")),
        "sessions" => match words.get(2).and_then(|word| word.to_str()) {
            None if words.len() == 2 => sessions::run(false),
            Some("--close") if words.len() == 3 => sessions::run(true),
            Some("--help" | "-h") => print(&usage()),
            _ => {
                let _ = std::io::stderr().write_all(usage().as_bytes());
                ExitCode::from(2)
            }
        },
        _ => match named(&word) {
            Some(module) => {
                words.remove(0);
                module.run(words)
            }
            None => refuse(&word),
        },
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|module| module.name)
}

fn named(name: &str) -> Option<Program> {
    MODULES.iter().copied().find(|module| module.name == name)
}

/// Returns the module that the program's own name selects.
///
/// Ansible puts `AnsiballZ_` before the name of the file that it copies; the extension names the kind of machine.
fn called_by(program: &OsStr) -> Option<Program> {
    let name = Path::new(program).file_name()?.to_str()?;
    let name = name.strip_prefix("AnsiballZ_").unwrap_or(name);
    // Windows gives the name as it was typed, in any case.
    named(&name.split_once('.').map_or(name, |(name, _)| name).to_ascii_lowercase())
}

fn usage() -> String {
    let names = names().collect::<Vec<_>>().join(" ");
    format!(
        "Usage: nested_vft MODULE [OPTIONS] [ARGS]\n       \
                nested_vft sessions [--close]\n\
         \n\
         All modules of nested-vft in one program. `nested_vft MODULE --help` describes one module. A link to this\n\
         program with the name of a module runs that module.\n\
         \n\
         `nested_vft sessions` lists the sessions that `session_cache` keeps; with --close it ends them.\n\
         \n\
         Modules: {names}\n\
         \n\
         Options:\n  \
           --list       Print the names of the modules, one per line\n  \
           --help       Print this\n  \
           --version    Print the version\n"
    )
}

/// Reports an unknown module in the same form as the modules report invalid arguments.
fn refuse(word: &str) -> ExitCode {
    // The answer is ASCII, whatever the word is.
    let shown = word.escape_default();
    let hint =
        contract::nearest(word, names()).map_or("see --list".to_owned(), |name| format!("did you mean `{name}`?"));
    let detail = format!("nested_vft has no module `{shown}`: {hint}");
    let answer = json!({
        "changed": false,
        "failed": true,
        "msg": detail,
        "error": {"kind": "invalid_arguments", "detail": detail},
    });
    let _ = writeln!(std::io::stderr(), "error: {detail}");
    let _ = writeln!(std::io::stdout(), "{answer}");
    ExitCode::from(2)
}

fn print(text: &str) -> ExitCode {
    // `nested_vft --help | head` is no failure of this program.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");

    /// Texts of values: right and wrong ones of every type.
    const VALUES: [&str; 24] = [
        "null",
        "true",
        "\"no\"",
        "0",
        "-1",
        "\" 8 \"",
        "1.5",
        "1e3",
        "1e300",
        "99999999999999999999",
        "\"esxi01, esxi02\"",
        "\"a=1 b='2, 3'\"",
        "{\"a\": 1, \"b\": null}",
        "{}",
        "[]",
        "[\"vmk0\", 1, null]",
        "\"\"",
        "\"vm-63\"",
        "\"/a/b.vmx\"",
        "\"__omit_place_holder__1\"",
        "\"\\u0007\"",
        "\"a\\nb\"",
        "\"S3cretS3cret\"",
        "\"me:S3cret@host\"",
    ];

    /// A module, and a document of its arguments.
    fn document() -> impl Strategy<Value = (Program, String)> {
        select(MODULES).prop_flat_map(|module| {
            let schema = std::fs::read_to_string(format!("{FOLDER}schemas/{}.args.json", module.name)).unwrap();
            let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
            let names: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
            // Words in quotes: the values that texts may have are among them.
            let words: Vec<String> = schema.to_string().split('"').skip(1).step_by(2).map(str::to_owned).collect();
            let value = prop_oneof![
                3 => select(&VALUES[..]).prop_map(str::to_owned),
                1 => select(words).prop_map(|word| format!("\"{word}\"")),
            ];
            let member = (select(names), value).prop_map(|(name, value)| format!("\"{name}\": {value}"));
            let server = "\"hostname\": \"vc\", \"username\": \"me\", \"password\": \"S3cretS3cret\"";
            (prop::collection::vec(member, 0..5), any::<bool>()).prop_map(move |(mut members, complete)| {
                members.extend(complete.then(|| server.to_owned()));
                (module, format!("{{{}}}", members.join(", ")))
            })
        })
    }

    /// Checks the invariants of a document (`contract::invariants`).
    fn check(module: Program, document: Vec<u8>) {
        let status = module.run(vec![module.name.into(), "--fuzz".into(), OsString::from_vec(document)]);
        assert_eq!(status, ExitCode::SUCCESS);
    }

    proptest! {
        #[test]
        fn all_documents_hold((module, document) in document()) {
            check(module, document.into_bytes());
        }
    }

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        for file in std::fs::read_dir(format!("{FOLDER}tests/fuzz/corpus/arguments")).unwrap() {
            let input = std::fs::read(file.unwrap().path()).unwrap();
            let end = input.iter().position(|byte| *byte == b'\n').unwrap();
            let module = named(std::str::from_utf8(&input[..end]).unwrap()).unwrap();
            check(module, input[end + 1..].to_vec());
        }
    }

    #[test]
    fn it_has_every_module_of_the_workspace() {
        let folders = std::fs::read_dir(format!("{FOLDER}modules")).unwrap().map(|entry| entry.unwrap().path());
        let mut modules: Vec<String> = folders
            .filter(|folder| folder.join("Cargo.toml").exists() && folder.join("src/lib.rs").exists())
            .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        modules.sort();
        for module in &modules {
            assert!(
                named(module).is_some(),
                "modules/nested_vft has no `{module}`: add `{module}::PROGRAM,` to MODULES in src/modules.rs, and \
                 `{module} = {{ path = \"../{module}\" }}` to [dependencies] in Cargo.toml"
            );
        }
        assert!(modules.iter().eq(names()), "MODULES is not sorted: {modules:?}");
    }

    #[test]
    fn the_name_it_is_called_by_says_the_module() {
        for (program, module) in [
            ("/tmp/.ansible/ansible-tmp-1/AnsiballZ_host_option.linux_x86_64", Some("host_option")),
            ("AnsiballZ_vm_power", Some("vm_power")),
            ("./host_option", Some("host_option")),
            ("host_option.exe", Some("host_option")),
            ("Host_Option.EXE", Some("host_option")),
            ("target/release/nested_vft", None),
            ("AnsiballZ_nested_vft.linux_x86_64", None),
            ("host_options", None),
            ("", None),
        ] {
            assert_eq!(called_by(OsStr::new(program)).map(|module| module.name), module, "{program}");
        }
    }
}
