//! Metadata on Windows.

use std::fs::{File, Metadata, OpenOptions};
use std::os::windows::fs::MetadataExt;
use std::path::Path;

use super::super::Error;

/// The metadata that identifies a state of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// The length in bytes.
    pub len: u64,
    /// When the file was created: 100 nanoseconds each, since 1601.
    pub created: u64,
    /// When the content changed last, in the same unit.
    pub modified: u64,
    /// The attributes, such as read-only and hidden.
    pub attributes: u32,
}

impl Meta {
    pub(in super::super) fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.file_size(),
            created: metadata.creation_time(),
            modified: metadata.last_write_time(),
            attributes: metadata.file_attributes(),
        }
    }
}

/// Returns options that create a file with the access control list that its directory passes on.
pub fn options() -> OpenOptions {
    OpenOptions::new()
}

/// Does nothing: the new file belongs to this user and inherits the access control list of its directory.
#[expect(clippy::unnecessary_wraps)]
pub fn take_over(_: &File, _: &Path, _: &Meta) -> Result<(), Error> {
    Ok(())
}
