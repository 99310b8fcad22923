//! Replacing the file: at once or not at all, and only while it still is the one that was read.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::scratch::{self, Scratch, directory_of, joined};
use super::{Error, Lock, Meta, Stored, contents, stamp};
use crate::document::Document;

impl Stored {
    /// Replaces the file by `new`, with the same owner and mode. With `backup`, the old bytes are kept beside it as
    /// `X.vmx.YYYY-MM-DD_HHMMSS.bak` (UTC), and that path is returned. `lock` must cover the file.
    ///
    /// Both files are complete and on disk before they get their names by a rename, so a reader, a kill and a power failure
    /// find the old file or the new one, and never a part of a backup. [`Error::Stale`] if the file on disk is no longer
    /// the one that was read. Between that check and the rename no other run of this program can write, where the file
    /// system has locks. A change by another program can be lost then; it is a matter of microseconds, but only a VM that
    /// is off, and stays so, is safe from it.
    pub fn replace(&self, lock: &Lock, new: &Document, backup: bool) -> Result<Option<PathBuf>, Error> {
        let directory = directory_of(&self.path);
        let Some(name) = self.path.file_name() else {
            return Err(Error::NotAFile { path: self.path.clone(), what: "a directory" });
        };
        scratch::sweep(directory, name, lock.is_exclusive());
        let temporary = |document: &Document| {
            let mut file = Scratch::create(directory, name)?;
            file.fill(document.bytes(), &self.meta)?;
            Ok(file)
        };
        let written = temporary(new)?;
        let mut saved = backup.then(|| temporary(&self.document)).transpose()?;
        if !self.is_unchanged() {
            return Err(Error::Stale { path: self.path.clone() });
        }
        if let Some(saved) = &mut saved {
            let stamp = stamp::utc(SystemTime::now());
            saved.rename_to_free((0..100).map(|number| match number {
                0 => joined(&[name, format!(".{stamp}.bak").as_ref()]),
                _ => joined(&[name, format!(".{stamp}-{number}.bak").as_ref()]),
            }))?;
        }
        written.replace(&self.path)?;
        let saved = saved.map(Scratch::keep);
        lock.sync().map_err(|source| Error::Unsynced { path: self.path.clone(), source })?;
        Ok(saved)
    }

    /// True if the file on disk is the one that was read, by its metadata and its content.
    fn is_unchanged(&self) -> bool {
        let now = fs::symlink_metadata(&self.path).map(|metadata| Meta::of(&metadata));
        now.is_ok_and(|now| now == self.meta)
            && contents(&self.path).is_ok_and(|(bytes, meta)| bytes == self.document.bytes() && meta == self.meta)
    }
}
