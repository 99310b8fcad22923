//! What became of standard output.

use std::io::{self, ErrorKind, Write};

/// Returns true if standard output took everything. Otherwise standard error says why, unless nobody may be reading it either.
pub fn is_written(written: &io::Result<()>) -> bool {
    let told = written.as_ref().err().filter(|error| error.kind() != ErrorKind::TimedOut);
    if let Some(error) = told {
        let _ = writeln!(io::stderr(), "error: cannot write to standard output: {error}");
    }
    written.is_ok()
}
