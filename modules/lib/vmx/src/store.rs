//! The file on disk: reading it, signs that its VM is in use, and replacing it at once or not at all.
//!
//! A replaced file keeps its mode and owner. It does not keep extended attributes, access control lists and hard links.

mod error;
mod in_use;
mod lock;
mod replace;
mod scratch;
mod stamp;

use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::document::Document;

pub use error::Error;
pub use in_use::InUse;
pub use lock::Lock;

/// No .vmx file has more bytes: real ones have some thousands.
pub const LIMIT: u64 = 4 * 1024 * 1024;

/// A .vmx file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The content of the file.
    pub document: Document,
    /// If the path that was asked for is a symbolic link: what the link says it leads to.
    pub link: Option<PathBuf>,
    /// The real file: the path that was asked for, or where the link finally leads.
    pub path: PathBuf,
    /// The metadata that identifies this state of the file.
    pub meta: Meta,
}

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
    fn of(metadata: &Metadata) -> Self {
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

impl Stored {
    /// Reads the file at `path`, through symbolic links.
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::NotAFile`] if it is not a regular file, [`Error::TooLarge`] above
    /// [`LIMIT`], [`Error::Document`] if it is not a .vmx file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::io("read", path, source);
        let link = if fs::symlink_metadata(path).map_err(read)?.is_symlink() {
            Some(fs::read_link(path).map_err(read)?)
        } else {
            None
        };
        let path = if link.is_some() { fs::canonicalize(path).map_err(read)? } else { path.to_owned() };
        let (bytes, meta) = contents(&path)?;
        match Document::parse(bytes) {
            Ok(document) => Ok(Self { document, link, path, meta }),
            Err(source) => Err(Error::Document { path, source }),
        }
    }
}

/// Reads a regular file: its content, and its identity.
fn contents(path: &Path) -> Result<(Vec<u8>, Meta), Error> {
    let read = |source| Error::io("read", path, source);
    let file = regular_file::open(path).map_err(|error| match error {
        regular_file::Error::Special(what) => Error::NotAFile { path: path.to_owned(), what },
        regular_file::Error::Io(source) => read(source),
    })?;
    let metadata = file.metadata().map_err(read)?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::TooLarge { path: path.to_owned(), limit: LIMIT });
    }
    Ok((bytes, Meta::of(&metadata)))
}

#[cfg(test)]
#[path = "in_use_tests.rs"]
mod in_use_tests;
#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
