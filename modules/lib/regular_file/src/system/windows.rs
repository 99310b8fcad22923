//! Files on Windows. There are no pseudo-files, and metadata is enough to see that a file is no regular one.

use std::fs::{File, FileType};
use std::io;
use std::path::Path;

/// Opens a file for reading.
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Returns the kind of a file that is neither a regular file nor a directory.
pub fn kind(_: FileType) -> &'static str {
    "a special file"
}

/// Returns true if the kernel shows itself in the file at `path`.
pub fn is_pseudo(_: &Path) -> bool {
    false
}

/// Returns true if the kernel shows itself in an open file.
pub fn opened_is_pseudo(_: &File) -> bool {
    false
}
