//! Replacing the file: at once or not at all, and only while it still is the one that was read.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::scratch::{self, Scratch, directory_of, joined};
use super::{Error, Meta, Stored, contents, stamp};
use crate::document::Document;

/// `EBADF`, the same on every Unix; `io::ErrorKind` has no name for it.
const BAD_DESCRIPTOR: i32 = 9;

impl Stored {
    /// Replaces the file by `new`, with the same owner and mode; with `backup`, the old bytes are kept beside it as
    /// `X.vmx.YYYY-MM-DD_HHMMSS.bak` (UTC), and that path is returned.
    ///
    /// Everything is on disk before the new file takes the place of the old one by a rename, so whoever reads, and a power
    /// failure, find one or the other. [`Error::Stale`] if the file on disk is no longer the one that was read. Between
    /// that check and the rename a change by somebody else can be lost; it is a matter of microseconds, but only a VM that
    /// is off, and stays so, is safe from it.
    pub fn replace(&self, new: &Document, backup: bool) -> Result<Option<PathBuf>, Error> {
        let directory = directory_of(&self.path);
        let Some(name) = self.path.file_name() else {
            return Err(Error::NotAFile { path: self.path.clone(), what: "a directory" });
        };
        scratch::sweep(directory, name);
        let mut written = Scratch::create(directory, scratch::temporary_names(name))?;
        written.fill(new.bytes(), &self.meta)?;
        let mut saved = None;
        if backup {
            let stamp = stamp::utc(SystemTime::now());
            let suffixes = (0..100).map(|number| match number {
                0 => format!(".{stamp}.bak"),
                _ => format!(".{stamp}-{number}.bak"),
            });
            let names = suffixes.map(|suffix| joined(&[name, suffix.as_ref()]));
            let saved = saved.insert(Scratch::create(directory, names)?);
            saved.fill(self.document.bytes(), &self.meta)?;
        }
        if !self.is_unchanged() {
            return Err(Error::Stale { path: self.path.clone() });
        }
        written.rename(&self.path)?;
        let saved = saved.map(Scratch::keep);
        sync_directory(directory).map_err(|source| Error::Unsynced { path: self.path.clone(), source })?;
        Ok(saved)
    }

    /// Whether the file on disk is the one that was read, by what the system says of it and by its content.
    fn is_unchanged(&self) -> bool {
        let now = fs::symlink_metadata(&self.path).map(|metadata| Meta::of(&metadata));
        now.is_ok_and(|now| now == self.meta)
            && contents(&self.path).is_ok_and(|(bytes, meta)| bytes == self.document.bytes() && meta == self.meta)
    }
}

/// Makes the rename last. File systems that cannot (VMFS may be one) say so in several ways, and a directory may be
/// writable without being readable.
fn sync_directory(directory: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(error)
            if matches!(error.kind(), InvalidInput | Unsupported | PermissionDenied)
                || error.raw_os_error() == Some(BAD_DESCRIPTOR) =>
        {
            Ok(())
        }
        result => result,
    }
}
