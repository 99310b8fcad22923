//! Arguments on the command line, where this program expects a file name: what people bring from other tools.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use contract::{Error, Kind};

/// Names of other tools' flags that mean `--check`.
const CHECK: [&str; 5] = ["--dry-run", "--dryrun", "--check-mode", "--what-if", "-C"];

/// The subcommands. `dsc` is only one of a module that is a resource of DSC.
const SUBCOMMANDS: [&str; 2] = ["bolt", "dsc"];

/// Returns an error with the remedy if `words`, the first of which is the program, is such a call. It repeats no value, since
/// a value may be a password.
pub(super) fn of(module: &str, is_resource: bool, words: &[OsString]) -> Option<Error> {
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    if let Some(first) = words.clone().next().filter(|first| SUBCOMMANDS.contains(&&**first)) {
        if first == "dsc" && !is_resource && !Path::new("dsc").exists() {
            let detail = format!("{module} is not a DSC resource: it has no desired state");
            return Some(invalid(detail).hint(format!("Pipe the arguments in: echo '{{...}}' | {module}")));
        }
        // A subcommand has flags of its own.
        return None;
    }
    words.find_map(|word| {
        if CHECK.contains(&&*word) {
            return Some(invalid(format!("unknown flag {word}")).hint("Use `--check` to see what would change."));
        }
        if word.starts_with('-') || Path::new(&*word).exists() {
            return None;
        }
        if word.trim_start().starts_with('{') {
            let detail = "the arguments are on the command line, where a file name is expected";
            return Some(invalid(detail.to_owned()).hint(format!("Pipe them in: echo '{{...}}' | {module}")));
        }
        let (name, _) = word.split_once('=').filter(|(name, _)| is_name(name))?;
        let detail = format!("`{name}=...` on the command line is not a file name");
        let hint = format!(
            "Arguments are one JSON object in a file or on standard input: echo '{{\"{name}\": ...}}' | {module}"
        );
        Some(invalid(detail).hint(hint))
    })
}

/// Returns a better error than that of the parser if the call has two file names. The parser takes the second for a subcommand.
pub(super) fn parsed(error: &clap::Error) -> Option<Error> {
    let ContextValue::String(second) = error.get(ContextKind::InvalidSubcommand)? else { return None };
    let is_file = error.get(ContextKind::PriorArg).is_some() && !SUBCOMMANDS.contains(&&**second);
    let detail = "the command line has more than one file name";
    is_file.then(|| invalid(detail.to_owned()).hint("Give one file. With `--jsonl`, one file may hold many calls."))
}

fn invalid(detail: String) -> Error {
    Error::new(Kind::InvalidArguments, detail)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}
