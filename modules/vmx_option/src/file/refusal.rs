//! Options and files that the `.vmx` editor refuses.

use std::path::Path;

use contract::{Error, Kind};

/// Returns the error for the file at `path`, or for a value that it cannot hold.
pub fn refusal(path: &Path, error: &vmx::Error) -> Error {
    let text = format!("{}: {error}", path.display());
    match error {
        vmx::Error::Duplicate { .. } => Error::new(Kind::Conflict, text),
        _ => Error::new(Kind::InvalidArguments, text),
    }
}
