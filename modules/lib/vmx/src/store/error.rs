//! Errors about the file on disk.

use std::io;
use std::path::{Path, PathBuf};

/// Why a .vmx file could not be read or replaced. Only with [`Error::Unsynced`] has the file been replaced.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action that failed, e.g. `read`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause; its kind separates a missing file from missing rights.
        source: io::Error,
    },
    /// The path leads to something that is not a regular file.
    #[error("{} is {what}, not a .vmx file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of file, e.g. `a directory`.
        what: &'static str,
    },
    /// The file is larger than any .vmx file.
    #[error("{} is larger than {} MiB: this is not a .vmx file", path.display(), limit / 1024 / 1024)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The content cannot be edited.
    #[error("{}: {source}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        source: crate::Error,
    },
    /// Another process changed, replaced or removed the file since it was read. The file was not touched.
    #[error("another process changed {} after it was read; nothing was written", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
    },
    /// The file has been replaced, but its directory could not be synced: a power failure now may bring the old one back.
    #[error("{} has been replaced, but its directory cannot be synced to disk: {source}", path.display())]
    Unsynced {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// Returns the operating system's error kind, if it reported one: `NotFound`, `PermissionDenied`, ….
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } | Self::Unsynced { source, .. } => Some(source.kind()),
            _ => None,
        }
    }
}
