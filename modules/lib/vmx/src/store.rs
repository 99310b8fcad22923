//! The file on disk: reading it, signs that its VM is in use, and replacing it at once or not at all.
//!
//! A replaced file keeps its mode and owner. It does not keep extended attributes, access control lists and hard links. On
//! Windows it belongs to the user of this program, and inherits the access control list of its directory.

mod error;
mod in_use;
mod lock;
mod replace;
mod scratch;
mod stamp;
mod system;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::document::Document;

pub use error::Error;
pub use in_use::InUse;
pub use lock::Lock;
pub use system::Meta;

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
