//! No folder: the standard library can neither set nor read the access control list that would protect it.

use std::ffi::OsString;
use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// Returns [`Error::Unsupported`].
pub fn of_user(_: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    Err(Error::Unsupported)
}

/// Returns [`Error::Unsupported`].
pub fn create(_: &Path) -> Result<(), Error> {
    Err(Error::Unsupported)
}

/// Returns [`Error::Unsupported`].
pub fn check(_: &Path, _: &Metadata) -> Result<(), Error> {
    Err(Error::Unsupported)
}

/// Returns the options for files of a folder that never exists.
pub fn options() -> OpenOptions {
    OpenOptions::new()
}

/// Returns true if a file was not opened because it is a link.
pub fn is_link(_: &io::Error) -> bool {
    false
}
