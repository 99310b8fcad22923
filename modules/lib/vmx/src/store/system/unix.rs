//! Metadata on Unix.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use super::super::Error;

/// The metadata that identifies a state of a file, and that a new file must take over (`stat(2)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// The device that holds the file.
    pub dev: u64,
    /// The inode.
    pub ino: u64,
    /// The length in bytes.
    pub len: u64,
    /// When the content changed last: seconds since 1970, and nanoseconds.
    pub mtime: (i64, i64),
    /// The permission bits, set-user-ID and the like included.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Meta {
    pub(in super::super) fn of(metadata: &Metadata) -> Self {
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
            len: metadata.len(),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
        }
    }
}

/// Returns options that create a file which only this user can read.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Gives the file at `path` the owner and the mode of `like`.
pub fn take_over(file: &File, path: &Path, like: &Meta) -> Result<(), Error> {
    let own = file.metadata().map_err(|error| Error::io("read", path, error))?;
    if (own.uid(), own.gid()) != (like.uid, like.gid) {
        let [uid, gid] = [(own.uid(), like.uid), (own.gid(), like.gid)].map(|(is, want)| (is != want).then_some(want));
        fchown(file, uid, gid).map_err(|error| Error::io("give the old owner to", path, error))?;
    }
    // After the owner: a change of owner takes the set-user-ID bits away.
    let mode = Permissions::from_mode(like.mode);
    file.set_permissions(mode).map_err(|error| Error::io("set the mode of", path, error))
}
