//! Why a session cannot be loaded or stored.

use std::io;
use std::path::{Path, PathBuf};

/// A problem with the cache. None of them is a reason to fail: a run can always log in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system is Windows.
    #[error("sessions are not kept on Windows")]
    Unsupported,
    /// There is no folder that is the user's own.
    #[error("no folder for sessions: neither XDG_RUNTIME_DIR, XDG_CACHE_HOME nor HOME is set")]
    NoFolder,
    /// A file or folder must not be trusted.
    #[error("{} is not used: {reason}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        reason: &'static str,
    },
    /// The contents of a file are not those that were written.
    #[error("{} is not used: it is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn unusable(path: &Path, reason: &'static str) -> Self {
        Self::Unusable { path: path.to_owned(), reason }
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}
