//! Replacing the file: at once or not at all, and only while it still is the one that was read.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

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
    /// that check and the rename no other run of this program can write, where the file system has locks. A change by
    /// another program can be lost then; it is a matter of microseconds, but only a VM that is off, and stays so, is safe
    /// from it.
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
        // A directory may be writable without being readable: then there is neither a lock nor a sync.
        let opened = File::open(directory).ok();
        if !opened.as_ref().is_none_or(is_ours) || !self.is_unchanged() {
            return Err(Error::Stale { path: self.path.clone() });
        }
        written.rename(&self.path)?;
        let saved = saved.map(Scratch::keep);
        if let Some(opened) = &opened {
            sync(opened).map_err(|source| Error::Unsynced { path: self.path.clone(), source })?;
        }
        Ok(saved)
    }

    /// Whether the file on disk is the one that was read, by what the system says of it and by its content.
    fn is_unchanged(&self) -> bool {
        let now = fs::symlink_metadata(&self.path).map(|metadata| Meta::of(&metadata));
        now.is_ok_and(|now| now == self.meta)
            && contents(&self.path).is_ok_and(|(bytes, meta)| bytes == self.document.bytes() && meta == self.meta)
    }
}

/// Locks the directory against other runs of this program, for as long as it is open; false if another run holds it for
/// long. A file system without locks (VMFS may be one) locks nobody out.
fn is_ours(directory: &File) -> bool {
    for _ in 0..200 {
        match directory.try_lock() {
            Ok(()) | Err(TryLockError::Error(_)) => return true,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
        }
    }
    false
}

/// Makes the rename last. File systems that cannot (VMFS may be one) say so in several ways.
fn sync(directory: &File) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match directory.sync_all() {
        Err(error)
            if matches!(error.kind(), InvalidInput | Unsupported | PermissionDenied)
                || error.raw_os_error() == Some(BAD_DESCRIPTOR) =>
        {
            Ok(())
        }
        result => result,
    }
}
