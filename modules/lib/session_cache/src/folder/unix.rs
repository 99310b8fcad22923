//! The folder of the sessions on Unix.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::Error;

const NAME: &str = "nested_vft";

/// Returns the folder of this user, from the environment.
pub fn of_user(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    // The specification says to ignore relative paths.
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // After `su` or `sudo -E` these may be another user's.
    let own = |path: &PathBuf| fs::metadata(path).map_or(true, |found| found.uid() == geteuid().as_raw());
    absolute("XDG_RUNTIME_DIR")
        .filter(own)
        .or_else(|| absolute("XDG_CACHE_HOME").filter(own))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|base| base.join(NAME))
        .ok_or(Error::NoFolder)
}

/// Creates the folder with mode 0700 if it does not exist, and checks it.
pub fn create(folder: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| Error::io("create", folder, source))?;
    let metadata = fs::symlink_metadata(folder).map_err(|source| Error::io("read", folder, source))?;
    if !metadata.is_dir() {
        return Err(Error::unusable(folder, "it is not a folder"));
    }
    check(folder, &metadata)
}

/// Checks that only this user can use the file or folder.
pub fn check(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    if metadata.uid() != geteuid().as_raw() {
        return Err(Error::unusable(path, "it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Error::unusable(path, "other users may read or write it"));
    }
    Ok(())
}

/// Returns options that create a file for this user alone, and that open no symbolic link.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

/// Returns true if a file was not opened because it is a link: the error of `O_NOFOLLOW`.
pub fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}
