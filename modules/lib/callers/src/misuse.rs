//! Arguments on the command line, where this program expects a file name: what people bring from other tools.

use std::ffi::OsString;
use std::path::Path;

use contract::{Error, Kind};

/// Names of other tools' flags that mean `--check`.
const CHECK: [&str; 5] = ["--dry-run", "--dryrun", "--check-mode", "--what-if", "-C"];

/// Returns an error with the remedy if `words`, the first of which is the program, is such a call. It repeats no value, since
/// a value may be a password.
pub(super) fn of(module: &str, words: &[OsString]) -> Option<Error> {
    let invalid = |detail: String| Error::new(Kind::InvalidArguments, detail);
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    // A subcommand has flags of its own.
    if words.clone().next().is_some_and(|first| ["bolt", "dsc"].contains(&&*first)) {
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

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}
