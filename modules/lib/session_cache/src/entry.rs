//! One session: its key, its age, and the file that holds it.

use std::fmt::{self, Write};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::{Error, folder};

/// The format of the files. A file with another one is ignored and replaced.
const FORMAT: u32 = 2;
/// A session takes a few KiB.
const LIMIT: u64 = 256 * 1024;

/// The server, user and trust of a session. Only runs with equal keys share one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The server's address: `https://vcenter.lab:443`.
    pub server: String,
    /// The user name.
    pub username: String,
    /// How the server is trusted and reached, in the caller's own form: certificates, TLS versions, proxy.
    pub trust: String,
}

impl Key {
    /// Returns a name that differs between keys, and is safe as a file name.
    pub(crate) fn file_name(&self) -> String {
        hash(&(&self.server, &self.username, &self.trust))
    }
}

/// Returns the SHA-256 hash of `value` as hexadecimal text.
fn hash(value: &impl Serialize) -> String {
    let text = serde_json::to_vec(value).unwrap_or_default();
    digest(&SHA256, &text).as_ref().iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// A kept session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    format: u32,
    /// The hash of the other fields, to notice a damaged file. Older formats have none.
    #[serde(default)]
    checksum: String,
    /// The server, user and trust that it is for.
    pub key: Key,
    /// The time of the login, in seconds since 1970.
    pub created: u64,
    /// The session in the caller's own form. It is a credential.
    pub session: String,
}

/// Shows no session: it is a credential.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).field("created", &self.created).finish_non_exhaustive()
    }
}

impl Entry {
    /// Returns an entry for a session that was opened now.
    pub fn new(key: Key, session: String) -> Self {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut entry = Self { format: FORMAT, checksum: String::new(), key, created, session };
        entry.checksum = entry.hash();
        entry
    }

    fn hash(&self) -> String {
        hash(&(self.format, &self.key, self.created, &self.session))
    }

    /// Returns the time since the login.
    pub fn age(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_secs(self.created))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Reads the file at `path`, if there is one. [`Error::Damaged`] or [`Error::Unusable`] if it must not be trusted.
pub(crate) fn read(path: &Path) -> Result<Option<Entry>, Error> {
    let failed = |source: io::Error| match source {
        link if folder::is_link(&link) => Error::unusable(path, "it is a symbolic link"),
        source => Error::io("read", path, source),
    };
    let file = match folder::options().read(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        outcome => outcome.map_err(failed)?,
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Error::unusable(path, "it is not a regular file"));
    }
    folder::check(path, &metadata)?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(failed)?;
    let entry: Entry = serde_json::from_slice(&bytes).map_err(|_| Error::Damaged { path: path.to_owned() })?;
    if entry.format != FORMAT {
        return Err(Error::unusable(path, "another version of this program wrote it"));
    }
    if entry.checksum != entry.hash() {
        return Err(Error::Damaged { path: path.to_owned() });
    }
    Ok(Some(entry))
}
