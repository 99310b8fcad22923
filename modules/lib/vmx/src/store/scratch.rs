//! New files beside the .vmx file, which go away unless they are kept.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Error, Meta, system};

const MARK: &str = ".nested-vft-";
/// Without a lock, a temporary file of this age counts as stale: no run takes that long to write it.
const ABANDONED: Duration = Duration::from_secs(10 * 60);

/// A new file. It is removed when this is dropped, unless it has been kept or has replaced another.
pub(super) struct Scratch {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl Scratch {
    /// Creates a temporary file for the file `name`: `.NAME.nested-vft-PID-N`. On Unix, nobody else can read
    /// it yet.
    pub(super) fn create(directory: &Path, name: &OsStr) -> Result<Self, Error> {
        let pid = std::process::id();
        for number in 0..100 {
            let path = directory.join(joined(&[".".as_ref(), name, format!("{MARK}{pid}-{number}").as_ref()]));
            match system::options().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { path, file, is_kept: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("create", &path, error)),
            }
        }
        Err(Error::io("create a new file in", directory, io::ErrorKind::AlreadyExists.into()))
    }

    /// Writes the file, gives it the owner and the mode of `like`, and has it on disk when this returns.
    pub(super) fn fill(&mut self, bytes: &[u8], like: &Meta) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| Error::io("write", &self.path, error))?;
        system::take_over(&self.file, &self.path, like)?;
        self.file.sync_all().map_err(|error| Error::io("sync", &self.path, error))
    }

    /// Renames the file to the first of these names that is not taken.
    pub(super) fn rename_to_free(&mut self, names: impl Iterator<Item = OsString>) -> Result<(), Error> {
        for name in names {
            let path = self.path.with_file_name(name);
            // The lock keeps other runs from taking the name before the rename. Not every file system has hard links, or
            // a rename that overwrites nothing.
            if fs::symlink_metadata(&path).is_err() {
                fs::rename(&self.path, &path).map_err(|error| Error::io("create", &path, error))?;
                self.path = path;
                return Ok(());
            }
        }
        Err(Error::io("rename", &self.path, io::ErrorKind::AlreadyExists.into()))
    }

    /// Replaces the file at `path`, at once.
    pub(super) fn replace(mut self, path: &Path) -> Result<(), Error> {
        fs::rename(&self.path, path).map_err(|error| Error::io("replace", path, error))?;
        self.is_kept = true;
        Ok(())
    }

    /// Leaves the file where it is.
    pub(super) fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        std::mem::take(&mut self.path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.is_kept {
            // A failure cannot be reported here; the next run tries again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the temporary files that killed runs left for the file `name`: all of them if this run is `alone` in the
/// directory, otherwise those that are too old to be in use. A failure to remove one is no reason to stop.
pub(super) fn sweep(directory: &Path, name: &OsStr, alone: bool) {
    let prefix = joined(&[".".as_ref(), name, MARK.as_ref()]);
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let file_name = entry.file_name();
        let ours = file_name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes()).is_some_and(is_pid_and_number);
        // Metadata of a directory entry does not follow links.
        let metadata = entry.metadata().ok().filter(|metadata| ours && metadata.is_file());
        let stale = metadata.is_some_and(|metadata| {
            alone
                || metadata
                    .modified()
                    .is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > ABANDONED))
        });
        if stale {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_pid_and_number(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'-');
    let mut number = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    number() && number() && parts.next().is_none()
}

pub(super) fn joined(parts: &[&OsStr]) -> OsString {
    parts.iter().copied().collect()
}

/// The directory of a file, for a bare name too.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
