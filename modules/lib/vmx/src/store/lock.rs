//! The lock that keeps two runs of this program from writing in one directory at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::scratch::directory_of;

/// `EBADF`, the same on every Unix; `io::ErrorKind` has no name for it.
const BAD_DESCRIPTOR: i32 = 9;

/// The lock of a directory (`flock(2)`), held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    directory: PathBuf,
    /// Absent on Windows, and if the directory is writable without being readable: then there is neither a lock nor a sync.
    opened: Option<File>,
    exclusive: bool,
}

impl Lock {
    /// Locks the directory of the .vmx file at `path`. Returns `None` while another run holds the lock.
    ///
    /// On Windows, and on a file system without locks (VMFS may be one), this excludes no other run.
    pub fn try_acquire(path: &Path) -> Option<Self> {
        let directory = directory_of(path).to_owned();
        let opened = File::open(&directory).ok();
        let exclusive = match opened.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => return None,
            Some(Ok(())) => true,
            Some(Err(TryLockError::Error(_))) | None => false,
        };
        Some(Self { directory, opened, exclusive })
    }

    /// True if this is the lock for the .vmx file at `path`.
    pub fn covers(&self, path: &Path) -> bool {
        self.directory == directory_of(path)
    }

    /// True if no other run can write in the directory now.
    pub(super) fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// Makes a rename last. File systems that cannot (VMFS may be one) say so in several ways.
    pub(super) fn sync(&self) -> io::Result<()> {
        use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
        match self.opened.as_ref().map(File::sync_all) {
            Some(Err(error))
                if !matches!(error.kind(), InvalidInput | Unsupported | PermissionDenied)
                    && error.raw_os_error() != Some(BAD_DESCRIPTOR) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}
