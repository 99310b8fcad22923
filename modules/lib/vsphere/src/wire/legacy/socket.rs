//! A Unix socket that only this user can reach.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::UnixListener;

use crate::wire::error::TlsError;

/// In such a directory, only the owner of an entry may rename it.
const STICKY: u32 = 0o1000;

/// A socket in its own directory. Both are removed on drop; a killed process leaves them behind.
#[derive(Debug)]
pub(super) struct PrivateSocket {
    directory: PathBuf,
    path: PathBuf,
}

impl PrivateSocket {
    /// Listens in a new directory in `base`, of mode 0700: not every system checks the mode of the socket itself.
    ///
    /// Fails if another user could replace the directory.
    pub(super) fn bind(base: &Path) -> Result<(Self, UnixListener), TlsError> {
        let mut random = [0; 16];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| TlsError::Other("this system provides no random numbers".into()))?;
        let directory = base.join(format!("nested-vft-{:032x}", u128::from_ne_bytes(random)));
        let failed = |error| failure(base, &error);
        DirBuilder::new().mode(0o700).create(&directory).map_err(failed)?;
        let path = directory.join("tls");
        let socket = Self { directory, path };
        let (own, around) = (fs::metadata(&socket.directory).map_err(failed)?, fs::metadata(base).map_err(failed)?);
        let ours = around.uid() == 0 || around.uid() == own.uid();
        let shared = around.mode() & 0o022 != 0 && around.mode() & STICKY == 0;
        if !ours || shared {
            return Err(failed(io::Error::other("other users may write there")));
        }
        let listener = UnixListener::bind(&socket.path).map_err(failed)?;
        Ok((socket, listener))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_dir(&self.directory);
    }
}

fn failure(base: &Path, error: &io::Error) -> TlsError {
    // The error for a path that does not fit into a socket address (about 100 bytes).
    let reason =
        if error.kind() == ErrorKind::InvalidInput { "its path is too long".into() } else { error.to_string() };
    TlsError::Other(format!("cannot create a socket in {}: {reason}; set TMPDIR to another directory", base.display()))
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
